//! What a page is, and where a paragraph stands on it: the one definition for reading, training and statistics.

#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};
use std::str::FromStr;

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

/// Where a paragraph stands on its page, as far as the page's source tells it. A reader knows that he is among the comments;
/// the text alone does not say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// The text that the page is there for.
    Article,
    /// What a reader wrote under it.
    Comment,
    /// All else: menus, notices, headlines.
    Furniture,
}

impl Region {
    /// Number of regions.
    pub const COUNT: usize = 3;

    /// Position among the regions, from 0.
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

/// No name of a [`Region`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `article`, `comment` or `furniture`, got `{got}`")]
pub struct UnknownRegion {
    /// What was there.
    pub got: String,
}

impl FromStr for Region {
    type Err = UnknownRegion;

    fn from_str(name: &str) -> Result<Region, UnknownRegion> {
        match name {
            "article" => Ok(Region::Article),
            "comment" => Ok(Region::Comment),
            "furniture" => Ok(Region::Furniture),
            _ => Err(UnknownRegion { got: name.to_owned() }),
        }
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

    #[test]
    fn regions_have_names_and_positions() {
        let regions = ["article", "comment", "furniture"].map(|name| name.parse::<Region>().unwrap());
        assert_eq!(regions.map(Region::index), [0, 1, 2]);
        assert_eq!(regions.len(), Region::COUNT);
        let error = "Comment".parse::<Region>().unwrap_err().to_string();
        assert!(error.contains("`furniture`") && error.contains("`Comment`"), "{error}");
    }
}
