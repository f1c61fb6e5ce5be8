//! Records of one page kept together.

use super::chunk::{Chunk, Item, RecordLine};
use super::record::Record;
use super::sniff::InputFormat;
use std::ops::Range;
use std::sync::Arc;

/// Records of a page that are worked on together; a longer page is cut after every so many, counted from its beginning.
const PAGE_RECORDS: usize = 256;

/// Regroups the chunks of a stream so that no page is cut where a chunk happened to end: a record's neighbours depend on
/// the input alone, not on what was read before it.
pub struct PageChunks<I> {
    chunks: I,
    page_field: String,
    /// Items of the page that is still open, with its key and the number of its records.
    open: Vec<Item>,
    key: Option<(Arc<str>, String)>,
    records: usize,
    bytes: u64,
}

impl<I: Iterator<Item = Chunk>> PageChunks<I> {
    /// Neighbouring records whose field `page_field` has the same value are one page.
    pub fn new(chunks: I, page_field: String) -> PageChunks<I> {
        PageChunks { chunks, page_field, open: Vec::new(), key: None, records: 0, bytes: 0 }
    }
}

impl<I: Iterator<Item = Chunk>> Iterator for PageChunks<I> {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        loop {
            let Some(chunk) = self.chunks.next() else {
                let items = std::mem::take(&mut self.open);
                let bytes = std::mem::take(&mut self.bytes);
                return (!items.is_empty() || bytes > 0).then_some(Chunk { items, bytes });
            };
            self.bytes += chunk.bytes;
            let mut whole = Vec::new();
            for item in chunk.items {
                // What is no record ends no page: a line that is set aside leaves its neighbours together.
                if let Item::Record(line) = &item {
                    let key = page_key(line, &self.page_field);
                    if key.is_none() || key != self.key || self.records == PAGE_RECORDS {
                        whole.append(&mut self.open);
                        (self.key, self.records) = (key, 0);
                    }
                    self.records += 1;
                }
                self.open.push(item);
            }
            if !whole.is_empty() {
                return Some(Chunk { items: whole, bytes: std::mem::take(&mut self.bytes) });
            }
        }
    }
}

/// The page that a record stands on: its source and the field's value; `None` for a record without.
fn page_key(line: &RecordLine, page_field: &str) -> Option<(Arc<str>, String)> {
    if line.format != InputFormat::Jsonl {
        return None;
    }
    let name = Record::parse(&line.text).ok()?.name(page_field)?.into_owned();
    Some((Arc::clone(&line.source), name))
}

/// The pages among neighbouring records of a chunk of [`PageChunks`], as ranges; `keys` are the records' sources and
/// values of the page field.
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
            (!items.is_empty()).then_some(Chunk { items, bytes })
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
                let keys = vec![Some(()); chunk.items.len()];
                ends.extend(page_ranges(&keys).into_iter().map(|range| before + range.end));
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
    fn records_without_a_page_stand_alone() {
        assert_eq!(page_ranges(&[Some(1), Some(1), None, None, Some(1)]), [0..2, 2..3, 3..4, 4..5]);
        assert!(page_ranges::<u8>(&[]).is_empty());
    }
}
