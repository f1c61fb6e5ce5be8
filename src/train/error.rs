//! Why a training run could not start or go on.

use crate::eval::EvalError;
use crate::label::{LabelSet, LabelSetError, UnknownLabel};
use crate::tokenizer::TokenizerError;
use std::path::PathBuf;

/// Why a training run could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A setting is out of its range.
    #[error("`{name}` must be {expected}")]
    InvalidSetting {
        /// The setting.
        name: &'static str,
        /// Its range.
        expected: &'static str,
    },
    /// MPNet adds to attention by distance, which the backward pass does not know.
    #[error("an MPNet model can label and teach, but not be trained; choose a base of BERT's architecture")]
    DistancesAreNotTrained,
    /// No stage has both rows and a pass over them.
    #[error("there is nothing to train on: no stage has both rows and epochs")]
    NothingToTrain,
    /// A data file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system or the decompressor said.
        source: std::io::Error,
    },
    /// A data file holds not one usable row.
    #[error("{}: not one usable row{}", path.display(), first_reason(set_aside))]
    NoRows {
        /// The file.
        path: PathBuf,
        /// Line number, from 1, and reason of every line that was set aside.
        set_aside: Vec<(usize, String)>,
    },
    /// Models cannot be averaged.
    #[error("the models have no mean: {what}")]
    UnlikeModels {
        /// What they do not share.
        what: &'static str,
    },
    /// A teacher's vectors cannot be the student's.
    #[error("the teacher's vectors have {got} numbers and the student's {expected}; set `vector_weight` to 0")]
    VectorLength {
        /// The student's hidden size.
        expected: usize,
        /// Numbers in the teacher's vector.
        got: usize,
    },
    /// Sources to leave out that no row has.
    #[error("no row has the source {got:?}")]
    UnknownSource {
        /// The source.
        got: String,
    },
    /// The names that rows have are no set of labels.
    #[error("the labels of the rows: {0}")]
    Labels(#[from] LabelSetError),
    /// A row has a label that is not trained.
    #[error(transparent)]
    UnknownLabel(#[from] UnknownLabel),
    /// A row has neither a label nor a teacher's scores.
    #[error("a row has no label: {text:?}")]
    NoLabel {
        /// Its text.
        text: String,
    },
    /// A base's head, a teacher or a row's scores are of other labels than those that are trained.
    #[error("expected the labels {}, got {}", expected.list(), got.list())]
    OtherLabels {
        /// Those that are trained.
        expected: LabelSet,
        /// Those that were met.
        got: LabelSet,
    },
    /// The base model's tokenizer could not be built.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// The base model could not be read or the result not be written.
    #[error(transparent)]
    Model(#[from] crate::model::ModelError),
    /// A checkpoint is not one of this run.
    #[error("{}: {reason}", path.display())]
    ForeignCheckpoint {
        /// The checkpoint.
        path: PathBuf,
        /// What differs.
        reason: String,
    },
    /// A file of the run could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The loss became infinite or not a number.
    #[error("the loss is {loss} at step {step}; a lower learning rate may help")]
    Diverged {
        /// Step of the run, from 0.
        step: usize,
        /// The loss.
        loss: f64,
    },
    /// The tensor library refused an operation.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    /// The development set could not be judged.
    #[error(transparent)]
    Eval(#[from] EvalError),
}

fn first_reason(set_aside: &[(usize, String)]) -> String {
    set_aside.first().map_or(String::new(), |(line, reason)| {
        format!("; {} set aside, the first in line {line}: {reason}", set_aside.len())
    })
}
