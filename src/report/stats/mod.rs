//! What labelled rows say together: counts, shares, confidence, examples. One pass, in bounded memory.

mod counts;
mod table;

pub use counts::ByValue;
pub use table::StatsTable;

use self::counts::{Distinct, Frequent, Smallest, start_of};
use super::labelled::LabelledRow;
use crate::fnv::{FNV_OFFSET, fnv_step};
use crate::label::LABEL_COUNTS;
use crate::random::SplitMix64;
use serde::Serialize;
use std::collections::BTreeMap;

/// Parts of equal width that confidences are counted in.
const BINS: usize = 10;

/// Examples of each label.
const EXAMPLES: usize = 3;

/// Rows shown of those with the lowest confidence.
const LEAST_SURE: usize = 5;

/// Sources that are counted at a time.
const SOURCES: usize = 4_096;

/// Languages and reasons that are counted at a time: more than there are.
const FEW: usize = 256;

/// Documents up to which their number is exact; beyond, its standard error is 0.4%.
const EXACT_DOCUMENTS: usize = 65_536;

/// Characters of an example's text, and bytes of its document's name.
const EXAMPLE_CHARACTERS: usize = 300;

/// What is counted beside the labels.
#[derive(Clone, Debug, Default)]
pub struct StatsOptions {
    /// Field by whose values rows are counted; by the file that they come from if `None`.
    pub by: Option<String>,
}

/// Statistics that are being made.
#[derive(Clone, Debug)]
pub struct Stats {
    options: StatsOptions,
    rows: u64,
    documents: Distinct,
    confidence: Mean,
    histogram: [u64; BINS],
    labels: BTreeMap<String, OfLabel>,
    /// Rows with a label beyond the most that are told apart.
    further_labels: u64,
    without_label: u64,
    tokens: Mean,
    in_windows: u64,
    languages: Frequent,
    reasons: Frequent,
    by: Frequent,
    least_sure: Smallest<(u64, u64), Example>,
}

/// A mean that is being made.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: f64,
    count: u64,
}

impl Mean {
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.sum += value;
            self.count += 1;
        }
    }

    fn value(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

#[derive(Clone, Debug)]
struct OfLabel {
    rows: u64,
    confidence: Mean,
    examples: Smallest<(u64, Option<u64>), Example>,
}

/// Finished statistics, as `copydesk stats --json` writes them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Rows that were counted.
    pub rows: u64,
    /// Rows that `--where` left out.
    pub left_out: u64,
    /// Different documents; a row without `doc` is one of its own.
    pub documents: u64,
    /// Whether their number is exact; else it is an estimate with a standard error of 0.4%.
    pub documents_exact: bool,
    /// Mean of the confidences; `None` if there are none.
    pub mean_confidence: Option<f64>,
    /// Rows by confidence in parts of 0.1; 1 counts to the last.
    pub confidence_histogram: [u64; BINS],
    /// Rows whose confidence is missing, or no number from 0 to 1.
    pub without_confidence: u64,
    /// Rows by label, the most frequent first.
    pub labels: Vec<LabelSummary>,
    /// Rows without a label.
    pub without_label: u64,
    /// Rows with a label beyond the first 1,000 different ones.
    pub further_labels: u64,
    /// Tokens of all rows.
    pub tokens: u64,
    /// Mean over the rows that tell their tokens.
    pub tokens_per_row: Option<f64>,
    /// Rows that were read in more than one window.
    pub rows_in_windows: u64,
    /// Rows by language.
    pub lang: ByValue,
    /// Rows by the reason for which there is no confident label.
    pub reason: ByValue,
    /// The field that `by` is about; `None` if it is the file.
    pub by_field: Option<String>,
    /// Rows by file, or by the field that was asked for.
    pub by: ByValue,
    /// The rows with the lowest confidence, the lowest first.
    pub least_sure: Vec<Example>,
}

/// Rows of a label.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LabelSummary {
    /// Its name.
    pub label: String,
    /// How many there are.
    pub rows: u64,
    /// Their share of all rows, 0 to 1.
    pub share: f64,
    /// Mean of their confidences.
    pub mean_confidence: Option<f64>,
    /// Some of them, chosen by a hash, so that they do not depend on the order of the rows.
    pub examples: Vec<Example>,
}

/// A row that is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Example {
    /// Name of the document, or the record's id.
    pub doc: Option<String>,
    /// File and line, where the row tells them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// See `file`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Number of the paragraph in the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paragraph: Option<u64>,
    /// Byte offsets in the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<u64>,
    /// See `start`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<u64>,
    /// The label.
    pub label: Option<String>,
    /// Its probability.
    pub confidence: Option<f64>,
    /// The text where the row has it, cut after 300 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Example {
    fn of(row: &LabelledRow<'_>) -> Example {
        let cut = |text: std::borrow::Cow<'_, str>| text.chars().take(EXAMPLE_CHARACTERS).collect::<String>();
        Example {
            doc: row.text_of("doc").or_else(|| row.text_of("id")).map(cut),
            file: row.text_of("file").map(cut),
            line: row.count("line"),
            paragraph: row.count("paragraph"),
            start: row.count("start"),
            end: row.count("end"),
            label: row.label().map(cut),
            confidence: row.confidence(),
            text: row.text().map(cut),
        }
    }
}

impl Stats {
    /// Statistics of no rows.
    pub fn new(options: StatsOptions) -> Stats {
        Stats {
            options,
            rows: 0,
            documents: Distinct::new(EXACT_DOCUMENTS),
            confidence: Mean::default(),
            histogram: [0; BINS],
            labels: BTreeMap::new(),
            further_labels: 0,
            without_label: 0,
            tokens: Mean::default(),
            in_windows: 0,
            languages: Frequent::new(FEW),
            reasons: Frequent::new(FEW),
            by: Frequent::new(SOURCES),
            least_sure: Smallest::new(LEAST_SURE),
        }
    }

    /// Counts a row.
    pub fn add(&mut self, row: &LabelledRow<'_>) {
        self.rows += 1;
        let (of_document, of_row) = hashes(row);
        self.documents.add(of_document.unwrap_or(of_row ^ self.rows));
        let confidence = row.confidence();
        self.confidence.add(confidence);
        if let Some(confidence) = confidence {
            self.histogram[((confidence * BINS as f64) as usize).min(BINS - 1)] += 1;
            // The bits of numbers that are not negative have the order of the numbers.
            self.least_sure.offer((confidence.to_bits(), of_row), || Example::of(row));
        }
        match row.label() {
            None => self.without_label += 1,
            Some(label) => self.add_label(&label, of_row, row),
        }
        self.tokens.add(row.count("tokens").map(|tokens| tokens as f64));
        self.in_windows += u64::from(row.count("windows").is_some_and(|windows| windows > 1));
        self.languages.add(row.text_of("lang").as_deref());
        self.reasons.add(row.text_of("reason").as_deref());
        let by = match &self.options.by {
            Some(field) => row.text_of(field),
            None => row.source(),
        };
        self.by.add(by.as_deref());
    }

    fn add_label(&mut self, label: &str, hash: u64, row: &LabelledRow<'_>) {
        let label = start_of(label, EXAMPLE_CHARACTERS);
        if !self.labels.contains_key(label) {
            if self.labels.len() >= *LABEL_COUNTS.end() {
                self.further_labels += 1;
                return;
            }
            let empty = OfLabel { rows: 0, confidence: Mean::default(), examples: Smallest::new(EXAMPLES) };
            self.labels.insert(label.to_owned(), empty);
        }
        if let Some(of_label) = self.labels.get_mut(label) {
            of_label.rows += 1;
            let confidence = row.confidence();
            of_label.confidence.add(confidence);
            of_label.examples.offer((hash, confidence.map(f64::to_bits)), || Example::of(row));
        }
    }

    /// What came of the rows; `left_out` more were not counted.
    pub fn finish(self, left_out: u64) -> Summary {
        let rows = self.rows;
        let (documents, documents_exact) = self.documents.count();
        let mut labels: Vec<LabelSummary> = self
            .labels
            .into_iter()
            .map(|(label, of_label)| LabelSummary {
                label,
                rows: of_label.rows,
                share: of_label.rows as f64 / rows as f64,
                mean_confidence: of_label.confidence.value(),
                examples: of_label.examples.finish(),
            })
            .collect();
        // Labels of one count stay in the order of the alphabet.
        labels.sort_by_key(|label| std::cmp::Reverse(label.rows));
        Summary {
            rows,
            left_out,
            documents,
            documents_exact,
            mean_confidence: self.confidence.value(),
            confidence_histogram: self.histogram,
            without_confidence: rows - self.confidence.count,
            labels,
            without_label: self.without_label,
            further_labels: self.further_labels,
            tokens: self.tokens.sum as u64,
            tokens_per_row: self.tokens.value(),
            rows_in_windows: self.in_windows,
            lang: self.languages.finish(),
            reason: self.reasons.finish(),
            by_field: self.options.by,
            by: self.by.finish(),
            least_sure: self.least_sure.finish(),
        }
    }
}

/// Hashes of a row's document, if it names one, and of the row: of its document and paragraph, else of all that tells rows
/// apart.
fn hashes(row: &LabelledRow<'_>) -> (Option<u64>, u64) {
    let add = |state: u64, part: &str| {
        // No byte of UTF-8 is 0xff, so parts do not run into each other.
        part.bytes().chain([0xff]).fold(state, |state, byte| fnv_step(state, byte.into()))
    };
    let add_field = |state: u64, name: &str| add(state, &row.text_of(name).unwrap_or_default());
    let doc = row.text_of("doc");
    let of_document = add(add_field(FNV_OFFSET, "file"), doc.as_deref().unwrap_or_default());
    let of_row = match row.text_of("paragraph") {
        Some(paragraph) if doc.is_some() => add(of_document, &paragraph),
        _ => {
            let state = ["id", "line"].into_iter().fold(of_document, add_field);
            add(state, &row.text().unwrap_or_default())
        }
    };
    // FNV-1a leaves its high bits alike for texts that differ at their ends.
    let mixed = |state: u64| SplitMix64::new(state).next_u64();
    (doc.map(|_| mixed(of_document)), mixed(of_row))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u64, label: &str, confidence: f64) -> String {
        let (doc, windows) = (number / 4, 1 + number % 2);
        format!(
            r#"{{"doc": "d{doc}.txt:{number}", "file": "f{}", "paragraph": {number}, "label": {label}, "confidence": {confidence},
            "tokens": 10, "windows": {windows}, "lang": "en", "text": "text {number}"}}"#,
            number % 30
        )
    }

    fn summary(lines: &[String], by: Option<&str>) -> Summary {
        let mut stats = Stats::new(StatsOptions { by: by.map(str::to_owned) });
        lines.iter().for_each(|line| stats.add(&LabelledRow::parse(line, "text").unwrap()));
        stats.finish(0)
    }

    #[test]
    fn rows_are_counted() {
        let mut lines: Vec<String> = (0..100).map(|number| row(number, "\"a\"", 0.01 * number as f64)).collect();
        lines.push(
            r#"{"label": "b", "confidence": 1, "tokens": "5", "reason": "not English", "lang": "de"}"#.to_owned(),
        );
        lines.push(r#"{"label": null, "confidence": 3}"#.to_owned());
        let summary = summary(&lines, None);
        assert_eq!((summary.rows, summary.documents, summary.documents_exact), (102, 102, true));
        assert_eq!((summary.without_label, summary.without_confidence, summary.rows_in_windows), (1, 1, 50));
        assert_eq!((summary.tokens, summary.tokens_per_row), (1005, Some(1005.0 / 101.0)));
        assert_eq!((summary.confidence_histogram[0], summary.confidence_histogram[9]), (10, 11));
        assert_eq!(summary.confidence_histogram.iter().sum::<u64>(), 101);
        let labels: Vec<(&str, u64)> = summary.labels.iter().map(|label| (label.label.as_str(), label.rows)).collect();
        assert_eq!(labels, [("a", 100), ("b", 1)]);
        assert_eq!((summary.labels[1].mean_confidence, summary.labels[0].examples.len()), (Some(1.0), 3));
        assert_eq!((summary.lang.values[1].value.as_str(), summary.lang.without), ("de", 1));
        assert_eq!((summary.reason.values.len(), summary.reason.without), (1, 101));
        assert_eq!(
            (summary.by.values.len(), summary.by.values[0].rows, summary.by.others, summary.by.without),
            (20, 4, 30, 2)
        );
        let least: Vec<f64> = summary.least_sure.iter().filter_map(|row| row.confidence).collect();
        assert_eq!(least, [0.0, 0.01, 0.02, 0.03, 0.04]);
    }

    #[test]
    fn the_order_of_the_rows_changes_no_example() {
        let mut lines: Vec<String> = (0..200).map(|number| row(number, "\"a\"", 0.5)).collect();
        lines
            .extend((0..50).map(|number| format!(r#"{{"label": "b", "confidence": 0.5, "text": "no doc {number}"}}"#)));
        let one = summary(&lines, Some("label"));
        SplitMix64::new(1).shuffle(&mut lines);
        let other = summary(&lines, Some("label"));
        assert_eq!((&one.labels, &one.least_sure, &one.by), (&other.labels, &other.least_sure, &other.by));
        assert_eq!(one.by.values.len(), 2);
        let texts: Vec<_> = one.labels[1].examples.iter().filter_map(|row| row.text.as_deref()).collect();
        assert!(texts.len() == 3 && texts[0] != texts[1], "{texts:?}");
    }

    #[test]
    fn labels_without_end_are_counted_together() {
        let lines: Vec<String> = (0..1_200).map(|number| row(number, &format!("\"l{number}\""), 0.5)).collect();
        let summary = summary(&lines, None);
        assert_eq!((summary.labels.len(), summary.further_labels), (1_000, 200));
    }
}
