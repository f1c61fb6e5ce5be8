//! Rows for a person at a terminal: each paragraph wrapped and coloured by its label, label and confidence beside it.
//!
//! This is no wire format and may change.

use super::printable::{fitting, lines_of, printable};
use super::row::Verdict;
use crate::label::{COMMENT_SPAM, OPINION, OTHER};
use console::{Color, Style, measure_text_width};
use std::borrow::Cow;

/// Columns of the label.
const LABEL_COLUMNS: usize = 12;

/// Columns of the label and the confidence, with the rule between them and the text.
const GUTTER_COLUMNS: usize = 21;

/// Columns that the text gets however narrow the terminal is.
const LEAST_TEXT_COLUMNS: usize = 20;

/// Columns beyond which lines are hard to read; wider terminals leave the rest empty.
const MOST_TEXT_COLUMNS: usize = 100;

/// How pages are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageStyle {
    /// Width of the terminal.
    pub columns: usize,
    /// Whether to colour.
    pub color: bool,
}

impl PageStyle {
    /// Appends the name of a document above its paragraphs.
    pub fn push_heading(&self, out: &mut Vec<u8>, doc: &str) {
        let name = printable(doc);
        let name = self.paint(Style::new().bold(), &name);
        out.extend_from_slice(format!("\n{name}\n\n").as_bytes());
    }

    /// Appends a text with its verdict.
    pub fn push_text(&self, out: &mut Vec<u8>, text: &str, verdict: &Verdict) {
        let width = self.columns.saturating_sub(GUTTER_COLUMNS + 2).clamp(LEAST_TEXT_COLUMNS, MOST_TEXT_COLUMNS);
        let style = style_of(verdict);
        let label = match (verdict.doubt, &verdict.label) {
            (Some(doubt), _) => doubt.as_str().to_owned(),
            (None, Some(label)) => fitting(label.as_str(), LABEL_COLUMNS),
            (None, None) => "(not sure)".to_owned(),
        };
        for (number, line) in wrap(&printable(text), width).iter().enumerate() {
            let gutter = if number == 0 {
                {
                    let space = " ".repeat(LABEL_COLUMNS.saturating_sub(measure_text_width(&label)));
                    format!("{space}{label} {:>6.1}%", verdict.confidence * 100.0)
                }
            } else {
                " ".repeat(GUTTER_COLUMNS - 1)
            };
            let gutter = self.paint(style.clone(), &gutter);
            let rule = self.paint(style.clone(), "│");
            let line = if is_plain(verdict) { line.clone() } else { self.paint(style.clone(), line) };
            out.extend_from_slice(format!("{gutter} {rule} {line}\n").as_bytes());
        }
        out.push(b'\n');
    }

    fn paint(&self, style: Style, text: &str) -> String {
        style.force_styling(self.color).apply_to(text).to_string()
    }
}

/// Colours of labels that are not the built-in ones, by position.
const PALETTE: [Color; 6] = [Color::Cyan, Color::Yellow, Color::Green, Color::Blue, Color::Red, Color::White];

fn style_of(verdict: &Verdict) -> Style {
    let Some(label) = verdict.label.as_ref().filter(|_| verdict.doubt.is_none()) else {
        return Style::new().fg(Color::Magenta);
    };
    match label.as_str() {
        "reporting" => Style::new().fg(Color::Blue),
        OPINION => Style::new().fg(Color::Yellow),
        COMMENT_SPAM => Style::new().fg(Color::Red),
        "quotation" => Style::new().fg(Color::Green),
        OTHER => Style::new().dim(),
        _ => Style::new().fg(PALETTE[verdict.scores.best().0.index() % PALETTE.len()]),
    }
}

/// Whether the text stays without colour: most of a page is reporting.
fn is_plain(verdict: &Verdict) -> bool {
    verdict.doubt.is_none() && verdict.label.as_ref().is_some_and(|label| *label == "reporting")
}

/// Breaks a text between words into lines of at most `width` columns; longer words are broken anywhere.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    textwrap::wrap(&words, lines_of(width)).into_iter().map(Cow::into_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::built_in::scores;
    use crate::label::{LabelSet, Scores};

    #[test]
    fn lines_fit_the_width() {
        let text = "short words and averyveryverylongwordindeed 日本語日本語日本語 end";
        let lines = wrap(text, 10);
        assert!(lines.iter().all(|line| measure_text_width(line) <= 10), "{lines:?}");
        assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn texts_cannot_steer_the_terminal() {
        let scores = scores([0.25, 0.5, 0.25, 0.0, 0.0]);
        let verdict = Verdict {
            label: Some(scores.best_label().0),
            confidence: 0.5,
            scores,
            tokens: 1,
            windows: 1,
            lang: None,
            doubt: None,
        };
        let page = |color| {
            let mut out = Vec::new();
            PageStyle { columns: 60, color }.push_text(&mut out, "red\x1b[31m alert\x07", &verdict);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(page(false), "     opinion   50.0% │ red\u{fffd}[31m alert\u{fffd}\n\n");
        assert!(page(true).contains("\x1b[33m"));
        assert!(!page(true).contains("\x1b[31m"));
    }

    #[test]
    fn a_long_label_keeps_its_column_and_has_a_colour_of_its_position() {
        let labels = LabelSet::new(["press releases and notices", "広告"]).unwrap();
        let page = |values: [f32; 2], color| {
            let scores = Scores::new(&labels, values);
            let label = Some(scores.best_label().0);
            let verdict = Verdict { label, confidence: 0.5, scores, tokens: 1, windows: 1, lang: None, doubt: None };
            let mut out = Vec::new();
            PageStyle { columns: 60, color }.push_text(&mut out, "text", &verdict);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(page([1.0, 0.0], false), "press relea…   50.0% │ text\n\n");
        assert_eq!(page([0.0, 1.0], false), "        広告   50.0% │ text\n\n");
        assert!(page([1.0, 0.0], true).contains("\x1b[36m") && page([0.0, 1.0], true).contains("\x1b[33m"));
    }
}
