//! One piece, line, record or page as items of a chunk.

use super::{Chunk, Item, PIECE_BYTES, Passage, Progress, RecordLine, Unit};
use crate::corpus::error::{Failure, InputError};
use crate::corpus::feed::Window;
use crate::corpus::html_page::ArchivedPage;
use crate::corpus::json_text::push_json_text;
use crate::corpus::lines::{LINE_LIMIT_BYTES, Lines, Next, RawLine};
use crate::corpus::records::{Content, Found, Page, RecordReader};
use crate::corpus::sniff::InputFormat;
use crate::corpus::stray::decode_line;
use crate::corpus::text_pieces::{Piece, TextPieces};
use crate::html::html_content;
use crate::text::{CharOffsets, Paragraphs, markdown, split_with};
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// A text that is read in passages.
pub(super) struct Passages {
    pub pieces: Box<TextPieces<Window>>,
    pub next_paragraph: u64,
    /// Code points so far.
    pub chars: u64,
    pub paragraphs: Paragraphs,
    /// Nothing was read yet of what is to be read as Markdown.
    pub unread_markdown: bool,
}

impl Passages {
    /// Reads one piece; `counted` are bytes of the source that chunks had before.
    pub fn read(&mut self, name: &Arc<str>, counted: &mut u64, chunk: &mut Chunk) -> Progress {
        let markdown = std::mem::take(&mut self.unread_markdown);
        let piece = match self.pieces.next_piece(if markdown { LINE_LIMIT_BYTES } else { PIECE_BYTES }) {
            Ok(Some(piece)) => piece,
            Ok(None) => return Progress::End,
            Err(error) => return unreadable(name, self.pieces.line(), error, chunk),
        };
        let Piece { text, start, ahead, failures, decoded } = piece;
        for (line, error) in failures {
            chunk.items.push(failed(name, line, None, error));
        }
        if let Some((line, lines)) = decoded {
            chunk.count_decoded(name, line, lines);
        }
        let end = start + text.len() as u64 - ahead.last().map_or(0, |(_, ahead)| *ahead);
        chunk.bytes += end - *counted;
        *counted = end;
        // Markdown has no place to cut it, so what does not fit into memory is read as plain text.
        if markdown && self.pieces.is_at_end() {
            push_markdown(chunk, name, &text, &ahead);
            return Progress::Read;
        }
        let start_chars = self.chars;
        self.chars += text.chars().count() as u64;
        let spans = split_with(&text, self.paragraphs).into_iter().map(|paragraph| paragraph.span);
        let paragraphs: Vec<Range<usize>> = spans.collect();
        if !paragraphs.is_empty() {
            let (source, first_paragraph, plain_texts) = (Arc::clone(name), self.next_paragraph, Vec::new());
            self.next_paragraph += paragraphs.len() as u64;
            chunk.items.push(Item::Passage(Passage {
                source,
                doc: None,
                fields: None,
                record: None,
                text,
                start,
                start_chars,
                first_paragraph,
                paragraphs,
                plain_texts,
                ahead,
                blocks: Vec::new(),
            }));
        }
        Progress::Read
    }
}

/// Appends a whole Markdown document, in passages of about [`PIECE_BYTES`] as other texts. `ahead` is as in [`Piece`].
fn push_markdown(chunk: &mut Chunk, name: &Arc<str>, text: &str, ahead: &[(usize, u64)]) {
    let mut first_paragraph = 0;
    let offsets = CharOffsets::new(text);
    let mut rest = markdown::split(text).into_iter().peekable();
    while let Some(first) = rest.peek() {
        let begin = first.span.start;
        let (mut paragraphs, mut plain_texts, mut end) = (Vec::new(), Vec::new(), begin);
        while let Some(paragraph) = rest.next_if(|next| end == begin || next.span.end - begin <= PIECE_BYTES) {
            end = paragraph.span.end;
            paragraphs.push(paragraph.span.start - begin..end - begin);
            plain_texts.push(paragraph.text.into_owned());
        }
        let count = paragraphs.len() as u64;
        let (before, inside) = ahead.split_at(ahead.partition_point(|(offset, _)| *offset <= begin));
        let known = before.last().map_or(0, |(_, ahead)| *ahead);
        let inside = inside.iter().take_while(|(offset, _)| *offset <= end);
        chunk.items.push(Item::Passage(Passage {
            source: Arc::clone(name),
            doc: None,
            fields: None,
            record: None,
            text: text[begin..end].to_owned(),
            start: begin as u64 - known,
            start_chars: offsets.at(begin),
            first_paragraph,
            paragraphs,
            plain_texts,
            ahead: inside.map(|(offset, ahead)| (offset - begin, ahead - known)).collect(),
            blocks: Vec::new(),
        }));
        first_paragraph += count;
    }
}

/// Reads one line.
pub(super) fn read_line(name: &Arc<str>, lines: &mut Lines, patience: Option<Duration>, chunk: &mut Chunk) -> Progress {
    let (line, raw) = match lines.next(patience) {
        Ok(Next::Item(item)) => item,
        Ok(Next::Skipped) => return Progress::Read,
        Ok(Next::Pause) => return Progress::Pause,
        Ok(Next::End) => return Progress::End,
        Err(error) => return unreadable(name, lines.line(), error, chunk),
    };
    let bytes = match raw {
        RawLine::Bytes(bytes) => bytes,
        RawLine::TooLong => {
            chunk.items.push(failed(name, line, None, InputError::LineTooLong { limit_bytes: LINE_LIMIT_BYTES }));
            return Progress::Read;
        }
    };
    if let Some(zero) = bytes.iter().position(|&byte| byte == 0) {
        chunk.items.push(failed(name, line, None, InputError::ZeroByte { byte: zero + 1 }));
        return Progress::Read;
    }
    push_record(name, (line, None), bytes, InputFormat::Text, chunk);
    Progress::Read
}

/// Reads one record, or one page of an archive.
pub(super) fn read_record(
    name: &Arc<str>,
    unit: Unit,
    records: &mut dyn RecordReader,
    patience: Option<Duration>,
    chunk: &mut Chunk,
) -> Progress {
    let next = records.next(patience);
    chunk.passed_over.add(records.take_passed_over());
    let Found { line, record, content } = match next {
        Ok(Next::Item(value)) => value,
        Ok(Next::Skipped) => return Progress::Read,
        Ok(Next::Pause) => return Progress::Pause,
        Ok(Next::End) => return Progress::End,
        Err(error) => return unreadable(name, records.line(), error, chunk),
    };
    match content {
        Ok(Content::Object(bytes)) => push_record(name, (line, record), bytes, InputFormat::Jsonl, chunk),
        Ok(Content::Page(page)) => push_page(name, line, page, unit, chunk),
        Err(error) => chunk.items.push(failed(name, line, record, error)),
    }
    Progress::Read
}

/// Adds the blocks of a page of an archive, or its main content as one record.
fn push_page(name: &Arc<str>, line: u64, page: Page, unit: Unit, chunk: &mut Chunk) {
    let Page { doc, html, mut fields } = page;
    let before = chunk.items.len();
    match unit {
        Unit::Record => {
            let text = html_content(&html);
            if !text.is_empty() {
                push_field(&mut fields, "text", &text);
                push_record(name, (line, None), fields, InputFormat::Jsonl, chunk);
            }
        }
        Unit::Paragraph => {
            let doc = doc.map_or_else(|| format!("{name}:{line}").into(), Arc::from);
            let fields = String::from_utf8_lossy(&fields).into();
            let page = ArchivedPage { source: name, doc, fields, record: line };
            page.passages(&html, &mut |passage| chunk.items.push(Item::Passage(passage)));
        }
    }
    chunk.passed_over.without_text += u64::from(chunk.items.len() == before);
}

/// Adds a field to a JSON object.
fn push_field(object: &mut Vec<u8>, name: &str, text: &str) {
    object.pop();
    if object.len() > 1 {
        object.push(b',');
    }
    object.extend_from_slice(format!("\"{name}\":").as_bytes());
    push_json_text(object, text);
    object.push(b'}');
}

/// Adds a record, unless it is blank or no text; `place` is its line and its number.
fn push_record(name: &Arc<str>, place: (u64, Option<u64>), bytes: Vec<u8>, format: InputFormat, chunk: &mut Chunk) {
    let (line, record) = place;
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => match decode_line(error.as_bytes()) {
            Ok(text) => {
                chunk.count_decoded(name, line, 1);
                text
            }
            Err(offset) => {
                chunk.items.push(failed(name, line, record, InputError::InvalidUtf8 { byte: offset + 1 }));
                return;
            }
        },
    };
    if !text.trim().is_empty() {
        chunk.items.push(Item::Record(RecordLine { source: Arc::clone(name), line, record, text, format }));
    }
}

pub(in crate::corpus) fn failed(name: &Arc<str>, line: u64, record: Option<u64>, error: InputError) -> Item {
    Item::Failed(Failure { source: Arc::clone(name), line: Some(line), record, error })
}

pub(in crate::corpus) fn unreadable(name: &Arc<str>, line: u64, error: io::Error, chunk: &mut Chunk) -> Progress {
    chunk.items.push(failed(name, line, None, InputError::Unreadable(error)));
    Progress::End
}
