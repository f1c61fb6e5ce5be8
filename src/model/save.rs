//! Writing a model's folder.

use super::checkpoint::{TOKENIZER_FILE, WEIGHTS_FILE};
use super::head::values;
use super::page::PageLayout;
use super::tensors::SCALE_SUFFIX;
use super::{Checkpoint, ModelError, ModelFiles, Settings, layout, settings};
use crate::atomic;
use crate::engine::{LayerNorm, Linear, Matrix};
use crate::tokenizer::Tokenizer;
use safetensors::tensor::{Dtype, View};
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

/// How weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// Single precision; what other programs read.
    F32,
    /// Matrices as symmetric 8-bit integers with one scale per row, everything else in single precision. The head
    /// stays in single precision too: it is a thousandth of the file and every error in it reaches the scores.
    Int8,
}

/// The files of a folder that are made from a checkpoint; its tokenizer is a file as it is.
struct Encoded {
    config: Vec<u8>,
    settings: Vec<u8>,
    weights: Vec<u8>,
}

impl Checkpoint {
    /// Writes `config.json`, `tokenizer.json`, `model.safetensors` and `copydesk.json` into `dir`, which is created
    /// if absent. Other files in it are left alone.
    ///
    /// Each file is written beside its place and renamed into it, `config.json` last, so that a reader never sees
    /// half a file and an interrupted first write leaves no folder that looks like a model.
    ///
    /// # Errors
    /// [`ModelError::Unwritable`], or what is wrong with the checkpoint itself: a folder that could not be loaded
    /// again is not written.
    pub fn save(&self, dir: &Path, storage: Storage) -> Result<(), ModelError> {
        let (Encoded { config, settings, weights }, _) = self.encode(storage)?;
        std::fs::create_dir_all(dir).map_err(|source| ModelError::Unwritable { path: dir.to_owned(), source })?;
        write(&dir.join(TOKENIZER_FILE), &self.tokenizer)?;
        write(&dir.join(WEIGHTS_FILE), &weights)?;
        write(&dir.join(settings::FILE), &settings)?;
        write(&dir.join(layout::FILE), &config)
    }

    /// The checkpoint that a folder written by [`Checkpoint::save`] gives back, without writing it.
    ///
    /// # Errors
    /// As [`Checkpoint::save`], but for writing.
    pub fn stored(&self, storage: Storage) -> Result<Checkpoint, ModelError> {
        self.encode(storage).map(|(_, checkpoint)| checkpoint)
    }

    /// The files of a folder, and what they give back.
    fn encode(&self, storage: Storage) -> Result<(Encoded, Checkpoint), ModelError> {
        let tokenizer = Tokenizer::from_bytes(&self.tokenizer)?;
        let mut config = layout::to_json(&self.config, self.head.as_ref().map(|head| &head.labels), tokenizer.pad());
        if let Some(distances) = &self.weights.distances {
            config[layout::BUCKETS_FIELD] = distances.rows().into();
        }
        let config = pretty(layout::FILE, &config)?;
        let page = self.page.as_ref().map(|page| page.config);
        let settings = pretty(settings::FILE, &Settings { page, ..self.settings.clone() })?;
        let weights = self.safetensors(storage)?;
        let checkpoint = Checkpoint::load_bytes(ModelFiles {
            name: &self.settings.name,
            config: &config,
            tokenizer: &self.tokenizer,
            weights: &weights,
            settings: Some(&settings),
        })?;
        Ok((Encoded { config, settings, weights }, checkpoint))
    }

    fn safetensors(&self, storage: Storage) -> Result<Vec<u8>, ModelError> {
        let mut tensors = Tensors { storage, list: Vec::new() };
        let weights = &self.weights;
        for (name, matrix) in
            [("word", &weights.word), ("position", &weights.position), ("token_type", &weights.token_type)]
        {
            tensors.matrix(format!("bert.embeddings.{name}_embeddings.weight"), matrix);
        }
        tensors.layer_norm("bert.embeddings.LayerNorm", &weights.norm);
        if let Some(distances) = &weights.distances {
            let name = "bert.encoder.relative_attention_bias.weight".to_owned();
            tensors.floats(name, shape(distances), values(distances));
        }
        for (index, layer) in weights.layers.iter().enumerate() {
            let name = |part: &str| format!("bert.encoder.layer.{index}.{part}");
            tensors.linear(&name("attention.self.query"), &layer.query);
            tensors.linear(&name("attention.self.key"), &layer.key);
            tensors.linear(&name("attention.self.value"), &layer.value);
            tensors.linear(&name("attention.output.dense"), &layer.attention_output);
            tensors.layer_norm(&name("attention.output.LayerNorm"), &layer.attention_norm);
            tensors.linear(&name("intermediate.dense"), &layer.intermediate);
            tensors.linear(&name("output.dense"), &layer.output);
            tensors.layer_norm(&name("output.LayerNorm"), &layer.output_norm);
        }
        if let Some(head) = &self.head {
            if let Some(pooler) = &head.pooler {
                tensors.linear("bert.pooler.dense", &pooler.linear);
            }
            tensors.floats("classifier.weight".to_owned(), shape(&head.weight), values(&head.weight));
            tensors.floats("classifier.bias".to_owned(), vec![head.bias.len()], head.bias.clone());
        }
        if let (Some(page), Some(head)) = (&self.page, &self.head) {
            for part in PageLayout::new(page.config, self.config.hidden, head.labels.len()).parts {
                tensors.floats(part.name, part.shape, page.values[part.range].to_vec());
            }
        }
        // Readers of the Hugging Face ecosystem refuse files that do not say which framework's layout they follow.
        let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        safetensors::serialize(tensors.list, Some(metadata))
            .map_err(|error| ModelError::NotSafetensors { reason: error.to_string() })
    }
}

/// Writes a file of a model's folder.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    atomic::write(path, bytes).map_err(|source| ModelError::Unwritable { path: path.to_owned(), source })
}

pub(super) fn pretty(file: &'static str, value: &impl serde::Serialize) -> Result<Vec<u8>, ModelError> {
    let mut json = serde_json::to_vec_pretty(value)
        .map_err(|error| ModelError::CorruptJson { file, reason: error.to_string() })?;
    json.push(b'\n');
    Ok(json)
}

/// A tensor on its way into a file.
struct Stored {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl View for Stored {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

struct Tensors {
    storage: Storage,
    list: Vec<(String, Stored)>,
}

impl Tensors {
    fn floats(&mut self, name: String, shape: Vec<usize>, values: Vec<f32>) {
        let bytes = values.into_iter().flat_map(f32::to_le_bytes).collect();
        self.list.push((name, Stored { dtype: Dtype::F32, shape, bytes }));
    }

    fn layer_norm(&mut self, name: &str, norm: &LayerNorm) {
        self.floats(format!("{name}.weight"), vec![norm.weight.len()], norm.weight.clone());
        self.floats(format!("{name}.bias"), vec![norm.bias.len()], norm.bias.clone());
    }

    fn linear(&mut self, name: &str, layer: &Linear) {
        self.matrix(format!("{name}.weight"), &layer.weight);
        self.floats(format!("{name}.bias"), vec![layer.bias.len()], layer.bias.clone());
    }

    fn matrix(&mut self, name: String, matrix: &Matrix) {
        let shape = shape(matrix);
        match (self.storage, matrix) {
            (Storage::F32, _) => self.floats(name, shape, values(matrix)),
            // Already quantised: written as it is, because quantising again could only lose.
            (Storage::Int8, Matrix::I8 { data, scales, .. }) => self.integers(name, shape, data, scales.clone()),
            (Storage::Int8, Matrix::F32 { cols, data, .. }) => {
                let (data, scales) = quantise(data, *cols);
                self.integers(name, shape, &data, scales);
            }
        }
    }

    fn integers(&mut self, name: String, shape: Vec<usize>, data: &[i8], scales: Vec<f32>) {
        let bytes = data.iter().map(|&value| value as u8).collect();
        self.floats(format!("{name}{SCALE_SUFFIX}"), vec![scales.len(), 1], scales);
        self.list.push((name, Stored { dtype: Dtype::I8, shape, bytes }));
    }
}

fn shape(matrix: &Matrix) -> Vec<usize> {
    match matrix {
        Matrix::F32 { rows, cols, .. } | Matrix::I8 { rows, cols, .. } => vec![*rows, *cols],
    }
}

/// Symmetric quantisation of each row to `-127..=127`, with its scale.
fn quantise(data: &[f32], cols: usize) -> (Vec<i8>, Vec<f32>) {
    let mut integers = Vec::with_capacity(data.len());
    let mut scales = Vec::with_capacity(data.len() / cols);
    for row in data.chunks_exact(cols) {
        let scale = row.iter().fold(0.0f32, |max, value| max.max(value.abs())) / 127.0;
        // A row of zeros, or so small that its scale underflows, is zeros under any scale.
        let scale = if scale.is_normal() { scale } else { 1.0 };
        integers.extend(row.iter().map(|value| (value / scale).round().clamp(-127.0, 127.0) as i8));
        scales.push(scale);
    }
    (integers, scales)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture;

    #[test]
    fn quantisation_errs_by_half_a_step_at_most() {
        let data = [0.5, -1.27, 0.004, 0.0, 0.0, 0.0, 1e-45, 0.0, 0.0];
        let (integers, scales) = quantise(&data, 3);
        assert_eq!(integers, [50, -127, 0, 0, 0, 0, 0, 0, 0]);
        for (index, (&value, integer)) in data.iter().zip(integers).enumerate() {
            let scale = scales[index / 3];
            assert!((value - f32::from(integer) * scale).abs() <= scale / 2.0 * 1.0001);
        }
    }

    #[test]
    fn a_float_folder_is_read_back_exactly() {
        let dir = tempfile::tempdir().unwrap();
        let checkpoint = fixture::checkpoint(1);
        checkpoint.save(dir.path(), Storage::F32).unwrap();
        assert_eq!(Checkpoint::load(dir.path()).unwrap(), checkpoint);
        let base = Checkpoint::load_base(dir.path()).unwrap();
        assert_eq!((base.head, base.weights), (None, checkpoint.weights));
        let mut names: Vec<_> =
            std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["config.json", "copydesk.json", "model.safetensors", "tokenizer.json"]);
    }

    /// An independent implementation reads the folder by the layout alone, and gives the same numbers.
    #[cfg(feature = "train")]
    #[test]
    fn a_float_folder_is_read_by_candle_with_the_same_logits() {
        use candle_core::{DType, Device, Tensor};
        use candle_transformers::models::bert::{BertModel, Config};

        let dir = tempfile::tempdir().unwrap();
        let checkpoint = fixture::checkpoint(5);
        checkpoint.save(dir.path(), Storage::F32).unwrap();
        let config: Config = serde_json::from_slice(&std::fs::read(dir.path().join("config.json")).unwrap()).unwrap();
        let bytes = std::fs::read(dir.path().join("model.safetensors")).unwrap();
        let builder = candle_nn::VarBuilder::from_buffered_safetensors(bytes, DType::F32, &Device::Cpu).unwrap();
        let model = BertModel::load(builder.clone(), &config).unwrap();
        let classifier = candle_nn::linear(32, 5, builder.pp("classifier")).unwrap();

        // [CLS] the council voted . [SEP]
        let ids = Tensor::new(&[[2u32, 7, 8, 9, 6, 3]], &Device::Cpu).unwrap();
        let hidden = model.forward(&ids, &ids.zeros_like().unwrap(), None).unwrap();
        let first = hidden.get(0).unwrap().narrow(0, 0, 1).unwrap();
        let expected =
            candle_nn::Module::forward(&classifier, &first).unwrap().get(0).unwrap().to_vec1::<f32>().unwrap();

        let ours = super::super::Classifier::from_checkpoint(checkpoint, crate::engine::Precision::F32).unwrap();
        let logits = ours.session().logits(&["The council voted."]).unwrap().remove(0);
        for (a, b) in logits.iter().zip(&expected) {
            assert!((a - b).abs() < 1e-4, "{logits:?} and {expected:?}");
        }
    }

    #[test]
    fn an_integer_folder_is_close_and_stays_the_same_when_saved_again() {
        let dir = tempfile::tempdir().unwrap();
        let checkpoint = fixture::checkpoint(2);
        checkpoint.save(dir.path(), Storage::Int8).unwrap();
        let first = Checkpoint::load(dir.path()).unwrap();
        assert_eq!(first.head, checkpoint.head);
        assert_eq!(first.weights.norm, checkpoint.weights.norm);
        let pairs = [
            (&first.weights.word, &checkpoint.weights.word),
            (&first.weights.layers[1].output.weight, &checkpoint.weights.layers[1].output.weight),
        ];
        for (integers, floats) in pairs {
            let Matrix::I8 { scales, cols, .. } = integers else { panic!("expected integers, got {integers:?}") };
            for (index, (a, b)) in values(integers).into_iter().zip(values(floats)).enumerate() {
                assert!((a - b).abs() <= scales[index / cols] * 0.5001);
            }
        }
        first.save(dir.path(), Storage::Int8).unwrap();
        assert_eq!(Checkpoint::load(dir.path()).unwrap(), first);
    }

    #[test]
    fn a_base_without_head_is_saved_without_labels() {
        let dir = tempfile::tempdir().unwrap();
        let checkpoint = Checkpoint { head: None, ..fixture::checkpoint(3) };
        checkpoint.save(&dir.path().join("deep/er"), Storage::F32).unwrap();
        assert_eq!(Checkpoint::load(&dir.path().join("deep/er")).unwrap(), checkpoint);
    }

    #[test]
    fn what_could_not_be_loaded_is_not_saved() {
        let dir = tempfile::tempdir().unwrap();
        let mut checkpoint = fixture::checkpoint(4);
        checkpoint.settings.temperature = -1.0;
        assert!(matches!(checkpoint.save(dir.path(), Storage::F32), Err(ModelError::BadSetting { .. })));
        let mut checkpoint = fixture::checkpoint(4);
        checkpoint.weights.layers[1].query.bias.pop();
        assert!(matches!(checkpoint.save(dir.path(), Storage::F32), Err(ModelError::WrongShape { .. })));
        checkpoint.weights.layers[1].query.bias.push(f32::NAN);
        assert!(matches!(checkpoint.save(dir.path(), Storage::Int8), Err(ModelError::NotFinite { .. })));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = fixture::checkpoint(4).save(&file, Storage::F32).unwrap_err();
        assert!(matches!(error, ModelError::Unwritable { path, .. } if path == file));
    }
}
