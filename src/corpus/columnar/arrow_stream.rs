//! Arrow streams, read as their bytes come.

use super::{Batches, Broken, broken_file, guarded};
use crate::corpus::error::InputError;
use crate::corpus::feed::{More, Window};
use crate::corpus::lines::Next;
use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::SchemaRef;
use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

/// Bytes that are read at once of a file.
const BLOCK_BYTES: usize = 64 * 1024;

/// Where a stream comes from.
pub(super) trait Blocks: Send {
    /// Appends what comes next.
    fn fill(&mut self, block: &mut Vec<u8>, patience: Option<Duration>) -> io::Result<More>;
}

impl Blocks for Window {
    fn fill(&mut self, block: &mut Vec<u8>, patience: Option<Duration>) -> io::Result<More> {
        if self.rest().is_empty() {
            let more = Window::fill(self, patience)?;
            if more != More::Bytes {
                return Ok(more);
            }
        }
        block.extend_from_slice(self.rest());
        let length = self.rest().len();
        self.consume(length);
        Ok(More::Bytes)
    }
}

/// A source that never makes one wait.
pub(super) struct BlockReader<R>(pub R);

impl<R: Read + Send> Blocks for BlockReader<R> {
    fn fill(&mut self, block: &mut Vec<u8>, _: Option<Duration>) -> io::Result<More> {
        let read = (&mut self.0).take(BLOCK_BYTES as u64).read_to_end(block)?;
        Ok(if read == 0 { More::End } else { More::Bytes })
    }
}

/// The rows of a stream.
pub(super) struct ArrowStream {
    source: Box<dyn Blocks>,
    decoder: StreamDecoder,
    /// Bytes that the decoder did not take yet.
    buffer: Buffer,
    ended: bool,
}

impl ArrowStream {
    pub fn new(source: Box<dyn Blocks>) -> ArrowStream {
        ArrowStream { source, decoder: StreamDecoder::new(), buffer: Buffer::from_vec(Vec::<u8>::new()), ended: false }
    }

    /// Reads on until the columns are known.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn read_schema(&mut self) -> Result<SchemaRef, String> {
        loop {
            if let Some(schema) = self.decoder.schema() {
                return Ok(schema);
            }
            if self.buffer.is_empty() {
                let mut block = Vec::new();
                if self.source.fill(&mut block, None).map_err(|error| error.to_string())? == More::End {
                    return Err("the stream ends before its columns are named".to_owned());
                }
                self.buffer = Buffer::from_vec(block);
            }
            // The decoder stops at the first batch, so it is handed no more than the first message.
            let mut head = self.buffer.slice_with_length(0, 1);
            self.buffer.advance(1);
            guarded(|| self.decoder.decode(&mut head))?;
        }
    }

    fn end_with(&mut self, reason: String) -> Next<Result<RecordBatch, Broken>> {
        self.ended = true;
        Next::Item(Err(Broken { rows: None, reason }))
    }
}

impl Batches for ArrowStream {
    fn next(&mut self, patience: Option<Duration>) -> io::Result<Next<Result<RecordBatch, Broken>>> {
        loop {
            if self.ended {
                return Ok(Next::End);
            }
            if self.buffer.is_empty() {
                let mut block = Vec::new();
                match self.source.fill(&mut block, patience)? {
                    More::Bytes => self.buffer = Buffer::from_vec(block),
                    More::Pause => return Ok(Next::Pause),
                    More::End => {
                        let finished = guarded(|| self.decoder.finish());
                        if let Err(reason) = finished {
                            return Ok(self.end_with(format!("{reason}; the stream may be cut off")));
                        }
                        self.ended = true;
                        continue;
                    }
                }
            }
            let (decoder, buffer) = (&mut self.decoder, &mut self.buffer);
            match guarded(|| decoder.decode(buffer)) {
                Ok(Some(batch)) => return Ok(Next::Item(Ok(batch))),
                Ok(None) => {}
                Err(reason) => return Ok(self.end_with(reason)),
            }
        }
    }
}

/// The columns of a stream in a file.
///
/// # Errors
/// [`InputError::Unreadable`].
pub(super) fn schema(file: File) -> Result<SchemaRef, InputError> {
    let mut stream = ArrowStream::new(Box::new(BlockReader(file)));
    stream.read_schema().map_err(|reason| broken_file("the Arrow stream cannot be read", &reason))
}
