//! Labelled rows of everything that was read, one after another.

use super::answers::LabelledText;
use super::desk::Copydesk;
use super::job::{self, Input, Worked};
use super::labeller::{Event, Labelled, Labeller};
use super::options::RowOptions;
use super::ordered::Ordered;
use super::rejected::Rejected;
use crate::corpus::{Choice, Position, Sources, resolve};
use crate::label::{Label, Scores};
use crate::text::Doubt;
use std::io::Read;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// A paragraph or a record of an input with its label.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// Name of the source: a path, or `-` for a reader.
    pub source: Arc<str>,
    /// Line of the record in the source, from 1; in an archive, its number; `None` for paragraphs of a text.
    pub line: Option<u64>,
    /// Name of the document: the source, or a record's `id`, or source and line of a record without one.
    pub document: String,
    /// Number of the paragraph in its document, from 0; `None` for a whole record.
    pub paragraph: Option<u64>,
    /// UTF-8 byte offsets of the paragraph in its document, or in the decoded text of its record.
    pub span: Range<u64>,
    /// As it stands in the document; of an HTML page, the text between the tags.
    pub text: String,
    /// The probability that it is the main content of its HTML page, 0 to 1; `None` for all else.
    pub content: Option<f32>,
    /// The most probable label.
    pub label: Label,
    /// Its probability, 0 to 1.
    pub confidence: f32,
    /// The probabilities of all labels.
    pub scores: Scores,
    /// WordPiece tokens, special tokens not counted.
    pub tokens: usize,
    /// Windows that the text was read in.
    pub windows: usize,
    /// ISO 639-1 code of its language, where it can be told.
    pub lang: Option<&'static str>,
    /// Why no label is confident: the text is not English, or cannot be read. See [`crate::text::language()`].
    pub doubt: Option<Doubt>,
}

/// The rows of an input in its order; what gets no label is an error in its place, and the rows after it still come.
pub struct Rows {
    chunks: Ordered<Worked<Vec<Result<Row, Rejected>>>>,
    rows: std::vec::IntoIter<Result<Row, Rejected>>,
}

impl Copydesk {
    /// Labels everything that a reader gives, row after row, in order and in bounded memory.
    ///
    /// The input is read on a thread of its own; dropping the rows ends the work.
    pub fn rows(&self, input: impl Read + Send + 'static, options: &RowOptions) -> Rows {
        Rows::start(self, Sources::of_reader(input), options)
    }

    /// Labels files and folders, as [`Copydesk::rows`] does for a reader. A folder stands for all files below it.
    pub fn rows_of(&self, paths: &[PathBuf], options: &RowOptions) -> Rows {
        Rows::start(self, resolve(paths), options)
    }
}

impl Rows {
    fn start(desk: &Copydesk, sources: Sources, options: &RowOptions) -> Rows {
        let labeller = Labeller::new(options);
        let input = Input {
            sources,
            options: options.read(),
            page_field: options.page_field.clone(),
            choice: Choice::All,
            from: Position::default(),
            by_source: false,
        };
        let worker = desk.clone();
        let chunks =
            job::start(desk.model(), desk.threads(), input, move |session, chunk, worked: &mut Worked<Vec<_>>| {
                labeller.label(session, chunk, &mut |event| {
                    worked.output.push(match event {
                        Event::Document(_) => return,
                        Event::Labelled(labelled) => Ok(row(&worker, labelled)),
                        Event::Rejected { rejected, .. } => Err(rejected),
                    });
                });
            });
        Rows { chunks, rows: Vec::new().into_iter() }
    }
}

fn row(desk: &Copydesk, labelled: Labelled<'_>) -> Row {
    let Labelled { part, paragraph, text, block, language, prediction, .. } = labelled;
    let LabelledText { label, confidence, scores, tokens, windows, lang, doubt } = desk.answer(prediction, language);
    let (paragraph, span) = match paragraph {
        Some((number, span)) => (Some(number), span),
        None => (None, 0..text.len() as u64),
    };
    let (source, line, document) = (Arc::clone(part.source()), part.line(), part.doc().to_owned());
    Row {
        source,
        line,
        document,
        paragraph,
        span,
        text: text.to_owned(),
        content: block.map(|block| block.content),
        label,
        confidence,
        scores,
        tokens,
        windows,
        lang,
        doubt,
    }
}

impl Iterator for Rows {
    type Item = Result<Row, Rejected>;

    fn next(&mut self) -> Option<Result<Row, Rejected>> {
        loop {
            if let Some(row) = self.rows.next() {
                return Some(row);
            }
            self.rows = self.chunks.next()?.output.into_iter();
        }
    }
}
