//! Training: data, batches, hand-written backward passes, optimiser.
//!
//! [`train`] fine-tunes a base checkpoint in two stages, weakly labelled data first and annotated data second, and writes
//! a model folder. Gradients come from candle's automatic differentiation, in which the whole encoder is one operation
//! whose backward pass is written by hand over packed sequences; see `docs/training.md`.
//!
//! Same data, settings and base, same machine: same weights, whether or not the run was interrupted.

mod batches;
mod boost;
mod checkpoint;
mod comments;
pub(crate) mod compose;
mod content;
mod data;
mod draw;
mod encoder_op;
mod error;
mod examples;
mod given;
mod kernels;
mod layer;
mod linear;
mod loss;
mod narrow;
mod network;
mod optimizer;
mod page;
mod parameters;
mod run;
mod settings;
mod soup;
mod state;
mod student;
mod teacher;
#[cfg(test)]
mod tests;
mod threads;
mod trainer;

pub use boost::TreeSettings;
pub use comments::{LeftOut, read_comments, train_comments};
pub use content::{HeldOut, THRESHOLDS, read_marked, train_content};
pub use data::{LabelledRow, ReadRows, labels_of, read_labelled, read_texts, read_weak};
pub use draw::{draw_texts, pages};
pub use error::TrainError;
pub use given::{GivenLabels, GivenScores, give_scores, read_labels, read_scores, take_labels};
pub use run::{TrainData, TrainReport, TrainTarget, train};
pub use settings::TrainSettings;
pub use soup::soup;
pub use student::{StudentSettings, student, student_training};
pub use teacher::teach;
pub use trainer::Progress;
