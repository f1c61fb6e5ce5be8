//! Labelled rows and reading them.

use super::TrainError;
use crate::compress::{self, Compression};
use crate::label::{Label, LabelSet, Scores, annotator_confidence};
use crate::page::{PageKey, Region};
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// A labelled paragraph.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledRow {
    /// The paragraph.
    pub text: String,
    /// Its label; only a text that waits for a teacher has none.
    pub label: Option<Label>,
    /// How sure the annotator was: 1 a coin toss, 2 leaning, 3 sure.
    pub confidence: Option<u8>,
    /// Site or collection.
    pub source: Option<String>,
    /// Page.
    pub doc: Option<String>,
    /// Where the row stands on its page, if that is known.
    pub region: Option<Region>,
    /// A teacher's probabilities, as `copydesk label --unit record` writes them. They take the place of the label as the
    /// target.
    pub scores: Option<Scores>,
    /// The label that the row had before the teacher's, as `copydesk label` keeps it.
    pub input_label: Option<Label>,
    /// A teacher's vector of the text, `[hidden]`; see [`vector_weight`](super::TrainSettings::vector_weight).
    pub vector: Option<Vec<f32>>,
}

impl LabelledRow {
    /// A text without a label, for a teacher.
    pub(super) fn unlabelled(text: String, source: Option<String>, doc: Option<String>) -> LabelledRow {
        let (label, confidence, region, scores, input_label, vector) = (None, None, None, None, None, None);
        LabelledRow { text, label, confidence, source, doc, region, scores, input_label, vector }
    }

    /// The page that the row stands on, named by source and doc; `None` for a row without doc, which is a page of its own.
    pub fn page(&self) -> Option<PageKey<&str>> {
        PageKey::new(self.source.as_deref(), self.doc.as_deref())
    }

    /// Takes a model's probabilities as the target, and the most probable label.
    pub(super) fn set_scores(&mut self, scores: Scores) {
        self.label = Some(scores.best_label().0);
        self.scores = Some(scores);
    }
}

#[cfg(test)]
impl LabelledRow {
    /// A row that has what it must have and nothing else.
    pub(crate) fn new(text: &str, label: &str) -> LabelledRow {
        let (text, label) = (text.to_owned(), Some(Label::new(label).unwrap()));
        LabelledRow {
            text,
            label,
            confidence: None,
            source: None,
            doc: None,
            region: None,
            scores: None,
            input_label: None,
            vector: None,
        }
    }
}

/// A teacher's probabilities, scaled to sum to 1; `None` where they are no probabilities.
pub(super) fn distribution(scores: &Scores) -> Option<Vec<f32>> {
    let sum: f32 = scores.values().iter().sum();
    let valid = scores.values().iter().all(|score| (0.0..=1.0).contains(score)) && (sum - 1.0).abs() < 0.01;
    valid.then(|| scores.values().iter().map(|score| score / sum).collect())
}

/// The scores, or the error that sets a row aside where they are no probabilities.
pub(super) fn checked(scores: Scores) -> serde_json::Result<Scores> {
    match distribution(&scores) {
        Some(_) => Ok(scores),
        None => Err(serde_json::Error::custom("`scores` are not probabilities that sum to 1")),
    }
}

/// Scores by name, as `copydesk label` writes them: one for each label.
fn scores_of(fields: &BTreeMap<String, f32>, labels: &LabelSet) -> serde_json::Result<Scores> {
    if let Some(name) = fields.keys().find(|name| labels.id(name).is_none()) {
        return Err(serde_json::Error::custom(format!("`scores`: unknown label `{name}`")));
    }
    let score = |label: &Label| {
        let missing = || serde_json::Error::custom(format!("`scores`: no score of the label `{label}`"));
        fields.get(label.as_str()).copied().ok_or_else(missing)
    };
    checked(Scores::new(labels, labels.iter().map(score).collect::<serde_json::Result<Vec<f32>>>()?))
}

/// A label that must be one of `labels`, where those are given.
fn known(label: Label, labels: Option<&LabelSet>) -> serde_json::Result<Label> {
    match labels {
        // The set's own name, so that rows share it.
        Some(labels) => labels.require(label.as_str()).map(|id| labels.label(id)).map_err(serde_json::Error::custom),
        None => Ok(label),
    }
}

/// The labels of annotated rows: the built-in ones in their order if the rows have no others, else the names that the rows
/// have, sorted.
///
/// # Errors
/// [`TrainError::Labels`] for fewer than two names or more than a model can have.
pub fn labels_of(rows: &[LabelledRow]) -> Result<LabelSet, TrainError> {
    let names: BTreeSet<&Label> = rows.iter().filter_map(|row| row.label.as_ref()).collect();
    let built_in = LabelSet::copydesk();
    match names.iter().all(|label| built_in.id(label.as_str()).is_some()) {
        true => Ok(built_in),
        false => Ok(LabelSet::new(names)?),
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

/// Reads JSON lines with `text` and an annotator's `label`; `confidence`, `source`, `doc` and `region` are taken if they are there,
/// other fields are ignored, a model's `scores` among them. Where `labels` are given, rows with other labels are set aside. A
/// name ending in `.gz`, `.zst`, `.bz2` or `.xz` is decompressed.
///
/// # Errors
/// [`TrainError::Unreadable`], and [`TrainError::NoRows`] where no line is usable. A bad line is no error: it is listed.
pub fn read_labelled(path: &Path, labels: Option<&LabelSet>) -> Result<ReadRows<LabelledRow>, TrainError> {
    read_rows(path, |line| {
        #[derive(Deserialize)]
        struct AnnotatedRow {
            text: String,
            label: Label,
            confidence: Option<Value>,
            source: Option<String>,
            doc: Option<String>,
            region: Option<Region>,
        }
        let AnnotatedRow { text, label, confidence, source, doc, region } = serde_json::from_slice(line)?;
        let (label, confidence) = (Some(known(label, labels)?), confidence_of(confidence));
        Ok(LabelledRow { text, label, confidence, source, doc, region, scores: None, input_label: None, vector: None })
    })
}

/// Reads weakly labelled JSON lines: as [`read_labelled`], but `scores` that a model gave count instead of the label. The
/// `confidence` of such a row is the model's and is ignored.
///
/// # Errors
/// As [`read_labelled`].
pub fn read_weak(path: &Path, labels: &LabelSet) -> Result<ReadRows<LabelledRow>, TrainError> {
    read_rows(path, |line| {
        let ScoredRow { text, label, confidence, source, doc, region, scores, input_label } =
            ScoredRow::parse(line, Some(labels))?;
        if label.is_none() {
            return Err(serde_json::Error::missing_field("label"));
        }
        let confidence = confidence_of(confidence).filter(|_| scores.is_none());
        Ok(LabelledRow { text, label, confidence, source, doc, region, scores, input_label, vector: None })
    })
}

/// Reads JSON lines with `text`, for a teacher to label: a row with a label but without scores keeps it as `input_label`.
/// Where `labels` are given, rows with other labels are set aside; without them `scores` are left aside.
///
/// # Errors
/// As [`read_labelled`].
pub fn read_texts(path: &Path, labels: Option<&LabelSet>) -> Result<ReadRows<LabelledRow>, TrainError> {
    read_rows(path, |line| {
        let ScoredRow { text, label, source, doc, region, scores, input_label, .. } = ScoredRow::parse(line, labels)?;
        let input_label = if scores.is_none() { label.clone() } else { input_label };
        Ok(LabelledRow { text, label, confidence: None, source, doc, region, scores, input_label, vector: None })
    })
}

/// The annotator's confidence that a field holds, if it is one.
pub(super) fn confidence_of(field: Option<Value>) -> Option<u8> {
    annotator_confidence(field?.as_f64()?)
}

/// A row that a model may have labelled.
#[derive(Deserialize)]
struct ScoredRow<S = Scores> {
    text: String,
    label: Option<Label>,
    confidence: Option<Value>,
    source: Option<String>,
    doc: Option<String>,
    region: Option<Region>,
    scores: Option<S>,
    input_label: Option<Label>,
}

impl ScoredRow {
    fn parse(line: &[u8], labels: Option<&LabelSet>) -> serde_json::Result<ScoredRow> {
        let row: ScoredRow<BTreeMap<String, f32>> = serde_json::from_slice(line)?;
        let known = |label: Option<Label>| label.map(|label| known(label, labels)).transpose();
        Ok(ScoredRow {
            text: row.text,
            label: known(row.label)?,
            confidence: row.confidence,
            source: row.source,
            doc: row.doc,
            region: row.region,
            scores: labels.zip(row.scores).map(|(labels, fields)| scores_of(&fields, labels)).transpose()?,
            input_label: known(row.input_label)?,
        })
    }
}

/// Reads lines that are not blank, each by `parse`, whose error is the reason why a line is set aside. A name ending in
/// `.gz`, `.zst`, `.bz2` or `.xz` is decompressed.
pub(super) fn read_rows<T>(
    path: &Path,
    parse: impl Fn(&[u8]) -> serde_json::Result<T>,
) -> Result<ReadRows<T>, TrainError> {
    let unreadable = |source| TrainError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let input: Box<dyn Read> = match Compression::from_extension(path) {
        Some(kind) => compress::reader(kind, BufReader::new(file)),
        None => Box::new(file),
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
        let labels = LabelSet::copydesk();
        let texts = read_texts(&path, Some(&labels)).unwrap();
        assert_eq!(texts.rows.iter().map(|row| row.text.as_str()).collect::<Vec<_>>(), ["plain", "judged"]);
        assert_eq!(texts.set_aside[0].0, 3);
        let weak = read_weak(&path, &labels).unwrap();
        assert_eq!((weak.rows.len(), weak.set_aside.len(), weak.rows[0].confidence), (1, 2, None));
        let distribution = weak.rows[0].scores.as_ref().and_then(distribution);
        assert_eq!(distribution, Some(vec![0.1, 0.2, 0.0, 0.0, 0.7]));
        // What an annotator says counts, whatever a model said before.
        let labelled = read_labelled(&path, Some(&labels)).unwrap();
        let judged: Vec<_> = labelled.rows.iter().map(|row| (row.text.as_str(), row.scores.is_some())).collect();
        assert_eq!(judged, [("judged", false), ("broken", false)]);
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
        let labels = LabelSet::copydesk();
        let read = read_labelled(&path, Some(&labels)).unwrap();
        assert_eq!(read.rows.len(), 1);
        assert_eq!(read.set_aside.iter().map(|line| line.0).collect::<Vec<_>>(), [3, 4]);
        std::fs::write(&path, "{\"text\":\"b\",\"label\":\"spam\"}\n{}\n").unwrap();
        let error = read_labelled(&path, Some(&labels)).unwrap_err().to_string();
        assert!(error.contains("2 set aside, the first in line 1") && error.contains("spam"), "{error}");
    }

    #[test]
    fn labels_follow_from_the_rows() {
        let rows = |names: &[&str]| names.iter().map(|name| LabelledRow::new("t", name)).collect::<Vec<_>>();
        assert_eq!(labels_of(&rows(&["other", "opinion"])).unwrap(), LabelSet::copydesk());
        let own = labels_of(&rows(&["spam", "news", "opinion", "news"])).unwrap();
        assert_eq!(own, LabelSet::new(["news", "opinion", "spam"]).unwrap());
        assert!(matches!(labels_of(&rows(&["news", "news"])), Err(TrainError::Labels(_))));
    }

    #[test]
    fn scores_are_of_every_label_and_no_other() {
        let labels = LabelSet::new(["news", "ad"]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        let row = |scores: &str| format!(r#"{{"text":"t","label":"ad","scores":{scores}}}"#);
        let lines = [row(r#"{"ad":0.75,"news":0.25}"#), row(r#"{"ad":1}"#), row(r#"{"ad":1,"news":0,"spam":0}"#)];
        std::fs::write(&path, lines.join("\n")).unwrap();
        let read = read_weak(&path, &labels).unwrap();
        assert_eq!(read.rows[0].scores, Some(Scores::new(&labels, [0.25, 0.75])));
        let reasons: Vec<&str> = read.set_aside.iter().map(|(_, reason)| reason.as_str()).collect();
        assert!(reasons[0].contains("no score of the label `news`") && reasons[1].contains("unknown label `spam`"));
    }
}
