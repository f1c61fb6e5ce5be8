//! What every reader of records gives, whatever the format that they stand in.

use super::error::InputError;
use super::lines::Next;
use super::passed_over::PassedOver;
use std::io;
use std::time::Duration;

/// Records one after another.
pub(super) trait RecordReader: Send {
    /// The next record. With `patience`, a live source that pauses longer is told; the record is then read when asked for again.
    ///
    /// # Errors
    /// What keeps the rest of the source from being read.
    fn next(&mut self, patience: Option<Duration>) -> io::Result<Next<Found>>;

    /// Bytes of the decoded source used so far.
    fn consumed(&self) -> u64;

    /// Number of the line that is read, from 1; in a format without lines, of the record.
    fn line(&self) -> u64;

    /// Records passed over since this was asked last.
    fn take_passed_over(&mut self) -> PassedOver {
        PassedOver::default()
    }
}

/// A record of a source, or what is wrong with it.
#[derive(Debug)]
pub(super) struct Found {
    /// Line on which it begins, from 1; in a format without lines, its number.
    pub line: u64,
    /// Its number in the source, from 1, where the line does not tell it.
    pub record: Option<u64>,
    pub content: Result<Content, InputError>,
}

/// What a record holds.
#[derive(Debug)]
pub(super) enum Content {
    /// A JSON object on one line; line breaks and what is blank after them are one space.
    Object(Vec<u8>),
    /// An HTML page of an archive.
    Page(Page),
}

/// An HTML page of an archive.
#[derive(Debug)]
pub(super) struct Page {
    /// What it is called in rows, if the archive names it.
    pub doc: Option<String>,
    /// Its source, decoded.
    pub html: String,
    /// What the archive says of it, as a JSON object on one line.
    pub fields: Vec<u8>,
}

/// What a reader of records finds in a source, which must be the same however its bytes come; `make` makes the reader. An object is
/// itself, an error its words.
#[cfg(test)]
pub(super) fn found_in_pieces<R: RecordReader>(
    source: &[u8],
    make: impl Fn(super::feed::Window) -> R,
) -> Vec<(u64, serde_json::Value)> {
    use super::feed::{Feed, Pieces, Window};
    let read = |size: usize| {
        let pieces = Pieces(source.chunks(size).map(<[u8]>::to_vec).collect());
        let mut reader = make(Window::new(Feed::of(pieces)));
        let mut found = Vec::new();
        while let Next::Item(Found { line, content, .. }) = reader.next(None).unwrap() {
            let value = match content {
                Ok(Content::Object(object)) => serde_json::from_slice(&object).unwrap(),
                Ok(Content::Page(page)) => panic!("{page:?}"),
                Err(error) => serde_json::Value::String(error.to_string()),
            };
            found.push((line, value));
        }
        assert_eq!(reader.consumed(), source.len() as u64);
        found
    };
    let whole = read(source.len().max(1));
    for size in (1..8).chain([17, 64]) {
        assert_eq!(read(size), whole, "pieces of {size} bytes of {}", String::from_utf8_lossy(source));
    }
    whole
}

/// The same with the text of each object, or the words of its error.
#[cfg(test)]
pub(super) fn texts_in_pieces<R: RecordReader>(
    source: &str,
    make: impl Fn(super::feed::Window) -> R,
) -> Vec<(u64, String)> {
    let text = |value: serde_json::Value| value.get("text").unwrap_or(&value).as_str().unwrap().to_owned();
    found_in_pieces(source.as_bytes(), make).into_iter().map(|(line, value)| (line, text(value))).collect()
}
