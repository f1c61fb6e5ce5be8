//! Tells, for every paragraph of a text, what it is doing there: [`Label::Reporting`], [`Label::Opinion`],
//! [`Label::CommentSpam`], [`Label::Quotation`], or [`Label::Other`] for page furniture that is none of the four.
//!
//! The layers import one way, from the top of this list to its bottom never upwards:
//!
//! | module | holds |
//! |---|---|
//! | [`label`], [`text`] | label and score types; splitting a text into paragraphs |
//! | `atomic` | files that appear whole or not at all |
//! | [`tokenizer`] | WordPiece: text to token ids |
//! | [`engine`] | kernels and the encoder's forward pass; with the trainer's kernels the only place with `unsafe` |
//! | [`model`] | model folders, the embedded models, windows, probabilities, cascades of two models |
//! | [`corpus`], [`eval`], `train` | reading inputs in order, metrics, training (feature `train`) |
//! | [`report`] | output rows and human-readable tables |
//! | [`cli`] | arguments → plan → execution |

#![deny(unsafe_code)]
#![warn(missing_docs)]

mod atomic;
pub mod cli;
pub mod corpus;
pub mod engine;
pub mod eval;
pub mod label;
pub mod model;
pub mod report;
pub mod text;
pub mod tokenizer;
#[cfg(feature = "train")]
pub mod train;

pub use label::{Label, Scores};

/// The README's Rust example, compiled and run with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
