//! The model's judgement with the owner's decisions put to it.

use super::{FeedbackError, FeedbackStore};
use crate::comment::{Comment, Judgement};
use crate::pipeline::{CommentFilter, weighed};

/// Evidence that weighs less leaves the model's reason in its place: it moves a score of 0.5 to 0.7.
const TELLING: f32 = 0.85;

impl FeedbackStore {
    /// A filter's judgement after the shift that was accepted last and with what earlier decisions say of the comment.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn review(
        &self,
        filter: &CommentFilter,
        comment: &Comment,
        mut judgement: Judgement,
    ) -> Result<Judgement, FeedbackError> {
        let shift = self.shift()?;
        if let Some(shift) = shift {
            judgement.score = shift.adjust(judgement.score);
            judgement.spam = judgement.score >= shift.threshold;
        }
        let Some(evidence) = self.evidence(comment)? else { return Ok(judgement) };
        judgement.score = weighed(judgement.score, &evidence);
        judgement.spam = judgement.score >= shift.map_or(filter.spam_threshold(), |shift| shift.threshold);
        // A reason that contradicts the answer, or hardly bears on it, would only confuse.
        if evidence.log_odds.abs() >= TELLING && judgement.spam == (evidence.log_odds > 0.0) {
            judgement.reason = evidence.reason;
        }
        Ok(judgement)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Fixture, LONG, comment, judgement};
    use super::*;
    use crate::pipeline::Copydesk;

    fn filter() -> CommentFilter {
        CommentFilter::new(Copydesk::builder().model("fast")).unwrap()
    }

    #[test]
    fn the_owners_word_turns_any_score() {
        let (fixture, filter) = (Fixture::new(), filter());
        let comment = Comment::new(LONG);
        fixture.decide(&comment, false);
        let reviewed = fixture.store.review(&filter, &comment, judgement(true, 1.0)).unwrap();
        assert!(!reviewed.spam && reviewed.reason == "you marked the same text as not spam", "{reviewed:?}");
        fixture.decide(&comment, true);
        let reviewed = fixture.store.review(&filter, &comment, judgement(false, 0.0)).unwrap();
        assert!(reviewed.spam && reviewed.reason == "you marked the same text as spam", "{reviewed:?}");
    }

    #[test]
    fn what_says_nothing_changes_nothing_and_little_keeps_the_models_reason() {
        let (fixture, filter) = (Fixture::new(), filter());
        let given = judgement(false, 0.5);
        assert_eq!(fixture.store.review(&filter, &Comment::new(LONG), given.clone()).unwrap(), given);
        fixture.decide(&comment("Note one", "Jo", "post.example", ""), true);
        let reviewed = fixture.store.review(&filter, &comment("Note two", "Jo", "post.example", ""), given).unwrap();
        assert!((0.6..0.7).contains(&reviewed.score) && reviewed.reason == "what it says", "{reviewed:?}");
    }
}
