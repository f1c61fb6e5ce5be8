//! Sources one after another as chunks of bounded size.

use super::archive_error::ArchiveError;
#[cfg(feature = "columnar")]
use super::columnar::{ColumnarRecords, row_groups};
use super::csv_records::CsvRecords;
use super::error::{Decoded, DecodedPart, Failure, InputError};
#[cfg(feature = "sqlite")]
use super::exports::SqliteComments;
use super::exports::{SqlComments, XmlComments, XmlExport, YamlComments};
use super::feed::{Feed, Observer, Window};
use super::foreign::ForeignFormat;
use super::html_page::{self, ArchivedPage};
use super::json_records::JsonRecords;
use super::json_text::push_json_text;
use super::lines::{LINE_LIMIT_BYTES, Lines, Next, RawLine};
use super::mail_records::MailRecords;
use super::passed_over::PassedOver;
use super::records::{Content, Found, Page, RecordReader};
use super::shard::{Choice, Chooser, LinesOfPart, can_be_divided, lines_of_part, members_of_part};
use super::sniff::{self, Head, InputFormat};
use super::sources::{Origin, Source};
use super::stray::decode_line;
use super::text_pieces::{Piece, TextPieces};
use super::warc_records::WarcRecords;
use crate::compress::Compression;
use crate::html::html_content;
use crate::page::Region;
use crate::text::{CharOffsets, Paragraphs, markdown, model_text, split_with};
use encoding_rs::{Encoding, UTF_8};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Size of the first chunk. Small, so that all threads have work early and the first rows come soon.
const FIRST_CHUNK_BYTES: usize = 8 * 1024;

/// Size up to which chunks grow: some hundred paragraphs, enough to put those of like length together.
const CHUNK_BYTES: usize = 128 * 1024;

/// Size of the pieces of a text document. The same for all, so that where a document is cut, and with it which paragraphs
/// stand together, depends on the document alone; most pages are smaller and stay whole.
pub(super) const PIECE_BYTES: usize = 64 * 1024;

/// Records after which a chunk is full, however short they are.
const CHUNK_RECORDS: usize = 1024;

/// How long a chunk of records waits for more of them: what is written in one go comes closer together, and nobody sees so
/// short a delay. Running text does not wait for the clock, for where it is cut must depend on the text alone.
const PATIENCE: Duration = Duration::from_millis(50);

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
    /// The encoding of all sources that have no byte order mark; UTF-8 with single lines in windows-1252 if `None`, or another that
    /// the first bytes of a source tell.
    ///
    /// Offsets in a source that was decoded as a whole count bytes of its text in UTF-8.
    pub encoding: Option<&'static Encoding>,
}

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
    pub(super) plain_texts: Vec<String>,
    /// Offsets in `text` from which on it is so many bytes ahead of the document.
    pub(super) ahead: Vec<(usize, u64)>,
    /// Of an HTML page, where each paragraph stands; else empty. Then `text` is the text of its blocks, not the source.
    pub(super) blocks: Vec<BlockPlace>,
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
    pub(super) fn source_span(&self, span: Range<usize>) -> Range<u64> {
        let place = |offset: usize| {
            let known = self.ahead.partition_point(|(from, _)| *from <= offset);
            let ahead = known.checked_sub(1).map_or(0, |last| self.ahead[last].1);
            self.start + offset as u64 - ahead
        };
        place(span.start)..place(span.end)
    }
}

/// One record.
#[derive(Debug)]
pub struct RecordLine {
    /// Name of the source.
    pub source: Arc<str>,
    /// Line in the source on which the record begins, from 1.
    pub line: u64,
    /// Number of the record in the source, from 1, where the line does not tell it: in an array, or beside others on the line.
    pub record: Option<u64>,
    /// A line without its line feed, a carriage return before it kept; or a JSON object, on one line.
    pub text: String,
    /// JSON, or plain text.
    pub format: InputFormat,
}

impl RecordLine {
    /// The record set aside.
    pub fn failed(&self, error: InputError) -> Failure {
        Failure { source: Arc::clone(&self.source), line: Some(self.line), record: self.record, error }
    }

    /// Where the record stands: source and line, with its number where the line does not tell it.
    pub fn place(&self) -> String {
        match self.record {
            Some(record) => format!("{}:{}:{record}", self.source, self.line),
            None => format!("{}:{}", self.source, self.line),
        }
    }
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

impl Item {
    /// Whether a document or a record begins here, be it one that was set aside; a whole source that was is none.
    pub fn begins_document(&self) -> bool {
        match self {
            Item::Passage(passage) => passage.first_paragraph == 0,
            Item::Record(_) => true,
            Item::Failed(failure) => failure.line.is_some(),
        }
    }
}

/// Consecutive items, worked on by one thread.
#[derive(Debug, Default)]
pub struct Chunk {
    /// In input order.
    pub items: Vec<Item>,
    /// Bytes of the sources that went into the chunk, decompressed.
    pub bytes: u64,
    /// Bytes of the sources that were read for it, before they were decompressed.
    pub raw_bytes: u64,
    /// The page of each item, as a number; empty where every item is a page of its own.
    pub pages: Vec<u64>,
    /// What in it was not UTF-8 and was read all the same, by source.
    pub decoded: Vec<Decoded>,
    /// The number of each item's source among all that were found, from 0.
    pub ordinals: Vec<u64>,
    /// Sources that were opened for it.
    pub opened: Vec<Opened>,
    /// The number of the source that ends with this chunk, where chunks end with their sources.
    pub ended: Option<u64>,
    /// Time that reading it took.
    pub reading: Duration,
    /// Records of archives that hold nothing to label.
    pub passed_over: PassedOver,
}

/// A source that was opened, or that could not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Its number among all sources, from 0.
    pub ordinal: u64,
    /// Name in rows and messages.
    pub name: Arc<str>,
    /// Its path below the input that it was found in; empty for what could not be found.
    pub relative: PathBuf,
    /// Size in bytes, of a file.
    pub size_bytes: Option<u64>,
    /// When it was written last, of a file: nanoseconds since 1970.
    pub modified: Option<u128>,
}

/// Where reading stands: everything before it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Number of the source, from 0.
    pub source: u64,
    /// Items of that source that were read.
    pub items: u64,
}

impl Position {
    /// Goes on past items of the sources with these numbers.
    pub fn pass(&mut self, ordinals: &[u64]) {
        for &ordinal in ordinals {
            if self.source != ordinal {
                *self = Position { source: ordinal, items: 0 };
            }
            self.items += 1;
        }
    }
}

impl Chunk {
    /// Counts lines of a source that were decoded, `line` the first of them.
    pub(super) fn count_decoded(&mut self, source: &Arc<str>, line: u64, lines: u64) {
        match self.decoded.last_mut() {
            Some(Decoded { source: last, part: DecodedPart::Lines { count, .. } }) if last == source => *count += lines,
            _ => {
                let part = DecodedPart::Lines { first: line, count: lines };
                self.decoded.push(Decoded { source: Arc::clone(source), part });
            }
        }
    }
}

/// Reads sources into chunks.
///
/// Memory is bounded by [`LINE_LIMIT_BYTES`] and
/// [`BLOCK_LIMIT_BYTES`](super::text_pieces::BLOCK_LIMIT_BYTES), whatever the sizes of the sources. What is in the chunks depends on the
/// sources alone. Records of a pipe or a terminal come out when no more have come for a while, so where the chunks end
/// depends on that.
pub struct ChunkReader {
    sources: Box<dyn Iterator<Item = Result<Source, Failure>> + Send>,
    options: ReadOptions,
    open: Option<OpenSource>,
    /// Sources found so far.
    found: u64,
    /// What was read by an earlier run.
    skip: Position,
    /// Whether a chunk ends where its source does.
    by_source: bool,
    /// Which documents are wanted.
    chooser: Chooser,
    /// A source that may keep one waiting, to be opened once what was read before it is given out.
    waiting: Option<Source>,
    chunk_bytes: usize,
}

struct OpenSource {
    name: Arc<str>,
    /// What is seen of the bytes that `kind` reads.
    observer: Observer,
    /// Bytes of them that chunks were told of, before they were decompressed.
    raw_counted: u64,
    /// How many there are, where it is known.
    raw_bytes: u64,
    /// Whether it was told that their encoding is a guess.
    guess_told: bool,
    unit: Unit,
    kind: SourceKind,
    /// Bytes of the source that chunks had so far.
    counted: u64,
}

enum SourceKind {
    Passages(Passages),
    Lines(Lines),
    /// Objects, whatever the format that they stand in.
    Records(Box<dyn RecordReader>),
    /// A page that is not yet read.
    Html(Option<Window>),
    /// A file of which another part of the work reads everything.
    Nothing,
}

/// A text that is read in passages.
struct Passages {
    pieces: Box<TextPieces<Window>>,
    next_paragraph: u64,
    /// Code points so far.
    chars: u64,
    paragraphs: Paragraphs,
    /// Nothing was read yet of what is to be read as Markdown.
    unread_markdown: bool,
}

/// What came of reading on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Read,
    Pause,
    End,
}

impl ChunkReader {
    /// Reads `sources`, as [`resolve`](super::resolve) gives them, in order.
    pub fn new<S>(sources: S, options: ReadOptions) -> ChunkReader
    where
        S: IntoIterator<Item = Result<Source, Failure>, IntoIter: Send + 'static>,
    {
        let sources = Box::new(sources.into_iter());
        ChunkReader {
            sources,
            options,
            open: None,
            found: 0,
            skip: Position::default(),
            by_source: false,
            chooser: Chooser::new(Choice::All),
            waiting: None,
            chunk_bytes: FIRST_CHUNK_BYTES,
        }
    }

    /// Reads one source that is already open. `path` is the name by which its format is told, if it has one.
    ///
    /// # Errors
    /// What is wrong with the source as a whole.
    pub(super) fn of_feed(feed: Feed, path: Option<PathBuf>, options: ReadOptions) -> Result<ChunkReader, InputError> {
        let name = path.as_deref().map_or_else(|| "-".into(), Path::to_string_lossy);
        let (name, relative) = (Arc::from(name), PathBuf::from("-"));
        let origin = Origin::StandardInput;
        let source = Source { name, origin, relative, size_bytes: None, modified: None, part: None };
        let open = Some(OpenSource::of_feed(feed, &source, path.as_deref(), options)?);
        Ok(ChunkReader { open, found: 1, ..ChunkReader::new([], options) })
    }

    /// Leaves out what an earlier run read. Sources before the position are not opened; of the one that it is in, items are read
    /// and dropped, so that all that follows is the same as in one run.
    pub fn going_on_at(mut self, position: Position) -> ChunkReader {
        self.skip = position;
        self
    }

    /// Leaves out all but some documents and records.
    pub fn choose(mut self, choice: Choice) -> ChunkReader {
        self.chooser = Chooser::new(choice);
        self
    }

    /// Ends each chunk where its source ends, and gives a chunk for a source with nothing in it too.
    pub fn by_source(mut self) -> ChunkReader {
        self.by_source = true;
        self
    }

    /// The next source to open, with its number; failures go to the chunk.
    fn next_source(&mut self, chunk: &mut Chunk) -> Option<Source> {
        loop {
            let source = self.sources.next()?;
            let ordinal = self.found;
            self.found += 1;
            if ordinal < self.skip.source {
                continue;
            }
            match source {
                Ok(source) => return Some(source),
                Err(failure) => {
                    let name = Arc::clone(&failure.source);
                    chunk.opened.push(Opened {
                        ordinal,
                        name,
                        relative: PathBuf::new(),
                        size_bytes: None,
                        modified: None,
                    });
                    chunk.items.push(Item::Failed(failure));
                    self.number_items(chunk);
                    if self.by_source {
                        chunk.ended = Some(ordinal);
                        return None;
                    }
                }
            }
        }
    }

    /// Numbers new items by the source that was found last, and drops those that an earlier run read.
    fn number_items(&mut self, chunk: &mut Chunk) {
        let ordinal = self.found - 1;
        // The new ones alone: this is asked after each record.
        for item in chunk.items.split_off(chunk.ordinals.len()) {
            if !self.chooser.wants(&item) {
                continue;
            }
            if ordinal == self.skip.source && self.skip.items > 0 {
                self.skip.items -= 1;
                continue;
            }
            chunk.items.push(item);
        }
        chunk.ordinals.resize(chunk.items.len(), ordinal);
    }
}

impl Iterator for ChunkReader {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        let began = Instant::now();
        let mut chunk = Chunk::default();
        let mut unread = true;
        while chunk.bytes < self.chunk_bytes as u64 && chunk.items.len() < CHUNK_RECORDS {
            if self.chooser.has_enough() {
                // The source at hand ends here, and there is no other.
                self.sources = Box::new(std::iter::empty());
                chunk.ended = self.open.take().filter(|_| self.by_source).map(|_| self.found - 1);
                break;
            }
            if let Some(open) = &mut self.open {
                let progress = open.read_into(&mut chunk);
                open.observe(&mut chunk);
                let open_bytes_left = open.raw_bytes.saturating_sub(open.raw_counted);
                self.number_items(&mut chunk);
                match progress {
                    Progress::Read => {}
                    Progress::Pause => break,
                    Progress::End => {
                        // Tables are read where they stand, past whoever counts.
                        chunk.raw_bytes += open_bytes_left;
                        self.open = None;
                        if self.by_source {
                            chunk.ended = Some(self.found - 1);
                            break;
                        }
                    }
                }
                continue;
            }
            let source = match self.waiting.take() {
                Some(source) => source,
                None => match self.next_source(&mut chunk) {
                    None => break,
                    Some(source) => source,
                },
            };
            if source.size_bytes.is_none() && !chunk.items.is_empty() {
                self.waiting = Some(source);
                break;
            }
            unread = false;
            let Source { ref name, ref relative, size_bytes, modified, .. } = source;
            let ordinal = self.found - 1;
            let (name, relative) = (Arc::clone(name), relative.clone());
            chunk.opened.push(Opened { ordinal, name, relative, size_bytes, modified });
            match OpenSource::open(&source, self.options) {
                Ok(open) => self.open = Some(open),
                Err(error) => {
                    chunk.bytes += source.size_bytes.unwrap_or(0);
                    chunk.raw_bytes += source.size_bytes.unwrap_or(0);
                    chunk.items.push(Item::Failed(Failure { source: source.name, line: None, record: None, error }));
                    self.number_items(&mut chunk);
                    if self.by_source {
                        chunk.ended = Some(ordinal);
                        break;
                    }
                }
            }
        }
        self.chunk_bytes = (self.chunk_bytes * 2).min(CHUNK_BYTES);
        chunk.reading = began.elapsed();
        let empty = chunk.items.is_empty() && chunk.bytes == 0 && chunk.ended.is_none() && unread;
        (!empty).then_some(chunk)
    }
}

impl OpenSource {
    fn open(source: &Source, options: ReadOptions) -> Result<OpenSource, InputError> {
        if let Origin::Peeked(peeked) = &source.origin {
            return OpenSource::of_window(peeked.take()?, source, None, options);
        }
        let feed = Feed::open(&source.origin, options.encoding).map_err(InputError::Unreadable)?;
        let path = match &source.origin {
            Origin::StandardInput | Origin::Reader(_) | Origin::Peeked(_) => None,
            Origin::File(path) => Some(Compression::inner_name(path)),
            #[cfg(feature = "remote")]
            Origin::Remote(_) => Some(Compression::inner_name(&source.relative)),
        };
        OpenSource::of_feed(feed, source, path.as_deref(), options)
    }

    /// Opens what a feed gives of a source; `path` is the name by which its format is told.
    fn of_feed(
        feed: Feed,
        source: &Source,
        path: Option<&Path>,
        options: ReadOptions,
    ) -> Result<OpenSource, InputError> {
        OpenSource::of_window(Window::new(feed), source, path, options)
    }

    fn of_window(
        mut window: Window,
        source: &Source,
        path: Option<&Path>,
        options: ReadOptions,
    ) -> Result<OpenSource, InputError> {
        let format = format(&mut window, path, options)?;
        let observer = window.observer();
        if let (Some(part), Origin::File(path)) = (&source.part, &source.origin) {
            let is_utf_8 = options.encoding.is_none_or(|encoding| encoding == UTF_8) && observer.guessed().is_none();
            return OpenSource::open_part(source, path, part.clone(), format, is_utf_8, options);
        }
        let kind = match (format, options.unit) {
            (InputFormat::Text | InputFormat::Markdown, Unit::Paragraph) => SourceKind::Passages(Passages {
                pieces: Box::new(TextPieces::new(window, options.paragraphs)),
                next_paragraph: 0,
                chars: 0,
                paragraphs: options.paragraphs,
                unread_markdown: format == InputFormat::Markdown,
            }),
            (InputFormat::Text | InputFormat::Markdown, Unit::Record) => {
                window.skip_mark().map_err(InputError::Unreadable)?;
                SourceKind::Lines(Lines::new(window))
            }
            (InputFormat::Html, Unit::Paragraph) => SourceKind::Html(Some(window)),
            (InputFormat::Html, Unit::Record) => return Err(InputError::ForeignFormat(ForeignFormat::HTML)),
            (InputFormat::Jsonl, _) => {
                window.skip_mark().map_err(InputError::Unreadable)?;
                SourceKind::Records(Box::new(JsonRecords::new(window)))
            }
            (InputFormat::Csv | InputFormat::Tsv, _) => {
                let head = Head { bytes: window.rest(), ended: window.is_whole() };
                let delimiter = sniff::delimiter(head, format, options.format.is_some());
                let delimiter = delimiter.expect("the format was decided by as many bytes; this is a bug");
                window.skip_mark().map_err(InputError::Unreadable)?;
                SourceKind::Records(Box::new(CsvRecords::new(window, delimiter)))
            }
            (InputFormat::Mail, _) => {
                window.skip_mark().map_err(InputError::Unreadable)?;
                SourceKind::Records(Box::new(MailRecords::new(window)))
            }
            (InputFormat::Wxr, _) => SourceKind::Records(Box::new(XmlComments::new(window, XmlExport::WordPress))),
            (InputFormat::Disqus, _) => SourceKind::Records(Box::new(XmlComments::new(window, XmlExport::Disqus))),
            (InputFormat::Sql, _) => {
                window.skip_mark().map_err(InputError::Unreadable)?;
                SourceKind::Records(Box::new(SqlComments::new(window)))
            }
            (InputFormat::Yaml, _) => {
                window.skip_mark().map_err(InputError::Unreadable)?;
                SourceKind::Records(Box::new(YamlComments::new(window)))
            }
            #[cfg(feature = "sqlite")]
            (InputFormat::Sqlite, _) => {
                // One that is compressed is not what lies there.
                let file = match &source.origin {
                    Origin::File(file) if path == Some(file.as_path()) && source.size_bytes.is_some() => {
                        Some(file.as_path())
                    }
                    _ => None,
                };
                SourceKind::Records(Box::new(SqliteComments::open(window, file)?))
            }
            #[cfg(not(feature = "sqlite"))]
            (InputFormat::Sqlite, _) => return Err(InputError::NeedsFeature { feature: "sqlite" }),
            // Lengths in an archive count its own bytes.
            (InputFormat::Warc, _) if options.encoding.is_some() => return Err(ArchiveError::EncodingGiven.into()),
            (InputFormat::Warc, _) => SourceKind::Records(Box::new(WarcRecords::new(window))),
            #[cfg(feature = "columnar")]
            (InputFormat::Parquet | InputFormat::Arrow, _) => {
                let file = match &source.origin {
                    Origin::File(path) => Some(path.as_path()),
                    _ => None,
                };
                SourceKind::Records(Box::new(ColumnarRecords::open(window, file)?))
            }
            #[cfg(not(feature = "columnar"))]
            (InputFormat::Parquet, _) => return Err(InputError::ForeignFormat(ForeignFormat::PARQUET)),
            #[cfg(not(feature = "columnar"))]
            (InputFormat::Arrow, _) => return Err(InputError::ForeignFormat(ForeignFormat::ARROW_FILE)),
        };
        let (name, unit, raw_bytes) = (Arc::clone(&source.name), options.unit, source.size_bytes.unwrap_or(0));
        Ok(OpenSource { name, observer, raw_counted: 0, raw_bytes, guess_told: false, unit, kind, counted: 0 })
    }

    /// Opens a part of a file. What cannot be divided is read as a whole by whoever has its first byte.
    fn open_part(
        source: &Source,
        path: &Path,
        part: Range<u64>,
        format: InputFormat,
        is_utf_8: bool,
        options: ReadOptions,
    ) -> Result<OpenSource, InputError> {
        let unreadable = InputError::Unreadable;
        let (name, unit, raw_bytes) = (Arc::clone(&source.name), options.unit, part.end - part.start);
        let open = |observer, kind| OpenSource {
            name,
            observer,
            raw_counted: 0,
            raw_bytes,
            guess_told: false,
            unit,
            kind,
            counted: 0,
        };
        match format {
            InputFormat::Jsonl if is_utf_8 && can_be_divided(path).map_err(unreadable)? => {
                let LinesOfPart { bytes, first_line } = lines_of_part(path, part).map_err(unreadable)?;
                let mut window = Window::new(Feed::of_part(path, bytes).map_err(unreadable)?);
                window.skip_mark().map_err(unreadable)?;
                let observer = window.observer();
                Ok(open(observer, SourceKind::Records(Box::new(JsonRecords::from_line(window, first_line)))))
            }
            #[cfg(feature = "columnar")]
            InputFormat::Parquet => {
                let groups = row_groups(path)?;
                let mut at = 0;
                let begins = groups.iter().map(|group| {
                    at += group.compressed_bytes;
                    at - group.compressed_bytes
                });
                let mine: Vec<usize> =
                    begins.enumerate().filter(|(_, begin)| part.contains(begin)).map(|(number, _)| number).collect();
                match (mine.first(), mine.last()) {
                    (Some(&first), Some(&last)) => {
                        let records = ColumnarRecords::of_row_groups(path, first..last + 1)?;
                        Ok(open(Observer::default(), SourceKind::Records(Box::new(records))))
                    }
                    _ => Ok(open(Observer::default(), SourceKind::Nothing)),
                }
            }
            InputFormat::Warc => match members_of_part(path, part.clone()).map_err(unreadable)? {
                Some(members) => {
                    let of_part = |bytes| Feed::of_part(path, bytes).map(Window::new).map_err(unreadable);
                    let before = WarcRecords::new(of_part(0..members.start)?).count().map_err(unreadable)?;
                    let window = of_part(members)?;
                    Ok(open(window.observer(), SourceKind::Records(Box::new(WarcRecords::behind(window, before)))))
                }
                None if part.start > 0 => Ok(open(Observer::default(), SourceKind::Nothing)),
                None => OpenSource::open(&Source { part: None, ..source.clone() }, options),
            },
            _ if part.start > 0 => Ok(open(Observer::default(), SourceKind::Nothing)),
            _ => OpenSource::open(&Source { part: None, ..source.clone() }, options),
        }
    }

    /// Counts the bytes that were read, and tells once that their encoding is a guess.
    fn observe(&mut self, chunk: &mut Chunk) {
        let raw = self.observer.raw_bytes();
        chunk.raw_bytes += raw - self.raw_counted;
        self.raw_counted = raw;
        if let Some(encoding) = self.observer.guessed().filter(|_| !self.guess_told) {
            let part = DecodedPart::Whole { encoding: encoding.name() };
            chunk.decoded.push(Decoded { source: Arc::clone(&self.name), part });
            self.guess_told = true;
        }
    }

    /// Reads one piece or one record.
    fn read_into(&mut self, chunk: &mut Chunk) -> Progress {
        let patience = (!chunk.items.is_empty()).then_some(PATIENCE);
        let (progress, consumed) = match &mut self.kind {
            SourceKind::Nothing => return Progress::End,
            SourceKind::Html(window) => return html_page::read(&self.name, window, &mut self.counted, chunk),
            SourceKind::Passages(passages) => return passages.read(&self.name, &mut self.counted, chunk),
            SourceKind::Lines(lines) => (read_line(&self.name, lines, patience, chunk), lines.consumed()),
            SourceKind::Records(records) => {
                (read_record(&self.name, self.unit, records.as_mut(), patience, chunk), records.consumed())
            }
        };
        chunk.bytes += consumed - self.counted;
        self.counted = consumed;
        progress
    }
}

/// Decides how a source is read, from as much of its beginning as that takes.
pub(super) fn format(
    window: &mut Window,
    path: Option<&Path>,
    options: ReadOptions,
) -> Result<InputFormat, InputError> {
    let lines = options.unit == Unit::Record;
    loop {
        let head = Head { bytes: window.rest(), ended: window.is_whole() };
        let decided = match options.format {
            None => sniff::decide(head, path, lines),
            Some(InputFormat::Jsonl) => sniff::check_json(head),
            Some(InputFormat::Mail) => Some(Ok(InputFormat::Mail)),
            // Rows are wanted as soon as they come.
            Some(table @ (InputFormat::Csv | InputFormat::Tsv)) => {
                let known = sniff::delimiter(head, table, true);
                known.and_then(|_| sniff::check_text(head, true)).map(|checked| checked.map(|()| table))
            }
            Some(InputFormat::Warc) => sniff::check_archive(head),
            Some(format @ (InputFormat::Parquet | InputFormat::Arrow | InputFormat::Sqlite)) => {
                sniff::check_table(head, format)
            }
            Some(format) => sniff::check_text(head, lines).map(|checked| checked.map(|()| format)),
        };
        if let Some(decided) = decided {
            return decided;
        }
        window.look_further().map_err(InputError::Unreadable)?;
    }
}

impl Passages {
    fn read(&mut self, name: &Arc<str>, counted: &mut u64, chunk: &mut Chunk) -> Progress {
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

fn read_line(name: &Arc<str>, lines: &mut Lines, patience: Option<Duration>, chunk: &mut Chunk) -> Progress {
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

fn read_record(
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

pub(super) fn failed(name: &Arc<str>, line: u64, record: Option<u64>, error: InputError) -> Item {
    Item::Failed(Failure { source: Arc::clone(name), line: Some(line), record, error })
}

pub(super) fn unreadable(name: &Arc<str>, line: u64, error: io::Error, chunk: &mut Chunk) -> Progress {
    chunk.items.push(failed(name, line, None, InputError::Unreadable(error)));
    Progress::End
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::resolve;

    fn read(name: &str, content: &[u8], unit: Unit) -> Vec<Chunk> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        ChunkReader::new(
            resolve(&[path]),
            ReadOptions { format: None, unit, paragraphs: Paragraphs::Auto, encoding: None },
        )
        .collect()
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
        let chunks = read("records", b"\xef\xbb\xbffirst\n\n\x81\n last\r\n", Unit::Record);
        let items: Vec<_> = chunks
            .iter()
            .flat_map(|chunk| &chunk.items)
            .map(|item| match item {
                Item::Record(record) => (record.line, record.text.clone()),
                Item::Failed(failure) => (failure.line.unwrap(), failure.error.to_string()),
                Item::Passage(passage) => panic!("{passage:?}"),
            })
            .collect();
        const INVALID: &str =
            "invalid UTF-8 at byte 1 of the line; if it is in another encoding, name it with --encoding";
        let expected = [(1, "first"), (3, INVALID), (4, " last\r")];
        assert_eq!(items, expected.map(|(line, text)| (line, text.to_owned())));
    }

    #[test]
    fn a_zero_byte_spoils_one_record() {
        let chunks = read("rows.jsonl", b"{\"text\": \"a\"}\n{\"text\": \"\0\"}\n{\"text\": \"b\"}\n", Unit::Record);
        assert_eq!(chunks[0].items.len(), 3);
        assert!(matches!(
            &chunks[0].items[..],
            [Item::Record(_), Item::Failed(Failure { line: Some(2), .. }), Item::Record(_)]
        ));
    }

    #[test]
    fn binary_files_fail_once() {
        for (content, unit) in [(&b"words\0\0"[..], Unit::Paragraph), (b"words\0\0\nmore\n", Unit::Record)] {
            let chunks = read("binary", content, unit);
            assert_eq!(chunks.len(), 1);
            assert!(matches!(
                &chunks[0].items[..],
                [Item::Failed(Failure { error: InputError::NotText { offset: 5 }, line: None, .. })]
            ));
        }
    }
}
