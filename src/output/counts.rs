//! What a run counts of its rows.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bins of equal width over confidences from 0 to 1.
pub(crate) const CONFIDENCE_BINS: usize = 20;

/// Sources whose labels are counted one by one; all further ones are counted together, so that a million files do not fill the
/// memory.
const MOST_SOURCES: usize = 10_000;

/// Name of the sources that are counted together.
const OTHER_SOURCES: &str = "(others)";

/// Counts over rows, by what they say and by where they come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunCounts {
    /// Rows by label; `null` where there is none.
    pub labels: BTreeMap<String, u64>,
    /// The same by source.
    pub sources: BTreeMap<String, BTreeMap<String, u64>>,
    /// Rows by confidence, from 0 to 1 in [`CONFIDENCE_BINS`] bins.
    pub confidence: Vec<u64>,
    /// Rows by language; `null` where it cannot be told.
    pub languages: BTreeMap<String, u64>,
    /// Rows by the reason why there is no confident label.
    pub reasons: BTreeMap<String, u64>,
    /// Tokens of all rows.
    pub tokens: u64,
    /// Windows that all rows were read in.
    pub windows: u64,
    /// What was set aside, by kind.
    pub errors: BTreeMap<String, u64>,
    /// Rows left out by `--where`.
    pub left_out: u64,
}

/// A row, as far as it is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CountedRow<'a> {
    pub source: &'a str,
    pub label: Option<&'a str>,
    pub confidence: f32,
    pub lang: Option<&'a str>,
    pub reason: Option<&'a str>,
    pub tokens: usize,
    pub windows: usize,
}

const NONE: &str = "null";

fn add(counts: &mut BTreeMap<String, u64>, name: &str, count: u64) {
    match counts.get_mut(name) {
        Some(known) => *known += count,
        None => {
            counts.insert(name.to_owned(), count);
        }
    }
}

fn add_all(counts: &mut BTreeMap<String, u64>, others: &BTreeMap<String, u64>) {
    others.iter().for_each(|(name, count)| add(counts, name, *count));
}

impl RunCounts {
    /// Counts a row.
    pub fn count(&mut self, row: CountedRow<'_>) {
        let label = row.label.unwrap_or(NONE);
        add(&mut self.labels, label, 1);
        match self.sources.get_mut(row.source) {
            Some(labels) => add(labels, label, 1),
            None => self.of_source(row.source, &BTreeMap::from([(label.to_owned(), 1)])),
        }
        self.confidence.resize(CONFIDENCE_BINS, 0);
        let bin = (row.confidence * CONFIDENCE_BINS as f32) as usize;
        self.confidence[bin.min(CONFIDENCE_BINS - 1)] += 1;
        add(&mut self.languages, row.lang.unwrap_or(NONE), 1);
        if let Some(reason) = row.reason {
            add(&mut self.reasons, reason, 1);
        }
        self.tokens += row.tokens as u64;
        self.windows += row.windows as u64;
    }

    fn of_source(&mut self, source: &str, labels: &BTreeMap<String, u64>) {
        let known = self.sources.contains_key(source);
        let source = if known || self.sources.len() < MOST_SOURCES { source } else { OTHER_SOURCES };
        add_all(self.sources.entry(source.to_owned()).or_default(), labels);
    }

    /// Counts something that was set aside.
    pub fn reject(&mut self, kind: &str) {
        add(&mut self.errors, kind, 1);
    }

    /// Adds the counts of a later part of the run.
    pub fn add(&mut self, other: &RunCounts) {
        add_all(&mut self.labels, &other.labels);
        other.sources.iter().for_each(|(source, labels)| self.of_source(source, labels));
        if !other.confidence.is_empty() {
            self.confidence.resize(CONFIDENCE_BINS, 0);
            self.confidence.iter_mut().zip(&other.confidence).for_each(|(bin, count)| *bin += count);
        }
        add_all(&mut self.languages, &other.languages);
        add_all(&mut self.reasons, &other.reasons);
        add_all(&mut self.errors, &other.errors);
        self.tokens += other.tokens;
        self.windows += other.windows;
        self.left_out += other.left_out;
    }

    /// Rows in all.
    pub fn rows(&self) -> u64 {
        self.labels.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(source: &str, label: Option<&'static str>, confidence: f32) -> RunCounts {
        let mut counts = RunCounts::default();
        counts.count(CountedRow { source, label, confidence, lang: Some("en"), reason: None, tokens: 3, windows: 1 });
        counts
    }

    #[test]
    fn counts_of_parts_are_those_of_the_whole() {
        let mut sum = RunCounts::default();
        for part in [row("a", Some("opinion"), 1.0), row("b", None, 0.0), row("a", Some("opinion"), 0.51)] {
            sum.add(&part);
        }
        assert_eq!(sum.labels, BTreeMap::from([("opinion".to_owned(), 2), ("null".to_owned(), 1)]));
        assert_eq!(sum.sources["a"]["opinion"], 2);
        assert_eq!((sum.confidence[0], sum.confidence[10], sum.confidence[19]), (1, 1, 1));
        assert_eq!((sum.rows(), sum.tokens), (3, 9));
    }

    #[test]
    fn many_sources_are_counted_together() {
        let mut sum = RunCounts::default();
        for number in 0..MOST_SOURCES + 5 {
            sum.add(&row(&number.to_string(), Some("other"), 0.5));
        }
        assert_eq!(sum.sources.len(), MOST_SOURCES + 1);
        assert_eq!(sum.sources[OTHER_SOURCES]["other"], 5);
    }
}
