//! Telling a source's format by its name, else by its first bytes.

use super::error::InputError;
use super::exports::is_comment_in_json;
use super::foreign::ForeignFormat;
use super::scanner::{Scanner, Step};
use super::shape::{self, Shape};
use std::path::Path;

/// Bytes of a source that are looked at to tell its format.
pub(super) const HEAD_BYTES: usize = 64 * 1024;

/// Bytes at the start of a source that must not hold a zero byte if it is running text.
const BINARY_CHECK_BYTES: usize = 8 * 1024;

/// How a source is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InputFormat {
    /// Running text: one document, or one record per line.
    Text,
    /// Markdown: as text, but that its marks separate paragraphs and are hidden from the model.
    Markdown,
    /// An HTML page: its blocks of text, with what the tags say of them.
    Html,
    /// JSON objects: one a line, several on a line, over several lines, or in an array.
    Jsonl,
    /// A table whose first row names its columns, with commas, semicolons, tabs or vertical bars between fields; each further
    /// row is a record with the columns as its fields.
    Csv,
    /// A table with tabs.
    Tsv,
    /// A mailbox (mbox) or an e-mail; each message is a record with the fields `id`, `from`, `to`, `subject`, `date` and `text`.
    Mail,
    /// A web archive (WARC): its pages, and its texts (WET).
    Warc,
    /// A Parquet table: its rows are records.
    Parquet,
    /// A WordPress export (WXR): each comment is a record.
    Wxr,
    /// A Disqus export: each post in a thread is a record.
    Disqus,
    /// A dump of WordPress's tables (SQL): each row of a table of comments is a record.
    Sql,
    /// The comments of Staticman and Jekyll: a comment, or a list or a map of comments, in YAML; in JSON a single comment.
    Yaml,
    /// An SQLite database of Isso's: each comment is a record.
    Sqlite,
    /// An Arrow table, as a file (Feather, version 2) or a stream: its rows are records.
    Arrow,
}

impl InputFormat {
    /// By extension, whatever its case: `jsonl`, `ndjson` and `json` are JSON; `txt` and `text` are text;
    /// `md`, `markdown` and `mkd` are Markdown; `csv`, `tsv` and `tab` are tables; `mbox`, `eml`, `mht` and `mhtml` are mail;
    /// `warc` and `wet` are web archives; `yaml` and `yml` are files of comments; `sql` is a dump.
    pub fn from_extension(path: &Path) -> Option<InputFormat> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "jsonl" | "ndjson" | "json" => Some(InputFormat::Jsonl),
            "txt" | "text" => Some(InputFormat::Text),
            "md" | "markdown" | "mkd" => Some(InputFormat::Markdown),
            "csv" => Some(InputFormat::Csv),
            "tsv" | "tab" => Some(InputFormat::Tsv),
            "mbox" | "eml" | "mht" | "mhtml" => Some(InputFormat::Mail),
            "warc" | "wet" => Some(InputFormat::Warc),
            "yaml" | "yml" => Some(InputFormat::Yaml),
            "sql" => Some(InputFormat::Sql),
            _ => None,
        }
    }

    /// What a source of the format is, after "is".
    pub(super) fn name(self) -> &'static str {
        match self {
            InputFormat::Text => "a text",
            InputFormat::Markdown => "Markdown",
            InputFormat::Html => "HTML",
            InputFormat::Jsonl => "JSON",
            InputFormat::Csv | InputFormat::Tsv => "a table",
            InputFormat::Mail => "mail",
            InputFormat::Warc => "a web archive",
            InputFormat::Parquet => "a Parquet table",
            InputFormat::Arrow => "an Arrow table",
            InputFormat::Wxr => "a WordPress export",
            InputFormat::Disqus => "a Disqus export",
            InputFormat::Sql => "an SQL dump",
            InputFormat::Yaml => "YAML",
            InputFormat::Sqlite => "an SQLite database",
        }
    }

    /// The format's name on the command line.
    pub(super) fn option(self) -> &'static str {
        match self {
            InputFormat::Text => "text",
            InputFormat::Markdown => "markdown",
            InputFormat::Html => "html",
            InputFormat::Jsonl => "jsonl",
            InputFormat::Csv => "csv",
            InputFormat::Tsv => "tsv",
            InputFormat::Mail => "mail",
            InputFormat::Warc => "warc",
            InputFormat::Parquet => "parquet",
            InputFormat::Arrow => "arrow",
            InputFormat::Wxr => "wxr",
            InputFormat::Disqus => "disqus",
            InputFormat::Sql => "sql",
            InputFormat::Yaml => "yaml",
            InputFormat::Sqlite => "sqlite",
        }
    }
}

/// The beginning of a source as far as it is at hand.
#[derive(Clone, Copy)]
pub(super) struct Head<'a> {
    pub bytes: &'a [u8],
    /// Whether this is all of the source.
    pub ended: bool,
}

impl Head<'_> {
    /// Whether nothing more will be looked at.
    fn is_whole(&self) -> bool {
        self.ended || self.bytes.len() >= HEAD_BYTES
    }
}

/// What is decided of a source; `None` where more bytes are needed.
///
/// The decision depends on the bytes alone, not on how many of them came when it was asked for: whatever is decided of a
/// beginning is decided of every longer one. So each rule looks at whole lines in their order and stays with what it said.
pub(super) fn decide(head: Head<'_>, name: Option<&Path>, lines: bool) -> Option<Result<InputFormat, InputError>> {
    let whole = head.is_whole();
    let head = Head { bytes: &head.bytes[..head.bytes.len().min(HEAD_BYTES)], ..head };
    let found = |shape| match shape {
        Shape::Table { .. } => Some(Ok(InputFormat::Csv)),
        Shape::Mail => Some(Ok(InputFormat::Mail)),
        Shape::Export(format) => Some(Ok(format)),
        Shape::Foreign(ForeignFormat::HTML) if !lines => Some(Ok(InputFormat::Html)),
        Shape::Foreign(format) => Some(Err(InputError::ForeignFormat(format))),
    };
    if let Some(format) = ForeignFormat::from_magic(head.bytes, head.ended)? {
        return table(format).map(Ok).or_else(|| found(Shape::Foreign(format)));
    }
    if is_archive(head)? {
        return Some(Ok(InputFormat::Warc));
    }
    let text = head.bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(head.bytes);
    if let Some(named) = name.and_then(ForeignFormat::from_extension) {
        if named == ForeignFormat::HTML {
            return found(Shape::Foreign(named));
        }
        // The content may say it better: an export of WordPress.
        return found(shape::recognise(text, whole)?.unwrap_or(Shape::Foreign(named)));
    }
    let format = match name.and_then(InputFormat::from_extension) {
        Some(InputFormat::Jsonl) => {
            // A comment of Staticman's is told by its fields. Lines of JSON are wanted as soon as they come.
            if name.is_some_and(|name| name.extension().is_some_and(|name| name.eq_ignore_ascii_case("json")))
                && is_single_comment(text, head.ended, whole)?
            {
                return Some(Ok(InputFormat::Yaml));
            }
            return check_json(head);
        }
        Some(format @ (InputFormat::Yaml | InputFormat::Sql)) => {
            return check_text(head, true).map(|checked| checked.map(|()| format));
        }
        Some(InputFormat::Mail) => return Some(Ok(InputFormat::Mail)),
        Some(table @ (InputFormat::Csv | InputFormat::Tsv)) => {
            // The rows after the first have their say about the delimiter.
            delimiter(head, table, false)?;
            // A zero byte in a later row costs that row.
            return check_text(head, true).map(|checked| checked.map(|()| table));
        }
        Some(InputFormat::Warc) => return Some(Ok(InputFormat::Warc)),
        named => named,
    };
    if format.is_none() && is_json(text, whole)? {
        return Some(Ok(InputFormat::Jsonl));
    }
    if let Some(shape) = shape::recognise(text, whole)? {
        // What is called a text may begin as it likes, but for what is unmistakable.
        return found(shape);
    }
    check_text(head, lines).map(|checked| checked.map(|()| format.unwrap_or(InputFormat::Text)))
}

/// Whether a source is one JSON object that is a comment of Staticman's, and nothing behind it; `None` where more bytes are needed.
fn is_single_comment(text: &[u8], ended: bool, whole: bool) -> Option<bool> {
    let text = text.trim_ascii_start();
    match text.first() {
        None => return whole.then_some(false),
        Some(b'{') => {}
        Some(_) => return Some(false),
    }
    match scan(text) {
        Ok(length) if !std::str::from_utf8(&text[..length]).is_ok_and(is_comment_in_json) => Some(false),
        Ok(length) if text[length..].iter().any(|byte| !byte.is_ascii_whitespace()) => Some(false),
        Ok(_) if ended => Some(true),
        Ok(_) => whole.then_some(false),
        Err(Stop::Unfinished { .. }) => whole.then_some(false),
        Err(Stop::Broken) => Some(false),
    }
}

/// The format of a table in columns or of a database, where this build reads such.
fn table(format: ForeignFormat) -> Option<InputFormat> {
    match format {
        ForeignFormat::SQLITE => cfg!(feature = "sqlite").then_some(InputFormat::Sqlite),
        _ if cfg!(not(feature = "columnar")) => None,
        ForeignFormat::PARQUET => Some(InputFormat::Parquet),
        ForeignFormat::ARROW_FILE | ForeignFormat::ARROW_STREAM => Some(InputFormat::Arrow),
        _ => None,
    }
}

/// Refuses what is said to be a table in columns or a database and is none of that format; `None` where more bytes are needed.
pub(super) fn check_table(head: Head<'_>, expected: InputFormat) -> Option<Result<InputFormat, InputError>> {
    let format = ForeignFormat::from_magic(head.bytes, head.ended)?;
    Some(match format.and_then(table) {
        Some(table) if table == expected => Ok(table),
        _ => Err(match format {
            Some(format) if table(format).is_none() => InputError::ForeignFormat(format),
            _ => {
                let expected = match expected {
                    InputFormat::Parquet => "Parquet",
                    InputFormat::Sqlite => "an SQLite database",
                    _ => "Arrow",
                };
                InputError::OtherFormat { expected }
            }
        }),
    })
}

/// Refuses what is said to be JSON and begins as no JSON can; `None` where more bytes are needed.
pub(super) fn check_json(head: Head<'_>) -> Option<Result<InputFormat, InputError>> {
    if let Some(format) = ForeignFormat::from_magic(head.bytes, head.ended)? {
        return Some(table(format).ok_or(InputError::ForeignFormat(format)));
    }
    let text = head.bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(head.bytes).trim_ascii_start();
    if matches!(text.first(), Some(b'{' | b'[')) {
        return Some(Ok(InputFormat::Jsonl));
    }
    // Said once of the table that it is, rather than of each of its lines that it is no JSON.
    let text = &text[..text.len().min(HEAD_BYTES)];
    Some(match shape::recognise(text, head.is_whole())? {
        None => Ok(InputFormat::Jsonl),
        Some(Shape::Table { .. }) => Err(InputError::NotJson { got: InputFormat::Csv }),
        Some(Shape::Mail) => Err(InputError::NotJson { got: InputFormat::Mail }),
        Some(Shape::Export(got)) => Err(InputError::NotJson { got }),
        Some(Shape::Foreign(format)) => Err(InputError::ForeignFormat(format)),
    })
}

/// The delimiter of a source that was decided to be a table, `format`; `told` is whether the user said so. `None` where more bytes
/// are needed, which is never so of a source whose format was decided.
///
/// Of a table that was told by its content its first lines tell the delimiter as well. What the user calls CSV may have rows of
/// any kind, so its first row alone decides, however many others are at hand.
pub(super) fn delimiter(head: Head<'_>, format: InputFormat, told: bool) -> Option<u8> {
    let text = &head.bytes[..head.bytes.len().min(HEAD_BYTES)];
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    let by_content = if told { None } else { shape::table(text, head.is_whole())? };
    match by_content {
        Some(delimiter) => Some(delimiter),
        None if format == InputFormat::Tsv => Some(b'\t'),
        None => shape::likely_delimiter(text, head.is_whole()),
    }
}

/// Refuses what is said to be a web archive and is recognisably something else; `None` where more bytes are needed.
pub(super) fn check_archive(head: Head<'_>) -> Option<Result<InputFormat, InputError>> {
    let format = ForeignFormat::from_magic(head.bytes, head.ended)?;
    Some(format.map_or(Ok(InputFormat::Warc), |format| Err(InputError::ForeignFormat(format))))
}

/// Whether a source begins as web archives do; `None` where more bytes are needed.
fn is_archive(head: Head<'_>) -> Option<bool> {
    let marks: [&[u8]; 2] = [b"WARC/1.", b"WARC/0."];
    if marks.iter().any(|mark| head.bytes.starts_with(mark)) {
        return Some(true);
    }
    let may_become = |mark: &&[u8]| !head.ended && head.bytes.len() < mark.len() && mark.starts_with(head.bytes);
    if marks.iter().any(may_become) { None } else { Some(false) }
}

/// Whether a source that is said to be text holds a zero byte; `None` where more bytes are needed.
///
/// Of records, which are wanted as soon as they come, only the first line is looked at: each later one is when it is read.
pub(super) fn check_text(head: Head<'_>, lines: bool) -> Option<Result<(), InputError>> {
    let line = shape::lines(head.bytes, head.is_whole()).next();
    let looked_at = match line {
        Some(line) if lines => line.len(),
        _ if head.is_whole() => head.bytes.len(),
        _ => return None,
    };
    let looked_at = &head.bytes[..looked_at.min(BINARY_CHECK_BYTES)];
    match looked_at.iter().position(|&byte| byte == 0) {
        None => Some(Ok(())),
        Some(offset) => ForeignFormat::tar(head.bytes, head.ended)
            .map(|format| Err(format.map_or(InputError::NotText { offset }, InputError::ForeignFormat))),
    }
}

/// Whether a source holds JSON objects: it begins with a brace, and one of its lines begins an object; or with an array of
/// objects, or of texts or arrays, which are then refused as what they are.
///
/// Any line, not the first alone: one broken record must not turn a file of records into running text.
fn is_json(text: &[u8], whole: bool) -> Option<bool> {
    let blank = text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let mut rest = &text[blank..];
    if rest.first() == Some(&b'[') {
        return is_json_array(rest, whole);
    }
    if rest.is_empty() && !whole {
        return None;
    }
    if rest.first() != Some(&b'{') {
        return Some(false);
    }
    loop {
        match scan(rest) {
            Ok(_) => return Some(true),
            // A long record, or one of many lines.
            Err(Stop::Unfinished { fields }) if whole => return Some(fields > 0),
            Err(Stop::Unfinished { .. }) => return None,
            Err(Stop::Broken) => {}
        }
        loop {
            let Some(end) = rest.iter().position(|&byte| byte == b'\n') else { return whole.then_some(false) };
            rest = rest[end + 1..].trim_ascii_start();
            if rest.first() == Some(&b'{') {
                break;
            }
        }
    }
}

fn is_json_array(text: &[u8], whole: bool) -> Option<bool> {
    let inside = text[1..].trim_ascii_start();
    match inside.first() {
        None if !whole => None,
        Some(b'{') => match scan(inside) {
            Ok(_) => Some(true),
            Err(Stop::Unfinished { fields }) => whole.then_some(fields > 0),
            Err(Stop::Broken) => Some(false),
        },
        Some(b'"' | b'[') => match scan(text) {
            Ok(length) => {
                // A note in brackets goes on with words.
                let after = text[length..].iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r'));
                match after {
                    Some(byte) => Some(*byte == b'\n'),
                    None => whole.then_some(true),
                }
            }
            Err(Stop::Unfinished { .. }) => whole.then_some(text.len() >= HEAD_BYTES - 3),
            Err(Stop::Broken) => Some(false),
        },
        Some(b']') => match text[1..].trim_ascii() {
            b"]" => whole.then_some(true),
            _ => Some(false),
        },
        _ => Some(false),
    }
}

enum Stop {
    Unfinished { fields: u64 },
    Broken,
}

/// Length of the JSON value at the beginning.
fn scan(text: &[u8]) -> Result<usize, Stop> {
    let mut scanner = Scanner::new();
    for (index, &byte) in text.iter().enumerate() {
        match scanner.step(byte) {
            Step::More => {}
            Step::Last => return Ok(index + 1),
            Step::Ended => return Ok(index),
            Step::Broken(_) => return Err(Stop::Broken),
        }
    }
    Err(Stop::Unfinished { fields: scanner.fields() })
}

#[cfg(test)]
mod tests;
