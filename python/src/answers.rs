//! Answers as the named tuples of `copydesk._types`.

use crate::errors;
use copydesk::text::Doubt;
use copydesk::{Judgement, LabelError, LabelSet, LabelledBlock, LabelledParagraph, LabelledText, Scores};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString, PyType};

static PARAGRAPH: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static RECORD: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static BLOCK: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static JUDGEMENT: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// Makes answers; the names of the labels are made once.
pub struct Answers<'py> {
    py: Python<'py>,
    labels: Vec<Bound<'py, PyString>>,
}

impl<'py> Answers<'py> {
    pub fn new(py: Python<'py>, labels: &LabelSet) -> Answers<'py> {
        Answers { py, labels: labels.iter().map(|label| PyString::new(py, label.as_str())).collect() }
    }

    /// The paragraphs of a text. Positions are counted in characters, as Python does, and in bytes of UTF-8.
    pub fn paragraphs(&self, text: &str, paragraphs: &[LabelledParagraph<'_>]) -> PyResult<Bound<'py, PyList>> {
        let class = PARAGRAPH.import(self.py, "copydesk._types", "Paragraph")?;
        let list = PyList::empty(self.py);
        let mut characters = Characters::new(text);
        for paragraph in paragraphs {
            let span = &paragraph.span;
            let (start, end) = (characters.before(span.start), characters.before(span.end));
            list.append(class.call1((
                start,
                end,
                paragraph.text,
                self.label(&paragraph.scores),
                paragraph.confidence,
                self.scores(&paragraph.scores)?,
                paragraph.tokens,
                paragraph.windows,
                paragraph.lang,
                paragraph.doubt.map(Doubt::as_str),
                span.start,
                span.end,
            ))?)?;
        }
        Ok(list)
    }

    /// The blocks of an HTML page.
    pub fn blocks(&self, page: &str, blocks: &[LabelledBlock]) -> PyResult<Bound<'py, PyList>> {
        let class = BLOCK.import(self.py, "copydesk._types", "Block")?;
        let list = PyList::empty(self.py);
        let mut characters = Characters::new(page);
        for block in blocks {
            let (start, end) = (characters.before(block.span.start), characters.before(block.span.end));
            list.append(class.call1((
                start,
                end,
                block.text.as_str(),
                self.label(&block.scores),
                block.confidence,
                self.scores(&block.scores)?,
                block.tokens,
                block.windows,
                block.lang,
                block.doubt.map(Doubt::as_str),
                block.content,
                block.is_content,
            ))?)?;
        }
        Ok(list)
    }

    /// Whole texts. One that cannot be read, such as a blank one, gets no label, and the reason.
    pub fn records(&self, first: usize, answers: &[Result<LabelledText, LabelError>]) -> PyResult<Bound<'py, PyList>> {
        let class = RECORD.import(self.py, "copydesk._types", "Record")?;
        let list = PyList::empty(self.py);
        for (index, answer) in answers.iter().enumerate() {
            let record = match answer {
                Ok(text) => class.call1((
                    self.label(&text.scores),
                    text.confidence,
                    self.scores(&text.scores)?,
                    text.tokens,
                    text.windows,
                    text.lang,
                    text.doubt.map(Doubt::as_str),
                ))?,
                Err(LabelError::Input(error)) => {
                    let none = self.py.None();
                    class.call1((&none, &none, &none, 0, 0, &none, error.to_string()))?
                }
                Err(error) => return Err(errors::label(Some(first + index), error)),
            };
            list.append(record)?;
        }
        Ok(list)
    }

    /// Judgements of comments. One that cannot be read, such as a blank one, is not judged: it is no spam and has no score.
    pub fn judgements(&self, answers: &[Result<Judgement, LabelError>]) -> PyResult<Bound<'py, PyList>> {
        let class = JUDGEMENT.import(self.py, "copydesk._types", "Judgement")?;
        let list = PyList::empty(self.py);
        for (index, answer) in answers.iter().enumerate() {
            let judgement = match answer {
                Ok(Judgement { spam, score, reason, text_score, lang, .. }) => {
                    class.call1((spam, score, reason, text_score, lang))?
                }
                Err(LabelError::Input(error)) => {
                    let none = self.py.None();
                    class.call1((false, &none, error.to_string(), &none, &none))?
                }
                Err(error) => return Err(errors::label(Some(index), error)),
            };
            list.append(judgement)?;
        }
        Ok(list)
    }

    fn label(&self, scores: &Scores) -> &Bound<'py, PyString> {
        &self.labels[scores.best().0.index()]
    }

    fn scores(&self, scores: &Scores) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(self.py);
        for (label, score) in self.labels.iter().zip(scores.values()) {
            dict.set_item(label, score)?;
        }
        Ok(dict)
    }
}

/// Counts characters up to byte offsets, from one to the next.
struct Characters<'text> {
    text: &'text str,
    byte: usize,
    characters: usize,
}

impl<'text> Characters<'text> {
    fn new(text: &'text str) -> Characters<'text> {
        Characters { text, byte: 0, characters: 0 }
    }

    /// Characters before a byte offset. Offsets mostly come in order; a step back is as quick as one forward.
    fn before(&mut self, byte: usize) -> usize {
        if byte >= self.byte {
            self.characters += self.text[self.byte..byte].chars().count();
        } else {
            self.characters -= self.text[byte..self.byte].chars().count();
        }
        self.byte = byte;
        self.characters
    }
}
