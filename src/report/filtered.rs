//! Comments with what was said of them, as JSON lines or as rows of a table.
//!
//! A comment that came as a JSON object keeps its bytes and gets these fields before its closing brace:
//!
//! ```json
//! {"id": 7, "text": "…", "spam": true, "spam_score": 0.987654, "reason": "a link in the name", "lang": "en"}
//! ```
//!
//! `spam_score` is `null` for a comment that was not judged, and `reason` says why. Where the text model's scores are asked for,
//! `label`, `confidence`, `scores`, `tokens` and `windows` follow, as in rows of records. An input field that has one of these names
//! is renamed: `input_spam` and so on. A row of a table has columns of the same names behind its own; instead of `scores` there is
//! a column for each label.

use super::csv;
use super::jsonl::{begin_record, push_lang, push_string, push_text_scores};
use super::number::push_probability;
use super::row::Verdict;
use crate::corpus::{Record, TableLayout};
use crate::label::{Label, LabelSet};
use std::borrow::Cow;

/// What a comment's row gets, the first four in any case.
const ADDED: [&str; 9] = ["spam", "spam_score", "reason", "lang", "label", "confidence", "scores", "tokens", "windows"];

/// How many of them the row has where no scores are asked for.
const WITHOUT_SCORES: usize = 4;

/// A comment with what was said of it.
#[derive(Clone, Copy, Debug)]
pub struct FilteredRow<'a> {
    /// What it came as; `None` for a line of text.
    pub object: Option<&'a Record<'a>>,
    /// What it says.
    pub text: &'a str,
    /// Whether it counts as spam.
    pub spam: bool,
    /// The probability that it is spam; `None` where it was not judged.
    pub score: Option<f32>,
    /// What speaks most for that, or why it was not judged.
    pub reason: &'a str,
    /// ISO 639-1 code of its language.
    pub lang: Option<&'static str>,
    /// What the text model says, where its scores are asked for.
    pub verdict: Option<&'a Verdict>,
}

/// A table to which columns are added.
#[derive(Clone, Debug)]
pub struct FilteredTable {
    layout: TableLayout,
    /// The text model's labels, where its scores are asked for.
    labels: Option<LabelSet>,
}

/// A record has a field that the table has no column for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoColumn {
    /// Name of the field.
    pub field: String,
}

/// Appends a comment as a JSON object and a line feed.
pub fn push_json(out: &mut Vec<u8>, row: &FilteredRow<'_>) {
    let added = if row.verdict.is_some() { ADDED.len() } else { WITHOUT_SCORES };
    begin_record(out, row.object, row.text, &ADDED[..added]);
    out.extend_from_slice(format!("\"spam\": {}, \"spam_score\": ", row.spam).as_bytes());
    match row.score {
        Some(score) => push_probability(out, score),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b", \"reason\": ");
    push_string(out, row.reason);
    push_lang(out, row.lang);
    if let Some(verdict) = row.verdict {
        out.extend_from_slice(b", ");
        push_text_scores(out, verdict);
    }
    out.extend_from_slice(b"}\n");
}

impl FilteredTable {
    /// A table with columns behind those of `layout`; with `labels`, the text model's scores too.
    pub fn new(layout: TableLayout, labels: Option<LabelSet>) -> FilteredTable {
        FilteredTable { layout, labels }
    }

    /// The row of column names.
    pub fn header(&self) -> Vec<u8> {
        let added = self.added();
        let mut names: Vec<Cow<'_, str>> = Vec::new();
        for column in &self.layout.columns {
            let mut name = column.written.clone();
            while added.iter().any(|ours| *ours == name)
                || name != column.written && self.layout.columns.iter().any(|other| other.written == name)
            {
                name.insert_str(0, "input_");
            }
            names.push(name.into());
        }
        names.extend(added.into_iter().map(Cow::Borrowed));
        let mut out = Vec::new();
        self.push(&mut out, &names);
        out
    }

    /// Appends a comment's row.
    ///
    /// # Errors
    /// [`NoColumn`] for a comment of another table: nothing of it must be lost.
    pub fn push_row(&self, out: &mut Vec<u8>, row: &FilteredRow<'_>) -> Result<(), NoColumn> {
        let Some(object) = row.object else { return Err(NoColumn { field: "text".to_owned() }) };
        let columns = &self.layout.columns;
        let has_column = |name: &str| columns.iter().any(|column| column.field == name);
        if let Some(field) = object.fields().iter().find(|field| !has_column(&field.key)) {
            return Err(NoColumn { field: field.key.clone().into_owned() });
        }
        let mut fields: Vec<Cow<'_, str>> = columns.iter().map(|column| value(object, &column.field)).collect();
        let probability = |probability: f32| {
            let mut digits = Vec::new();
            push_probability(&mut digits, probability);
            Cow::Owned(String::from_utf8_lossy(&digits).into_owned())
        };
        fields.push(Cow::Borrowed(if row.spam { "true" } else { "false" }));
        fields.push(row.score.map_or(Cow::Borrowed(""), probability));
        fields.push(row.reason.into());
        fields.push(row.lang.unwrap_or_default().into());
        if let Some(labels) = &self.labels {
            match row.verdict {
                Some(verdict) => {
                    fields.push(verdict.label.as_ref().map_or("", Label::as_str).to_owned().into());
                    fields.push(probability(verdict.confidence));
                    fields.extend(verdict.scores.values().iter().map(|&score| probability(score)));
                    fields.push(verdict.tokens.to_string().into());
                    fields.push(verdict.windows.to_string().into());
                }
                None => fields.extend(std::iter::repeat_n(Cow::Borrowed(""), labels.len() + 4)),
            }
        }
        self.push(out, &fields);
        Ok(())
    }

    /// Names of the columns behind those of the input.
    fn added(&self) -> Vec<&str> {
        let mut added = ADDED[..WITHOUT_SCORES].to_vec();
        if let Some(labels) = &self.labels {
            added.extend(["label", "confidence"]);
            added.extend(labels.ids().map(|id| labels.name(id)));
            added.extend(["tokens", "windows"]);
        }
        added
    }

    fn push(&self, out: &mut Vec<u8>, fields: &[Cow<'_, str>]) {
        let TableLayout { delimiter, quoted, line_end, .. } = self.layout;
        for (number, field) in fields.iter().enumerate() {
            if number > 0 {
                out.push(delimiter);
            }
            csv::push_field_with(out, field, delimiter, quoted);
        }
        out.extend_from_slice(line_end.as_bytes());
    }
}

/// A string as it is, all else as its JSON, nothing for what is absent or null.
fn value<'a>(object: &Record<'a>, field: &str) -> Cow<'a, str> {
    match object.value(field) {
        None | Some("null") => Cow::Borrowed(""),
        Some(value) => Record::string(value).unwrap_or(Cow::Borrowed(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::TableColumn;
    use crate::label::built_in::scores;

    fn row<'a>(object: &'a Record<'a>) -> FilteredRow<'a> {
        FilteredRow {
            object: Some(object),
            text: "x",
            spam: true,
            score: Some(0.75),
            reason: "a, b",
            lang: Some("en"),
            verdict: None,
        }
    }

    #[test]
    fn an_object_keeps_its_bytes_and_gives_way_to_our_names() {
        let object = Record::parse(r#"{"n":1.0,  "spam": 0, "input_spam": 1, "label":"x" }"#).unwrap();
        let mut out = Vec::new();
        push_json(&mut out, &row(&object));
        let expected = r#"{"n":1.0,  "input_input_spam": 0, "input_spam": 1, "label":"x", "spam": true, "spam_score": 0.75, "reason": "a, b", "lang": "en"}"#;
        assert_eq!(String::from_utf8(out).unwrap().trim_end(), expected);
    }

    #[test]
    fn scores_of_the_text_are_there_where_they_are_asked_for() {
        let scores = scores([0.25, 0.75, 0.0, 0.0, 0.0]);
        let verdict = Verdict {
            label: Some(scores.best_label().0),
            confidence: 0.75,
            scores,
            tokens: 7,
            windows: 1,
            lang: None,
            doubt: None,
        };
        let row = FilteredRow {
            object: None,
            text: "a \"line\"",
            spam: false,
            score: None,
            reason: "blank",
            lang: None,
            verdict: Some(&verdict),
        };
        let mut out = Vec::new();
        push_json(&mut out, &row);
        let expected = r#"{"text": "a \"line\"", "spam": false, "spam_score": null, "reason": "blank", "lang": null, "label": "opinion", "confidence": 0.75, "scores": {"reporting": 0.25, "opinion": 0.75, "comment_spam": 0.0, "quotation": 0.0, "other": 0.0}, "tokens": 7, "windows": 1}"#;
        assert_eq!(String::from_utf8(out).unwrap().trim_end(), expected);
    }

    #[test]
    fn a_table_stays_as_it_was_written() {
        let column = |field: &str, written: &str| TableColumn { field: field.to_owned(), written: written.to_owned() };
        let columns = vec![column("text", "text"), column("text_2", "text"), column("spam", "spam")];
        let layout = TableLayout { delimiter: b';', columns, quoted: false, line_end: "\r\n" };
        let object = Record::parse(r#"{"text": "a;\"b\"\nc", "spam": "no"}"#).unwrap();
        let table = FilteredTable::new(layout.clone(), None);
        let mut out = table.header();
        table.push_row(&mut out, &row(&object)).unwrap();
        let expected =
            "text;text;input_spam;spam;spam_score;reason;lang\r\n\"a;\"\"b\"\"\nc\";;no;true;0.75;a, b;en\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let quoted = FilteredTable::new(TableLayout { quoted: true, ..layout }, None);
        assert!(quoted.header().starts_with(b"\"text\";\"text\";\"input_spam\";\"spam\";"));
        let other = Record::parse(r#"{"text": "a", "rating": "5"}"#).unwrap();
        let error = table.push_row(&mut Vec::new(), &row(&other)).unwrap_err();
        assert_eq!(error.field, "rating");
    }
}
