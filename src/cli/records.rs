//! Records as commands use them, and predictions that survive a bad text.

use super::job::Worked;
use crate::corpus::{Chunk, InputError, InputFormat, Item, Record, RecordLine, page_ranges};
use crate::model::{ModelError, ModelSession, Page, Prediction};
use crate::text::FACT_COUNT;
use std::borrow::Cow;
use std::ops::Range;

/// A record whose text was found.
pub(super) struct ParsedRecord<'chunk> {
    pub line: &'chunk RecordLine,
    /// `None` for a line of plain text.
    pub object: Option<Record<'chunk>>,
    pub text: Cow<'chunk, str>,
}

impl<'chunk> ParsedRecord<'chunk> {
    /// Reads a record; `text_field` names the field of its text if it is an object.
    pub fn parse(line: &'chunk RecordLine, text_field: &str) -> Result<ParsedRecord<'chunk>, InputError> {
        match line.format {
            InputFormat::Jsonl => {
                let object = Record::parse(&line.text)?;
                let text = object.text(text_field)?;
                Ok(ParsedRecord { line, object: Some(object), text })
            }
            InputFormat::Text => {
                let text = line.text.strip_suffix('\r').unwrap_or(&line.text);
                Ok(ParsedRecord { line, object: None, text: Cow::Borrowed(text) })
            }
        }
    }

    /// The record's id, else its file and line.
    pub fn doc(&self) -> String {
        match self.object.as_ref().and_then(|object| object.name("id")) {
            Some(id) => id.into_owned(),
            None => self.line.place(),
        }
    }
}

/// The records of a chunk that `parse` accepts, with their positions; all others are set aside in `worked`.
pub(super) fn parse_records<'chunk, O, T>(
    chunk: &'chunk Chunk,
    worked: &mut Worked<O>,
    parse: impl Fn(&'chunk RecordLine) -> Result<T, InputError>,
) -> Vec<(usize, &'chunk RecordLine, T)> {
    let mut records = Vec::with_capacity(chunk.items.len());
    for (position, item) in chunk.items.iter().enumerate() {
        let line = match item {
            Item::Record(line) => line,
            Item::Failed(failure) => {
                worked.fail(position, failure.to_string());
                continue;
            }
            Item::Passage(_) => unreachable!("sources are read as records; this is a bug"),
        };
        match parse(line) {
            Ok(record) => records.push((position, line, record)),
            Err(error) => {
                worked.fail(position, line.failed(error).to_string());
            }
        }
    }
    records
}

/// A text with facts about it as it is written.
pub(super) struct PageText<'text> {
    /// As the model sees it.
    pub text: &'text str,
    pub facts: [f32; FACT_COUNT],
}

/// Labels texts together, or one by one where one of them makes the model fail, so that only that one is lost.
pub(super) fn predict(session: &mut ModelSession<'_>, texts: &[&str]) -> Vec<Result<Prediction, ModelError>> {
    match session.classify(texts) {
        Ok(predictions) => predictions.into_iter().map(Ok).collect(),
        Err(_) => texts.iter().map(|text| predict_one(session, text)).collect(),
    }
}

/// Texts that are labelled together, about so many: the vectors of all of them are in memory at once.
const BATCH_TEXTS: usize = 2048;

/// Labels texts beside the others of their page; `pages` are ranges that cover the texts in order. Where a text makes the
/// model fail, those around it are labelled as if each stood alone.
pub(super) fn predict_pages(
    session: &mut ModelSession<'_>,
    texts: &[PageText<'_>],
    pages: &[Range<usize>],
) -> Vec<Result<Prediction, ModelError>> {
    let mut predictions = Vec::with_capacity(texts.len());
    let mut rest = pages;
    while let Some(first) = rest.first() {
        let fitting = rest.iter().take_while(|page| page.end - first.start <= BATCH_TEXTS).count().max(1);
        let (batch, others) = rest.split_at(fitting);
        rest = others;
        let texts = &texts[first.start..batch[fitting - 1].end];
        let plain: Vec<&str> = texts.iter().map(|text| text.text).collect();
        let facts: Vec<[f32; FACT_COUNT]> = texts.iter().map(|text| text.facts).collect();
        let pages: Vec<Page<'_>> = batch
            .iter()
            .map(|page| page.start - first.start..page.end - first.start)
            .map(|page| Page { texts: &plain[page.clone()], facts: &facts[page] })
            .collect();
        match session.classify_pages(&pages) {
            Ok(labelled) => predictions.extend(labelled.into_iter().map(Ok)),
            Err(_) => predictions.extend(plain.iter().map(|text| predict_one(session, text))),
        }
    }
    predictions
}

/// The pages among those items of a chunk that are used, as ranges; `positions` are the items' places in the chunk. What was
/// set aside between two of them leaves them on one page.
pub(super) fn record_pages(chunk: &Chunk, positions: impl Iterator<Item = usize>) -> Vec<Range<usize>> {
    page_ranges(&positions.map(|position| chunk.pages.get(position)).collect::<Vec<_>>())
}

fn predict_one(session: &mut ModelSession<'_>, text: &str) -> Result<Prediction, ModelError> {
    session.classify(&[text]).map(|predictions| predictions[0])
}
