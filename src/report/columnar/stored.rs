//! Types of input columns as types that JSON can be read into.

use arrow_array::timezone::Tz;
use arrow_schema::{DataType, Field, FieldRef};
use std::sync::Arc;

/// The column of an output for one of an input. It may hold null, whatever the input says: numbers that are not finite are null
/// in JSON, and what its type cannot hold becomes null.
pub(super) fn stored(field: &Field) -> Field {
    let data_type = stored_type(field.data_type());
    let plain = Field::new(field.name(), data_type, true);
    // What extensions say of a column holds for the type that they were made for.
    if plain.data_type() == field.data_type() { plain.with_metadata(field.metadata().clone()) } else { plain }
}

fn inner(field: &FieldRef) -> FieldRef {
    Arc::new(stored(field))
}

fn stored_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, values) => stored_type(values),
        DataType::RunEndEncoded(_, values) => stored_type(values.data_type()),
        // A column that is null throughout may have text in the next file.
        DataType::Null | DataType::Duration(_) | DataType::Interval(_) | DataType::Union(..) => DataType::Utf8,
        DataType::Timestamp(unit, Some(zone)) if zone.parse::<Tz>().is_err() => {
            DataType::Timestamp(*unit, Some(Arc::from("UTC")))
        }
        DataType::List(item) | DataType::ListView(item) => DataType::List(inner(item)),
        DataType::LargeList(item) | DataType::LargeListView(item) => DataType::LargeList(inner(item)),
        DataType::FixedSizeList(item, length) => DataType::FixedSizeList(inner(item), *length),
        // Parquet has no structure without fields.
        DataType::Struct(fields) if fields.is_empty() => DataType::Utf8,
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        DataType::Map(entries, sorted) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 && is_text(fields[0].data_type()) => {
                let pair = vec![Arc::new(stored(&fields[0]).with_nullable(false)), inner(&fields[1])];
                let entries = Field::new(entries.name(), DataType::Struct(pair.into()), false);
                DataType::Map(Arc::new(entries), *sorted)
            }
            _ => DataType::Utf8,
        },
        other => other.clone(),
    }
}

pub(super) fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}
