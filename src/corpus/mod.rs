//! Reading inputs: records and documents in order, bad ones set aside.
//!
//! [`resolve`] turns the inputs of a command line into an ordered list of sources. A [`ChunkReader`] reads them one after
//! another and gives [`Chunk`]s of bounded size, whatever the size of the files. [`ordered`] works on chunks in
//! several threads and hands the results back in input order. What cannot be read becomes a [`Failure`] in its place
//! among the items, so that nothing good is lost and messages come in input order too.

#![forbid(unsafe_code)]

mod chunk;
mod error;
mod lines;
mod pages;
mod passages;
mod record;
mod sniff;
mod sources;
mod text_pieces;

pub use chunk::{Chunk, ChunkReader, Item, Passage, ReadOptions, RecordLine, Unit};
pub use error::{Failure, InputError};
pub use lines::LINE_LIMIT_BYTES;
pub use pages::{PageChunks, page_ranges};
pub(crate) use passages::passages;
/// Temporary.
pub(crate) type Sources = Vec<Result<Source, Failure>>;
pub use record::{Field, Record};
pub use sniff::InputFormat;
pub use sources::{Origin, Source, is_standard_input, resolve};
pub use text_pieces::BLOCK_LIMIT_BYTES;
