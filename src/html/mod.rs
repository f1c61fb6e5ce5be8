//! HTML pages as blocks of text, each with what its tags say of it.
//!
//! [`read`] gives the blocks of a page with their spans in the source. It makes no tree of the page: it holds the elements that
//! are open, up to a depth, and those with text in them, so that time is linear in the source and memory bounded by it.
//! [`ContentModel`] says which blocks are the page's main content.

#![forbid(unsafe_code)]

mod bag;
mod content;
mod context;
mod facts;
mod forest;
mod page;
mod reader;
mod tag;
mod words;

pub use bag::{BUCKETS, Bag, bag, bag_scores};
pub use content::{ContentModel, ContentModelError};
pub use context::{CONTEXT, Context};
pub use facts::facts;
pub use forest::{Forest, Question};
pub use page::{ContentBlock, blocks, declared_encoding, html_content};
pub use reader::{Block, Section, read};
