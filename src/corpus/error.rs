//! What can be wrong with an input.

use crate::label::UnknownLabel;
use std::fmt;
use std::sync::Arc;

/// Why a source, a record or a line cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file cannot be opened or read, or a folder cannot be listed.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] std::io::Error),
    /// The path is neither a file nor a folder.
    #[error("is neither a file nor a folder")]
    NotAFile,
    /// The folder lies inside itself by way of a link.
    #[error("leads back to a folder that it lies in")]
    LinkLoop,
    /// The source begins with what no text has.
    #[error("is not text: byte {offset} is zero")]
    NotText {
        /// Byte offset from the start of the source.
        offset: usize,
    },
    /// A line is not UTF-8.
    #[error("invalid UTF-8 at byte {byte} of the line")]
    InvalidUtf8 {
        /// First offending byte, from 1.
        byte: usize,
    },
    /// A line is longer than can be held in memory.
    #[error("line longer than {limit_bytes} bytes")]
    LineTooLong {
        /// Greatest length, [`LINE_LIMIT_BYTES`](super::LINE_LIMIT_BYTES).
        limit_bytes: usize,
    },
    /// The line is no JSON.
    #[error("invalid JSON: {0}")]
    InvalidJson(String),
    /// The line is JSON, but no object.
    #[error("expected a JSON object, got {got}")]
    NotAnObject {
        /// Kind of the value.
        got: &'static str,
    },
    /// The record lacks a field.
    #[error("no field `{field}`")]
    MissingField {
        /// Name of the field.
        field: String,
    },
    /// A field that must hold a text holds something else.
    #[error("field `{field}` must be a string, got {got}")]
    FieldNotString {
        /// Name of the field.
        field: String,
        /// Kind of the value.
        got: &'static str,
    },
    /// The string cannot be decoded: an escaped surrogate stands alone.
    #[error("field `{field}` cannot be decoded: {message}")]
    UndecodableField {
        /// Name of the field.
        field: String,
        /// The decoder's words.
        message: String,
    },
    /// There is nothing in the text that could be labelled.
    #[error("the text is blank")]
    BlankText,
    /// The gold label is none of the model's.
    #[error(transparent)]
    UnknownLabel(#[from] UnknownLabel),
}

/// An input that was set aside, and where it stands.
#[derive(Debug)]
pub struct Failure {
    /// Name of the source, as given on the command line.
    pub source: Arc<str>,
    /// Line in the source, from 1; `None` if the whole source is meant.
    pub line: Option<u64>,
    /// What is wrong.
    pub error: InputError,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.source, self.error),
            None => write!(f, "{}: {}", self.source, self.error),
        }
    }
}
