//! When a small model asks a large one: where it is not sure, and where it could hide a label that matters.

use crate::label::{Label, LabelId, LabelSet, Scores};
use serde::{Deserialize, Serialize};

/// A label that the small model must not hide: from this probability on the large model is asked, however sure the small one
/// is of another label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ask {
    /// The label.
    pub label: LabelId,
    /// The small model's probability of it.
    pub from: f32,
}

/// Whether a small model with these scores asks the large one: its best label is less probable than `threshold`, or a label
/// of `asks` is probable enough.
pub fn is_asked(scores: &Scores, threshold: f32, asks: &[Ask]) -> bool {
    scores.best().1 < threshold || asks.iter().any(|ask| scores.get(ask.label) >= ask.from)
}

/// The answer where the large model was asked: the softmax of both models' logits under their weights, but for the labels of
/// `decided`. Of those the large model's own probability counts, so that a threshold finds what it finds with the large model
/// alone.
pub fn answer_of_both(logits: [&[f32]; 2], weights: [f32; 2], large: &Scores, decided: &[Ask]) -> Scores {
    let mixed = Scores::from_mixture(large.labels(), logits, weights);
    match decided {
        [] => mixed,
        _ => mixed.with(&decided.iter().map(|ask| (ask.label, large.get(ask.label))).collect::<Vec<_>>()),
    }
}

/// A label whose rows the pair of models is to find as the large model does.
#[derive(Clone, Debug, PartialEq)]
pub struct Watched {
    /// The label.
    pub label: LabelId,
    /// The large model finds a row of that label where it gives the label at least such a probability. There may be several,
    /// as a filter has several thresholds; the pair is held to each.
    pub found_from: Vec<f32>,
}

/// A labelled row as both models read it, in one of the ways in which rows are read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WatchedReading<'a> {
    /// The annotator's label.
    pub gold: LabelId,
    /// What the small model says.
    pub small: &'a Scores,
    /// What the large model says of the row without neighbours.
    pub large: &'a Scores,
}

/// An [`Ask`] and what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct AskFigures {
    /// The label.
    pub label: Label,
    /// The small model's probability of it from which the large model is asked.
    pub from: f32,
    /// Readings of rows of the label in which the large model finds it at the lowest of its thresholds.
    pub found: usize,
    /// Those of them of which this label does not make the small model ask.
    pub missed: usize,
}

impl AskFigures {
    /// The rule alone.
    pub fn ask(&self, labels: &LabelSet) -> Option<Ask> {
        labels.id(self.label.as_str()).map(|label| Ask { label, from: self.from })
    }
}

/// For each watched label the highest probability from which the small model may ask, so that of the readings in which the
/// large model finds it at most the share `miss` is not asked about for this label's sake. That a row may be asked about for
/// want of confidence too does not count: it depends on another threshold. A label that the large model never finds is left
/// out.
pub fn fit_asks(labels: &LabelSet, watched: &[Watched], readings: &[WatchedReading<'_>], miss: f64) -> Vec<AskFigures> {
    let fitted = watched.iter().filter_map(|Watched { label, found_from }| {
        let found = |from: f32| -> Vec<f32> {
            let found = readings.iter().filter(|row| row.gold == *label && row.large.get(*label) >= from);
            let mut scores: Vec<f32> = found.map(|row| row.small.get(*label)).collect();
            scores.sort_unstable_by(f32::total_cmp);
            scores
        };
        // The tolerance keeps a share of rows that is a whole number there.
        let allowed = |found: &[f32]| found.get((miss * found.len() as f64 + 1e-9).floor() as usize).copied();
        let from = found_from.iter().filter_map(|&from| allowed(&found(from))).min_by(f32::total_cmp)?;
        let all = found(found_from.iter().copied().min_by(f32::total_cmp)?);
        let missed = all.partition_point(|&score| score < from);
        Some(AskFigures { label: labels.label(*label), from, found: all.len(), missed })
    });
    fitted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::OPINION;

    fn labels() -> LabelSet {
        LabelSet::new([OPINION, "spam", "quotation"]).unwrap()
    }

    fn scores(spam: f32) -> Scores {
        Scores::new(&labels(), [1.0 - spam, spam, 0.0])
    }

    #[test]
    fn the_large_model_is_asked_where_the_small_one_is_unsure_or_could_hide_a_label() {
        let spam = labels().id("spam").unwrap();
        let asks = [Ask { label: spam, from: 0.02 }];
        for (probability, expected) in [(0.001, false), (0.02, true), (0.15, true), (0.97, true)] {
            assert_eq!(is_asked(&scores(probability), 0.8, &asks), expected, "{probability}");
        }
        for (probability, expected) in [(0.001, false), (0.15, false), (0.25, true), (0.97, false)] {
            assert_eq!(is_asked(&scores(probability), 0.8, &[]), expected, "{probability}");
        }
    }

    #[test]
    fn the_large_model_decides_what_it_was_asked_about_and_both_the_rest() {
        let labels = labels();
        let logits: [&[f32]; 2] = [&[2.0, 1.0, 1.0], &[0.0, 2.0, 1.0]];
        let large = Scores::from_logits(&labels, logits[1]);
        let mixed = Scores::from_mixture(&labels, logits, [0.5, 0.5]);
        assert_eq!(answer_of_both(logits, [0.5, 0.5], &large, &[]), mixed);
        let spam = labels.id("spam").unwrap();
        let answer = answer_of_both(logits, [0.5, 0.5], &large, &[Ask { label: spam, from: 0.1 }]);
        assert!((answer.get(spam) - large.get(spam)).abs() < 1e-6);
        assert!((answer.values().iter().sum::<f32>() - 1.0).abs() < 1e-6);
        let odds = |scores: &Scores| scores.values()[0] / scores.values()[2];
        assert!((odds(&answer) - odds(&mixed)).abs() < 1e-5);
    }

    /// A hundred rows of spam for which the small model has probabilities of 0.00, 0.01 … 0.99 and the large one is sure of the
    /// last eighty, and a genuine row.
    fn fitted(found_from: &[f32], miss: f64) -> Vec<AskFigures> {
        let small: Vec<Scores> = (0..=100).map(|row| scores(row as f32 / 100.0)).collect();
        let large = [scores(0.4), scores(0.9)];
        let readings: Vec<WatchedReading<'_>> = (0..=100)
            .map(|row| WatchedReading {
                gold: if row < 100 { LabelId::at(1) } else { LabelId::at(0) },
                small: &small[row],
                large: &large[usize::from(row >= 20)],
            })
            .collect();
        let watched = [1, 2].map(|label| Watched { label: LabelId::at(label), found_from: found_from.to_vec() });
        fit_asks(&labels(), &watched, &readings, miss)
    }

    #[test]
    fn at_most_the_share_of_what_the_large_model_finds_is_missed() {
        let figures = |from, found, missed| {
            // Nobody finds a quotation, so nothing is asked for its sake.
            vec![AskFigures { label: labels().label(LabelId::at(1)), from, found, missed }]
        };
        assert_eq!(fitted(&[0.5], 0.0), figures(0.2, 80, 0));
        assert_eq!(fitted(&[0.5], 0.05), figures(0.24, 80, 4));
        // 4 of 80 at the higher threshold, 5 of 100 at the lower one, which asks for more.
        assert_eq!(fitted(&[0.5, 0.3], 0.05), figures(0.05, 100, 5));
        assert_eq!(fitted(&[0.95], 0.05), []);
    }
}
