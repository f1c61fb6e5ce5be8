//! Statistics for a terminal.
//!
//! This is no wire format and may change.

use super::counts::ByValue;
use super::{BINS, Example, Summary};
use crate::report::head::{ending, padding};
use crate::report::printable::{fitting, lines_of};
use std::fmt;

/// Columns of a name, which is cut where it is longer.
const NAME_COLUMNS: usize = 24;

/// Columns of a value, such as the path of a file, in terminals that are wide enough.
const VALUE_COLUMNS: usize = 48;

/// Columns of a document's name in examples.
const DOC_COLUMNS: usize = 28;

/// Columns below which a bar says nothing.
const LEAST_BAR_COLUMNS: usize = 8;

/// Columns beyond which a bar only moves the eye.
const MOST_BAR_COLUMNS: usize = 100;

/// A bar's last character by the eighths of it that are full.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Shows a [`Summary`] as tables with bars as wide as the terminal.
#[derive(Clone, Copy, Debug)]
pub struct StatsTable<'a> {
    /// The figures.
    pub summary: &'a Summary,
    /// Width of the terminal.
    pub columns: usize,
}

impl fmt::Display for StatsTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { rows, .. } = self.summary;
        writeln!(f, "{}", textwrap::fill(&self.headline(), lines_of(self.columns)))?;
        if *rows == 0 {
            return Ok(());
        }
        self.labels(f)?;
        self.histogram(f)?;
        self.values(f, "lang", &self.summary.lang)?;
        if !self.summary.reason.values.is_empty() {
            self.values(f, "reason", &self.summary.reason)?;
        }
        self.values(f, self.summary.by_field.as_deref().unwrap_or("file"), &self.summary.by)?;
        self.examples(f)
    }
}

impl StatsTable<'_> {
    fn headline(&self) -> String {
        let summary = self.summary;
        let about = if summary.documents_exact { "" } else { "about " };
        let mut line = format!("{} rows of {about}{} documents", summary.rows, summary.documents);
        if summary.left_out > 0 {
            line += &format!(", {} left out by --where", summary.left_out);
        }
        if let Some(confidence) = summary.mean_confidence {
            line += &format!("; mean confidence {confidence:.3}");
        }
        if let Some(per_row) = summary.tokens_per_row {
            line += &format!("; {} tokens, {per_row:.1} a row", summary.tokens);
        }
        if summary.rows_in_windows > 0 {
            line += &format!("; {} rows read in several windows", summary.rows_in_windows);
        }
        line
    }

    fn labels(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let summary = self.summary;
        writeln!(f, "\n{:<NAME_COLUMNS$}{:>10}{:>9}{:>12}", "label", "rows", "share", "confidence")?;
        let bar = self.bars(NAME_COLUMNS + 33);
        let most = summary.labels.iter().map(|label| label.rows).max().unwrap_or(0).max(summary.without_label);
        let share = |rows: u64| 100.0 * rows as f64 / summary.rows as f64;
        let line = |f: &mut fmt::Formatter<'_>, name: &str, rows: u64, confidence: Option<f64>| {
            let name = fitting(name, NAME_COLUMNS);
            let confidence = confidence.map_or_else(|| "-".to_owned(), |confidence| format!("{confidence:.3}"));
            let figures = format!("{rows:>10}{:>8.1}%{confidence:>12}", share(rows));
            writeln!(
                f,
                "{}",
                format!("{name}{}{figures}  {}", padding(&name, NAME_COLUMNS), bar(rows, most)).trim_end()
            )
        };
        for label in &summary.labels {
            line(f, &label.label, label.rows, label.mean_confidence)?;
        }
        if summary.further_labels > 0 {
            line(f, "(further labels)", summary.further_labels, None)?;
        }
        if summary.without_label > 0 {
            line(f, "(no label)", summary.without_label, None)?;
        }
        Ok(())
    }

    fn histogram(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.summary.confidence_histogram;
        let most = counts.iter().copied().max().unwrap_or(0);
        if most == 0 {
            return Ok(());
        }
        writeln!(f, "\n{:<12}{:>10}", "confidence", "rows")?;
        let bar = self.bars(24);
        for (bin, &rows) in counts.iter().enumerate() {
            let (low, high) = (bin as f64 / BINS as f64, (bin + 1) as f64 / BINS as f64);
            writeln!(f, "{}", format!("{low:.1}–{high:.1}     {rows:>10}  {}", bar(rows, most)).trim_end())?;
        }
        if self.summary.without_confidence > 0 {
            writeln!(f, "{:<12}{:>10}", "(none)", self.summary.without_confidence)?;
        }
        Ok(())
    }

    fn values(&self, f: &mut fmt::Formatter<'_>, title: &str, values: &ByValue) -> fmt::Result {
        let columns = (self.columns / 2).clamp(NAME_COLUMNS, VALUE_COLUMNS);
        let title = fitting(title, columns);
        writeln!(f, "\n{title}{}{:>10}", padding(&title, columns), "rows")?;
        let ByValue { values, others, without, too_low_by_at_most } = values;
        let most = values.iter().map(|value| value.rows).max().unwrap_or(0);
        let bar = self.bars(columns + 12);
        for value in values {
            let (name, rows) = (ending(&value.value, columns), value.rows);
            let name = format!("{name}{}", padding(&name, columns));
            writeln!(f, "{}", format!("{name}{rows:>10}  {}", bar(rows, most)).trim_end())?;
        }
        for (name, rows) in [("(others)", others), ("(none)", without)] {
            if *rows > 0 {
                writeln!(f, "{name:<columns$}{rows:>10}")?;
            }
        }
        if *too_low_by_at_most > 0 {
            let note = format!(
                "Too many values to count each exactly: the rows of each may be up to {too_low_by_at_most} more, and those of \
                 the others fewer."
            );
            writeln!(f, "{}", textwrap::fill(&note, lines_of(self.columns)))?;
        }
        Ok(())
    }

    fn examples(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for label in &self.summary.labels {
            writeln!(f, "\nExamples of {}", fitting(&label.label, self.columns.saturating_sub(12)))?;
            label.examples.iter().try_for_each(|example| self.example(f, example, false))?;
        }
        if !self.summary.least_sure.is_empty() {
            writeln!(f, "\nLeast sure")?;
            self.summary.least_sure.iter().try_for_each(|example| self.example(f, example, true))?;
        }
        Ok(())
    }

    fn example(&self, f: &mut fmt::Formatter<'_>, example: &Example, with_label: bool) -> fmt::Result {
        let confidence = example.confidence.map_or_else(|| "-".to_owned(), |value| format!("{:.1}%", value * 100.0));
        let mut line = format!("{confidence:>8}  ");
        if with_label {
            let label = fitting(example.label.as_deref().unwrap_or("(no label)"), 12);
            line += &format!("{label}{}  ", padding(&label, 12));
        }
        let doc = match (&example.doc, &example.file, example.line) {
            (Some(doc), _, _) => doc.clone(),
            (None, Some(file), Some(line)) => format!("{file}:{line}"),
            (None, Some(file), None) => file.clone(),
            (None, None, _) => "-".to_owned(),
        };
        let doc = example.paragraph.map_or(doc.clone(), |paragraph| format!("{doc} {paragraph}"));
        let doc_columns = (self.columns / 3).min(DOC_COLUMNS);
        let doc = ending(&doc, doc_columns);
        line += &format!("{doc}{}  ", padding(&doc, doc_columns));
        line += &match (&example.text, example.start, example.end) {
            (Some(text), _, _) => text.split_whitespace().collect::<Vec<_>>().join(" "),
            (None, Some(start), Some(end)) => format!("{start}–{end}"),
            (None, _, _) => String::new(),
        };
        writeln!(f, "{}", fitting(line.trim_end(), self.columns))
    }

    /// What draws bars in the columns that are left beside `taken`.
    fn bars(&self, taken: usize) -> impl Fn(u64, u64) -> String + use<> {
        let columns = self.columns.saturating_sub(taken).min(MOST_BAR_COLUMNS);
        move |rows, most| {
            if columns < LEAST_BAR_COLUMNS || most == 0 {
                return String::new();
            }
            let eighths = (rows as f64 / most as f64 * (columns * 8) as f64).round() as usize;
            // What there is can be seen.
            let eighths = if rows > 0 { eighths.max(1) } else { 0 };
            format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::LabelledRow;
    use crate::report::stats::{Stats, StatsOptions};
    use console::measure_text_width;

    fn table(lines: &[String], columns: usize) -> String {
        let mut stats = Stats::new(StatsOptions::default());
        lines.iter().for_each(|line| stats.add(&LabelledRow::parse(line, "text").unwrap()));
        StatsTable { summary: &stats.finish(0), columns }.to_string()
    }

    #[test]
    fn tables_fit_the_terminal_and_cannot_steer_it() {
        let lines: Vec<String> = (0..200)
            .map(|number| {
                let label = if number % 3 == 0 { "a label\\u001b[31m with a very long name" } else { "短い" };
                let text = "word ".repeat(200);
                format!(
                    r#"{{"doc": "a/folder\u0007/number/{number}/page-with-a-long-name.txt", "label": "{label}", "confidence": 0.{number},
                    "lang": "e\u001bn", "text": "{text}"}}"#
                )
            })
            .collect();
        for columns in [50, 80, 200] {
            let table = table(&lines, columns);
            let widest = table.lines().map(measure_text_width).max().unwrap();
            assert!(widest <= columns.max(57), "{columns}: {widest}\n{table}");
            assert!(!table.contains(['\u{1b}', '\u{7}']), "{table}");
        }
    }

    #[test]
    fn bars_are_as_long_as_there_are_rows() {
        let row = |label: &str| format!(r#"{{"label": "{label}", "confidence": 0.95}}"#);
        let lines: Vec<String> = [vec![row("a"); 16], vec![row("b"); 8], vec![row("c")]].concat();
        let table = table(&lines, 73);
        let bars: Vec<String> = ["a ", "b ", "c "]
            .iter()
            .map(|label| table.lines().find(|line| line.starts_with(label)).unwrap().chars().skip(57).collect())
            .collect();
        assert_eq!(bars, ["█".repeat(16), "█".repeat(8), "█".to_owned()]);
        assert!(table.starts_with("25 rows of 25 documents; mean confidence 0.950\n"), "{table}");
        assert!(!table.contains("reason"));
    }

    #[test]
    fn no_rows_make_no_tables() {
        assert_eq!(table(&[], 80), "0 rows of 0 documents\n");
    }
}
