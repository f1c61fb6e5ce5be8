//! Records as commands use them, and predictions that survive a bad text.

use super::job::Worked;
use crate::corpus::{Chunk, Failure, InputError, InputFormat, Item, Record, RecordLine};
use crate::model::{ModelError, Prediction, Session};
use std::borrow::Cow;
use std::sync::Arc;

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
            None => format!("{}:{}", self.line.source, self.line.line),
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
                let failure = Failure { source: Arc::clone(&line.source), line: Some(line.line), error };
                worked.fail(position, failure.to_string());
            }
        }
    }
    records
}

/// Labels texts together, or one by one where one of them makes the model fail, so that only that one is lost.
pub(super) fn predict(session: &mut Session<'_>, texts: &[&str]) -> Vec<Result<Prediction, ModelError>> {
    match session.classify(texts) {
        Ok(predictions) => predictions.into_iter().map(Ok).collect(),
        Err(_) => texts.iter().map(|text| predict_one(session, text)).collect(),
    }
}

fn predict_one(session: &mut Session<'_>, text: &str) -> Result<Prediction, ModelError> {
    session.classify(&[text]).map(|predictions| predictions[0])
}
