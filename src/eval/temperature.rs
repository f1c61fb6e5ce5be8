//! Temperature scaling: one divisor for all logits, fitted so that probabilities mean what they say, and its error
//! measured on pages that it was not fitted on.

use super::EvalError;
use super::calibration::Calibration;
use super::metrics::{brier_score, negative_log_likelihood};
use super::sampling::group_by_page;
use crate::label::{LabelId, LabelSet, Scores};
use crate::page::PageKey;
use crate::random::SplitMix64;
use serde::{Deserialize, Serialize};

/// The smallest and the largest temperature that a fit gives. Rows that are all judged right ask for a temperature of
/// 0; rows no better than chance for an infinite one.
pub const TEMPERATURE_RANGE: [f32; 2] = [0.05, 20.0];

/// Rows that the stored temperature counts for beside those that a new one is fitted on.
pub const PRIOR_ROWS: f32 = 50.0;

/// The temperature at which the mean negative log-likelihood of the gold labels is least (Guo et al. 2017), within
/// [`TEMPERATURE_RANGE`]; 1 where the logits say nothing.
///
/// `logits` is `[rows, labels]`, `gold` `[rows]`. The likelihood is convex in the inverse temperature, so Newton
/// steps kept inside a shrinking bracket find its one minimum.
///
/// # Errors
///
/// [`EvalError::NoRows`], [`EvalError::LengthMismatch`], [`EvalError::RowWidth`], [`EvalError::LogitNotFinite`].
///
/// # Panics
///
/// If a gold label is beyond the logits.
#[cfg(test)]
pub fn fit_temperature<R: AsRef<[f32]>>(logits: &[R], gold: &[LabelId]) -> Result<f32, EvalError> {
    check(logits, gold)?;
    let rows: Vec<usize> = (0..logits.len()).collect();
    Ok(fit(logits, gold, &rows))
}

/// What a temperature does to the probabilities of a data set, measured without flattering it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct TemperatureFit {
    /// Fitted on all rows and drawn towards the stored one: the one to store with a model.
    pub temperature: f32,
    /// Rows that it rests on.
    pub rows: usize,
    /// `[folds]`: fitted in the same way on the rows outside each fold. Their spread shows how certain `temperature` is.
    pub fold_temperatures: Vec<f32>,
    /// The rows at the stored temperature.
    pub before: CalibrationSummary,
    /// Each row at the temperature fitted on the other folds.
    pub after: CalibrationSummary,
}

impl TemperatureFit {
    /// Whether rows that it was not fitted on are likelier at the new temperature than at the stored one.
    pub fn improves(&self) -> bool {
        self.after.negative_log_likelihood < self.before.negative_log_likelihood
    }
}

/// How good the probabilities of a data set are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct CalibrationSummary {
    /// Mean negative log-likelihood of the gold labels, in nats.
    pub negative_log_likelihood: f64,
    /// Mean Brier score over the labels, `0.0..=2.0`.
    pub brier_score: f64,
    /// Reliability of the highest probability.
    pub calibration: Calibration,
}

impl CalibrationSummary {
    fn of(scores: &[Scores], gold: &[LabelId]) -> CalibrationSummary {
        let pairs = || scores.iter().zip(gold.iter().copied());
        let rows = gold.len() as f64;
        CalibrationSummary {
            negative_log_likelihood: pairs().map(|(scores, gold)| negative_log_likelihood(scores, gold)).sum::<f64>()
                / rows,
            brier_score: pairs().map(|(scores, gold)| brier_score(scores, gold)).sum::<f64>() / rows,
            calibration: Calibration::of_scores(pairs()),
        }
    }
}

/// Fits a temperature on all rows, and measures the probabilities it gives by cross-fitting: the pages are dealt into
/// `folds` folds, and each fold is scaled by the temperature of the others.
///
/// Few rows say little: a fitted temperature is drawn towards `stored`, the one that the model has, as far as
/// [`PRIOR_ROWS`] further rows that ask for that one would draw it.
///
/// `logits` is `[rows, labels]`, in the order of `labels`; `gold` and `pages` are `[rows]`. A row without a page is a page of
/// its own.
///
/// # Errors
///
/// [`EvalError::NoRows`], [`EvalError::LengthMismatch`], [`EvalError::RowWidth`], [`EvalError::LogitNotFinite`], and [`EvalError::FoldCount`] unless there are at least two folds and a page for each.
///
/// # Panics
///
/// If a gold label is beyond the logits.
pub fn cross_fit_temperature<R: AsRef<[f32]>>(
    labels: &LabelSet,
    logits: &[R],
    gold: &[LabelId],
    pages: &[Option<PageKey<&str>>],
    stored: f32,
    folds: usize,
    seed: u64,
) -> Result<TemperatureFit, EvalError> {
    check(logits, gold)?;
    check_rows(logits.iter().map(AsRef::as_ref), labels.len())?;
    let fold_of_row = assign_folds(pages, folds, seed)?;
    if fold_of_row.len() != logits.len() {
        return Err(EvalError::LengthMismatch { expected: logits.len(), got: pages.len() });
    }
    let outside = |fold: usize| -> Vec<usize> { (0..logits.len()).filter(|&row| fold_of_row[row] != fold).collect() };
    let fold_temperatures: Vec<f32> = (0..folds).map(|fold| drawn(logits, gold, &outside(fold), stored)).collect();
    let at_stored = |logits: &R| Scores::at_temperature(labels, logits.as_ref(), stored);
    let before: Vec<Scores> = logits.iter().map(at_stored).collect();
    let after: Vec<Scores> = logits
        .iter()
        .zip(&fold_of_row)
        .map(|(logits, &fold)| Scores::at_temperature(labels, logits.as_ref(), fold_temperatures[fold]))
        .collect();
    Ok(TemperatureFit {
        temperature: drawn(logits, gold, &(0..logits.len()).collect::<Vec<_>>(), stored),
        rows: logits.len(),
        fold_temperatures,
        before: CalibrationSummary::of(&before, gold),
        after: CalibrationSummary::of(&after, gold),
    })
}

/// The temperature of some rows, drawn towards the stored one: a mean of logarithms, weighted by rows.
fn drawn<R: AsRef<[f32]>>(logits: &[R], gold: &[LabelId], rows: &[usize], stored: f32) -> f32 {
    let own = rows.len() as f32 / (rows.len() as f32 + PRIOR_ROWS);
    let logarithm = own * fit(logits, gold, rows).ln() + (1.0 - own) * stored.ln();
    let [coolest, hottest] = TEMPERATURE_RANGE;
    logarithm.exp().clamp(coolest, hottest)
}

/// Deals pages into folds of nearly equal numbers of rows: `[rows]`, the fold of each row, `0..folds`.
///
/// Rows of one page are in one fold; a row without a page is a page of its own. The pages are shuffled,
/// then each goes to the fold that has the fewest rows so far.
///
/// # Errors
///
/// [`EvalError::FoldCount`] unless there are at least two folds and a page for each.
pub fn assign_folds(pages: &[Option<PageKey<&str>>], folds: usize, seed: u64) -> Result<Vec<usize>, EvalError> {
    let (unit_of_row, units) = group_by_page(pages.iter().copied());
    if folds < 2 || units < folds {
        return Err(EvalError::FoldCount { pages: units, got: folds });
    }
    let mut rows_of_unit = vec![0_usize; units];
    for &unit in &unit_of_row {
        rows_of_unit[unit] += 1;
    }
    let mut order: Vec<usize> = (0..units).collect();
    SplitMix64::new(seed).shuffle(&mut order);
    let mut rows_of_fold = vec![0_usize; folds];
    let mut fold_of_unit = vec![0_usize; units];
    for unit in order {
        let smallest = (0..folds).min_by_key(|&fold| rows_of_fold[fold]).unwrap_or(0);
        fold_of_unit[unit] = smallest;
        rows_of_fold[smallest] += rows_of_unit[unit];
    }
    Ok(unit_of_row.into_iter().map(|unit| fold_of_unit[unit]).collect())
}

/// Checks rows of logits, all of one width, and that there is a gold label for each.
pub(super) fn check<R: AsRef<[f32]>>(logits: &[R], gold: &[LabelId]) -> Result<(), EvalError> {
    if logits.len() != gold.len() {
        return Err(EvalError::LengthMismatch { expected: logits.len(), got: gold.len() });
    }
    let first = logits.first().ok_or(EvalError::NoRows)?;
    check_rows(logits.iter().map(AsRef::as_ref), first.as_ref().len())
}

/// Checks that rows have so many logits, all finite.
pub(super) fn check_rows<'a>(rows: impl Iterator<Item = &'a [f32]>, labels: usize) -> Result<(), EvalError> {
    for (row, logits) in rows.enumerate() {
        if logits.len() != labels {
            return Err(EvalError::RowWidth { row, expected: labels, got: logits.len() });
        }
        if let Some((output, &got)) = logits.iter().enumerate().find(|(_, logit)| !logit.is_finite()) {
            return Err(EvalError::LogitNotFinite { row, output, got });
        }
    }
    Ok(())
}

/// The temperature that fits some of the rows best; they have been checked.
fn fit<R: AsRef<[f32]>>(logits: &[R], gold: &[LabelId], rows: &[usize]) -> f32 {
    const MOST_STEPS: usize = 100;
    let derivatives = |inverse: f64| {
        rows.iter().fold((0.0, 0.0), |(first, second), &row| {
            let (row_first, row_second) = likelihood_derivatives(logits[row].as_ref(), gold[row], inverse);
            (first + row_first, second + row_second)
        })
    };
    let [coolest, hottest] = TEMPERATURE_RANGE;
    let (mut low, mut high) = (1.0 / f64::from(hottest), 1.0 / f64::from(coolest));
    let mut inverse = 1.0;
    for _ in 0..MOST_STEPS {
        let (first, second) = derivatives(inverse);
        if first == 0.0 {
            break;
        }
        if first < 0.0 {
            low = inverse;
        } else {
            high = inverse;
        }
        let newton = inverse - first / second;
        // Near an end of the range Newton may leave the bracket, or divide by 0: halve the bracket instead.
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if (next - inverse).abs() <= 1e-12 * inverse {
            break;
        }
        inverse = next;
    }
    ((1.0 / inverse) as f32).clamp(coolest, hottest)
}

/// First and second derivative of one row's negative log-likelihood by the inverse temperature: the mean logit under
/// the scaled probabilities less the gold label's logit, and the variance of the logit under them.
fn likelihood_derivatives(logits: &[f32], gold: LabelId, inverse: f64) -> (f64, f64) {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shifted = |logit: f32| f64::from(logit) - f64::from(max);
    let (mut total, mut first, mut second) = (0.0, 0.0, 0.0);
    for &logit in logits {
        let logit = shifted(logit);
        let weight = (logit * inverse).exp();
        total += weight;
        first += logit * weight;
        second += logit.powi(2) * weight;
    }
    let mean = first / total;
    (mean - shifted(logits[gold.index()]), (second / total - mean * mean).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::built_in::{OPINION, OTHER, REPORTING};
    use proptest::prelude::*;

    const SURE: [f32; 5] = [4.0, 0.0, 0.0, 0.0, 0.0];

    /// `right` rows of reporting and `wrong` rows of opinion, all with the logits of `SURE`.
    fn rows(right: usize, wrong: usize) -> (Vec<[f32; 5]>, Vec<LabelId>) {
        let mut gold = vec![REPORTING; right];
        gold.extend(vec![OPINION; wrong]);
        (vec![SURE; right + wrong], gold)
    }

    #[test]
    fn the_fit_of_a_case_with_a_closed_form() {
        // 70% of equal rows are right: the best temperature gives probability 0.7, exp(4/T) / (exp(4/T) + 4) = 0.7,
        // so T = 4 / ln(4 * 0.7 / 0.3) = 1.790817...
        let (logits, gold) = rows(70, 30);
        let temperature = fit_temperature(&logits, &gold).unwrap();
        assert!((f64::from(temperature) - 4.0 / (2.8_f64 / 0.3).ln()).abs() < 1e-5, "{temperature}");
        assert!((Scores::at_temperature(&LabelSet::copydesk(), &SURE, temperature).get(REPORTING) - 0.7).abs() < 1e-6);
    }

    #[test]
    fn few_rows_move_a_temperature_little_and_many_move_it_all_the_way() {
        let at = |rows: usize, stored: f32| {
            let (logits, gold) = self::rows(rows, 0);
            drawn(&logits, &gold, &(0..rows).collect::<Vec<_>>(), stored)
        };
        // Rows that are all right ask for the coolest temperature there is.
        assert!((at(40, 1.0) - 0.05_f32.powf(40.0 / 90.0)).abs() < 1e-3, "{}", at(40, 1.0));
        assert!(at(10_000, 1.0) < 0.052 && (at(1, 0.9) - 0.9).abs() < 0.06);
    }

    #[test]
    fn the_ends_of_the_range_are_kept() {
        let (logits, gold) = rows(10, 0);
        assert!((fit_temperature(&logits, &gold).unwrap() - TEMPERATURE_RANGE[0]).abs() < 1e-6);
        let (logits, gold) = rows(0, 10);
        assert!((fit_temperature(&logits, &gold).unwrap() - TEMPERATURE_RANGE[1]).abs() < 1e-3);
        assert_eq!(fit_temperature(&[[0.3; 5]; 4], &[OTHER; 4]).unwrap(), 1.0);
    }

    #[test]
    fn unusable_input_is_refused() {
        assert!(matches!(fit_temperature::<[f32; 5]>(&[], &[]), Err(EvalError::NoRows)));
        let lengths = fit_temperature(&[SURE], &[]);
        assert!(matches!(lengths, Err(EvalError::LengthMismatch { expected: 1, got: 0 })));
        let logits = [SURE, [0.0, 0.0, f32::NAN, 0.0, 0.0]];
        let error = fit_temperature(&logits, &[OTHER; 2]).unwrap_err();
        assert!(matches!(error, EvalError::LogitNotFinite { row: 1, output: 2, .. }));
        let widths = [&SURE[..], &SURE[..4]];
        assert!(matches!(
            fit_temperature(&widths, &[OTHER; 2]),
            Err(EvalError::RowWidth { row: 1, expected: 5, got: 4 })
        ));
        let labels = LabelSet::copydesk();
        let one_page = [PageKey::new(None, Some("a")); 2];
        let error = cross_fit_temperature(&labels, &[SURE; 2], &[OTHER; 2], &one_page, 1.0, 2, 1).unwrap_err();
        assert!(matches!(error, EvalError::FoldCount { pages: 1, got: 2 }));
        let error = cross_fit_temperature(&labels, &[SURE; 2], &[OTHER; 2], &[None; 3], 1.0, 2, 1).unwrap_err();
        assert!(matches!(error, EvalError::LengthMismatch { expected: 2, got: 3 }));
    }

    #[test]
    fn folds_keep_pages_whole_and_balance_rows() {
        let names: Vec<String> = (0..100).map(|row| (row / 3).to_string()).collect();
        let pages: Vec<_> = names.iter().map(|name| PageKey::new(None, Some(name.as_str()))).collect();
        let folds = assign_folds(&pages, 5, 9).unwrap();
        for (left, right) in names.iter().zip(&folds).zip(names.iter().zip(&folds).skip(1)) {
            assert!(left.0 != right.0 || left.1 == right.1);
        }
        for fold in 0..5 {
            let rows = folds.iter().filter(|&&other| other == fold).count();
            assert!((17..=23).contains(&rows), "{rows}");
        }
        assert_eq!(folds, assign_folds(&pages, 5, 9).unwrap());
        assert_ne!(folds, assign_folds(&pages, 5, 10).unwrap());
        assert!(matches!(assign_folds(&pages, 1, 9), Err(EvalError::FoldCount { .. })));
    }

    #[test]
    fn cross_fitting_uses_the_other_folds_alone() {
        // Two documents: one all right, one half right. With two folds each is scaled by what the other asks for.
        let (mut logits, mut gold) = rows(4, 0);
        let (more_logits, more_gold) = rows(2, 2);
        logits.extend(more_logits);
        gold.extend(more_gold);
        let pages: Vec<_> =
            (0..8).map(|row| PageKey::new(None, Some(if row < 4 { "right" } else { "half" }))).collect();
        let fit = cross_fit_temperature(&LabelSet::copydesk(), &logits, &gold, &pages, 1.0, 2, 1).unwrap();
        let of_half = drawn(&logits, &gold, &[4, 5, 6, 7], 1.0);
        let of_right = drawn(&logits, &gold, &[0, 1, 2, 3], 1.0);
        let mut expected = vec![of_right, of_half];
        let mut got = fit.fold_temperatures.clone();
        expected.sort_by(f32::total_cmp);
        got.sort_by(f32::total_cmp);
        assert_eq!(got, expected);
        assert_eq!(fit.temperature, drawn(&logits, &gold, &(0..8).collect::<Vec<_>>(), 1.0));
        assert_eq!(fit.rows, 8);
        let json = serde_json::to_string(&fit).unwrap();
        assert_eq!(serde_json::from_str::<TemperatureFit>(&json).unwrap(), fit);
    }

    #[test]
    fn scaling_repairs_overconfidence_on_documents_not_fitted_on() {
        let names: Vec<String> = (0..400).map(|row| (row / 4).to_string()).collect();
        let pages: Vec<_> = names.iter().map(|name| PageKey::new(None, Some(name.as_str()))).collect();
        let mut random = SplitMix64::new(11);
        let gold: Vec<LabelId> = (0..400).map(|_| if random.below(10) < 7 { REPORTING } else { OPINION }).collect();
        let fit = cross_fit_temperature(&LabelSet::copydesk(), &vec![SURE; 400], &gold, &pages, 1.0, 5, 1).unwrap();
        assert!(fit.before.calibration.expected_calibration_error > 0.15);
        assert!(fit.after.calibration.expected_calibration_error < 0.05);
        assert!(fit.after.negative_log_likelihood < fit.before.negative_log_likelihood);
        assert!(fit.after.brier_score < fit.before.brier_score);
    }

    proptest! {
        /// No temperature nearby is better than the fitted one.
        #[test]
        fn the_fit_is_a_minimum(
            rows in prop::collection::vec((prop::array::uniform5(-6.0_f32..6.0), 0_usize..5), 1..60),
        ) {
            let logits: Vec<_> = rows.iter().map(|row| row.0).collect();
            let gold: Vec<_> = rows.iter().map(|row| LabelId::at(row.1)).collect();
            let temperature = fit_temperature(&logits, &gold).unwrap();
            let [coolest, hottest] = TEMPERATURE_RANGE;
            let likelihood = |temperature: f32| -> f64 {
                logits.iter().zip(&gold).map(|(logits, gold)| {
                    let logits = logits.map(|logit| f64::from(logit) / f64::from(temperature));
                    let max = logits.into_iter().fold(f64::NEG_INFINITY, f64::max);
                    let sum: f64 = logits.iter().map(|logit| (logit - max).exp()).sum();
                    max + sum.ln() - logits[gold.index()]
                }).sum()
            };
            let best = likelihood(temperature);
            for factor in [0.9_f32, 0.99, 1.01, 1.1] {
                let other = (temperature * factor).clamp(coolest, hottest);
                prop_assert!(likelihood(other) >= best - 1e-6 * best.abs().max(1.0));
            }
        }
    }
}
