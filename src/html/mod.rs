//! HTML pages as blocks of text, each with what its tags say of it.
//!
//! [`blocks`] gives the blocks of a page with their spans in the source, and says which are the page's main content. No tree of
//! the page is made: the reader holds the elements that are open, up to a depth, and those with text in them, so that time is
//! linear in the source and memory bounded by it. [`ContentModel`] judges the blocks: weights of the names and words around
//! them, then trees over counted facts.

#![forbid(unsafe_code)]

mod bag;
mod content;
mod facts;
mod page;
mod reader;
mod tag;
mod words;

pub use page::{ContentBlock, blocks, declared_encoding, html_content};

#[cfg(feature = "train")]
pub use {
    bag::{BUCKETS, Bag, bag, bag_scores},
    content::{ContentModel, threshold},
    facts::facts,
    reader::{Section, read},
    words::words,
};
