//! Reading labelled rows and turning them into training examples.

use super::{TrainError, TrainSettings};
use crate::eval::SplitMix64;
use crate::label::{LABEL_COUNT, Label};
use crate::text::model_text;
use crate::tokenizer::Tokenizer;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// A labelled paragraph as a data file has it. Only `text` and `label` must be there; unknown fields are ignored.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct LabelledRow {
    /// The paragraph.
    pub text: String,
    /// Its label.
    pub label: Label,
    /// How sure the annotator was: 1 a coin toss, 2 leaning, 3 sure.
    #[serde(default)]
    pub confidence: Option<u8>,
    /// Site or collection.
    #[serde(default)]
    pub source: Option<String>,
    /// Page.
    #[serde(default)]
    pub doc: Option<String>,
}

/// The rows of a file, and what could not be used.
#[derive(Debug, Default)]
pub struct LabelledRows {
    /// The usable rows, in file order.
    pub rows: Vec<LabelledRow>,
    /// Line number, from 1, and reason of every line that was set aside.
    pub set_aside: Vec<(usize, String)>,
}

/// Reads JSON lines with `text` and `label`; a name ending in `.zst` is decompressed.
///
/// # Errors
/// [`TrainError::Unreadable`], and [`TrainError::NoRows`] where no line is usable. A bad line is no error: it is listed.
pub fn read_labelled(path: &Path) -> Result<LabelledRows, TrainError> {
    let unreadable = |source| TrainError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let input: Box<dyn Read> = if path.extension().is_some_and(|extension| extension == "zst") {
        let decoder = ruzstd::decoding::StreamingDecoder::new(BufReader::new(file))
            .map_err(|error| unreadable(std::io::Error::new(std::io::ErrorKind::InvalidData, error.to_string())))?;
        Box::new(decoder)
    } else {
        Box::new(file)
    };
    let mut result = LabelledRows::default();
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
        match serde_json::from_slice(&line) {
            Ok(row) => result.rows.push(row),
            Err(error) => result.set_aside.push((number, error.to_string())),
        }
    }
    if result.rows.is_empty() { Err(TrainError::NoRows { path: path.to_owned() }) } else { Ok(result) }
}

/// Draws `count` rows, evenly over the labels and, within a label, evenly over the sources as far as they last, so that
/// one large collection does not speak for its label. All rows where there are no more than `count`, or it is 0.
pub(super) fn draw_evenly(rows: Vec<LabelledRow>, count: usize, seed: u64) -> Vec<LabelledRow> {
    if count == 0 || rows.len() <= count {
        return rows;
    }
    let mut random = SplitMix64::new(seed);
    let mut pools: Vec<BTreeMap<String, Vec<LabelledRow>>> = vec![BTreeMap::new(); LABEL_COUNT];
    for row in rows {
        pools[row.label.index()].entry(row.source.clone().unwrap_or_default()).or_default().push(row);
    }
    for pool in pools.iter_mut().flat_map(BTreeMap::values_mut) {
        random.shuffle(pool);
    }
    let mut drawn = Vec::with_capacity(count);
    while drawn.len() < count && pools.iter().any(|pool| !pool.is_empty()) {
        for pool in &mut pools {
            // One row of a random source, not one of every source, so that labels with many sources get no more rows.
            let Some(name) = pool.keys().nth(random.below(pool.len())).cloned() else { continue };
            let Some(rows) = pool.get_mut(&name) else { continue };
            drawn.extend(rows.pop());
            if rows.is_empty() {
                pool.remove(&name);
            }
        }
    }
    drawn.truncate(count);
    drawn
}

/// A tokenised row with what the loss needs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Example {
    /// `[CLS] … [SEP]`, at most `max_tokens`.
    pub ids: Vec<u32>,
    pub label: Label,
    /// Smoothed target distribution.
    pub target: [f32; LABEL_COUNT],
    /// Class weight times confidence weight.
    pub weight: f32,
}

/// Tokenises rows and computes targets and weights.
pub(super) fn examples(rows: &[LabelledRow], tokenizer: &Tokenizer, settings: &TrainSettings) -> Vec<Example> {
    let mut counts = [0usize; LABEL_COUNT];
    for row in rows {
        counts[row.label.index()] += 1;
    }
    let class_weights = class_weights(&counts, settings.class_weight_exponent);
    let smoothing = settings.label_smoothing;
    rows.iter()
        .map(|row| {
            let mut ids = vec![tokenizer.cls()];
            ids.extend(tokenizer.encode(&model_text(&row.text)).into_iter().take(settings.max_tokens - 2));
            ids.push(tokenizer.sep());
            let mut target = [smoothing / LABEL_COUNT as f32; LABEL_COUNT];
            target[row.label.index()] += 1.0 - smoothing;
            let confidence = usize::from(row.confidence.unwrap_or(3).clamp(1, 3)) - 1;
            let weight = class_weights[row.label.index()] * settings.confidence_weights[confidence];
            Example { ids, label: row.label, target, weight }
        })
        .collect()
}

/// Weights ∝ frequency^-exponent, scaled so that the average row weighs 1. A label without rows weighs 1.
fn class_weights(counts: &[usize; LABEL_COUNT], exponent: f32) -> [f32; LABEL_COUNT] {
    let total: usize = counts.iter().sum();
    let raw = counts.map(|count| if count == 0 { 1.0 } else { (count as f32 / total as f32).powf(-exponent) });
    let mean = raw.iter().zip(counts).map(|(weight, &count)| weight * count as f32).sum::<f32>() / total.max(1) as f32;
    std::array::from_fn(|label| if counts[label] == 0 { 1.0 } else { raw[label] / mean })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(label: Label, source: &str) -> LabelledRow {
        LabelledRow { text: "t".into(), label, confidence: None, source: Some(source.into()), doc: None }
    }

    #[test]
    fn drawing_balances_labels_and_sources() {
        let mut rows = vec![row(Label::Opinion, "large"); 900];
        rows.extend(vec![row(Label::Opinion, "small"); 40]);
        rows.extend(vec![row(Label::Other, "pages"); 60]);
        let drawn = draw_evenly(rows, 120, 3);
        let count = |label, source: &str| {
            drawn.iter().filter(|r| r.label == label && r.source.as_deref() == Some(source)).count()
        };
        assert_eq!(drawn.len(), 120);
        assert_eq!(count(Label::Other, "pages"), 60);
        assert!((20..=40).contains(&count(Label::Opinion, "small")), "{}", count(Label::Opinion, "small"));
    }

    #[test]
    fn rare_classes_weigh_more_and_the_average_row_weighs_one() {
        let counts = [900, 100, 0, 0, 0];
        let weights = class_weights(&counts, 0.5);
        assert!((weights[1] / weights[0] - 3.0).abs() < 1e-5);
        assert!((weights[0] * 0.9 + weights[1] * 0.1 - 1.0).abs() < 1e-5);
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
    }
}
