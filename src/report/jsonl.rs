//! Rows as JSON lines.
//!
//! A **paragraph** row is one object with these fields in this order; `text` only where asked for:
//!
//! ```json
//! {"doc": "page.txt", "paragraph": 0, "start": 0, "end": 389, "label": "reporting", "confidence": 0.97,
//!  "scores": {"reporting": 0.97, "opinion": 0.01, "comment_spam": 0.0, "quotation": 0.01, "other": 0.01},
//!  "tokens": 84, "windows": 1, "text": "…"}
//! ```
//!
//! A **record** row is the input object, byte for byte, with `label`, `confidence`, `scores`, `tokens` and `windows`
//! added before its closing brace. An input field that has one of these names stays in its place with its value and is
//! renamed: `input_label` and so on, with a further `input_` where that is taken. A line of plain text counts as the
//! object `{"text": line}`.
//!
//! An object that was written over several lines comes out on one: a space is in place of each line break and the indentation
//! after it.
//!
//! `label` is `null` where the confidence is below the least asked for. `start` and `end` are byte offsets into the document as
//! it is stored, also around single lines in windows-1252; into its text in UTF-8 where all of it is in another encoding; or
//! into the decoded text of the record. Probabilities have at most six decimals.

use super::number::push_probability;
use super::row::{ParagraphRow, RecordRow, Verdict};
use crate::corpus::Record;
use crate::label::Label;

/// The fields that a record row adds.
const ADDED_FIELDS: [&str; 5] = ["label", "confidence", "scores", "tokens", "windows"];

/// Appends a paragraph row and a line feed.
pub fn push_paragraph(out: &mut Vec<u8>, row: &ParagraphRow<'_>, with_text: bool) {
    out.extend_from_slice(b"{\"doc\": ");
    push_string(out, row.doc);
    out.extend_from_slice(
        format!(", \"paragraph\": {}, \"start\": {}, \"end\": {}, ", row.paragraph, row.span.start, row.span.end)
            .as_bytes(),
    );
    push_verdict(out, &row.verdict);
    if with_text {
        out.extend_from_slice(b", \"text\": ");
        push_string(out, row.text);
    }
    out.extend_from_slice(b"}\n");
}

/// Appends a record row and a line feed.
pub fn push_record(out: &mut Vec<u8>, row: &RecordRow<'_>) {
    match row.object {
        Some(object) => push_object(out, object),
        None => {
            out.extend_from_slice(b"{\"text\": ");
            push_string(out, row.text);
            out.extend_from_slice(b", ");
        }
    }
    push_verdict(out, &row.verdict);
    out.extend_from_slice(b"}\n");
}

/// The object up to where the added fields go.
fn push_object(out: &mut Vec<u8>, object: &Record<'_>) {
    let line = object.line();
    let mut written = 0;
    // One search for each of our names: a record may repeat a name thousands of times.
    let mut renamed: [Option<String>; ADDED_FIELDS.len()] = Default::default();
    for field in object.fields() {
        let Some(ours) = ADDED_FIELDS.iter().position(|name| *name == field.key) else { continue };
        let name = renamed[ours].get_or_insert_with(|| {
            let mut name = format!("input_{}", field.key);
            while object.value(&name).is_some() {
                name.insert_str(0, "input_");
            }
            name
        });
        out.extend_from_slice(&line.as_bytes()[written..field.key_span.start]);
        push_string(out, name);
        written = field.key_span.end;
    }
    out.extend_from_slice(line[written..object.close()].trim_ascii_end().as_bytes());
    if !object.fields().is_empty() {
        out.extend_from_slice(b", ");
    }
}

fn push_verdict(out: &mut Vec<u8>, verdict: &Verdict) {
    match verdict.label {
        Some(label) => out.extend_from_slice(format!("\"label\": \"{label}\"").as_bytes()),
        None => out.extend_from_slice(b"\"label\": null"),
    }
    out.extend_from_slice(b", \"confidence\": ");
    push_probability(out, verdict.confidence);
    for label in Label::ALL {
        let before = if label.index() == 0 { ", \"scores\": {" } else { ", " };
        out.extend_from_slice(format!("{before}\"{label}\": ").as_bytes());
        push_probability(out, verdict.scores.get(label));
    }
    out.extend_from_slice(format!("}}, \"tokens\": {}, \"windows\": {}", verdict.tokens, verdict.windows).as_bytes());
}

fn push_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string can always be written as JSON; this is a bug");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::Scores;
    use serde::Deserialize;

    const VERDICT: Verdict = Verdict {
        label: Some(Label::Opinion),
        confidence: 0.75,
        scores: Scores([0.25, 0.75, 0.0, 0.0, 0.0]),
        tokens: 7,
        windows: 1,
    };
    const ADDED: &str = "\"label\": \"opinion\", \"confidence\": 0.75, \"scores\": {\"reporting\": 0.25, \
        \"opinion\": 0.75, \"comment_spam\": 0.0, \"quotation\": 0.0, \"other\": 0.0}, \"tokens\": 7, \"windows\": 1}\n";

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Scored {
        reporting: f32,
        opinion: f32,
        comment_spam: f32,
        quotation: f32,
        other: f32,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Row {
        doc: String,
        paragraph: u64,
        start: u64,
        end: u64,
        label: Option<Label>,
        confidence: f32,
        scores: Scored,
        tokens: usize,
        windows: usize,
        text: Option<String>,
    }

    #[test]
    fn a_paragraph_row_reads_back() {
        let mut row = ParagraphRow { doc: "a \"page\"", paragraph: 2, span: 10..14, text: "té\n", verdict: VERDICT };
        let mut out = Vec::new();
        push_paragraph(&mut out, &row, true);
        row.verdict.label = None;
        push_paragraph(&mut out, &row, false);
        let rows: Vec<Row> =
            out.split_inclusive(|&byte| byte == b'\n').map(|line| serde_json::from_slice(line).unwrap()).collect();
        assert_eq!((rows[0].doc.as_str(), rows[0].paragraph, rows[0].start, rows[0].end), ("a \"page\"", 2, 10, 14));
        assert_eq!((rows[0].label, rows[0].confidence), (Some(Label::Opinion), 0.75));
        assert_eq!((rows[0].tokens, rows[0].windows, rows[0].text.as_deref()), (7, 1, Some("té\n")));
        let scores = &rows[0].scores;
        let scores = [scores.reporting, scores.opinion, scores.comment_spam, scores.quotation, scores.other];
        assert_eq!(scores, VERDICT.scores.0);
        assert_eq!((rows[1].label, rows[1].text.as_deref()), (None, None));
    }

    fn record_row(line: &str) -> String {
        let object = Record::parse(line).unwrap();
        let mut out = Vec::new();
        push_record(&mut out, &RecordRow { doc: "d", text: "t", object: Some(&object), verdict: VERDICT });
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_record_keeps_its_bytes() {
        let line = r#"{"n":1.0,  "big": 1e400, "id":12345678901234567890123, "a":1,"a":2, "text":"\u00e9" }"#;
        let kept = r#"{"n":1.0,  "big": 1e400, "id":12345678901234567890123, "a":1,"a":2, "text":"\u00e9""#;
        assert_eq!(record_row(line), format!("{kept}, {ADDED}"));
        assert_eq!(record_row(" { } "), format!("{{{ADDED}"));
    }

    #[test]
    fn fields_with_our_names_are_renamed_in_place() {
        assert_eq!(
            record_row(r#"{"label": "other", "text": "t", "input_scores": 1, "scores" : [2]}"#),
            format!(r#"{{"input_label": "other", "text": "t", "input_scores": 1, "input_input_scores" : [2], {ADDED}"#)
        );
    }

    #[test]
    fn a_plain_line_becomes_an_object() {
        let mut out = Vec::new();
        push_record(&mut out, &RecordRow { doc: "d", text: "say \"hi\"", object: None, verdict: VERDICT });
        assert_eq!(String::from_utf8(out).unwrap(), format!(r#"{{"text": "say \"hi\"", {ADDED}"#));
    }
}
