//! Comments in, judgements out.

use super::comment_fields::CommentFields;
use super::desk::Copydesk;
use super::rejected::LabelError;
use crate::comment::{Comment, CommentModel, Evidence, Judgement};
use crate::corpus::{InputError, Record};
use crate::label::LabelId;
use crate::model::{ModelError, Role};

/// The share of genuine comments that may be lost where nothing else is asked for.
pub(crate) const DEFAULT_LOSE: f64 = 0.005;

/// Tells spam from genuine comments by all that is known of them.
///
/// Cheap to clone, and shared between threads.
///
/// ```
/// use copydesk::{Comment, CommentFilter};
///
/// let filter = CommentFilter::new(copydesk::Copydesk::builder().model("fast"))?;
/// let comments = [Comment::new("Agreed. Our council did the same."), Comment::new("200 free spins! luckyharbour.example")];
/// for judgement in filter.judge(&comments) {
///     let judgement = judgement?;
///     println!("{} {:.3} {}", judgement.spam, judgement.score, judgement.reason);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CommentFilter {
    desk: Copydesk,
    spam: LabelId,
    threshold: f32,
}

impl CommentFilter {
    /// Opens the text model. Texts in all languages are judged, all as comments.
    ///
    /// # Errors
    /// Whatever is wrong with the model; [`ModelError::NoRole`] where it has no label for spam.
    pub fn new(desk: super::CopydeskBuilder) -> Result<CommentFilter, ModelError> {
        CommentFilter::over(&desk.build()?)
    }

    /// The same with the model and the threads of a desk that is there.
    ///
    /// # Errors
    /// [`ModelError::NoRole`] where the model has no label for spam.
    pub fn over(desk: &Copydesk) -> Result<CommentFilter, ModelError> {
        let desk = desk.for_comments();
        let spam = desk.model().role(Role::Spam)?;
        let threshold =
            CommentModel::embedded().threshold(DEFAULT_LOSE).expect("the default is one of them; this is a bug");
        Ok(CommentFilter { desk, spam, threshold })
    }

    /// The score from which a comment is spam; by default about one genuine comment in 200 is lost.
    pub fn threshold(mut self, threshold: f32) -> CommentFilter {
        self.threshold = threshold;
        self
    }

    /// The score from which a comment is spam.
    pub fn spam_threshold(&self) -> f32 {
        self.threshold
    }

    /// A comment as `copydesk filter` finds it in a JSON object: under our own names, such as `text` and `author_url`, or under those
    /// of blog systems and their exports.
    ///
    /// # Errors
    /// [`InputError::InvalidJson`], [`InputError::NotAnObject`], [`InputError::MissingField`] where there is no text, and
    /// [`InputError::FieldNotString`] where it is something else.
    pub fn comment_of(object: &str) -> Result<Comment, InputError> {
        let (fields, record) = (CommentFields::default(), Record::parse(object)?);
        fields.body(&record)?;
        Ok(fields.comment(&record))
    }

    pub(super) fn desk(&self) -> &Copydesk {
        &self.desk
    }

    pub(super) fn spam_label(&self) -> LabelId {
        self.spam
    }

    /// Judges comments; the answers stand in their order, and no comment changes the answer for another.
    ///
    /// An error is [`InputError::BlankText`] for a comment without a character that shows, or what the
    /// model failed with.
    pub fn judge(&self, comments: &[Comment]) -> Vec<Result<Judgement, LabelError>> {
        let bodies: Vec<&str> = comments.iter().map(Comment::body).collect();
        let labelled = self.desk.label_records(&bodies);
        comments
            .iter()
            .zip(labelled)
            .map(|(comment, labelled)| {
                let labelled = labelled?;
                let (score, reason) = CommentModel::embedded().judge(comment, &labelled.scores, self.spam);
                let text_score = labelled.scores.get(self.spam);
                Ok(Judgement { spam: score >= self.threshold, score, reason, text_score, lang: labelled.lang })
            })
            .collect()
    }

    /// The same judgement with something added that is known from elsewhere.
    pub fn weigh(&self, judgement: Judgement, evidence: &Evidence) -> Judgement {
        let score = weighed(judgement.score, evidence);
        Judgement { spam: score >= self.threshold, score, reason: evidence.reason.clone(), ..judgement }
    }
}

/// A probability of spam after evidence that came from elsewhere.
pub(crate) fn weighed(score: f32, evidence: &Evidence) -> f32 {
    let odds = (score / (1.0 - score).max(1e-6)).max(1e-6).ln() + evidence.log_odds;
    1.0 / (1.0 + (-odds).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_found_under_the_names_of_others() {
        let theirs = r#"{"comment_content": "Agreed.", "url": "https://mill.example", "votes": 3}"#;
        let comment = CommentFilter::comment_of(theirs).unwrap();
        assert_eq!((comment.body(), comment.author_url.as_deref()), ("Agreed.", Some("https://mill.example")));
        assert!(matches!(CommentFilter::comment_of("{}"), Err(InputError::MissingField { .. })));
        assert!(matches!(CommentFilter::comment_of(r#"{"text": 7}"#), Err(InputError::FieldNotString { .. })));
        assert!(matches!(CommentFilter::comment_of("[]"), Err(InputError::NotAnObject { .. })));
    }
}
