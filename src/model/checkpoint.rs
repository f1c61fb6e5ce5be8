//! What a model's folder says, before anything runs on it.

use super::architecture::{Family, bert, check_task};
use super::head::Head;
use super::layout::{self, Layout};
use super::page::PageWeights;
use super::settings::{self, Pooling, Settings};
use super::tensors::Tensors;
use super::{EmbeddedModel, ModelError};
use crate::engine::{Activation, EncoderConfig, EncoderWeights, Matrix, Precision};
use crate::parallel;
use crate::tokenizer::Tokenizer;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Name of the tokenizer's file in a model's folder.
pub(super) const TOKENIZER_FILE: &str = "tokenizer.json";

/// Name of the weights' file in a model's folder.
pub(super) const WEIGHTS_FILE: &str = "model.safetensors";

/// A model as its files describe it: what training produces and a [`Classifier`](super::Classifier) is built from.
///
/// Weights carry the names of Hugging Face's `BertModel` (`bert.encoder.layer.0.attention.self.query.weight` and so
/// on, the prefix `bert.` optional) and of its linear head (`classifier.weight`, `classifier.bias`), in F32, F16 or
/// BF16; matrices also in I8 with one scale per row in a tensor whose name ends in `_scale`.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Sizes of the encoder.
    pub config: EncoderConfig,
    /// Weights of the encoder.
    pub weights: EncoderWeights,
    /// The classification head; a base checkpoint has none.
    pub head: Option<Head>,
    /// The network over a page's paragraphs, where the model has one.
    pub page: Option<PageWeights>,
    /// The bytes of `tokenizer.json`.
    pub tokenizer: Vec<u8>,
    /// What `copydesk.json` says.
    pub settings: Settings,
}

/// The files of a model in memory.
#[derive(Clone, Copy, Debug)]
pub struct ModelFiles<'data> {
    /// The model's name, where there is no `copydesk.json` to say it.
    pub name: &'data str,
    /// `config.json`.
    pub config: &'data [u8],
    /// `tokenizer.json`.
    pub tokenizer: &'data [u8],
    /// `model.safetensors`.
    pub weights: &'data [u8],
    /// `copydesk.json`.
    pub settings: Option<&'data [u8]>,
}

impl Checkpoint {
    /// Reads a model's folder.
    ///
    /// A folder without `copydesk.json` gets [`Settings::default`], with windows no longer than the encoder takes
    /// and, if it has a pooler under its head, [`Pooling::Pooler`], because that is what its head was trained on.
    ///
    /// # Errors
    /// [`ModelError::MissingFile`] for a folder that holds no model, and any other [`ModelError`] about files.
    pub fn load(dir: &Path) -> Result<Checkpoint, ModelError> {
        Folder::read(dir)?.with_files(Checkpoint::load_bytes)
    }

    /// The model [`EmbeddedModel::Base`], which is compiled into the library.
    ///
    /// # Errors
    /// As [`Checkpoint::load_bytes`], if the embedded files are not a model.
    pub fn embedded() -> Result<Checkpoint, ModelError> {
        Checkpoint::load_bytes(EmbeddedModel::Base.files())
    }

    /// Numbers in the weights of encoder, head and page network.
    pub fn parameters(&self) -> u64 {
        let linear = |outputs: usize| outputs * (self.config.hidden + 1);
        let head = self.head.as_ref().map_or(0, |head| {
            linear(head.bias.len()) + head.pooler.as_ref().map_or(0, |pooler| linear(pooler.linear.bias.len()))
        });
        let page = self.page.as_ref().map_or(0, |page| page.values.len());
        self.config.parameters() + (head + page) as u64
    }

    /// The precision that suits the weights as they are stored: 8-bit where every dense layer is; a mixture is computed in
    /// single precision.
    pub fn stored_precision(&self) -> Precision {
        let all_integers = self.weights.layers.iter().all(|layer| {
            [&layer.query, &layer.key, &layer.value, &layer.attention_output, &layer.intermediate, &layer.output]
                .into_iter()
                .all(|linear| matches!(linear.weight, Matrix::I8 { .. }))
        });
        if all_integers { Precision::Int8 } else { Precision::F32 }
    }

    /// Reads a model's folder as a base for training: a head in it is left aside, whatever its labels.
    ///
    /// # Errors
    /// As [`Checkpoint::load`].
    pub fn load_base(dir: &Path) -> Result<Checkpoint, ModelError> {
        Folder::read(dir)?.with_files(Checkpoint::load_base_bytes)
    }

    /// [`Checkpoint::load_base`] from memory.
    pub(super) fn load_base_bytes(files: ModelFiles<'_>) -> Result<Checkpoint, ModelError> {
        read(files, Layout::from_json(files.config)?, false).map(|(checkpoint, _)| checkpoint)
    }

    /// Reads a model from memory, as [`Checkpoint::load`] does from a folder.
    ///
    /// # Errors
    /// Any [`ModelError`] about the files' content.
    pub fn load_bytes(files: ModelFiles<'_>) -> Result<Checkpoint, ModelError> {
        read(files, Layout::from_json(files.config)?, true).map(|(checkpoint, _)| checkpoint)
    }
}

/// The files of a folder, read whole.
pub(super) struct Folder {
    name: String,
    config: Vec<u8>,
    tokenizer: Vec<u8>,
    weights: Vec<u8>,
    settings: Option<Vec<u8>>,
}

impl Folder {
    pub fn read(dir: &Path) -> Result<Folder, ModelError> {
        let name = dir.file_name().map_or_else(|| "unnamed".to_owned(), |name| name.to_string_lossy().into_owned());
        let required = |file: &str, limit_bytes| {
            let path = dir.join(file);
            optional(&path, limit_bytes)?.ok_or(ModelError::MissingFile { path })
        };
        let config = required(layout::FILE, SETTINGS_LIMIT_BYTES)?;
        let weights = optional(&dir.join(WEIGHTS_FILE), WEIGHTS_LIMIT_BYTES)?;
        let weights = weights.ok_or_else(|| without_weights(dir))?;
        Ok(Folder {
            name,
            config,
            tokenizer: required(TOKENIZER_FILE, TOKENIZER_LIMIT_BYTES)?,
            weights,
            settings: optional(&dir.join(settings::FILE), SETTINGS_LIMIT_BYTES)?,
        })
    }

    pub fn with_files<T>(&self, read: impl FnOnce(ModelFiles<'_>) -> T) -> T {
        read(ModelFiles {
            name: &self.name,
            config: &self.config,
            tokenizer: &self.tokenizer,
            weights: &self.weights,
            settings: self.settings.as_deref(),
        })
    }
}

/// Why a folder without `model.safetensors` is no model: its weights may be there in another form.
fn without_weights(dir: &Path) -> ModelError {
    const OTHERS: [&str; 5] = [
        "model.safetensors.index.json",
        "pytorch_model.bin",
        "pytorch_model.bin.index.json",
        "tf_model.h5",
        "flax_model.msgpack",
    ];
    let path = dir.join(WEIGHTS_FILE);
    match OTHERS.into_iter().find(|name| dir.join(name).exists()) {
        Some(got) => ModelError::OtherWeights { path, got },
        None => ModelError::MissingFile { path },
    }
}

/// Largest `config.json`, `copydesk.json` or `cascade.json`.
pub(super) const SETTINGS_LIMIT_BYTES: u64 = 1 << 20;

/// Largest `tokenizer.json`; that of a vocabulary of 250,000 entries has 17 MB.
pub(super) const TOKENIZER_LIMIT_BYTES: u64 = 64 << 20;

/// Largest `model.safetensors`: a billion weights in single precision.
pub(super) const WEIGHTS_LIMIT_BYTES: u64 = 4 << 30;

/// A file of a model's folder, whole; `None` where there is none.
///
/// What a folder from elsewhere holds may be anything: a pipe or a device would be read for ever, a huge file would take
/// the memory of everything else.
pub(super) fn optional(path: &Path, limit_bytes: u64) -> Result<Option<Vec<u8>>, ModelError> {
    let unreadable = |source| ModelError::Unreadable { path: path.to_owned(), source };
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(source) => return Err(unreadable(source)),
    };
    if !metadata.is_file() {
        let got = if metadata.is_dir() { "a folder" } else { "a pipe or a device" };
        return Err(ModelError::NotAFile { path: path.to_owned(), got });
    }
    let too_large = |got| ModelError::TooLarge { path: path.to_owned(), expected: limit_bytes, got };
    if metadata.len() > limit_bytes {
        return Err(too_large(metadata.len()));
    }
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    // It may grow while it is read.
    file.take(limit_bytes + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limit_bytes { Err(too_large(bytes.len() as u64)) } else { Ok(Some(bytes)) }
}

/// Reads a model and the tokenizer that its files were checked with.
pub(super) fn read(
    files: ModelFiles<'_>,
    layout: Layout,
    with_head: bool,
) -> Result<(Checkpoint, Tokenizer), ModelError> {
    // The two take about as long, and most programs that read a model wait for it.
    let (tokenizer, checkpoint) =
        parallel::join(|| Tokenizer::from_bytes(files.tokenizer), || read_tensors(files, &layout, with_head));
    let tokenizer = tokenizer?;
    check_vocabulary(&tokenizer, &layout.architecture.encoder)?;
    Ok((checkpoint?, tokenizer))
}

/// The tensors of a file by the names of its architecture.
pub(super) fn tensors<'data>(bytes: &'data [u8], layout: &Layout) -> Result<Tensors<'data>, ModelError> {
    let family = layout.architecture.family;
    Ok(Tensors::new(bytes)?.prefixed(family.prefix(), family.word_embedding()))
}

/// What `copydesk.json` says, or what holds without one, and the head where there is one and it is wanted.
pub(super) fn settings_and_head(
    files: ModelFiles<'_>,
    layout: &Layout,
    tensors: &Tensors<'_>,
    with_head: bool,
) -> Result<(Settings, Option<Head>), ModelError> {
    let Layout { architecture, fields } = layout;
    let with_head = with_head && architecture.has_head(tensors);
    if with_head {
        check_task(fields)?;
    }
    let max_positions = architecture.encoder.max_positions;
    let pooling = || if with_head && architecture.has_pooler(tensors) { Pooling::Pooler } else { Pooling::Cls };
    let mut settings = match files.settings {
        Some(json) => Settings::from_json(json)?,
        None => Settings { pooling: pooling(), ..Settings::for_stranger(files.name, max_positions) },
    };
    // Heads of other families have their layer in any case.
    if architecture.family != Family::Bert {
        settings.pooling = pooling();
    }
    settings.validate(max_positions)?;
    if !with_head {
        return Ok((settings, None));
    }
    let with_pooler = settings.pooling == Pooling::Pooler;
    let head = architecture.head(tensors, fields, &settings, with_pooler)?;
    settings.roles(&head.labels)?;
    // Where this is written again it is written as BERT.
    let activation = head.pooler.as_ref().map(|pooler| pooler.activation);
    settings.pooler_activation = activation.filter(|activation| *activation != Activation::Tanh);
    Ok((settings, Some(head)))
}

/// Reads everything but the tokenizer.
fn read_tensors(files: ModelFiles<'_>, layout: &Layout, with_head: bool) -> Result<Checkpoint, ModelError> {
    let architecture = &layout.architecture;
    if let Some(reason) = &architecture.general {
        let family = architecture.family.name();
        return Err(ModelError::NotBertShaped { family, reason: reason.clone() });
    }
    let config = architecture.encoder.clone();
    let tensors = tensors(files.weights, layout)?;
    let (settings, head) = settings_and_head(files, layout, &tensors, with_head)?;
    let page = match (settings.page, &head) {
        (Some(sizes), Some(head)) => Some(PageWeights::read(&tensors, sizes, config.hidden, head.labels.len())?),
        _ => None,
    };
    let weights = bert::weights(&tensors, architecture)?;
    Ok(Checkpoint { config, weights, head, page, tokenizer: files.tokenizer.to_vec(), settings })
}

/// Every id that the tokenizer can give must have a row in the word embedding.
pub(super) fn check_vocabulary(tokenizer: &Tokenizer, config: &EncoderConfig) -> Result<(), ModelError> {
    match tokenizer.vocab_size() {
        got if got > config.vocab => Err(ModelError::VocabularyTooLarge { expected: config.vocab, got }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn only_files_of_a_fitting_size_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        assert!(matches!(optional(&path, 4), Ok(None)));
        assert!(matches!(optional(&path.join("below"), 4), Ok(None)));
        fs::write(&path, "1234").unwrap();
        assert_eq!(optional(&path, 4).unwrap().unwrap(), b"1234");
        assert!(matches!(optional(&path, 3), Err(ModelError::TooLarge { expected: 3, got: 4, .. })));
        assert!(matches!(optional(dir.path(), 4), Err(ModelError::NotAFile { got: "a folder", .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_in_a_folder_is_refused_and_a_huge_file_not_read() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/zero", dir.path().join(layout::FILE)).unwrap();
        assert!(matches!(Checkpoint::load(dir.path()), Err(ModelError::NotAFile { .. })));
        fs::remove_file(dir.path().join(layout::FILE)).unwrap();
        // Has no blocks on the disk.
        File::create(dir.path().join(layout::FILE)).unwrap().set_len(1 << 40).unwrap();
        assert!(matches!(
            Checkpoint::load(dir.path()),
            Err(ModelError::TooLarge { expected: SETTINGS_LIMIT_BYTES, .. })
        ));
    }
}
