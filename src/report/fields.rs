//! A row that is about to be written, as an expression sees it.

use super::number::as_written;
use super::row::{RowSource, Verdict};
use crate::corpus::Record;
use crate::label::Label;
use crate::query::{Fields, Value};
use crate::text::Doubt;
use std::ops::Range;

/// Fields that a record row adds; an input field of one of these names is called `input_…` in the row, and so it is here.
const ADDED: [&str; 7] = ["label", "confidence", "scores", "tokens", "windows", "lang", "reason"];

/// What an input field of one of these names is called.
const KEPT: &str = "input_";

/// A paragraph or a record with its verdict. What is no field of the row is looked up in the record that it was made of.
#[derive(Clone, Copy, Debug)]
pub struct RowFields<'a> {
    /// Name of the document.
    pub doc: &'a str,
    /// Where it stands.
    pub source: RowSource<'a>,
    /// Number of the paragraph in the document and its byte span; `None` for a whole record.
    pub paragraph: Option<&'a (u64, Range<u64>)>,
    /// What was labelled.
    pub text: &'a str,
    /// The probability that it is the main content of its HTML page.
    pub content: Option<f32>,
    /// What it does there.
    pub verdict: &'a Verdict,
    /// The JSON object that it came from.
    pub object: Option<&'a Record<'a>>,
}

impl RowFields<'_> {
    /// A field of the object.
    fn input(&self, name: &str) -> Value<'_> {
        let Some(object) = self.object else { return Value::Null };
        let value = object.value_at(name).or_else(|| {
            let kept = name.strip_prefix(KEPT)?;
            let first = kept.split('.').next()?;
            ADDED.contains(&first).then(|| object.value_at(kept))?
        });
        value.map_or(Value::Null, input_value)
    }
}

impl Fields for RowFields<'_> {
    fn value(&self, name: &str) -> Value<'_> {
        let probability = |probability| Value::Number(as_written(probability));
        let RowFields { verdict, paragraph, .. } = self;
        match (name, paragraph) {
            ("label", _) => verdict.label.as_ref().map_or(Value::Null, |label: &Label| Value::text(label.as_str())),
            ("confidence", _) => probability(verdict.confidence),
            ("tokens", _) => Value::count(verdict.tokens as u64),
            ("windows", _) => Value::count(verdict.windows as u64),
            ("lang", _) => verdict.lang.map_or(Value::Null, Value::text),
            ("reason", _) => verdict.doubt.map_or(Value::Null, |doubt: Doubt| Value::text(doubt.as_str())),
            ("text", _) => Value::text(self.text),
            ("file", _) => Value::text(self.source.name),
            ("line", _) => self.source.line.map_or(Value::Null, Value::count),
            ("paragraph", Some((number, _))) => Value::count(*number),
            ("start", Some((_, span))) => Value::count(span.start),
            ("end", Some((_, span))) => Value::count(span.end),
            ("doc", Some(_)) => Value::text(self.doc),
            // A record keeps a field of this name in its row.
            ("doc", None) => match self.input(name) {
                Value::Null => Value::text(self.doc),
                doc => doc,
            },
            ("content", _) if self.content.is_some() => self.content.map_or(Value::Null, probability),
            _ => match name.strip_prefix("scores.") {
                Some(label) => verdict.scores.of(label).map_or(Value::Null, probability),
                None => self.input(name),
            },
        }
    }
}

/// A JSON value as an expression sees it: an array or an object is the text that it is written as.
pub(super) fn input_value(value: &str) -> Value<'_> {
    match value {
        "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => match Record::string(value) {
            Some(text) => Value::Text(text),
            None => value.parse().map_or_else(|_| Value::text(value), Value::Number),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::built_in::scores;
    use crate::query::Expression;

    fn verdict() -> Verdict {
        let scores = scores([0.05, 0.9, 0.05, 0.0, 0.0]);
        let label = Some(scores.best_label().0);
        Verdict { label, confidence: 0.9, scores, tokens: 7, windows: 2, lang: Some("en"), doubt: None }
    }

    fn wrong<'a>(row: &RowFields<'_>, expressions: &[&'a str]) -> Vec<&'a str> {
        let holds = |text: &str| Expression::parse(text).unwrap().matches(row);
        expressions.iter().copied().filter(|text| !holds(text)).collect()
    }

    #[test]
    fn a_paragraph_shows_its_row_and_its_record() {
        let line = r#"{"id": 5, "label": "old", "meta": {"site": "a", "ok": true}, "tags": ["x", "y"], "n": 1e3,
            "content": "words", "doc": "other", "file": "f", "z": null}"#;
        let (object, verdict) = (Record::parse(line).unwrap(), verdict());
        let source = RowSource { name: "rows.jsonl", line: Some(7) };
        let (paragraph, object) = ((3, 10..20), Some(&object));
        let mut row = RowFields {
            doc: "5",
            source,
            paragraph: Some(&paragraph),
            text: "té",
            content: None,
            verdict: &verdict,
            object,
        };
        let of_both = [
            "label == 'opinion' and input_label == 'old' and confidence == 0.9 and scores.opinion >= 0.9",
            "tokens == 7 and windows > 1 and lang == 'en' and reason == null",
            "file == 'rows.jsonl' and line == 7 and text == 'té' and content == 'words'",
            "meta.site == 'a' and meta.ok == true and tags contains '\"y\"' and n == 1000 and z == null and q == null",
            "scores.none == null and input_scores.x == null and meta contains 'site'",
        ];
        assert_eq!(wrong(&row, &of_both), [""; 0]);
        assert_eq!(wrong(&row, &["doc == '5' and paragraph == 3 and start == 10 and end == 20"]), [""; 0]);
        row.paragraph = None;
        assert_eq!(wrong(&row, &of_both), [""; 0]);
        assert_eq!(wrong(&row, &["doc == 'other' and paragraph == null and end == null"]), [""; 0]);
        (row.object, row.content) = (None, Some(0.25));
        assert_eq!(wrong(&row, &["doc == '5' and content == 0.25 and n == null"]), [""; 0]);
    }
}
