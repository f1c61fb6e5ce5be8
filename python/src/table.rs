//! The columns that labelling adds to a table.

use crate::columns::{find, is_name, is_text};
use crate::errors::OptionError;
use arrow_array::builder::StringBuilder;
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, DictionaryArray, Float32Array, Int32Array, Int64Array, ListArray, RecordBatch,
    RecordBatchIterator, StringArray, StructArray, UInt32Array, UInt64Array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use copydesk::text::Doubt;
use copydesk::{LabelSet, LabelledParagraph, LabelledText, Scores};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use std::sync::Arc;

/// What gets a label.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Each row, read whole.
    Record,
    /// Each paragraph of a row's text.
    Paragraph,
}

impl Unit {
    pub fn of(name: &str) -> PyResult<Unit> {
        match name {
            "record" => Ok(Unit::Record),
            "paragraph" => Ok(Unit::Paragraph),
            other => Err(OptionError::new_err(format!("unit: expected `record` or `paragraph`, got `{other}`"))),
        }
    }
}

/// Where the texts of a table stand, and which columns it gets.
#[derive(Clone)]
pub struct Layout {
    pub text: usize,
    pub page: Option<usize>,
    /// The column that names the page's source.
    pub source: Option<usize>,
    pub unit: Unit,
    plain: bool,
    labels: LabelSet,
    /// All columns.
    pub schema: SchemaRef,
}

/// What is said of a row.
pub struct Answer {
    /// The label and what it rests on; `None` for a text that got none.
    pub text: Option<LabelledText>,
    /// Why it got none.
    pub reason: Option<String>,
}

/// The verdicts of several texts, column by column.
#[derive(Default)]
struct Columns {
    codes: Vec<Option<i32>>,
    confidence: Vec<Option<f32>>,
    scores: Vec<Vec<Option<f32>>>,
    tokens: Vec<Option<u64>>,
    windows: Vec<Option<u64>>,
    lang: StringBuilder,
    reason: StringBuilder,
    valid: Vec<bool>,
}

impl Layout {
    /// The layout of what labelling makes of a table.
    ///
    /// # Errors
    /// `ColumnError` for columns that are not there or hold something else.
    pub fn new(
        input: &Schema,
        text: &str,
        page: Option<&str>,
        unit: Unit,
        plain: bool,
        labels: &LabelSet,
    ) -> PyResult<Layout> {
        let text = find(input, text, "text", is_text)?;
        let page = match (page, unit) {
            (Some(_), Unit::Paragraph) => {
                return Err(OptionError::new_err(
                    "page: only with unit=\"record\"; each text is a page of its own here",
                ));
            }
            (Some(name), Unit::Record) => Some(find(input, name, "page", is_name)?),
            (None, _) => None,
        };
        // As for the command: rows of two sources never stand on one page.
        let source = page.and_then(|_| find(input, "source", "source", is_name).ok());
        let mut ours = match unit {
            Unit::Record => verdict_fields(labels, plain, true),
            Unit::Paragraph => vec![
                Arc::new(Field::new("paragraphs", DataType::List(paragraph_field(labels, plain)), true)),
                Arc::new(Field::new("reason", DataType::Utf8, true)),
            ],
        };
        let is_taken = |name: &str| input.fields().iter().any(|field| field.name() == name);
        let mut fields: Vec<FieldRef> = Vec::with_capacity(input.fields().len() + ours.len());
        for field in input.fields() {
            let mut name = field.name().clone();
            while ours.iter().any(|our| *our.name() == name) || (name != *field.name() && is_taken(&name)) {
                name.insert_str(0, "input_");
            }
            fields.push(match name == *field.name() {
                true => Arc::clone(field),
                false => Arc::new(field.as_ref().clone().with_name(name)),
            });
        }
        fields.append(&mut ours);
        let schema = Arc::new(Schema::new_with_metadata(fields, input.metadata().clone()));
        Ok(Layout { text, page, source, unit, plain, labels: labels.clone(), schema })
    }

    /// A batch with the verdicts of its rows behind its columns.
    pub fn records(&self, batch: &RecordBatch, answers: &[Answer]) -> Result<RecordBatch, ArrowError> {
        let mut columns = Columns::new(&self.labels);
        for answer in answers {
            match &answer.text {
                Some(text) => columns.push_text(text),
                None => columns.push_nothing(answer.reason.as_deref()),
            }
        }
        self.with_columns(batch, columns.finish(self)?)
    }

    /// A batch with the paragraphs of its rows behind its columns; a row without a text has null.
    pub fn paragraphs(
        &self,
        batch: &RecordBatch,
        answers: &[Result<Vec<LabelledParagraph<'_>>, String>],
    ) -> Result<RecordBatch, ArrowError> {
        let mut columns = Columns::new(&self.labels);
        let (mut starts, mut ends, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
        let mut reasons = StringBuilder::new();
        for answer in answers {
            let paragraphs = answer.as_deref().unwrap_or_default();
            for paragraph in paragraphs {
                starts.push(Some(paragraph.span.start as u64));
                ends.push(Some(paragraph.span.end as u64));
                columns.push(
                    &paragraph.scores,
                    paragraph.confidence,
                    (paragraph.tokens, paragraph.windows),
                    paragraph.lang,
                    paragraph.doubt.map(Doubt::as_str),
                );
            }
            lengths.push(paragraphs.len());
            reasons.append_option(answer.as_ref().err());
        }
        let mut parts = vec![self.counts(starts, true), self.counts(ends, true)];
        parts.extend(columns.finish(self)?);
        let item = paragraph_field(&self.labels, self.plain);
        let DataType::Struct(fields) = item.data_type() else {
            return Err(ArrowError::SchemaError("a paragraph is a structure; this is a bug".to_owned()));
        };
        let values = StructArray::try_new(fields.clone(), parts, None)?;
        let valid = NullBuffer::from_iter(answers.iter().map(Result::is_ok));
        let offsets = OffsetBuffer::<i32>::from_lengths(lengths);
        let list = ListArray::try_new(Arc::clone(&item), offsets, Arc::new(values), Some(valid))?;
        self.with_columns(batch, vec![Arc::new(list), Arc::new(reasons.finish())])
    }

    fn with_columns(&self, batch: &RecordBatch, ours: Vec<ArrayRef>) -> Result<RecordBatch, ArrowError> {
        let columns = batch.columns().iter().cloned().chain(ours).collect();
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
    }

    /// Whole numbers: unsigned as the command writes them, or signed where columns are to be plain.
    fn counts(&self, values: Vec<Option<u64>>, are_long: bool) -> ArrayRef {
        match (self.plain, are_long) {
            (true, true) => {
                Arc::new(values.into_iter().map(|value| value.map(|value| value as i64)).collect::<Int64Array>())
            }
            (true, false) => {
                Arc::new(values.into_iter().map(|value| value.map(|value| value as i32)).collect::<Int32Array>())
            }
            (false, true) => Arc::new(values.into_iter().collect::<UInt64Array>()),
            (false, false) => {
                Arc::new(values.into_iter().map(|value| value.map(|value| value as u32)).collect::<UInt32Array>())
            }
        }
    }
}

impl Columns {
    fn new(labels: &LabelSet) -> Columns {
        Columns { scores: vec![Vec::new(); labels.len()], ..Columns::default() }
    }

    fn push_text(&mut self, text: &LabelledText) {
        let counts = (text.tokens, text.windows);
        self.push(&text.scores, text.confidence, counts, text.lang, text.doubt.map(Doubt::as_str));
    }

    fn push(
        &mut self,
        scores: &Scores,
        confidence: f32,
        (tokens, windows): (usize, usize),
        lang: Option<&str>,
        reason: Option<&str>,
    ) {
        self.codes.push(i32::try_from(scores.best().0.index()).ok());
        self.confidence.push(Some(confidence));
        for (column, score) in self.scores.iter_mut().zip(scores.values()) {
            column.push(Some(*score));
        }
        self.tokens.push(Some(tokens as u64));
        self.windows.push(Some(windows as u64));
        self.lang.append_option(lang);
        self.reason.append_option(reason);
        self.valid.push(true);
    }

    fn push_nothing(&mut self, reason: Option<&str>) {
        self.codes.push(None);
        self.confidence.push(None);
        self.scores.iter_mut().for_each(|column| column.push(None));
        self.tokens.push(None);
        self.windows.push(None);
        self.lang.append_null();
        self.reason.append_option(reason);
        self.valid.push(false);
    }

    fn finish(mut self, layout: &Layout) -> Result<Vec<ArrayRef>, ArrowError> {
        let names = || layout.labels.iter().map(copydesk::Label::as_str);
        let label: ArrayRef = if layout.plain {
            let names: Vec<&str> = names().collect();
            Arc::new(self.codes.iter().map(|code| code.map(|code| names[code as usize])).collect::<StringArray>())
        } else {
            let values = Arc::new(StringArray::from_iter_values(names()));
            Arc::new(DictionaryArray::<Int32Type>::try_new(Int32Array::from(self.codes), values)?)
        };
        let scores = self.scores.into_iter().map(|column| Arc::new(Float32Array::from(column)) as ArrayRef).collect();
        let scores = StructArray::try_new(score_fields(&layout.labels), scores, Some(NullBuffer::from(self.valid)))?;
        Ok(vec![
            label,
            Arc::new(Float32Array::from(self.confidence)),
            Arc::new(scores),
            layout.counts(self.tokens, false),
            layout.counts(self.windows, false),
            Arc::new(self.lang.finish()),
            Arc::new(self.reason.finish()),
        ])
    }
}

fn score_fields(labels: &LabelSet) -> Fields {
    labels.iter().map(|label| Field::new(label.as_str(), DataType::Float32, true)).collect()
}

/// The columns of a verdict, named as in the command's tables.
fn verdict_fields(labels: &LabelSet, plain: bool, nullable: bool) -> Vec<FieldRef> {
    let label = match plain {
        true => DataType::Utf8,
        false => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
    };
    let count = if plain { DataType::Int32 } else { DataType::UInt32 };
    [
        Field::new("label", label, nullable),
        Field::new("confidence", DataType::Float32, nullable),
        Field::new("scores", DataType::Struct(score_fields(labels)), nullable),
        Field::new("tokens", count.clone(), nullable),
        Field::new("windows", count, nullable),
        Field::new("lang", DataType::Utf8, true),
        Field::new("reason", DataType::Utf8, true),
    ]
    .map(Arc::new)
    .to_vec()
}

/// A paragraph: where it stands, in bytes of UTF-8, and its verdict.
fn paragraph_field(labels: &LabelSet, plain: bool) -> FieldRef {
    let offset = if plain { DataType::Int64 } else { DataType::UInt64 };
    let mut fields =
        vec![Arc::new(Field::new("start", offset.clone(), true)), Arc::new(Field::new("end", offset, true))];
    fields.extend(verdict_fields(labels, plain, true));
    Arc::new(Field::new("item", DataType::Struct(fields.into()), true))
}

/// A labelled batch, for whoever takes Arrow's capsules.
#[pyclass(frozen, module = "copydesk._copydesk")]
pub struct ArrowBatch {
    batch: RecordBatch,
}

impl ArrowBatch {
    pub fn new(batch: RecordBatch) -> ArrowBatch {
        ArrowBatch { batch }
    }
}

#[pymethods]
impl ArrowBatch {
    /// The batch as two capsules, schema and structure, by Arrow's PyCapsule interface.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        // Another schema may be asked for, and need not be given.
        drop(requested_schema);
        let data = StructArray::from(self.batch.clone()).to_data();
        let array = PyCapsule::new_with_value(py, FFI_ArrowArray::new(&data), c"arrow_array")?;
        Ok((self.__arrow_c_schema__(py)?, array))
    }

    /// The schema as a capsule.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.batch.schema())
    }

    /// The batch as a stream of one batch.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        let batches = RecordBatchIterator::new([Ok(self.batch.clone())], self.batch.schema());
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(batches)), c"arrow_array_stream")
    }

    fn __len__(&self) -> usize {
        self.batch.num_rows()
    }

    /// Names of the columns.
    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.batch.schema_ref().fields().iter().map(|field| field.name().clone()).collect()
    }

    fn __repr__(&self) -> String {
        format!("<ArrowBatch of {} rows: {}>", self.batch.num_rows(), self.column_names().join(", "))
    }
}

/// A schema as a capsule.
pub fn schema_capsule<'py>(py: Python<'py>, schema: &Schema) -> PyResult<Bound<'py, PyCapsule>> {
    let schema =
        FFI_ArrowSchema::try_from(schema).map_err(|error| crate::errors::ColumnError::new_err(error.to_string()))?;
    PyCapsule::new_with_value(py, schema, c"arrow_schema")
}
