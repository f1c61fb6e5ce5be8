//! Tables in columns, Parquet and Arrow, as records: each row is a JSON object on one line that has all columns of the table.
//!
//! A column keeps the JSON type that is closest to its own: numbers, booleans, text, lists and objects. Dates, times,
//! timestamps, durations and intervals are text in ISO 8601, decimals are numbers, binary values are text in base 16,
//! and what has no counterpart (unions, maps with keys that are no text) is what Arrow displays of it, as text. Numbers
//! that are not finite are null, for JSON has none.
//!
//! Memory is bounded by the pages of a Parquet file, and by the batches of an Arrow file, which whoever wrote it chose:
//! rows are taken from them a few at a time.

mod arrow_file;
mod arrow_messages;
mod arrow_stream;
mod bounded_file;
mod parquet_file;
mod rows;
mod spool;
#[cfg(test)]
mod tests;

use self::arrow_file::ArrowFile;
use self::arrow_stream::{ArrowStream, BlockReader};
use self::parquet_file::ParquetRows;
pub(crate) use self::parquet_file::RowGroup;
use self::rows::RowEncoder;
use super::address::is_remote;
use super::error::InputError;
use super::feed::Window;
use super::lines::{LINE_LIMIT_BYTES, Next};
use super::records::{Content, Found, RecordReader};
use super::sources::open_by_name;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

/// Most rows of a batch that is read, and of one that is encoded.
const BATCH_ROWS: usize = 1024;

/// What a file in columns begins with.
const PARQUET_MAGIC: &[u8] = b"PAR1";
const ARROW_MAGIC: &[u8] = b"ARROW1";

/// What an Arrow stream begins with, before the length of its first message.
const STREAM_MAGIC: &[u8] = b"\xff\xff\xff\xff";

/// The formats of a table in columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TableFormat {
    /// Apache Parquet.
    Parquet,
    /// Arrow IPC with a footer, also known as Feather, version 2.
    ArrowFile,
    /// Arrow IPC as a stream.
    ArrowStream,
}

impl TableFormat {
    /// The format that the first bytes of a source tell; 8 of them are enough.
    pub fn from_magic(head: &[u8]) -> Option<TableFormat> {
        if head.starts_with(PARQUET_MAGIC) {
            Some(TableFormat::Parquet)
        } else if head.starts_with(ARROW_MAGIC) {
            Some(TableFormat::ArrowFile)
        } else if head.starts_with(STREAM_MAGIC) {
            Some(TableFormat::ArrowStream)
        } else {
            None
        }
    }

    fn of_file(file: &mut File) -> io::Result<Option<TableFormat>> {
        let mut head = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.by_ref().take(8).read_to_end(&mut head)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(TableFormat::from_magic(&head))
    }

    fn name(self) -> &'static str {
        match self {
            TableFormat::Parquet => "Parquet",
            TableFormat::ArrowFile | TableFormat::ArrowStream => "Arrow",
        }
    }
}

/// Batches of rows one after another.
trait Batches: Send {
    /// The next rows, or what keeps some of them from being read. After that, what is whole behind them may follow.
    fn next(&mut self, patience: Option<Duration>) -> io::Result<Next<Result<RecordBatch, Broken>>>;
}

/// Rows that cannot be read.
#[derive(Debug, PartialEq, Eq)]
struct Broken {
    /// How many they are; `None` where nobody can tell.
    rows: Option<u64>,
    reason: String,
}

/// The rows of a table.
pub(super) struct ColumnarRecords {
    format: TableFormat,
    batches: Box<dyn Batches>,
    encoder: RowEncoder,
    /// Rows that are being encoded, with the number of those that were.
    batch: Option<(RecordBatch, usize)>,
    /// Encoded rows that were not yet given.
    ready: VecDeque<Result<Vec<u8>, Broken>>,
    /// Number of the row that is given next, from 1.
    row: u64,
    given_bytes: u64,
}

impl ColumnarRecords {
    /// Opens the table that `window` shows. A file is read in place; what needs to be read from its end and is no file, or is
    /// one that was decompressed, goes to a temporary file first, which is removed with the reader.
    ///
    /// # Errors
    /// [`InputError::Unreadable`].
    pub fn open(window: Window, path: Option<&Path>) -> Result<ColumnarRecords, InputError> {
        let format = TableFormat::from_magic(window.rest());
        if format == Some(TableFormat::ArrowStream) {
            return Ok(ColumnarRecords::new(TableFormat::ArrowStream, Box::new(ArrowStream::new(Box::new(window)))));
        }
        if let Some(path) = path {
            let mut file = File::open(path).map_err(InputError::Unreadable)?;
            let is_file = file.metadata().map_err(InputError::Unreadable)?.is_file();
            if is_file && TableFormat::of_file(&mut file).map_err(InputError::Unreadable)? == format {
                drop(window);
                return ColumnarRecords::of_file(file);
            }
        }
        ColumnarRecords::of_file(spool::to_file(window).map_err(InputError::Unreadable)?)
    }

    /// Opens a table in a file, from its first byte on.
    ///
    /// # Errors
    /// [`InputError::Unreadable`].
    fn of_file(mut file: File) -> Result<ColumnarRecords, InputError> {
        let format = TableFormat::of_file(&mut file).map_err(InputError::Unreadable)?.ok_or_else(not_a_table)?;
        let batches: Box<dyn Batches> = match format {
            TableFormat::Parquet => Box::new(ParquetRows::open(file, None)?),
            TableFormat::ArrowFile => Box::new(ArrowFile::open(file)?),
            TableFormat::ArrowStream => Box::new(ArrowStream::new(Box::new(BlockReader(file)))),
        };
        Ok(ColumnarRecords::new(format, batches))
    }

    /// Opens some row groups of a Parquet file. Rows keep the numbers that they have in the whole file.
    ///
    /// # Errors
    /// [`InputError::Unreadable`], also where the file has no such row groups.
    pub fn of_row_groups(path: &Path, groups: Range<usize>) -> Result<ColumnarRecords, InputError> {
        let file = File::open(path).map_err(InputError::Unreadable)?;
        let rows = ParquetRows::open(file, Some(groups))?;
        let row = rows.first_row();
        Ok(ColumnarRecords { row, ..ColumnarRecords::new(TableFormat::Parquet, Box::new(rows)) })
    }

    fn new(format: TableFormat, batches: Box<dyn Batches>) -> ColumnarRecords {
        ColumnarRecords {
            format,
            batches,
            encoder: RowEncoder::default(),
            batch: None,
            ready: VecDeque::new(),
            row: 1,
            given_bytes: 0,
        }
    }

    /// Encodes some more rows of the present batch.
    fn encode(&mut self, batch: &RecordBatch, done: usize) {
        let rows = batch.slice(done, BATCH_ROWS.min(batch.num_rows() - done));
        let mut encoded = Vec::new();
        let failed = guarded(|| self.encoder.encode(&rows, &mut encoded)).err();
        let mut passed = encoded.len();
        self.ready.extend(encoded.into_iter().map(Ok));
        if let Some(reason) = failed {
            // The rest of the slice most likely shares the cause.
            let lost = (rows.num_rows() - passed) as u64;
            self.ready.push_back(Err(Broken { rows: Some(lost), reason }));
            passed = rows.num_rows();
        }
        if done + passed < batch.num_rows() {
            self.batch = Some((batch.clone(), done + passed));
        }
    }

    fn give(&mut self, row: Vec<u8>) -> Found {
        let line = self.row;
        self.row += 1;
        self.given_bytes += row.len() as u64 + 1;
        let content = if row.len() > LINE_LIMIT_BYTES {
            Err(InputError::RecordTooLong { limit_bytes: LINE_LIMIT_BYTES })
        } else {
            Ok(Content::Object(row))
        };
        Found { line, record: None, content }
    }

    fn broken(&mut self, broken: Broken) -> Found {
        let line = self.row;
        self.row += broken.rows.unwrap_or(0);
        let error = InputError::BrokenRows { format: self.format.name(), rows: broken.rows, reason: broken.reason };
        Found { line, record: None, content: Err(error) }
    }
}

impl RecordReader for ColumnarRecords {
    fn next(&mut self, patience: Option<Duration>) -> io::Result<Next<Found>> {
        loop {
            match self.ready.pop_front() {
                Some(Ok(row)) => return Ok(Next::Item(self.give(row))),
                Some(Err(broken)) => return Ok(Next::Item(self.broken(broken))),
                None => {}
            }
            if let Some((batch, done)) = self.batch.take() {
                self.encode(&batch, done);
                continue;
            }
            match self.batches.next(patience)? {
                Next::Item(Ok(batch)) if batch.num_rows() > 0 => self.batch = Some((batch, 0)),
                Next::Item(Ok(_)) | Next::Skipped => {}
                Next::Item(Err(broken)) => return Ok(Next::Item(self.broken(broken))),
                Next::Pause => return Ok(Next::Pause),
                Next::End => return Ok(Next::End),
            }
        }
    }

    fn consumed(&self) -> u64 {
        self.given_bytes
    }

    fn line(&self) -> u64 {
        self.row
    }
}

/// The columns of a table in a file.
///
/// # Errors
/// [`InputError::Unreadable`].
pub(crate) fn table_schema(path: &Path) -> Result<SchemaRef, InputError> {
    let file = if is_remote(path) { remote_table(path) } else { File::open(path) };
    let mut file = file.map_err(InputError::Unreadable)?;
    let format = TableFormat::of_file(&mut file).map_err(InputError::Unreadable)?.ok_or_else(not_a_table)?;
    match format {
        TableFormat::Parquet => parquet_file::schema(file),
        TableFormat::ArrowFile => Ok(ArrowFile::open(file)?.schema()),
        TableFormat::ArrowStream => arrow_stream::schema(file),
    }
}

/// A table in a store as a file; of what is no table only the beginning.
fn remote_table(name: &Path) -> io::Result<File> {
    let mut reader = open_by_name(name)?;
    let mut head = Vec::new();
    reader.by_ref().take(8).read_to_end(&mut head)?;
    match TableFormat::from_magic(&head) {
        Some(_) => spool::to_file(head.as_slice().chain(reader)),
        None => spool::to_file(head.as_slice()),
    }
}

/// The row groups of a Parquet file, in order.
///
/// # Errors
/// [`InputError::Unreadable`].
pub(crate) fn row_groups(path: &Path) -> Result<Vec<RowGroup>, InputError> {
    parquet_file::row_groups(File::open(path).map_err(InputError::Unreadable)?)
}

/// Runs code of others on bytes from outside. The libraries that read tables are made to return errors, but a damaged file can
/// still meet an assertion in them; that must cost rows of this file and not the run. What such a panic leaves half done is not
/// used again.
fn guarded<T, E: std::fmt::Display>(work: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(on_one_line(&error.to_string())),
        Err(panic) => {
            let words = panic.downcast_ref::<String>().map(String::as_str);
            let words = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown");
            Err(format!("the library that reads it stopped: {}", on_one_line(words)))
        }
    }
}

/// A message of others, short enough for one line.
fn on_one_line(message: &str) -> String {
    const MOST: usize = 300;
    let words = message.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}

fn broken_file(what: &str, reason: &str) -> InputError {
    let message = format!("{what} ({reason}); the file may be cut off or damaged");
    InputError::Unreadable(io::Error::new(io::ErrorKind::InvalidData, message))
}

fn not_a_table() -> InputError {
    let message = "neither Parquet nor Arrow begins with these bytes";
    InputError::Unreadable(io::Error::new(io::ErrorKind::InvalidData, message))
}
