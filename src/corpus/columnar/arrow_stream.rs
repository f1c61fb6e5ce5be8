//! Arrow streams, read as their bytes come.

use super::arrow_messages::{Framed, MessageDecoder, frame};
use super::{Batches, Broken, broken_file, guarded};
use crate::corpus::error::InputError;
use crate::corpus::feed::{More, Window};
use crate::corpus::lines::Next;
use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_schema::SchemaRef;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
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
    decoder: MessageDecoder,
    /// Bytes that were not decoded yet.
    pending: Vec<u8>,
    ended: bool,
}

/// What a stream gives.
enum Step {
    Batch(RecordBatch),
    /// Something else was read.
    Read,
    Pause,
    End,
    Broken(String),
}

impl ArrowStream {
    pub fn new(source: Box<dyn Blocks>) -> ArrowStream {
        ArrowStream { source, decoder: MessageDecoder::default(), pending: Vec::new(), ended: false }
    }

    /// Reads on until the columns are known.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn read_schema(&mut self) -> Result<SchemaRef, String> {
        loop {
            if let Some(schema) = self.decoder.schema() {
                return Ok(Arc::clone(schema));
            }
            match self.step(None).map_err(|error| error.to_string())? {
                Step::Read | Step::Pause => {}
                Step::Broken(reason) => return Err(reason),
                Step::Batch(_) | Step::End => return Err("the stream ends before its columns are named".to_owned()),
            }
        }
    }

    /// Decodes one message, or reads some bytes.
    fn step(&mut self, patience: Option<Duration>) -> io::Result<Step> {
        match guarded(|| frame(&self.pending)) {
            Err(reason) => Ok(Step::Broken(reason)),
            Ok(Framed::EndOfStream) => Ok(Step::End),
            Ok(Framed::Part) => Ok(match self.source.fill(&mut self.pending, patience)? {
                More::Bytes => Step::Read,
                More::Pause => Step::Pause,
                More::End if self.pending.is_empty() => Step::End,
                More::End => Step::Broken("it ends inside a message; it may be cut off".to_owned()),
            }),
            Ok(Framed::Whole(frame)) => {
                let rest = self.pending.split_off(frame.whole);
                let message = Buffer::from_vec(std::mem::replace(&mut self.pending, rest));
                Ok(match guarded(|| self.decoder.decode(&message, frame)) {
                    Ok(Some(batch)) => Step::Batch(batch),
                    Ok(None) => Step::Read,
                    Err(reason) => Step::Broken(reason),
                })
            }
        }
    }
}

impl Batches for ArrowStream {
    fn next(&mut self, patience: Option<Duration>) -> io::Result<Next<Result<RecordBatch, Broken>>> {
        while !self.ended {
            match self.step(patience)? {
                Step::Batch(batch) => return Ok(Next::Item(Ok(batch))),
                Step::Read => {}
                Step::Pause => return Ok(Next::Pause),
                Step::End => self.ended = true,
                Step::Broken(reason) => {
                    self.ended = true;
                    return Ok(Next::Item(Err(Broken { rows: None, reason })));
                }
            }
        }
        Ok(Next::End)
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
