//! Text into blocks, and blocks into sections.

use super::section::{Block, Node, Section};
use super::{NONE, Reader, VALUE_BYTES};
use crate::html::tag::{Flow, group, hint};
use crate::html::words::{self, hash};
use crate::text::{character_ceiling, character_floor, is_blank};
use std::ops::Range;

/// Blocks after which a page is cut into sections, which are judged one by one.
pub(super) const SECTION_BLOCKS: usize = 4096;

/// Bytes of text after which a section ends.
const SECTION_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of text after which a block ends at the next blank.
pub(super) const BLOCK_BYTES: usize = 16 * 1024;

impl Reader<'_> {
    pub(super) fn text(&mut self, text: &str, span: Range<usize>) {
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
    pub(super) fn noscript(&mut self, span: Range<usize>) {
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

    pub(super) fn end_block(&mut self) {
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

    pub(super) fn end_section(&mut self) {
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
pub(super) fn schema_types(text: &str) -> u32 {
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
