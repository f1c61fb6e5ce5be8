//! Rows for a person at a terminal: each paragraph wrapped and coloured by its label, label and confidence beside it.
//!
//! This is no wire format and may change.

use super::printable::{fitting, lines_of, printable};
use super::reasons::Reasons;
use super::row::Verdict;
use crate::label::{COMMENT_SPAM, OPINION, OTHER};
use console::{Color, Style, measure_text_width};
use std::borrow::Cow;
use std::ops::Range;

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

    /// Appends a text with its verdict. The words that it rests on are marked, where they are known: by colour, or without it by
    /// brackets.
    pub fn push_text(&self, out: &mut Vec<u8>, text: &str, verdict: &Verdict, reasons: Option<Reasons<'_>>) {
        let width = self.columns.saturating_sub(GUTTER_COLUMNS + 2).clamp(LEAST_TEXT_COLUMNS, MOST_TEXT_COLUMNS);
        let style = style_of(verdict);
        let label = match (verdict.doubt, &verdict.label) {
            (Some(doubt), _) => doubt.as_str().to_owned(),
            (None, Some(label)) => fitting(label.as_str(), LABEL_COLUMNS),
            (None, None) => "(not sure)".to_owned(),
        };
        let marks = reasons.map(|reasons| Marks::new(text, reasons));
        let shown = match &marks {
            Some(marks) if !self.color => marks.bracketed(text),
            _ => text.to_owned(),
        };
        let mut seen = 0;
        for (number, line) in wrap(&printable(&shown), width).iter().enumerate() {
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
            let plain = if is_plain(verdict) { Style::new() } else { style.clone() };
            let line = match &marks {
                Some(marks) if self.color => {
                    let parts = marks.parts(line, &mut seen);
                    let paint = |(part, marked): (String, bool)| match marked {
                        true => self.paint(style.clone().reverse(), &part),
                        false => self.paint(plain.clone(), &part),
                    };
                    parts.into_iter().map(paint).collect()
                }
                _ => self.paint(plain, line),
            };
            out.extend_from_slice(format!("{gutter} {rule} {line}\n").as_bytes());
        }
        if let Some(reasons) = reasons {
            self.push_reasons(out, text, &style, width, reasons);
        }
        out.push(b'\n');
    }

    /// Appends the words with their weights, and what else there is to say.
    fn push_reasons(&self, out: &mut Vec<u8>, text: &str, style: &Style, width: usize, reasons: Reasons<'_>) {
        let Reasons { explanation, all, .. } = reasons;
        let words = explanation.words.iter().map(|word| {
            let shown = fitting(&text[word.span.clone()], MOST_WORD_COLUMNS);
            format!("{shown} {}", weight(word.weight))
        });
        let words = words.collect::<Vec<_>>().join(" · ");
        let mut lines = vec![if words.is_empty() { "no word by itself".to_owned() } else { words }];
        if all {
            let neighbours = explanation.neighbours.iter().map(|neighbour| {
                let (apart, side) =
                    (neighbour.distance.unsigned_abs(), if neighbour.distance < 0 { "before" } else { "after" });
                let which = if apart == 1 { format!("the one {side}") } else { format!("{apart} {side}") };
                format!("{which} {}", weight(neighbour.weight))
            });
            let neighbours = neighbours.collect::<Vec<_>>().join(" · ");
            if !neighbours.is_empty() {
                lines.push(format!("neighbours: {neighbours}"));
            }
            if explanation.models.len() > 1 {
                lines.push(format!("answered by {}", explanation.models.join(" and ")));
            }
        }
        let (gutter, rule) = (" ".repeat(GUTTER_COLUMNS - 1), self.paint(style.clone(), "│"));
        for line in lines.iter().flat_map(|line| wrap(&printable(line), width)) {
            let line = self.paint(Style::new().dim(), &line);
            out.extend_from_slice(format!("{gutter} {rule} {line}\n").as_bytes());
        }
    }

    fn paint(&self, style: Style, text: &str) -> String {
        style.force_styling(self.color).apply_to(text).to_string()
    }
}

/// Columns of a word below its text; an address may be longer.
const MOST_WORD_COLUMNS: usize = 40;

/// A weight as it is shown.
fn weight(weight: f32) -> String {
    if weight < 0.001 { "<0.001".to_owned() } else { format!("{weight:.3}") }
}

/// Which parts of a text are marked.
struct Marks {
    /// Where the marked words stand, in their order.
    spans: Vec<Range<usize>>,
    /// For each character that is not blank, whether it is marked: wrapping moves nothing but blanks.
    marked: Vec<bool>,
}

impl Marks {
    fn new(text: &str, reasons: Reasons<'_>) -> Marks {
        let mut spans: Vec<Range<usize>> = reasons.explanation.words.iter().map(|word| word.span.clone()).collect();
        spans.sort_by_key(|span| span.start);
        let mut ahead = spans.iter().peekable();
        let mut marked = Vec::new();
        for ((at, _), shown) in text.char_indices().zip(printable(text).chars()) {
            while ahead.next_if(|span| span.end <= at).is_some() {}
            if !shown.is_whitespace() {
                marked.push(ahead.peek().is_some_and(|span| span.contains(&at)));
            }
        }
        Marks { spans, marked }
    }

    /// The text with brackets around the words.
    fn bracketed(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 2 * self.spans.len());
        let mut from = 0;
        for span in &self.spans {
            out.push_str(&text[from..span.start]);
            out.push('[');
            out.push_str(&text[span.clone()]);
            out.push(']');
            from = span.end;
        }
        out.push_str(&text[from..]);
        out
    }

    /// A line in parts that are marked or not; `seen` counts the characters of the lines before it.
    fn parts(&self, line: &str, seen: &mut usize) -> Vec<(String, bool)> {
        let mut parts: Vec<(String, bool)> = Vec::new();
        for c in line.chars() {
            let marked = if c.is_whitespace() {
                false
            } else {
                *seen += 1;
                self.marked.get(*seen - 1).copied().unwrap_or(false)
            };
            match parts.last_mut() {
                Some((part, of)) if *of == marked => part.push(c),
                _ => parts.push((c.to_string(), marked)),
            }
        }
        parts
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
            PageStyle { columns: 60, color }.push_text(&mut out, "red\x1b[31m alert\x07", &verdict, None);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(page(false), "     opinion   50.0% │ red\u{fffd}[31m alert\u{fffd}\n\n");
        assert!(page(true).contains("\x1b[33m"));
        assert!(!page(true).contains("\x1b[31m"));
    }

    #[test]
    fn words_that_a_label_rests_on_are_marked() {
        let scores = scores([0.0, 0.75, 0.25, 0.0, 0.0]);
        let label = Some(scores.best_label().0);
        let verdict = Verdict { label, confidence: 0.75, scores, tokens: 1, windows: 1, lang: None, doubt: None };
        let text = "About time\n they listened!";
        let explanation = super::super::reasons::testing::explanation(&[17..26, 0..5]);
        let page = |color, all| {
            let mut out = Vec::new();
            let reasons = Some(Reasons { explanation: &explanation, all, chars: false });
            PageStyle { columns: 43, color }.push_text(&mut out, text, &verdict, reasons);
            String::from_utf8(out).unwrap()
        };
        let blank = " ".repeat(20);
        let expected = format!(
            "     opinion   75.0% │ [About] time they\n{blank} │ [listened!]\n{blank} │ listened! 0.500 ·\n{blank} │ About 0.250\n"
        );
        assert_eq!(page(false, false), format!("{expected}\n"));
        let more = format!(
            "{blank} │ neighbours: the one\n{blank} │ before 0.062\n{blank} │ answered by fast and\n{blank} │ base\n\n"
        );
        assert_eq!(page(false, true), expected + &more);
        let colored = page(true, false);
        assert!(colored.contains("\x1b[33m\x1b[7mAbout\x1b[0m"), "{colored:?}");
        assert!(colored.contains("\x1b[33m\x1b[7mlistened!\x1b[0m"), "{colored:?}");
        assert_eq!(console::strip_ansi_codes(&colored), page(false, false).replace(['[', ']'], ""));
    }

    #[test]
    fn a_long_label_keeps_its_column_and_has_a_colour_of_its_position() {
        let labels = LabelSet::new(["press releases and notices", "広告"]).unwrap();
        let page = |values: [f32; 2], color| {
            let scores = Scores::new(&labels, values);
            let label = Some(scores.best_label().0);
            let verdict = Verdict { label, confidence: 0.5, scores, tokens: 1, windows: 1, lang: None, doubt: None };
            let mut out = Vec::new();
            PageStyle { columns: 60, color }.push_text(&mut out, "text", &verdict, None);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(page([1.0, 0.0], false), "press relea…   50.0% │ text\n\n");
        assert_eq!(page([0.0, 1.0], false), "        広告   50.0% │ text\n\n");
        assert!(page([1.0, 0.0], true).contains("\x1b[36m") && page([0.0, 1.0], true).contains("\x1b[33m"));
    }
}
