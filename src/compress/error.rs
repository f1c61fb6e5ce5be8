//! What is wrong with compressed data.

use super::Compression;
use std::io;

/// Compressed data that cannot be decompressed, or not to their end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CompressionError {
    /// The source ends inside a member.
    #[error("the {kind} data end in the middle")]
    Truncated { kind: Compression },
    /// The data break a rule of their format, or a checksum differs.
    #[error("the {kind} data are damaged: {reason}")]
    Damaged { kind: Compression, reason: String },
    /// Something that is no member stands behind a whole one.
    #[error("behind the {kind} data stands something else")]
    TrailingBytes { kind: Compression },
    /// More memory would be needed than is given to a source.
    #[error(
        "the {kind} data need {} MiB of memory to be decompressed, more than the {limit_mib} MiB allowed; \
         try: {kind} -dc --memory={}MiB FILE | copydesk …",
        expected_mib,
        expected_mib
    )]
    TooMuchMemory { kind: Compression, expected_mib: u64, limit_mib: u64 },
    /// The data refer to a dictionary that is kept apart from them.
    #[error("the zstd data need the dictionary {id}; try: zstd -dc -D DICTIONARY FILE | copydesk …")]
    DictionaryNeeded { id: u32 },
}

impl From<CompressionError> for io::Error {
    fn from(error: CompressionError) -> io::Error {
        let kind = match error {
            CompressionError::Truncated { .. } => io::ErrorKind::UnexpectedEof,
            _ => io::ErrorKind::InvalidData,
        };
        io::Error::new(kind, error)
    }
}
