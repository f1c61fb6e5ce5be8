//! What is said of a comment, and what follows from it.

use super::copies::Copies;
use crate::comment::{Comment, CommentModel};
use crate::label::LabelId;
use crate::pipeline::{CommentFields, Labelled, Part, weighed};
use std::sync::Arc;

/// Says of comments how probable it is that they are spam.
#[derive(Clone)]
pub(super) struct Judge {
    pub fields: CommentFields,
    /// The text model's label of spam.
    pub spam: LabelId,
    /// What puts the text's scores together with what else is known; `None` where the text alone decides.
    pub comments: Option<&'static CommentModel>,
    /// Texts that come several times.
    pub copies: Option<Arc<Copies>>,
}

/// The scores at which comments go one way or another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cuts {
    /// Spam from here on.
    pub spam: f32,
    /// To be looked at from here up to that; none where nobody looks.
    pub review: Option<f32>,
}

/// Where a comment goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Ham,
    Review,
    Spam,
}

impl Cuts {
    /// Where a comment of this score goes.
    pub fn side(self, score: f32) -> Side {
        match self.review {
            _ if score >= self.spam => Side::Spam,
            Some(from) if score >= from => Side::Review,
            _ => Side::Ham,
        }
    }
}

impl Judge {
    /// The probability of spam and what speaks most for the answer.
    pub fn judge(&self, labelled: &Labelled<'_>) -> (f32, String) {
        let (score, reason) = self.alone(labelled);
        match self.copies.as_ref().and_then(|copies| copies.evidence(labelled.text)) {
            Some(evidence) => (weighed(score, &evidence), evidence.reason),
            None => (score, reason),
        }
    }

    /// The same whatever else there is among the inputs.
    pub fn alone(&self, labelled: &Labelled<'_>) -> (f32, String) {
        let scores = &labelled.prediction.scores;
        let Some(model) = self.comments else { return (scores.get(self.spam), TEXT_ALONE.to_owned()) };
        let comment = match labelled.part {
            Part::Record { record, .. } => record.object.as_ref().map(|object| self.fields.comment(object)),
            Part::Passage(_) => None,
        };
        model.judge(&comment.unwrap_or_else(|| Comment::new(labelled.text)), scores, self.spam)
    }
}

/// The reason where the text alone decides.
const TEXT_ALONE: &str = "what it says";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_band_to_look_at_ends_where_spam_begins() {
        let cuts = Cuts { spam: 0.8, review: Some(0.5) };
        let sides = [0.49, 0.5, 0.79, 0.8].map(|score| cuts.side(score));
        assert_eq!(sides, [Side::Ham, Side::Review, Side::Review, Side::Spam]);
        assert_eq!(Cuts { review: None, ..cuts }.side(0.79), Side::Ham);
    }
}
