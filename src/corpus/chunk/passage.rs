//! Consecutive paragraphs of a document, and where they stand in it.

use crate::page::Region;
use crate::text::model_text;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// Consecutive paragraphs of a text document.
#[derive(Debug)]
pub struct Passage {
    /// Name of the source.
    pub source: Arc<str>,
    /// Name of the document where that is not the source's: a page's address in an archive.
    pub doc: Option<Arc<str>>,
    /// Of a page in an archive, what the archive says of it, as a JSON object on one line.
    pub fields: Option<Arc<str>>,
    /// Of a page in an archive, the number of its record, from 1.
    pub record: Option<u64>,
    /// A part of the document, cut between paragraphs.
    pub text: String,
    /// Byte offset of `text` in the document.
    pub start: u64,
    /// The same in code points.
    pub start_chars: u64,
    /// Number of the first paragraph in the document, from 0.
    pub first_paragraph: u64,
    /// Byte offsets of the paragraphs in `text`, in order; never empty.
    pub paragraphs: Vec<Range<usize>>,
    /// In Markdown and HTML, each paragraph without its markup; else empty, for then the bytes tell all.
    pub(in crate::corpus) plain_texts: Vec<String>,
    /// Offsets in `text` from which on it is so many bytes ahead of the document.
    pub(in crate::corpus) ahead: Vec<(usize, u64)>,
    /// Of an HTML page, where each paragraph stands; else empty. Then `text` is the text of its blocks, not the source.
    pub(in crate::corpus) blocks: Vec<BlockPlace>,
}

/// A block of an HTML page, without its text.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockPlace {
    /// UTF-8 byte offsets in the source.
    pub span: Range<u64>,
    /// The same in code points.
    pub chars: Range<u64>,
    /// The probability that it belongs to the page's main content, 0 to 1.
    pub content: f32,
    /// Whether it counts to the main content.
    pub is_content: bool,
    /// Where it stands, as far as tags tell it.
    pub region: Option<Region>,
}

impl Passage {
    /// What the model sees of a paragraph. `index` counts the paragraphs of this passage from 0.
    ///
    /// # Panics
    /// If the passage has no such paragraph.
    pub fn model_text(&self, index: usize) -> Cow<'_, str> {
        match self.plain_texts.get(index) {
            Some(text) => Cow::Borrowed(text),
            None => model_text(&self.text[self.paragraphs[index].clone()]),
        }
    }

    /// Of an HTML page, where a paragraph stands; `None` for all else. `index` counts the paragraphs of this passage from 0.
    pub fn block(&self, index: usize) -> Option<&BlockPlace> {
        self.blocks.get(index)
    }

    /// Where a paragraph stands in the document, in bytes. `index` counts the paragraphs of this passage from 0.
    ///
    /// # Panics
    /// If the passage has no such paragraph.
    pub fn paragraph_span(&self, index: usize) -> Range<u64> {
        match self.blocks.get(index) {
            Some(block) => block.span.clone(),
            None => self.source_span(self.paragraphs[index].clone()),
        }
    }

    /// Where a paragraph stands in the document, in code points. `index` counts the paragraphs of this passage from 0.
    ///
    /// # Panics
    /// If the passage has no such paragraph.
    pub fn paragraph_chars(&self, index: usize) -> Range<u64> {
        if let Some(block) = self.blocks.get(index) {
            return block.chars.clone();
        }
        let Range { start, end } = self.paragraphs[index];
        let before = self.start_chars + self.text[..start].chars().count() as u64;
        before..before + self.text[start..end].chars().count() as u64
    }

    /// The bytes of the document that a slice of `text` was made of: also right where lines were not UTF-8, and their
    /// characters take more bytes in `text` than in the document.
    pub(in crate::corpus) fn source_span(&self, span: Range<usize>) -> Range<u64> {
        let place = |offset: usize| {
            let known = self.ahead.partition_point(|(from, _)| *from <= offset);
            let ahead = known.checked_sub(1).map_or(0, |last| self.ahead[last].1);
            self.start + offset as u64 - ahead
        };
        place(span.start)..place(span.end)
    }
}
