//! Tells, for every paragraph of a text, what it is doing there: reporting, opinion, comment spam, quotation, or other page
//! furniture. Models of your own have labels of your own.
//!
//! [`Copydesk`] opens a model and labels texts, records, pages of records, and whole inputs row by row:
//!
//! ```
//! use copydesk::Copydesk;
//!
//! let desk = Copydesk::builder().model("fast").threads(2).build()?;
//! let page = "The council voted 7 to 2 on Monday.\n\nFinally! About time they listened to us.";
//! for paragraph in desk.label(page)? {
//!     println!("{} {:.2} {:?}", paragraph.label, paragraph.confidence, paragraph.span);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`text`] splits texts into paragraphs without labelling them. [`advanced`] has what lies below: models, sessions, logits,
//! vectors, tokens.
//!
//! In a debug build of your own package the kernels are not optimised and a page takes minutes. Two lines in its `Cargo.toml`
//! change that:
//!
//! ```toml
//! [profile.dev.package.copydesk]
//! opt-level = 3
//! ```
//!
//! The layers of the code and the rule by which they import each other stand in `docs/ARCHITECTURE.md`.

#![warn(missing_docs)]
#![allow(
    rustdoc::private_intra_doc_links,
    reason = "what the public cannot see is documented for those who work on it"
)]

mod atomic;
#[doc(hidden)]
pub mod cli;
mod comment;
mod compress;
mod corpus;
mod engine;
mod eval;
mod explain;
#[cfg(feature = "serve")]
mod feedback;
mod fnv;
mod forest;
mod html;
mod label;
mod model;
mod noise;
mod output;
mod page;
mod parallel;
mod pipeline;
mod query;
mod random;
mod report;
#[cfg(feature = "serve")]
#[doc(hidden)]
pub mod serve;
pub mod text;
mod tokenizer;
#[cfg(feature = "train")]
mod train;

pub use comment::{Comment, Evidence, Judgement};
pub use corpus::{ArchiveError, ForeignFormat, InputError, InputFormat, Unit};
pub use explain::{Explanation, NeighbourWeight, WordWeight};
#[cfg(feature = "serve")]
pub use feedback::{
    Adaptation, AdaptationFigures, DayCounts, Feedback, FeedbackError, FeedbackStore, Refusal, Shift, Subject, Verdict,
};
pub use html::html_content;
pub use label::{Label, LabelId, LabelSet, LabelSetError, Scores, UnknownLabel};
pub use model::{HubError, ModelError};
pub use page::{PageKey, Region, UnknownRegion};
pub use pipeline::{
    CommentFilter, Copydesk, CopydeskBuilder, LabelError, LabelledBlock, LabelledParagraph, LabelledText, Rejected,
    Row, RowOptions, Rows,
};
pub use text::Paragraphs;

/// What lies below the labels: models, sessions, logits, vectors, tokens.
///
/// A [`Model`](advanced::Model) is opened by name and shared; each thread reads texts through a
/// [`ModelSession`](advanced::ModelSession) of its own. These types follow the models more closely than the rest of the
/// library and change more often.
pub mod advanced {
    pub use crate::engine::{EngineError, InstructionSet, Precision};
    pub use crate::model::{Model, ModelSession, OperatingPoint, PageText, Prediction, Reading, Role, Roles};
    pub use crate::tokenizer::{Tokenizer, TokenizerError};
}

/// What the tests and the benchmarks of this package build and measure one by one. No part of the interface: it changes
/// without notice.
#[doc(hidden)]
pub mod internals {
    pub use crate::cli::bench::sample_texts;
    pub use crate::corpus::probe::{Probe, SHOWN_BROKEN};
    pub use crate::engine::ceiling::operations_per_second;
    pub use crate::engine::kernels::gemm_f32::PackedF32;
    pub use crate::engine::kernels::gemm_i8::PackedI8;
    pub use crate::engine::kernels::isa::Dispatched;
    pub use crate::engine::kernels::linear::{Finish, LinearF32, LinearI8};
    pub use crate::engine::kernels::rows::RowScale;
    pub use crate::engine::kernels::{LANES, Lanes, Simd, dispatch, flatten};
    pub use crate::engine::{Activation, Encoder, Linear, Matrix};
    pub use crate::model::probe::try_model;
    pub use crate::model::{
        CascadeSettings, Checkpoint, Classifier, Head, MICRO_BATCH_TOKENS, Member, ModelSource, Pooler, Storage,
    };
    pub use crate::query::probe::try_expression;
}

/// The README's Rust example, compiled and run with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
