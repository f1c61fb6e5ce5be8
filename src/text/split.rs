//! From a source to its paragraphs.

use super::auto;
use super::blank::is_blank;
use super::layout::{Layout, LineShape};
use super::line::Line;
use super::lines::{RawLine, RawLines};
use super::marker::{ItemFinder, list_number};
use super::marks::bullet;
use super::normalize::model_text;
use super::spaced;
use std::borrow::Cow;
use std::ops::Range;

/// A paragraph and where it stands in its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paragraph<'a> {
    /// UTF-8 byte offsets into the source, on character boundaries; the first and the last character are not blank.
    pub span: Range<usize>,
    /// What the model sees: [`model_text`] of the slice under `span`, in Markdown of that slice without its markup.
    /// Never empty.
    pub text: Cow<'a, str>,
}

/// What separates the paragraphs of a text.
///
/// In every mode a form feed and U+2029 separate, every character outside the paragraphs is blank, and CR LF does the
/// same as LF. The [module documentation](super) states the rules of `Auto` and `Layout`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Paragraphs {
    /// Whatever the text's lines tell: the rules of `Layout`, and with them lists of one item a line, quotes, bullets,
    /// headings, indents, and blank lines between all lines.
    #[default]
    Auto,
    /// Blank lines alone.
    Blank,
    /// Every line that is not blank is a paragraph.
    Line,
    /// Blank lines, list numbers and the widths of the lines. What [`split`] did before version 0.2.
    Layout,
}

/// The paragraphs of `source` in order, without overlap; every character outside them is blank.
/// The same as [`split_with`] and [`Paragraphs::Auto`].
///
/// ```
/// use copydesk::text::split;
/// let source = "A headline\n\n  1. The first comment is\n     wrapped.\n  2. The second is not.\n";
/// let texts: Vec<_> = split(source).into_iter().map(|paragraph| paragraph.text).collect();
/// assert_eq!(texts, ["A headline", "The first comment is wrapped.", "The second is not."]);
/// ```
pub fn split(source: &str) -> Vec<Paragraph<'_>> {
    split_with(source, Paragraphs::Auto)
}

/// The paragraphs of `source` in order, without overlap; every character outside them is blank.
///
/// Takes time linear in the length of the source and, besides the result, memory for the lines of its largest block, in
/// [`Paragraphs::Auto`] also of its longest stretch of single lines with a blank line between each two.
/// It never fails: any UTF-8 text has paragraphs, unless all of it is blank.
///
/// ```
/// use copydesk::text::{Paragraphs, split_with};
/// let source = "One line,\nanother.\n\nA third.\n";
/// assert_eq!(split_with(source, Paragraphs::Line).len(), 3);
/// assert_eq!(split_with(source, Paragraphs::Blank).len(), 2);
/// ```
pub fn split_with(source: &str, paragraphs: Paragraphs) -> Vec<Paragraph<'_>> {
    let mut splitter = Splitter::new(source, paragraphs);
    for line in RawLines::new(source) {
        splitter.push(line);
    }
    splitter.end_block();
    splitter.end_stretch();
    splitter.paragraphs
}

struct Splitter<'a> {
    source: &'a str,
    mode: Paragraphs,
    /// The lines of the block that is being read, none of them blank.
    block: Vec<RawLine<'a>>,
    /// Blocks of one line each with exactly one blank line between them, in [`Paragraphs::Auto`].
    stretch: Vec<RawLine<'a>>,
    /// Blank lines since the last block.
    blank_lines: usize,
    item_finder: ItemFinder,
    paragraphs: Vec<Paragraph<'a>>,
}

impl<'a> Splitter<'a> {
    fn new(source: &'a str, mode: Paragraphs) -> Splitter<'a> {
        let (block, stretch, paragraphs) = (Vec::new(), Vec::new(), Vec::new());
        Splitter { source, mode, block, stretch, blank_lines: 0, item_finder: ItemFinder::new(), paragraphs }
    }

    fn push(&mut self, line: RawLine<'a>) {
        if line.text.chars().all(is_blank) {
            self.end_block();
            self.blank_lines += 1;
            // A second blank line says that something ends here.
            if self.blank_lines > 1 {
                self.end_stretch();
            }
        } else {
            self.blank_lines = 0;
            self.block.push(line);
        }
        if line.ends_block {
            self.end_block();
            self.end_stretch();
        }
    }

    fn end_block(&mut self) {
        let block = std::mem::take(&mut self.block);
        match (self.mode, block.as_slice()) {
            (_, []) => {}
            (Paragraphs::Auto, [line]) if spaced::may_be_spaced(&Line::measure(line.text)) => self.stretch.push(*line),
            (Paragraphs::Auto, lines) => {
                self.end_stretch();
                let texts: Vec<&str> = lines.iter().map(|line| line.text).collect();
                self.push_paragraphs(lines, &auto::begins(&texts));
            }
            (Paragraphs::Blank, lines) => self.push_paragraphs(lines, &vec![false; lines.len()]),
            (Paragraphs::Line, lines) => self.push_paragraphs(lines, &vec![true; lines.len()]),
            (Paragraphs::Layout, lines) => {
                let begins = layout_begins(lines, &mut self.item_finder);
                self.push_paragraphs(lines, &begins);
            }
        }
        self.block = block;
        self.block.clear();
    }

    fn end_stretch(&mut self) {
        let stretch = std::mem::take(&mut self.stretch);
        let lines: Vec<Line<'_>> = stretch.iter().map(|line| measure_single(line.text)).collect();
        let begins: Vec<bool> =
            std::iter::once(true).chain(spaced::joins(&lines).into_iter().map(|joins| !joins)).collect();
        self.push_paragraphs(&stretch, &begins);
        self.stretch = stretch;
        self.stretch.clear();
    }

    /// A paragraph begins at the first line and wherever `begins` says so.
    fn push_paragraphs(&mut self, lines: &[RawLine<'a>], begins: &[bool]) {
        let mut first = 0;
        for next in 1..=lines.len() {
            if next == lines.len() || begins[next] {
                let span = trimmed(&lines[first]).start..trimmed(&lines[next - 1]).end;
                let text = model_text(&self.source[span.clone()]);
                self.paragraphs.push(Paragraph { span, text });
                first = next;
            }
        }
    }
}

/// A line that is a block of its own.
pub(super) fn measure_single(line: &str) -> Line<'_> {
    let line = Line::measure(line);
    Line { is_item: list_number(line.text).is_some() || bullet(line.text).is_some(), ..line }
}

/// The bytes of a line without its blank edges.
fn trimmed(line: &RawLine<'_>) -> Range<usize> {
    let start = line.start + (line.text.len() - line.text.trim_start_matches(is_blank).len());
    start..start + line.text.trim_matches(is_blank).len()
}

/// Where paragraphs begin in a block by [`Paragraphs::Layout`].
fn layout_begins(lines: &[RawLine<'_>], item_finder: &mut ItemFinder) -> Vec<bool> {
    item_finder.begin_block();
    let shapes: Vec<LineShape> = lines.iter().map(|line| LineShape::measure(line.text)).collect();
    let layout = Layout::of(&shapes);
    let mut before: Option<LineShape> = None;
    lines
        .iter()
        .zip(&shapes)
        .map(|(line, &shape)| {
            let item = item_finder.begins_item(list_number(line.text.trim_matches(is_blank)), shape.indent);
            let ends = before.replace(shape).is_none_or(|before| layout.ends_paragraph(before, shape));
            item || ends
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<String> {
        split(source).into_iter().map(|paragraph| paragraph.text.into_owned()).collect()
    }

    #[test]
    fn blank_lines_of_every_kind_separate() {
        for blank in
            ["\n\n", "\n \t\n", "\n\u{a0}\u{3000}\n", "\n\u{200b}\n", "\n\u{feff}\n", "\r\n\r\n", "\r\r", "\n\n\n\n"]
        {
            assert_eq!(texts(&format!("One{blank}Two")), ["One", "Two"], "{blank:?}");
        }
    }

    #[test]
    fn page_and_paragraph_separators_separate() {
        assert_eq!(texts("One\u{c}Two\n\u{c}\nThree\u{2029}Four"), ["One", "Two", "Three", "Four"]);
    }

    #[test]
    fn spans_are_bytes_without_blank_edges() {
        let source = "\u{feff}  Café \u{a0}\r\n\r\n\u{2003}Zwölf.\u{200b}\n";
        let spans: Vec<_> = split(source).into_iter().map(|paragraph| paragraph.span).collect();
        assert_eq!(spans, [5..10, 20..27]);
        assert_eq!(&source[spans[1].clone()], "Zwölf.");
    }

    #[test]
    fn nothing_but_blank_has_no_paragraphs() {
        for source in ["", "\n", " \u{a0}\r\n\t", "\u{feff}", "\u{200b}\u{0}\u{ad}\u{200d}"] {
            assert!(split(source).is_empty(), "{source:?}");
        }
    }

    #[test]
    fn short_lines_stay_one_paragraph() {
        assert_eq!(texts("By A. Writer\nPosted at noon\nThe harbour reopens after the storm").len(), 1);
        assert_eq!(texts("A verse is short.\nIt ends.\nThen one more line,\nand it bends.").len(), 1);
    }

    const WRAPPED: &str = "\
The ferry left the quay a little after six, when the fog had thinned and the
lamps along the pier went out one by one. Nobody on board had slept, and the
captain said as much.
By noon the island lay ahead, lower and greener than the charts had promised,
with a single white house at the end of a sandy road.";

    #[test]
    fn wrapped_lines_are_joined_and_short_last_lines_end_the_paragraph() {
        let paragraphs = texts(WRAPPED);
        assert_eq!(paragraphs.len(), 2);
        assert!(paragraphs[0].contains("and the lamps along") && paragraphs[0].ends_with("as much."));
    }

    #[test]
    fn wide_wraps_are_joined_too() {
        let line = "word ".repeat(27);
        let source = format!("{line}\n{line}\n{line}\nand its end.");
        assert_eq!(texts(&source).len(), 1);
    }

    #[test]
    fn a_wide_pair_is_joined_only_amid_a_sentence() {
        let line = "word ".repeat(24);
        assert_eq!(texts(&format!("{line}\nand its end.")).len(), 1);
        assert_eq!(texts(&format!("{line}end.\nAnother beginning.")).len(), 2);
    }

    #[test]
    fn long_lines_without_blank_lines_are_paragraphs() {
        let long = format!("{}end.", "word ".repeat(60));
        let source = format!("A headline\nBy A. Writer\n{long}\n{long}\nRead more");
        assert_eq!(texts(&source), ["A headline", "By A. Writer", &long, &long, "Read more"]);
    }

    #[test]
    fn an_address_does_not_turn_wrapped_text_into_a_list() {
        let source = format!("{WRAPPED}\nSee https://example.org/{} for the\nroute.", "x/".repeat(150));
        assert_eq!(texts(&source).len(), 3);
    }

    #[test]
    fn nested_comments_with_blank_lines() {
        let source = "  1. A first view.\n\n    It goes on here.\n\n    1. A reply.\n\n  2. A second view.\n";
        assert_eq!(texts(source), ["A first view.", "It goes on here.", "A reply.", "A second view."]);
    }

    #[test]
    fn nested_comments_without_blank_lines() {
        let source = "  7. A first view\n     in two lines.\n    1. A reply.\n    2. Another.\n  8. A second view.\n";
        assert_eq!(texts(source), ["A first view in two lines.", "A reply.", "Another.", "A second view."]);
    }

    #[test]
    fn a_wrapped_number_is_no_item() {
        assert_eq!(texts("The count had gone from 7 to\n12. Nobody knew why.").len(), 1);
    }

    #[test]
    fn line_ends_do_not_change_paragraphs() {
        for line_break in ["\r\n", "\r", "\r\r\n", "\u{2028}"] {
            assert_eq!(texts(&WRAPPED.replace('\n', line_break)), texts(WRAPPED), "{line_break:?}");
        }
    }
}
