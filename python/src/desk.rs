//! The class behind `copydesk.Labeler`.

use crate::answers::Answers;
use crate::errors::{self, NotTextError, OptionError};
use crate::stream::{ArrowStream, Labelled};
use crate::table::{ArrowBatch, Layout, Unit};
use crate::texts::{text, texts};
use crate::work::interruptible;
use arrow_array::RecordBatch;
use arrow_pyarrow::FromPyArrow;
use copydesk::text::split_with;
use copydesk::{Comment, CommentFilter, Copydesk, Paragraphs, Region};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};
use std::ffi::OsString;

/// An opened model.
#[pyclass(frozen, module = "copydesk._copydesk")]
pub struct Desk {
    desk: Copydesk,
}

#[pymethods]
impl Desk {
    #[new]
    #[pyo3(signature = (model, threads, paragraphs, region, furniture, any_language))]
    fn new(
        py: Python<'_>,
        model: OsString,
        threads: usize,
        paragraphs: &str,
        region: Option<&str>,
        furniture: bool,
        any_language: bool,
    ) -> PyResult<Desk> {
        let name = model.to_string_lossy().into_owned();
        let mut builder = Copydesk::builder().model(model).threads(threads).paragraphs(mode(paragraphs)?);
        if let Some(region) = region {
            let region: Region = region.parse().map_err(|error| OptionError::new_err(format!("region: {error}")))?;
            builder = builder.region(region);
        }
        if !furniture {
            builder = builder.without_furniture();
        }
        if any_language {
            builder = builder.any_language();
        }
        let desk = py.detach(|| builder.build()).map_err(|error| errors::opening(&name, &error))?;
        Ok(Desk { desk })
    }

    /// The same model with another number of threads.
    fn with_threads(&self, threads: usize) -> Desk {
        Desk { desk: self.desk.with_threads(threads) }
    }

    /// Names of the labels, in the order of the scores.
    fn labels(&self) -> Vec<&str> {
        self.desk.labels().iter().map(copydesk::Label::as_str).collect()
    }

    /// The paragraphs of each text.
    fn label_many<'py>(&self, py: Python<'py>, list: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        self.paragraphs_of(py, &texts(list, "texts")?, true)
    }

    /// The paragraphs of one text.
    fn label<'py>(&self, py: Python<'py>, one: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.paragraphs_of(py, &[text(one, || "text".to_owned())?], false)?.get_item(0)
    }

    /// The blocks of an HTML page.
    fn label_html<'py>(&self, py: Python<'py>, page: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let page = text(page, || "page".to_owned())?;
        let blocks = interruptible(py, &self.desk, page.len(), |desk| desk.label_html(&page))?;
        let blocks = blocks.map_err(|error| errors::label(None, &error))?;
        Answers::new(py, self.desk.labels()).blocks(&page, &blocks)
    }

    /// Whole texts, each alone.
    fn label_records<'py>(&self, py: Python<'py>, list: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let texts = texts(list, "texts")?;
        let answers = interruptible(py, &self.desk, bytes(&texts), |desk| desk.label_records(&texts))?;
        Answers::new(py, self.desk.labels()).records(0, &answers)
    }

    /// Whole texts beside the others of their page.
    fn label_pages<'py>(&self, py: Python<'py>, pages: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        if pages.is_instance_of::<PyString>() {
            return Err(NotTextError::new_err("expected a list of pages, each a list of texts, got str"));
        }
        let Ok(items) = pages.try_iter() else {
            let kind = pages.get_type().name()?;
            return Err(NotTextError::new_err(format!("expected a list of pages, each a list of texts, got {kind}")));
        };
        let pages: Vec<Vec<String>> =
            items.map(|page| texts(&page?, "texts for each page")).collect::<PyResult<_>>()?;
        let size = pages.iter().map(|page| bytes(page)).sum();
        let answers = interruptible(py, &self.desk, size, |desk| desk.label_pages(&pages))?;
        let makes = Answers::new(py, self.desk.labels());
        let list = PyList::empty(py);
        let mut first = 0;
        for page in &pages {
            list.append(makes.records(first, &answers[first..first + page.len()])?)?;
            first += page.len();
        }
        Ok(list)
    }

    /// Judges comments: texts, or objects of JSON where the first of the pair says so.
    fn spam<'py>(
        &self,
        py: Python<'py>,
        comments: Vec<(bool, Bound<'py, PyAny>)>,
        threshold: Option<f32>,
    ) -> PyResult<Bound<'py, PyList>> {
        let comments: Vec<Comment> =
            comments.iter().enumerate().map(|(index, given)| comment(given, index)).collect::<PyResult<_>>()?;
        let size = comments.iter().map(|comment| comment.body().len()).sum();
        // Made before the work begins, so that a model without spam is told as such.
        CommentFilter::over(&self.desk).map_err(|error| errors::model(&error))?;
        let answers = interruptible(py, &self.desk, size, |desk| {
            let filter = CommentFilter::over(desk)?;
            let filter = threshold.map_or_else(|| filter.clone(), |threshold| filter.clone().threshold(threshold));
            Ok(filter.judge(&comments))
        })?;
        let answers = answers.map_err(|error| errors::model(&error))?;
        Answers::new(py, self.desk.labels()).judgements(&answers)
    }

    /// The score from which a comment is spam, where no other is given.
    fn spam_threshold(&self) -> PyResult<f32> {
        let filter = CommentFilter::over(&self.desk).map_err(|error| errors::model(&error))?;
        Ok(filter.spam_threshold())
    }

    /// Labels a batch of Arrow's that is in memory.
    #[pyo3(signature = (batch, text, page, unit, plain))]
    fn label_batch(
        &self,
        py: Python<'_>,
        batch: &Bound<'_, PyAny>,
        text: &str,
        page: Option<&str>,
        unit: &str,
        plain: bool,
    ) -> PyResult<ArrowBatch> {
        let batch = RecordBatch::from_pyarrow_bound(batch).map_err(|error| errors::imported(py, error))?;
        let layout = Layout::new(&batch.schema(), text, page, Unit::of(unit)?, plain, self.desk.labels())?;
        let labelled = py.detach(|| Labelled::new(std::iter::once(Ok(batch)), layout, self.desk.clone()).whole())?;
        Ok(ArrowBatch::new(labelled))
    }

    /// Labels a stream of batches as its reader asks for them.
    #[pyo3(signature = (stream, text, page, unit, plain))]
    fn label_stream(
        &self,
        stream: &Bound<'_, PyAny>,
        text: &str,
        page: Option<&str>,
        unit: &str,
        plain: bool,
    ) -> PyResult<ArrowStream> {
        ArrowStream::open(stream, |schema| {
            Ok((Layout::new(schema, text, page, Unit::of(unit)?, plain, self.desk.labels())?, self.desk.clone()))
        })
    }
}

impl Desk {
    fn paragraphs_of<'py>(&self, py: Python<'py>, texts: &[String], are_many: bool) -> PyResult<Bound<'py, PyList>> {
        let answers = interruptible(py, &self.desk, bytes(texts), |desk| desk.label_all(texts))?;
        let makes = Answers::new(py, self.desk.labels());
        let list = PyList::empty(py);
        for (index, (text, answer)) in texts.iter().zip(answers).enumerate() {
            let paragraphs = answer.map_err(|error| errors::label(are_many.then_some(index), &error))?;
            list.append(makes.paragraphs(text, &paragraphs)?)?;
        }
        Ok(list)
    }
}

/// Where the paragraphs of a text stand: pairs of positions, counted in characters.
#[pyfunction]
#[pyo3(signature = (one, paragraphs))]
pub fn split(py: Python<'_>, one: &Bound<'_, PyAny>, paragraphs: &str) -> PyResult<Vec<(usize, usize)>> {
    let (text, mode) = (text(one, || "text".to_owned())?, mode(paragraphs)?);
    Ok(py.detach(|| {
        let (mut byte, mut characters) = (0, 0);
        let mut before = |offset: usize| {
            characters += text[byte..offset].chars().count();
            byte = offset;
            characters
        };
        split_with(&text, mode).iter().map(|found| (before(found.span.start), before(found.span.end))).collect()
    }))
}

fn mode(name: &str) -> PyResult<Paragraphs> {
    match name {
        "auto" => Ok(Paragraphs::Auto),
        "blank" => Ok(Paragraphs::Blank),
        "line" => Ok(Paragraphs::Line),
        "layout" => Ok(Paragraphs::Layout),
        other => Err(OptionError::new_err(format!(
            "paragraphs: expected `auto`, `blank`, `line` or `layout`, got `{other}`"
        ))),
    }
}

fn bytes(texts: &[String]) -> usize {
    texts.iter().map(String::len).sum()
}

/// A comment: its text, or what is known of it as a JSON object.
fn comment((is_object, given): &(bool, Bound<'_, PyAny>), index: usize) -> PyResult<Comment> {
    let given = text(given, || format!("comment {index}"))?;
    match is_object {
        true => CommentFilter::comment_of(&given)
            .map_err(|error| NotTextError::new_err(format!("comment {index}: {error}"))),
        false => Ok(Comment::new(given)),
    }
}
