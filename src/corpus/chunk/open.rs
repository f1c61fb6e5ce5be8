//! One source: how it is read, by its format and the part of it that is wanted.

use super::items::{Passages, read_line, read_record};
use super::{Chunk, Progress, ReadOptions, Unit};
use crate::compress::Compression;
use crate::corpus::archive_error::ArchiveError;
#[cfg(feature = "columnar")]
use crate::corpus::columnar::{ColumnarRecords, row_groups};
use crate::corpus::csv_records::CsvRecords;
use crate::corpus::error::{Decoded, DecodedPart, InputError};
#[cfg(feature = "sqlite")]
use crate::corpus::exports::SqliteComments;
use crate::corpus::exports::{SqlComments, XmlComments, XmlExport, YamlComments};
use crate::corpus::feed::{Feed, Observer, Window};
use crate::corpus::foreign::ForeignFormat;
use crate::corpus::html_page;
use crate::corpus::json_records::JsonRecords;
use crate::corpus::lines::Lines;
use crate::corpus::mail_records::MailRecords;
use crate::corpus::records::RecordReader;
use crate::corpus::shard::{LinesOfPart, can_be_divided, lines_of_part, members_of_part};
use crate::corpus::sniff::{self, Head, InputFormat};
use crate::corpus::sources::{Origin, Source};
use crate::corpus::text_pieces::TextPieces;
use crate::corpus::warc_records::WarcRecords;
use encoding_rs::UTF_8;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long a chunk of records waits for more of them: what is written in one go comes closer together, and nobody sees so
/// short a delay. Running text does not wait for the clock, for where it is cut must depend on the text alone.
const PATIENCE: Duration = Duration::from_millis(50);

/// A source that is being read.
pub(super) struct OpenSource {
    name: Arc<str>,
    /// What is seen of the bytes that `kind` reads.
    observer: Observer,
    /// Bytes of them that chunks were told of, before they were decompressed.
    pub raw_counted: u64,
    /// How many there are, where it is known.
    pub raw_bytes: u64,
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

impl OpenSource {
    /// Opens a source, or the part of it that is wanted.
    pub fn open(source: &Source, options: ReadOptions) -> Result<OpenSource, InputError> {
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
    pub fn of_feed(
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
    pub fn observe(&mut self, chunk: &mut Chunk) {
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
    pub fn read_into(&mut self, chunk: &mut Chunk) -> Progress {
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
pub(in crate::corpus) fn format(
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
