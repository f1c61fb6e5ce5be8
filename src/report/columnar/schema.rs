//! The columns of a table, and where their values stand in rows of JSON.

use super::stored::{is_text, stored};
use crate::corpus::Unit;
use crate::label::LabelSet;
use crate::report::kept::kept_name;
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use std::collections::HashSet;
use std::sync::Arc;

/// The column of what else a record had.
pub(super) const OTHER_FIELDS: &str = "other_fields";

/// A column that comes from the input.
#[derive(Clone, Debug)]
pub enum Kept {
    /// A column of a table, of its type.
    Column(FieldRef),
    /// A field of JSON records: text as it is, anything else as its JSON.
    Field(String),
}

impl Kept {
    /// The name of the column.
    pub fn name(&self) -> &str {
        match self {
            Kept::Column(field) => field.name(),
            Kept::Field(name) => name,
        }
    }
}

/// What the rows of a table have besides what all rows have.
#[derive(Clone, Debug, Default)]
pub struct TableOptions {
    /// Columns `file` and `line`: where each row's text stands.
    pub with_source: bool,
    /// Paragraphs: a column `text`.
    pub with_text: bool,
    /// Paragraphs: a column `content`, the probability that a block belongs to the main content of its page.
    pub with_content: bool,
    /// Columns of the input, in their order: before ours in rows of records, behind them in rows of paragraphs.
    pub kept: Vec<Kept>,
    /// A column `other_fields`: the fields of a record that have no column, as one JSON object, null where there are none.
    pub with_other_fields: bool,
}

/// The columns of a table.
#[derive(Clone, Debug)]
pub struct TableSchema {
    pub(super) schema: SchemaRef,
    pub(super) columns: Vec<Column>,
    pub(super) other_fields: bool,
}

/// Where a column's values stand in a row.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub field: FieldRef,
    pub source: ColumnSource,
    /// Text as it is, anything else as its JSON.
    pub is_text: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ColumnSource {
    /// A field that we add.
    Ours,
    /// A field of the input with a name that none of ours has.
    Input,
    /// A field of the input that has one of our names, which is this. In the row it has the column's name, or still its own where
    /// the row lacks that field of ours.
    Renamed(String),
    /// All that has no column.
    OtherFields,
}

impl TableSchema {
    /// The columns as Arrow describes them.
    pub fn arrow(&self) -> &SchemaRef {
        &self.schema
    }

    fn new(ours: Vec<Field>, options: &TableOptions, unit: Unit) -> TableSchema {
        let is_ours = |name: &str| {
            ours.iter().any(|field| field.name() == name) || (options.with_other_fields && name == OTHER_FIELDS)
        };
        let kept: HashSet<&str> = options.kept.iter().map(Kept::name).collect();
        let mut seen = HashSet::new();
        let mut columns = Vec::new();
        for input in &options.kept {
            // A table may have two columns of one name; rows have the last value under it.
            if !seen.insert(input.name()) {
                continue;
            }
            let field = match input {
                Kept::Column(field) => stored(field),
                Kept::Field(name) => Field::new(name, DataType::Utf8, true),
            };
            // As the rows themselves name their fields.
            let name = match unit {
                Unit::Paragraph => kept_name(input.name(), false, |name| kept.contains(name)),
                Unit::Record => {
                    let mut name = input.name().to_owned();
                    while is_ours(&name) || (name != input.name() && kept.contains(name.as_str())) {
                        name.insert_str(0, "input_");
                    }
                    name
                }
            };
            let source = match name == input.name() {
                true => ColumnSource::Input,
                false => ColumnSource::Renamed(input.name().to_owned()),
            };
            let field = field.with_name(name);
            columns.push(Column { is_text: is_text(field.data_type()), field: Arc::new(field), source });
        }
        let ours = ours.into_iter().map(|field| Column {
            is_text: is_text(field.data_type()),
            field: Arc::new(field),
            source: ColumnSource::Ours,
        });
        match unit {
            Unit::Paragraph => drop(columns.splice(0..0, ours)),
            Unit::Record => columns.extend(ours),
        }
        if options.with_other_fields {
            let field = Arc::new(Field::new(OTHER_FIELDS, DataType::Utf8, true));
            columns.push(Column { field, source: ColumnSource::OtherFields, is_text: true });
        }
        let fields: Fields = columns.iter().map(|column| Arc::clone(&column.field)).collect();
        TableSchema { schema: Arc::new(Schema::new(fields)), columns, other_fields: options.with_other_fields }
    }
}

/// The columns of paragraph rows about a model's labels.
pub fn paragraph_schema(labels: &LabelSet, options: &TableOptions) -> TableSchema {
    let mut ours = vec![
        Field::new("doc", DataType::Utf8, false),
        Field::new("paragraph", DataType::UInt32, false),
        Field::new("start", DataType::UInt64, false),
        Field::new("end", DataType::UInt64, false),
    ];
    push_source(&mut ours, options);
    push_verdict(&mut ours, labels, false);
    if options.with_content {
        ours.push(Field::new("content", DataType::Float32, true));
    }
    if options.with_text {
        ours.push(Field::new("text", DataType::Utf8, false));
    }
    TableSchema::new(ours, options, Unit::Paragraph)
}

/// The columns of record rows about a model's labels. Of a record that could not be judged, all but its own fields and the reason
/// are null.
pub fn record_schema(labels: &LabelSet, options: &TableOptions) -> TableSchema {
    let mut ours = Vec::new();
    push_source(&mut ours, options);
    push_verdict(&mut ours, labels, true);
    TableSchema::new(ours, options, Unit::Record)
}

/// The columns of documents' attributes: `id`, of its type in a table of documents, and `attributes`, a structure with a list of
/// `[start, end, score]` for each name.
pub fn attributes_schema(id: Option<&FieldRef>, names: &[String]) -> TableSchema {
    let number = |name: &str| Field::new(name, DataType::Float64, true);
    let span = || Field::new("item", DataType::List(Arc::new(number("item"))), true);
    let spans = names.iter().map(|name| Field::new(name, DataType::List(Arc::new(span())), true));
    let attributes = Field::new("attributes", DataType::Struct(spans.collect()), true);
    let id = id.map_or_else(|| Field::new("id", DataType::Utf8, true), |id| stored(id).with_name("id"));
    TableSchema::new(vec![id, attributes], &TableOptions::default(), Unit::Record)
}

fn push_source(fields: &mut Vec<Field>, options: &TableOptions) {
    if options.with_source {
        fields.push(Field::new("file", DataType::Utf8, true));
        fields.push(Field::new("line", DataType::UInt64, true));
    }
}

fn push_verdict(fields: &mut Vec<Field>, labels: &LabelSet, nullable: bool) {
    let scores = labels.into_iter().map(|label| Field::new(label.as_str(), DataType::Float32, nullable));
    fields.extend([
        Field::new("label", DataType::Utf8, true),
        Field::new("confidence", DataType::Float32, nullable),
        Field::new("scores", DataType::Struct(scores.collect()), nullable),
        Field::new("tokens", DataType::UInt32, nullable),
        Field::new("windows", DataType::UInt32, nullable),
        Field::new("lang", DataType::Utf8, true),
        Field::new("reason", DataType::Utf8, true),
    ]);
}
