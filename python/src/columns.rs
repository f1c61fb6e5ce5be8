//! Columns of text, whatever Arrow's way to store it.

use crate::errors::ColumnError;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, LargeStringArray, StringArray, StringViewArray};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema};
use pyo3::prelude::*;

/// A column whose values are text or null.
pub enum TextColumn {
    Small(StringArray),
    Large(LargeStringArray),
    View(StringViewArray),
    /// The place of each row's value, and the values.
    Coded(Vec<Option<usize>>, Box<TextColumn>),
}

impl TextColumn {
    /// Reads a column of a type that [`is_text`] knows.
    ///
    /// # Errors
    /// What is wrong with its bytes: another library made them, so they are checked.
    pub fn read(column: &ArrayRef) -> Result<TextColumn, String> {
        column.to_data().validate_full().map_err(|error| error.to_string())?;
        TextColumn::of(column).ok_or_else(|| format!("{} is no text", column.data_type()))
    }

    fn of(column: &ArrayRef) -> Option<TextColumn> {
        match column.data_type() {
            DataType::Utf8 => Some(TextColumn::Small(column.as_string::<i32>().clone())),
            DataType::LargeUtf8 => Some(TextColumn::Large(column.as_string::<i64>().clone())),
            DataType::Utf8View => Some(TextColumn::View(column.as_string_view().clone())),
            DataType::Dictionary(..) => {
                let coded = column.as_any_dictionary();
                let values = TextColumn::of(coded.values())?;
                let keys = coded.keys();
                // There is nothing to normalise where there are no values.
                let places = match values.len() {
                    0 => vec![None; keys.len()],
                    _ => coded.normalized_keys().into_iter().map(Some).collect(),
                };
                let places = places.into_iter().enumerate().map(|(row, place)| place.filter(|_| keys.is_valid(row)));
                Some(TextColumn::Coded(places.collect(), Box::new(values)))
            }
            _ => None,
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            TextColumn::Small(array) => array.len(),
            TextColumn::Large(array) => array.len(),
            TextColumn::View(array) => array.len(),
            TextColumn::Coded(places, _) => places.len(),
        }
    }

    /// The text of a row; `None` for null.
    pub fn get(&self, row: usize) -> Option<&str> {
        match self {
            TextColumn::Small(array) => array.is_valid(row).then(|| array.value(row)),
            TextColumn::Large(array) => array.is_valid(row).then(|| array.value(row)),
            TextColumn::View(array) => array.is_valid(row).then(|| array.value(row)),
            TextColumn::Coded(places, values) => places[row].and_then(|place| values.get(place)),
        }
    }
}

/// Whether a column holds texts.
pub fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// A column of names: texts, or whole numbers as texts.
///
/// # Errors
/// Those of [`TextColumn::read`].
pub fn names(column: &ArrayRef) -> Result<TextColumn, String> {
    if is_text(column.data_type()) {
        return TextColumn::read(column);
    }
    column.to_data().validate_full().map_err(|error| error.to_string())?;
    let texts = cast(column, &DataType::Utf8).map_err(|error| error.to_string())?;
    TextColumn::read(&texts)
}

/// Whether [`names`] reads columns of that type.
pub fn is_name(data_type: &DataType) -> bool {
    is_text(data_type) || data_type.is_integer()
}

/// The position of a column that somebody named.
///
/// # Errors
/// `ColumnError` where there is none, more than one, or one of another type.
pub fn find(schema: &Schema, name: &str, what: &str, fits: impl Fn(&DataType) -> bool) -> PyResult<usize> {
    let mut found = schema.fields().iter().enumerate().filter(|(_, field)| field.name() == name);
    let (position, field) = match (found.next(), found.next()) {
        (Some(only), None) => only,
        (Some(_), Some(_)) => return Err(ColumnError::new_err(format!("{what}: two columns have the name `{name}`"))),
        (None, _) => {
            let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Err(ColumnError::new_err(format!("{what}: no column `{name}`; there are: {names}")));
        }
    };
    if !fits(field.data_type()) {
        return Err(ColumnError::new_err(format!(
            "{what}: column `{name}` is {}, {}",
            field.data_type(),
            advice(field)
        )));
    }
    Ok(position)
}

/// What to do about a column of the wrong type.
fn advice(field: &Field) -> &'static str {
    match field.data_type() {
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "expected text; cast it to string",
        _ => "expected text",
    }
}
