//! From tags to blocks: which elements are open, and what they say.

mod blocks;
mod section;
#[cfg(test)]
mod tests;

pub use section::{Block, Section};

use crate::html::tag::{self, Flow, Kind, group, hint};
use crate::html::words::{self, hash};
use blocks::schema_types;
use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};
use std::convert::Infallible;
use std::ops::Range;

/// Elements inside each other that are told apart; text below them counts to the last one. Browsers have such a limit too.
const DEPTH: usize = 256;

/// Words of class and id that are kept of an element.
const NAMES: usize = 10;

/// Bytes of an attribute that are read.
const VALUE_BYTES: usize = 512;

/// No node yet.
const NONE: u32 = u32::MAX;

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
}
