//! Arrow files, one batch after another.

use super::arrow_messages::{Frame, MessageDecoder};
use super::arrow_stream::{ArrowStream, BlockReader};
use super::{ARROW_MAGIC, Batches, Broken, broken_file, guarded};
use crate::corpus::error::InputError;
use crate::corpus::lines::Next;
use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::read_footer_length;
use arrow_ipc::{Block, root_as_footer};
use arrow_schema::{ArrowError, Schema, SchemaRef};
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
    Footer(Box<Blocks>),
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
        match guarded(|| Blocks::open(&mut file)) {
            Ok((decoder, blocks)) => {
                let schema = decoder.schema().map_or_else(|| Arc::new(Schema::empty()), Arc::clone);
                let blocks = Blocks { file, decoder, blocks: blocks.into_iter() };
                Ok(ArrowFile { reader: Reader::Footer(Box::new(blocks)), schema })
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

/// The batches that a footer lists.
struct Blocks {
    file: File,
    decoder: MessageDecoder,
    blocks: std::vec::IntoIter<Block>,
}

impl Blocks {
    /// Reads the footer and the dictionaries.
    fn open(file: &mut File) -> Result<(MessageDecoder, Vec<Block>), ArrowError> {
        let length = file.metadata()?.len();
        let mut end = [0; 10];
        file.seek(SeekFrom::End(-(end.len() as i64)))?;
        file.read_exact(&mut end)?;
        let footer_length = read_footer_length(end)?;
        let start = (length - end.len() as u64).checked_sub(footer_length as u64);
        let start = start.ok_or_else(|| ArrowError::IpcError("the footer is longer than the file".to_owned()))?;
        file.seek(SeekFrom::Start(start))?;
        let mut footer = vec![0; footer_length];
        file.read_exact(&mut footer)?;
        let footer = root_as_footer(&footer).map_err(|error| ArrowError::IpcError(error.to_string()))?;
        let schema = footer.schema().ok_or_else(|| ArrowError::IpcError("it names no columns".to_owned()))?;
        if !schema.endianness().equals_to_target_endianness() {
            return Err(ArrowError::IpcError("its bytes stand in the order of another kind of processor".to_owned()));
        }
        let mut decoder = MessageDecoder::new(Arc::new(try_fb_to_schema(schema)?), footer.version());
        for block in footer.dictionaries().iter().flatten() {
            read_block(file, block, &mut decoder)?;
        }
        Ok((decoder, footer.recordBatches().iter().flatten().copied().collect()))
    }
}

/// Reads the message that a footer places somewhere, once it is sure that it lies in the file.
fn read_block(file: &mut File, block: &Block, decoder: &mut MessageDecoder) -> Result<Option<RecordBatch>, ArrowError> {
    let outside = || ArrowError::IpcError("the footer names a place outside of the file".to_owned());
    let start = u64::try_from(block.offset()).map_err(|_| outside())?;
    let metadata = usize::try_from(block.metaDataLength()).map_err(|_| outside())?;
    let body = usize::try_from(block.bodyLength()).map_err(|_| outside())?;
    let whole = metadata.checked_add(body).ok_or_else(outside)?;
    if metadata < 8
        || start.checked_add(whole as u64).is_none_or(|end| file.metadata().is_ok_and(|file| file.len() < end))
    {
        return Err(outside());
    }
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = vec![0; whole];
    file.read_exact(&mut bytes)?;
    decoder.decode(&Buffer::from_vec(bytes), Frame { metadata, whole })
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
            Reader::Footer(blocks) => {
                let Some(block) = blocks.blocks.next() else { return Ok(Next::End) };
                Ok(match guarded(|| read_block(&mut blocks.file, &block, &mut blocks.decoder)) {
                    Ok(Some(batch)) => Next::Item(Ok(batch)),
                    Ok(None) => Next::Skipped,
                    Err(reason) => Next::Item(Err(Broken { rows: None, reason })),
                })
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
                // That the file is damaged is told in any case.
                Next::Item(Err(_)) => Ok(Next::Skipped),
                other => Ok(other),
            },
        }
    }
}
