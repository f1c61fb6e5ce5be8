//! How much a copy of the data that looks different costs.

use super::{LabelCounts, Noise};
use crate::label::{LabelId, Scores};
use serde::{Deserialize, Serialize};

/// The figures of one noisy copy of a data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseFigures {
    /// The kind of noise, such as `zero_width`.
    pub noise: String,
    /// Macro-F1 on the copy.
    pub macro_f1: f64,
    /// Macro-F1 on the clean data minus macro-F1 on the copy.
    pub drop: f64,
    /// F1 of the spam label on the copy, 0 where no row has it; absent where no label is for spam.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_spam_f1: Option<f64>,
    /// Rows that got another label than their clean text.
    pub changed_rows: u64,
}

/// Compares the scores of noisy copies with those of the clean texts; all lists have one entry per row of `gold`. `spam` is
/// the label for spam, where there is one.
///
/// # Panics
/// If a list has another length than `gold`.
pub fn robustness(
    gold: &[LabelId],
    clean: &[Scores],
    copies: &[(Noise, Vec<Scores>)],
    spam: Option<LabelId>,
) -> Vec<NoiseFigures> {
    let labels = clean.first().map_or(0, |scores| scores.labels().len());
    let counts = |scores: &[Scores]| {
        assert_eq!(scores.len(), gold.len(), "scores and gold labels must be alike");
        LabelCounts::from_pairs(labels, gold.iter().copied().zip(scores.iter().map(|scores| scores.best().0)))
    };
    let clean_f1 = counts(clean).macro_f1().unwrap_or(0.0);
    let figures = copies.iter().map(|(noise, scores)| {
        let counts = counts(scores);
        let macro_f1 = counts.macro_f1().unwrap_or(0.0);
        let changed = clean.iter().zip(scores).filter(|(clean, noisy)| clean.best().0 != noisy.best().0).count();
        NoiseFigures {
            noise: noise.as_str().to_owned(),
            macro_f1,
            drop: clean_f1 - macro_f1,
            comment_spam_f1: spam.map(|label| counts.f1(label).unwrap_or(0.0)),
            changed_rows: changed as u64,
        }
    });
    figures.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::built_in::{COMMENT_SPAM, OPINION, scores};

    #[test]
    fn the_drop_is_what_the_copy_costs() {
        let sure = |label: LabelId| scores(std::array::from_fn(|index| f32::from(u8::from(index == label.index()))));
        let gold = [OPINION, COMMENT_SPAM, COMMENT_SPAM, OPINION];
        let clean = gold.map(sure);
        let mut leet = clean.to_vec();
        leet[1] = sure(OPINION);
        let copies = [(Noise::Quotes, clean.to_vec()), (Noise::Leet, leet)];
        let figures = robustness(&gold, &clean, &copies, Some(COMMENT_SPAM));
        assert_eq!((figures[0].drop, figures[0].macro_f1, figures[0].changed_rows), (0.0, 1.0, 0));
        assert_eq!((figures[1].noise.as_str(), figures[1].changed_rows), ("leet", 1));
        assert!((figures[1].comment_spam_f1.unwrap() - 2.0 / 3.0).abs() < 1e-9);
        assert!((figures[1].drop - (1.0 - (2.0 / 3.0 + 0.8) / 2.0)).abs() < 1e-9);
        assert_eq!(robustness(&gold, &clean, &copies, None)[1].comment_spam_f1, None);
    }
}
