//! Parquet files, one row group after another.

use super::bounded_file::BoundedFile;
use super::{BATCH_ROWS, Batches, Broken, broken_file, guarded};
use crate::corpus::error::InputError;
use crate::corpus::lines::Next;
use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// What a batch should hold at most, by the mean size of the rows in its row group.
const BATCH_BYTES: u64 = 8 * 1024 * 1024;

/// A row group of a Parquet file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowGroup {
    pub rows: u64,
    /// Size in the file.
    pub compressed_bytes: u64,
    /// Size of its pages when they are decompressed.
    uncompressed_bytes: u64,
}

impl RowGroup {
    /// Rows that are read at once: few where rows are big.
    fn batch_rows(self) -> usize {
        let mean = self.uncompressed_bytes / self.rows.max(1);
        let rows = BATCH_BYTES / mean.max(1);
        usize::try_from(rows).unwrap_or(BATCH_ROWS).clamp(1, BATCH_ROWS)
    }
}

/// The rows of a Parquet file, or of some of its row groups.
pub(super) struct ParquetRows {
    file: BoundedFile,
    metadata: ArrowReaderMetadata,
    groups: Vec<RowGroup>,
    /// Row groups that are still to be read.
    rest: Range<usize>,
    open: Option<OpenGroup>,
}

struct OpenGroup {
    reader: ParquetRecordBatchReader,
    /// Rows that it still has to give.
    rows: u64,
}

impl ParquetRows {
    /// Reads the footer.
    ///
    /// # Errors
    /// [`InputError::Unreadable`], also where the file does not have all of `groups`.
    pub fn open(file: File, groups: Option<Range<usize>>) -> Result<ParquetRows, InputError> {
        let file = BoundedFile::new(file).map_err(InputError::Unreadable)?;
        let metadata = footer(&file)?;
        let all = all_groups(&metadata);
        let rest = groups.unwrap_or(0..all.len());
        if rest.end > all.len() || rest.start > rest.end {
            let message = format!("row groups {rest:?} were asked for, and the file has {}", all.len());
            return Err(InputError::Unreadable(io::Error::new(io::ErrorKind::InvalidInput, message)));
        }
        Ok(ParquetRows { file, metadata, groups: all, rest, open: None })
    }

    /// Number that the first row has in the file, from 1.
    pub fn first_row(&self) -> u64 {
        1 + self.groups[..self.rest.start].iter().map(|group| group.rows).fold(0, u64::saturating_add)
    }

    fn open_group(&self, index: usize) -> Result<OpenGroup, String> {
        let group = self.groups[index];
        let file = self.file.try_clone().map_err(|error| error.to_string())?;
        let reader = guarded(|| {
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
                .with_row_groups(vec![index])
                .with_batch_size(group.batch_rows())
                .build()
        })?;
        Ok(OpenGroup { reader, rows: group.rows })
    }
}

impl Batches for ParquetRows {
    fn next(&mut self, _: Option<Duration>) -> io::Result<Next<Result<RecordBatch, Broken>>> {
        loop {
            let mut open = match self.open.take() {
                Some(open) => open,
                None => match self.rest.next() {
                    None => return Ok(Next::End),
                    Some(index) => match self.open_group(index) {
                        Ok(open) => open,
                        Err(reason) => {
                            return Ok(Next::Item(Err(Broken { rows: Some(self.groups[index].rows), reason })));
                        }
                    },
                },
            };
            match guarded(|| open.reader.next().transpose()) {
                Ok(Some(batch)) => {
                    open.rows = open.rows.saturating_sub(batch.num_rows() as u64);
                    self.open = Some(open);
                    return Ok(Next::Item(Ok(batch)));
                }
                Ok(None) if open.rows == 0 => {}
                Ok(None) => {
                    let reason = "the row group ends before its last row".to_owned();
                    return Ok(Next::Item(Err(Broken { rows: Some(open.rows), reason })));
                }
                Err(reason) => return Ok(Next::Item(Err(Broken { rows: Some(open.rows), reason }))),
            }
        }
    }
}

/// The row groups of a file.
///
/// # Errors
/// [`InputError::Unreadable`].
pub(super) fn row_groups(file: File) -> Result<Vec<RowGroup>, InputError> {
    let file = BoundedFile::new(file).map_err(InputError::Unreadable)?;
    Ok(all_groups(&footer(&file)?))
}

/// The columns of a file, of the types that its writer gave them.
///
/// # Errors
/// [`InputError::Unreadable`].
pub(super) fn schema(file: File) -> Result<SchemaRef, InputError> {
    let file = BoundedFile::new(file).map_err(InputError::Unreadable)?;
    Ok(Arc::clone(written_footer(&file)?.schema()))
}

fn all_groups(metadata: &ArrowReaderMetadata) -> Vec<RowGroup> {
    let size = |bytes: i64| u64::try_from(bytes).unwrap_or(0);
    let groups = metadata.metadata().row_groups().iter();
    groups
        .map(|group| RowGroup {
            rows: size(group.num_rows()),
            compressed_bytes: group
                .columns()
                .iter()
                .map(|column| size(column.compressed_size()))
                .fold(0, u64::saturating_add),
            uncompressed_bytes: size(group.total_byte_size()),
        })
        .collect()
}

/// The footer, with text and binary columns as views: they share the bytes of a page instead of copying them, so that a
/// long value which a dictionary repeats in many rows is in memory once.
fn footer(file: &BoundedFile) -> Result<ArrowReaderMetadata, InputError> {
    let written = written_footer(file)?;
    let schema = written.schema();
    let views =
        Schema::new_with_metadata(schema.fields().iter().map(viewed).collect::<Fields>(), schema.metadata().clone());
    let options = ArrowReaderOptions::new().with_schema(Arc::new(views));
    Ok(guarded(|| ArrowReaderMetadata::try_new(Arc::clone(written.metadata()), options)).unwrap_or(written))
}

fn written_footer(file: &BoundedFile) -> Result<ArrowReaderMetadata, InputError> {
    guarded(|| ArrowReaderMetadata::load(file, ArrowReaderOptions::new()))
        .or_else(|reason| {
            // The Arrow schema that some writers add may be broken or newer than we know; Parquet's own is enough.
            let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
            guarded(|| ArrowReaderMetadata::load(file, options)).map_err(|_| reason)
        })
        .map_err(|reason| broken_file("the Parquet footer cannot be read", &reason))
}

fn viewed(field: &FieldRef) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        DataType::List(item) => DataType::List(viewed(item)),
        DataType::LargeList(item) => DataType::LargeList(viewed(item)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(viewed).collect()),
        _ => return Arc::clone(field),
    };
    Arc::new(Field::clone(field).with_data_type(data_type))
}
