//! From documents to labelled paragraphs: splitting, normalising, grouping by page, batches, threads, failures.
//!
//! [`Copydesk`] is the library's front door. The command line builds on the same parts: a [`Labeller`] turns a chunk of the
//! input into texts with answers, and [`start`] does that on several threads in order. What cannot be labelled becomes a
//! [`Rejected`] in its place, so that nothing good is lost.

mod answers;
mod batch;
mod comment_fields;
mod comments;
mod desk;
mod explained;
mod job;
mod labeller;
mod options;
mod ordered;
mod record;
mod rejected;
mod rows;
mod tally;

pub use answers::{LabelledBlock, LabelledParagraph, LabelledText};
pub(crate) use batch::predict_pages;
pub(crate) use comment_fields::{CommentFields, Fact};
pub use comments::CommentFilter;
pub(crate) use comments::{DEFAULT_LOSE, weighed};
pub(crate) use desk::DEFAULT_MODEL;
pub use desk::{Copydesk, CopydeskBuilder};
pub(crate) use explained::NEIGHBOURS;
pub(crate) use job::{Input, Worked, start};
pub(crate) use labeller::{Event, Labelled, Labeller, Part};
pub(crate) use options::Regions;
pub use options::RowOptions;
pub(crate) use record::{NoText, ParsedRecord, record_pages};
pub use rejected::{LabelError, Rejected};
pub use rows::{Row, Rows};
pub(crate) use tally::Tally;
