//! Rows in columns to JSON objects.

use arrow_array::cast::AsArray;
use arrow_array::timezone::Tz;
use arrow_array::types::{
    ArrowDictionaryKeyType, ArrowTimestampType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{Array, DictionaryArray, PrimitiveArray, RecordBatch, StructArray, downcast_dictionary_array};
use arrow_buffer::ArrowNativeType;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_json::writer::{Encoder, EncoderFactory, EncoderOptions, NullableEncoder, make_encoder};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, TimeUnit};
use std::sync::Arc;

/// Bytes of encoded rows after which the rest waits.
const READY_BYTES: usize = 1024 * 1024;

/// Writes rows as JSON objects on one line.
pub(super) struct RowEncoder {
    options: EncoderOptions,
}

impl Default for RowEncoder {
    fn default() -> RowEncoder {
        let options = EncoderOptions::default().with_explicit_nulls(true).with_encoder_factory(Arc::new(Whatever));
        RowEncoder { options }
    }
}

impl RowEncoder {
    /// Appends rows from the first on until there are enough of them; at least one, where there is one.
    ///
    /// # Errors
    /// What keeps the rows from being encoded.
    pub fn encode(&self, batch: &RecordBatch, rows: &mut Vec<Vec<u8>>) -> Result<(), ArrowError> {
        if batch.num_columns() == 0 {
            rows.extend((0..batch.num_rows()).map(|_| b"{}".to_vec()));
            return Ok(());
        }
        let table = StructArray::from(batch.clone());
        let field = Arc::new(Field::new("row", table.data_type().clone(), false));
        let mut encoder = make_encoder(&field, &table, &self.options)?;
        let mut bytes = 0;
        for index in 0..batch.num_rows() {
            let mut row = Vec::new();
            encoder.encode(index, &mut row);
            bytes += row.len();
            rows.push(row);
            if bytes >= READY_BYTES {
                break;
            }
        }
        Ok(())
    }
}

/// Encoders for what the library refuses or gets wrong, so that no column is left out.
#[derive(Debug)]
struct Whatever;

impl EncoderFactory for Whatever {
    fn make_default_encoder<'a>(
        &self,
        field: &'a FieldRef,
        array: &'a dyn Array,
        options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let nullable = |encoder: Box<dyn Encoder + 'a>| Ok(Some(NullableEncoder::new(encoder, array.nulls().cloned())));
        match array.data_type() {
            DataType::Dictionary(..) => downcast_dictionary_array!(
                array => nullable(Box::new(DictionaryEncoder::new(field, array, options)?)),
                _ => Ok(None)
            ),
            DataType::Timestamp(unit, Some(zone)) if zone.parse::<Tz>().is_err() => nullable(match unit {
                TimeUnit::Second => Box::new(UnknownZone(array.as_primitive::<TimestampSecondType>().clone())),
                TimeUnit::Millisecond => {
                    Box::new(UnknownZone(array.as_primitive::<TimestampMillisecondType>().clone()))
                }
                TimeUnit::Microsecond => {
                    Box::new(UnknownZone(array.as_primitive::<TimestampMicrosecondType>().clone()))
                }
                TimeUnit::Nanosecond => Box::new(UnknownZone(array.as_primitive::<TimestampNanosecondType>().clone())),
            }),
            DataType::Union(..) => nullable(Box::new(Displayed::new(array)?)),
            DataType::Map(entries, _) if !has_text_keys(entries) => nullable(Box::new(Displayed::new(array)?)),
            _ => Ok(None),
        }
    }
}

fn has_text_keys(entries: &Field) -> bool {
    let DataType::Struct(fields) = entries.data_type() else { return false };
    let key = fields.first().map(|key| key.data_type());
    matches!(key, Some(DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View))
}

fn push_text(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("a string can always be written as JSON; this is a bug");
}

/// Values of a dictionary. The library's encoder takes a value of the dictionary that is null for an empty one.
struct DictionaryEncoder<'a, K: ArrowDictionaryKeyType> {
    array: &'a DictionaryArray<K>,
    values: NullableEncoder<'a>,
}

impl<'a, K: ArrowDictionaryKeyType> DictionaryEncoder<'a, K> {
    fn new(
        field: &'a FieldRef,
        array: &'a DictionaryArray<K>,
        options: &'a EncoderOptions,
    ) -> Result<DictionaryEncoder<'a, K>, ArrowError> {
        Ok(DictionaryEncoder { array, values: make_encoder(field, array.values().as_ref(), options)? })
    }
}

impl<K: ArrowDictionaryKeyType> Encoder for DictionaryEncoder<'_, K> {
    fn encode(&mut self, index: usize, out: &mut Vec<u8>) {
        let key = self.array.keys().value(index).as_usize();
        if self.values.is_null(key) {
            out.extend_from_slice(b"null");
        } else {
            self.values.encode(key, out);
        }
    }
}

/// Times in a zone that nobody here knows, as the same moments in UTC.
struct UnknownZone<T: ArrowTimestampType>(PrimitiveArray<T>);

impl<T: ArrowTimestampType> Encoder for UnknownZone<T> {
    fn encode(&mut self, index: usize, out: &mut Vec<u8>) {
        let value = self.0.slice(index, 1).with_timezone("+00:00");
        match ArrayFormatter::try_new(&value, &FormatOptions::new()).map(|format| format.value(0).try_to_string()) {
            Ok(Ok(text)) => push_text(&text, out),
            _ => out.extend_from_slice(b"null"),
        }
    }
}

/// What Arrow displays of a value.
struct Displayed<'a>(ArrayFormatter<'a>);

impl<'a> Displayed<'a> {
    fn new(array: &'a dyn Array) -> Result<Displayed<'a>, ArrowError> {
        const OPTIONS: &FormatOptions<'static> = &FormatOptions::new();
        Ok(Displayed(ArrayFormatter::try_new(array, OPTIONS)?))
    }
}

impl Encoder for Displayed<'_> {
    fn encode(&mut self, index: usize, out: &mut Vec<u8>) {
        match self.0.value(index).try_to_string() {
            Ok(text) => push_text(&text, out),
            Err(_) => out.extend_from_slice(b"null"),
        }
    }
}
