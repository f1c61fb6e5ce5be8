//! Messages of which Arrow files and streams consist.

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::FileDecoder;
use arrow_ipc::{Block, CompressionType, Message, MessageHeader, MetadataVersion, root_as_message};
use arrow_schema::{ArrowError, SchemaRef};
use std::sync::Arc;

/// What a message begins with since version 0.15 of the format.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Greatest length of a buffer once it is decompressed.
const BUFFER_LIMIT_BYTES: u64 = 1 << 32;

/// How many bytes each compressed one can stand for at most, by the formats themselves.
const LZ4_RATIO: u64 = 255;
const ZSTD_RATIO: u64 = 1 << 15;

/// What stands at the beginning of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framed {
    /// Too little to say.
    Part,
    Whole(Frame),
    EndOfStream,
}

/// A message: its lengths in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Up to its body.
    pub metadata: usize,
    pub whole: usize,
}

/// Looks for a message at the beginning of `bytes`.
///
/// # Errors
/// Why none can stand there.
pub(super) fn frame(bytes: &[u8]) -> Result<Framed, ArrowError> {
    let at = if bytes.starts_with(&CONTINUATION) { CONTINUATION.len() } else { 0 };
    let Some(length) = bytes.get(at..at + 4) else { return Ok(Framed::Part) };
    let length = u32::from_le_bytes(length.try_into().expect("four bytes were taken; this is a bug"));
    if length == 0 {
        return Ok(Framed::EndOfStream);
    }
    let metadata = at + 4 + length as usize;
    // The length in a message is signed, and metadata of gigabytes would be damage.
    if length > i32::MAX as u32 / 2 {
        return Err(invalid(format!("a message cannot have {length} bytes of metadata")));
    }
    if bytes.len() < metadata {
        return Ok(Framed::Part);
    }
    let body = message_at(&bytes[at + 4..metadata])?.bodyLength();
    let whole = usize::try_from(body).ok().and_then(|body| body.checked_add(metadata));
    let whole = whole.ok_or_else(|| invalid(format!("a message cannot have {body} bytes")))?;
    Ok(if bytes.len() < whole { Framed::Part } else { Framed::Whole(Frame { metadata, whole }) })
}

/// Decodes messages one after another.
#[derive(Default)]
pub(super) struct MessageDecoder {
    decoder: Option<(FileDecoder, SchemaRef)>,
}

impl MessageDecoder {
    /// Decodes messages of a file whose footer tells the columns.
    pub fn new(schema: SchemaRef, version: MetadataVersion) -> MessageDecoder {
        MessageDecoder { decoder: Some((FileDecoder::new(Arc::clone(&schema), version), schema)) }
    }

    /// The columns, once they are known.
    pub fn schema(&self) -> Option<&SchemaRef> {
        self.decoder.as_ref().map(|(_, schema)| schema)
    }

    /// Decodes a message; `None` where it holds no rows.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(&mut self, bytes: &Buffer, frame: Frame) -> Result<Option<RecordBatch>, ArrowError> {
        let at = if bytes.starts_with(&CONTINUATION) { 8 } else { 4 };
        let (metadata, body) = bytes.as_slice().split_at(frame.metadata);
        let message = message_at(&metadata[at..])?;
        let block = Block::new(0, i32::try_from(frame.metadata).unwrap_or(i32::MAX), message.bodyLength());
        if let Some(schema) = message.header_as_schema() {
            if self.decoder.is_some() {
                return Err(invalid("the columns are named twice".to_owned()));
            }
            if !schema.endianness().equals_to_target_endianness() {
                return Err(invalid("its bytes stand in the order of another kind of processor".to_owned()));
            }
            *self = MessageDecoder::new(Arc::new(try_fb_to_schema(schema)?), message.version());
            return Ok(None);
        }
        let Some((decoder, _)) = &mut self.decoder else {
            return Err(invalid("rows come before the columns are named".to_owned()));
        };
        match message.header_type() {
            MessageHeader::DictionaryBatch => {
                if let Some(batch) = message.header_as_dictionary_batch().and_then(|batch| batch.data()) {
                    check_lengths(batch, body)?;
                }
                decoder.read_dictionary(&block, bytes)?;
                Ok(None)
            }
            _ => {
                if let Some(batch) = message.header_as_record_batch() {
                    check_lengths(batch, body)?;
                }
                decoder.read_record_batch(&block, bytes)
            }
        }
    }
}

/// Refuses a batch that announces more bytes than its compressed ones can hold: memory is reserved for what is announced, and a
/// process that cannot have it ends.
fn check_lengths(batch: arrow_ipc::RecordBatch<'_>, body: &[u8]) -> Result<(), ArrowError> {
    let Some(compression) = batch.compression() else { return Ok(()) };
    let ratio = if compression.codec() == CompressionType::LZ4_FRAME { LZ4_RATIO } else { ZSTD_RATIO };
    for buffer in batch.buffers().iter().flatten() {
        let place = usize::try_from(buffer.offset()).ok().zip(usize::try_from(buffer.length()).ok());
        let bytes = place.and_then(|(start, length)| body.get(start..start.checked_add(length)?));
        let bytes = bytes.ok_or_else(|| invalid("a buffer lies outside of its message".to_owned()))?;
        let Some(announced) = bytes.first_chunk::<8>() else { continue };
        // A negative length says that nothing is compressed.
        let announced = u64::try_from(i64::from_le_bytes(*announced)).unwrap_or(0);
        if announced > (bytes.len() as u64).saturating_mul(ratio).min(BUFFER_LIMIT_BYTES) {
            return Err(invalid(format!("{} compressed bytes cannot become {announced}", bytes.len())));
        }
    }
    Ok(())
}

fn message_at(metadata: &[u8]) -> Result<Message<'_>, ArrowError> {
    root_as_message(metadata).map_err(|error| invalid(format!("a message is damaged: {error}")))
}

fn invalid(reason: String) -> ArrowError {
    ArrowError::IpcError(reason)
}
