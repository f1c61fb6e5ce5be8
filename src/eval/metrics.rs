//! Counts of rows by label with the figures that follow from them, and the two scores of a row's probabilities.

use crate::label::{LabelId, Scores};
use ndarray::Array2;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// For each label of a set: how many rows have it, were given it, and both. What precision, recall and F1 follow from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelCounts {
    right: Vec<u64>,     // [labels]
    support: Vec<u64>,   // [labels]
    predicted: Vec<u64>, // [labels]
    rows: u64,
}

impl LabelCounts {
    /// No rows of so many labels.
    pub fn new(labels: usize) -> LabelCounts {
        LabelCounts { right: vec![0; labels], support: vec![0; labels], predicted: vec![0; labels], rows: 0 }
    }

    /// Counts pairs of gold and predicted label, each below `labels`.
    pub fn from_pairs(labels: usize, pairs: impl IntoIterator<Item = (LabelId, LabelId)>) -> LabelCounts {
        let mut counts = LabelCounts::new(labels);
        for (gold, predicted) in pairs {
            counts.add(gold, predicted, 1);
        }
        counts
    }

    /// Counts `rows` more rows of one pair.
    pub fn add(&mut self, gold: LabelId, predicted: LabelId, rows: u64) {
        self.support[gold.index()] += rows;
        self.predicted[predicted.index()] += rows;
        if gold == predicted {
            self.right[gold.index()] += rows;
        }
        self.rows += rows;
    }

    /// Sets every count to 0.
    pub fn clear(&mut self) {
        [&mut self.right, &mut self.support, &mut self.predicted].into_iter().for_each(|counts| counts.fill(0));
        self.rows = 0;
    }

    /// All rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Rows whose gold label is `label`.
    pub fn support(&self, label: LabelId) -> u64 {
        self.support[label.index()]
    }

    /// Rows that were given `label`.
    pub fn predicted(&self, label: LabelId) -> u64 {
        self.predicted[label.index()]
    }

    /// Share of rows whose predicted label is the gold label; `None` without rows.
    pub fn accuracy(&self) -> Option<f64> {
        ratio(self.right.iter().sum(), self.rows)
    }

    /// Share of the rows given `label` that deserve it; `None` where no row was given it.
    pub fn precision(&self, label: LabelId) -> Option<f64> {
        ratio(self.right[label.index()], self.predicted(label))
    }

    /// Share of the rows of `label` that were found; `None` where there are none.
    pub fn recall(&self, label: LabelId) -> Option<f64> {
        ratio(self.right[label.index()], self.support(label))
    }

    /// Harmonic mean of precision and recall, `2 tp / (support + predicted)`; `None` where the label is neither in the
    /// gold labels nor predicted.
    pub fn f1(&self, label: LabelId) -> Option<f64> {
        ratio(2 * self.right[label.index()], self.support(label) + self.predicted(label))
    }

    /// The labels that at least one row has as its gold label, in output order.
    pub fn labels_in_gold(&self) -> Vec<LabelId> {
        (0..self.support.len()).map(LabelId::at).filter(|&label| self.support(label) > 0).collect()
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
    pub fn macro_f1_of(&self, labels: &[LabelId]) -> Option<f64> {
        if labels.is_empty() || labels.iter().any(|&label| self.support(label) == 0) {
            return None;
        }
        let sum: f64 = labels.iter().filter_map(|&label| self.f1(label)).sum();
        Some(sum / labels.len() as f64)
    }
}

/// How often each gold label was given each predicted label: counts of rows, `[gold, predicted]`, both in output order.
///
/// In JSON it is a list with a row of counts for each gold label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix(Array2<u64>); // [gold, predicted]

impl ConfusionMatrix {
    /// Counts pairs of gold and predicted label, each below `labels`.
    pub fn from_pairs(labels: usize, pairs: impl IntoIterator<Item = (LabelId, LabelId)>) -> ConfusionMatrix {
        let mut counts = Array2::zeros((labels, labels));
        for (gold, predicted) in pairs {
            counts[[gold.index(), predicted.index()]] += 1;
        }
        ConfusionMatrix(counts)
    }

    /// Rows of one pair.
    pub fn get(&self, gold: LabelId, predicted: LabelId) -> u64 {
        self.0[[gold.index(), predicted.index()]]
    }

    /// The counts, `[gold, predicted]`.
    pub fn as_array(&self) -> &Array2<u64> {
        &self.0
    }
}

impl Serialize for ConfusionMatrix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.rows().into_iter().map(|row| row.to_vec()))
    }
}

impl<'de> Deserialize<'de> for ConfusionMatrix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ConfusionMatrix, D::Error> {
        let rows = Vec::<Vec<u64>>::deserialize(deserializer)?;
        if let Some(row) = rows.iter().find(|row| row.len() != rows.len()) {
            return Err(D::Error::invalid_length(row.len(), &"as many counts as rows"));
        }
        let labels = rows.len();
        let counts = Array2::from_shape_vec((labels, labels), rows.concat()).map_err(D::Error::custom)?;
        Ok(ConfusionMatrix(counts))
    }
}

/// Multi-class Brier score of one row: the squared distance of the probabilities from the gold label, summed over the
/// labels, `0.0..=2.0`, lower is better (Brier 1950).
pub fn brier_score(scores: &Scores, gold: LabelId) -> f64 {
    let squares = scores.values().iter().enumerate().map(|(label, &score)| {
        let target = if label == gold.index() { 1.0 } else { 0.0 };
        (f64::from(score) - target).powi(2)
    });
    squares.sum()
}

/// Negative natural logarithm of the gold label's probability, lower is better.
///
/// Probabilities below `f32::EPSILON` (about 1.2e-7) count as that, so that one probability rounded to 0 does not make
/// the mean infinite; a row costs at most 15.9.
pub fn negative_log_likelihood(scores: &Scores, gold: LabelId) -> f64 {
    -f64::from(scores.get(gold).max(f32::EPSILON)).ln()
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::built_in::{COMMENT_SPAM, OPINION, OTHER, QUOTATION, REPORTING, scores};

    #[test]
    fn figures_of_a_matrix_counted_by_hand() {
        // reporting: 4 found, 1 taken for opinion; opinion: 2 found, 1 for reporting, 1 for quotation; other: 1 found.
        let mut matrix = LabelCounts::new(5);
        matrix.add(REPORTING, REPORTING, 4);
        matrix.add(REPORTING, OPINION, 1);
        matrix.add(OPINION, OPINION, 2);
        matrix.add(OPINION, REPORTING, 1);
        matrix.add(OPINION, QUOTATION, 1);
        matrix.add(OTHER, OTHER, 1);
        assert_eq!(matrix.rows(), 10);
        assert_eq!(matrix.accuracy(), Some(0.7));
        assert_eq!(matrix.precision(REPORTING), Some(0.8));
        assert_eq!(matrix.recall(REPORTING), Some(0.8));
        assert_eq!(matrix.precision(OPINION), Some(2.0 / 3.0));
        assert_eq!(matrix.recall(OPINION), Some(0.5));
        assert_eq!(matrix.f1(OPINION), Some(4.0 / 7.0));
        assert_eq!(matrix.recall(QUOTATION), None);
        assert_eq!(matrix.precision(QUOTATION), Some(0.0));
        assert_eq!(matrix.f1(QUOTATION), Some(0.0));
        assert_eq!(matrix.f1(COMMENT_SPAM), None);
        assert_eq!(matrix.labels_in_gold(), [REPORTING, OPINION, OTHER]);
        let expected = (0.8 + 4.0 / 7.0 + 1.0) / 3.0;
        assert!((matrix.macro_f1().unwrap() - expected).abs() < 1e-12);
    }

    #[test]
    fn nothing_follows_from_no_rows() {
        let matrix = LabelCounts::new(5);
        assert_eq!((matrix.accuracy(), matrix.macro_f1()), (None, None));
    }

    #[test]
    fn a_single_label_is_enough_for_a_mean() {
        let matrix = LabelCounts::from_pairs(5, [(OPINION, OPINION); 3]);
        assert_eq!(matrix.macro_f1(), Some(1.0));
        assert_eq!(matrix.accuracy(), Some(1.0));
    }

    #[test]
    fn the_matrix_is_written_gold_by_gold() {
        let matrix = ConfusionMatrix::from_pairs(5, [(REPORTING, OTHER), (QUOTATION, OPINION)]);
        let json = serde_json::to_string(&matrix).unwrap();
        assert_eq!(json, "[[0,0,0,0,1],[0,0,0,0,0],[0,0,0,0,0],[0,1,0,0,0],[0,0,0,0,0]]");
        assert_eq!(serde_json::from_str::<ConfusionMatrix>(&json).unwrap(), matrix);
        assert!(serde_json::from_str::<ConfusionMatrix>("[[1,2],[3]]").is_err());
    }

    #[test]
    fn probability_scores_of_a_row() {
        let scores = scores([0.5, 0.25, 0.25, 0.0, 0.0]);
        assert_eq!(brier_score(&scores, REPORTING), 0.25 + 0.0625 + 0.0625);
        assert_eq!(negative_log_likelihood(&scores, REPORTING), 2.0_f64.ln());
        assert_eq!(brier_score(&scores, OTHER), 0.25 + 0.0625 + 0.0625 + 1.0);
        assert!((negative_log_likelihood(&scores, OTHER) - 15.942_385).abs() < 1e-5);
    }
}
