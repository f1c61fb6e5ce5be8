//! Rows as tables in columns: Parquet and Arrow.
//!
//! The rows that [`jsonl`](super::jsonl) writes become a table. Its columns are known before the first row ([`TableSchema`]), so rows
//! can be encoded block by block: [`TableSchema::encode`] makes a **segment** of a block, which is a whole small file. At
//! the end [`join_parquet`] or [`join_arrow`] makes one file of the segments, in their order. A run that was interrupted goes on
//! behind its last segment, and the file comes out the same, byte by byte.
//!
//! Columns of the input keep their types as far as JSON carries them: what was a dictionary or run-end encoded comes out
//! plain, and durations, intervals, unions and maps with other keys than text come out as text. A value that its column
//! cannot hold becomes null, and is told ([`segment::Refused`]).

mod error;
mod join;
mod schema;
mod segment;
mod stored;
#[cfg(test)]
mod tests;

pub use join::{ArrowLayout, join_arrow, join_parquet};
pub use schema::{Kept, TableOptions, TableSchema, attributes_schema, paragraph_schema, record_schema};
pub use segment::SegmentFormat;
