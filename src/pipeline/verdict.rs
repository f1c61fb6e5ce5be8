//! From a model's answer to the label that is given.

use crate::label::{LabelId, Scores};
use crate::model::Prediction;

/// How an answer becomes a label.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct VerdictOptions {
    /// Below this confidence no label is given; 0 always gives one.
    pub min_confidence: f32,
    /// A label that is left out: its probability becomes 0 and the others are scaled to sum to 1.
    pub left_out: Option<LabelId>,
}

/// The label of a text and what it rests on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// The most probable label; `None` below the least confidence asked for.
    pub label: Option<LabelId>,
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
    pub fn new(prediction: Prediction, options: VerdictOptions) -> Verdict {
        let Prediction { scores, tokens, windows } = prediction;
        let scores = match options.left_out {
            Some(label) => scores.without(label),
            None => scores,
        };
        let (best, confidence) = scores.best();
        let label = (confidence >= options.min_confidence).then_some(best);
        Verdict { label, confidence, scores, tokens, windows }
    }
}
