//! Batches labelled as their reader asks for them.

use crate::columns::{TextColumn, names};
use crate::errors::{self, ColumnError};
use crate::pages::Pages;
use crate::table::{Answer, Layout, Unit, schema_capsule};
use crate::work::watched;
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_pyarrow::FromPyArrow;
use arrow_schema::{ArrowError, SchemaRef};
use copydesk::{Copydesk, LabelError, LabelledText};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

/// Rows that are labelled together at most, where batches are smaller: the last texts of a call keep one thread busy and leave the others
/// without work. The first batch is labelled by itself, and then twice as many rows each time, so that the first answers come soon.
const AHEAD_ROWS: usize = 4096;

/// Bytes of their texts after which no more is read ahead, 8 MiB.
const AHEAD_BYTES: usize = 8 * 1024 * 1024;

/// Why reading or labelling ended.
pub enum Fault {
    /// The rows cannot be read or labelled.
    Broken(String),
    /// Python raised something: a signal came.
    Raised(PyErr),
}

impl From<Fault> for PyErr {
    fn from(fault: Fault) -> PyErr {
        match fault {
            Fault::Broken(message) => ColumnError::new_err(message),
            Fault::Raised(error) => error,
        }
    }
}

/// A batch whose rows are not all labelled yet.
struct Pending {
    batch: RecordBatch,
    texts: TextColumn,
    answers: Vec<Option<Answer>>,
    missing: usize,
}

/// Labelled batches, one for each that was read.
pub struct Labelled<I> {
    source: I,
    layout: Layout,
    desk: Copydesk,
    pages: Pages,
    pending: VecDeque<Pending>,
    /// Number of the first row that is pending.
    first: u64,
    /// Number of the next row that is read.
    next: u64,
    /// Rows that were read since the last were labelled.
    rows_ahead: usize,
    /// Bytes of their texts.
    bytes_ahead: usize,
    /// How many rows to read before they are labelled.
    wanted: usize,
    ended: bool,
    /// What went wrong, told when the batches before it are out.
    failed: Option<Fault>,
}

impl<I: Iterator<Item = Result<RecordBatch, ArrowError>>> Labelled<I> {
    pub fn new(source: I, layout: Layout, desk: Copydesk) -> Labelled<I> {
        let (pages, pending) = (Pages::default(), VecDeque::new());
        Labelled {
            source,
            layout,
            desk,
            pages,
            pending,
            first: 0,
            next: 0,
            rows_ahead: 0,
            bytes_ahead: 0,
            wanted: 0,
            ended: false,
            failed: None,
        }
    }

    /// The only batch.
    pub fn whole(mut self) -> Result<RecordBatch, Fault> {
        match self.next_batch()? {
            Some(batch) => Ok(batch),
            None => Err(Fault::Broken("no batch was read; this is a bug".to_owned())),
        }
    }

    /// The next batch that is labelled; `None` at the end.
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, Fault> {
        loop {
            if let Some(front) = self.pending.front()
                && front.missing == 0
            {
                let Some(Pending { batch, answers, .. }) = self.pending.pop_front() else { return Ok(None) };
                self.first += answers.len() as u64;
                let answers: Vec<Answer> = answers.into_iter().flatten().collect();
                return self.layout.records(&batch, &answers).map(Some).map_err(broken);
            }
            if let Some(fault) = self.failed.take() {
                self.ended = true;
                return Err(fault);
            }
            if self.ended {
                return Ok(None);
            }
            match self.next_read() {
                Ok(Some(batch)) if self.layout.unit == Unit::Paragraph => {
                    return self.label_paragraphs(&batch).map(Some);
                }
                Ok(Some(batch)) => match self.read(batch) {
                    Ok(()) if self.rows_ahead < self.wanted && self.bytes_ahead < AHEAD_BYTES => continue,
                    read => self.failed = read.err(),
                },
                Ok(None) => {
                    self.ended = true;
                    self.pages.close();
                }
                // A page that is cut off here keeps the batches of its rows back: they are not read beside half of their neighbours.
                Err(fault) => self.failed = Some(fault),
            }
            self.wanted = (2 * self.rows_ahead).min(AHEAD_ROWS);
            (self.rows_ahead, self.bytes_ahead) = (0, 0);
            self.label_pages()?;
        }
    }

    fn next_read(&mut self) -> Result<Option<RecordBatch>, Fault> {
        // The producer is another library's: what it does wrong ends this stream, not the process.
        let read = catch_unwind(AssertUnwindSafe(|| self.source.next()))
            .map_err(|_| Fault::Broken("the stream gave a batch that is none".to_owned()))?;
        read.transpose().map_err(broken)
    }

    fn read(&mut self, batch: RecordBatch) -> Result<(), Fault> {
        let texts = self.texts(&batch)?;
        let column = |position: Option<usize>| match position {
            Some(position) => names(batch.column(position)).map(Some).map_err(Fault::Broken),
            None => Ok(None),
        };
        let (page, source) = (column(self.layout.page)?, column(self.layout.source)?);
        for row in 0..texts.len() {
            let name = page.as_ref().and_then(|page| page.get(row));
            let source = source.as_ref().and_then(|source| source.get(row));
            let bytes = texts.get(row).map_or(0, str::len);
            self.bytes_ahead += bytes;
            self.pages.push(self.next + row as u64, source, name, bytes);
        }
        if self.layout.page.is_none() {
            self.pages.close();
        }
        self.next += texts.len() as u64;
        self.rows_ahead += texts.len();
        let (answers, missing) = (texts_without_answers(texts.len()), texts.len());
        self.pending.push_back(Pending { batch, texts, answers, missing });
        Ok(())
    }

    /// Labels the pages that are whole.
    fn label_pages(&mut self) -> Result<(), Fault> {
        let pages = self.pages.take();
        if pages.is_empty() {
            return Ok(());
        }
        let places: Vec<(usize, usize)> = pages.iter().flatten().map(|row| self.place(*row)).collect();
        let text = |(batch, row): (usize, usize)| self.pending[batch].texts.get(row);
        let mut given = Vec::new();
        let mut texts: Vec<Vec<&str>> = Vec::with_capacity(pages.len());
        let mut places_left = places.iter();
        for page in &pages {
            let page: Vec<&str> = places_left
                .by_ref()
                .take(page.len())
                .filter_map(|place| {
                    let text = text(*place);
                    if text.is_some() {
                        given.push(*place);
                    }
                    text
                })
                .collect();
            texts.push(page);
        }
        let bytes = texts.iter().flatten().map(|text| text.len()).sum();
        let answers = watched(&self.desk, bytes, |desk| desk.label_pages(&texts)).map_err(Fault::Raised)?;
        drop(texts);
        for place in &places {
            self.pending[place.0].answers[place.1] = Some(Answer { text: None, reason: Some("no text".to_owned()) });
            self.pending[place.0].missing -= 1;
        }
        for (place, answer) in given.into_iter().zip(answers) {
            self.pending[place.0].answers[place.1] = Some(answer_of(answer)?);
        }
        Ok(())
    }

    /// Where a row stands: the batch among those pending, and the row in it.
    fn place(&self, row: u64) -> (usize, usize) {
        let mut rest = (row - self.first) as usize;
        for (index, pending) in self.pending.iter().enumerate() {
            if rest < pending.answers.len() {
                return (index, rest);
            }
            rest -= pending.answers.len();
        }
        unreachable!("a row without an answer stands in a batch that is pending; this is a bug")
    }

    fn label_paragraphs(&self, batch: &RecordBatch) -> Result<RecordBatch, Fault> {
        let texts = self.texts(batch)?;
        let texts: Vec<Option<&str>> = (0..texts.len()).map(|row| texts.get(row)).collect();
        let given: Vec<&str> = texts.iter().flatten().copied().collect();
        let bytes = given.iter().map(|text| text.len()).sum();
        let answers = watched(&self.desk, bytes, |desk| desk.label_all(&given)).map_err(Fault::Raised)?;
        let mut answers = answers.into_iter();
        let mut rows = Vec::with_capacity(texts.len());
        for text in &texts {
            rows.push(match text {
                None => Err("no text".to_owned()),
                Some(_) => match answers.next() {
                    Some(Ok(paragraphs)) => Ok(paragraphs),
                    Some(Err(error)) => return Err(Fault::Broken(error.to_string())),
                    None => return Err(Fault::Broken("a text has no answer; this is a bug".to_owned())),
                },
            });
        }
        self.layout.paragraphs(batch, &rows).map_err(broken)
    }

    fn texts(&self, batch: &RecordBatch) -> Result<TextColumn, Fault> {
        TextColumn::read(batch.column(self.layout.text)).map_err(Fault::Broken)
    }
}

fn texts_without_answers(count: usize) -> Vec<Option<Answer>> {
    std::iter::repeat_with(|| None).take(count).collect()
}

/// What a row gets. A text that cannot be read, such as a blank one, gets no label; anything else is an error of all.
fn answer_of(answer: Result<LabelledText, LabelError>) -> Result<Answer, Fault> {
    match answer {
        Ok(text) => Ok(Answer { text: Some(text), reason: None }),
        Err(LabelError::Input(error)) => Ok(Answer { text: None, reason: Some(error.to_string()) }),
        Err(error) => Err(Fault::Broken(error.to_string())),
    }
}

fn broken(error: ArrowError) -> Fault {
    Fault::Broken(error.to_string())
}

/// What was raised while a consumer read; its own error says less.
type Raised = Arc<Mutex<Option<PyErr>>>;

/// The reader behind an exported stream.
struct Exported {
    labelled: Labelled<RecordBatchStreamReader>,
    raised: Raised,
}

impl Iterator for Exported {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        // A panic must not reach the C functions that call this.
        let next = catch_unwind(AssertUnwindSafe(|| self.labelled.next_batch()))
            .unwrap_or_else(|_| Err(Fault::Broken("labelling failed; this is a bug".to_owned())));
        let message = match next {
            Ok(batch) => return batch.map(Ok),
            Err(Fault::Broken(message)) => message,
            Err(Fault::Raised(error)) => {
                *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                "ended by a signal".to_owned()
            }
        };
        self.labelled.ended = true;
        self.labelled.pending.clear();
        // C takes it as a string that ends with a zero byte.
        Some(Err(errors::arrow(message.replace('\0', "\u{fffd}"))))
    }
}

impl RecordBatchReader for Exported {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.labelled.layout.schema)
    }
}

/// A stream of labelled batches, for whoever takes Arrow's capsules. It is read once.
#[pyclass(frozen, module = "copydesk._copydesk")]
pub struct ArrowStream {
    stream: Mutex<Option<Labelled<RecordBatchStreamReader>>>,
    schema: SchemaRef,
    raised: Raised,
}

impl ArrowStream {
    /// Opens what has `__arrow_c_stream__`.
    pub fn open(
        stream: &Bound<'_, PyAny>,
        prepare: impl FnOnce(&SchemaRef) -> PyResult<(Layout, Copydesk)>,
    ) -> PyResult<ArrowStream> {
        let py = stream.py();
        let reader =
            RecordBatchStreamReader::from_pyarrow_bound(stream).map_err(|error| errors::imported(py, error))?;
        let (layout, desk) = prepare(&reader.schema())?;
        let schema = Arc::clone(&layout.schema);
        let labelled = Labelled::new(reader, layout, desk);
        Ok(ArrowStream { stream: Mutex::new(Some(labelled)), schema, raised: Raised::default() })
    }
}

#[pymethods]
impl ArrowStream {
    /// The batches as a capsule, by Arrow's PyCapsule interface.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // Another schema may be asked for, and need not be given.
        drop(requested_schema);
        let taken = self.stream.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(labelled) = taken else {
            return Err(PyRuntimeError::new_err("this stream was read already"));
        };
        let reader = Exported { labelled, raised: Arc::clone(&self.raised) };
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(reader)), c"arrow_array_stream")
    }

    /// The schema as a capsule.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.schema)
    }

    /// Raises what a signal raised while the stream was read, if one came.
    fn raise_signal(&self) -> PyResult<()> {
        let raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner).take();
        raised.map_or(Ok(()), Err)
    }

    /// Names of the columns.
    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    fn __repr__(&self) -> String {
        format!("<ArrowStream: {}>", self.column_names().join(", "))
    }
}
