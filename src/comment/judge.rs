//! From what is known of a comment to a score and a reason.

use super::Comment;
use crate::label::{LabelId, Scores};

/// What is said of a comment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Judgement {
    /// Whether it counts as spam under the threshold asked for.
    pub spam: bool,
    /// The probability that it is spam, 0 to 1.
    pub score: f32,
    /// What speaks most for the answer, in a few words.
    pub reason: String,
    /// What the text alone says: the text model's probability of spam, 0 to 1.
    pub text_score: f32,
    /// ISO 639-1 code of its language, where it can be told.
    pub lang: Option<&'static str>,
}

/// Something known from elsewhere that speaks for or against spam: copies in the batch, or what a site's owner decided before.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Added to the logarithm of the odds of spam; above 0 it speaks for spam.
    pub log_odds: f32,
    /// In a few words.
    pub reason: String,
}

/// Says of comments whether they are spam.
#[derive(Clone, Debug)]
pub struct CommentModel;

impl CommentModel {
    /// The model that is compiled into the library.
    pub fn embedded() -> &'static CommentModel {
        &CommentModel
    }

    /// The probability of spam and what speaks most for the answer; `scores` are the text model's, `spam` its label of spam.
    pub fn judge(&self, _comment: &Comment, scores: &Scores, spam: LabelId) -> (f32, String) {
        (scores.get(spam), "what it says".to_owned())
    }

    /// The score from which a comment is spam so that about this share of genuine ones is lost: 0.001, 0.005 or 0.01.
    pub fn threshold(&self, lose: f64) -> Option<f32> {
        [(0.001, 0.96), (0.005, 0.856), (0.01, 0.766)].into_iter().find(|point| point.0 == lose).map(|point| point.1)
    }
}
