//! The confusion matrix with the figures that follow from it, and the two scores of a row's probabilities.

use crate::label::{LABEL_COUNT, Label, Scores};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// How often each gold label was given each predicted label: counts of rows, `[gold, predicted]`, both in the order of
/// [`Label::ALL`].
///
/// In JSON it is a list of five rows of five counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[[u64; LABEL_COUNT]; LABEL_COUNT]", into = "[[u64; LABEL_COUNT]; LABEL_COUNT]")]
pub struct ConfusionMatrix(Array2<u64>); // [gold, predicted]

impl ConfusionMatrix {
    /// Counts pairs of gold and predicted label.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (Label, Label)>) -> ConfusionMatrix {
        let mut matrix = ConfusionMatrix::default();
        for (gold, predicted) in pairs {
            matrix.add(gold, predicted, 1);
        }
        matrix
    }

    /// Counts `rows` more rows of one pair.
    pub fn add(&mut self, gold: Label, predicted: Label, rows: u64) {
        self.0[[gold.index(), predicted.index()]] += rows;
    }

    /// Sets every count to 0.
    pub fn clear(&mut self) {
        self.0.fill(0);
    }

    /// Rows of one pair.
    pub fn get(&self, gold: Label, predicted: Label) -> u64 {
        self.0[[gold.index(), predicted.index()]]
    }

    /// The counts, `[gold, predicted]`.
    pub fn as_array(&self) -> &Array2<u64> {
        &self.0
    }

    /// All rows.
    pub fn rows(&self) -> u64 {
        self.0.sum()
    }

    /// Rows whose gold label is `label`.
    pub fn support(&self, label: Label) -> u64 {
        self.0.row(label.index()).sum()
    }

    /// Rows that were given `label`.
    pub fn predicted(&self, label: Label) -> u64 {
        self.0.column(label.index()).sum()
    }

    /// Share of rows whose predicted label is the gold label; `None` without rows.
    pub fn accuracy(&self) -> Option<f64> {
        ratio(self.0.diag().sum(), self.rows())
    }

    /// Share of the rows given `label` that deserve it; `None` where no row was given it.
    pub fn precision(&self, label: Label) -> Option<f64> {
        ratio(self.get(label, label), self.predicted(label))
    }

    /// Share of the rows of `label` that were found; `None` where there are none.
    pub fn recall(&self, label: Label) -> Option<f64> {
        ratio(self.get(label, label), self.support(label))
    }

    /// Harmonic mean of precision and recall, `2 tp / (support + predicted)`; `None` where the label is neither in the
    /// gold labels nor predicted.
    pub fn f1(&self, label: Label) -> Option<f64> {
        ratio(2 * self.get(label, label), self.support(label) + self.predicted(label))
    }

    /// The labels that at least one row has as its gold label, in the order of [`Label::ALL`].
    pub fn labels_in_gold(&self) -> Vec<Label> {
        Label::ALL.into_iter().filter(|&label| self.support(label) > 0).collect()
    }

    /// Mean F1 of the labels present in the gold labels; `None` without rows.
    ///
    /// A label that is predicted but absent from the gold labels does not enter the mean as a zero: a source with no
    /// spam would otherwise lose a fifth of its figure to one false alarm. The false alarm still costs the recall of
    /// the label it was taken from. (Other tools average over the union of gold and predicted labels; the two agree
    /// wherever every label is present.)
    pub fn macro_f1(&self) -> Option<f64> {
        self.macro_f1_of(&self.labels_in_gold())
    }

    /// Mean F1 of `labels`; `None` where there are none, or one of them has no row in the gold labels: means over different
    /// labels do not compare.
    pub fn macro_f1_of(&self, labels: &[Label]) -> Option<f64> {
        if labels.is_empty() || labels.iter().any(|&label| self.support(label) == 0) {
            return None;
        }
        let sum: f64 = labels.iter().filter_map(|&label| self.f1(label)).sum();
        Some(sum / labels.len() as f64)
    }
}

impl Default for ConfusionMatrix {
    fn default() -> Self {
        ConfusionMatrix(Array2::zeros((LABEL_COUNT, LABEL_COUNT)))
    }
}

impl From<[[u64; LABEL_COUNT]; LABEL_COUNT]> for ConfusionMatrix {
    fn from(counts: [[u64; LABEL_COUNT]; LABEL_COUNT]) -> Self {
        ConfusionMatrix(ndarray::arr2(&counts))
    }
}

impl From<ConfusionMatrix> for [[u64; LABEL_COUNT]; LABEL_COUNT] {
    fn from(matrix: ConfusionMatrix) -> Self {
        Label::ALL.map(|gold| Label::ALL.map(|predicted| matrix.get(gold, predicted)))
    }
}

/// Multi-class Brier score of one row: the squared distance of the probabilities from the gold label, summed over the
/// five labels, `0.0..=2.0`, lower is better (Brier 1950).
pub fn brier_score(scores: &Scores, gold: Label) -> f64 {
    Label::ALL
        .into_iter()
        .map(|label| {
            let target = if label == gold { 1.0 } else { 0.0 };
            (f64::from(scores.get(label)) - target).powi(2)
        })
        .sum()
}

/// Negative natural logarithm of the gold label's probability, lower is better.
///
/// Probabilities below `f32::EPSILON` (about 1.2e-7) count as that, so that one probability rounded to 0 does not make
/// the mean infinite; a row costs at most 15.9.
pub fn negative_log_likelihood(scores: &Scores, gold: Label) -> f64 {
    -f64::from(scores.get(gold).max(f32::EPSILON)).ln()
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_matrix_counted_by_hand() {
        // reporting: 4 found, 1 taken for opinion; opinion: 2 found, 1 for reporting, 1 for quotation; other: 1 found.
        let mut matrix = ConfusionMatrix::default();
        matrix.add(Label::Reporting, Label::Reporting, 4);
        matrix.add(Label::Reporting, Label::Opinion, 1);
        matrix.add(Label::Opinion, Label::Opinion, 2);
        matrix.add(Label::Opinion, Label::Reporting, 1);
        matrix.add(Label::Opinion, Label::Quotation, 1);
        matrix.add(Label::Other, Label::Other, 1);
        assert_eq!(matrix.rows(), 10);
        assert_eq!(matrix.accuracy(), Some(0.7));
        assert_eq!(matrix.precision(Label::Reporting), Some(0.8));
        assert_eq!(matrix.recall(Label::Reporting), Some(0.8));
        assert_eq!(matrix.precision(Label::Opinion), Some(2.0 / 3.0));
        assert_eq!(matrix.recall(Label::Opinion), Some(0.5));
        assert_eq!(matrix.f1(Label::Opinion), Some(4.0 / 7.0));
        assert_eq!(matrix.recall(Label::Quotation), None);
        assert_eq!(matrix.precision(Label::Quotation), Some(0.0));
        assert_eq!(matrix.f1(Label::Quotation), Some(0.0));
        assert_eq!(matrix.f1(Label::CommentSpam), None);
        assert_eq!(matrix.labels_in_gold(), [Label::Reporting, Label::Opinion, Label::Other]);
        let expected = (0.8 + 4.0 / 7.0 + 1.0) / 3.0;
        assert!((matrix.macro_f1().unwrap() - expected).abs() < 1e-12);
    }

    #[test]
    fn nothing_follows_from_no_rows() {
        let matrix = ConfusionMatrix::default();
        assert_eq!((matrix.accuracy(), matrix.macro_f1()), (None, None));
    }

    #[test]
    fn a_single_label_is_enough_for_a_mean() {
        let matrix = ConfusionMatrix::from_pairs([(Label::Opinion, Label::Opinion); 3]);
        assert_eq!(matrix.macro_f1(), Some(1.0));
        assert_eq!(matrix.accuracy(), Some(1.0));
    }

    #[test]
    fn the_matrix_is_written_gold_by_gold() {
        let matrix =
            ConfusionMatrix::from_pairs([(Label::Reporting, Label::Other), (Label::Quotation, Label::Opinion)]);
        let json = serde_json::to_string(&matrix).unwrap();
        assert_eq!(json, "[[0,0,0,0,1],[0,0,0,0,0],[0,0,0,0,0],[0,1,0,0,0],[0,0,0,0,0]]");
        assert_eq!(serde_json::from_str::<ConfusionMatrix>(&json).unwrap(), matrix);
        assert!(serde_json::from_str::<ConfusionMatrix>("[[1,2],[3,4]]").is_err());
    }

    #[test]
    fn probability_scores_of_a_row() {
        let scores = Scores([0.5, 0.25, 0.25, 0.0, 0.0]);
        assert_eq!(brier_score(&scores, Label::Reporting), 0.25 + 0.0625 + 0.0625);
        assert_eq!(negative_log_likelihood(&scores, Label::Reporting), 2.0_f64.ln());
        assert_eq!(brier_score(&scores, Label::Other), 0.25 + 0.0625 + 0.0625 + 1.0);
        assert!((negative_log_likelihood(&scores, Label::Other) - 15.942_385).abs() < 1e-5);
    }
}
