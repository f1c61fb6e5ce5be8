//! What got no label: the first few of each kind as they come, all of them counted, and all of them in a file for whoever
//! wants it.

use super::error::CliError;
use super::output::{Output, Target};
use super::progress::Progress;
use super::tell;
use crate::corpus::{Decoded, InputError};
use crate::output::RowBlock;
use crate::pipeline::{LabelError, Rejected};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Messages of one kind that are told as they come. Whoever has 200,000 bad records wants to read of five.
const TOLD_OF_A_KIND: u64 = 5;

/// Fields of a record whose names are told.
const MOST_NAMES: usize = 12;

/// Fields that hold the text in data sets and exports that people have, the likeliest first.
const TEXT_FIELDS: [&str; 12] = [
    "content",
    "body",
    "text",
    "comment",
    "comment_text",
    "comment_content",
    "message",
    "raw_content",
    "article",
    "document",
    "review",
    "html",
];

/// Messages of one command.
pub(super) struct Messages {
    kinds: BTreeMap<&'static str, Kind>,
    /// Whether rows of everything are wanted.
    rows: bool,
    quiet: bool,
    /// The source whose decoding was told last.
    decoded: Option<Arc<str>>,
}

/// The file of everything that was set aside, where one is asked for.
pub(super) struct ErrorFile(Option<Output>);

impl ErrorFile {
    /// Opens it.
    pub fn open(target: Option<&Target>) -> Result<ErrorFile, CliError> {
        target.map(Output::open).transpose().map(ErrorFile)
    }

    /// Whether there is one.
    pub fn is_wanted(&self) -> bool {
        self.0.is_some()
    }

    /// Appends rows, as [`Messages::take`] gives them.
    pub fn write(&mut self, rows: &RowBlock) -> Result<(), CliError> {
        self.0.as_mut().map_or(Ok(()), |file| file.write(rows.bytes()))
    }

    /// Makes it appear.
    pub fn finish(self) -> Result<(), CliError> {
        self.0.map_or(Ok(()), Output::finish)
    }
}

/// What came of one kind.
struct Kind {
    count: u64,
    /// The reason of the first, without file and line.
    example: String,
    /// What to do about it.
    hint: Option<String>,
}

/// A line of the file of `--errors`.
///
/// ```json
/// {"file": "rows.jsonl", "line": 7, "record": null, "paragraph": null, "kind": "missing_field", "reason": "no field `text`",
///  "input": "{}"}
/// ```
///
/// `record` is the record's number where the line does not tell it. `input` is the record as it stands in the file, `null`
/// where it could not be read as text or a whole file is meant.
#[derive(Serialize)]
struct ErrorRow<'a> {
    file: &'a str,
    line: Option<u64>,
    record: Option<u64>,
    paragraph: Option<u64>,
    kind: &'a str,
    reason: String,
    input: Option<&'a str>,
}

impl Messages {
    /// Messages; `rows` is whether rows of everything that was set aside are wanted.
    pub fn new(rows: bool, quiet: bool) -> Messages {
        Messages { kinds: BTreeMap::new(), rows, quiet, decoded: None }
    }

    /// Tells once for each source that it, or lines of it, were not UTF-8.
    pub fn take_decoded(&mut self, decoded: &[Decoded], progress: &Progress) {
        for lines in decoded {
            if self.decoded.as_ref() != Some(&lines.source) {
                progress.tell_failure(&lines.to_string());
                self.decoded = Some(Arc::clone(&lines.source));
            }
        }
    }

    /// Takes what a chunk set aside, and gives the rows of it that are wanted.
    pub fn take(&mut self, rejected: &[Rejected], progress: &Progress) -> RowBlock {
        let mut rows = RowBlock::default();
        for rejected in rejected {
            let reason = rejected.explanation();
            let kind = self.kinds.entry(rejected.kind()).or_insert_with(|| Kind {
                count: 0,
                example: reason.clone(),
                hint: hint(rejected),
            });
            kind.count += 1;
            if kind.count <= TOLD_OF_A_KIND {
                progress.tell_failure(&rejected.to_string());
            }
            if self.rows {
                let row = ErrorRow {
                    file: &rejected.source,
                    line: rejected.line,
                    record: rejected.record,
                    paragraph: rejected.paragraph,
                    kind: rejected.kind(),
                    reason,
                    input: rejected.input.as_deref(),
                };
                rows.push(|out| {
                    serde_json::to_writer(&mut *out, &row).expect("a message can be written as JSON; this is a bug");
                    out.push(b'\n');
                });
            }
        }
        rows
    }

    /// Tells how many there were of each kind, where not all were told, and what to do about them.
    pub fn finish(self) {
        let no_file = !self.rows;
        let mut untold = 0;
        for Kind { count, example, hint } in self.kinds.values() {
            if *count > TOLD_OF_A_KIND {
                untold += count - TOLD_OF_A_KIND;
                tell(format_args!("{count} in all like: {example}"));
            }
            if let Some(hint) = hint {
                tell(format_args!("hint: {hint}"));
            }
        }
        if untold > 0 && no_file && !self.quiet {
            tell(format_args!("--errors FILE takes every one of them, with file, line and reason"));
        }
    }
}

/// What helps against a kind of error, where something does.
fn hint(rejected: &Rejected) -> Option<String> {
    let LabelError::Input(InputError::MissingField { field: missing }) = &rejected.reason else { return None };
    // Labelled rows need their label too, for which no other field stands in.
    if missing == "label" {
        return None;
    }
    let record: Value = serde_json::from_str(rejected.input.as_deref()?).ok()?;
    let mut names: Vec<&str> = record.as_object()?.keys().map(String::as_str).collect();
    let more = if names.len() > MOST_NAMES { ", …" } else { "" };
    names.truncate(MOST_NAMES);
    let names = names.join(", ");
    match text_field(&record) {
        Some(field) => Some(format!("did you mean --text-field {field}? the fields are {names}{more}")),
        None if names.is_empty() => None,
        None => Some(format!("name the field of the text with --text-field; the fields are {names}{more}")),
    }
}

/// The field that most likely holds a record's text; a dot leads into an object.
fn text_field(record: &Value) -> Option<String> {
    let mut texts = Vec::new();
    collect_texts(record, "", 0, &mut texts);
    let named = TEXT_FIELDS.iter().find_map(|name| {
        texts.iter().find(|(path, _)| path.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case(name)))
    });
    let longest = || texts.iter().filter(|(_, text)| text.contains(' ')).max_by_key(|(_, text)| text.len());
    named.or_else(longest).map(|(path, _)| path.clone())
}

fn collect_texts<'a>(value: &'a Value, path: &str, depth: usize, texts: &mut Vec<(String, &'a str)>) {
    let Value::Object(fields) = value else { return };
    for (name, value) in fields {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match value {
            Value::String(text) => texts.push((path, text)),
            Value::Object(_) if depth < 3 => collect_texts(value, &path, depth + 1, texts),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_field_of_the_text_is_guessed() {
        let guess = |record: Value| text_field(&record);
        assert_eq!(guess(json!({"id": "a", "content": "x"})).as_deref(), Some("content"));
        assert_eq!(guess(json!({"meta": {"lang": "en"}, "data": {"Text": "x y"}})).as_deref(), Some("data.Text"));
        assert_eq!(guess(json!({"url": "http://a", "words": "some words", "notes": "a b"})).as_deref(), Some("words"));
        assert_eq!(guess(json!({"n": 1})), None);
    }
}
