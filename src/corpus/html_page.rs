//! An HTML page as passages of its blocks.

use super::chunk::{BlockPlace, Chunk, Item, PIECE_BYTES, Passage, Progress, failed, unreadable};
use super::error::{Failure, InputError};
use super::feed::Window;
use super::lines::LINE_LIMIT_BYTES;
use super::text_pieces::{Piece, TextPieces};
use crate::html;
use crate::text::{CharOffsets, Paragraphs, model_text};
use std::sync::Arc;

/// Bytes of a page in which it names its encoding, as browsers have it.
const HEAD_BYTES: usize = 1024;

/// Reads a whole page, which must fit into memory, and appends its blocks.
pub(super) fn read(name: &Arc<str>, window: &mut Option<Window>, counted: &mut u64, chunk: &mut Chunk) -> Progress {
    let Some(mut window) = window.take() else { return Progress::End };
    while window.rest().len() < HEAD_BYTES && !window.is_whole() {
        if let Err(error) = window.look_further() {
            return unreadable(name, 1, error, chunk);
        }
    }
    let head = window.rest();
    if let Some(encoding) = html::declared_encoding(&head[..head.len().min(HEAD_BYTES)]) {
        window.decode(encoding);
    }
    let mut pieces = TextPieces::new(window, Paragraphs::Line);
    let piece = match pieces.next_piece(LINE_LIMIT_BYTES) {
        Ok(Some(piece)) => piece,
        Ok(None) => return Progress::End,
        Err(error) => return unreadable(name, pieces.line(), error, chunk),
    };
    if !pieces.is_at_end() {
        let error = InputError::PageTooLong { limit_bytes: LINE_LIMIT_BYTES };
        chunk.items.push(Item::Failed(Failure { source: Arc::clone(name), line: None, record: None, error }));
        return Progress::End;
    }
    let Piece { text, ahead, failures, decoded, .. } = piece;
    for (line, error) in failures {
        chunk.items.push(failed(name, line, None, error));
    }
    if let Some((line, lines)) = decoded {
        chunk.count_decoded(name, line, lines);
    }
    let end = text.len() as u64 - ahead.last().map_or(0, |(_, ahead)| *ahead);
    chunk.bytes += end - *counted;
    *counted = end;
    passages(name, &text, ahead, &mut |passage| chunk.items.push(Item::Passage(passage)));
    // An error of the source, behind what was read of the page.
    match pieces.next_piece(1) {
        Err(error) => unreadable(name, pieces.line(), error, chunk),
        Ok(_) => Progress::End,
    }
}

/// A page of an archive, without its text.
pub(super) struct ArchivedPage<'a> {
    pub source: &'a Arc<str>,
    /// As [`Passage::doc`].
    pub doc: Arc<str>,
    /// As [`Passage::fields`].
    pub fields: Arc<str>,
    /// As [`Passage::record`].
    pub record: u64,
}

impl ArchivedPage<'_> {
    /// Hands on the blocks of the page, as [`passages`] does.
    pub fn passages(&self, html: &str, take: &mut dyn FnMut(Passage)) {
        passages(self.source, html, Vec::new(), &mut |passage| {
            let (doc, fields) = (Arc::clone(&self.doc), Arc::clone(&self.fields));
            take(Passage { doc: Some(doc), fields: Some(fields), record: Some(self.record), ..passage });
        });
    }
}

/// Hands on the blocks of a page in passages of about [`PIECE_BYTES`]. `ahead` is as in [`Piece`].
pub(crate) fn passages(name: &Arc<str>, source: &str, ahead: Vec<(usize, u64)>, take: &mut dyn FnMut(Passage)) {
    let empty = |first_paragraph| Passage {
        source: Arc::clone(name),
        doc: None,
        fields: None,
        record: None,
        text: String::new(),
        start: 0,
        start_chars: 0,
        first_paragraph,
        paragraphs: Vec::new(),
        plain_texts: Vec::new(),
        ahead: Vec::new(),
        blocks: Vec::new(),
    };
    // Knows the offsets of the source.
    let offsets = Passage { ahead, ..empty(0) };
    let code_points = CharOffsets::new(source);
    let mut passage = empty(0);
    html::blocks(source, &mut |block| {
        let plain = model_text(&block.text);
        if plain.is_empty() {
            return;
        }
        if passage.text.len() + block.text.len() > PIECE_BYTES && !passage.paragraphs.is_empty() {
            let next = passage.first_paragraph + passage.paragraphs.len() as u64;
            take(std::mem::replace(&mut passage, empty(next)));
        }
        if !passage.text.is_empty() {
            passage.text.push_str("\n\n");
        }
        let start = passage.text.len();
        passage.text.push_str(&block.text);
        passage.paragraphs.push(start..passage.text.len());
        passage.plain_texts.push(plain.into_owned());
        let html::ContentBlock { span, content, is_content, region, .. } = block;
        let chars = code_points.range(span.clone());
        passage.blocks.push(BlockPlace { span: offsets.source_span(span), chars, content, is_content, region });
    });
    if !passage.paragraphs.is_empty() {
        take(passage);
    }
}
