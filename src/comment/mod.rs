//! Whether a comment is spam: from what it says, and from what comes with it.
//!
//! A [`Comment`] is a text with the facts that a site has about it: author, link, address, page. A [`CommentModel`] puts what
//! the text model says of the text together with those facts; any of them may be missing. A [`Sketch`] finds copies of a text
//! that differ in a few words. Which comments arrive together, and who answers for them, is not known here.

#![forbid(unsafe_code)]

mod address;
mod bag;
mod facts;
mod judge;
mod links;
mod sketch;
mod subject;

pub use judge::{CommentModel, Evidence, Judgement};
pub use sketch::Sketch;
pub use subject::Comment;
#[cfg(feature = "serve")]
pub use subject::words;
#[cfg(feature = "train")]
pub use {
    bag::{Bag, NAME_BUCKETS, WORD_BUCKETS, bag_scale, name_of, weigh, words_of},
    facts::{Facts, Heard, MASKED, facts},
    judge::{heard_of, probability},
};
