//! Arrow files, one batch after another.

use super::arrow_stream::{ArrowStream, BlockReader};
use super::{ARROW_MAGIC, Batches, Broken, broken_file, guarded};
use crate::corpus::error::InputError;
use crate::corpus::lines::Next;
use arrow_array::RecordBatch;
use arrow_ipc::reader::FileReader;
use arrow_schema::{Schema, SchemaRef};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::time::Duration;

/// Bytes in which the first message begins: before it stands the magic word, padded with zeros to a multiple of 8.
const START_BYTES: u64 = 256;

/// The rows of an Arrow file. Where its footer is broken, its batches are read in the order in which they stand.
pub(super) struct ArrowFile {
    reader: Reader,
    schema: SchemaRef,
}

enum Reader {
    Footer {
        reader: Box<FileReader<File>>,
        next: usize,
    },
    /// A file without its footer; what is wrong with that is told after all else.
    InOrder {
        stream: Box<ArrowStream>,
        told: Option<String>,
    },
}

impl ArrowFile {
    /// Reads the footer.
    ///
    /// # Errors
    /// [`InputError::Unreadable`].
    pub fn open(mut file: File) -> Result<ArrowFile, InputError> {
        let whole = file.try_clone().map_err(InputError::Unreadable)?;
        match guarded(|| FileReader::try_new(whole, None)) {
            Ok(reader) => {
                let schema = reader.schema();
                Ok(ArrowFile { reader: Reader::Footer { reader: Box::new(reader), next: 0 }, schema })
            }
            Err(reason) => {
                seek_first_message(&mut file).map_err(InputError::Unreadable)?;
                let mut stream = Box::new(ArrowStream::new(Box::new(BlockReader(file))));
                let broken = |also: &str| broken_file("the Arrow footer cannot be read", &format!("{reason}; {also}"));
                let schema = stream.read_schema().map_err(|error| broken(&error))?;
                Ok(ArrowFile { reader: Reader::InOrder { stream, told: Some(reason) }, schema })
            }
        }
    }

    pub fn schema(self) -> SchemaRef {
        self.schema
    }
}

fn seek_first_message(file: &mut File) -> io::Result<()> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.by_ref().take(START_BYTES).read_to_end(&mut head)?;
    let padding = head.iter().skip(ARROW_MAGIC.len()).take_while(|&&byte| byte == 0).count();
    let start = (ARROW_MAGIC.len() + padding) as u64 / 8 * 8;
    file.seek(SeekFrom::Start(start))?;
    Ok(())
}

impl Batches for ArrowFile {
    fn next(&mut self, patience: Option<Duration>) -> io::Result<Next<Result<RecordBatch, Broken>>> {
        match &mut self.reader {
            Reader::Footer { reader, next } => {
                if *next >= reader.num_batches() {
                    return Ok(Next::End);
                }
                let index = *next;
                *next += 1;
                let read = guarded(|| {
                    reader.set_index(index)?;
                    reader.next().transpose()
                });
                Ok(Next::Item(match read {
                    Ok(Some(batch)) => Ok(batch),
                    // A block that holds no batch.
                    Ok(None) => Ok(RecordBatch::new_empty(Arc::new(Schema::empty()))),
                    Err(reason) => Err(Broken { rows: None, reason }),
                }))
            }
            Reader::InOrder { stream, told } => match stream.next(patience)? {
                Next::End => Ok(match told.take() {
                    Some(reason) => {
                        let reason =
                            format!("the Arrow footer cannot be read ({reason}); the file may be cut off or damaged");
                        Next::Item(Err(Broken { rows: None, reason }))
                    }
                    None => Next::End,
                }),
                // The footer is no message, and that it is broken is told in any case.
                Next::Item(Err(_)) => Ok(Next::Skipped),
                other => Ok(other),
            },
        }
    }
}
