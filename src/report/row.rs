//! What a row says of a text, before it is written in some format.

use super::reasons::Reasons;
use crate::corpus::Record;
use crate::label::{Label, LabelId, Scores};
use crate::model::Prediction;
use crate::text::{Doubt, Language};
use std::ops::Range;

/// How a prediction becomes a verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct VerdictOptions {
    /// Below this confidence no label is given; 0 always gives one.
    pub min_confidence: f32,
    /// A label that is left out, with the others' scores scaled to sum to 1.
    pub without: Option<LabelId>,
    /// Take the model's word for texts in any language, and for what cannot be read.
    pub any_language: bool,
}

/// The label of a text and what it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The most probable label; `None` below the least confidence asked for.
    pub label: Option<Label>,
    /// The probability of the most probable label.
    pub confidence: f32,
    /// The probabilities of all labels.
    pub scores: Scores,
    /// Tokens of the text, special tokens left out.
    pub tokens: usize,
    /// Windows that the text was read in.
    pub windows: usize,
    /// ISO 639-1 code of the text's language, where it can be told.
    pub lang: Option<&'static str>,
    /// Why there is no confident label.
    pub doubt: Option<Doubt>,
}

impl Verdict {
    /// Applies `options` to what the model said of a text in that language.
    pub fn new(prediction: &Prediction, language: Language, options: VerdictOptions) -> Verdict {
        let scores = match options.without {
            Some(label) => prediction.scores.without(label),
            None => prediction.scores.clone(),
        };
        let doubt = language.doubt.filter(|_| !options.any_language);
        let scores = if doubt.is_some() { scores.in_doubt() } else { scores };
        let (best, confidence) = scores.best_label();
        Verdict {
            label: (confidence >= options.min_confidence).then_some(best),
            confidence,
            scores,
            tokens: prediction.tokens,
            windows: prediction.windows,
            lang: language.code,
            doubt,
        }
    }

    /// The position of the label; `None` where there is none.
    pub fn label_id(&self) -> Option<LabelId> {
        self.label.as_ref().map(|_| self.scores.best().0)
    }
}

/// Where a row's text stands.
#[derive(Clone, Copy, Debug)]
pub struct RowSource<'a> {
    /// Name of the source: the path as given, or `-`.
    pub name: &'a str,
    /// Line of the record in the source, from 1; `None` for paragraphs of a text.
    pub line: Option<u64>,
}

/// A paragraph of a document.
#[derive(Clone, Debug)]
pub struct ParagraphRow<'a> {
    /// Name of the document: a file, `file:line`, or a record's id.
    pub doc: &'a str,
    /// Where it stands, where that is asked for.
    pub source: Option<RowSource<'a>>,
    /// Number in the document, from 0.
    pub paragraph: u64,
    /// UTF-8 byte offsets in the document.
    pub span: Range<u64>,
    /// The slice of the document under `span`; of an HTML page, the text between the tags.
    pub text: &'a str,
    /// The probability that it is the main content of its HTML page; `None` for all else.
    pub content: Option<f32>,
    /// What it does there.
    pub verdict: Verdict,
    /// Why, where that is asked for.
    pub reasons: Option<Reasons<'a>>,
}

/// A whole record.
#[derive(Clone, Debug)]
pub struct RecordRow<'a> {
    /// `file:line`, or the record's id.
    pub doc: &'a str,
    /// Where it stands, where that is asked for.
    pub source: Option<RowSource<'a>>,
    /// The record's text.
    pub text: &'a str,
    /// The JSON object that it came as; `None` for a line of plain text.
    pub object: Option<&'a Record<'a>>,
    /// What it does.
    pub verdict: Verdict,
    /// Why, where that is asked for.
    pub reasons: Option<Reasons<'a>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::MOST_IN_DOUBT;
    use crate::label::built_in::{OPINION, OTHER, REPORTING, scores};

    #[test]
    fn no_label_below_the_least_confidence() {
        let prediction = Prediction { scores: scores([0.2, 0.1, 0.1, 0.1, 0.5]), tokens: 3, windows: 1 };
        let verdict = |min_confidence, without| {
            let options = VerdictOptions { min_confidence, without, any_language: false };
            let verdict = Verdict::new(&prediction, Language::default(), options);
            (verdict.label_id(), verdict.confidence)
        };
        assert_eq!(verdict(0.0, None), (Some(OTHER), 0.5));
        assert_eq!(verdict(0.5, None), (Some(OTHER), 0.5));
        assert_eq!(verdict(0.51, None), (None, 0.5));
        assert_eq!(verdict(0.3, Some(OTHER)).0, Some(REPORTING));
    }

    #[test]
    fn a_text_in_doubt_has_no_confident_label() {
        let prediction = Prediction { scores: scores([0.02, 0.9, 0.04, 0.03, 0.01]), tokens: 3, windows: 1 };
        let german = Language { code: Some("de"), doubt: Some(Doubt::NotEnglish) };
        let verdict = |any_language| {
            Verdict::new(&prediction, german, VerdictOptions { any_language, ..VerdictOptions::default() })
        };
        let doubted = verdict(false);
        assert_eq!((doubted.label_id(), doubted.confidence), (Some(OPINION), MOST_IN_DOUBT));
        assert!((doubted.scores.values().iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert_eq!((doubted.lang, doubted.doubt), (Some("de"), Some(Doubt::NotEnglish)));
        let taken = verdict(true);
        assert_eq!((taken.confidence, taken.lang, taken.doubt), (0.9, Some("de"), None));
    }
}
