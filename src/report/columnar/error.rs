//! What keeps rows from becoming a table.

use std::io;

/// Why a segment or a table cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ColumnarError {
    /// A row is no JSON object.
    #[error("row {row} is no JSON object: {reason}")]
    InvalidRow {
        /// Number in the block, from 1.
        row: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A row lacks a value that every row has.
    #[error("row {row} has no value for the column `{column}`")]
    MissingValue {
        /// Number in the block, from 1.
        row: usize,
        /// Name of the column.
        column: String,
    },
    /// The values of a column cannot be encoded.
    #[error("the column `{column}` cannot be encoded: {reason}")]
    UnencodableColumn {
        /// Name of the column.
        column: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A block is longer than a column of text can be.
    #[error("a block of rows must be at most {limit_bytes} bytes, got {got_bytes}")]
    BlockTooLong {
        /// Greatest length.
        limit_bytes: usize,
        /// Length of the block.
        got_bytes: usize,
    },
    /// The table cannot be encoded.
    #[error("the table cannot be encoded: {0}")]
    Unencodable(String),
    /// A segment cannot be read back.
    #[error("segment {segment} cannot be read: {reason}")]
    BrokenSegment {
        /// Number of the segment, from 1.
        segment: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A segment has other columns than the table.
    #[error("segment {segment} has other columns than the table")]
    OtherColumns {
        /// Number of the segment, from 1.
        segment: usize,
    },
    /// The file cannot be written.
    #[error("cannot be written: {0}")]
    Unwritable(#[source] io::Error),
}
