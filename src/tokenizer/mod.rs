//! Tokenisation: text to token ids.
//!
//! Reads the `tokenizer.json` of a BERT model (WordPiece over BERT's normaliser and word splitter) with code of its own, and with the
//! feature `architectures` those of other encoders by the crate `tokenizers`. Three things in
//! that file never take part in encoding: truncation and padding, because long texts are cut into windows and
//! sequences are packed without padding; and special tokens, because `[SEP]` in somebody's comment is five
//! characters of text and must not end a sequence.

#![forbid(unsafe_code)]

mod any;
mod characters;
mod file;
#[cfg(feature = "architectures")]
mod foreign;
mod special;
mod vocabulary;
mod wordpiece;

#[cfg(test)]
mod reference;

pub use any::Tokenizer;
use wordpiece::WordPiece;

use std::path::PathBuf;

/// Why a tokenizer could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// The file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file as it was given.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The bytes are no `tokenizer.json`, or its parts do not fit together.
    #[error("not a tokenizer.json that can be read: {reason}")]
    Corrupt {
        /// What the parser stumbled over.
        reason: String,
    },
    /// A part of the tokenizer that this crate does not implement.
    #[error("unsupported tokenizer: expected {expected} as `{field}`, got {got}")]
    Unsupported {
        /// Path of the field in `tokenizer.json`.
        field: &'static str,
        /// What would have been read.
        expected: String,
        /// What stands there.
        got: String,
    },
    /// A kind of tokenizer that this build leaves out.
    #[error("a tokenizer of the kind {got} needs a build with the feature {feature}")]
    NeedsFeature {
        /// The kind.
        got: String,
        /// The feature that reads it.
        feature: &'static str,
    },
    /// The vocabulary lacks a token that every sequence or every unknown word needs.
    #[error("the vocabulary has no `{token}`")]
    MissingSpecialToken {
        /// The token looked for.
        token: String,
    },
}

/// The first characters of what stands in a file, for a message.
fn excerpt(text: &str) -> String {
    const MOST: usize = 80;
    let shown: String = text.chars().take(MOST).collect();
    if shown.len() < text.len() { format!("{shown}…") } else { shown }
}
