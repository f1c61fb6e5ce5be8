//! Blocks of rows as whole small files.

use super::error::ColumnarError;
use super::schema::{Column, ColumnSource, OTHER_FIELDS, TableSchema};
use crate::corpus::Record;
use arrow_array::builder::{GenericStringBuilder, StringViewBuilder};
use arrow_array::{ArrayRef, OffsetSizeTrait, RecordBatch, RecordBatchOptions};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_json::ReaderBuilder;
use arrow_schema::{DataType, FieldRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Greatest length of a block, so that no column of text is longer than its offsets can say.
const BLOCK_LIMIT_BYTES: usize = i32::MAX as usize;

/// Values that are told one by one when their columns cannot hold them.
const MOST_TOLD: usize = 16;

/// The format of segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentFormat {
    /// A Parquet file of one row group.
    Parquet,
    /// An Arrow stream of one batch.
    Arrow,
}

/// A segment, and what became of its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// The whole small file; the same bytes for the same rows.
    pub bytes: Vec<u8>,
    /// Number of rows in it.
    pub rows: usize,
    /// How many values their columns could not hold; they are null.
    pub refused: u64,
    /// The first of them.
    pub told: Vec<Refused>,
    /// Fields that have no column and so are lost, sorted; empty where there is a column for them.
    pub left_out: BTreeSet<String>,
}

/// A value that its column cannot hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Number of the row in the block, from 1.
    pub row: usize,
    /// Name of the column.
    pub column: String,
    /// What is wrong with the value.
    pub reason: String,
}

impl TableSchema {
    /// Makes a segment of a block of rows: JSON objects, each ended by a line feed.
    ///
    /// # Errors
    /// [`ColumnarError`].
    pub fn encode(&self, block: &[u8], format: SegmentFormat) -> Result<Encoded, ColumnarError> {
        if block.len() > BLOCK_LIMIT_BYTES {
            return Err(ColumnarError::BlockTooLong { limit_bytes: BLOCK_LIMIT_BYTES, got_bytes: block.len() });
        }
        let mut encoded = Encoded::default();
        let batch = self.batch(block, &mut encoded)?;
        encoded.rows = batch.num_rows();
        encoded.bytes = match format {
            SegmentFormat::Parquet => self.parquet(&batch),
            SegmentFormat::Arrow => self.arrow_stream(&batch),
        }
        .map_err(ColumnarError::Unencodable)?;
        Ok(encoded)
    }

    /// The rows in columns.
    pub(super) fn batch(&self, block: &[u8], encoded: &mut Encoded) -> Result<RecordBatch, ColumnarError> {
        let mut cells: Vec<Cells<'_>> = self.columns.iter().map(|_| Vec::new()).collect();
        let mut rows = 0;
        for line in block.split(|&byte| byte == b'\n') {
            if line.trim_ascii().is_empty() {
                continue;
            }
            rows += 1;
            let invalid = |reason: String| ColumnarError::InvalidRow { row: rows, reason };
            let line = std::str::from_utf8(line).map_err(|error| invalid(error.to_string()))?;
            let record = Record::parse(line).map_err(|error| invalid(error.to_string()))?;
            self.push_row(&record, &mut cells, encoded);
        }
        let arrays = self.columns.iter().zip(cells).map(|(column, cells)| column.array(cells, encoded));
        let arrays = arrays.collect::<Result<Vec<ArrayRef>, ColumnarError>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|error| ColumnarError::Unencodable(error.to_string()))
    }

    /// Takes the values of a row apart.
    fn push_row<'a>(&self, record: &Record<'a>, cells: &mut [Cells<'a>], encoded: &mut Encoded) {
        let fields = record.fields();
        // Of fields with one name the last counts.
        let places: HashMap<&str, usize> =
            fields.iter().enumerate().map(|(place, field)| (&*field.key, place)).collect();
        // Every row has a label of ours. What a record brought stands before it, and is renamed where the row has a field of ours of
        // that name: a reason not all rows have.
        let label = places.get("label").copied().unwrap_or(0);
        let of_input = |name: &str| places.get(name).copied().filter(|place| *place < label);
        let mut taken: Vec<bool> = vec![false; fields.len()];
        for (column, cells) in self.columns.iter().zip(cells.iter_mut()) {
            let name = column.field.name().as_str();
            let place = match &column.source {
                ColumnSource::Ours if matches!(name, "reason" | "content") => {
                    places.get(name).copied().filter(|place| *place > label)
                }
                ColumnSource::Ours | ColumnSource::Input => places.get(name).copied(),
                ColumnSource::Renamed(own) => {
                    let kept_its_name = matches!(own.as_str(), "reason" | OTHER_FIELDS);
                    places.get(name).copied().or_else(|| of_input(own).filter(|_| kept_its_name))
                }
                ColumnSource::OtherFields => {
                    cells.push(others(record, &taken).map(Cow::Owned));
                    continue;
                }
            };
            if let Some(place) = place {
                taken[place] = true;
            }
            cells.push(place.map(|place| Cow::Borrowed(&record.line()[fields[place].value_span.clone()])));
        }
        if !self.other_fields {
            let left = fields.iter().zip(&taken).filter(|(field, taken)| !**taken && !self.has(&field.key));
            encoded.left_out.extend(left.map(|(field, _)| field.key.to_string()));
        }
    }

    fn has(&self, name: &str) -> bool {
        self.schema.field_with_name(name).is_ok()
    }

    fn parquet(&self, batch: &RecordBatch) -> Result<Vec<u8>, String> {
        let properties = properties().set_max_row_group_row_count(None).build();
        let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&self.schema), Some(properties))
            .map_err(|error| error.to_string())?;
        writer.write(batch).map_err(|error| error.to_string())?;
        writer.into_inner().map_err(|error| error.to_string())
    }

    fn arrow_stream(&self, batch: &RecordBatch) -> Result<Vec<u8>, String> {
        let write = || {
            let mut writer = StreamWriter::try_new_with_options(Vec::new(), &self.schema, ipc_options()?)?;
            writer.write(batch)?;
            writer.into_inner()
        };
        write().map_err(|error| error.to_string())
    }
}

/// How Parquet files are written. Nothing in them depends on when or where.
pub(super) fn properties() -> WriterPropertiesBuilder {
    let level = ZstdLevel::try_new(3).expect("zstd has a level 3; this is a bug");
    WriterProperties::builder()
        .set_created_by("copydesk".to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        // Pages are not indexed: joined row groups are read as a whole.
        .set_offset_index_disabled(true)
}

/// How Arrow files and streams are written.
pub(super) fn ipc_options() -> Result<IpcWriteOptions, arrow_schema::ArrowError> {
    IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD))
}

/// The values of a column as JSON; `None` where the row has none.
type Cells<'a> = Vec<Option<Cow<'a, str>>>;

/// The fields of a record that no column took, as an object.
fn others(record: &Record<'_>, taken: &[bool]) -> Option<String> {
    let mut object = String::new();
    for (field, _) in record.fields().iter().zip(taken).filter(|(_, taken)| !**taken) {
        object.push_str(if object.is_empty() { "{" } else { ", " });
        object.push_str(&record.line()[field.key_span.clone()]);
        object.push_str(": ");
        object.push_str(&record.line()[field.value_span.clone()]);
    }
    (!object.is_empty()).then(|| {
        object.push('}');
        object
    })
}

impl Column {
    fn array(&self, cells: Cells<'_>, encoded: &mut Encoded) -> Result<ArrayRef, ColumnarError> {
        let is_null = |cell: &Option<Cow<'_, str>>| cell.as_ref().is_none_or(|cell| *cell == "null");
        if !self.field.is_nullable()
            && let Some(row) = cells.iter().position(is_null)
        {
            return Err(ColumnarError::MissingValue { row: row + 1, column: self.field.name().clone() });
        }
        if self.is_text {
            return Ok(text_array(self.field.data_type(), &cells));
        }
        self.decode_all(cells, encoded)
    }

    fn decode_all(&self, mut cells: Cells<'_>, encoded: &mut Encoded) -> Result<ArrayRef, ColumnarError> {
        match decode(&self.field, &cells) {
            Ok(array) => return Ok(array),
            Err(reason) if !self.field.is_nullable() => return Err(self.unencodable(reason)),
            Err(_) => {}
        }
        for (index, cell) in cells.iter_mut().enumerate() {
            let Err(reason) = decode(&self.field, std::slice::from_ref(cell)) else { continue };
            *cell = None;
            encoded.refused += 1;
            if encoded.told.len() < MOST_TOLD {
                encoded.told.push(Refused { row: index + 1, column: self.field.name().clone(), reason });
            }
        }
        decode(&self.field, &cells).map_err(|reason| self.unencodable(reason))
    }

    fn unencodable(&self, reason: String) -> ColumnarError {
        ColumnarError::UnencodableColumn { column: self.field.name().clone(), reason }
    }
}

/// Reads the values of a column of any type.
fn decode(field: &FieldRef, cells: &[Option<Cow<'_, str>>]) -> Result<ArrayRef, String> {
    if cells.is_empty() {
        return Ok(arrow_array::new_empty_array(field.data_type()));
    }
    let mut json = String::with_capacity(cells.iter().map(|cell| cell.as_ref().map_or(5, |cell| cell.len() + 3)).sum());
    for cell in cells {
        match cell.as_deref() {
            None => json.push_str("null"),
            // As Python writes them; the decoder reads them as text.
            Some(number @ ("NaN" | "Infinity" | "-Infinity")) => json.extend(["\"", number, "\""]),
            Some(cell) => json.push_str(cell),
        }
        json.push('\n');
    }
    let decoder = ReaderBuilder::new_with_field(Arc::clone(field)).with_batch_size(cells.len()).build_decoder();
    let mut decoder = decoder.map_err(|error| error.to_string())?;
    let read = decoder.decode(json.as_bytes()).map_err(|error| error.to_string())?;
    let batch = decoder.flush().map_err(|error| error.to_string())?;
    match batch {
        Some(batch) if read == json.len() && batch.num_rows() == cells.len() => Ok(Arc::clone(batch.column(0))),
        _ => Err("the values are not one for each row".to_owned()),
    }
}

/// A column of text: a JSON string as the text that it holds, null as null, anything else as its JSON.
fn text_array(data_type: &DataType, cells: &[Option<Cow<'_, str>>]) -> ArrayRef {
    match data_type {
        DataType::LargeUtf8 => strings::<i64>(cells),
        DataType::Utf8View => {
            let mut builder = StringViewBuilder::new();
            cells.iter().for_each(|cell| builder.append_option(cell.as_deref().and_then(text)));
            Arc::new(builder.finish())
        }
        _ => strings::<i32>(cells),
    }
}

fn strings<O: OffsetSizeTrait>(cells: &[Option<Cow<'_, str>>]) -> ArrayRef {
    let mut builder = GenericStringBuilder::<O>::new();
    cells.iter().for_each(|cell| builder.append_option(cell.as_deref().and_then(text)));
    Arc::new(builder.finish())
}

fn text(json: &str) -> Option<Cow<'_, str>> {
    match json {
        "null" => None,
        _ if json.starts_with('"') => Some(crate::corpus::decode_string(json)),
        _ => Some(Cow::Borrowed(json)),
    }
}
