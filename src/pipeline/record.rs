//! Records as they are labelled: a line and the text in it.

use crate::corpus::{InputError, InputFormat, Record, RecordLine, page_ranges};
use std::borrow::Cow;
use std::ops::Range;

/// Longest value of `id` that names a record, in bytes. A longer one is no name: it would stand in every row of the record.
const NAME_LIMIT_BYTES: usize = 1024;

/// A record whose text was found.
pub(crate) struct ParsedRecord<'chunk> {
    /// The line that it is.
    pub line: &'chunk RecordLine,
    /// `None` for a line of plain text.
    pub object: Option<Record<'chunk>>,
    /// What is to be labelled.
    pub text: Cow<'chunk, str>,
}

/// A record that has no text, with its object if it is one.
pub(crate) struct NoText<'chunk> {
    /// What is wrong with it.
    pub error: InputError,
    /// What it is otherwise.
    pub object: Option<Record<'chunk>>,
}

impl<'chunk> ParsedRecord<'chunk> {
    /// Reads a record; `text_field` names the field of its text if it is an object.
    pub fn parse(line: &'chunk RecordLine, text_field: &str) -> Result<ParsedRecord<'chunk>, Box<NoText<'chunk>>> {
        ParsedRecord::parse_with(line, |object| object.text(text_field))
    }

    /// Reads a record; `text` finds its text if it is an object.
    pub fn parse_with(
        line: &'chunk RecordLine,
        text: impl FnOnce(&Record<'chunk>) -> Result<Cow<'chunk, str>, InputError>,
    ) -> Result<ParsedRecord<'chunk>, Box<NoText<'chunk>>> {
        match line.format {
            InputFormat::Text | InputFormat::Markdown | InputFormat::Html => {
                let text = line.text.strip_suffix('\r').unwrap_or(&line.text);
                Ok(ParsedRecord { line, object: None, text: Cow::Borrowed(text) })
            }
            // Rows of tables, messages and texts of archives come as JSON.
            InputFormat::Jsonl
            | InputFormat::Csv
            | InputFormat::Tsv
            | InputFormat::Mail
            | InputFormat::Warc
            | InputFormat::Parquet
            | InputFormat::Arrow
            | InputFormat::Wxr
            | InputFormat::Disqus
            | InputFormat::Sql
            | InputFormat::Yaml
            | InputFormat::Sqlite => {
                let object = Record::parse(&line.text).map_err(|error| Box::new(NoText { error, object: None }))?;
                match text(&object) {
                    Ok(text) => Ok(ParsedRecord { line, object: Some(object), text }),
                    Err(error) => Err(Box::new(NoText { error, object: Some(object) })),
                }
            }
        }
    }

    /// The record's id, else its file and line.
    pub fn doc(&self) -> String {
        match self.object.as_ref().and_then(|object| object.name("id")) {
            Some(id) if id.len() <= NAME_LIMIT_BYTES => id.into_owned(),
            _ => self.line.place(),
        }
    }
}

/// The pages among those items of a chunk that are used, as ranges; `pages` are the chunk's, `positions` those of the items in
/// it. What was set aside between two of them leaves them on one page.
pub(crate) fn record_pages(pages: &[u64], positions: impl Iterator<Item = usize>) -> Vec<Range<usize>> {
    page_ranges(&positions.map(|position| pages.get(position)).collect::<Vec<_>>())
}
