//! What a row says of a text, before it is written in some format.

use crate::corpus::Record;
use crate::label::{Label, LabelId, Scores};
use crate::model::Prediction;
use std::ops::Range;

/// How a prediction becomes a verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct VerdictOptions {
    /// Below this confidence no label is given; 0 always gives one.
    pub min_confidence: f32,
    /// A label that is left out, with the others' scores scaled to sum to 1.
    pub without: Option<LabelId>,
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
}

impl Verdict {
    /// Applies `options` to what the model said.
    pub fn new(prediction: &Prediction, options: VerdictOptions) -> Verdict {
        let scores = match options.without {
            Some(label) => prediction.scores.without(label),
            None => prediction.scores.clone(),
        };
        let (best, confidence) = scores.best_label();
        Verdict {
            label: (confidence >= options.min_confidence).then_some(best),
            confidence,
            scores,
            tokens: prediction.tokens,
            windows: prediction.windows,
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::built_in::{OTHER, REPORTING, scores};

    #[test]
    fn no_label_below_the_least_confidence() {
        let prediction = Prediction { scores: scores([0.2, 0.1, 0.1, 0.1, 0.5]), tokens: 3, windows: 1 };
        let verdict = |min_confidence, without| {
            let verdict = Verdict::new(&prediction, VerdictOptions { min_confidence, without });
            (verdict.label_id(), verdict.confidence)
        };
        assert_eq!(verdict(0.0, None), (Some(OTHER), 0.5));
        assert_eq!(verdict(0.5, None), (Some(OTHER), 0.5));
        assert_eq!(verdict(0.51, None), (None, 0.5));
        assert_eq!(verdict(0.3, Some(OTHER)).0, Some(REPORTING));
    }
}
