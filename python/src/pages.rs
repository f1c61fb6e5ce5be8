//! Rows that stand on one page, across batches.

use std::collections::VecDeque;

/// Records of a page that are read together; a longer page is cut after every so many, as by the command.
const PAGE_RECORDS: usize = 256;

/// Bytes of a page's texts after which it is cut, 8 MiB: so much of it is held at once.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// Source and name of a page.
type Key = (Option<String>, String);

/// Puts rows that come one after another together to pages. Where a batch ends plays no part.
#[derive(Default)]
pub struct Pages {
    key: Option<Key>,
    open: Vec<u64>,
    bytes: usize,
    whole: VecDeque<Vec<u64>>,
}

impl Pages {
    /// The next row: its number, its page's name, and the size of its text. A row without a name is a page of its own.
    pub fn push(&mut self, row: u64, source: Option<&str>, name: Option<&str>, bytes: usize) {
        let is_same = match (&self.key, name) {
            (Some((open_source, open_name)), Some(name)) => open_name == name && open_source.as_deref() == source,
            _ => false,
        };
        if !is_same || self.open.len() == PAGE_RECORDS || self.bytes + bytes > PAGE_BYTES {
            self.close();
            self.key = name.map(|name| (source.map(str::to_owned), name.to_owned()));
        }
        self.open.push(row);
        self.bytes += bytes;
    }

    /// Nothing more comes on the page that is open.
    pub fn close(&mut self) {
        if !self.open.is_empty() {
            self.whole.push_back(std::mem::take(&mut self.open));
        }
        self.bytes = 0;
        self.key = None;
    }

    /// The pages that are whole, as numbers of rows in order.
    pub fn take(&mut self) -> Vec<Vec<u64>> {
        self.whole.drain(..).collect()
    }
}
