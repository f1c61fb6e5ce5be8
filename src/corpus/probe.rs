//! Any bytes read as a source, and what must hold of all that comes of it: for fuzz tests.

use super::chunk::{ChunkReader, Item, Passage, ReadOptions, RecordLine, Unit};
use super::feed::Feed;
use super::passages::passages;
use super::record::Record;
use super::sniff::InputFormat;
use crate::compress::Compression;
use crate::text::Paragraphs;
use encoding_rs::Encoding;
use std::io::{self, Read};
use std::path::PathBuf;

/// Bytes of a source that are read, decompressed: a few hundred compressed bytes can hold gigabytes.
const READ_BYTES: u64 = 16 * 1024 * 1024;

/// What the description of a record begins with that is no JSON although it should be.
pub const SHOWN_BROKEN: &str = "Broken";

/// How bytes are read.
#[derive(Clone, Copy, Debug)]
pub struct Probe<'a> {
    /// The name of the file, which tells its format; if empty, the bytes tell it.
    pub name: &'a str,
    /// Whether whole records are read, not paragraphs.
    pub records: bool,
    /// Label of the encoding that the user names, if any; an unknown one counts as none.
    pub encoding: &'a str,
    /// Bytes that come at once, at least 1.
    pub piece: usize,
    /// Whether they come as those of a pipe do, unless they are compressed: then readers see each piece as it comes, while of
    /// a file they see the first 64 KiB at once.
    pub live: bool,
}

impl Probe<'_> {
    /// Reads `source` and hands on a description of each item, and at last one of what was counted. All are the same whatever
    /// the size of the pieces; live ones must be UTF-8 for that, for an encoding is guessed by what is at hand.
    ///
    /// # Panics
    /// If a reader breaks a promise: a span that is not in its text or cuts a character, paragraphs out of order, offsets that
    /// lead to another place of the source.
    pub fn read(self, source: &[u8], each: &mut dyn FnMut(&str)) {
        let unit = if self.records { Unit::Record } else { Unit::Paragraph };
        let encoding = Encoding::for_label(self.encoding.as_bytes());
        let options = ReadOptions { format: None, unit, paragraphs: Paragraphs::Auto, encoding };
        let piece = self.piece.max(1);
        let is_compressed = Compression::from_magic(source, true).flatten().is_some();
        let feed = match self.live && !is_compressed {
            true => Feed::of_blocks(source.chunks(piece).map(<[u8]>::to_vec).collect(), encoding),
            false => Feed::of_reader(InPieces { rest: source.to_vec(), piece }, encoding),
        };
        let path = (!self.name.is_empty()).then(|| PathBuf::from(self.name));
        let reader = match ChunkReader::of_feed(feed, path, options) {
            Ok(reader) => reader,
            Err(error) => return each(&format!("Refused {error} {error:?}")),
        };
        let mut check = Check { source: as_it_is(source, encoding), place: None };
        let (mut bytes, mut raw_bytes, mut passed_over) = (0, 0, super::PassedOver::default());
        for chunk in reader {
            assert_eq!(chunk.items.len(), chunk.ordinals.len(), "an item has no source");
            if !chunk.decoded.is_empty() {
                each(&format!("{:?}", chunk.decoded));
                check.source = None;
            }
            for item in &chunk.items {
                match item {
                    Item::Passage(passage) => {
                        check.passage(passage);
                        each(&format!("{passage:?}"));
                    }
                    Item::Record(record) => each(&described(record)),
                    Item::Failed(failure) => {
                        check.source = None;
                        each(&format!("{failure} {failure:?}"));
                    }
                }
            }
            bytes += chunk.bytes;
            raw_bytes += chunk.raw_bytes;
            passed_over.add(chunk.passed_over);
            if bytes > READ_BYTES {
                return each("More than is read");
            }
        }
        assert!(raw_bytes <= source.len() as u64, "{raw_bytes} bytes were read of {}", source.len());
        each(&format!("{bytes} bytes, {passed_over:?}"));
    }
}

/// Bytes a few at a time.
struct InPieces {
    rest: Vec<u8>,
    piece: usize,
}

impl Read for InPieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.piece.min(self.rest.len()).min(buffer.len());
        buffer[..length].copy_from_slice(&self.rest[..length]);
        self.rest.drain(..length);
        Ok(length)
    }
}

/// The source as a text, if offsets count its own bytes.
fn as_it_is<'a>(source: &'a [u8], encoding: Option<&'static Encoding>) -> Option<&'a str> {
    let is_plain = encoding.is_none() && Compression::from_magic(source, true).flatten().is_none();
    std::str::from_utf8(source).ok().filter(|_| is_plain)
}

/// A document's name and its number in an archive.
type Document = (Option<String>, Option<u64>);

/// What must hold of passages.
struct Check<'a> {
    /// The source, if offsets count its own bytes.
    source: Option<&'a str>,
    /// Of the document that is read: its name and record, where its last paragraph ends, and how many it has.
    place: Option<(Document, u64, u64)>,
}

impl Check<'_> {
    fn passage(&mut self, passage: &Passage) {
        let Passage { text, paragraphs, plain_texts, blocks, .. } = passage;
        assert!(!paragraphs.is_empty(), "a passage has no paragraphs");
        assert!(plain_texts.is_empty() || plain_texts.len() == paragraphs.len(), "a paragraph has no plain text");
        assert!(blocks.is_empty() || blocks.len() == paragraphs.len(), "a paragraph has no block");
        let document = (passage.doc.as_deref().map(str::to_owned), passage.record);
        let (mut end, count) = match self.place.take() {
            Some((last, end, count)) if last == document => (end, count),
            _ => (0, 0),
        };
        assert_eq!(passage.first_paragraph, count, "paragraphs are not numbered through");
        let mut inside = 0;
        for (index, span) in paragraphs.iter().enumerate() {
            assert!(span.start >= inside, "paragraphs of a passage are out of order");
            inside = span.end;
            let paragraph = text.get(span.clone()).expect("a paragraph is a slice of its text");
            assert!(!passage.model_text(index).trim().is_empty(), "a paragraph is empty");
            let (place, chars) = (passage.paragraph_span(index), passage.paragraph_chars(index));
            assert!(place.start <= place.end && chars.start <= chars.end, "a span ends before it begins");
            assert!(chars.end <= place.end, "there are more characters than bytes");
            if passage.block(index).is_none() {
                assert!(place.start >= end, "paragraphs of a document are out of order");
                end = place.end;
            }
            if let Some(source) = self.source.filter(|_| passage.record.is_none()) {
                let range = place.start as usize..place.end as usize;
                let there = source.get(range).expect("a span cuts no character of the source");
                assert!(passage.block(index).is_some() || there == paragraph, "{there:?} is not {paragraph:?}");
                let before = source[..place.start as usize].chars().count() as u64;
                assert_eq!(chars, before..before + there.chars().count() as u64, "code points of {place:?}");
            }
        }
        self.place = Some((document, end, count + paragraphs.len() as u64));
    }
}

/// A record with all that is asked of it.
fn described(line: &RecordLine) -> String {
    if line.format != InputFormat::Jsonl {
        return format!("{line:?}");
    }
    assert!(!line.text.contains('\n'), "a record stands on several lines");
    let record = match Record::parse(&line.text) {
        Ok(record) => record,
        Err(error) => return format!("{SHOWN_BROKEN} {error} {line:?}"),
    };
    for field in record.fields() {
        let object = record.line();
        assert!(object.get(field.key_span.clone()).is_some(), "the name of a field is no slice of its line");
        let value = object.get(field.value_span.clone()).expect("the value of a field is a slice of its line");
        assert!(Record::parse(value).is_ok() || !value.starts_with('{'), "an object in an object is broken");
        Record::string(value);
        record.name(&field.key);
    }
    assert_eq!(record.line().as_bytes().get(record.close()), Some(&b'}'), "an object does not end at its brace");
    let paragraphs: Vec<_> = match record.text("text") {
        Ok(text) => passages(&text, Paragraphs::Auto).into_iter().flatten().map(|paragraph| paragraph.span).collect(),
        Err(_) => Vec::new(),
    };
    format!("{line:?} {paragraphs:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(name: &str, source: &[u8], piece: usize, live: bool) -> Vec<String> {
        let mut items = Vec::new();
        Probe { name, records: false, encoding: "", piece, live }.read(source, &mut |item| items.push(item.to_owned()));
        items
    }

    #[test]
    fn every_item_is_described_whatever_the_pieces() {
        for (name, source, count) in [
            ("a.jsonl", &b"{\"text\": \"One.\"}\n{broken\n"[..], 3),
            ("a.txt", "Two.\n\nDrei Körner.\n".as_bytes(), 2),
            ("", b"<!DOCTYPE html><p>Three.</p>", 2),
        ] {
            let whole = items(name, source, source.len(), false);
            assert_eq!(whole.len(), count, "{whole:?}");
            assert_eq!(items(name, source, 1, false), whole);
            assert_eq!(items(name, source, 1, true), whole);
        }
        assert!(items("a.jsonl", b"{broken\n", 1, false)[0].contains("invalid JSON"));
    }
}
