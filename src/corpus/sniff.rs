//! Telling a source's format by its name, else by its first bytes.

use super::error::InputError;
use super::foreign::ForeignFormat;
use super::scanner::{Scanner, Step};
use super::shape;
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
    /// A Parquet table: its rows are records.
    Parquet,
    /// An Arrow table, as a file (Feather, version 2) or a stream: its rows are records.
    Arrow,
}

impl InputFormat {
    /// By extension, whatever its case: `jsonl`, `ndjson` and `json` are JSON; `txt` and `text` are text;
    /// `md`, `markdown` and `mkd` are Markdown.
    pub fn from_extension(path: &Path) -> Option<InputFormat> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "jsonl" | "ndjson" | "json" => Some(InputFormat::Jsonl),
            "txt" | "text" => Some(InputFormat::Text),
            "md" | "markdown" | "mkd" => Some(InputFormat::Markdown),
            _ => None,
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
    let refused = |format| match format {
        ForeignFormat::HTML if !lines => Some(Ok(InputFormat::Html)),
        format => Some(Err(InputError::ForeignFormat(format))),
    };
    if let Some(format) = ForeignFormat::from_magic(head.bytes, head.ended)? {
        return table(format).map(Ok).or_else(|| refused(format));
    }
    let text = head.bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(head.bytes);
    if let Some(named) = name.and_then(ForeignFormat::from_extension) {
        if named == ForeignFormat::HTML {
            return refused(named);
        }
        // The content may say it better: a table with semicolons, an export of WordPress.
        return refused(shape::recognise(text, whole)?.unwrap_or(named));
    }
    let format = match name.and_then(InputFormat::from_extension) {
        Some(InputFormat::Jsonl) => return check_json(head),
        named => named,
    };
    if format.is_none() && is_json(text, whole)? {
        return Some(Ok(InputFormat::Jsonl));
    }
    if let Some(format) = shape::recognise(text, whole)? {
        // What is called a text may begin as it likes, but for what is unmistakable.
        return refused(format);
    }
    check_text(head, lines).map(|checked| checked.map(|()| format.unwrap_or(InputFormat::Text)))
}

/// The format of a table in columns, where this build reads such.
fn table(format: ForeignFormat) -> Option<InputFormat> {
    match format {
        _ if cfg!(not(feature = "columnar")) => None,
        ForeignFormat::PARQUET => Some(InputFormat::Parquet),
        ForeignFormat::ARROW_FILE | ForeignFormat::ARROW_STREAM => Some(InputFormat::Arrow),
        _ => None,
    }
}

/// Refuses what is said to be a table in columns and is none of that format; `None` where more bytes are needed.
pub(super) fn check_table(head: Head<'_>, expected: InputFormat) -> Option<Result<InputFormat, InputError>> {
    let format = ForeignFormat::from_magic(head.bytes, head.ended)?;
    Some(match format.and_then(table) {
        Some(table) if table == expected => Ok(table),
        _ => Err(match format {
            Some(format) if table(format).is_none() => InputError::ForeignFormat(format),
            _ => {
                InputError::OtherFormat { expected: if expected == InputFormat::Parquet { "Parquet" } else { "Arrow" } }
            }
        }),
    })
}

/// Refuses what is said to be JSON and begins as no JSON can; `None` where more bytes are needed.
pub(super) fn check_json(head: Head<'_>) -> Option<Result<InputFormat, InputError>> {
    let mut format = ForeignFormat::from_magic(head.bytes, head.ended)?;
    if let Some(table) = format.and_then(table) {
        return Some(Ok(table));
    }
    let text = head.bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(head.bytes).trim_ascii_start();
    if format.is_none() && !matches!(text.first(), Some(b'{' | b'[')) {
        // Said once of the table that it is, rather than of each of its lines that it is no JSON.
        let text = &text[..text.len().min(HEAD_BYTES)];
        format = shape::recognise(text, head.is_whole())?;
    }
    Some(format.map_or(Ok(InputFormat::Jsonl), |format| Err(InputError::ForeignFormat(format))))
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
        Some(offset) => Some(Err(match utf_16(looked_at) {
            Some(format) => InputError::ForeignFormat(format),
            None => InputError::NotText { offset },
        })),
    }
}

/// The byte order of text in UTF-16: its Western letters have a zero byte beside them, always on the same side.
fn utf_16(head: &[u8]) -> Option<ForeignFormat> {
    /// A few bytes show no side.
    const LEAST_BYTES: usize = 16;
    if head.len() < LEAST_BYTES {
        return None;
    }
    let zeros = |side: usize| head.iter().skip(side).step_by(2).filter(|&&byte| byte == 0).count();
    let many = head.len() / 5;
    match (zeros(0), zeros(1)) {
        (0, odd) if odd > many => Some(ForeignFormat::UTF_16_LITTLE),
        (even, 0) if even > many => Some(ForeignFormat::UTF_16_BIG),
        _ => None,
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
mod tests {
    use super::*;

    /// What is decided of some bytes; the same for every beginning of them that decides.
    fn decided(bytes: &[u8], name: Option<&str>, lines: bool) -> Result<InputFormat, String> {
        let decide = |length: usize, ended| {
            let decided = decide(Head { bytes: &bytes[..length], ended }, name.map(Path::new), lines);
            decided.map(|decided| decided.map_err(|error| error.to_string()))
        };
        let all = decide(bytes.len(), true).unwrap();
        for length in (0..bytes.len().min(600)).chain([bytes.len()]) {
            if let Some(early) = decide(length, false) {
                assert_eq!(early, all, "{length} bytes of {}", String::from_utf8_lossy(bytes));
            }
        }
        all
    }

    fn by_content(text: &str) -> Result<InputFormat, String> {
        let records = decided(text.as_bytes(), None, true);
        assert_eq!(decided(text.as_bytes(), None, false), records, "{text}");
        records
    }

    #[test]
    fn extensions_decide_whatever_their_case() {
        assert_eq!(InputFormat::from_extension(Path::new("a/b.NDJSON")), Some(InputFormat::Jsonl));
        assert_eq!(InputFormat::from_extension(Path::new("b.MD")), Some(InputFormat::Markdown));
        assert_eq!(InputFormat::from_extension(Path::new("b.csv")), None);
        assert_eq!(InputFormat::from_extension(Path::new("jsonl")), None);
        assert_eq!(decided(b"words", Some("a.json"), false), Ok(InputFormat::Jsonl));
        assert!(decided(b"words", Some("a.CSV"), true).unwrap_err().contains("CSV"));
        assert!(decided(b"\x1f\x8b\x08", Some("a.jsonl"), true).unwrap_err().contains("gzip -dc FILE"));
    }

    #[test]
    fn json_is_known_by_an_object() {
        for json in [
            "\u{feff}\n  {\"text\": \"a\"}\n",
            "{\"text\": \n{\"text\": \"b\"}\n",
            "{\n  \"text\": \"a\"\n}\n",
            "[{\"text\": \"a\"}]",
            "[\n  {\n    \"text\": \"a\"\n  }\n]",
            "[\"a\", \"b\"]\n",
            "{\"a\": NaN}{}",
        ] {
            assert_eq!(by_content(json), Ok(InputFormat::Jsonl), "{json}");
        }
        for text in
            ["{ a brace begins this text\n", "[1, 2]\n{\"text\": \"b\"}\n", "[Music]\n", "[1] A note.\n", "", "["]
        {
            assert_eq!(by_content(text), Ok(InputFormat::Text), "{text}");
        }
        let long = format!("{{\"text\": \"{}", "x".repeat(HEAD_BYTES));
        for before in ["", "\n", "{broken\n"] {
            assert_eq!(by_content(&format!("{before}{long}")), Ok(InputFormat::Jsonl), "{before:?}");
        }
    }

    #[test]
    fn a_record_is_decided_by_its_first_line() {
        let decide = |bytes: &[u8]| decide(Head { bytes, ended: false }, None, true).map(|decided| decided.is_ok());
        assert_eq!(decide(b"{\"text\": \"a\"}\n"), Some(true));
        assert_eq!(decide(b"A first comment.\n"), Some(true));
        assert_eq!(decide(b"A first comm"), None);
    }

    #[test]
    fn zero_bytes_are_found_near_the_start() {
        assert_eq!(decided(b"ab\0", None, false), Err("is not text: byte 2 is zero".to_owned()));
        let text = "Words as others write them.\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(decided(&little, None, false).unwrap_err().contains("--encoding utf-16le"));
    }
}
