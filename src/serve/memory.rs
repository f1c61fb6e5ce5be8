//! What a server remembers between requests: in a store, or nothing.

use crate::comment::{Comment, Judgement};
use crate::feedback::{DayCounts, Feedback, FeedbackError, FeedbackStore, Verdict};
use crate::pipeline::CommentFilter;

/// Verdicts that were given, and what the owners of sites said of them; nothing where there is no store.
///
/// [`Memory::review`] and [`Memory::remember`] are called in the threads that judge, all others in threads that may wait
/// for a disk. Errors are those of the store.
#[derive(Debug, Default)]
pub struct Memory(Option<FeedbackStore>);

impl Memory {
    /// A memory that keeps everything in a store, if there is one.
    pub fn new(store: Option<FeedbackStore>) -> Memory {
        Memory(store)
    }

    /// The filter's judgement with what earlier decisions say of the comment.
    pub(super) fn review(
        &self,
        filter: &CommentFilter,
        comment: &Comment,
        judgement: Judgement,
    ) -> Result<Judgement, FeedbackError> {
        match &self.0 {
            Some(store) => store.review(filter, comment, judgement),
            None => Ok(judgement),
        }
    }

    /// Keeps a verdict; gives the id under which it was kept. `source` names the key that asked, `time` is in seconds since
    /// 1970-01-01.
    pub(super) fn remember(
        &self,
        comment: &Comment,
        judgement: &Judgement,
        source: &str,
        time: i64,
    ) -> Result<Option<i64>, FeedbackError> {
        self.0.as_ref().map_or(Ok(None), |store| store.remember(comment, judgement, source, time))
    }

    /// Stores what an owner says of a comment. When it returns, the decision lasts. Gives whether it was stored.
    pub(super) fn record(&self, feedback: &Feedback) -> Result<bool, FeedbackError> {
        self.0.as_ref().map_or(Ok(false), |store| store.record(feedback).map(|()| true))
    }

    /// The newest verdicts that were given to a key, the last given first; `None` where none are kept.
    pub(super) fn verdicts(&self, source: &str, limit: usize) -> Result<Option<Vec<Verdict>>, FeedbackError> {
        let store = self.0.as_ref().filter(|store| store.keeps_verdicts());
        store.map(|store| store.verdicts(source, limit)).transpose()
    }

    /// Counts of the newest days on which something was counted, the oldest first; `None` where nothing is.
    pub(super) fn counts(&self, days: usize) -> Result<Option<Vec<DayCounts>>, FeedbackError> {
        self.0.as_ref().map(|store| store.counts(days)).transpose()
    }

    /// Writes what waits to be written; called before the server ends.
    pub(super) fn flush(&self) -> Result<(), FeedbackError> {
        self.0.as_ref().map_or(Ok(()), FeedbackStore::flush)
    }
}
