//! From a source to its paragraphs.

use super::blank::is_blank;
use super::layout::{Layout, LineShape};
use super::lines::RawLines;
use super::marker::{ItemFinder, list_number};
use super::normalize::model_text;
use std::borrow::Cow;
use std::ops::Range;

/// A paragraph and where it stands in its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paragraph<'a> {
    /// UTF-8 byte offsets into the source, on character boundaries; the first and the last character are not blank.
    pub span: Range<usize>,
    /// What the model sees: [`model_text`] of the slice under `span`. Never empty.
    pub text: Cow<'a, str>,
}

/// The paragraphs of `source` in order, without overlap; every character outside them is blank.
///
/// Takes time linear in the length of the source and, besides the result, memory for the lines of its largest block.
/// It never fails: any UTF-8 text has paragraphs, unless all of it is blank.
///
/// The [module documentation](super) lists what separates paragraphs. Inside a block of several lines this decides, in
/// this order:
///
/// 1. **Numbered items.** A line that begins with a list number (up to 999, then `.` or `)`, then a blank) begins a
///    paragraph if the number is 1, is one more than a list number of the same block, or if the line is indented
///    differently from the line before it.
/// 2. **Wrapped text.** The *usual width* is the one that at most a fifth of the lines exceed. A line is *full* if the
///    next line's first word would have reached into the last quarter of the usual width. If the usual width is 40 to
///    160 columns and at least a third of the line breaks follow a full line amid a sentence, the block is wrapped text:
///    a paragraph ends only after a line that is not full and ends a sentence, and around a line of more than 160 columns.
/// 3. **One paragraph per line.** Otherwise, if a line has more than 100 columns or the block more than 50 lines, each
///    line is a paragraph, except that a full line of 101 to 160 columns that breaks off amid a sentence is joined with the
///    next.
/// 4. **Together.** All other blocks are one paragraph.
///
/// Columns count characters; a word of more than 40 ASCII characters, such as an address, counts as 40.
///
/// ```
/// use copydesk::text::split;
/// let source = "A headline\n\n  1. The first comment is\n     wrapped.\n  2. The second is not.\n";
/// let texts: Vec<_> = split(source).into_iter().map(|paragraph| paragraph.text).collect();
/// assert_eq!(texts, ["A headline", "The first comment is wrapped.", "The second is not."]);
/// ```
pub fn split(source: &str) -> Vec<Paragraph<'_>> {
    let mut splitter = Splitter { source, block: Block::new(), paragraphs: Vec::new() };
    for line in RawLines::new(source) {
        let text = line.text.trim_matches(is_blank);
        if text.is_empty() {
            splitter.end_block();
        } else {
            let start = line.start + (line.text.len() - line.text.trim_start_matches(is_blank).len());
            splitter.block.push(start..start + text.len(), LineShape::measure(line.text), list_number(text));
        }
        if line.ends_block {
            splitter.end_block();
        }
    }
    splitter.end_block();
    splitter.paragraphs
}

/// The lines of the block that is being read, none of them blank.
struct Block {
    /// Byte offsets of each line, trimmed.
    spans: Vec<Range<usize>>,
    shapes: Vec<LineShape>,
    /// Whether each line begins a numbered item.
    items: Vec<bool>,
    item_finder: ItemFinder,
}

impl Block {
    fn new() -> Self {
        Block { spans: Vec::new(), shapes: Vec::new(), items: Vec::new(), item_finder: ItemFinder::new() }
    }

    fn push(&mut self, span: Range<usize>, shape: LineShape, number: Option<usize>) {
        self.items.push(self.item_finder.begins_item(number, shape.indent));
        self.spans.push(span);
        self.shapes.push(shape);
    }

    fn clear(&mut self) {
        self.spans.clear();
        self.shapes.clear();
        self.items.clear();
        self.item_finder.begin_block();
    }
}

struct Splitter<'a> {
    source: &'a str,
    block: Block,
    paragraphs: Vec<Paragraph<'a>>,
}

impl Splitter<'_> {
    fn end_block(&mut self) {
        let Block { spans, shapes, items, .. } = &self.block;
        let layout = Layout::of(shapes);
        let mut first = 0;
        for last in 0..spans.len() {
            let next = last + 1;
            if next == spans.len() || items[next] || layout.ends_paragraph(shapes[last], shapes[next]) {
                let span = spans[first].start..spans[last].end;
                let text = model_text(&self.source[span.clone()]);
                self.paragraphs.push(Paragraph { span, text });
                first = next;
            }
        }
        self.block.clear();
    }
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
