//! What is gained by leaving the least certain rows without a label.

use super::metrics::LabelCounts;
use crate::label::LabelId;
use serde::{Deserialize, Serialize};

/// Shares of rows, in percent, at which the curve is taken.
pub const COVERAGE_PERCENTS: [u8; 11] = [100, 95, 90, 85, 80, 75, 70, 65, 60, 55, 50];

/// One point of the curve of accuracy against coverage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct CoveragePoint {
    /// Share of rows that should at least keep their label.
    pub target: f64,
    /// Share of rows that keep it; above `target` where rows share the confidence at the threshold.
    pub coverage: f64,
    /// Number of rows that keep it.
    pub rows: u64,
    /// Rows keep their label whose highest probability is at least this: the highest such threshold that reaches
    /// `target`.
    pub threshold: f32,
    /// Accuracy on the rows that keep their label.
    pub accuracy: f64,
    /// Macro-F1 on the rows that keep their label, over the labels present in their gold labels.
    pub macro_f1: f64,
}

/// One row: gold label, predicted label, probability of the predicted label.
pub(crate) type Prediction = (LabelId, LabelId, f32);

/// The curve at [`COVERAGE_PERCENTS`] of rows with so many labels; empty without rows.
pub(crate) fn coverage_curve(labels: usize, predictions: &[Prediction]) -> Vec<CoveragePoint> {
    let mut sorted = predictions.to_vec();
    sorted.sort_by(|left, right| right.2.total_cmp(&left.2));
    COVERAGE_PERCENTS
        .into_iter()
        .filter_map(|percent| {
            let wanted = (sorted.len() * usize::from(percent)).div_ceil(100);
            let threshold = sorted.get(wanted.checked_sub(1)?)?.2;
            let kept = &sorted[..sorted.partition_point(|prediction| prediction.2 >= threshold)];
            let counts = LabelCounts::from_pairs(labels, kept.iter().map(|&(gold, predicted, _)| (gold, predicted)));
            Some(CoveragePoint {
                target: f64::from(percent) / 100.0,
                coverage: kept.len() as f64 / sorted.len() as f64,
                rows: kept.len() as u64,
                threshold,
                accuracy: counts.accuracy()?,
                macro_f1: counts.macro_f1()?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::built_in::{OPINION, REPORTING};

    #[test]
    fn the_least_certain_rows_go_first_and_ties_stay_together() {
        let predictions = [
            (REPORTING, REPORTING, 0.9),
            (OPINION, OPINION, 0.8),
            (OPINION, REPORTING, 0.6),
            (REPORTING, REPORTING, 0.6),
            (REPORTING, OPINION, 0.5),
        ];
        let curve = coverage_curve(2, &predictions);
        assert_eq!(curve.len(), COVERAGE_PERCENTS.len());
        let all = curve[0];
        assert_eq!((all.target, all.coverage, all.rows, all.threshold, all.accuracy), (1.0, 1.0, 5, 0.5, 0.6));
        // 85% of five rows is 4.25: all five are needed. 80% is exactly four.
        assert_eq!((curve[3].target, curve[3].rows), (0.85, 5));
        assert_eq!((curve[4].target, curve[4].rows, curve[4].accuracy), (0.8, 4, 0.75));
        // 60% is three rows, but the third shares its confidence with the fourth.
        assert_eq!((curve[8].target, curve[8].coverage, curve[8].rows, curve[8].threshold), (0.6, 0.8, 4, 0.6));
        // F1 of reporting 2 * 2 / (2 + 3), of opinion 2 * 1 / (2 + 1).
        assert!((curve[8].macro_f1 - (0.8 + 2.0 / 3.0) / 2.0).abs() < 1e-12);
        assert!(coverage_curve(2, &[]).is_empty());
    }
}
