//! What got no label, and why.

use crate::corpus::{Failure, InputError, RecordLine};
use crate::model::ModelError;
use std::fmt;
use std::sync::Arc;

/// An input, a record or a paragraph that got no label.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rejected {
    /// Name of the source: the path as given, or `-`.
    pub source: Arc<str>,
    /// Line of the source, from 1; `None` where all of the source is meant, or a paragraph of it.
    pub line: Option<u64>,
    /// Number of the paragraph in its document, from 0; `None` where all of the document is meant.
    pub paragraph: Option<u64>,
    /// What is wrong.
    pub reason: LabelError,
    /// The record as it stands in its source, where it could be read as text.
    pub record: Option<String>,
}

/// Why something got no label.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabelError {
    /// It could not be read, or holds nothing to label.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The model failed on it.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl Rejected {
    /// A source or a line that could not be read.
    pub(crate) fn input(source: &Arc<str>, line: Option<u64>, error: InputError) -> Rejected {
        let source = Arc::clone(source);
        Rejected { source, line, paragraph: None, reason: error.into(), record: None }
    }

    /// A record that could not be used.
    pub(crate) fn record(line: &RecordLine, reason: impl Into<LabelError>) -> Rejected {
        Rejected {
            source: Arc::clone(&line.source),
            line: Some(line.line),
            paragraph: None,
            reason: reason.into(),
            record: Some(line.text.clone()),
        }
    }

    /// The kind of the reason, the same for all that lack the same: a short name for counting.
    pub fn kind(&self) -> &'static str {
        match &self.reason {
            LabelError::Input(error) => error.kind(),
            LabelError::Model(_) => "model_failed",
        }
    }
}

impl From<Failure> for Rejected {
    fn from(failure: Failure) -> Rejected {
        Rejected::input(&failure.source, failure.line, failure.error)
    }
}

impl fmt::Display for Rejected {
    /// Source, line and paragraph before the reason: `rows.jsonl:7: no field `text``.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.source)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(paragraph) = self.paragraph {
            write!(f, ": paragraph {paragraph}")?;
        }
        write!(f, ": {}", self.reason)
    }
}
