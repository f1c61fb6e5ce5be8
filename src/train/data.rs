//! Reading labelled rows and turning them into training examples.

use super::page::RUN;
use super::threads::{Place, places};
use super::{TrainError, TrainSettings};
use crate::corpus::page_ranges;
use crate::eval::{Noise, SplitMix64};
use crate::label::{LABEL_COUNT, Label, Scores, annotator_confidence};
use crate::text::{FACT_COUNT, facts, model_text};
use crate::tokenizer::Tokenizer;
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::Range;
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
    /// A teacher's vector of the text, `[hidden]`; see [`TrainSettings::vector_weight`].
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

/// The ranges of neighbouring rows that are one page: same source, same doc. A row without doc is a page of its own.
pub fn pages(rows: &[LabelledRow]) -> Vec<Range<usize>> {
    let keys: Vec<_> = rows.iter().map(|row| Some((&row.source, row.doc.as_ref()?))).collect();
    page_ranges(&keys)
}

/// Draws about `count` rows of one file: evenly over labels and sources, as weakly labelled rows are drawn, where rows
/// have labels; otherwise whole runs of neighbouring rows, at most 16 rows long, at random, so that pages stay pages. All
/// rows where there are no more than `count`, or it is 0.
pub fn draw_texts(rows: Vec<LabelledRow>, count: usize, seed: u64) -> Vec<LabelledRow> {
    if rows.iter().any(|row| row.input_label.is_some()) {
        return draw_evenly(rows, count, seed);
    }
    if count == 0 || rows.len() <= count {
        return rows;
    }
    let numbers = run_numbers(&rows);
    let mut order: Vec<usize> = (0..=numbers.last().copied().unwrap_or(0)).collect();
    SplitMix64::new(seed).shuffle(&mut order);
    let mut lengths = vec![0; order.len()];
    numbers.iter().for_each(|&number| lengths[number] += 1);
    let mut drawn = vec![false; order.len()];
    let mut total = 0;
    for run in order {
        if total < count {
            drawn[run] = true;
            total += lengths[run];
        }
    }
    rows.into_iter().zip(numbers).filter(|(_, number)| drawn[*number]).map(|(row, _)| row).collect()
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
    /// Facts about the paragraph as it is written.
    pub facts: [f32; FACT_COUNT],
    /// Number of the run of neighbouring rows of one page that the row belongs to.
    pub run: usize,
    /// Whether that run is an invented thread, so that the row is not on its page.
    pub in_thread: bool,
    /// The teacher's vector, `[hidden]`.
    pub vector: Option<Vec<f32>>,
}

/// Tokenises rows and computes targets and weights, in the order of [`places`].
pub(super) fn examples(rows: &[LabelledRow], tokenizer: &Tokenizer, settings: &TrainSettings) -> Vec<Example> {
    let mut counts = [0usize; LABEL_COUNT];
    for row in rows {
        counts[row.label.index()] += 1;
    }
    let class_weights = class_weights(&counts, settings.class_weight_exponent);
    let mut random = SplitMix64::new(settings.seed ^ 0x6e01_5e00);
    places(rows, settings)
        .into_iter()
        .map(|Place { row, run, in_thread }| {
            let row = &rows[row];
            let text = noisy(row, settings.noise, &mut random);
            let mut ids = vec![tokenizer.cls()];
            ids.extend(tokenizer.encode(&model_text(&text)).into_iter().take(settings.max_tokens - 2));
            ids.push(tokenizer.sep());
            let target = target(row, settings);
            let [coin_toss, leaning, sure] = settings.confidence_weights;
            let confidence_weight = match row.confidence {
                Some(1) => coin_toss,
                Some(2) => leaning,
                _ => sure,
            };
            let weight = class_weights[row.label.index()] * confidence_weight;
            let (label, vector) = (row.label, row.vector.clone());
            Example { ids, label, target, weight, facts: facts(&text), run, in_thread, vector }
        })
        .collect()
}

/// For every row the number of its run: neighbouring rows with the same source and doc, at most [`RUN`] of them. Rows
/// without doc are runs of their own.
pub(super) fn run_numbers(rows: &[LabelledRow]) -> Vec<usize> {
    let mut numbers: Vec<usize> = Vec::with_capacity(rows.len());
    let mut length = 0;
    for (index, row) in rows.iter().enumerate() {
        let follows = index.checked_sub(1).is_some_and(|before| {
            row.doc.is_some() && rows[before].doc == row.doc && rows[before].source == row.source
        });
        let number = numbers.last().map_or(0, |&number| if follows && length < RUN { number } else { number + 1 });
        length = if numbers.last() == Some(&number) { length + 1 } else { 1 };
        numbers.push(number);
    }
    numbers
}

/// The row's text, or with the given probability a copy that looks different.
fn noisy<'row>(row: &'row LabelledRow, probability: f32, random: &mut SplitMix64) -> Cow<'row, str> {
    if random.unit() >= probability {
        return Cow::Borrowed(&row.text);
    }
    // Whatever the label: noise in one label's rows alone would teach that the noise is the label.
    let noise = [Noise::FirstSentence, Noise::Leet, Noise::Typography][random.below(3)];
    Cow::Owned(noise.apply(&row.text, random))
}

/// What the model is to answer: the smoothed label; or a teacher's probabilities, with the share that the settings give
/// to the label that the row had before.
fn target(row: &LabelledRow, settings: &TrainSettings) -> [f32; LABEL_COUNT] {
    let Some(teacher) = row.scores.and_then(ScoreFields::distribution) else {
        let mut target = [settings.label_smoothing / LABEL_COUNT as f32; LABEL_COUNT];
        target[row.label.index()] += 1.0 - settings.label_smoothing;
        return target;
    };
    let Some(before) = row.input_label else { return teacher };
    let share = settings.source_label_share[before.index()];
    let mut target = teacher.map(|probability| probability * (1.0 - share));
    target[before.index()] += share;
    target
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
        // What an annotator says counts, whatever a model said before.
        let labelled = read_labelled(&path).unwrap();
        let judged: Vec<_> = labelled.rows.iter().map(|row| (row.text.as_str(), row.scores)).collect();
        assert_eq!(judged, [("judged", None), ("broken", None)]);
        let soft = &weak.rows[0];
        assert_eq!(target(soft, &TrainSettings::default()), [0.1, 0.2, 0.0, 0.0, 0.7]);
        let relabelled = LabelledRow { input_label: Some(Label::CommentSpam), ..soft.clone() };
        let settings = TrainSettings { source_label_share: [0.5; LABEL_COUNT], ..TrainSettings::default() };
        assert_eq!(target(&relabelled, &settings), [0.05, 0.1, 0.5, 0.0, 0.35]);
    }

    #[test]
    fn neighbours_on_a_page_are_one_run() {
        let on =
            |source: &str, doc: Option<&str>| LabelledRow { doc: doc.map(str::to_owned), ..row(Label::Other, source) };
        let mut rows = vec![on("a", Some("1")), on("a", Some("1")), on("b", Some("1")), on("b", None), on("b", None)];
        rows.extend(vec![on("c", Some("2")); RUN + 2]);
        let numbers = run_numbers(&rows);
        assert_eq!(numbers[..6], [0, 0, 1, 2, 3, 4]);
        assert_eq!(numbers[5..].iter().filter(|&&number| number == 4).count(), RUN);
        assert_eq!(numbers.last(), Some(&5));
    }

    fn row(label: Label, source: &str) -> LabelledRow {
        LabelledRow { source: Some(source.into()), ..LabelledRow::new("t", label) }
    }

    #[test]
    fn texts_without_labels_are_drawn_in_whole_runs() {
        let on = |doc: &str| LabelledRow { doc: Some(doc.to_owned()), ..row(Label::Other, "pages") };
        let rows: Vec<LabelledRow> =
            (0..50).flat_map(|page| vec![on(&page.to_string()); 3]).chain(vec![on("long"); 2 * RUN]).collect();
        let drawn = draw_texts(rows.clone(), 60, 7);
        assert!((60..60 + RUN).contains(&drawn.len()), "{}", drawn.len());
        let of = |doc: &str| drawn.iter().filter(|row| row.doc.as_deref() == Some(doc)).count();
        assert!((0..50).all(|page| matches!(of(&page.to_string()), 0 | 3)));
        assert_eq!(of("long") % RUN, 0);
        assert_eq!(draw_texts(rows.clone(), 0, 7), rows);
        let labelled: Vec<LabelledRow> =
            rows.into_iter().map(|row| LabelledRow { input_label: Some(Label::Other), ..row }).collect();
        assert_eq!(draw_texts(labelled, 60, 7).len(), 60);
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
    fn noise_does_not_depend_on_the_label() {
        let text = "We offer loans at three percent. Is it a cafe or a bank? I do not know.";
        for seed in 0..40 {
            let copies = Label::ALL
                .map(|label| noisy(&LabelledRow::new(text, label), 1.0, &mut SplitMix64::new(seed)).into_owned());
            assert!(copies.iter().all(|copy| *copy == copies[0]), "{copies:?}");
        }
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
        std::fs::write(&path, "{\"text\":\"b\",\"label\":\"spam\"}\n{}\n").unwrap();
        let error = read_labelled(&path).unwrap_err().to_string();
        assert!(error.contains("2 set aside, the first in line 1") && error.contains("spam"), "{error}");
    }
}
