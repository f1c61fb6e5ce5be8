//! Sources one after another as chunks of bounded size.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | what a chunk is made of |
//! | `passage.rs` | paragraphs of one document, and where they stand in it |
//! | `reader.rs` | [`ChunkReader`]: sources one after another, chunks of a fitting size |
//! | `open.rs` | one source: how it is read, by its format and the part of it that is wanted |
//! | `items.rs` | one piece, line, record or page as items of a chunk |

mod items;
mod open;
mod passage;
mod reader;

pub(super) use items::{failed, unreadable};
pub(super) use open::format;
pub use passage::{BlockPlace, Passage};
pub use reader::ChunkReader;

use super::error::{Decoded, DecodedPart, Failure, InputError};
use super::passed_over::PassedOver;
use super::sniff::InputFormat;
use crate::text::Paragraphs;
use encoding_rs::Encoding;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Size of the pieces of a text document. The same for all, so that where a document is cut, and with it which paragraphs
/// stand together, depends on the document alone; most pages are smaller and stay whole.
pub(super) const PIECE_BYTES: usize = 64 * 1024;

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

/// What came of reading on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Read,
    Pause,
    End,
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
