//! The deletion test: how often a label changes where the words are gone that it is said to rest on.

use super::bootstrap::{BootstrapOptions, Estimate, percentile};
use super::sampling::group_by_page;
use crate::page::PageKey;
use crate::random::SplitMix64;
use serde::{Deserialize, Serialize};

/// What became of a row's label as each way of choosing words had its words deleted.
#[derive(Clone, Debug, PartialEq)]
pub struct DeletedRow {
    /// For each way the share of its deletions that changed the label, 0 to 1; the last way is chance.
    pub changed: Vec<f64>,
    /// Where the row comes from.
    pub source: Option<String>,
    /// The page that it stands on.
    pub doc: Option<String>,
}

/// What a way of choosing words comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct DeletionFigures {
    /// How the words were chosen.
    pub words: String,
    /// Rows with enough words.
    pub rows: u64,
    /// Share of the rows whose label changed.
    pub changed: Estimate,
    /// How many times as often as with words chosen by chance; `null` if those never change a label.
    pub ratio: Option<Estimate>,
}

/// Rows, and for each way the rows whose label changed.
type Sums = (f64, Vec<f64>);

/// Sums up what became of rows. Intervals draw whole pages, as everywhere; a ratio's draws have both of its shares.
pub fn deletion(ways: &[&str], rows: &[DeletedRow], bootstrap: &BootstrapOptions) -> Vec<DeletionFigures> {
    let pages = rows.iter().map(|row| PageKey::new(row.source.as_deref(), row.doc.as_deref()));
    let (unit_of, units) = group_by_page(pages);
    // Rows and sums of each unit.
    let mut sums = vec![(0.0, vec![0.0; ways.len()]); units];
    for (row, &unit) in rows.iter().zip(&unit_of) {
        sums[unit].0 += 1.0;
        sums[unit].1.iter_mut().zip(&row.changed).for_each(|(sum, changed)| *sum += changed);
    }
    let total = |drawn: &mut dyn Iterator<Item = usize>| {
        let mut total = (0.0, vec![0.0; ways.len()]);
        for unit in drawn {
            total.0 += sums[unit].0;
            total.1.iter_mut().zip(&sums[unit].1).for_each(|(sum, value)| *sum += value);
        }
        total
    };
    let all = total(&mut (0..units));
    let mut random = SplitMix64::new(bootstrap.seed);
    let draws: Vec<_> = (0..if units < 2 { 0 } else { bootstrap.resamples })
        .map(|_| total(&mut (0..units).map(|_| random.below(units))))
        .collect();
    let estimate = |figure: &dyn Fn(&Sums) -> Option<f64>| {
        let mut sample: Vec<f64> = draws.iter().filter_map(figure).collect();
        sample.sort_unstable_by(f64::total_cmp);
        figure(&all).map(|value| Estimate { value, low: percentile(&sample, 0.025), high: percentile(&sample, 0.975) })
    };
    let last = ways.len().saturating_sub(1);
    let figures = ways.iter().enumerate().filter_map(|(way, words)| {
        let changed = estimate(&|(rows, changed)| (*rows > 0.0).then(|| changed[way] / rows))?;
        let ratio = estimate(&|(_, changed)| (changed[last] > 0.0).then(|| changed[way] / changed[last]));
        Some(DeletionFigures { words: (*words).to_owned(), rows: rows.len() as u64, changed, ratio })
    });
    figures.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(changed: [f64; 2], doc: usize) -> DeletedRow {
        DeletedRow { changed: changed.to_vec(), source: None, doc: Some(doc.to_string()) }
    }

    #[test]
    fn shares_and_ratios_have_intervals_by_page() {
        // One row in two changes by choice, one in ten by chance.
        let rows: Vec<DeletedRow> =
            (0..400).map(|index| row([f64::from(index % 2), 0.1], index as usize / 4)).collect();
        let figures = deletion(&["chosen", "chance"], &rows, &BootstrapOptions::default());
        assert_eq!((figures[0].words.as_str(), figures[0].rows, figures[0].changed.value), ("chosen", 400, 0.5));
        let ratio = figures[0].ratio.unwrap();
        assert!((ratio.value - 5.0).abs() < 1e-9, "{ratio:?}");
        // Every page has two rows of four that change: nothing varies between pages.
        assert!((ratio.low.unwrap() - 5.0).abs() < 1e-9 && (ratio.high.unwrap() - 5.0).abs() < 1e-9);
        assert_eq!(figures[1].ratio.unwrap().value, 1.0);
        let rows: Vec<DeletedRow> =
            (0..400).map(|index| row([f64::from(index % 2), 0.1], index as usize % 2)).collect();
        let figures = deletion(&["chosen", "chance"], &rows, &BootstrapOptions::default());
        let ratio = figures[0].ratio.unwrap();
        assert!(ratio.low.unwrap() < 0.5 && ratio.high.unwrap() > 9.5, "two pages that differ: {ratio:?}");
    }

    #[test]
    fn what_never_changes_by_chance_has_no_ratio() {
        let figures = deletion(&["chosen", "chance"], &[row([1.0, 0.0], 0)], &BootstrapOptions::default());
        assert_eq!((figures[0].changed.value, figures[0].changed.low, figures[0].ratio), (1.0, None, None));
        assert!(deletion(&["chosen", "chance"], &[], &BootstrapOptions::default()).is_empty());
    }
}
