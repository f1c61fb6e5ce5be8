//! Labelled rows as lines to read in a terminal, and a random sample of them.
//!
//! This is no wire format and may change.

use super::labelled::LabelledRow;
use super::printable::{fitting, printable};
use crate::random::SplitMix64;
use console::measure_text_width;
use std::fmt;

/// Columns of the label.
const LABEL_COLUMNS: usize = 12;

/// Columns of the document with the number of its paragraph, in terminals that are wide enough.
const MOST_DOC_COLUMNS: usize = 28;

/// Columns that the text has however narrow the terminal is.
const LEAST_TEXT_COLUMNS: usize = 20;

/// The most characters of a text that are looked at: a row of many megabytes shows no more than one of some hundred bytes.
const TEXT_CHARACTERS: usize = 2_000;

/// A row on one line: label, confidence, document and paragraph, text.
#[derive(Clone, Debug)]
pub struct HeadLine<'a> {
    /// The row.
    pub row: &'a LabelledRow<'a>,
    /// Width of the terminal.
    pub columns: usize,
}

impl fmt::Display for HeadLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HeadLine { row, columns } = self;
        let label = row.label().map_or_else(|| "(no label)".to_owned(), |label| fitting(&label, LABEL_COLUMNS));
        let confidence = row.confidence().map_or_else(|| "-".to_owned(), |value| format!("{:.1}%", value * 100.0));
        let doc_columns = (columns / 4).min(MOST_DOC_COLUMNS);
        let doc = ending(&document(row), doc_columns);
        let text_columns = columns.saturating_sub(LABEL_COLUMNS + doc_columns + 11).max(LEAST_TEXT_COLUMNS);
        let before = format!("{}{label} {confidence:>6}  {doc}", padding(&label, LABEL_COLUMNS));
        let line = format!("{before}{}  {}", padding(&doc, doc_columns), shown_text(row, text_columns));
        f.write_str(line.trim_end())
    }
}

/// The document of a row with the number of its paragraph, else where the record stands.
fn document(row: &LabelledRow<'_>) -> String {
    let doc = row.text_of("doc").or_else(|| row.text_of("id"));
    let doc = match (doc, row.text_of("file"), row.count("line")) {
        (Some(doc), _, _) => doc.into_owned(),
        (None, Some(file), Some(line)) => format!("{file}:{line}"),
        (None, Some(file), None) => file.into_owned(),
        (None, None, _) => "-".to_owned(),
    };
    match row.count("paragraph") {
        Some(paragraph) => format!("{doc} {paragraph}"),
        None => doc,
    }
}

/// The text of a row on one line, else its span.
fn shown_text(row: &LabelledRow<'_>, columns: usize) -> String {
    match (row.text(), row.count("start"), row.count("end")) {
        (Some(text), _, _) => {
            let start: String = text.chars().take(TEXT_CHARACTERS).collect();
            fitting(&start.split_whitespace().collect::<Vec<_>>().join(" "), columns)
        }
        (None, Some(start), Some(end)) => format!("{start}–{end}"),
        (None, _, _) => String::new(),
    }
}

/// The end of a name, which tells more of a path than its beginning, in so many columns.
pub(super) fn ending(name: &str, columns: usize) -> String {
    let characters: Vec<char> = name.chars().rev().take(columns + 1).collect();
    let whole = characters.len() <= columns && characters.len() == name.chars().count();
    let mut end = printable(&characters.into_iter().rev().collect::<String>());
    if whole && measure_text_width(&end) <= columns {
        return end;
    }
    while measure_text_width(&end) + 1 > columns && !end.is_empty() {
        end.remove(0);
    }
    format!("…{end}")
}

/// The spaces that a text lacks to fill so many columns.
pub(super) fn padding(text: &str, columns: usize) -> String {
    " ".repeat(columns.saturating_sub(measure_text_width(text)))
}

/// A random sample of a stream whose length nobody knows, each item with the same chance (algorithm R).
#[derive(Clone, Debug)]
pub struct Reservoir<T> {
    size: usize,
    seen: u64,
    random: SplitMix64,
    kept: Vec<(u64, T)>,
}

impl<T> Reservoir<T> {
    /// A sample of `size` items that follows from `seed` and the stream.
    pub fn new(size: usize, seed: u64) -> Reservoir<T> {
        Reservoir { size, seen: 0, random: SplitMix64::new(seed), kept: Vec::new() }
    }

    /// Shows the sample the next item, which is made if it is taken.
    pub fn offer(&mut self, make: impl FnOnce() -> T) {
        let number = self.seen;
        self.seen += 1;
        if self.kept.len() < self.size {
            self.kept.push((number, make()));
            return;
        }
        let place = self.random.below(usize::try_from(self.seen).unwrap_or(usize::MAX));
        if let Some(kept) = self.kept.get_mut(place) {
            *kept = (number, make());
        }
    }

    /// The sample in the order of the stream.
    pub fn finish(mut self) -> impl Iterator<Item = T> {
        self.kept.sort_by_key(|(number, _)| *number);
        self.kept.into_iter().map(|(_, item)| item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(json: &str, columns: usize) -> String {
        HeadLine { row: &LabelledRow::parse(json, "text").unwrap(), columns }.to_string()
    }

    #[test]
    fn a_row_is_one_line_of_the_terminals_width() {
        let row =
            r#"{"label": "opinion", "confidence": "0.876", "doc": "a.txt", "paragraph": 4, "start": 5, "end": 90"#;
        assert_eq!(line(&format!("{row}}}"), 60), "     opinion  87.6%  a.txt 4          5–90");
        let long = line(&format!(r#"{row}, "text": "one\n two {}"}}"#, "word ".repeat(9000)), 60);
        assert_eq!(long, "     opinion  87.6%  a.txt 4          one two word word wor…");
        for json in [
            r#"{"label": null, "file": "a/very/long/name/of/a/folder/and/its/file.jsonl", "line": 17, "text": "中中中中中中中中中中中中中"}"#,
            r#"{"label": "a label that is far too long", "id": 5, "confidence": 3, "text": "\u001b[31mred\u0007"}"#,
        ] {
            let line = line(json, 60);
            assert!(measure_text_width(&line) <= 60 && !line.chars().any(char::is_control), "{line}");
        }
        assert!(
            line(r#"{"label": "x", "file": "folder/with/a/name/rows.jsonl", "line": 17}"#, 60)
                .contains("  …/rows.jsonl:17")
        );
    }

    #[test]
    fn every_item_is_sampled_as_often() {
        let mut counts = [0_u32; 20];
        for seed in 0..4_000 {
            let mut sample = Reservoir::new(5, seed);
            (0..20).for_each(|number| sample.offer(|| number));
            let kept: Vec<usize> = sample.finish().collect();
            assert!(kept.len() == 5 && kept.is_sorted(), "{kept:?}");
            kept.into_iter().for_each(|number| counts[number] += 1);
        }
        assert!(counts.iter().all(|count| (880..1120).contains(count)), "{counts:?}");
        let mut few = Reservoir::new(5, 0);
        (0..3).for_each(|number| few.offer(|| number));
        assert_eq!(few.finish().collect::<Vec<_>>(), [0, 1, 2]);
    }
}
