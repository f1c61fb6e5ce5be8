//! What can go wrong with a store.

use std::path::PathBuf;

/// Why a store cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedbackError {
    /// The file is no database, or a damaged one.
    #[error(
        "{} is no feedback store or is damaged ({found}); it was left as it is. Name another file, or put a copy back in its place",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the database says.
        found: String,
    },
    /// A database that another program wrote.
    #[error("{} is the database of another program; it was left as it is. Name another file", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A store that a newer copydesk wrote.
    #[error(
        "{} has version {got}, and this copydesk reads up to version {expected}; it was left as it is. Use a newer copydesk",
        path.display()
    )]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// The newest version that is known here.
        expected: i64,
        /// The version of the file.
        got: i64,
    },
    /// The file cannot be opened or made.
    #[error("{} cannot be opened: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Feedback about a verdict that is not kept, or not any more.
    #[error("verdict {id} is not kept; send the comment itself with the feedback")]
    UnknownVerdict {
        /// The verdict's id.
        id: i64,
    },
    /// Feedback about a comment without a text.
    #[error("the comment has no text, so nothing can be learned from it; send its text")]
    NoText,
    /// A decision on a comment is there, but the database cannot be read or written.
    #[error("the feedback store failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// What was exported cannot be written.
    #[error("feedback cannot be written: {0}")]
    Write(std::io::Error),
}
