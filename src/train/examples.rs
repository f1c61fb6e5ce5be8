//! Turning labelled rows into training examples.

use super::TrainSettings;
use super::data::{LabelledRow, distribution};
use super::threads::{Place, places};
use crate::label::{LabelId, LabelSet};
use crate::model::page::Place as PagePlace;
use crate::noise::Noise;
use crate::random::SplitMix64;
use crate::text::{facts, model_text};
use crate::tokenizer::Tokenizer;
use std::borrow::Cow;

/// A tokenised row with what the loss needs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Example {
    /// `[CLS] … [SEP]`, at most `max_tokens`.
    pub ids: Vec<u32>,
    pub label: LabelId,
    /// Smoothed target distribution, `[labels]`.
    pub target: Vec<f32>,
    /// Class weight times confidence weight.
    pub weight: f32,
    /// Facts about the paragraph as it is written, and its region.
    pub place: PagePlace,
    /// Number of the run of neighbouring rows of one page that the row belongs to.
    pub run: usize,
    /// Whether that run is an invented thread, so that the row is not on its page.
    pub in_thread: bool,
    /// The teacher's vector, `[hidden]`.
    pub vector: Option<Vec<f32>>,
}

/// Tokenises rows, each of which has one of the labels, and computes targets and weights, in the order of [`places`].
/// `label_shares` is what the settings say of the share of a label that a row had before, `[labels]`.
pub(super) fn examples(
    rows: &[LabelledRow],
    labels: &LabelSet,
    tokenizer: &Tokenizer,
    settings: &TrainSettings,
    label_shares: &[f32],
) -> Vec<Example> {
    let label_of = |row: &LabelledRow| {
        let label = row.label.as_ref().and_then(|label| labels.id(label.as_str()));
        label.expect("rows were checked to have one of the labels; this is a bug")
    };
    let mut counts = vec![0usize; labels.len()];
    for row in rows {
        counts[label_of(row).index()] += 1;
    }
    let class_weights = class_weights(&counts, settings.class_weight_exponent);
    let mut random = SplitMix64::new(settings.seed ^ 0x6e01_5e00);
    // A page's source tells the regions of all its paragraphs or of none.
    let mut hides = SplitMix64::new(settings.seed ^ 0x0072_6567_696f_6e73);
    let (mut last_run, mut hidden) = (None, false);
    places(rows, settings)
        .into_iter()
        .map(|Place { row, run, in_thread }| {
            let row = &rows[row];
            let text = noisy(row, settings.noise, &mut random);
            let mut ids = vec![tokenizer.cls()];
            let plain = model_text(&text);
            ids.extend(tokenizer.encode(&plain).into_iter().take(settings.max_tokens - 2));
            ids.push(tokenizer.sep());
            let label = label_of(row);
            let target = target(row, label, labels, settings.label_smoothing, label_shares);
            let [coin_toss, leaning, sure] = settings.confidence_weights;
            let confidence_weight = match row.confidence {
                Some(1) => coin_toss,
                Some(2) => leaning,
                _ => sure,
            };
            let weight = class_weights[label.index()] * confidence_weight;
            let vector = row.vector.clone();
            if last_run.replace(run) != Some(run) {
                hidden = hides.unit() < settings.regions_hidden;
            }
            let place = PagePlace { facts: facts(&plain, &text), region: row.region.filter(|_| !hidden) };
            Example { ids, label, target, weight, place, run, in_thread, vector }
        })
        .collect()
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
fn target(row: &LabelledRow, label: LabelId, labels: &LabelSet, smoothing: f32, label_shares: &[f32]) -> Vec<f32> {
    let Some(mut target) = row.scores.as_ref().and_then(distribution) else {
        let mut target = vec![smoothing / labels.len() as f32; labels.len()];
        target[label.index()] += 1.0 - smoothing;
        return target;
    };
    let Some(before) = row.input_label.as_ref().and_then(|label| labels.id(label.as_str())) else { return target };
    let share = label_shares[before.index()];
    target.iter_mut().for_each(|probability| *probability *= 1.0 - share);
    target[before.index()] += share;
    target
}

/// Weights ∝ frequency^-exponent, scaled so that the average row weighs 1. A label without rows weighs 1.
fn class_weights(counts: &[usize], exponent: f32) -> Vec<f32> {
    let total: usize = counts.iter().sum();
    let weight = |count: usize| if count == 0 { 1.0 } else { (count as f32 / total as f32).powf(-exponent) };
    let raw: Vec<f32> = counts.iter().map(|&count| weight(count)).collect();
    let mean = raw.iter().zip(counts).map(|(weight, &count)| weight * count as f32).sum::<f32>() / total.max(1) as f32;
    raw.iter().zip(counts).map(|(weight, &count)| if count == 0 { 1.0 } else { weight / mean }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::Label;
    use crate::label::built_in::{OPINION, scores};

    #[test]
    fn a_teachers_answer_is_the_target_beside_a_share_of_the_label_before() {
        let target = |row: &LabelledRow| target(row, OPINION, &LabelSet::copydesk(), 0.05, &[0.5; 5]);
        let teacher = scores([0.1, 0.2, 0.0, 0.0, 0.7]);
        let soft = LabelledRow { scores: Some(teacher.clone()), ..LabelledRow::new("judged", "opinion") };
        assert_eq!(target(&soft), teacher.values());
        let relabelled = LabelledRow { input_label: Some(Label::new("comment_spam").unwrap()), ..soft };
        assert_eq!(target(&relabelled), [0.05, 0.1, 0.5, 0.0, 0.35]);
    }

    #[test]
    fn noise_does_not_depend_on_the_label() {
        let text = "We offer loans at three percent. Is it a cafe or a bank? I do not know.";
        for seed in 0..40 {
            let copies = ["reporting", "comment_spam", "ham"]
                .map(|label| noisy(&LabelledRow::new(text, label), 1.0, &mut SplitMix64::new(seed)).into_owned());
            assert!(copies.iter().all(|copy| *copy == copies[0]), "{copies:?}");
        }
    }

    #[test]
    fn rare_classes_weigh_more_and_the_average_row_weighs_one() {
        let weights = class_weights(&[900, 100, 0, 0, 0], 0.5);
        assert!((weights[1] / weights[0] - 3.0).abs() < 1e-5);
        assert!((weights[0] * 0.9 + weights[1] * 0.1 - 1.0).abs() < 1e-5);
    }
}
