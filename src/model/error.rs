//! What can be wrong with a model.

use super::{Digest, HubError};
use crate::engine::EngineError;
use crate::label::{LabelSet, LabelSetError};
use crate::tokenizer::TokenizerError;
use std::path::PathBuf;

/// Why a model could not be read, written or run. Each variant is named after the rule that was broken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A folder lacks a file that every model has.
    #[error("no such file: {}", path.display())]
    MissingFile {
        /// The file looked for.
        path: PathBuf,
    },
    /// A file exists and cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Something else than a file stands under the name of one: a folder, a pipe, a device.
    #[error("{}: expected a file, got {got}", path.display())]
    NotAFile {
        /// What should be a file.
        path: PathBuf,
        /// What it is.
        got: &'static str,
    },
    /// A file is larger than any of its kind.
    #[error("{}: expected at most {expected} bytes, got {got}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read, in bytes.
        expected: u64,
        /// Its size in bytes, as far as it was read.
        got: u64,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A JSON file of the model is no JSON, or lacks a field, or has one of the wrong type.
    #[error("{file}: {reason}")]
    CorruptJson {
        /// Name of the file in the folder.
        file: &'static str,
        /// What the parser stumbled over.
        reason: String,
    },
    /// `model.safetensors` does not follow the format.
    #[error("model.safetensors: not a safetensors file: {reason}")]
    NotSafetensors {
        /// What the parser stumbled over.
        reason: String,
    },
    /// A weight is absent.
    #[error("model.safetensors: no tensor `{name}`")]
    MissingTensor {
        /// The name looked for.
        name: String,
    },
    /// A weight has another shape than `config.json` promises.
    #[error("model.safetensors: tensor `{name}` has shape {got:?}, expected {expected:?}")]
    WrongShape {
        /// The tensor.
        name: String,
        /// Shape by `config.json`.
        expected: Vec<usize>,
        /// Shape in the file.
        got: Vec<usize>,
    },
    /// A weight is stored in a type that is not read.
    #[error("model.safetensors: tensor `{name}` has type {got}, expected {expected}")]
    UnsupportedDtype {
        /// The tensor.
        name: String,
        /// The types that are read.
        expected: &'static str,
        /// The type in the file.
        got: String,
    },
    /// A weight is infinite or not a number, or a scale is negative.
    #[error("model.safetensors: tensor `{name}` holds {got}, expected finite numbers")]
    NotFinite {
        /// The tensor.
        name: String,
        /// The first such value.
        got: f32,
    },
    /// `id2label` leaves a number out, or the name under it is no text.
    #[error("config.json: `id2label` names {outputs} outputs, but none with the number {output}")]
    UnnamedOutput {
        /// The number.
        output: usize,
        /// Entries of `id2label`.
        outputs: usize,
    },
    /// The names in `id2label` are no set of labels.
    #[error("config.json: `id2label`: {source}")]
    BadLabels {
        /// The rule that they break.
        #[from]
        source: LabelSetError,
    },
    /// `config.json` describes a network that is not implemented.
    #[error("config.json: `{field}` is `{got}`, expected `{expected}`")]
    UnsupportedArchitecture {
        /// The field.
        field: &'static str,
        /// The only value read.
        expected: &'static str,
        /// The value in the file.
        got: String,
    },
    /// The model asks for program code that comes with it.
    #[error("config.json: `auto_map` asks for program code of the model's own, which is never run")]
    CustomCode,
    /// The model does something else than to give each text one of several labels.
    #[error("config.json: `{field}` is {got}; expected a classifier that gives each text one of several labels")]
    OtherTask {
        /// The field.
        field: &'static str,
        /// What it says.
        got: String,
    },
    /// The weights are stored in another form than `model.safetensors`.
    #[error(
        "no such file: {}, only {got}, which is not read; in Python, \
         `AutoModelForSequenceClassification.from_pretrained(FOLDER).save_pretrained(NEW, max_shard_size=\"4GB\")` writes it",
        path.display()
    )]
    OtherWeights {
        /// The file looked for.
        path: PathBuf,
        /// The one that is there.
        got: &'static str,
    },
    /// The encoder labels texts, but cannot be trained, packed or quantised.
    #[error(
        "a model of the family {family} labels texts, but cannot be trained, packed or quantised: {reason}; that takes BERT's layers"
    )]
    NotBertShaped {
        /// `model_type`.
        family: &'static str,
        /// In what it differs.
        reason: String,
    },
    /// A size in `config.json` that no encoder can have.
    #[error("config.json: `{field}` is {got}, expected {expected}")]
    BadSize {
        /// The field.
        field: &'static str,
        /// The rule.
        expected: String,
        /// The value in the file.
        got: String,
    },
    /// `tokenizer.json` is corrupt or of a kind that is not read.
    #[error("tokenizer.json: {source}")]
    CorruptTokenizer {
        /// What is wrong with it.
        #[from]
        source: TokenizerError,
    },
    /// The tokenizer has ids for which the word embedding has no row.
    #[error("tokenizer.json: needs {got} embedding rows, expected at most the {expected} of config.json")]
    VocabularyTooLarge {
        /// Rows of the word embedding.
        expected: usize,
        /// Rows that the tokenizer needs.
        got: usize,
    },
    /// A file of our own was written by a later version of this crate.
    #[error("{file}: format {got}, expected at most {expected}; written by {producer}")]
    FormatTooNew {
        /// Name of the file in the folder.
        file: &'static str,
        /// The newest format read.
        expected: u32,
        /// The format in the file.
        got: u32,
        /// Name and version of the program that wrote it.
        producer: String,
    },
    /// A file of our own was written by another program.
    #[error("{file}: written by `{got}`, expected `{expected}`")]
    ForeignProducer {
        /// Name of the file in the folder.
        file: &'static str,
        /// The name this crate writes.
        expected: &'static str,
        /// The name in the file.
        got: String,
    },
    /// A setting outside its range.
    #[error("{file}: `{field}` is {got}, expected {expected}")]
    BadSetting {
        /// Name of the file in the folder.
        file: &'static str,
        /// The field.
        field: &'static str,
        /// The rule.
        expected: String,
        /// The value in the file.
        got: String,
    },
    /// A cascade was chosen for another model than the one that stands under its name.
    #[error("cascade.json: chosen for a model `{name}` with digest {expected}, got one with {got}")]
    OtherModel {
        /// The model's name.
        name: String,
        /// The digest that the cascade was chosen for.
        expected: Digest,
        /// The digest of the model at hand.
        got: Digest,
    },
    /// The two models of a cascade have other labels, or the same in another order.
    #[error(
        "cascade.json: the two models must have the same labels in the same order, got {} and {}",
        small.list(),
        large.list()
    )]
    UnlikeLabels {
        /// Those of the small model.
        small: LabelSet,
        /// Those of the large one.
        large: LabelSet,
    },
    /// A model of the hub cannot be had.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// No label of the model has a role that is needed.
    #[error("the model {model} has no `{setting}`; set it in the model's copydesk.json to one of its labels: {labels}")]
    NoRole {
        /// The model's name.
        model: String,
        /// The setting that gives the role.
        setting: &'static str,
        /// Its labels.
        labels: String,
    },
    /// The checkpoint is a bare encoder: good for training, not for labelling.
    #[error("the model has no classification head, it must be trained first")]
    MissingHead,
    /// The forward pass gave no usable numbers, whatever the text: weights that overflow.
    #[error("the model's outputs are not finite numbers: {}", first_of(got))]
    NotFiniteOutput {
        /// The row of logits.
        got: Vec<f32>,
    },
    /// The encoder refused the weights or the input.
    #[error("encoder: {0}")]
    Engine(#[from] EngineError),
}

fn first_of(logits: &[f32]) -> String {
    const MOST_SHOWN: usize = 10;
    match logits.get(..MOST_SHOWN) {
        Some(first) if logits.len() > MOST_SHOWN => format!("{first:?} and {} more", logits.len() - MOST_SHOWN),
        _ => format!("{logits:?}"),
    }
}
