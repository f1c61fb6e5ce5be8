//! What others gave to texts, a model its scores or an annotator a label, kept apart from the texts.
//!
//! A text is told by its key, so that scores and labels may be passed on where texts may not: FNV-1a of 64 bits over the
//! bytes of the row's source, doc and text, each of the first two, empty where the row has none, ended by a zero byte.

use super::TrainError;
use super::data::{LabelledRow, ReadRows, checked, confidence_of, read_rows};
use crate::fnv::{FNV_OFFSET, fnv_step};
use crate::label::{Label, LabelSet, Scores};
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;

/// What a model says of texts, by the texts' keys.
pub type GivenScores = HashMap<u64, Scores>;

/// What an annotator says of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenLabel {
    /// The label.
    pub label: Label,
    /// How sure the annotator was: 1 a coin toss, 2 leaning, 3 sure.
    pub confidence: Option<u8>,
}

/// What an annotator says of texts, by the texts' keys.
pub type GivenLabels = HashMap<u64, GivenLabel>;

/// Reads JSON lines with `key`, sixteen hexadecimal digits, and `scores`, a list of probabilities in the order of
/// `labels`. A name ending in `.gz`, `.zst`, `.bz2` or `.xz` is decompressed.
///
/// # Errors
/// As [`read_labelled`](super::read_labelled).
pub fn read_scores(path: &Path, labels: &LabelSet) -> Result<ReadRows<(u64, Scores)>, TrainError> {
    #[derive(Deserialize)]
    struct Line<'a> {
        key: &'a str,
        scores: Vec<f32>,
    }
    read_rows(path, |line| {
        let Line { key, scores } = serde_json::from_slice(line)?;
        if scores.len() != labels.len() {
            return Err(serde_json::Error::invalid_length(scores.len(), &format!("{} scores", labels.len()).as_str()));
        }
        Ok((parse_key(key)?, checked(Scores::new(labels, scores))?))
    })
}

/// Reads JSON lines with `key`, `label` and, if they have it, an annotator's `confidence`. A name ending in `.gz`,
/// `.zst`, `.bz2` or `.xz` is decompressed.
///
/// # Errors
/// As [`read_labelled`](super::read_labelled).
pub fn read_labels(path: &Path) -> Result<ReadRows<(u64, GivenLabel)>, TrainError> {
    #[derive(Deserialize)]
    struct Line<'a> {
        key: &'a str,
        label: Label,
        confidence: Option<Value>,
    }
    read_rows(path, |line| {
        let Line { key, label, confidence } = serde_json::from_slice(line)?;
        Ok((parse_key(key)?, GivenLabel { label, confidence: confidence_of(confidence) }))
    })
}

fn parse_key(key: &str) -> serde_json::Result<u64> {
    let digits = |key: &&str| key.len() == 16 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    let key = Some(key).filter(digits).and_then(|key| u64::from_str_radix(key, 16).ok());
    key.ok_or_else(|| serde_json::Error::custom("`key` is not sixteen hexadecimal digits"))
}

/// The rows whose text has a label, with that label and its confidence and nothing of a model's. A label is used up by the
/// first row that it fits, so those that are left found no text.
pub fn take_labels(rows: Vec<LabelledRow>, given: &mut GivenLabels) -> Vec<LabelledRow> {
    let labelled = rows.into_iter().filter_map(|row| {
        let GivenLabel { label, confidence } = given.remove(&key(&row))?;
        Some(LabelledRow { label: Some(label), confidence, scores: None, input_label: None, vector: None, ..row })
    });
    labelled.collect()
}

/// Gives the rows that have no scores those of their key, and their most probable label; a label of their own is kept as
/// [`LabelledRow::input_label`]. Returns how many rows got scores.
pub fn give_scores(rows: &mut [LabelledRow], given: &GivenScores) -> usize {
    let mut count = 0;
    for row in rows.iter_mut().filter(|row| row.scores.is_none()) {
        let Some(scores) = given.get(&key(row)) else { continue };
        row.set_scores(scores.clone());
        count += 1;
    }
    count
}

fn key(row: &LabelledRow) -> u64 {
    key_of(row.source.as_deref(), row.doc.as_deref(), &row.text)
}

/// The key of a text.
pub(super) fn key_of(source: Option<&str>, doc: Option<&str>, text: &str) -> u64 {
    [source.unwrap_or_default(), "\0", doc.unwrap_or_default(), "\0", text]
        .iter()
        .flat_map(|part| part.bytes())
        .fold(FNV_OFFSET, |hash, byte| fnv_step(hash, byte.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::built_in::scores;

    fn file(lines: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores.jsonl");
        std::fs::write(&path, lines).unwrap();
        (folder, path)
    }

    #[test]
    fn scores_find_their_text_by_source_doc_and_words() {
        // FNV-1a of the bytes `s 0 d 0 a` and of `0 0 a`, by another program.
        let (_folder, path) = file(
            "{\"key\":\"1a601ffa70bed4c9\",\"scores\":[0.1,0.7,0.1,0.05,0.05]}\n\
             {\"key\":\"d94cb1186c0e8ae4\",\"scores\":[0,0,1,0,0]}\n",
        );
        let given: GivenScores = read_scores(&path, &LabelSet::copydesk()).unwrap().rows.into_iter().collect();
        let row = |source: &str, doc: &str, text: &str| LabelledRow {
            source: Some(source.to_owned()),
            doc: Some(doc.to_owned()),
            input_label: Some(Label::new("quotation").unwrap()),
            ..LabelledRow::new(text, "other")
        };
        let mut rows = vec![row("s", "d", "a"), row("s", "e", "a"), row("sd", "", "a"), LabelledRow::new("a", "other")];
        assert_eq!(give_scores(&mut rows, &given), 2);
        let name = |label: &Option<Label>| label.as_ref().map(Label::to_string);
        assert_eq!(name(&rows[0].label).as_deref(), Some("opinion"));
        assert_eq!(name(&rows[0].input_label).as_deref(), Some("quotation"));
        assert_eq!(rows[0].scores.as_ref().unwrap().of("opinion"), Some(0.7));
        assert!(rows[1].scores.is_none() && rows[2].scores.is_none());
        assert_eq!(name(&rows[3].label).as_deref(), Some("comment_spam"));
        let kept = rows.clone();
        let others = given.keys().map(|&key| (key, kept[3].scores.clone().unwrap())).collect();
        assert_eq!(give_scores(&mut rows[..1], &others), 0);
        assert_eq!(rows, kept);
    }

    #[test]
    fn no_label_of_the_test_is_trained_on() {
        let read = |name: &str| read_labels(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name)).unwrap();
        let (train, test) = (read("standoff-labels.jsonl.zst"), read("standoff-test.jsonl.zst"));
        assert!(train.set_aside.is_empty() && test.set_aside.is_empty());
        assert_eq!((train.rows.len(), test.rows.len()), (4198, 2152));
        let keys: std::collections::BTreeSet<u64> = train.rows.iter().chain(&test.rows).map(|row| row.0).collect();
        assert_eq!(keys.len(), 4198 + 2152);
    }

    #[test]
    fn labels_find_their_text_once() {
        let (_folder, path) = file(
            "{\"key\":\"1a601ffa70bed4c9\",\"label\":\"quotation\",\"confidence\":2}\n\
             {\"key\":\"d94cb1186c0e8ae4\",\"label\":\"other\"}\n{\"key\":\"0123456789abcdef\",\"label\":\"opinion\"}\n\
             {\"key\":\"0123456789abcdef\",\"label\":\"\"}\n{\"key\":\"123456789abcdef\",\"label\":\"opinion\"}\n",
        );
        let read = read_labels(&path).unwrap();
        assert_eq!(read.set_aside.iter().map(|line| line.0).collect::<Vec<_>>(), [4, 5]);
        let mut given: GivenLabels = read.rows.into_iter().collect();
        let page = |label: &str| LabelledRow {
            source: Some("s".to_owned()),
            doc: Some("d".to_owned()),
            ..LabelledRow::new("a", label)
        };
        let judged = LabelledRow {
            scores: Some(scores([0.0, 0.0, 1.0, 0.0, 0.0])),
            input_label: Some(Label::new("reporting").unwrap()),
            ..page("comment_spam")
        };
        let alone = LabelledRow::new("a", "reporting");
        let rows = vec![judged, LabelledRow::new("b", "other"), page("other"), alone];
        let expected = [LabelledRow { confidence: Some(2), ..page("quotation") }, LabelledRow::new("a", "other")];
        assert_eq!(take_labels(rows, &mut given), expected);
        assert_eq!(given.into_keys().collect::<Vec<_>>(), [0x0123_4567_89ab_cdef]);
    }

    #[test]
    fn what_is_no_key_or_no_probabilities_is_set_aside() {
        let (_folder, path) = file(
            "{\"key\":\"0123456789abcdef\",\"scores\":[1,0,0,0,0]}\n{\"key\":\"+123456789abcdef\",\"scores\":[1,0,0,0,0]}\n\
             {\"key\":\"0123456789abcdef\",\"scores\":[1,1,0,0,0]}\n{\"key\":\"0123456789abcdef\",\"scores\":[1]}\n",
        );
        let read = read_scores(&path, &LabelSet::copydesk()).unwrap();
        assert_eq!((read.rows.len(), read.rows[0].0), (1, 0x0123_4567_89ab_cdef));
        assert_eq!(read.set_aside.iter().map(|line| line.0).collect::<Vec<_>>(), [2, 3, 4]);
        assert!(read.set_aside[0].1.contains("hexadecimal") && read.set_aside[1].1.contains("sum to 1"));
    }
}
