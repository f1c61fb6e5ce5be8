//! What can be wrong with a web archive.

/// Why a record of a web archive (WARC) cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The record is of a version that is not read.
    #[error("expected a record of WARC/0.17 to WARC/1.1, got `{got}`")]
    UnknownVersion {
        /// The first line of the record.
        got: String,
    },
    /// The header lacks a field that every record has.
    #[error("the header has no field {field}")]
    MissingHeaderField {
        /// Name of the field.
        field: &'static str,
    },
    /// The length in the header is no number.
    #[error("Content-Length must be a number of bytes, got `{got}`")]
    LengthNotNumber {
        /// What the field holds.
        got: String,
    },
    /// The length in the header is not the record's.
    #[error("Content-Length is {expected}, but the next record, or the end, comes after {got} bytes")]
    FalseLength {
        /// Bytes that the header promises.
        expected: u64,
        /// Bytes up to the next record, or to the end of the source, without blank lines before it.
        got: u64,
    },
    /// The source ends within the record.
    #[error("the record is cut off: Content-Length is {expected}, but the source ends after {got} bytes")]
    CutOff {
        /// Bytes that the header promises.
        expected: u64,
        /// Bytes that there are.
        got: u64,
    },
    /// No blank line ends the header.
    #[error("the header is not closed by a blank line")]
    UnclosedHeader,
    /// The header is longer than any that makes sense.
    #[error("header longer than {limit_bytes} bytes")]
    HeaderTooLong {
        /// Greatest length, 1 MiB.
        limit_bytes: usize,
    },
    /// Bytes that belong to no record.
    #[error("{got} bytes after this record belong to none and are left out")]
    BytesBetweenRecords {
        /// How many there are.
        got: u64,
    },
    /// The record of an HTTP answer holds something else.
    #[error("expected an HTTP status line, got `{got}`")]
    NotHttp {
        /// What stands in its place, at most 40 bytes of it.
        got: String,
    },
    /// A body in chunks has a chunk without its length, or ends within one.
    #[error("the body's chunks are broken at byte {byte}")]
    BrokenChunks {
        /// First byte of the body that does not fit, from 1.
        byte: usize,
    },
    /// The body is compressed in a way that is not read.
    #[error("the body is compressed with `{got}`; gzip and deflate are read")]
    UnknownCompression {
        /// What Content-Encoding names.
        got: String,
    },
    /// The body cannot be decompressed.
    #[error("the body cannot be decompressed: {0}")]
    BrokenCompression(#[source] std::io::Error),
    /// An encoding was given for an archive.
    #[error("each page of an archive has an encoding of its own; leave --encoding out")]
    EncodingGiven,
}

impl ArchiveError {
    /// A short name of the broken rule, the same for all errors of one kind.
    pub fn kind(&self) -> &'static str {
        match self {
            ArchiveError::UnknownVersion { .. } => "unknown_version",
            ArchiveError::MissingHeaderField { .. } => "missing_header_field",
            ArchiveError::LengthNotNumber { .. } => "length_not_number",
            ArchiveError::FalseLength { .. } => "false_length",
            ArchiveError::CutOff { .. } => "cut_off",
            ArchiveError::UnclosedHeader => "unclosed_header",
            ArchiveError::HeaderTooLong { .. } => "header_too_long",
            ArchiveError::BytesBetweenRecords { .. } => "bytes_between_records",
            ArchiveError::NotHttp { .. } => "not_http",
            ArchiveError::BrokenChunks { .. } => "broken_chunks",
            ArchiveError::UnknownCompression { .. } => "unknown_compression",
            ArchiveError::BrokenCompression(_) => "broken_compression",
            ArchiveError::EncodingGiven => "encoding_given",
        }
    }
}
