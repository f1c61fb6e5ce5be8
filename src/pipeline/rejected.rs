//! What got no label, and why.

use crate::corpus::{Failure, InputError, RecordLine, write_place};
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
    /// Number of the record in the source, from 1, where the line does not tell it: in an array, or beside others on the line.
    pub record: Option<u64>,
    /// Number of the paragraph in its document, from 0; `None` where all of the document is meant.
    pub paragraph: Option<u64>,
    /// What is wrong.
    pub reason: LabelError,
    /// The record as it stands in its source, where it could be read as text.
    pub input: Option<String>,
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
    /// The work was ended before its turn; see [`Copydesk::stopped_by`](crate::Copydesk::stopped_by).
    #[error("the work was ended before this was labelled")]
    Stopped,
}

impl Rejected {
    /// A source, or a part of it that is no record.
    pub(crate) fn source(source: &Arc<str>, reason: impl Into<LabelError>) -> Rejected {
        let (source, reason) = (Arc::clone(source), reason.into());
        Rejected { source, line: None, record: None, paragraph: None, reason, input: None }
    }

    /// A record that could not be used.
    pub(crate) fn record(line: &RecordLine, reason: impl Into<LabelError>) -> Rejected {
        Rejected {
            line: Some(line.line),
            record: line.record,
            input: Some(line.text.clone()),
            ..Rejected::source(&line.source, reason)
        }
    }

    /// The kind of the reason, the same for all that lack the same: a short name for counting.
    pub fn kind(&self) -> &'static str {
        match &self.reason {
            LabelError::Input(error) => error.kind(),
            LabelError::Model(_) => "model_failed",
            LabelError::Stopped => "stopped",
        }
    }

    /// The reason in words, with what to do about it where the source is of a format that is not read.
    pub fn explanation(&self) -> String {
        match &self.reason {
            LabelError::Input(error) => error.explanation(&self.source),
            LabelError::Model(error) => error.to_string(),
            LabelError::Stopped => self.reason.to_string(),
        }
    }
}

impl From<Failure> for Rejected {
    fn from(failure: Failure) -> Rejected {
        let Failure { source, line, record, error } = failure;
        Rejected { line, record, ..Rejected::source(&source, error) }
    }
}

impl fmt::Display for Rejected {
    /// Source, line, record and paragraph before the reason: `rows.jsonl:7: no field `text``.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, &self.source, self.line, self.record)?;
        if let Some(paragraph) = self.paragraph {
            write!(f, ": paragraph {paragraph}")?;
        }
        write!(f, ": {}", self.explanation())
    }
}
