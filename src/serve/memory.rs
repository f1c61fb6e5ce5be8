//! What a server remembers between requests: an interface, and the memory of a server that keeps nothing.

use crate::comment::{Comment, Evidence, Judgement};
use std::error::Error;

/// What a server remembers: verdicts that it gave, and what the owners of sites said of them.
///
/// [`Memory::evidence`] and [`Memory::remember`] are called in the threads that judge, [`Memory::record`] in a thread that may wait
/// for a disk.
pub trait Memory: Send + Sync {
    /// What earlier decisions say of a comment; `None` where they say nothing.
    ///
    /// # Errors
    /// Whatever the storage says. The comment then gets the verdict that it would get without a memory.
    fn evidence(&self, comment: &Comment) -> Result<Option<Evidence>, MemoryError>;

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
    fn record(&self, comment: &Comment, spam: bool, source: &str, time: i64) -> Result<bool, MemoryError>;

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
    /// The storage failed.
    #[error(transparent)]
    Failed(Box<dyn Error + Send + Sync>),
}

/// Remembers nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMemory;

impl Memory for NoMemory {
    fn evidence(&self, _: &Comment) -> Result<Option<Evidence>, MemoryError> {
        Ok(None)
    }

    fn remember(&self, _: &Comment, _: &Judgement, _: &str, _: i64) -> Result<Option<i64>, MemoryError> {
        Ok(None)
    }

    fn record(&self, _: &Comment, _: bool, _: &str, _: i64) -> Result<bool, MemoryError> {
        Ok(false)
    }
}
