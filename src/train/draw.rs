//! Which rows to learn from: even draws, and the runs of neighbouring rows that stand on one page.

use super::data::LabelledRow;
use crate::corpus::page_ranges;
use crate::label::{LabelId, LabelSet};
use crate::random::SplitMix64;
use std::collections::BTreeMap;
use std::ops::Range;

/// Paragraphs of a page that are trained on together; a longer run of rows is cut.
pub(super) const RUN: usize = 16;

/// Draws `count` rows, evenly over the labels and, within a label, evenly over the sources as far as they last, so that
/// one large collection does not speak for its label. All rows where there are no more than `count`, or it is 0. Rows without
/// a label stand with those of the last one.
pub(super) fn draw_evenly(rows: Vec<LabelledRow>, labels: &LabelSet, count: usize, seed: u64) -> Vec<LabelledRow> {
    if count == 0 || rows.len() <= count {
        return rows;
    }
    let mut random = SplitMix64::new(seed);
    let mut pools: Vec<BTreeMap<String, Vec<LabelledRow>>> = vec![BTreeMap::new(); labels.len()];
    for row in rows {
        let label = row.label.as_ref().and_then(|label| labels.id(label.as_str()));
        pools[label.map_or(labels.len() - 1, LabelId::index)]
            .entry(row.source.clone().unwrap_or_default())
            .or_default()
            .push(row);
    }
    for pool in pools.iter_mut().flat_map(BTreeMap::values_mut) {
        random.shuffle(pool);
    }
    let mut drawn = Vec::with_capacity(count);
    while drawn.len() < count && pools.iter().any(|pool| !pool.is_empty()) {
        for pool in &mut pools {
            // One row of a random source, not one of every source, so that labels with many sources get no more rows.
            let Some(name) = pool.keys().nth(random.below(pool.len())).cloned() else { continue };
            let Some(rows) = pool.get_mut(&name) else { continue };
            drawn.extend(rows.pop());
            if rows.is_empty() {
                pool.remove(&name);
            }
        }
    }
    drawn.truncate(count);
    drawn
}

/// The ranges of neighbouring rows that are one page: same source, same doc. A row without doc is a page of its own.
pub fn pages(rows: &[LabelledRow]) -> Vec<Range<usize>> {
    let keys: Vec<_> = rows.iter().map(LabelledRow::page).collect();
    page_ranges(&keys)
}

/// Draws about `count` rows of one file: evenly over labels and sources, as weakly labelled rows are drawn, where rows
/// have labels; otherwise whole runs of neighbouring rows, at most 16 rows long, at random, so that pages stay pages. All
/// rows where there are no more than `count`, or it is 0.
pub fn draw_texts(rows: Vec<LabelledRow>, labels: &LabelSet, count: usize, seed: u64) -> Vec<LabelledRow> {
    if rows.iter().any(|row| row.input_label.is_some()) {
        return draw_evenly(rows, labels, count, seed);
    }
    if count == 0 || rows.len() <= count {
        return rows;
    }
    let numbers = run_numbers(&rows);
    let mut order: Vec<usize> = (0..=numbers.last().copied().unwrap_or(0)).collect();
    SplitMix64::new(seed).shuffle(&mut order);
    let mut lengths = vec![0; order.len()];
    numbers.iter().for_each(|&number| lengths[number] += 1);
    let mut drawn = vec![false; order.len()];
    let mut total = 0;
    for run in order {
        if total < count {
            drawn[run] = true;
            total += lengths[run];
        }
    }
    rows.into_iter().zip(numbers).filter(|(_, number)| drawn[*number]).map(|(row, _)| row).collect()
}

/// For every row the number of its run: neighbouring rows with the same source and doc, at most [`RUN`] of them. Rows
/// without doc are runs of their own.
pub(super) fn run_numbers(rows: &[LabelledRow]) -> Vec<usize> {
    let runs =
        pages(rows).into_iter().flat_map(|page| page.clone().step_by(RUN).map(move |start| RUN.min(page.end - start)));
    runs.enumerate().flat_map(|(number, length)| std::iter::repeat_n(number, length)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::Label;

    fn row(label: &str, source: &str) -> LabelledRow {
        LabelledRow { source: Some(source.into()), ..LabelledRow::new("t", label) }
    }

    #[test]
    fn neighbours_on_a_page_are_one_run() {
        let on = |source: &str, doc: Option<&str>| LabelledRow { doc: doc.map(str::to_owned), ..row("other", source) };
        let mut rows = vec![on("a", Some("1")), on("a", Some("1")), on("b", Some("1")), on("b", None), on("b", None)];
        rows.extend(vec![on("c", Some("2")); RUN + 2]);
        let numbers = run_numbers(&rows);
        assert_eq!(numbers[..6], [0, 0, 1, 2, 3, 4]);
        assert_eq!(numbers[5..].iter().filter(|&&number| number == 4).count(), RUN);
        assert_eq!(numbers.last(), Some(&5));
    }

    #[test]
    fn texts_without_labels_are_drawn_in_whole_runs() {
        let on = |doc: &str| LabelledRow { doc: Some(doc.to_owned()), ..row("other", "pages") };
        let rows: Vec<LabelledRow> =
            (0..50).flat_map(|page| vec![on(&page.to_string()); 3]).chain(vec![on("long"); 2 * RUN]).collect();
        let labels = LabelSet::copydesk();
        let drawn = draw_texts(rows.clone(), &labels, 60, 7);
        assert!((60..60 + RUN).contains(&drawn.len()), "{}", drawn.len());
        let of = |doc: &str| drawn.iter().filter(|row| row.doc.as_deref() == Some(doc)).count();
        assert!((0..50).all(|page| matches!(of(&page.to_string()), 0 | 3)));
        assert_eq!(of("long") % RUN, 0);
        assert_eq!(draw_texts(rows.clone(), &labels, 0, 7), rows);
        let labelled: Vec<LabelledRow> = rows
            .into_iter()
            .map(|row| LabelledRow { input_label: Some(Label::new("other").unwrap()), ..row })
            .collect();
        assert_eq!(draw_texts(labelled, &labels, 60, 7).len(), 60);
    }

    #[test]
    fn drawing_balances_labels_and_sources() {
        let mut rows = vec![row("opinion", "large"); 900];
        rows.extend(vec![row("opinion", "small"); 40]);
        rows.extend(vec![row("other", "pages"); 60]);
        let drawn = draw_evenly(rows, &LabelSet::copydesk(), 120, 3);
        let count = |label: &str, source: &str| {
            drawn
                .iter()
                .filter(|r| r.label.as_ref().is_some_and(|name| *name == label) && r.source.as_deref() == Some(source))
                .count()
        };
        assert_eq!(drawn.len(), 120);
        assert_eq!(count("other", "pages"), 60);
        assert!((20..=40).contains(&count("opinion", "small")), "{}", count("opinion", "small"));
    }
}
