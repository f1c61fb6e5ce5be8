//! One table of many segments.

use super::error::ColumnarError;
use super::schema::TableSchema;
use super::segment::{ipc_options, properties};
use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::ArrowError;
use bytes::Bytes;
use parquet::arrow::{ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaDataReader;
use parquet::file::writer::SerializedFileWriter;
use std::io::{self, Cursor, Write};
use std::sync::Arc;

/// How an Arrow table is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrowLayout {
    /// With a footer that tells where the batches stand, also known as Feather, version 2.
    File,
    /// To be read from the first byte to the last.
    Stream,
}

/// Makes one Parquet file of segments. Its row groups are theirs, copied as they are: none is decoded, and one segment is in
/// memory at a time.
///
/// # Errors
/// [`ColumnarError::BrokenSegment`], [`ColumnarError::OtherColumns`] and [`ColumnarError::Unwritable`].
pub fn join_parquet<W: Write + Send>(
    segments: impl Iterator<Item = io::Result<Bytes>>,
    schema: &TableSchema,
    mut out: W,
) -> Result<W, ColumnarError> {
    let unencodable = |error: ParquetError| ColumnarError::Unencodable(error.to_string());
    let mut properties = properties().build();
    let root = ArrowSchemaConverter::new().convert(schema.arrow()).map_err(unencodable)?;
    add_encoded_arrow_schema_to_metadata(schema.arrow(), &mut properties);
    let mut writer = SerializedFileWriter::new(&mut out, root.root_schema_ptr(), Arc::new(properties))
        .map_err(parquet_unwritable)?;
    for (index, segment) in segments.enumerate() {
        let broken = |reason: String| ColumnarError::BrokenSegment { segment: index + 1, reason };
        let segment = segment.map_err(|error| broken(error.to_string()))?;
        let metadata =
            ParquetMetaDataReader::new().parse_and_finish(&segment).map_err(|error| broken(error.to_string()))?;
        if metadata.file_metadata().schema_descr().root_schema() != root.root_schema() {
            return Err(ColumnarError::OtherColumns { segment: index + 1 });
        }
        for group in metadata.row_groups() {
            let mut copy = writer.next_row_group().map_err(parquet_unwritable)?;
            for column in group.columns() {
                let (start, length) = column.byte_range();
                if start.checked_add(length).is_none_or(|end| end > segment.len() as u64) {
                    return Err(broken("a column lies outside of it".to_owned()));
                }
                let close = ColumnCloseResult {
                    bytes_written: length,
                    rows_written: u64::try_from(group.num_rows()).unwrap_or(0),
                    metadata: column.clone(),
                    bloom_filter: None,
                    column_index: None,
                    offset_index: None,
                };
                copy.append_column(&segment, close).map_err(parquet_unwritable)?;
            }
            copy.close().map_err(parquet_unwritable)?;
        }
    }
    writer.close().map_err(parquet_unwritable)?;
    Ok(out)
}

/// Makes one Arrow file or stream of segments, with one segment in memory at a time.
///
/// # Errors
/// [`ColumnarError::BrokenSegment`], [`ColumnarError::OtherColumns`] and [`ColumnarError::Unwritable`].
pub fn join_arrow<W: Write>(
    segments: impl Iterator<Item = io::Result<Bytes>>,
    schema: &TableSchema,
    layout: ArrowLayout,
    out: W,
) -> Result<W, ColumnarError> {
    let options = ipc_options().map_err(arrow_unwritable)?;
    match layout {
        ArrowLayout::File => {
            let mut writer =
                FileWriter::try_new_with_options(out, schema.arrow(), options).map_err(arrow_unwritable)?;
            each_batch(segments, schema, |batch| writer.write(batch))?;
            writer.into_inner().map_err(arrow_unwritable)
        }
        ArrowLayout::Stream => {
            let mut writer =
                StreamWriter::try_new_with_options(out, schema.arrow(), options).map_err(arrow_unwritable)?;
            each_batch(segments, schema, |batch| writer.write(batch))?;
            writer.into_inner().map_err(arrow_unwritable)
        }
    }
}

fn each_batch(
    segments: impl Iterator<Item = io::Result<Bytes>>,
    schema: &TableSchema,
    mut write: impl FnMut(&RecordBatch) -> Result<(), ArrowError>,
) -> Result<(), ColumnarError> {
    for (index, segment) in segments.enumerate() {
        let broken = |reason: String| ColumnarError::BrokenSegment { segment: index + 1, reason };
        let segment = segment.map_err(|error| broken(error.to_string()))?;
        let reader = StreamReader::try_new(Cursor::new(segment), None).map_err(|error| broken(error.to_string()))?;
        if reader.schema() != *schema.arrow() {
            return Err(ColumnarError::OtherColumns { segment: index + 1 });
        }
        for batch in reader {
            let batch = batch.map_err(|error| broken(error.to_string()))?;
            write(&batch).map_err(arrow_unwritable)?;
        }
    }
    Ok(())
}

fn parquet_unwritable(error: ParquetError) -> ColumnarError {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => ColumnarError::Unwritable(*error),
            Err(error) => ColumnarError::Unencodable(error.to_string()),
        },
        error => ColumnarError::Unencodable(error.to_string()),
    }
}

fn arrow_unwritable(error: ArrowError) -> ColumnarError {
    match error {
        ArrowError::IoError(_, error) => ColumnarError::Unwritable(error),
        error => ColumnarError::Unencodable(error.to_string()),
    }
}
