//! Reading inputs: records and documents in order, bad ones set aside.
//!
//! [`resolve`] turns the inputs of a command line into sources, one by one. A [`ChunkReader`] reads them one after
//! another and gives [`Chunk`]s of bounded size, whatever the size of the files. What cannot be read becomes a [`Failure`] in its place
//! among the items, so that nothing good is lost and messages come in input order too.

#![forbid(unsafe_code)]

mod address;
mod archive_error;
mod chunk;
#[cfg(feature = "columnar")]
mod columnar;
mod csv_records;
mod error;
mod exports;
mod feed;
mod foreign;
mod guess;
mod html_page;
mod json_object;
mod json_records;
mod json_text;
mod lines;
mod mail_date;
mod mail_message;
mod mail_records;
mod pages;
mod passages;
mod passed_over;
pub mod probe;
mod record;
mod records;
#[cfg(feature = "remote")]
mod remote;
mod scanner;
mod shape;
mod shard;
mod sniff;
mod sources;
mod stray;
mod table_layout;
mod table_row;
mod text_pieces;
mod unpack;
mod warc_header;
mod warc_http;
mod warc_records;
mod warc_text;

pub use address::is_remote;
pub use archive_error::ArchiveError;
pub use chunk::{BlockPlace, Chunk, ChunkReader, Item, Opened, Passage, Position, ReadOptions, RecordLine, Unit};
#[cfg(feature = "columnar")]
pub(crate) use columnar::table_schema;
pub use encoding_rs::Encoding;
pub(crate) use error::write_place;
pub use error::{Decoded, DecodedPart, Failure, InputError};
pub use foreign::ForeignFormat;
pub(crate) use html_page::passages as html_passages;
pub(crate) use lines::LINE_LIMIT_BYTES;
pub use pages::{PageChunks, page_ranges};
pub(crate) use passages::passages;
pub use passed_over::PassedOver;
pub use record::Record;
#[cfg(feature = "columnar")]
pub(crate) use record::decode as decode_string;
pub use shard::{Choice, Shard};
pub use sniff::InputFormat;
pub(crate) use sources::{Origin, Source, open_by_name};
pub use sources::{Sources, is_standard_input, resolve};
#[cfg(test)]
pub(crate) use table_layout::TableColumn;
pub(crate) use table_layout::{TableLayout, peek_standard_input, table_layout};
