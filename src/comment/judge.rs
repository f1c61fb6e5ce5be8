//! From what is known of a comment to a score and a reason.

use super::Comment;
use super::bag::{NAME_BUCKETS, WORD_BUCKETS, name_of, weigh, words_of};
use super::facts::{Facts, Heard, MASKED, MISSING, Source, TEXT_ODDS, facts};
use super::links::links;
use crate::eval::LOSS_BUDGETS;
use crate::forest::{Forest, ForestError, floats};
use crate::label::{LabelId, LabelSet, Scores};
use safetensors::SafeTensors;
use std::sync::OnceLock;

/// The one model that is compiled into the library.
static EMBEDDED: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/comments/model.safetensors"));

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

/// Says of comments whether they are spam: weights of words and names, and trees over counted facts. See `models/comments/README.md`.
#[derive(Clone, Debug, PartialEq)]
pub struct CommentModel {
    /// `[WORD_BUCKETS]`.
    pub(crate) words: Vec<f32>,
    /// `[NAME_BUCKETS]`.
    pub(crate) names: Vec<f32>,
    /// Over the facts of [`facts`].
    pub(crate) forest: Forest,
    /// Slope and offset that make log-odds of the text model those of sites that it never saw.
    pub(crate) text_scale: [f32; 2],
    /// The same for the sum of the trees.
    pub(crate) score_scale: [f32; 2],
    /// Scores for [`LOSS_BUDGETS`].
    pub(crate) thresholds: [f32; LOSS_BUDGETS.len()],
}

/// Greatest logarithm of odds that is told apart.
const MOST_ODDS: f32 = 12.0;

/// Change of the log-odds from which a source counts as a reason.
const LEAST_CHANGE: f32 = 0.7;

impl CommentModel {
    /// The model that is compiled into the library.
    pub fn embedded() -> &'static CommentModel {
        static MODEL: OnceLock<CommentModel> = OnceLock::new();
        MODEL.get_or_init(|| CommentModel::read(EMBEDDED).expect("the embedded model is sound; this is a bug"))
    }

    /// Reads a model from the bytes of its file.
    ///
    /// # Errors
    /// Whatever is wrong with the file.
    pub fn read(bytes: &[u8]) -> Result<CommentModel, ForestError> {
        fn numbers<const N: usize>(tensors: &SafeTensors<'_>, name: &'static str) -> Result<[f32; N], ForestError> {
            let expected = "as many numbers as are written";
            floats(tensors, name)?.try_into().map_err(|_| ForestError::Tensor { name, expected })
        }
        let tensors = SafeTensors::deserialize(bytes)?;
        let model = CommentModel {
            words: floats(&tensors, "words.weight")?,
            names: floats(&tensors, "names.weight")?,
            forest: Forest::from_tensors(&tensors)?,
            text_scale: numbers(&tensors, "text.scale")?,
            score_scale: numbers(&tensors, "score.scale")?,
            thresholds: numbers(&tensors, "thresholds")?,
        };
        let expected = "one number for each bucket";
        if model.words.len() != WORD_BUCKETS {
            return Err(ForestError::Tensor { name: "words.weight", expected });
        }
        if model.names.len() != NAME_BUCKETS {
            return Err(ForestError::Tensor { name: "names.weight", expected });
        }
        let nothing = Heard { text: 0.0, others: [0.0; 4], words: 0.0, name: 0.0 };
        match model.forest.fault(facts(&Comment::default(), &nothing).values.len()) {
            Some(rule) => Err(ForestError::Trees(rule)),
            None => Ok(model),
        }
    }

    /// The bytes of its file.
    #[cfg(feature = "train")]
    pub fn to_bytes(&self) -> Vec<u8> {
        let weights: [(&str, &[f32]); 5] = [
            ("names.weight", &self.names),
            ("score.scale", &self.score_scale),
            ("text.scale", &self.text_scale),
            ("thresholds", &self.thresholds),
            ("words.weight", &self.words),
        ];
        crate::forest::to_bytes(&weights, &self.forest)
    }

    /// The probability of spam and what speaks most for the answer; `scores` are the text model's, `spam` its label of spam.
    pub fn judge(&self, comment: &Comment, scores: &Scores, spam: LabelId) -> (f32, String) {
        let mut heard = heard_of(scores, spam);
        heard.text = self.text_scale[0] * heard.text + self.text_scale[1];
        heard.words = weigh(&self.words, &words_of(comment.body()));
        heard.name = weigh(&self.names, &name_of(comment.author.as_deref().unwrap_or_default()));
        let facts = facts(comment, &heard);
        let sum = self.forest.sum(&facts.values);
        let score = probability(self.score_scale[0] * sum + self.score_scale[1]);
        (score, self.reason(comment, &facts, sum, score))
    }

    /// The score from which a comment is spam so that about this share of genuine ones is lost, one of [`LOSS_BUDGETS`].
    pub fn threshold(&self, lose: f64) -> Option<f32> {
        LOSS_BUDGETS.iter().position(|&loss| loss == lose).map(|position| self.thresholds[position])
    }

    /// What speaks most for the answer: the text, or the source that changes it most if it is not known.
    fn reason(&self, comment: &Comment, facts: &Facts, sum: f32, score: f32) -> String {
        let is_spam = score >= 0.5;
        if is_spam && facts.values[TEXT_ODDS] > 0.0 {
            return advertising(comment);
        }
        let reason = match (is_spam, self.telling(facts, sum, is_spam)) {
            (true, Some(Source::Markup)) => "its links are written like advertising",
            (true, Some(Source::Author)) => "the author's name looks like advertising",
            (true, Some(Source::AuthorUrl)) => "the author's link looks like advertising",
            (true, Some(Source::Email)) => "the author's e-mail domain is like those of spam",
            (true, Some(Source::Page)) => "it has nothing to do with the page",
            (true, _) => return advertising(comment),
            (false, Some(Source::Author)) => "the author's name is a person's",
            (false, Some(Source::AuthorUrl)) => "the author's link is a personal one",
            (false, Some(Source::Email)) => "the author's e-mail domain is a usual one",
            (false, Some(Source::Page)) => "it is about the page",
            (false, _) => "reads like a genuine comment",
        };
        reason.to_owned()
    }

    /// The source without which the sum would change most against the answer, if it would change by much.
    fn telling(&self, facts: &Facts, sum: f32, is_spam: bool) -> Option<Source> {
        let mut most = (LEAST_CHANGE, None);
        for source in MASKED {
            let mut values = facts.values.clone();
            facts.hide(source, &mut values);
            let change = sum - self.forest.sum(&values);
            let change = if is_spam { change } else { -change };
            if change > most.0 {
                most = (change, Some(source));
            }
        }
        most.1
    }
}

/// The reason of a comment that reads like spam, with the first host that it links to and that not everybody does.
fn advertising(comment: &Comment) -> String {
    let links = links(comment.html.as_deref().unwrap_or(comment.body()));
    match links.iter().find(|link| !link.address.is_well_known()) {
        Some(link) if link.address.host.len() <= 60 => {
            format!("reads like advertising, with a link to {}", link.address.host)
        }
        _ => "reads like advertising".to_owned(),
    }
}

/// What a text model's scores say, before they are scaled.
pub fn heard_of(scores: &Scores, spam: LabelId) -> Heard {
    let p = scores.get(spam);
    let odds = (p.max(1e-9) / (1.0 - p).max(1e-9)).ln().clamp(-MOST_ODDS, MOST_ODDS);
    let built_in = scores.labels().len() == LabelSet::copydesk().len();
    let others = ["reporting", "opinion", "quotation", "other"].map(|name| match scores.of(name) {
        // The share among what is no spam: the rest stands in the odds.
        Some(value) if built_in => (value.max(1e-9) / (1.0 - p).max(1e-9)).clamp(1e-4, 1.0).ln(),
        _ => MISSING,
    });
    Heard { text: odds, others, words: 0.0, name: 0.0 }
}

/// The probability of log-odds.
pub fn probability(odds: f32) -> f32 {
    1.0 / (1.0 + (-odds).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(comment: &Comment, text: f32) -> (f32, String) {
        let labels = LabelSet::copydesk();
        let spam = labels.id("comment_spam").unwrap();
        let rest = (1.0 - text) / 4.0;
        let values: Vec<f32> = labels.ids().map(|id| if id == spam { text } else { rest }).collect();
        CommentModel::embedded().judge(comment, &Scores::new(&labels, values), spam)
    }

    fn bland() -> Comment {
        Comment::new("Thank you for sharing this, it was a very helpful read and I will come back for more of it.")
    }

    #[test]
    fn what_comes_with_a_bland_text_decides() {
        let advert = Comment {
            author: Some("cheap car insurance quotes".to_owned()),
            author_url: Some("http://www.cheap-car-insurance-quotes.info/florida/cheap-quotes.html".to_owned()),
            ..bland()
        };
        let reader = Comment { author: Some("Martha Oyelaran".to_owned()), ..bland() };
        let ((advert, reason), (reader, _)) = (judge(&advert, 0.3), judge(&reader, 0.3));
        assert!(advert > 0.5 && reader < advert - 0.2, "{advert} {reader}");
        assert!(reason.contains("author's"), "{reason}");
    }

    #[test]
    fn a_text_that_reads_more_like_spam_never_scores_lower() {
        let link = Comment {
            author: Some("Jo".to_owned()),
            ..Comment::new("Look at http://some-shop.example/bags for more bags")
        };
        for comment in [bland(), link] {
            let scores: Vec<f32> = (0..=20).map(|step| judge(&comment, step as f32 / 20.0).0).collect();
            assert!(scores.is_sorted(), "{scores:?}");
        }
    }

    #[test]
    fn the_reason_of_an_advert_names_its_link() {
        let comment =
            Comment::new("Best replica watches, cheap price, free shipping! http://replica-watches.example/buy");
        let (score, reason) = judge(&comment, 0.99);
        assert!(score > 0.9 && reason.ends_with("replica-watches.example"), "{score} {reason}");
    }

    #[test]
    fn thresholds_rise_as_less_may_be_lost() {
        let model = CommentModel::embedded();
        let thresholds = LOSS_BUDGETS.map(|loss| model.threshold(loss).unwrap());
        assert!(thresholds[0] > thresholds[1] && thresholds[1] > thresholds[2]);
        assert_eq!(model.threshold(0.3), None);
    }

    #[test]
    fn files_that_do_not_fit_are_refused() {
        assert!(CommentModel::read(&EMBEDDED[..EMBEDDED.len() / 2]).is_err());
        assert!(matches!(CommentModel::read(b"\x02\0\0\0\0\0\0\0{}"), Err(ForestError::Tensors(_))));
    }
}
