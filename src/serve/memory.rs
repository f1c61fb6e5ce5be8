//! What a server remembers between requests: an interface, and the memory of a server that keeps nothing.

use crate::comment::{Comment, Judgement};
use crate::feedback::{DayCounts, Feedback, FeedbackError, FeedbackStore, Verdict};
use crate::pipeline::CommentFilter;
use std::error::Error;

/// What a server remembers: verdicts that it gave, and what the owners of sites said of them.
///
/// [`Memory::review`] and [`Memory::remember`] are called in the threads that judge, all others in threads that may wait
/// for a disk.
pub trait Memory: Send + Sync {
    /// The filter's judgement with what earlier decisions say of the comment.
    ///
    /// # Errors
    /// Whatever the storage says. The comment then gets the verdict that it would get without a memory.
    fn review(&self, filter: &CommentFilter, comment: &Comment, judgement: Judgement)
    -> Result<Judgement, MemoryError>;

    /// Keeps a verdict; gives the id under which it was kept. `source` names the key that asked, `time` is in seconds since
    /// 1970-01-01.
    ///
    /// # Errors
    /// Whatever the storage says. The verdict is given all the same.
    fn remember(
        &self,
        comment: &Comment,
        judgement: &Judgement,
        source: &str,
        time: i64,
    ) -> Result<Option<i64>, MemoryError>;

    /// Stores what an owner says of a comment. When it returns, the decision lasts. Gives whether it was stored: a memory that keeps
    /// nothing says no.
    ///
    /// # Errors
    /// Whatever the storage says; the request then fails, so that the client asks again.
    fn record(&self, feedback: &Feedback) -> Result<bool, MemoryError>;

    /// The newest verdicts that were given to a key, the last given first; `None` where none are kept.
    ///
    /// # Errors
    /// Whatever the storage says.
    fn verdicts(&self, source: &str, limit: usize) -> Result<Option<Vec<Verdict>>, MemoryError>;

    /// Counts of the newest days on which something was counted, the oldest first; `None` where nothing is.
    ///
    /// # Errors
    /// Whatever the storage says.
    fn counts(&self, days: usize) -> Result<Option<Vec<DayCounts>>, MemoryError>;

    /// Writes what waits to be written; called before the server ends.
    ///
    /// # Errors
    /// Whatever the storage says.
    fn flush(&self) -> Result<(), MemoryError> {
        Ok(())
    }
}

/// Why a memory could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// The comment has no text that could be known again.
    #[error("the comment has no text")]
    NoText,
    /// No verdict of this id is kept, or it was given to another key.
    #[error("no verdict of this id is kept; send the comment itself")]
    UnknownVerdict,
    /// The storage failed.
    #[error(transparent)]
    Failed(Box<dyn Error + Send + Sync>),
}

impl From<FeedbackError> for MemoryError {
    fn from(error: FeedbackError) -> MemoryError {
        match error {
            FeedbackError::NoText => MemoryError::NoText,
            FeedbackError::UnknownVerdict { .. } => MemoryError::UnknownVerdict,
            other => MemoryError::Failed(Box::new(other)),
        }
    }
}

impl Memory for FeedbackStore {
    fn review(
        &self,
        filter: &CommentFilter,
        comment: &Comment,
        judgement: Judgement,
    ) -> Result<Judgement, MemoryError> {
        Ok(FeedbackStore::review(self, filter, comment, judgement)?)
    }

    fn remember(
        &self,
        comment: &Comment,
        judgement: &Judgement,
        source: &str,
        time: i64,
    ) -> Result<Option<i64>, MemoryError> {
        Ok(FeedbackStore::remember(self, comment, judgement, source, time)?)
    }

    fn record(&self, feedback: &Feedback) -> Result<bool, MemoryError> {
        FeedbackStore::record(self, feedback)?;
        Ok(true)
    }

    fn verdicts(&self, source: &str, limit: usize) -> Result<Option<Vec<Verdict>>, MemoryError> {
        let kept = self.keeps_verdicts().then(|| FeedbackStore::verdicts(self, source, limit));
        Ok(kept.transpose()?)
    }

    fn counts(&self, days: usize) -> Result<Option<Vec<DayCounts>>, MemoryError> {
        Ok(Some(FeedbackStore::counts(self, days)?))
    }

    fn flush(&self) -> Result<(), MemoryError> {
        Ok(FeedbackStore::flush(self)?)
    }
}

/// Remembers nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMemory;

impl Memory for NoMemory {
    fn review(&self, _: &CommentFilter, _: &Comment, judgement: Judgement) -> Result<Judgement, MemoryError> {
        Ok(judgement)
    }

    fn remember(&self, _: &Comment, _: &Judgement, _: &str, _: i64) -> Result<Option<i64>, MemoryError> {
        Ok(None)
    }

    fn record(&self, _: &Feedback) -> Result<bool, MemoryError> {
        Ok(false)
    }

    fn verdicts(&self, _: &str, _: usize) -> Result<Option<Vec<Verdict>>, MemoryError> {
        Ok(None)
    }

    fn counts(&self, _: usize) -> Result<Option<Vec<DayCounts>>, MemoryError> {
        Ok(None)
    }
}
