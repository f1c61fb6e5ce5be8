//! Rows as JSON lines.
//!
//! A **paragraph** row is one object with these fields in this order; `text` only where asked for:
//!
//! ```json
//! {"doc": "page.txt", "paragraph": 0, "start": 0, "end": 389, "label": "reporting", "confidence": 0.97,
//!  "scores": {"reporting": 0.97, "opinion": 0.01, "comment_spam": 0.0, "quotation": 0.01, "other": 0.01},
//!  "tokens": 84, "windows": 1, "lang": "en", "text": "…"}
//! ```
//!
//! Fields of the input record that are to be kept stand at the end, with their values as they are written there; one that is
//! called like a field of the row is renamed as in record rows.
//!
//! A block of an HTML page has `content` after `lang`: the probability that it belongs to the page's main content. Its
//! `text` is the text between the tags, and its span that of its first to its last byte in the source.
//!
//! A **record** row is the input object, byte for byte, with `label`, `confidence`, `scores`, `tokens`, `windows` and
//! `lang` added before its closing brace. An input field that has one of these names stays in its place with its value and is
//! renamed: `input_label` and so on, with a further `input_` where that is taken. A line of plain text counts as the
//! object `{"text": line}`.
//!
//! An object that was written over several lines comes out on one: a space is in place of each line break and the indentation
//! after it.
//!
//! `scores` has a field for each label of the model, in its order. `label` is `null` where the confidence is below the least
//! asked for. `start` and `end` are byte offsets into the document as it is stored, also around single lines in windows-1252;
//! into its text in UTF-8 where all of it is in another encoding; or into the decoded text of the record. Probabilities have
//! at most six decimals. With an explanation a row has `words` behind these fields: those that the label rests on, the heaviest first.
//!
//! ```json
//! "words": [{"word": "\"unfair", "start": 11, "end": 18, "weight": 0.41}]
//! ```
//!
//! Their offsets count from the beginning of the row's text; `weight` is what the label's score loses without the word. `lang` is an ISO 639-1 code, `null` where the language cannot be told. A text that is not English, or that
//! nobody can read, also has `reason`, `"not English"` or `"not readable"`: no label of it has a probability above 0.5.

use super::number::push_probability;
use super::row::{ParagraphRow, RecordRow, RowSource, Verdict};
use crate::corpus::Record;

/// The fields that a record row adds, the first two only where they are asked for, the last only where there is one.
const ADDED_WITH_SOURCE: [&str; 9] =
    ["file", "line", "label", "confidence", "scores", "tokens", "windows", "lang", "reason"];

/// Appends a paragraph row and a line feed. `kept` are fields of its record, as [`Keep::json`](super::Keep::json) gives them.
pub fn push_paragraph(out: &mut Vec<u8>, row: &ParagraphRow<'_>, kept: &[u8], with_text: bool) {
    out.extend_from_slice(b"{\"doc\": ");
    push_string(out, row.doc);
    out.extend_from_slice(
        format!(", \"paragraph\": {}, \"start\": {}, \"end\": {}, ", row.paragraph, row.span.start, row.span.end)
            .as_bytes(),
    );
    push_source(out, row.source);
    push_verdict(out, &row.verdict);
    if let Some(content) = row.content {
        out.extend_from_slice(b", \"content\": ");
        push_probability(out, content);
    }
    if let Some(reasons) = row.reasons {
        reasons.push(out, row.text, row.paragraph);
    }
    if with_text {
        out.extend_from_slice(b", \"text\": ");
        push_string(out, row.text);
    }
    out.extend_from_slice(kept);
    out.extend_from_slice(b"}\n");
}

/// Appends a record row and a line feed.
pub fn push_record(out: &mut Vec<u8>, row: &RecordRow<'_>) {
    let first = if row.source.is_some() { 0 } else { 2 };
    let end = ADDED_WITH_SOURCE.len() - usize::from(row.verdict.doubt.is_none());
    let mut added = ADDED_WITH_SOURCE[first..end].to_vec();
    added.extend(row.reasons.iter().flat_map(|reasons| reasons.fields()));
    begin_record(out, row.object, row.text, &added);
    push_source(out, row.source);
    push_verdict(out, &row.verdict);
    if let Some(reasons) = row.reasons {
        reasons.push(out, row.text, 0);
    }
    out.extend_from_slice(b"}\n");
}

fn push_source(out: &mut Vec<u8>, source: Option<RowSource<'_>>) {
    let Some(RowSource { name, line }) = source else { return };
    out.extend_from_slice(b"\"file\": ");
    push_string(out, name);
    match line {
        Some(line) => out.extend_from_slice(format!(", \"line\": {line}, ").as_bytes()),
        None => out.extend_from_slice(b", \"line\": null, "),
    }
}

/// A record up to where the fields of the names `added` go; a line of text counts as an object with it.
pub(super) fn begin_record(out: &mut Vec<u8>, object: Option<&Record<'_>>, text: &str, added: &[&str]) {
    match object {
        Some(object) => push_object(out, object, added),
        None => {
            out.extend_from_slice(b"{\"text\": ");
            push_string(out, text);
            out.extend_from_slice(b", ");
        }
    }
}

/// The field of the language, with the comma before it.
pub(super) fn push_lang(out: &mut Vec<u8>, lang: Option<&str>) {
    out.extend_from_slice(b", \"lang\": ");
    match lang {
        Some(lang) => push_string(out, lang),
        None => out.extend_from_slice(b"null"),
    }
}

/// The object up to where the fields of the names `added` go.
fn push_object(out: &mut Vec<u8>, object: &Record<'_>, added: &[&str]) {
    let line = object.line();
    let mut written = 0;
    // One search for each of our names: a record may repeat a name thousands of times.
    let mut renamed: Vec<Option<String>> = vec![None; added.len()];
    for field in object.fields() {
        let Some(ours) = added.iter().position(|name| *name == field.key) else { continue };
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
    push_text_scores(out, verdict);
    push_lang(out, verdict.lang);
    if let Some(doubt) = verdict.doubt {
        out.extend_from_slice(b", \"reason\": ");
        push_string(out, doubt.as_str());
    }
}

/// The fields from the label to the windows.
pub(super) fn push_text_scores(out: &mut Vec<u8>, verdict: &Verdict) {
    out.extend_from_slice(b"\"label\": ");
    match &verdict.label {
        Some(label) => push_string(out, label.as_str()),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b", \"confidence\": ");
    push_probability(out, verdict.confidence);
    out.extend_from_slice(b", \"scores\": {");
    for (index, (label, score)) in verdict.scores.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        push_string(out, label.as_str());
        out.extend_from_slice(b": ");
        push_probability(out, score);
    }
    out.extend_from_slice(format!("}}, \"tokens\": {}, \"windows\": {}", verdict.tokens, verdict.windows).as_bytes());
}

pub(super) fn push_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string can always be written as JSON; this is a bug");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::built_in::scores;
    use crate::label::{Label, LabelSet, Scores};
    use crate::report::Reasons;
    use crate::text::Doubt;
    use serde::Deserialize;

    fn verdict() -> Verdict {
        let scores = scores([0.25, 0.75, 0.0, 0.0, 0.0]);
        Verdict {
            label: Some(scores.best_label().0),
            confidence: 0.75,
            scores,
            tokens: 7,
            windows: 1,
            lang: None,
            doubt: None,
        }
    }

    const ADDED: &str = "\"label\": \"opinion\", \"confidence\": 0.75, \"scores\": {\"reporting\": 0.25, \
        \"opinion\": 0.75, \"comment_spam\": 0.0, \"quotation\": 0.0, \"other\": 0.0}, \"tokens\": 7, \"windows\": 1, \"lang\": null}\n";

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
        lang: Option<String>,
        reason: Option<String>,
        text: Option<String>,
    }

    #[test]
    fn a_paragraph_row_reads_back() {
        let mut row = ParagraphRow {
            doc: "a \"page\"",
            source: None,
            content: None,
            paragraph: 2,
            span: 10..14,
            text: "té\n",
            verdict: verdict(),
            reasons: None,
        };
        let mut out = Vec::new();
        push_paragraph(&mut out, &row, b"", true);
        row.verdict.label = None;
        (row.verdict.lang, row.verdict.doubt) = (Some("de"), Some(Doubt::NotEnglish));
        push_paragraph(&mut out, &row, b"", false);
        let rows: Vec<Row> =
            out.split_inclusive(|&byte| byte == b'\n').map(|line| serde_json::from_slice(line).unwrap()).collect();
        assert_eq!((rows[0].doc.as_str(), rows[0].paragraph, rows[0].start, rows[0].end), ("a \"page\"", 2, 10, 14));
        assert_eq!((rows[0].label.as_ref().map(Label::as_str), rows[0].confidence), (Some("opinion"), 0.75));
        assert_eq!((rows[0].tokens, rows[0].windows, rows[0].text.as_deref()), (7, 1, Some("té\n")));
        let scores = &rows[0].scores;
        let scores = [scores.reporting, scores.opinion, scores.comment_spam, scores.quotation, scores.other];
        assert_eq!(scores, verdict().scores.values());
        assert_eq!((&rows[1].label, rows[1].text.as_deref()), (&None, None));
        assert_eq!((rows[0].lang.as_deref(), rows[0].reason.as_deref()), (None, None));
        assert_eq!((rows[1].lang.as_deref(), rows[1].reason.as_deref()), (Some("de"), Some("not English")));
    }

    fn record_row(line: &str) -> String {
        let object = Record::parse(line).unwrap();
        let mut out = Vec::new();
        push_record(
            &mut out,
            &RecordRow { doc: "d", source: None, text: "t", object: Some(&object), verdict: verdict(), reasons: None },
        );
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
    fn a_record_with_words_keeps_a_field_of_that_name() {
        let object = Record::parse(r#"{"text": "buy now", "words": 2}"#).unwrap();
        let explanation = super::super::reasons::testing::explanation(std::slice::from_ref(&(0..3)));
        let reasons = Some(Reasons { explanation: &explanation, all: false, chars: false });
        let row =
            RecordRow { doc: "d", source: None, text: "buy now", object: Some(&object), verdict: verdict(), reasons };
        let mut out = Vec::new();
        push_record(&mut out, &row);
        let words = r#", "words": [{"word": "buy", "start": 0, "end": 3, "weight": 0.5}]}"#;
        let added = ADDED.trim_end().trim_end_matches('}');
        let expected = format!(r#"{{"text": "buy now", "input_words": 2, {added}{words}"#);
        assert_eq!(String::from_utf8(out).unwrap().trim_end(), expected);
    }

    #[test]
    fn a_plain_line_becomes_an_object() {
        let mut out = Vec::new();
        push_record(
            &mut out,
            &RecordRow { doc: "d", source: None, text: "say \"hi\"", object: None, verdict: verdict(), reasons: None },
        );
        assert_eq!(String::from_utf8(out).unwrap(), format!(r#"{{"text": "say \"hi\"", {ADDED}"#));
    }

    #[test]
    fn names_of_labels_are_escaped_and_keep_their_order() {
        let labels = LabelSet::new(["say \"ad\"", "news"]).unwrap();
        let scores = Scores::new(&labels, [0.25, 0.75]);
        let verdict = Verdict {
            label: Some(labels.label(scores.best().0)),
            confidence: 0.75,
            scores,
            tokens: 1,
            windows: 1,
            lang: None,
            doubt: None,
        };
        let mut out = Vec::new();
        push_record(&mut out, &RecordRow { doc: "d", source: None, text: "t", object: None, verdict, reasons: None });
        let expected = r#"{"text": "t", "label": "news", "confidence": 0.75, "scores": {"say \"ad\"": 0.25, "news": 0.75}, "tokens": 1, "windows": 1, "lang": null}"#;
        assert_eq!(String::from_utf8(out).unwrap().trim_end(), expected);
    }
}
