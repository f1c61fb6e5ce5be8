//! Expressions that choose rows: `label == "opinion" and confidence > 0.9`.
//!
//! An [`Expression`] is parsed once and asked of each row, which shows itself as [`Fields`]. Evaluation copies no text. The
//! language is described in `docs/query.md`.

#![forbid(unsafe_code)]

mod error;
mod expression;
mod lexer;
mod names;
mod parser;
pub mod probe;
mod value;

pub use error::QueryError;
pub use expression::Expression;
pub(crate) use names::ROW_FIELDS;
pub use value::{Fields, Value};
