//! What a page is: the one definition for reading, training and statistics.

#![forbid(unsafe_code)]

/// Names the page that a row stands on.
///
/// Rows of one source and one doc stand on one page. The doc alone is no name: two sources may call their pages `1`. Rows are
/// read together where they are neighbours; statistics draw and fold all rows of a page together, wherever they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PageKey<S> {
    /// The site or collection, if the row names one.
    pub source: Option<S>,
    /// The page's name within it.
    pub doc: S,
}

impl<S> PageKey<S> {
    /// The page of a row with this source and doc; `None` for a row without doc, which is a page of its own.
    pub fn new(source: Option<S>, doc: Option<S>) -> Option<PageKey<S>> {
        doc.map(|doc| PageKey { source, doc })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_named_by_source_and_doc_together() {
        let key = |source, doc| PageKey::new(source, doc);
        assert_eq!(key(Some("a"), Some("1")), key(Some("a"), Some("1")));
        assert_ne!(key(Some("a"), Some("1")), key(Some("b"), Some("1")));
        assert_ne!(key(None, Some("1")), key(Some("b"), Some("1")));
        assert_eq!(key(Some("a"), None), None);
    }
}
