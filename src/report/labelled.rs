//! A row that `copydesk label` wrote, read back.

use super::fields::input_value;
use crate::corpus::{InputError, Record};
use crate::query::{Fields, Value};
use std::borrow::Cow;

/// Row fields that are numbers. From CSV they come as texts.
const NUMBERS: [&str; 8] = ["line", "paragraph", "start", "end", "confidence", "tokens", "windows", "content"];

/// Row fields that are texts where there are any. From CSV they come as empty texts where there are none.
const TEXTS: [&str; 3] = ["label", "lang", "reason"];

/// A labelled paragraph or record: any object with a field `label`.
#[derive(Clone, Debug)]
pub struct LabelledRow<'a> {
    record: Record<'a>,
    text_field: &'a str,
}

impl<'a> LabelledRow<'a> {
    /// Reads a row; `text_field` names the field of its text, if it has one.
    ///
    /// # Errors
    /// [`InputError::InvalidJson`], [`InputError::NotAnObject`], and where the label is missing or is neither a text nor null,
    /// [`InputError::MissingField`] and [`InputError::FieldNotString`].
    pub fn parse(line: &'a str, text_field: &'a str) -> Result<LabelledRow<'a>, InputError> {
        let record = Record::parse(line)?;
        match record.value("label") {
            Some("null") => {}
            _ => drop(record.text("label")?),
        }
        Ok(LabelledRow { record, text_field })
    }

    /// The label; `None` where no label was given.
    pub fn label(&self) -> Option<Cow<'_, str>> {
        self.text_of("label")
    }

    /// The label's probability; `None` where there is none, or a number that is no probability.
    pub fn confidence(&self) -> Option<f64> {
        self.number("confidence").filter(|confidence| (0.0..=1.0).contains(confidence))
    }

    /// The text, where the row has it.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        self.record.text(self.text_field).ok()
    }

    /// A whole number.
    pub fn count(&self, name: &str) -> Option<u64> {
        self.number(name).filter(|number| *number >= 0.0 && number.fract() == 0.0).map(|number| number as u64)
    }

    /// A field as it is shown: a text, or what stands for any other value; `None` for null and for an empty text.
    pub fn text_of(&self, name: &str) -> Option<Cow<'_, str>> {
        match self.record.value_at(name)? {
            "null" => None,
            value => Some(Record::string(value).unwrap_or(Cow::Borrowed(value))).filter(|text| !text.is_empty()),
        }
    }

    /// The file that the row's text stands in: `file`, else what `doc` begins with.
    pub fn source(&self) -> Option<Cow<'_, str>> {
        self.text_of("file").or_else(|| {
            self.text_of("doc").map(|doc| match doc {
                Cow::Borrowed(doc) => Cow::Borrowed(file_part(doc)),
                Cow::Owned(doc) => Cow::Owned(file_part(&doc).to_owned()),
            })
        })
    }

    fn number(&self, name: &str) -> Option<f64> {
        let value = self.record.value_at(name)?;
        let number = match Record::string(value) {
            Some(text) => text.trim().parse().ok(),
            None => value.parse().ok(),
        };
        number.filter(|number: &f64| number.is_finite())
    }
}

impl Fields for LabelledRow<'_> {
    fn value(&self, name: &str) -> Value<'_> {
        // A column of CSV has the bare name of its label.
        let (path, of_score) = match name.strip_prefix("scores.") {
            Some(label) if self.record.value("scores").is_none() => (label, true),
            Some(_) => (name, true),
            None => (name, false),
        };
        let path = if path == "text" && !of_score { self.text_field } else { path };
        let value = self.record.value_at(path).map_or(Value::Null, input_value);
        match value {
            Value::Text(text) if of_score || NUMBERS.contains(&name) => match text.trim() {
                "" => Value::Null,
                trimmed => trimmed.parse().map_or(Value::Text(text), Value::Number),
            },
            Value::Text(text) if text.is_empty() && TEXTS.contains(&name) => Value::Null,
            value => value,
        }
    }
}

/// A document's name without the line and the number of a record: `rows.jsonl` of `rows.jsonl:7:2`.
fn file_part(doc: &str) -> &str {
    let mut file = doc;
    for _ in 0..2 {
        match file.rsplit_once(':') {
            Some((rest, number))
                if !rest.is_empty() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                file = rest;
            }
            _ => break,
        }
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Expression;

    #[test]
    fn rows_of_json_and_of_csv_say_the_same() {
        let json = r#"{"doc": "a.txt", "paragraph": 2, "label": "opinion", "confidence": 0.75, "scores": {"opinion": 0.75,
            "other": 0.25}, "tokens": 7, "windows": 1, "lang": null, "text": "t"}"#;
        let csv = r#"{"doc": "a.txt", "paragraph": "2", "label": "opinion", "confidence": "0.75", "opinion": "0.75",
            "other": "0.25", "tokens": "7", "windows": "1", "lang": "", "reason": "", "text": "t"}"#;
        for line in [json, csv] {
            let row = LabelledRow::parse(line, "text").unwrap();
            assert_eq!(
                (row.label().as_deref(), row.confidence(), row.count("tokens")),
                (Some("opinion"), Some(0.75), Some(7))
            );
            assert_eq!((row.text().as_deref(), row.text_of("lang"), row.count("lang")), (Some("t"), None, None));
            for text in [
                "scores.opinion == 0.75 and scores.other < 0.3 and scores.none == null",
                "paragraph == 2 and confidence > 0.7 and tokens == 7 and windows == 1",
                "lang == null and reason == null and text == 't' and doc == 'a.txt' and start == null",
            ] {
                assert!(Expression::parse(text).unwrap().matches(&row), "{text}: {line}");
            }
        }
        let row =
            LabelledRow::parse(r#"{"label": null, "confidence": 3, "body": "b", "line": "one"}"#, "body").unwrap();
        assert_eq!((row.label(), row.confidence(), row.text().as_deref()), (None, None, Some("b")));
        assert!(Expression::parse("label == null and text == 'b' and line == 'one'").unwrap().matches(&row));
    }

    #[test]
    fn what_has_no_label_is_no_row() {
        let error = |line: &str| LabelledRow::parse(line, "text").unwrap_err().to_string();
        assert_eq!(error(r#"{"text": "a"}"#), "no field `label`");
        assert_eq!(error(r#"{"label": 5}"#), "field `label` must be a string, got a number");
        assert!(error("text").starts_with("invalid JSON"));
    }

    #[test]
    fn a_source_is_the_file_of_the_document() {
        for (doc, file) in [
            ("a.txt", "a.txt"),
            ("d/rows.jsonl:7", "d/rows.jsonl"),
            ("rows.jsonl:7:2", "rows.jsonl"),
            ("http://a.example:80/", "http://a.example:80/"),
            ("a:1:2:3", "a:1"),
            (":7", ":7"),
            ("a:", "a:"),
        ] {
            assert_eq!(file_part(doc), file);
        }
        let row = LabelledRow::parse(r#"{"label": "x", "doc": "b\u00e9:7", "file": "f:1"}"#, "text").unwrap();
        assert_eq!(row.source().as_deref(), Some("f:1"));
        let row = LabelledRow::parse(r#"{"label": "x", "doc": "b\u00e9:7", "file": null}"#, "text").unwrap();
        assert_eq!(row.source().as_deref(), Some("bé"));
    }
}
