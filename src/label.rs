//! The five labels and the probabilities given to them.

#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Number of labels, the width of every row of logits: `[paragraphs, LABEL_COUNT]`.
pub const LABEL_COUNT: usize = 5;

/// What a paragraph does in its page. The order is the order of the classifier's outputs and of `id2label` in a
/// model's `config.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// An account of events or facts, told in the writer's own words without arguing for a view.
    Reporting,
    /// The writer's own view: evaluation, argument, advice, a reader's reaction.
    Opinion,
    /// Text placed to promote, sell or draw clicks, unrelated to the page it stands on.
    CommentSpam,
    /// More than half of the words are somebody else's, reproduced verbatim.
    Quotation,
    /// None of the four: bylines, captions, navigation, notices, headlines.
    Other,
}

impl Label {
    /// Every label in output order.
    pub const ALL: [Label; LABEL_COUNT] =
        [Label::Reporting, Label::Opinion, Label::CommentSpam, Label::Quotation, Label::Other];

    /// The name used in files and on the command line, such as `comment_spam`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Label::Reporting => "reporting",
            Label::Opinion => "opinion",
            Label::CommentSpam => "comment_spam",
            Label::Quotation => "quotation",
            Label::Other => "other",
        }
    }

    /// Position in a row of logits, `0..LABEL_COUNT`.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The label at a position of a row of logits, or `None` from [`LABEL_COUNT`] on.
    pub fn from_index(index: usize) -> Option<Label> {
        Label::ALL.get(index).copied()
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A name that is none of the five labels.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown label `{got}`, expected one of: reporting, opinion, comment_spam, quotation, other")]
pub struct UnknownLabel {
    /// The name as it was given.
    pub got: String,
}

impl FromStr for Label {
    type Err = UnknownLabel;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Label::ALL.into_iter().find(|label| label.as_str() == name).ok_or_else(|| UnknownLabel { got: name.to_owned() })
    }
}

/// A probability for every label, in the order of [`Label::ALL`]; the five sum to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scores(pub [f32; LABEL_COUNT]);

impl Scores {
    /// Softmax of one row of logits, computed in f64 so that the result depends on nothing but the row.
    pub fn from_logits(logits: [f32; LABEL_COUNT]) -> Scores {
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let exp = logits.map(|logit| f64::from(logit - max).exp());
        let sum: f64 = exp.iter().sum();
        Scores(exp.map(|value| (value / sum) as f32))
    }

    /// Softmax of a weighted sum of two rows of logits, as [`Scores::from_logits`].
    pub fn from_mixture(logits: [[f32; LABEL_COUNT]; 2], weights: [f32; 2]) -> Scores {
        let [first, second] = logits;
        Scores::from_logits(std::array::from_fn(|label| weights[0] * first[label] + weights[1] * second[label]))
    }

    /// The most probable label and its probability; the first of equals.
    pub fn best(&self) -> (Label, f32) {
        self.best_of(&Label::ALL)
    }

    /// Leaves `other` out: its probability becomes 0 and the remaining four are scaled to sum to 1.
    ///
    /// Where the four named labels have no mass at all, each gets a quarter.
    pub fn without_other(&self) -> Scores {
        let mut scores = self.0;
        scores[Label::Other.index()] = 0.0;
        let sum: f32 = scores.iter().sum();
        if sum > 0.0 { Scores(scores.map(|score| score / sum)) } else { Scores([0.25, 0.25, 0.25, 0.25, 0.0]) }
    }

    /// The probability of one label.
    pub fn get(&self, label: Label) -> f32 {
        self.0[label.index()]
    }

    fn best_of(&self, labels: &[Label]) -> (Label, f32) {
        let mut best = (labels[0], self.get(labels[0]));
        for &label in &labels[1..] {
            if self.get(label) > best.1 {
                best = (label, self.get(label));
            }
        }
        best
    }
}

/// How sure an annotator was, 1 a coin toss, 2 leaning, 3 sure; `None` for any other number. Other people's `confidence` may
/// be a probability, which says nothing on this scale.
pub fn annotator_confidence(value: f64) -> Option<u8> {
    [1, 2, 3].into_iter().find(|&confidence| f64::from(confidence) == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_follow_the_output_order() {
        for (index, label) in Label::ALL.into_iter().enumerate() {
            assert_eq!(label.index(), index);
            assert_eq!(Label::from_index(index), Some(label));
            assert_eq!(label.as_str().parse::<Label>(), Ok(label));
            assert_eq!(serde_json::to_string(&label).unwrap(), format!("\"{label}\""));
        }
        assert_eq!(Label::from_index(LABEL_COUNT), None);
        assert!("spam".parse::<Label>().is_err());
    }

    #[test]
    fn softmax_survives_large_logits() {
        let scores = Scores::from_logits([1000.0, 999.0, -1000.0, 0.0, 0.0]);
        assert!((scores.0.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert_eq!(scores.best().0, Label::Reporting);
    }

    #[test]
    fn a_mixture_adds_logits_by_weight() {
        let (first, second) = ([1.0, 0.0, -2.0, 0.5, 3.0], [0.0, 4.0, 1.0, -1.0, 0.0]);
        let expected = Scores::from_logits([0.5, 8.0, 1.0, -1.75, 1.5]);
        assert_eq!(Scores::from_mixture([first, second], [0.5, 2.0]), expected);
        assert_eq!(Scores::from_mixture([first, second], [1.0, 0.0]), Scores::from_logits(first));
    }

    #[test]
    fn leaving_other_out_renormalises() {
        let scores = Scores([0.1, 0.2, 0.1, 0.1, 0.5]).without_other();
        assert_eq!(scores.best().0, Label::Opinion);
        assert!((scores.get(Label::Opinion) - 0.4).abs() < 1e-6);
        assert_eq!(scores.get(Label::Other), 0.0);
        assert_eq!(Scores([0.0, 0.0, 0.0, 0.0, 1.0]).without_other().get(Label::Quotation), 0.25);
    }

    #[test]
    fn only_the_annotators_three_grades_are_a_confidence() {
        assert_eq!([1.0, 2.0, 3.0].map(annotator_confidence), [Some(1), Some(2), Some(3)]);
        assert_eq!([0.97, 2.5, 4.0, -1.0, f64::NAN].map(annotator_confidence), [None; 5]);
    }
}
