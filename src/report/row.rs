//! What a row says of a text, before it is written in some format.

use crate::corpus::Record;
use crate::label::{Label, Scores};
use crate::model::Prediction;
use std::ops::Range;

/// How a prediction becomes a verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct VerdictOptions {
    /// Below this confidence no label is given; 0 always gives one.
    pub min_confidence: f32,
    /// Whether `other` is left out and the four named labels' scores scaled to sum to 1.
    pub no_other: bool,
}

/// The label of a text and what it rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
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
}

impl Verdict {
    /// Applies `options` to what the model said.
    pub fn new(prediction: &Prediction, options: VerdictOptions) -> Verdict {
        let scores = if options.no_other { prediction.scores.without_other() } else { prediction.scores };
        let (best, confidence) = scores.best();
        Verdict {
            label: (confidence >= options.min_confidence).then_some(best),
            confidence,
            scores,
            tokens: prediction.tokens,
            windows: prediction.windows,
        }
    }
}

/// A paragraph of a document.
#[derive(Clone, Debug)]
pub struct ParagraphRow<'a> {
    /// Name of the document: a file, `file:line`, or a record's id.
    pub doc: &'a str,
    /// Number in the document, from 0.
    pub paragraph: u64,
    /// UTF-8 byte offsets in the document.
    pub span: Range<u64>,
    /// The slice of the document under `span`.
    pub text: &'a str,
    /// What it does there.
    pub verdict: Verdict,
}

/// A whole record.
#[derive(Clone, Debug)]
pub struct RecordRow<'a> {
    /// `file:line`, or the record's id.
    pub doc: &'a str,
    /// The record's text.
    pub text: &'a str,
    /// The JSON object that it came as; `None` for a line of plain text.
    pub object: Option<&'a Record<'a>>,
    /// What it does.
    pub verdict: Verdict,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_label_below_the_least_confidence() {
        let prediction = Prediction { scores: Scores([0.2, 0.1, 0.1, 0.1, 0.5]), tokens: 3, windows: 1 };
        let verdict = |min_confidence, no_other| {
            let verdict = Verdict::new(&prediction, VerdictOptions { min_confidence, no_other });
            (verdict.label, verdict.confidence)
        };
        assert_eq!(verdict(0.0, false), (Some(Label::Other), 0.5));
        assert_eq!(verdict(0.5, false), (Some(Label::Other), 0.5));
        assert_eq!(verdict(0.51, false), (None, 0.5));
        assert_eq!(verdict(0.3, true).0, Some(Label::Reporting));
    }
}
