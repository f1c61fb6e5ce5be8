//! Thresholds of the spam score at which no more than a stated share of genuine rows is lost.

use super::EvalError;
use serde::{Deserialize, Serialize};

/// Shares of genuine rows that may be lost at the usual operating points: 1 in 1,000, 1 in 200, 1 in 100.
pub const LOSS_BUDGETS: [f64; 3] = [0.001, 0.005, 0.01];

/// One operating point of the rule "spam if the score of the spam label is at least `threshold`".
///
/// The threshold is chosen on the rows that it is then counted on. `lost` therefore lies below the budget by
/// construction; what to expect elsewhere is what its interval shows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct SpamPoint {
    /// Share of genuine rows that may be lost at most, `0.0..=1.0`.
    pub budget: f64,
    /// The smallest threshold that stays within the budget, to be compared with `>=` in 32-bit arithmetic. Just above
    /// the score of the first genuine row that must be kept; above 1 where that row has a score of 1.
    pub threshold: f32,
    /// Genuine rows called spam.
    pub lost: Proportion,
    /// Spam rows called spam: the recall of the operating point.
    pub caught: Proportion,
}

/// A share of rows with its 95% Wilson score interval (Wilson 1927), which treats rows as independent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct Proportion {
    /// Rows counted.
    pub rows: u64,
    /// Rows that they are a share of.
    pub of: u64,
    /// `rows / of`; `null` where `of` is 0.
    pub value: Option<f64>,
    /// Lower end of the interval; `null` where `of` is 0.
    pub low: Option<f64>,
    /// Upper end of the interval; `null` where `of` is 0.
    pub high: Option<f64>,
}

impl Proportion {
    /// The share of `rows` in `of` rows.
    pub fn new(rows: u64, of: u64) -> Proportion {
        if of == 0 {
            return Proportion { rows, of, value: None, low: None, high: None };
        }
        const Z: f64 = 1.959_963_984_540_054; // 97.5th percentile of the standard normal distribution
        let (value, n) = (rows as f64 / of as f64, of as f64);
        let centre = (value + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
        let half = Z * (value * (1.0 - value) / n + Z * Z / (4.0 * n * n)).sqrt() / (1.0 + Z * Z / n);
        // At the two ends the formula gives the value itself, up to rounding.
        let low = if rows == 0 { 0.0 } else { centre - half };
        let high = if rows == of { 1.0 } else { centre + half };
        Proportion { rows, of, value: Some(value), low: Some(low), high: Some(high) }
    }
}

/// The operating points for `budgets`, from the spam label's scores of genuine rows and of spam rows.
///
/// Equal scores are decided together, so the share lost can be well below its budget. Without genuine rows no threshold
/// means anything and the list is empty; without spam rows `caught` has no value.
///
/// # Errors
///
/// [`EvalError::LossBudgetOutOfRange`] for a budget outside `0.0..=1.0`, [`EvalError::SpamScoreNotFinite`] for a score
/// that is not a number or infinite.
pub fn spam_operating_points(genuine: &[f32], spam: &[f32], budgets: &[f64]) -> Result<Vec<SpamPoint>, EvalError> {
    if let Some(&got) = budgets.iter().find(|budget| !(0.0..=1.0).contains(*budget)) {
        return Err(EvalError::LossBudgetOutOfRange { got });
    }
    if let Some(&got) = genuine.iter().chain(spam).find(|score| !score.is_finite()) {
        return Err(EvalError::SpamScoreNotFinite { got });
    }
    if genuine.is_empty() {
        return Ok(Vec::new());
    }
    let genuine = descending(genuine);
    let spam = descending(spam);
    Ok(budgets
        .iter()
        .map(|&budget| {
            // The tolerance keeps a budget such as 0.07 of 100 rows, 7.000000000000001 in binary, or 0.29 of 100,
            // 28.999999999999996, at the whole number that was meant.
            let allowed = (budget * genuine.len() as f64 + 1e-9).floor() as usize;
            let threshold = match genuine.get(allowed) {
                Some(first_kept) => first_kept.next_up(),
                None => 0.0,
            };
            let at_least = |scores: &[f32]| scores.partition_point(|&score| score >= threshold) as u64;
            SpamPoint {
                budget,
                threshold,
                lost: Proportion::new(at_least(&genuine), genuine.len() as u64),
                caught: Proportion::new(at_least(&spam), spam.len() as u64),
            }
        })
        .collect())
}

fn descending(scores: &[f32]) -> Vec<f32> {
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(|left, right| right.total_cmp(left));
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wilson_intervals_agree_with_scipy() {
        // scipy.stats.binomtest(k, n).proportion_ci(0.95, method="wilson")
        let expected = [
            (8, 10, 0.490_162_471_536_641_8, 0.943_317_848_545_624_8),
            (0, 50, 0.0, 0.071_347_599_133_358_72),
            (50, 50, 0.928_652_400_866_641_2, 1.0),
            (1, 1000, 0.000_176_546_370_626_078_09, 0.005_642_558_597_957_935_5),
        ];
        for (rows, of, low, high) in expected {
            let proportion = Proportion::new(rows, of);
            assert!((proportion.low.unwrap() - low).abs() < 1e-12, "{proportion:?}");
            assert!((proportion.high.unwrap() - high).abs() < 1e-12, "{proportion:?}");
        }
        assert_eq!(Proportion::new(0, 0).value, None);
    }

    #[test]
    fn one_in_a_hundred_genuine_rows_may_go() {
        // Scores 0.00, 0.01 … 1.99 halved: 200 distinct values, two may be lost at 1%, one at 0.5%, none at 0.1%.
        let genuine: Vec<f32> = (0..200).map(|row| row as f32 / 200.0).collect();
        let spam = [0.5, 0.985, 0.990, 0.991, 0.996, 1.0];
        let points = spam_operating_points(&genuine, &spam, &[0.01, 0.005, 0.001]).unwrap();
        let counts: Vec<_> = points.iter().map(|point| (point.lost.rows, point.caught.rows)).collect();
        // Kept first: 0.985 at 1%, 0.990 at 0.5%, 0.995 at 0.1%; a spam row with that very score is kept with it.
        assert_eq!(counts, [(2, 4), (1, 3), (0, 2)]);
        assert_eq!(points[0].threshold, 0.985_f32.next_up());
        assert_eq!((points[0].lost.of, points[0].caught.of), (200, 6));
    }

    #[test]
    fn tied_genuine_rows_stay_together() {
        let mut genuine = vec![0.1; 96];
        genuine.extend([0.9; 4]);
        // Three of the four rows at 0.9 may be lost, but they can only be lost together.
        let points = spam_operating_points(&genuine, &[0.9, 0.95], &[0.03, 0.04]).unwrap();
        assert_eq!((points[0].lost.rows, points[0].caught.rows), (0, 1));
        assert_eq!((points[1].lost.rows, points[1].caught.rows), (4, 2));
        assert_eq!(points[1].threshold, 0.1_f32.next_up());
    }

    #[test]
    fn a_certain_genuine_row_lets_nothing_be_called_spam() {
        let points = spam_operating_points(&[1.0, 0.2], &[1.0], &[0.001]).unwrap();
        assert!(points[0].threshold > 1.0);
        assert_eq!((points[0].lost.rows, points[0].caught.value), (0, Some(0.0)));
    }

    #[test]
    fn budgets_hold_the_number_of_rows_that_was_meant() {
        let genuine: Vec<f32> = (0..100).map(|row| row as f32 / 100.0).collect();
        for percent in 0..=100_u32 {
            let points = spam_operating_points(&genuine, &[], &[f64::from(percent) / 100.0]).unwrap();
            assert_eq!(points[0].lost.rows, u64::from(percent));
            assert_eq!(points[0].caught.value, None);
        }
    }

    #[test]
    fn unusable_input_is_refused() {
        assert!(spam_operating_points(&[], &[0.5], &LOSS_BUDGETS).unwrap().is_empty());
        let budget = spam_operating_points(&[0.5], &[0.5], &[1.5]);
        assert!(matches!(budget, Err(EvalError::LossBudgetOutOfRange { got: 1.5 })));
        let score = spam_operating_points(&[0.5], &[f32::NAN], &LOSS_BUDGETS);
        assert!(matches!(score, Err(EvalError::SpamScoreNotFinite { got }) if got.is_nan()));
    }

    proptest! {
        /// The threshold stays within the budget, and one step lower would break it.
        #[test]
        fn the_threshold_is_the_smallest_within_the_budget(
            genuine in prop::collection::vec((0_u8..40).prop_map(|score| f32::from(score) / 40.0), 1..200),
            budget_percent in 0_u32..100,
        ) {
            let budget = f64::from(budget_percent) / 100.0;
            let point = spam_operating_points(&genuine, &[], &[budget]).unwrap()[0];
            let lost_at = |threshold: f32| genuine.iter().filter(|&&score| score >= threshold).count();
            prop_assert_eq!(lost_at(point.threshold) as u64, point.lost.rows);
            prop_assert!(lost_at(point.threshold) * 100 <= genuine.len() * budget_percent as usize);
            prop_assert!(lost_at(point.threshold.next_down()) * 100 > genuine.len() * budget_percent as usize);
        }
    }
}
