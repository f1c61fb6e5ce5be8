//! Records of one page kept together.

use super::chunk::{Chunk, Item};
use super::record::Record;
use super::sniff::InputFormat;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// Records of a page that are worked on together; a longer page is cut after every so many, counted from its beginning.
const PAGE_RECORDS: usize = 256;

/// Items of a page, lines that were set aside among them, after which it is cut in any case, so that a file of nothing but
/// broken lines is not held in memory.
const PAGE_ITEMS: usize = 4096;

/// Regroups the chunks of a stream so that no page is cut where a chunk happened to end, and numbers the pages
/// ([`Chunk::pages`]): a record's neighbours depend on the input alone, not on what was read before it.
pub struct PageChunks<I> {
    chunks: I,
    page_field: String,
    /// Items of the page that is still open, with its key and the number of its records.
    open: Vec<Item>,
    key: Option<(Arc<str>, String)>,
    records: usize,
    /// Number of that page.
    page: u64,
    bytes: u64,
}

impl<I: Iterator<Item = Chunk>> PageChunks<I> {
    /// Neighbouring records whose field `page_field` has the same value are one page.
    pub fn new(chunks: I, page_field: String) -> PageChunks<I> {
        PageChunks { chunks, page_field, open: Vec::new(), key: None, records: 0, page: 0, bytes: 0 }
    }

    /// Moves the open page's items to a chunk.
    fn close_page(&mut self, whole: &mut Chunk) {
        whole.pages.resize(whole.pages.len() + self.open.len(), self.page);
        whole.items.append(&mut self.open);
    }
}

impl<I: Iterator<Item = Chunk>> Iterator for PageChunks<I> {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        let mut whole = Chunk::default();
        while let Some(chunk) = self.chunks.next() {
            self.bytes += chunk.bytes;
            for item in chunk.items {
                // What is no record ends no page: a line that is set aside leaves its neighbours together.
                let begins = match page_key(&item, &self.page_field) {
                    Some(key) => {
                        let begins = key.is_none() || key != self.key || self.records == PAGE_RECORDS;
                        self.key = key;
                        self.records = if begins { 1 } else { self.records + 1 };
                        begins
                    }
                    None => false,
                };
                if begins || self.open.len() == PAGE_ITEMS {
                    self.close_page(&mut whole);
                    self.page += 1;
                }
                self.open.push(item);
            }
            if !whole.items.is_empty() {
                break;
            }
        }
        if whole.items.is_empty() {
            self.close_page(&mut whole);
        }
        whole.bytes = std::mem::take(&mut self.bytes);
        (!whole.items.is_empty() || whole.bytes > 0).then_some(whole)
    }
}

/// `None` for what is no record. Else the page that the record stands on, its source and the field's value, or `None` for a
/// record that is a page of its own.
fn page_key(item: &Item, page_field: &str) -> Option<Option<(Arc<str>, String)>> {
    let Item::Record(line) = item else { return None };
    if line.format != InputFormat::Jsonl {
        return Some(None);
    }
    let name = Record::parse(&line.text).ok()?.name(page_field).map(Cow::into_owned);
    Some(name.map(|name| (Arc::clone(&line.source), name)))
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
    use crate::corpus::RecordLine;

    fn record(number: u64, page: &str) -> Item {
        let text = format!("{{\"page\": {page}}}");
        Item::Record(RecordLine { source: "in".into(), line: number, text, format: InputFormat::Jsonl })
    }

    fn lines(chunks: &[Chunk]) -> Vec<Vec<u64>> {
        let line = |item: &Item| match item {
            Item::Record(record) => record.line,
            _ => 0,
        };
        chunks.iter().map(|chunk| chunk.items.iter().map(line).collect()).collect()
    }

    fn regroup(pages: &[&str], chunk_size: usize) -> Vec<Chunk> {
        let items: Vec<Item> = pages.iter().zip(1..).map(|(page, number)| record(number, page)).collect();
        let mut rest = items.into_iter();
        let chunks = std::iter::from_fn(move || {
            let items: Vec<Item> = rest.by_ref().take(chunk_size).collect();
            let bytes = items.len() as u64;
            (!items.is_empty()).then_some(Chunk { items, bytes, pages: Vec::new() })
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
    fn nothing_but_broken_lines_is_not_held_back() {
        let chunks = regroup(&["broken"; 3 * PAGE_ITEMS + 1], 100);
        assert_eq!(
            chunks.iter().map(|chunk| chunk.items.len()).collect::<Vec<_>>(),
            [PAGE_ITEMS, PAGE_ITEMS, PAGE_ITEMS, 1]
        );
    }

    #[test]
    fn records_without_a_page_stand_alone() {
        assert_eq!(page_ranges(&[Some(1), Some(1), None, None, Some(1)]), [0..2, 2..3, 3..4, 4..5]);
        assert!(page_ranges::<u8>(&[]).is_empty());
    }
}
