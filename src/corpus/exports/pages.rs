//! Titles and addresses of pages by their ids, for the comments that come behind them.

use std::collections::HashMap;

/// Bytes of ids, titles and addresses that are held; pages beyond that are not remembered, and their comments do without.
const HELD_BYTES: usize = 32 * 1024 * 1024;

/// Bytes of a page's id, title and address together; longer ones are not held.
const PAGE_BYTES: usize = 16 * 1024;

/// What is held for each page besides its bytes, about.
const ENTRY_BYTES: usize = 128;

/// A page's title and address, as far as the source has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    pub title: Option<Vec<u8>>,
    pub link: Option<Vec<u8>>,
}

/// The pages that were met.
#[derive(Debug, Default)]
pub(super) struct Pages {
    pages: HashMap<Vec<u8>, Page>,
    held: usize,
}

impl Pages {
    /// Remembers a page, if there is room.
    pub fn insert(&mut self, id: Vec<u8>, page: Page) {
        let length = |value: &Option<Vec<u8>>| value.as_ref().map_or(0, Vec::len);
        let bytes = id.len() + length(&page.title) + length(&page.link);
        if bytes <= PAGE_BYTES && self.held + bytes + ENTRY_BYTES <= HELD_BYTES {
            self.held += bytes + ENTRY_BYTES;
            self.pages.insert(id, page);
        }
    }

    pub fn get(&self, id: &[u8]) -> Option<&Page> {
        self.pages.get(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_has_a_bound() {
        let mut pages = Pages::default();
        let page = |bytes| Page { title: Some(vec![b'a'; bytes]), link: None };
        pages.insert(b"long".to_vec(), page(PAGE_BYTES));
        assert_eq!(pages.get(b"long"), None);
        for number in 0..10_000_u32 {
            pages.insert(number.to_be_bytes().to_vec(), page(10_000));
        }
        assert!(pages.held <= HELD_BYTES && pages.pages.len() > 3000, "{}", pages.pages.len());
        assert_eq!(pages.get(&0_u32.to_be_bytes()), Some(&page(10_000)));
    }
}
