//! Sources one after another as chunks of bounded size.

use super::error::{Failure, InputError};
use super::lines::{LINE_LIMIT_BYTES, RawLine, next_line};
use super::sniff::{HEAD_BYTES, InputFormat, zero_byte};
use super::sources::{Origin, Source};
use super::text_pieces::{Piece, TextPieces};
use crate::text::{Paragraphs, markdown, model_text, split_with};
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::ops::Range;
use std::sync::Arc;

/// Size of the first chunk. Small, so that all threads have work early and the first rows come soon.
const FIRST_CHUNK_BYTES: usize = 8 * 1024;

/// Size up to which chunks grow: some hundred paragraphs, enough to put those of like length together.
const CHUNK_BYTES: usize = 128 * 1024;

/// Size of the pieces of a text document. The same for all, so that where a document is cut, and with it which paragraphs
/// stand together, depends on the document alone; most pages are smaller and stay whole.
pub(super) const PIECE_BYTES: usize = 64 * 1024;

/// Records after which a chunk is full, however short they are.
const CHUNK_RECORDS: usize = 1024;

/// What is labelled as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Every paragraph of a text document or of a record's text.
    Paragraph,
    /// Every record: a JSON object, or a line of a text.
    Record,
}

/// How sources are read.
#[derive(Clone, Copy, Debug)]
pub struct ReadOptions {
    /// The format of all sources; by extension, else by content, if `None`.
    pub format: Option<InputFormat>,
    /// Decides what becomes of text sources: with [`Unit::Record`] each line that is not blank is a record.
    pub unit: Unit,
    /// What separates the paragraphs of a text; Markdown has its own rules.
    pub paragraphs: Paragraphs,
}

/// Consecutive paragraphs of a text document.
#[derive(Debug)]
pub struct Passage {
    /// Name of the document.
    pub source: Arc<str>,
    /// A part of the document, cut between paragraphs.
    pub text: String,
    /// Byte offset of `text` in the document.
    pub start: u64,
    /// Number of the first paragraph in the document, from 0.
    pub first_paragraph: u64,
    /// Byte offsets of the paragraphs in `text`, in order; never empty.
    pub paragraphs: Vec<Range<usize>>,
    /// In Markdown, each paragraph without its markup; else empty, for then the bytes tell all.
    plain_texts: Vec<String>,
}

impl Passage {
    /// What the model sees of a paragraph. `index` counts the paragraphs of this passage from 0.
    ///
    /// # Panics
    ///
    /// If the passage has no such paragraph.
    pub fn model_text(&self, index: usize) -> Cow<'_, str> {
        match self.plain_texts.get(index) {
            Some(text) => Cow::Borrowed(text),
            None => model_text(&self.text[self.paragraphs[index].clone()]),
        }
    }
}

/// One line that is a record.
#[derive(Debug)]
pub struct RecordLine {
    /// Name of the source.
    pub source: Arc<str>,
    /// Line in the source, from 1.
    pub line: u64,
    /// The line without its line feed; a carriage return before it is kept.
    pub text: String,
    /// JSON, or plain text.
    pub format: InputFormat,
}

/// Something read, or something that could not be.
#[derive(Debug)]
pub enum Item {
    /// Paragraphs of a text document.
    Passage(Passage),
    /// A record, not yet parsed.
    Record(RecordLine),
    /// An input that was set aside.
    Failed(Failure),
}

/// Consecutive items, worked on by one thread.
#[derive(Debug, Default)]
pub struct Chunk {
    /// In input order.
    pub items: Vec<Item>,
    /// Bytes of the sources that went into the chunk.
    pub bytes: u64,
    /// The page of each item, as a number; empty where every item is a page of its own.
    pub pages: Vec<u64>,
}

/// Reads sources into chunks.
///
/// Memory is bounded by [`LINE_LIMIT_BYTES`](super::LINE_LIMIT_BYTES) and
/// [`BLOCK_LIMIT_BYTES`](super::BLOCK_LIMIT_BYTES), whatever the sizes of the sources. The chunks depend on the sources
/// alone.
pub struct ChunkReader {
    sources: std::vec::IntoIter<Result<Source, Failure>>,
    options: ReadOptions,
    open: Option<OpenSource>,
    chunk_bytes: usize,
}

type Input = BufReader<io::Chain<Cursor<Vec<u8>>, Box<dyn Read + Send>>>;

struct OpenSource {
    name: Arc<str>,
    kind: SourceKind,
}

enum SourceKind {
    Passages {
        pieces: TextPieces<Input>,
        next_paragraph: u64,
        offset: u64,
        paragraphs: Paragraphs,
        /// Nothing was read yet of what is to be read as Markdown.
        unread_markdown: bool,
    },
    Records {
        input: Input,
        format: InputFormat,
        line: u64,
    },
}

impl ChunkReader {
    /// Reads `sources`, as [`resolve`](super::resolve) gives them, in order.
    pub fn new(sources: Vec<Result<Source, Failure>>, options: ReadOptions) -> ChunkReader {
        ChunkReader { sources: sources.into_iter(), options, open: None, chunk_bytes: FIRST_CHUNK_BYTES }
    }
}

impl Iterator for ChunkReader {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        let mut chunk = Chunk::default();
        while chunk.bytes < self.chunk_bytes as u64 && chunk.items.len() < CHUNK_RECORDS {
            if let Some(open) = &mut self.open {
                if !open.read_into(&mut chunk) {
                    self.open = None;
                }
                continue;
            }
            match self.sources.next() {
                None => break,
                Some(Err(failure)) => chunk.items.push(Item::Failed(failure)),
                Some(Ok(source)) => match OpenSource::open(&source, self.options) {
                    Ok(open) => self.open = Some(open),
                    Err(error) => {
                        chunk.bytes += source.size_bytes.unwrap_or(0);
                        chunk.items.push(Item::Failed(Failure { source: source.name, line: None, error }));
                    }
                },
            }
        }
        self.chunk_bytes = (self.chunk_bytes * 2).min(CHUNK_BYTES);
        let empty = chunk.items.is_empty() && chunk.bytes == 0;
        (!empty).then_some(chunk)
    }
}

impl OpenSource {
    fn open(source: &Source, options: ReadOptions) -> Result<OpenSource, InputError> {
        let mut reader: Box<dyn Read + Send> = match &source.origin {
            Origin::StandardInput => Box::new(io::stdin()),
            Origin::Reader(reader) => reader.take().unwrap_or_else(|| Box::new(io::empty())),
            Origin::File(path) => Box::new(File::open(path).map_err(InputError::Unreadable)?),
        };
        let mut head = Vec::new();
        reader.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(InputError::Unreadable)?;
        let by_name = match &source.origin {
            Origin::StandardInput | Origin::Reader(_) => None,
            Origin::File(path) => InputFormat::from_extension(path),
        };
        let format = options.format.or(by_name).unwrap_or_else(|| InputFormat::from_head(&head));
        // In JSON lines a zero byte spoils its own line only.
        if let Some(offset) = zero_byte(&head).filter(|_| format != InputFormat::Jsonl) {
            return Err(InputError::NotText { offset });
        }
        let input = BufReader::with_capacity(HEAD_BYTES, Cursor::new(head).chain(reader));
        let kind = if format != InputFormat::Jsonl && options.unit == Unit::Paragraph {
            SourceKind::Passages {
                pieces: TextPieces::new(input, options.paragraphs),
                next_paragraph: 0,
                offset: 0,
                paragraphs: options.paragraphs,
                unread_markdown: format == InputFormat::Markdown,
            }
        } else {
            SourceKind::Records { input, format, line: 0 }
        };
        Ok(OpenSource { name: Arc::clone(&source.name), kind })
    }

    /// Reads one piece or one line; false at the end of the source.
    fn read_into(&mut self, chunk: &mut Chunk) -> bool {
        match &mut self.kind {
            SourceKind::Passages { pieces, next_paragraph, offset, paragraphs: mode, unread_markdown } => {
                let markdown = std::mem::take(unread_markdown);
                let piece = match pieces.next_piece(if markdown { LINE_LIMIT_BYTES } else { PIECE_BYTES }) {
                    Ok(Some(piece)) => piece,
                    Ok(None) => return false,
                    Err(error) => {
                        chunk.items.push(unreadable(&self.name, pieces.line(), error));
                        return false;
                    }
                };
                let Piece { text, start, failures } = piece;
                for (line, error) in failures {
                    let source = Arc::clone(&self.name);
                    chunk.items.push(Item::Failed(Failure { source, line: Some(line), error }));
                }
                let end = start + text.len() as u64;
                chunk.bytes += end - *offset;
                *offset = end;
                // Markdown has no place to cut it, so what does not fit into memory is read as plain text.
                if markdown && pieces.is_at_end() {
                    push_markdown(chunk, &self.name, &text, start);
                    return true;
                }
                let paragraphs: Vec<_> = split_with(&text, *mode).into_iter().map(|paragraph| paragraph.span).collect();
                if !paragraphs.is_empty() {
                    let first_paragraph = *next_paragraph;
                    *next_paragraph += paragraphs.len() as u64;
                    let source = Arc::clone(&self.name);
                    let plain_texts = Vec::new();
                    let passage = Passage { source, text, start, first_paragraph, paragraphs, plain_texts };
                    chunk.items.push(Item::Passage(passage));
                }
            }
            SourceKind::Records { input, format, line } => {
                *line += 1;
                let source = Arc::clone(&self.name);
                let failed = |error| Item::Failed(Failure { source: Arc::clone(&source), line: Some(*line), error });
                match next_line(input, LINE_LIMIT_BYTES) {
                    Ok(None) => return false,
                    Ok(Some(RawLine::TooLong { length_bytes })) => {
                        chunk.bytes += length_bytes;
                        chunk.items.push(failed(InputError::LineTooLong { limit_bytes: LINE_LIMIT_BYTES }));
                    }
                    Ok(Some(RawLine::Bytes(bytes))) => {
                        chunk.bytes += bytes.len() as u64 + 1;
                        match record_text(bytes, *line == 1) {
                            Ok(text) if text.trim().is_empty() => {}
                            Ok(text) => chunk.items.push(Item::Record(RecordLine {
                                source,
                                line: *line,
                                text,
                                format: *format,
                            })),
                            Err(error) => chunk.items.push(failed(error)),
                        }
                    }
                    Err(error) => {
                        chunk.items.push(unreadable(&self.name, *line, error));
                        return false;
                    }
                }
            }
        }
        true
    }
}

/// Appends a Markdown document, in passages of about [`PIECE_BYTES`] as other texts. `text` begins at byte `start`.
fn push_markdown(chunk: &mut Chunk, name: &Arc<str>, text: &str, start: u64) {
    let mut first_paragraph = 0;
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
        chunk.items.push(Item::Passage(Passage {
            source: Arc::clone(name),
            text: text[begin..end].to_owned(),
            start: start + begin as u64,
            first_paragraph,
            paragraphs,
            plain_texts,
        }));
        first_paragraph += count;
    }
}

fn unreadable(name: &Arc<str>, line: u64, error: io::Error) -> Item {
    Item::Failed(Failure { source: Arc::clone(name), line: Some(line), error: InputError::Unreadable(error) })
}

/// A line as text; on the first line of a source a byte order mark is dropped.
fn record_text(bytes: Vec<u8>, first: bool) -> Result<String, InputError> {
    let mut text = String::from_utf8(bytes)
        .map_err(|error| InputError::InvalidUtf8 { byte: error.utf8_error().valid_up_to() + 1 })?;
    if first && text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::resolve;

    fn read(name: &str, content: &[u8], unit: Unit) -> Vec<Chunk> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        ChunkReader::new(resolve(&[path]), ReadOptions { format: None, unit, paragraphs: Paragraphs::Auto }).collect()
    }

    #[test]
    fn paragraphs_are_numbered_through_a_long_text() {
        let source = (0..20_000).map(|number| format!("Paragraph {number} stands here.\n\n")).collect::<String>();
        let chunks = read("long.txt", source.as_bytes(), Unit::Paragraph);
        assert!(chunks.len() > 4);
        assert_eq!(chunks.iter().map(|chunk| chunk.bytes).sum::<u64>(), source.len() as u64);
        let mut number = 0;
        for item in chunks.iter().flat_map(|chunk| &chunk.items) {
            let Item::Passage(passage) = item else { panic!("{item:?}") };
            assert_eq!(passage.first_paragraph, number);
            for span in &passage.paragraphs {
                let start = passage.start as usize;
                let text = &source[start + span.start..start + span.end];
                assert_eq!(text, format!("Paragraph {number} stands here."));
                number += 1;
            }
        }
        assert_eq!(number, 20_000);
    }

    #[test]
    fn markdown_is_read_as_such_in_passages_like_other_texts() {
        let source = (0..5_000).map(|number| format!("## *Part* {number}\nIt is [short](#a).\n")).collect::<String>();
        let chunks = read("long.md", source.as_bytes(), Unit::Paragraph);
        assert_eq!(chunks.iter().map(|chunk| chunk.bytes).sum::<u64>(), source.len() as u64);
        let mut number = 0;
        for item in chunks.iter().flat_map(|chunk| &chunk.items) {
            let Item::Passage(passage) = item else { panic!("{item:?}") };
            assert_eq!(passage.first_paragraph, number);
            assert!(passage.text.len() <= PIECE_BYTES);
            for (index, span) in passage.paragraphs.iter().enumerate() {
                let start = passage.start as usize;
                assert_eq!(&source[start + span.start..start + span.end], &passage.text[span.clone()]);
                let expected = if number % 2 == 0 { format!("Part {}", number / 2) } else { "It is short.".to_owned() };
                assert_eq!(passage.model_text(index), expected);
                number += 1;
            }
        }
        assert_eq!(number, 10_000);
    }

    #[test]
    fn lines_are_numbered_past_blank_and_broken_ones() {
        let chunks = read("records", b"\xef\xbb\xbffirst\n\n\xff\n last\r\n", Unit::Record);
        let items: Vec<_> = chunks
            .iter()
            .flat_map(|chunk| &chunk.items)
            .map(|item| match item {
                Item::Record(record) => (record.line, record.text.clone()),
                Item::Failed(failure) => (failure.line.unwrap(), failure.error.to_string()),
                Item::Passage(passage) => panic!("{passage:?}"),
            })
            .collect();
        let expected = [(1, "first"), (3, "invalid UTF-8 at byte 1 of the line"), (4, " last\r")];
        assert_eq!(items, expected.map(|(line, text)| (line, text.to_owned())));
    }

    #[test]
    fn a_zero_byte_spoils_one_record() {
        let chunks = read("rows.jsonl", b"{\"text\": \"a\"}\n{\"text\": \"\0\"}\n{\"text\": \"b\"}\n", Unit::Record);
        assert_eq!(chunks[0].items.len(), 3);
        assert!(chunks[0].items.iter().all(|item| matches!(item, Item::Record(_))));
    }

    #[test]
    fn binary_files_fail_once() {
        let chunks = read("image", b"\x89PNG\r\n\0\0", Unit::Paragraph);
        assert_eq!(chunks.len(), 1);
        assert!(matches!(
            &chunks[0].items[..],
            [Item::Failed(Failure { error: InputError::NotText { offset: 6 }, .. })]
        ));
    }
}
