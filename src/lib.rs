//! Tells, for every paragraph of a text, what it is doing there: one of the labels of a model. Those of the built-in models
//! are `reporting`, `opinion`, `comment_spam`, `quotation`, and `other` for page furniture ([`LabelSet::copydesk`]).
//!
//! The layers import one way, from the top of this list to its bottom never upwards:
//!
//! | module | holds |
//! |---|---|
//! | [`label`], [`random`], [`noise`] | label and score types; seeded random numbers; copies of a text that look different |
//! | [`text`] | splitting a text into paragraphs |
//! | [`tokenizer`] | WordPiece: text to token ids |
//! | [`engine`] | kernels and the encoder's forward pass; with the trainer's kernels the only place with `unsafe` |
//! | [`model`] | model folders, the embedded models, windows, probabilities, cascades of two models |
//! | [`corpus`], [`eval`], `train` | reading inputs in order, metrics, training (feature `train`) |
//! | [`report`] | output rows and human-readable tables |
//! | [`cli`] | arguments → plan → execution |

#![warn(missing_docs)]

mod atomic;
pub mod cli;
pub mod corpus;
pub mod engine;
pub mod eval;
pub mod label;
pub mod model;
pub mod noise;
mod page;
mod parallel;
pub mod pipeline;
pub mod random;
pub mod report;
pub mod text;
pub mod tokenizer;
#[cfg(feature = "train")]
pub mod train;

/// What the benchmarks of this package measure one by one. No part of the interface: it changes without notice.
#[doc(hidden)]
pub mod internals {
    pub use crate::engine::ceiling::operations_per_second;
    pub use crate::engine::kernels::gemm_f32::PackedF32;
    pub use crate::engine::kernels::gemm_i8::PackedI8;
    pub use crate::engine::kernels::isa::Dispatched;
    pub use crate::engine::kernels::linear::{Finish, LinearF32, LinearI8};
    pub use crate::engine::kernels::rows::RowScale;
    pub use crate::engine::kernels::{LANES, Lanes, Simd, dispatch, flatten};
}

pub use corpus::{InputError, InputFormat, Unit};
pub use label::{Label, LabelId, LabelSet, Scores};
pub use model::ModelError;
pub use page::PageKey;
pub use pipeline::{
    Copydesk, CopydeskBuilder, LabelError, LabelledParagraph, LabelledText, Rejected, Row, RowOptions, Rows,
};
pub use text::Paragraphs;

/// What lies below the labels: models, sessions, logits, vectors, tokens.
pub mod advanced {
    pub use crate::engine::{Encoder, EncoderConfig, InstructionSet, Precision};
    pub use crate::model::{
        Cascade, Checkpoint, Classifier, Model, ModelSession, PageText, Prediction, Reading, Session,
    };
    pub use crate::tokenizer::Tokenizer;
}

/// The README's Rust example, compiled and run with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
