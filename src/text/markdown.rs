//! Markdown: CommonMark with tables, footnotes, strike-through and task lists.
//!
//! | in the source | paragraphs |
//! |---|---|
//! | front matter at the very beginning, `---` or `+++` | one |
//! | heading, paragraph, also in a quote or a list | one each |
//! | list item | one, nested items one each; an item of several paragraphs has as many |
//! | code block, table, block of HTML | one |
//! | thematic break, definition of a link, empty item | none |
//!
//! The span of a paragraph is its slice of the source, marks inside it included. Its text is what a reader of the rendered
//! page sees: without marks, link targets, fences and tags. Marks of lists and quotes stand outside the spans, so what is
//! outside them is not blank here.

use super::blank::is_blank;
use super::normalize::model_text;
use super::split::Paragraph;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use std::borrow::Cow;
use std::ops::Range;

/// The paragraphs of a Markdown document in order, without overlap. Spans begin and end at characters that are not blank.
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
    let body = start
        + front_matter(&source[start..]).map_or(0, |matter| {
            let (first, last) =
                (source[start..].find(['\n', '\r']), source[start..start + matter.end].trim_end().rfind(['\n', '\r']));
            if let (Some(first), Some(last)) = (first, last) {
                let inside = source[start + first..(start + last).max(start + first)].to_owned();
                reader.push(start..start + matter.end, &inside);
            }
            matter.end
        });
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    for (event, range) in Parser::new_ext(&source[body..], options).into_offset_iter() {
        reader.read(event, body + range.start..body + range.end);
    }
    reader.close();
    reader.paragraphs
}

/// The bytes of the front matter that `source` begins with: from a line `---` or `+++` to the next such line.
fn front_matter(source: &str) -> Option<Range<usize>> {
    let mut lines = source.split_inclusive('\n');
    let first = lines.next()?;
    let fence = first.trim_end();
    if !matches!(fence, "---" | "+++") {
        return None;
    }
    let mut end = first.len();
    for (index, line) in lines.enumerate() {
        end += line.len();
        let text = line.trim_end();
        // A rule is followed by a blank line, front matter by its first field.
        if index == 0 && text.is_empty() {
            return None;
        }
        if text == fence || fence == "---" && text == "..." {
            return Some(0..end);
        }
    }
    None
}

/// A paragraph that is being read.
struct Open {
    span: Range<usize>,
    text: String,
    /// Its span comes from the parser and its end event is still to come; else it is text that stands directly in an item.
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

    /// Appends a paragraph, unless all of it is blank. Text that is blank without its marks, as an image without a
    /// description has, gives way to the slice.
    fn push(&mut self, span: Range<usize>, text: &str) {
        let start = span.start.max(self.end);
        let slice = self.source.get(start..span.end).unwrap_or("");
        let trimmed = slice.trim_start_matches(is_blank);
        let start = span.end - trimmed.len().min(span.end);
        let trimmed = trimmed.trim_end_matches(is_blank);
        if trimmed.is_empty() {
            return;
        }
        let plain = model_text(text);
        let text = if plain.is_empty() { model_text(trimmed) } else { plain };
        self.end = start + trimmed.len();
        self.paragraphs.push(Paragraph { span: start..self.end, text: Cow::Owned(text.into_owned()) });
    }
}

/// A block of HTML without tags and comments. What a tag is need not be known exactly: a `<` that a letter, `/` or `!`
/// follows, up to the next `>`.
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
        text.push(' ');
        rest = &tag[end..];
    }
    text.push_str(rest);
    text
}
