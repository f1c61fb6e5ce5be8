//! Markdown: CommonMark with tables, footnotes, strike-through and task lists.
//!
//! | in the source | paragraphs |
//! |---|---|
//! | front matter at the very beginning, `---` or `+++` | one |
//! | heading, paragraph, also in a quote or a list | one each |
//! | list item | one, nested items one each; an item of several paragraphs has as many |
//! | code block, table, block of HTML | one |
//! | what shows no text: thematic break, picture without description, comment, link definition, empty item | none |
//!
//! The span of a paragraph is its slice of the source, marks inside it included. Its text is what a reader of the
//! rendered page sees: without marks, link targets, fences and tags. Marks of lists and quotes stand outside the spans,
//! so what is outside them is not blank here.

use super::blank::is_blank;
use super::normalize::model_text;
use super::split::Paragraph;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use std::borrow::Cow;
use std::ops::Range;

/// The paragraphs of a Markdown document in order, without overlap. Spans begin and end at characters that are not
/// blank.
///
/// It never fails and takes about linear time: any text is Markdown.
///
/// ```
/// use copydesk::text::markdown;
/// let source = "# A *day* out\n\n> We [left](https://example.org)\n> at six.\n\n- bread\n- cheese\n";
/// let texts: Vec<_> = markdown::split(source).into_iter().map(|paragraph| paragraph.text).collect();
/// assert_eq!(texts, ["A day out", "We left at six.", "bread", "cheese"]);
/// ```
pub fn split(source: &str) -> Vec<Paragraph<'_>> {
    let mut reader = Reader { source, paragraphs: Vec::new(), end: 0, open: None };
    // The parser takes a byte order mark for a letter, which would hide the mark of a heading.
    let start = if source.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut body = start;
    if let Some(matter) = FrontMatter::of(&source[start..]) {
        body += matter.length;
        reader.push(start..body, &source[start..][matter.fields]);
    }
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    for (event, range) in Parser::new_ext(&source[body..], options).into_offset_iter() {
        reader.read(event, body + range.start..body + range.end);
    }
    reader.close();
    reader.paragraphs
}

/// Fields in front of a document. The parser would see a rule and a heading in them, or, told of them, see them also
/// where two rules stand in the middle of a text.
struct FrontMatter {
    /// Bytes from the first line to the last, both fences included.
    length: usize,
    /// The bytes between the fences.
    fields: Range<usize>,
}

impl FrontMatter {
    /// From a line `---` or `+++`, with a field in the next line, to the next such line.
    fn of(source: &str) -> Option<FrontMatter> {
        let mut lines = source.split_inclusive('\n');
        let first = lines.next()?;
        let fence = first.trim_end();
        let sign = match fence {
            "---" => ':',
            "+++" => '=',
            _ => return None,
        };
        let mut position = first.len();
        for (index, line) in lines.enumerate() {
            let text = line.trim_end();
            if text == fence || fence == "---" && text == "..." {
                return Some(FrontMatter { length: position + line.len(), fields: first.len()..position });
            }
            // A rule is followed by a text.
            if index == 0 && !text.contains(sign) && !text.starts_with(['#', '[']) {
                return None;
            }
            position += line.len();
        }
        None
    }
}

/// A paragraph that is being read.
struct Open {
    span: Range<usize>,
    text: String,
    /// Its span comes from the parser and its end event is still to come; else it is text that stands directly in an
    /// item.
    block: bool,
}

struct Reader<'a> {
    source: &'a str,
    paragraphs: Vec<Paragraph<'a>>,
    /// End of the last paragraph.
    end: usize,
    open: Option<Open>,
}

impl Reader<'_> {
    fn read(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(&tag, range),
            Event::End(tag) => self.finish(tag),
            Event::Text(text) | Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.inline(range, &text);
            }
            Event::Html(html) => self.inline(range, &html),
            // A tag inside a sentence says nothing, but <br> parts words.
            Event::InlineHtml(tag) => {
                let parts = tag.get(..3).is_some_and(|tag| tag.eq_ignore_ascii_case("<br"));
                self.inline(range, if parts { " " } else { "" });
            }
            Event::SoftBreak | Event::HardBreak => self.inline(range, " "),
            Event::FootnoteReference(_) | Event::TaskListMarker(_) => self.inline(range, ""),
            Event::Rule => self.close(),
        }
    }

    fn start(&mut self, tag: &Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Paragraph
            | Tag::Heading { .. }
            | Tag::CodeBlock(_)
            | Tag::HtmlBlock
            | Tag::Table(_)
            | Tag::MetadataBlock(_) => {
                self.close();
                self.open = Some(Open { span: range, text: String::new(), block: true });
            }
            Tag::Emphasis
            | Tag::Strong
            | Tag::Strikethrough
            | Tag::Superscript
            | Tag::Subscript
            | Tag::Link { .. }
            | Tag::Image { .. } => self.inline(range, ""),
            Tag::TableHead | Tag::TableRow | Tag::TableCell => {}
            Tag::BlockQuote(_)
            | Tag::List(_)
            | Tag::Item
            | Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition => self.close(),
        }
    }

    fn finish(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::TableCell => self.inline_text(" | "),
            TagEnd::TableHead | TagEnd::TableRow => {
                if let Some(open) = &mut self.open {
                    open.text.truncate(open.text.trim_end_matches([' ', '|']).len());
                    open.text.push('\n');
                }
            }
            TagEnd::HtmlBlock => {
                if let Some(open) = &mut self.open {
                    open.text = without_tags(&open.text);
                }
                self.close();
            }
            TagEnd::Paragraph
            | TagEnd::Heading(_)
            | TagEnd::CodeBlock
            | TagEnd::Table
            | TagEnd::MetadataBlock(_)
            | TagEnd::BlockQuote(_)
            | TagEnd::List(_)
            | TagEnd::Item
            | TagEnd::FootnoteDefinition
            | TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition => self.close(),
            TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::Link
            | TagEnd::Image => {}
        }
    }

    /// Adds a piece of a paragraph; in an item that has none, it begins one.
    fn inline(&mut self, range: Range<usize>, text: &str) {
        let open = self.open.get_or_insert_with(|| Open { span: range.clone(), text: String::new(), block: false });
        if !open.block {
            open.span.end = open.span.end.max(range.end);
        }
        open.text.push_str(text);
    }

    fn inline_text(&mut self, text: &str) {
        if let Some(open) = &mut self.open {
            open.text.push_str(text);
        }
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.push(open.span, &open.text);
        }
    }

    /// Appends a paragraph, unless it shows no text.
    fn push(&mut self, span: Range<usize>, text: &str) {
        let text = model_text(text);
        let slice = self.source.get(span.start.max(self.end)..span.end).unwrap_or("");
        let start = span.end - slice.trim_start_matches(is_blank).len();
        let end = start + slice.trim_matches(is_blank).len();
        if !text.is_empty() && start < end {
            self.end = end;
            self.paragraphs.push(Paragraph { span: start..end, text: Cow::Owned(text.into_owned()) });
        }
    }
}

/// Tags that stand inside words and sentences.
const INLINE_TAGS: [&str; 17] = [
    "a", "abbr", "b", "cite", "code", "del", "em", "font", "i", "ins", "mark", "s", "small", "span", "strong", "sub",
    "sup",
];

/// A block of HTML without tags and comments; a tag that does not stand inside a sentence leaves a space. What a tag is
/// need not be known exactly: a `<` that a letter, `/`, `!` or `?` follows, up to the next `>`.
fn without_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        let tag = &rest[start..];
        let end = if tag.starts_with("<!--") {
            tag.find("-->").map_or(tag.len(), |end| end + 3)
        } else if tag[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
            tag.find('>').map_or(tag.len(), |end| end + 1)
        } else {
            text.push('<');
            rest = &tag[1..];
            continue;
        };
        let name = tag[1..end].trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("");
        if !INLINE_TAGS.iter().any(|inline| name.eq_ignore_ascii_case(inline)) {
            text.push(' ');
        }
        rest = &tag[end..];
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<String> {
        split(source).into_iter().map(|paragraph| paragraph.text.into_owned()).collect()
    }

    #[test]
    fn blocks_are_paragraphs_and_marks_are_gone() {
        assert_eq!(
            texts("# One #\nTwo\n===\n\nThree **four** ~~five~~ `six`."),
            ["One", "Two", "Three four five six."]
        );
        assert_eq!(texts("```rust\nlet a;\n\nlet b;\n```\n\n    indented"), ["let a; let b;", "indented"]);
        assert_eq!(texts("<!-- note -->\n\n<p>Closed on <b>Mondays</b>.</p>"), ["Closed on Mondays."]);
        assert_eq!(texts("a <b>b</b>c<br/>d &lt; e"), ["a bc d < e"]);
        assert_eq!(texts("Text.[^1]\n\n[^1]: The note.\n\n[link]: https://example.org\n"), ["Text.", "The note."]);
    }

    #[test]
    fn items_and_quotes_are_read_each_for_itself() {
        assert_eq!(texts("- a\n  b\n  - c\n- [x] d\n-\n"), ["a b", "c", "d"]);
        assert_eq!(texts("1. a\n\n   b\n\n2. c"), ["a", "b", "c"]);
        assert_eq!(texts("> a\n> b\n>\n> c\n>> d\n\ne"), ["a b", "c", "d", "e"]);
    }

    #[test]
    fn front_matter_is_one_paragraph_at_the_beginning_only() {
        assert_eq!(texts("\u{feff}---\r\ntitle: x\r\ndate: y\r\n---\r\n# T"), ["title: x date: y", "T"]);
        assert_eq!(texts("+++\nt = 1\n+++\nText"), ["t = 1", "Text"]);
        assert_eq!(texts("---\n\nText\n\n---\n\nMore"), ["Text", "More"]);
        assert_eq!(texts("---\nA text below a rule\n\n---\n\nMore"), ["A text below a rule", "More"]);
        assert_eq!(texts("---\nt: 1\n"), ["t: 1"]);
    }

    #[test]
    fn spans_are_slices_of_the_source() {
        let source = "\u{feff}# *Über* uns\n\n- [eins](https://example.org)\n- ![zwei](bild.png)\n";
        let slices: Vec<_> = split(source).into_iter().map(|paragraph| &source[paragraph.span]).collect();
        assert_eq!(slices, ["# *Über* uns", "[eins](https://example.org)", "![zwei](bild.png)"]);
        assert_eq!(texts(source), ["Über uns", "eins", "zwei"]);
    }

    #[test]
    fn blank_sources_have_none() {
        for source in ["", "\n", "\u{feff}", "---", "- \n", "> \n", "***\n", "![](a.png)", "<!-- a -->", "<hr>"] {
            assert!(split(source).is_empty(), "{source:?}");
        }
    }
}
