//! From tags and text to blocks.

use super::tag::{self, Flow, Kind, group, hint};
use super::words::{self, hash};
use crate::text::is_blank;
use crate::text::{character_ceiling, character_floor};
use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};
use std::convert::Infallible;
use std::ops::Range;

/// Elements inside each other that are told apart; text below them counts to the last one. Browsers have such a limit too.
const DEPTH: usize = 256;

/// Blocks after which a page is cut into sections, which are judged one by one.
const SECTION_BLOCKS: usize = 4096;

/// Bytes of text after which a section ends.
const SECTION_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of text after which a block ends at the next blank.
pub(super) const BLOCK_BYTES: usize = 16 * 1024;

/// Words of class and id that are kept of an element.
const NAMES: usize = 10;

/// Bytes of an attribute that are read.
const VALUE_BYTES: usize = 512;

/// No node yet.
const NONE: u32 = u32::MAX;

/// Text between two tags that end a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// From the first byte of the text in the source to behind its last; tags may stand between.
    pub span: Range<usize>,
    /// The text, references decoded and blanks put together; in `pre` as it stands.
    pub text: String,
    /// The level of the heading that it is, 1 to 6; 0 for none.
    pub heading: u8,
    /// Words of the text, and how many of them are text of links.
    pub words: u32,
    pub link_words: u32,
    /// What the elements around it say, from the innermost outwards.
    pub inside: u64,
    /// What the three innermost say.
    pub near: u64,
    /// The innermost element.
    pub node: u32,
    /// Elements around it.
    pub depth: u16,
    /// Number of breaks (`br`) and of other elements in it.
    pub breaks: u16,
    pub inner: u16,
}

/// An element with text in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The element around it; itself for the outermost.
    pub parent: u32,
    pub group: u8,
    pub is_block: bool,
    /// What its tag, role, class and id say.
    pub own: u64,
    /// Hashes of its name and of the words of its class and id.
    pub names: Box<[u64]>,
    /// Blocks in it, a run of them.
    pub blocks: Range<u32>,
}

/// What a page says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    /// The words of `title` and of `og:title`.
    pub title: String,
    /// Hash of `og:type`; 0 without one.
    pub kind: u64,
    /// Types of schema.org that stand in it, as bits.
    pub types: u32,
}

/// A page, or a part of a long one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    pub blocks: Vec<Block>,
    pub nodes: Vec<Node>,
    pub head: Head,
}

/// Reads a page and hands its sections on, in order; a page without text has none.
///
/// Takes time linear in the length of the source, whatever it holds.
pub fn read(source: &str, take: &mut dyn FnMut(Section)) {
    let mut reader = Reader::new(source, take);
    reader.tokens(source, 0);
    reader.end_block();
    reader.end_section();
}

/// An element that has begun.
struct Open {
    /// Hash of its name.
    name: u64,
    kind: Kind,
    heading: u8,
    own: u64,
    inside: u64,
    names: Vec<u64>,
    node: u32,
}

/// A start tag that is being read.
#[derive(Default)]
struct Starting {
    name: Vec<u8>,
    attribute: Vec<u8>,
    hints: u64,
    names: Vec<u64>,
    /// `property` or `name` of `meta`, and its `content`.
    property: String,
    content: String,
    /// A script holds data of schema.org.
    is_data: bool,
}

struct Reader<'a> {
    source: &'a str,
    take: &'a mut dyn FnMut(Section),
    section: Section,
    section_bytes: usize,
    open: Vec<Open>,
    /// Elements that were opened beyond [`DEPTH`].
    overflow: usize,
    starting: Starting,
    /// The block that is being read, where its text began.
    block: Option<Block>,
    /// White space was met since the last character of the block.
    blank: bool,
    breaks: u8,
    in_data: bool,
    in_noscript: bool,
    /// Elements that no end tag may end: those around `noscript` while it is read.
    floor: usize,
}

impl<'a> Reader<'a> {
    fn new(source: &'a str, take: &'a mut dyn FnMut(Section)) -> Reader<'a> {
        Reader {
            source,
            take,
            section: Section::default(),
            section_bytes: 0,
            open: Vec::new(),
            overflow: 0,
            starting: Starting::default(),
            block: None,
            blank: false,
            breaks: 0,
            in_data: false,
            in_noscript: false,
            floor: 0,
        }
    }

    /// Takes all tokens of a part of the source that begins at `base`.
    fn tokens(&mut self, part: &str, base: usize) {
        let callback = |event: CallbackEvent<'_>, span: Span<usize>| -> Option<Infallible> {
            self.event(event, base + span.start..base + span.end);
            None
        };
        let mut emitter: CallbackEmitter<_, Infallible, usize> = CallbackEmitter::new(callback);
        emitter.naively_switch_states(true);
        let Ok(()) = Tokenizer::new_with_emitter(part, emitter).finish();
    }

    fn event(&mut self, event: CallbackEvent<'_>, span: Range<usize>) {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                let starting = &mut self.starting;
                starting.name.clear();
                starting.name.extend_from_slice(&name[..name.len().min(VALUE_BYTES)]);
                (starting.hints, starting.is_data) = (0, false);
                starting.names.clear();
                starting.property.clear();
                starting.content.clear();
                starting.attribute.clear();
            }
            CallbackEvent::AttributeName { name } => {
                let starting = &mut self.starting;
                starting.attribute.clear();
                starting.attribute.extend_from_slice(&name[..name.len().min(VALUE_BYTES)]);
                if starting.attribute == b"hidden" {
                    starting.hints |= hint::HIDDEN;
                }
            }
            CallbackEvent::AttributeValue { value } => self.attribute(&value[..value.len().min(VALUE_BYTES)]),
            CallbackEvent::CloseStartTag { self_closing } => self.start_tag(self_closing),
            CallbackEvent::EndTag { name } => self.end_tag(name),
            CallbackEvent::String { value } => self.text(&String::from_utf8_lossy(value), span),
            CallbackEvent::Comment { .. } | CallbackEvent::Doctype { .. } | CallbackEvent::Error(_) => {}
        }
    }

    fn attribute(&mut self, value: &[u8]) {
        let value = String::from_utf8_lossy(value);
        let starting = &mut self.starting;
        match starting.attribute.as_slice() {
            b"class" | b"id" if !matches!(starting.name.as_slice(), b"body" | b"html") => {
                for name in value.split_ascii_whitespace() {
                    let (mut own, mut is_state) = (0, false);
                    let names = &mut starting.names;
                    words::names(name, NAMES.saturating_sub(names.len()), |word| {
                        own |= tag::of_word(word);
                        is_state |= tag::is_state(word);
                        names.push(hash(1, word));
                    });
                    // `comments-open` stands around an article, not around its comments.
                    starting.hints |= if is_state { own & !(hint::COMMENTS | hint::REVIEW) } else { own };
                }
            }
            b"role" => {
                starting.hints |= tag::of_role(&value);
                starting.names.push(hash(2, value.as_bytes()));
            }
            b"itemprop" => {
                starting.hints |= tag::of_property(&value);
                starting.names.push(hash(3, value.as_bytes()));
            }
            b"itemtype" => {
                starting.names.push(hash(4, value.rsplit('/').next().unwrap_or_default().as_bytes()));
                self.section.head.types |= schema_types(&value);
            }
            b"aria-hidden" if value.trim().eq_ignore_ascii_case("true") => starting.hints |= hint::HIDDEN,
            b"hidden" if value.trim().eq_ignore_ascii_case("false") => starting.hints &= !hint::HIDDEN,
            b"style" => {
                let plain: String = value.chars().filter(|c| !c.is_whitespace()).collect();
                let plain = plain.to_ascii_lowercase();
                if plain.contains("display:none") || plain.contains("visibility:hidden") {
                    starting.hints |= hint::HIDDEN;
                }
            }
            b"type" => starting.is_data = value.trim().eq_ignore_ascii_case("application/ld+json"),
            b"property" | b"name" => starting.property = value.trim().to_ascii_lowercase(),
            b"content" => starting.content = value.into_owned(),
            _ => {}
        }
    }

    fn start_tag(&mut self, self_closing: bool) {
        let kind = tag::of(&self.starting.name);
        match kind.flow {
            Flow::Void => return self.void(),
            Flow::Block => self.end_block(),
            Flow::Inline | Flow::Skipped => {}
        }
        self.close_implied(kind);
        // Only in SVG and MathML does the slash mean something.
        let in_drawing = self.open.last().is_some_and(|open| open.inside & hint::SKIPPED != 0);
        if self_closing && (in_drawing || matches!(self.starting.name.as_slice(), b"svg" | b"math")) {
            return;
        }
        if self.open.len() >= DEPTH {
            self.overflow += 1;
            return;
        }
        self.in_data = self.starting.is_data && self.starting.name == b"script";
        if let Some(block) = &mut self.block {
            block.inner = block.inner.saturating_add(1);
        }
        let own = kind.hints | self.starting.hints;
        let above = self.open.last().map_or(0, |open| open.inside);
        let name = hash(0, &self.starting.name);
        self.starting.names.truncate(NAMES + 4);
        self.open.push(Open {
            name,
            kind,
            heading: tag::heading_level(&self.starting.name),
            own,
            inside: above | own,
            names: std::mem::take(&mut self.starting.names),
            node: NONE,
        });
    }

    /// A tag without content.
    fn void(&mut self) {
        match self.starting.name.as_slice() {
            b"br" => {
                self.blank = true;
                self.breaks = self.breaks.saturating_add(1);
                if self.breaks >= 2 && self.open.last().is_none_or(|open| open.inside & hint::PREFORMATTED == 0) {
                    self.end_block();
                } else if let Some(block) = &mut self.block {
                    block.breaks = block.breaks.saturating_add(1);
                    if self.open.last().is_some_and(|open| open.inside & hint::PREFORMATTED != 0) {
                        block.text.push('\n');
                    }
                }
            }
            b"hr" => self.end_block(),
            b"wbr" => {}
            b"meta" => match self.starting.property.as_str() {
                "og:title" | "twitter:title" => self.add_title(),
                "og:type" => self.section.head.kind = hash(5, self.starting.content.trim().as_bytes()),
                _ => {}
            },
            // A picture stands between words.
            _ => self.blank = true,
        }
    }

    fn add_title(&mut self) {
        let title = &mut self.section.head.title;
        if title.len() < VALUE_BYTES * 4 {
            title.push(' ');
            title.push_str(&self.starting.content);
        }
    }

    /// Ends what cannot hold the element that begins: a paragraph no block, an item no item of the same list.
    fn close_implied(&mut self, kind: Kind) {
        let ends: &[u8] = match kind.group {
            group::ITEM => &[group::ITEM],
            group::TERM => &[group::TERM],
            group::CELL => &[group::CELL],
            _ if kind.flow == Flow::Block => &[],
            _ => return,
        };
        if self.overflow > 0 {
            return;
        }
        for index in (self.floor..self.open.len()).rev() {
            let open = &self.open[index];
            if open.kind.group == group::PARAGRAPH || ends.contains(&open.kind.group) {
                self.open.truncate(index);
                return;
            }
            let goes_on = open.kind.flow == Flow::Inline && open.kind.group == group::INLINE
                || (!ends.is_empty() && matches!(open.kind.group, group::PARAGRAPH | group::DIVISION));
            if !goes_on {
                return;
            }
        }
    }

    fn end_tag(&mut self, name: &[u8]) {
        let kind = tag::of(&name[..name.len().min(VALUE_BYTES)]);
        if kind.flow == Flow::Block {
            self.end_block();
        }
        if kind.flow == Flow::Void {
            return;
        }
        if self.overflow > 0 {
            self.overflow -= 1;
            return;
        }
        let hash = hash(0, &name[..name.len().min(VALUE_BYTES)]);
        for index in (self.floor..self.open.len()).rev() {
            let open = &self.open[index];
            if open.name == hash {
                self.open.truncate(index);
                return;
            }
            // A stray end tag ends nothing outside the cell or, where it is inline, outside the block that it stands in.
            let is_wall = match kind.flow {
                Flow::Block => open.kind.group == group::CELL && kind.group != group::TABLE,
                _ => open.kind.flow == Flow::Block && kind.group == group::INLINE,
            };
            if is_wall {
                return;
            }
        }
    }

    fn text(&mut self, text: &str, span: Range<usize>) {
        let inside = self.open.last().map_or(0, |open| open.inside);
        if inside & hint::SKIPPED != 0 {
            // What stands here for browsers without scripts is the page's text on some sites. The tokenizer gives it unread.
            if self.open.last().is_some_and(|open| open.own & hint::NO_SCRIPT != 0) && !self.in_noscript {
                return self.noscript(span);
            }
            if self.open.last().is_some_and(|open| open.name == hash(0, b"title")) && self.open.len() <= 4 {
                let title = &mut self.section.head.title;
                if title.len() < VALUE_BYTES * 4 {
                    title.push(' ');
                    title.extend(text.chars().take(VALUE_BYTES));
                }
            } else if self.in_data {
                self.section.head.types |= schema_types(text);
            }
            return;
        }
        let shown = text.trim_matches(is_blank);
        if shown.is_empty() {
            self.blank |= !text.is_empty();
            if inside & hint::PREFORMATTED != 0
                && let Some(block) = &mut self.block
            {
                block.text.push_str(text);
            }
            return;
        }
        self.breaks = 0;
        let span = shown_span(self.source, span);
        if shown.len() > BLOCK_BYTES {
            return self.long_text(shown, span, inside);
        }
        self.push_text(text, shown, span, inside);
    }

    /// Text that makes several blocks: it is cut at blanks, and in the source where the same bytes stand, which holds for all
    /// text without references; with some, the blocks share their span.
    fn long_text(&mut self, shown: &str, span: Range<usize>, inside: u64) {
        self.end_block();
        let same = self.source.get(span.clone()) == Some(shown);
        let mut rest = 0;
        while rest < shown.len() {
            let mut end = character_floor(shown, rest + BLOCK_BYTES);
            if end < shown.len() {
                end = shown[rest..end].rfind(is_blank).map_or(end, |blank| rest + blank + 1).max(rest + 1);
                end = character_ceiling(shown, end);
            }
            let piece = shown[rest..end].trim_matches(is_blank);
            if !piece.is_empty() {
                let begin = rest + shown[rest..end].find(|c| !is_blank(c)).unwrap_or(0);
                let place = match same {
                    true => span.start + begin..span.start + begin + piece.len(),
                    false => span.clone(),
                };
                self.push_text(piece, piece, place, inside);
                self.end_block();
            }
            rest = end;
        }
    }

    /// Reads what stands in `noscript`; another one in it is skipped, so that the depth is bounded.
    fn noscript(&mut self, span: Range<usize>) {
        let source = self.source;
        let Some(part) = source.get(span.clone()) else { return };
        let depth = self.open.len();
        let [.., above, open] = self.open.as_mut_slice() else { return };
        if above.inside & hint::SKIPPED != 0 {
            return;
        }
        let hints = open.inside;
        open.inside &= !hint::SKIPPED;
        (self.in_noscript, self.floor) = (true, depth);
        self.end_block();
        self.tokens(part, span.start);
        self.end_block();
        (self.in_noscript, self.floor) = (false, 0);
        self.open.truncate(depth);
        if let Some(open) = self.open.last_mut() {
            open.inside = hints;
        }
    }

    fn push_text(&mut self, text: &str, shown: &str, span: Range<usize>, inside: u64) {
        if self.block.as_ref().is_some_and(|block| block.text.len() > BLOCK_BYTES) {
            self.end_block();
        }
        let before = text.len() - text.trim_start_matches(is_blank).len();
        let preformatted = inside & hint::PREFORMATTED != 0;
        if self.block.is_none() {
            let block = self.begin_block(&span, inside);
            self.block = Some(block);
            self.blank = false;
        }
        let block = self.block.as_mut().expect("it was just begun; this is a bug");
        block.span.end = span.end;
        if preformatted {
            block.text.push_str(match block.text.is_empty() {
                true => text.trim_start_matches(is_blank),
                false => text,
            });
            self.blank = false;
        } else {
            if (self.blank || before > 0) && !block.text.is_empty() {
                block.text.push(' ');
            }
            push_collapsed(&mut block.text, shown);
            self.blank = before + shown.len() < text.len();
        }
        if inside & hint::LINK != 0 {
            block.link_words = block.link_words.saturating_add(words::words(shown).count() as u32);
        }
    }

    fn begin_block(&mut self, span: &Range<usize>, inside: u64) -> Block {
        let node = self.node();
        let near = self.open.iter().rev().take(3).fold(0, |near, open| near | open.own);
        let heading = self.open.iter().rev().find_map(|open| (open.heading > 0).then_some(open.heading));
        Block {
            span: span.clone(),
            text: String::new(),
            heading: heading.unwrap_or(0),
            words: 0,
            link_words: 0,
            inside,
            near,
            node,
            depth: self.open.len() as u16,
            breaks: 0,
            inner: 0,
        }
    }

    /// The node of the innermost element; those around it get theirs too.
    fn node(&mut self) -> u32 {
        let number = self.section.blocks.len() as u32;
        let nodes = &mut self.section.nodes;
        let known = self.open.iter().rposition(|open| open.node != NONE);
        let mut parent = known.map_or(NONE, |index| self.open[index].node);
        for open in &mut self.open[known.map_or(0, |index| index + 1)..] {
            let node = nodes.len() as u32;
            let names = open.names.iter().copied().chain([open.name]).collect();
            nodes.push(Node {
                parent: if parent == NONE { node } else { parent },
                group: open.kind.group,
                is_block: open.kind.flow == Flow::Block || open.kind.group == group::UNKNOWN,
                own: open.own,
                names,
                blocks: number..number,
            });
            open.node = node;
            parent = node;
        }
        if parent == NONE {
            // Text outside all elements.
            let node = nodes.len() as u32;
            let (group, names) = (group::OTHER, Box::default());
            nodes.push(Node { parent: node, group, is_block: true, own: 0, names, blocks: number..number });
            parent = node;
        }
        parent
    }

    fn end_block(&mut self) {
        self.blank = false;
        self.breaks = 0;
        let Some(mut block) = self.block.take() else { return };
        let end = block.text.trim_end_matches(is_blank).len();
        block.text.truncate(end);
        block.words = words::words(&block.text).count() as u32;
        block.link_words = block.link_words.min(block.words);
        let number = self.section.blocks.len() as u32 + 1;
        let mut node = block.node;
        loop {
            let at = &mut self.section.nodes[node as usize];
            at.blocks.end = number;
            if at.parent == node {
                break;
            }
            node = at.parent;
        }
        self.section_bytes += block.text.len();
        self.section.blocks.push(block);
        if self.section.blocks.len() >= SECTION_BLOCKS || self.section_bytes >= SECTION_BYTES {
            self.end_section();
        }
    }

    fn end_section(&mut self) {
        if self.section.blocks.is_empty() {
            return;
        }
        let head = self.section.head.clone();
        let section = std::mem::replace(&mut self.section, Section { head, ..Section::default() });
        self.section_bytes = 0;
        self.open.iter_mut().for_each(|open| open.node = NONE);
        (self.take)(section);
    }
}

/// Appends a text with every run of white space as one blank.
fn push_collapsed(out: &mut String, text: &str) {
    for (number, word) in text.split_whitespace().enumerate() {
        if number > 0 {
            out.push(' ');
        }
        out.push_str(word);
    }
}

/// References of blanks that stand at the edge of a text.
const BLANK_REFERENCES: [&str; 12] = [
    "&nbsp;", "&#160;", "&#xa0;", "&#xA0;", "&#32;", "&#x20;", "&#10;", "&#8203;", "&zwnj;", "&ensp;", "&emsp;",
    "&shy;",
];

/// A span of source without the blanks at its edges.
fn shown_span(source: &str, span: Range<usize>) -> Range<usize> {
    let Some(mut text) = source.get(span.clone()) else { return span };
    let mut start = span.start;
    loop {
        let before = text.len();
        text = text.trim_start_matches(is_blank);
        if let Some(reference) = BLANK_REFERENCES.iter().find(|reference| text.starts_with(**reference)) {
            text = &text[reference.len()..];
        }
        start += before - text.len();
        if text.len() == before {
            break;
        }
    }
    loop {
        let before = text.len();
        text = text.trim_end_matches(is_blank);
        if let Some(reference) = BLANK_REFERENCES.iter().find(|reference| text.ends_with(**reference)) {
            text = &text[..text.len() - reference.len()];
        }
        if text.len() == before {
            break;
        }
    }
    start..start + text.len()
}

/// Types of schema.org that tell kinds of pages apart, as bits.
fn schema_types(text: &str) -> u32 {
    const TYPES: [&str; 12] = [
        "NewsArticle",
        "BlogPosting",
        "Article",
        "Product",
        "DiscussionForumPosting",
        "QAPage",
        "ItemList",
        "CollectionPage",
        "Recipe",
        "FAQPage",
        "TechArticle",
        "SoftwareApplication",
    ];
    TYPES.iter().enumerate().filter(|(_, name)| text.contains(**name)).fold(0, |bits, (bit, _)| bits | 1 << bit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    fn all(source: &str) -> Vec<Block> {
        let mut blocks = Vec::new();
        read(source, &mut |section| blocks.extend(section.blocks));
        blocks
    }

    fn texts(source: &str) -> Vec<String> {
        all(source).into_iter().map(|block| block.text).collect()
    }

    #[test]
    fn blocks_are_told_apart_by_tags_and_keep_their_spans() {
        let source = "<!doctype html><title>T</title><body>\n<h2>A <i>title</i></h2> <p>One\n  two <a href=x>three</a>.\
            <p>Four<ul><li>Five<li>Six</ul>Seven<br>eight<br><br>nine<table><tr><td>Ten<td>Eleven</table>";
        let blocks = all(source);
        let found: Vec<(&str, &str)> =
            blocks.iter().map(|block| (block.text.as_str(), &source[block.span.clone()])).collect();
        let expected = [
            ("A title", "A <i>title"),
            ("One two three.", "One\n  two <a href=x>three</a>."),
            ("Four", "Four"),
            ("Five", "Five"),
            ("Six", "Six"),
            ("Seven eight", "Seven<br>eight"),
            ("nine", "nine"),
            ("Ten", "Ten"),
            ("Eleven", "Eleven"),
        ];
        assert_eq!(found, expected);
        assert_eq!((blocks[0].heading, blocks[1].heading), (2, 0));
        assert_eq!((blocks[1].words, blocks[1].link_words), (3, 1));
        assert!(blocks[3].inside & hint::LIST != 0 && blocks[5].inside & hint::LIST == 0);
        assert!(blocks[8].inside & hint::TABLE != 0);
    }

    #[test]
    fn references_are_decoded_and_blanks_at_the_edge_are_outside_the_span() {
        let source = "<p>&nbsp; caf&eacute; &amp;&#160;bar &nbsp;</p><pre>\n a\n  b &lt;\n</pre><p>&nbsp;</p>";
        let blocks = all(source);
        assert_eq!(blocks.len(), 2);
        assert_eq!(
            (blocks[0].text.as_str(), &source[blocks[0].span.clone()]),
            ("café & bar", "caf&eacute; &amp;&#160;bar")
        );
        assert_eq!((blocks[1].text.as_str(), &source[blocks[1].span.clone()]), ("a\n  b <", "a\n  b &lt;"));
    }

    #[test]
    fn what_shows_no_text_is_left_out() {
        let source = "<head><title>T</title><style>p{}</style></head><script>var a = '<p>no</p>';</script><svg><text>no</text>\
            <title>no</title></svg><template><p>no</p></template><textarea>no</textarea><!-- no --><select><option>no</select>yes";
        assert_eq!(texts(source), ["yes"]);
    }

    #[test]
    fn text_for_browsers_without_scripts_is_read_once() {
        let source = "<div>a<noscript><p>b</div><noscript>c</noscript>d</div>";
        let blocks = all(source);
        let found: Vec<&str> = blocks.iter().map(|block| block.text.as_str()).collect();
        assert_eq!(found, ["a", "b", "d"]);
        assert_eq!(&source[blocks[1].span.clone()], "b");
        assert!(blocks[1].inside & hint::NO_SCRIPT != 0 && blocks[2].inside & hint::NO_SCRIPT == 0);
        let nested = "<noscript>".repeat(100_000);
        assert!(texts(&nested).is_empty());
    }

    #[test]
    fn stray_end_tags_end_nothing_around_their_cell_or_block() {
        let source = "<nav><table><tr><td>a</div></nav-x>b</td></tr></table><p>c</span></nav><p>d</p></span>e";
        let in_nav: Vec<(String, bool)> =
            all(source).into_iter().map(|block| (block.text, block.inside & hint::NAV != 0)).collect();
        let expected = [("a", true), ("b", true), ("c", true), ("d", false), ("e", false)];
        assert_eq!(in_nav, expected.map(|(text, inside)| (text.to_owned(), inside)));
    }

    #[test]
    fn tags_roles_and_classes_tell_where_a_block_stands() {
        let hints = |source: &str| all(source)[0].inside;
        assert!(hints("<div role=navigation>a") & hint::NAV != 0);
        assert!(hints("<ol class='comment-list'><li>a") & hint::COMMENTS != 0);
        assert!(hints("<article class='post comments-open'><p>a") & hint::COMMENTS == 0);
        assert!(hints("<div style='display: none'>a") & hint::HIDDEN != 0);
        assert!(hints("<div hidden>a") & hint::HIDDEN != 0);
        assert!(hints("<div itemprop=articleBody>a") & hint::BODY_PROPERTY != 0);
        assert!(hints("<body class='sidebar'><p>a") & hint::SIDE == 0);
    }

    #[test]
    fn a_long_text_is_cut_at_blanks_and_every_piece_keeps_its_place() {
        let source = format!("<p>{}</p>", "word ".repeat(20_000));
        let blocks = all(&source);
        assert!(blocks.len() > 4);
        for block in &blocks {
            assert!(block.text.len() <= BLOCK_BYTES);
            assert_eq!(source[block.span.clone()], block.text);
        }
        assert_eq!(blocks.iter().map(|block| block.words).sum::<u32>(), 20_000);
    }

    /// A quadratic step anywhere would make each of these take minutes.
    #[test]
    fn hostile_pages_take_linear_time_and_bounded_sections() {
        let repeated = |text: &str| text.repeat(2_000_000 / text.len());
        let pages = [
            repeated("<div>"),
            repeated("<div>a"),
            repeated("<b>a"),
            repeated("<p>a"),
            repeated("<li>a<ul>"),
            repeated("<td><table>a"),
            repeated("</div>"),
            repeated("<div>") + &repeated("</p>"),
            repeated("<x-y>a</z>"),
            format!("<p {}>a", repeated("a=b ")),
            format!("<p class='{}'>a", repeated("ab-cd ")),
            format!("<p>{}", repeated("a<br>")),
            format!("<p>{}", repeated("&amp;")),
            format!("<script>{}", repeated("</")),
            format!("<!--{}", repeated("--!")),
            format!("<a>{}", repeated("word")),
            format!("<pre>{}", repeated("\n<i>x")),
            repeated("<noscript><p>a"),
            repeated("<svg><p>a"),
        ];
        for page in pages {
            read(&page, &mut |section| {
                assert!(section.blocks.len() <= SECTION_BLOCKS);
                assert!(section.blocks.iter().all(|block| block.text.len() <= 3 * BLOCK_BYTES));
            });
        }
    }

    #[test]
    fn no_bytes_break_the_reader_and_spans_stay_in_order() {
        const PIECES: [&str; 40] = [
            "<",
            ">",
            "</",
            "/>",
            "<p>",
            "</p>",
            "<div class='comment nav'>",
            "</div>",
            "<li>",
            "<td>",
            "<table>",
            "</table>",
            "<br>",
            "<pre>",
            "</pre>",
            "<noscript>",
            "</noscript>",
            "<script>",
            "</script>",
            "<title>",
            "</title>",
            "<svg>",
            "<svg/>",
            "</svg>",
            "<a href=\"",
            "\"",
            "'",
            "=",
            "&nbsp;",
            "&#0;",
            "&notin",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "\u{a0}",
            "é\u{200b}",
            "word ",
            "\n",
            "\0",
        ];
        let mut random = SplitMix64::new(5);
        for _ in 0..3000 {
            let source: String = (0..random.below(40)).map(|_| PIECES[random.below(PIECES.len())]).collect();
            let mut last = 0;
            for block in all(&source) {
                let part = source.get(block.span.clone()).unwrap_or_else(|| panic!("{source:?}: {:?}", block.span));
                assert!(!block.text.trim().is_empty() && !part.is_empty(), "{source:?}");
                assert!(block.span.start >= last, "{source:?}");
                assert!(block.link_words <= block.words);
                last = block.span.end;
            }
        }
    }
}
