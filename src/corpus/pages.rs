//! Records of one page kept together.

use super::chunk::{Chunk, Item, Opened, RecordLine};
use super::error::Decoded;
use super::passed_over::PassedOver;
use super::record::Record;
use super::sniff::InputFormat;
use crate::page::PageKey;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Records of a page that are worked on together; a longer page is cut after every so many, counted from its beginning.
const PAGE_RECORDS: usize = 256;

/// Items of a page, lines that were set aside among them, after which it is cut in any case, so that a file of nothing but
/// broken lines is not held in memory.
const PAGE_ITEMS: usize = 4096;

/// Bytes of a page's records after which it is cut, counted from its beginning, 8 MiB: so much of it is held at once.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// Regroups the chunks of a stream so that no page is cut where a chunk happened to end, and numbers the pages
/// ([`Chunk::pages`]): a record's neighbours depend on the input alone, not on what was read before it.
pub struct PageChunks<I> {
    chunks: I,
    page_field: String,
    /// Items of the page that is still open, with its key and the number of its records.
    open: Vec<Item>,
    /// The numbers of their sources.
    ordinals: Vec<u64>,
    key: Option<PageOfFile>,
    records: usize,
    /// Bytes of those records.
    page_bytes: usize,
    /// Number of that page.
    page: u64,
    bytes: u64,
    raw_bytes: u64,
    decoded: Vec<Decoded>,
    opened: Vec<Opened>,
    reading: Duration,
    passed_over: PassedOver,
}

impl<I: Iterator<Item = Chunk>> PageChunks<I> {
    /// Neighbouring records of one input whose field `page_field` has the same value, and whose `source` is the same where they
    /// have one, are one page.
    pub fn new(chunks: I, page_field: String) -> PageChunks<I> {
        PageChunks {
            chunks,
            page_field,
            open: Vec::new(),
            ordinals: Vec::new(),
            key: None,
            records: 0,
            page_bytes: 0,
            page: 0,
            bytes: 0,
            raw_bytes: 0,
            decoded: Vec::new(),
            opened: Vec::new(),
            reading: Duration::ZERO,
            passed_over: PassedOver::default(),
        }
    }

    /// Moves the open page's items to a chunk.
    fn close_page(&mut self, whole: &mut Chunk) {
        whole.pages.resize(whole.pages.len() + self.open.len(), self.page);
        whole.items.append(&mut self.open);
        whole.ordinals.append(&mut self.ordinals);
    }
}

impl<I: Iterator<Item = Chunk>> Iterator for PageChunks<I> {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        let mut whole = Chunk::default();
        while let Some(chunk) = self.chunks.next() {
            self.bytes += chunk.bytes;
            self.raw_bytes += chunk.raw_bytes;
            self.decoded.extend(chunk.decoded);
            self.passed_over.add(chunk.passed_over);
            self.opened.extend(chunk.opened);
            self.reading += chunk.reading;
            for (item, ordinal) in chunk.items.into_iter().zip(chunk.ordinals) {
                let (item, size, key) = match item {
                    Item::Record(line) => keyed(line, &self.page_field),
                    // What is no record ends no page: a line that is set aside leaves its neighbours together.
                    other => (other, 0, None),
                };
                let begins = match key {
                    Some(key) => {
                        let is_full = self.records == PAGE_RECORDS || self.page_bytes + size > PAGE_BYTES;
                        let begins = key.is_none() || key != self.key || is_full;
                        self.key = key;
                        (self.records, self.page_bytes) =
                            if begins { (1, size) } else { (self.records + 1, self.page_bytes + size) };
                        begins
                    }
                    None => false,
                };
                if begins || self.open.len() == PAGE_ITEMS {
                    if !begins {
                        // A page is counted from its beginning, wherever that is, so that reading can go on from here later.
                        (self.records, self.page_bytes) = (usize::from(size > 0), size);
                    }
                    self.close_page(&mut whole);
                    self.page += 1;
                }
                self.open.push(item);
                self.ordinals.push(ordinal);
            }
            if chunk.ended.is_some() {
                self.close_page(&mut whole);
                self.page += 1;
                self.key = None;
                whole.ended = chunk.ended;
                break;
            }
            if !whole.items.is_empty() {
                break;
            }
        }
        if whole.items.is_empty() {
            self.close_page(&mut whole);
        }
        whole.bytes = std::mem::take(&mut self.bytes);
        whole.raw_bytes = std::mem::take(&mut self.raw_bytes);
        whole.decoded = std::mem::take(&mut self.decoded);
        whole.passed_over = std::mem::take(&mut self.passed_over);
        whole.opened = std::mem::take(&mut self.opened);
        whole.reading = std::mem::take(&mut self.reading);
        (!whole.items.is_empty() || whole.bytes > 0 || whole.ended.is_some()).then_some(whole)
    }
}

/// A page's name, and the input that it stands in: two files' pages are never one.
type PageOfFile = (Arc<str>, PageKey<String>);

/// A record with its size and the page that it stands on, or `None` inside for a page of its own. What is no JSON is set aside
/// at once, without its text and without a page, for it would be held as long as its neighbours.
fn keyed(line: RecordLine, page_field: &str) -> (Item, usize, Option<Option<PageOfFile>>) {
    let size = line.text.len();
    if line.format != InputFormat::Jsonl {
        return (Item::Record(line), size, Some(None));
    }
    let page = |record: Record<'_>| {
        let name = |field: &str| record.name(field).map(Cow::into_owned);
        PageKey::new(name("source"), name(page_field))
    };
    match Record::parse(&line.text).map(page) {
        Ok(page) => {
            let key = page.map(|page| (Arc::clone(&line.source), page));
            (Item::Record(line), size, Some(key))
        }
        Err(error) => (Item::Failed(line.failed(error)), 0, None),
    }
}

/// The pages among neighbours, as ranges: those with the same key, at most 256 of them. What has no key is a page of its own.
pub fn page_ranges<K: PartialEq>(keys: &[Option<K>]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        match ranges.last_mut() {
            Some(last) if key.is_some() && keys[last.start] == *key && last.len() < PAGE_RECORDS => {
                last.end = index + 1;
            }
            _ => ranges.push(index..index + 1),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;
    fn record(number: u64, page: &str) -> Item {
        let text = format!("{{\"page\": {page}}}");
        let format = InputFormat::Jsonl;
        Item::Record(RecordLine { source: "in".into(), line: number, record: None, text, format })
    }

    fn lines(chunks: &[Chunk]) -> Vec<Vec<u64>> {
        let line = |item: &Item| match item {
            Item::Record(record) => record.line,
            Item::Failed(failure) => failure.line.unwrap(),
            Item::Passage(_) => 0,
        };
        chunks.iter().map(|chunk| chunk.items.iter().map(line).collect()).collect()
    }

    fn regroup(pages: &[&str], chunk_size: usize) -> Vec<Chunk> {
        let items: Vec<Item> = pages.iter().zip(1..).map(|(page, number)| record(number, page)).collect();
        let mut rest = items.into_iter();
        let chunks = std::iter::from_fn(move || {
            let items: Vec<Item> = rest.by_ref().take(chunk_size).collect();
            let bytes = items.len() as u64;
            (!items.is_empty()).then_some(Chunk { ordinals: vec![0; items.len()], items, bytes, ..Chunk::default() })
        });
        PageChunks::new(chunks, "page".to_owned()).collect()
    }

    #[test]
    fn a_page_is_never_cut_by_a_chunk() {
        let pages = ["\"a\"", "\"a\"", "7", "7", "7", "null", "null", "\"a\""];
        let chunks = regroup(&pages, 4);
        assert_eq!(lines(&chunks), [vec![1, 2], vec![3, 4, 5, 6, 7], vec![8]]);
        assert_eq!(chunks.iter().map(|chunk| chunk.bytes).sum::<u64>(), 8);
    }

    #[test]
    fn long_pages_are_cut_at_the_same_records_whatever_the_chunks() {
        let pages = ["\"a\""; 2 * PAGE_RECORDS + 3];
        let ends = |chunk_size| {
            let chunks = regroup(&pages, chunk_size);
            let mut ends = Vec::new();
            let mut before = 0;
            for chunk in &chunks {
                ends.extend(chunk.pages.chunk_by(|a, b| a == b).scan(before, |end, page| {
                    *end += page.len();
                    Some(*end)
                }));
                before += chunk.items.len();
            }
            ends
        };
        let expected = [PAGE_RECORDS, 2 * PAGE_RECORDS, 2 * PAGE_RECORDS + 3];
        for chunk_size in [1, 7, 100, PAGE_RECORDS, 1000] {
            assert_eq!(ends(chunk_size), expected, "{chunk_size}");
        }
    }

    #[test]
    fn a_line_that_is_no_record_leaves_its_page_whole_and_uncounted() {
        let mut pages = vec!["\"a\""; PAGE_RECORDS + 2];
        pages[1] = "broken";
        pages.extend(["\"b\"", "null", "null"]);
        for chunk_size in [1, 3, 1000] {
            let numbers: Vec<u64> = regroup(&pages, chunk_size).into_iter().flat_map(|chunk| chunk.pages).collect();
            let lengths: Vec<usize> = numbers.chunk_by(|a, b| a == b).map(<[u64]>::len).collect();
            assert_eq!(lengths, [PAGE_RECORDS + 1, 1, 1, 1, 1], "{chunk_size}");
        }
    }

    #[test]
    fn big_records_cut_their_page_by_bytes_counted_from_its_beginning() {
        let record = |number| {
            let text = format!("{{\"page\": 1, \"text\": \"{}\"}}", "x".repeat(PAGE_BYTES / 5 * 2));
            let format = InputFormat::Jsonl;
            Item::Record(RecordLine { source: "in".into(), line: number, record: None, text, format })
        };
        for size in [1, 2, 5] {
            let items: Vec<u64> = (1..=5).collect();
            let chunks: Vec<Chunk> = items
                .chunks(size)
                .map(|numbers| Chunk {
                    items: numbers.iter().copied().map(record).collect(),
                    ordinals: vec![0; numbers.len()],
                    ..Chunk::default()
                })
                .collect();
            let chunks = PageChunks::new(chunks.into_iter(), "page".to_owned());
            let pages: Vec<u64> = chunks.flat_map(|chunk| chunk.pages).collect();
            let lengths: Vec<usize> = pages.chunk_by(|a, b| a == b).map(<[u64]>::len).collect();
            assert_eq!(lengths, [2, 2, 1], "{size}");
        }
    }

    #[test]
    fn nothing_but_broken_lines_is_not_held_back() {
        let chunks = regroup(&["broken"; 3 * PAGE_ITEMS + 1], 100);
        assert_eq!(
            chunks.iter().map(|chunk| chunk.items.len()).collect::<Vec<_>>(),
            [PAGE_ITEMS, PAGE_ITEMS, PAGE_ITEMS, 1]
        );
    }

    #[test]
    fn pages_of_two_sources_with_one_name_are_two() {
        let record = |(number, source): (u64, &str)| {
            let text = format!("{{\"page\": 1{source}}}");
            Item::Record(RecordLine {
                source: "in".into(),
                line: number,
                record: None,
                text,
                format: InputFormat::Jsonl,
            })
        };
        let sources = [r#","source":"a""#, r#","source":"a""#, r#","source":"b""#, "", ""];
        let items: Vec<Item> = (1..).zip(sources).map(record).collect();
        let chunks = PageChunks::new(
            std::iter::once(Chunk { ordinals: vec![0; items.len()], items, ..Chunk::default() }),
            "page".to_owned(),
        );
        let pages: Vec<u64> = chunks.flat_map(|chunk| chunk.pages).collect();
        let lengths: Vec<usize> = pages.chunk_by(|a, b| a == b).map(<[u64]>::len).collect();
        assert_eq!(lengths, [2, 1, 2]);
    }

    #[test]
    fn records_without_a_page_stand_alone() {
        assert_eq!(page_ranges(&[Some(1), Some(1), None, None, Some(1)]), [0..2, 2..3, 3..4, 4..5]);
        assert!(page_ranges::<u8>(&[]).is_empty());
    }
}
