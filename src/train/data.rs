//! Labelled rows and reading them.

use super::TrainError;
use crate::label::{LABEL_COUNT, Label, Scores, annotator_confidence};
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// A labelled paragraph.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledRow {
    /// The paragraph.
    pub text: String,
    /// Its label.
    pub label: Label,
    /// How sure the annotator was: 1 a coin toss, 2 leaning, 3 sure.
    pub confidence: Option<u8>,
    /// Site or collection.
    pub source: Option<String>,
    /// Page.
    pub doc: Option<String>,
    /// A teacher's probabilities, as `copydesk label --unit record` writes them. They take the place of the label as the
    /// target.
    pub scores: Option<ScoreFields>,
    /// The label that the row had before the teacher's, as `copydesk label` keeps it.
    pub input_label: Option<Label>,
    /// A teacher's vector of the text, `[hidden]`; see [`vector_weight`](super::TrainSettings::vector_weight).
    pub vector: Option<Vec<f32>>,
}

impl LabelledRow {
    /// Takes a model's probabilities as the target, and the most probable label.
    pub(super) fn set_scores(&mut self, scores: Scores) {
        self.label = scores.best().0;
        self.scores = Some(scores.into());
    }
}

#[cfg(test)]
impl LabelledRow {
    /// A row that has what it must have and nothing else.
    pub(crate) fn new(text: &str, label: Label) -> LabelledRow {
        let text = text.to_owned();
        LabelledRow {
            text,
            label,
            confidence: None,
            source: None,
            doc: None,
            scores: None,
            input_label: None,
            vector: None,
        }
    }
}

/// A probability for every label, by name.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreFields {
    reporting: f32,
    opinion: f32,
    comment_spam: f32,
    quotation: f32,
    other: f32,
}

impl From<Scores> for ScoreFields {
    fn from(Scores([reporting, opinion, comment_spam, quotation, other]): Scores) -> ScoreFields {
        ScoreFields { reporting, opinion, comment_spam, quotation, other }
    }
}

impl From<ScoreFields> for Scores {
    fn from(ScoreFields { reporting, opinion, comment_spam, quotation, other }: ScoreFields) -> Scores {
        Scores([reporting, opinion, comment_spam, quotation, other])
    }
}

impl ScoreFields {
    /// In the order of [`Label::ALL`], scaled to sum to 1; `None` where they are no probabilities.
    pub(super) fn distribution(self) -> Option<[f32; LABEL_COUNT]> {
        let scores = [self.reporting, self.opinion, self.comment_spam, self.quotation, self.other];
        let sum: f32 = scores.iter().sum();
        let valid = scores.iter().all(|score| (0.0..=1.0).contains(score)) && (sum - 1.0).abs() < 0.01;
        valid.then(|| scores.map(|score| score / sum))
    }

    /// The error that sets a row with such scores aside, where they are no probabilities.
    pub(super) fn check(self) -> serde_json::Result<()> {
        let error = || serde_json::Error::custom("`scores` are not probabilities that sum to 1");
        self.distribution().map(|_| ()).ok_or_else(error)
    }
}

/// The rows of a file, and what could not be used.
#[derive(Debug)]
pub struct ReadRows<T> {
    /// The usable rows, in file order.
    pub rows: Vec<T>,
    /// Line number, from 1, and reason of every line that was set aside.
    pub set_aside: Vec<(usize, String)>,
}

/// Reads JSON lines with `text` and an annotator's `label`; `confidence`, `source` and `doc` are taken if they are there,
/// other fields are ignored, a model's `scores` among them. A name ending in `.zst` is decompressed.
///
/// # Errors
/// [`TrainError::Unreadable`], and [`TrainError::NoRows`] where no line is usable. A bad line is no error: it is listed.
pub fn read_labelled(path: &Path) -> Result<ReadRows<LabelledRow>, TrainError> {
    read_labelled_rows(path, |line| {
        #[derive(Deserialize)]
        struct AnnotatedRow {
            text: String,
            label: Label,
            confidence: Option<Value>,
            source: Option<String>,
            doc: Option<String>,
        }
        let AnnotatedRow { text, label, confidence, source, doc } = serde_json::from_slice(line)?;
        let confidence = confidence_of(confidence);
        Ok(LabelledRow { text, label, confidence, source, doc, scores: None, input_label: None, vector: None })
    })
}

/// Reads weakly labelled JSON lines: as [`read_labelled`], but `scores` that a model gave count instead of the label. The
/// `confidence` of such a row is the model's and is ignored.
///
/// # Errors
/// As [`read_labelled`].
pub fn read_weak(path: &Path) -> Result<ReadRows<LabelledRow>, TrainError> {
    read_labelled_rows(path, |line| {
        let ScoredRow { text, label, confidence, source, doc, scores, input_label } = serde_json::from_slice(line)?;
        let label = label.ok_or_else(|| serde_json::Error::missing_field("label"))?;
        let confidence = confidence_of(confidence).filter(|_| scores.is_none());
        Ok(LabelledRow { text, label, confidence, source, doc, scores, input_label, vector: None })
    })
}

/// Reads JSON lines with `text`, for a teacher to label: a row without `label` gets `other` until then, and one with a
/// label but without scores keeps it as `input_label`.
///
/// # Errors
/// As [`read_labelled`].
pub fn read_texts(path: &Path) -> Result<ReadRows<LabelledRow>, TrainError> {
    read_labelled_rows(path, |line| {
        let ScoredRow { text, label, source, doc, scores, input_label, .. } = serde_json::from_slice(line)?;
        let input_label = if scores.is_none() { label } else { input_label };
        let label = label.unwrap_or(Label::Other);
        Ok(LabelledRow { text, label, confidence: None, source, doc, scores, input_label, vector: None })
    })
}

/// The annotator's confidence that a field holds, if it is one.
pub(super) fn confidence_of(field: Option<Value>) -> Option<u8> {
    annotator_confidence(field?.as_f64()?)
}

/// A row that a model may have labelled.
#[derive(Deserialize)]
struct ScoredRow {
    text: String,
    label: Option<Label>,
    confidence: Option<Value>,
    source: Option<String>,
    doc: Option<String>,
    scores: Option<ScoreFields>,
    input_label: Option<Label>,
}

fn read_labelled_rows(
    path: &Path,
    parse: impl Fn(&[u8]) -> serde_json::Result<LabelledRow>,
) -> Result<ReadRows<LabelledRow>, TrainError> {
    read_rows(path, |line| {
        let row = parse(line)?;
        row.scores.map_or(Ok(()), ScoreFields::check)?;
        Ok(row)
    })
}

/// Reads lines that are not blank, each by `parse`, whose error is the reason why a line is set aside. A name ending in
/// `.zst` is decompressed.
pub(super) fn read_rows<T>(
    path: &Path,
    parse: impl Fn(&[u8]) -> serde_json::Result<T>,
) -> Result<ReadRows<T>, TrainError> {
    let unreadable = |source| TrainError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let input: Box<dyn Read> = if path.extension().is_some_and(|extension| extension == "zst") {
        let decoder = ruzstd::decoding::StreamingDecoder::new(BufReader::new(file))
            .map_err(|error| unreadable(std::io::Error::new(std::io::ErrorKind::InvalidData, error.to_string())))?;
        Box::new(decoder)
    } else {
        Box::new(file)
    };
    let mut result = ReadRows { rows: Vec::new(), set_aside: Vec::new() };
    let mut reader = BufReader::with_capacity(1 << 16, input);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(unreadable)? == 0 {
            break;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match parse(&line) {
            Ok(row) => result.rows.push(row),
            Err(error) => result.set_aside.push((number, error.to_string())),
        }
    }
    if result.rows.is_empty() {
        return Err(TrainError::NoRows { path: path.to_owned(), set_aside: result.set_aside });
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_need_no_label_and_scores_must_be_probabilities() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        let scores =
            |other: f32| format!(r#"{{"reporting":0.1,"opinion":0.2,"comment_spam":0,"quotation":0,"other":{other}}}"#);
        let lines = [
            r#"{"text":"plain"}"#.to_owned(),
            format!(r#"{{"text":"judged","label":"opinion","confidence":0.7,"scores":{}}}"#, scores(0.7)),
            format!(r#"{{"text":"broken","label":"opinion","scores":{}}}"#, scores(0.2)),
        ];
        std::fs::write(&path, lines.join("\n")).unwrap();
        let texts = read_texts(&path).unwrap();
        assert_eq!(texts.rows.iter().map(|row| row.text.as_str()).collect::<Vec<_>>(), ["plain", "judged"]);
        assert_eq!(texts.set_aside[0].0, 3);
        let weak = read_weak(&path).unwrap();
        assert_eq!((weak.rows.len(), weak.set_aside.len(), weak.rows[0].confidence), (1, 2, None));
        let distribution = weak.rows[0].scores.and_then(ScoreFields::distribution);
        assert_eq!(distribution, Some([0.1, 0.2, 0.0, 0.0, 0.7]));
        // What an annotator says counts, whatever a model said before.
        let labelled = read_labelled(&path).unwrap();
        let judged: Vec<_> = labelled.rows.iter().map(|row| (row.text.as_str(), row.scores)).collect();
        assert_eq!(judged, [("judged", None), ("broken", None)]);
    }

    #[test]
    fn bad_lines_are_listed_and_good_ones_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        std::fs::write(
            &path,
            "{\"text\":\"a\",\"label\":\"other\",\"x\":1}\n\n{\"text\":1}\n{\"text\":\"b\",\"label\":\"spam\"}\n",
        )
        .unwrap();
        let read = read_labelled(&path).unwrap();
        assert_eq!(read.rows.len(), 1);
        assert_eq!(read.set_aside.iter().map(|line| line.0).collect::<Vec<_>>(), [3, 4]);
        std::fs::write(&path, "{\"text\":\"b\",\"label\":\"spam\"}\n{}\n").unwrap();
        let error = read_labelled(&path).unwrap_err().to_string();
        assert!(error.contains("2 set aside, the first in line 1") && error.contains("spam"), "{error}");
    }
}
