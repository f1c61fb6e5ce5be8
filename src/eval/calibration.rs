//! Whether probabilities mean what they say: reliability bins and the expected calibration error.

use crate::label::{LabelId, Scores};
use serde::{Deserialize, Serialize};

/// Number of bins of equal width over the highest probability, as in Guo et al., "On calibration of modern neural
/// networks" (ICML 2017).
pub const CALIBRATION_BINS: usize = 15;

/// Reliability of the highest probability of each row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct Calibration {
    /// Expected calibration error: the mean over rows of `|accuracy - mean confidence|` of the row's bin, `0.0..=1.0`.
    ///
    /// It comes without an interval: the error of a resample is biased upwards, so its percentiles need not even
    /// include the figure.
    pub expected_calibration_error: f64,
    /// The bins in rising order, empty ones included: [`CALIBRATION_BINS`] of them.
    pub bins: Vec<ReliabilityBin>,
}

/// The rows whose highest probability lies in `(lower, upper]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct ReliabilityBin {
    /// Lower edge, excluded.
    pub lower: f64,
    /// Upper edge, included.
    pub upper: f64,
    /// Rows in the bin.
    pub rows: u64,
    /// Mean of the rows' highest probability; `null` for an empty bin.
    pub mean_confidence: Option<f64>,
    /// Share of the rows whose most probable label is the gold label; `null` for an empty bin.
    pub accuracy: Option<f64>,
}

impl Calibration {
    /// Sorts rows into bins, each row given as its highest probability and whether that label was right.
    ///
    /// Without rows the error is 0. Confidences outside `0.0..=1.0` are counted in the nearest bin.
    pub fn of(rows: impl IntoIterator<Item = (f32, bool)>) -> Calibration {
        let mut counts = [(0_u64, 0.0_f64, 0_u64); CALIBRATION_BINS]; // rows, sum of confidence, right
        let mut total = 0_u64;
        for (confidence, right) in rows {
            let confidence = f64::from(confidence);
            let bin = (confidence * CALIBRATION_BINS as f64).ceil() as usize;
            let bin = &mut counts[bin.saturating_sub(1).min(CALIBRATION_BINS - 1)];
            bin.0 += 1;
            bin.1 += confidence;
            bin.2 += u64::from(right);
            total += 1;
        }
        // Rows times |accuracy - confidence| of a bin is |right - sum of confidence|: no division until the end.
        let gap: f64 = counts.iter().map(|&(_, confidence, right)| (right as f64 - confidence).abs()).sum();
        let bins = counts
            .into_iter()
            .enumerate()
            .map(|(index, (rows, confidence, right))| ReliabilityBin {
                lower: index as f64 / CALIBRATION_BINS as f64,
                upper: (index + 1) as f64 / CALIBRATION_BINS as f64,
                rows,
                mean_confidence: (rows > 0).then(|| confidence / rows as f64),
                accuracy: (rows > 0).then(|| right as f64 / rows as f64),
            })
            .collect();
        Calibration { expected_calibration_error: if total == 0 { 0.0 } else { gap / total as f64 }, bins }
    }

    /// As [`Calibration::of`], from the rows' scores and gold labels.
    pub fn of_scores<'a>(rows: impl IntoIterator<Item = (&'a Scores, LabelId)>) -> Calibration {
        Calibration::of(rows.into_iter().map(|(scores, gold)| {
            let (label, confidence) = scores.best();
            (confidence, label == gold)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_computed_error() {
        // Bin (0.8667, 0.9333]: two rows at 0.9, one right: gap |0.5 - 0.9| = 0.4, two rows.
        // Bin (0.4667, 0.5333]: one row at 0.5, right: gap 0.5, one row. Error (2 * 0.4 + 0.5) / 3.
        let calibration = Calibration::of([(0.9, true), (0.9, false), (0.5, true)]);
        assert!((calibration.expected_calibration_error - 1.3 / 3.0).abs() < 1e-7);
        assert_eq!(calibration.bins.len(), CALIBRATION_BINS);
        assert_eq!(calibration.bins[13].rows, 2);
        assert_eq!(calibration.bins[13].accuracy, Some(0.5));
        assert!((calibration.bins[13].mean_confidence.unwrap() - 0.9).abs() < 1e-6);
        assert_eq!((calibration.bins[7].rows, calibration.bins[7].accuracy), (1, Some(1.0)));
        assert_eq!((calibration.bins[0].rows, calibration.bins[0].accuracy), (0, None));
        assert_eq!(calibration.bins.iter().map(|bin| bin.rows).sum::<u64>(), 3);
    }

    #[test]
    fn certainty_that_is_right_has_no_error_and_edges_belong_below() {
        let calibration = Calibration::of([(1.0, true), (1.0, true), (0.0, false)]);
        assert_eq!(calibration.expected_calibration_error, 0.0);
        assert_eq!((calibration.bins[14].rows, calibration.bins[0].rows), (2, 1));
        assert_eq!(Calibration::of([]).expected_calibration_error, 0.0);
    }
}
