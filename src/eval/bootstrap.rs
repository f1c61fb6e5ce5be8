//! Percentile bootstrap intervals of everything that follows from counts and sums over rows.

use super::metrics::LabelCounts;
use super::sampling::group_by_page;
use crate::label::LabelId;
use crate::page::PageKey;
use crate::random::SplitMix64;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is drawn with replacement to form one resample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resampling {
    /// Whole pages, those of [`PageKey`]. Paragraphs of one page resemble each other and are misjudged together, so drawing them one by
    /// one gives intervals that are too narrow. A row that names no page is drawn by itself.
    #[default]
    Documents,
    /// Single rows, as if they were independent.
    Rows,
}

/// How intervals are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct BootstrapOptions {
    /// What is drawn.
    pub resampling: Resampling,
    /// Number of resamples; 0 leaves every interval out.
    pub resamples: u32,
    /// Seed of the draws. The same rows in the same order with the same seed give the same intervals.
    pub seed: u64,
}

impl Default for BootstrapOptions {
    fn default() -> Self {
        BootstrapOptions { resampling: Resampling::Documents, resamples: 2000, seed: 1 }
    }
}

/// A figure with its 95% percentile bootstrap interval.
///
/// `low` and `high` are `null` where there is none: fewer than two units to draw from, or no resamples asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct Estimate {
    /// The figure over all rows.
    pub value: f64,
    /// The 2.5th percentile of the figure over the resamples.
    pub low: Option<f64>,
    /// The 97.5th percentile of the figure over the resamples.
    pub high: Option<f64>,
}

/// One row as the bootstrap sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome<'a> {
    pub gold: LabelId,
    pub predicted: LabelId,
    pub page: Option<PageKey<&'a str>>,
    pub brier: f64,
    pub negative_log_likelihood: f64,
}

/// Rows summed up by unit, so that a resample costs a few additions per unit whatever the length of the texts.
pub(crate) struct Units {
    labels: usize,
    cells: Vec<(LabelId, LabelId, u64)>, // (gold, predicted, rows), all units in a row
    ends: Vec<usize>,                    // [units], where each unit's cells end
    sums: Vec<[f64; 2]>,                 // [units], Brier score and negative log-likelihood
}

impl Units {
    /// Of outcomes with so many labels.
    pub(crate) fn new(labels: usize, outcomes: &[Outcome<'_>], resampling: Resampling) -> Units {
        let (assigned, count) = group_by_page(outcomes.iter().map(|outcome| match resampling {
            Resampling::Documents => outcome.page,
            Resampling::Rows => None,
        }));
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (row, &unit) in assigned.iter().enumerate() {
            members[unit].push(row);
        }
        let (ends, sums) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut units = Units { labels, cells: Vec::new(), ends, sums };
        let mut cells = BTreeMap::new();
        for rows in members {
            let mut sums = [0.0; 2];
            for row in rows {
                let outcome = &outcomes[row];
                *cells.entry((outcome.gold, outcome.predicted)).or_insert(0) += 1;
                sums[0] += outcome.brier;
                sums[1] += outcome.negative_log_likelihood;
            }
            units.cells.extend(
                std::mem::take(&mut cells).into_iter().map(|((gold, predicted), rows)| (gold, predicted, rows)),
            );
            units.ends.push(units.cells.len());
            units.sums.push(sums);
        }
        units
    }

    /// Number of units to draw from.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    fn add_to(&self, unit: usize, totals: &mut Totals) {
        let start = if unit == 0 { 0 } else { self.ends[unit - 1] };
        for &(gold, predicted, rows) in &self.cells[start..self.ends[unit]] {
            totals.counts.add(gold, predicted, rows);
        }
        totals.brier += self.sums[unit][0];
        totals.negative_log_likelihood += self.sums[unit][1];
    }
}

/// Counts and sums over a set of rows; every figure with an interval is computed from one of these.
pub(crate) struct Totals {
    pub counts: LabelCounts,
    brier: f64,
    negative_log_likelihood: f64,
}

impl Totals {
    fn new(labels: usize) -> Totals {
        Totals { counts: LabelCounts::new(labels), brier: 0.0, negative_log_likelihood: 0.0 }
    }

    pub(crate) fn of(units: &Units) -> Totals {
        let mut totals = Totals::new(units.labels);
        for unit in 0..units.len() {
            units.add_to(unit, &mut totals);
        }
        totals
    }

    pub(crate) fn mean_brier(&self) -> Option<f64> {
        self.mean(self.brier)
    }

    pub(crate) fn mean_negative_log_likelihood(&self) -> Option<f64> {
        self.mean(self.negative_log_likelihood)
    }

    fn mean(&self, sum: f64) -> Option<f64> {
        let rows = self.counts.rows();
        (rows > 0).then(|| sum / rows as f64)
    }
}

/// The figures to be estimated, each a function of the totals; `None` where a figure is undefined.
pub(crate) type Figure<'f> = &'f dyn Fn(&Totals) -> Option<f64>;

/// Estimates `figures`, all on the same resamples; `None` for a figure that is undefined over all rows.
///
/// A resample in which a figure is undefined, say the recall of a label that was not drawn, is left out of that figure's
/// percentiles.
pub(crate) fn estimate(units: &Units, options: &BootstrapOptions, figures: &[Figure<'_>]) -> Vec<Option<Estimate>> {
    let mut samples: Vec<Vec<f64>> = vec![Vec::new(); figures.len()];
    // A single unit can only be drawn as itself: the interval would have no width and say nothing.
    if units.len() >= 2 {
        let mut random = SplitMix64::new(options.seed);
        let mut totals = Totals::new(units.labels);
        for _ in 0..options.resamples {
            totals.counts.clear();
            totals.brier = 0.0;
            totals.negative_log_likelihood = 0.0;
            for _ in 0..units.len() {
                units.add_to(random.below(units.len()), &mut totals);
            }
            for (figure, sample) in figures.iter().zip(&mut samples) {
                sample.extend(figure(&totals));
            }
        }
    }
    let totals = Totals::of(units);
    figures
        .iter()
        .zip(&mut samples)
        .map(|(figure, sample)| {
            sample.sort_unstable_by(f64::total_cmp);
            figure(&totals).map(|value| Estimate {
                value,
                low: percentile(sample, 0.025),
                high: percentile(sample, 0.975),
            })
        })
        .collect()
}

/// The value below which a `share` of the sorted values lies, linear between neighbours; `None` without values.
pub(super) fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = share * last as f64;
    let below = (position.floor() as usize).min(last);
    let above = (below + 1).min(last);
    let fraction = position - below as f64;
    // Written so that two equal neighbours give exactly their value.
    Some(sorted[below] + fraction * (sorted[above] - sorted[below]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::built_in::{OPINION, REPORTING};

    fn outcome(correct: bool, document: Option<&str>) -> Outcome<'_> {
        let predicted = if correct { REPORTING } else { OPINION };
        let page = PageKey::new(None, document);
        Outcome { gold: REPORTING, predicted, page, brier: 0.5, negative_log_likelihood: 0.25 }
    }

    fn accuracy(outcomes: &[Outcome<'_>], options: BootstrapOptions) -> Estimate {
        let units = Units::new(2, outcomes, options.resampling);
        estimate(&units, &options, &[&|totals: &Totals| totals.counts.accuracy()])[0].unwrap()
    }

    #[test]
    fn percentiles_are_linear_between_neighbours() {
        // numpy.percentile([1, 2, 4, 8], [0, 2.5, 50, 97.5, 100]) = [1, 1.075, 3, 7.7, 8]
        let values = [1.0, 2.0, 4.0, 8.0];
        for (share, expected) in [(0.0, 1.0), (0.025, 1.075), (0.5, 3.0), (0.975, 7.7), (1.0, 8.0)] {
            assert!((percentile(&values, share).unwrap() - expected).abs() < 1e-12);
        }
        assert_eq!(percentile(&[], 0.5), None);
        assert_eq!(percentile(&[3.0], 0.975), Some(3.0));
    }

    #[test]
    fn the_interval_by_rows_has_the_width_that_theory_gives() {
        // 400 rows, 80% right: standard error sqrt(0.8 * 0.2 / 400) = 0.02, so about 0.8 ± 0.0392.
        let outcomes: Vec<_> = (0..400).map(|row| outcome(row % 5 != 0, None)).collect();
        let estimate = accuracy(&outcomes, BootstrapOptions { resampling: Resampling::Rows, ..Default::default() });
        assert_eq!(estimate.value, 0.8);
        assert!((estimate.low.unwrap() - 0.7608).abs() < 0.006, "{estimate:?}");
        assert!((estimate.high.unwrap() - 0.8392).abs() < 0.006, "{estimate:?}");
    }

    #[test]
    fn rows_that_err_together_widen_the_interval_by_documents() {
        // The same 400 rows in 40 documents of ten that are right or wrong as a whole: the standard error grows by
        // sqrt(10), to 0.0632.
        let names: Vec<String> = (0..40).map(|document| document.to_string()).collect();
        let outcomes: Vec<_> =
            (0..400).map(|row| outcome((row / 10) % 5 != 0, Some(names[row / 10].as_str()))).collect();
        let by_document = accuracy(&outcomes, BootstrapOptions::default());
        let by_row = accuracy(&outcomes, BootstrapOptions { resampling: Resampling::Rows, ..Default::default() });
        let width = |estimate: Estimate| estimate.high.unwrap() - estimate.low.unwrap();
        assert_eq!(by_document.value, by_row.value);
        let ratio = width(by_document) / width(by_row);
        assert!((ratio - 10.0_f64.sqrt()).abs() < 0.35, "{ratio}");
    }

    #[test]
    fn the_seed_decides() {
        let outcomes: Vec<_> = (0..57).map(|row| outcome(row % 3 != 0, None)).collect();
        let with_seed = |seed| accuracy(&outcomes, BootstrapOptions { seed, resamples: 200, ..Default::default() });
        assert_eq!(with_seed(5), with_seed(5));
        assert_ne!(with_seed(5), with_seed(6));
    }

    #[test]
    fn one_document_or_no_resamples_give_no_interval() {
        let outcomes = [outcome(true, Some("a")), outcome(false, Some("a"))];
        let estimate = accuracy(&outcomes, BootstrapOptions::default());
        assert_eq!(estimate, Estimate { value: 0.5, low: None, high: None });
        let rows = BootstrapOptions { resampling: Resampling::Rows, resamples: 0, seed: 1 };
        assert_eq!(accuracy(&outcomes, rows), Estimate { value: 0.5, low: None, high: None });
    }

    #[test]
    fn sums_are_kept_by_unit() {
        let outcomes = [outcome(true, Some("a")), outcome(false, None), outcome(true, Some("a"))];
        let units = Units::new(2, &outcomes, Resampling::Documents);
        assert_eq!(units.len(), 2);
        let totals = Totals::of(&units);
        assert_eq!(totals.counts.rows(), 3);
        assert_eq!(totals.mean_brier(), Some(0.5));
        assert_eq!(totals.mean_negative_log_likelihood(), Some(0.25));
    }
}
