//! Model folders, the embedded model, and classification of texts.
//!
//! A model is a folder in the layout of Hugging Face's `BertForSequenceClassification`, so that the ecosystem's
//! tools read it, plus one file of our own:
//!
//! | file | holds |
//! |---|---|
//! | `config.json` | sizes of the encoder, `id2label` |
//! | `tokenizer.json` | vocabulary and normalisation |
//! | `model.safetensors` | weights, see [`Checkpoint`] for names and types |
//! | `copydesk.json` | [`Settings`]; a folder without it gets the defaults |
//!
//! [`Checkpoint`] is what such a folder says, [`Classifier`] what answers for texts, [`Session`] one thread's use of
//! it. Everything in a folder is treated as hostile: whatever the bytes are, loading ends in a value or in a
//! [`ModelError`], and allocates in proportion to the files' size.

mod checkpoint;
mod classifier;
mod embedded;
mod error;
#[cfg(test)]
pub(crate) mod fixture;
mod head;
#[cfg(feature = "hub")]
pub mod hub;
mod layout;
pub(crate) mod page;
mod save;
mod settings;
mod tensors;
mod windows;

pub use checkpoint::{Checkpoint, ModelFiles};
pub use classifier::{Classifier, MICRO_BATCH_TOKENS, Page, Prediction, Session};
pub use error::ModelError;
pub use head::Head;
pub use page::{PageConfig, PageWeights};
pub use save::Storage;
pub use settings::{OperatingPoint, Pooling, Producer, Settings};
