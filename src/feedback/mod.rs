//! What a site's owner decided about comments, kept in one SQLite file and used at once.
//!
//! A [`FeedbackStore`] keeps recent verdicts for a page that shows them, and decisions ([`Feedback`]) for good. What it knows of a
//! new comment is [`Evidence`](crate::comment::Evidence): the same text, a near copy, links and authors seen before. The arithmetic
//! and its reasons stand in `docs/feedback.md`.

#![forbid(unsafe_code)]

mod adapt;
mod day;
mod error;
mod evidence;
mod export;
mod review;
mod schema;
mod store;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod traces;

pub use adapt::{Adaptation, AdaptationFigures, Refusal, Shift};
pub use day::{month, now};
pub use error::FeedbackError;
pub use store::{DayCounts, Feedback, FeedbackStore, Subject, Verdict};
