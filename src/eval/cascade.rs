//! When a small model may answer for a large one: the curve of work against quality, and the point to take on it.

use super::EvalError;
use super::calibration::Calibration;
use super::enough::{LEAST_ROWS, check_enough};
use super::metrics::LabelCounts;
use super::mixture::{Pull, TwoJudged, fit};
use super::temperature::{assign_folds, check_rows};
use crate::label::{LabelId, Scores};
use crate::page::PageKey;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Points of the curve: the share of rows that the large model reads rises from 0 to 1 in so many steps.
const STEPS: usize = 50;

/// Weights are fitted on the rows that they are for, and at least on this share of the rows, the least sure ones, so that two
/// numbers do not rest on a handful.
const LEAST_SHARE: f64 = 0.2;

/// Rows that the weights known before count for.
const PRIOR_ROWS: f64 = 5.0;

/// Fewest rows on pages that weights of their own are fitted on.
const LEAST_ON_PAGE: usize = LEAST_ROWS;

/// What a small model made of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SmallReading<'a> {
    /// `[labels]`, before any temperature.
    pub logits: &'a [f32],
    /// Its calibrated probabilities; the largest says how sure it is.
    pub scores: &'a Scores,
}

/// A labelled row as a small and a large model read it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CascadeRow<'a> {
    /// The annotator's label.
    pub gold: LabelId,
    /// Its page; rows of one page are in one fold.
    pub page: Option<PageKey<&'a str>>,
    /// The small model, which read the row alone.
    pub alone: SmallReading<'a>,
    /// The small model, which read the row beside its neighbours; `None` for a row without.
    pub on_page: Option<SmallReading<'a>>,
    /// The large model's logits `[labels]` for the row alone, before any temperature.
    pub large: &'a [f32],
    /// What the large model has to read for them.
    pub large_tokens: usize,
    /// The large model's label for the row on its page: what the cascade is held against.
    pub large_on_page: LabelId,
}

/// The numbers that make a cascade of two models.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct CascadeChoice {
    /// The small model's answer is taken from this confidence on.
    pub threshold: f32,
    /// Weights of the small and the large model's logits for a row without neighbours.
    pub alone: [f32; 2],
    /// The same where the small model has read the row beside its neighbours.
    pub on_page: [f32; 2],
}

/// How a cascade is fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CascadeOptions {
    /// Macro-F1 that may be lost to the large model.
    pub within: f64,
    /// Weights that hold before any row is seen, those of the two models' logits alone and on their pages: each model's own
    /// calibration, halved.
    pub before: [[f32; 2]; 2],
    /// Folds of pages for the figures that are cross-fitted.
    pub folds: usize,
    /// Seed of the folds.
    pub seed: u64,
}

/// What a cascade does to rows that are read in one of the two ways.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct CascadeFigures {
    /// Share of the rows that the large model reads.
    pub rows_asked: f64,
    /// Share of the large model's tokens that it reads.
    pub tokens_asked: f64,
    /// Macro-F1 of the answers.
    pub macro_f1: f64,
    /// Expected calibration error of the answers; see [`Calibration`].
    pub expected_calibration_error: f64,
}

/// A point of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct CascadePoint {
    /// The numbers that give it.
    pub choice: CascadeChoice,
    /// Every row read alone.
    pub alone: CascadeFigures,
    /// Every row read on its page.
    pub on_page: CascadeFigures,
}

/// A figure for rows read alone and one for rows read on their pages.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct BothReadings {
    /// Every row read alone.
    pub alone: f64,
    /// Every row read on its page.
    pub on_page: f64,
}

impl BothReadings {
    /// Whether a point of the curve has at least these macro-F1.
    pub fn reached_by(self, point: &CascadePoint) -> bool {
        point.alone.macro_f1 >= self.alone && point.on_page.macro_f1 >= self.on_page
    }
}

/// A choice, and what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct CascadeFit {
    /// Rows, and those of them that the small model read beside neighbours.
    pub rows: [usize; 2],
    /// Macro-F1 of the large model.
    pub large_macro_f1: BothReadings,
    /// Macro-F1 that the cascade was to have, in both readings.
    pub wanted_macro_f1: BothReadings,
    /// The point taken: the least work that has it, or the best where none has.
    pub chosen: CascadePoint,
    /// From all answers by the small model to all with the large one's help, fitted and counted on the same rows.
    pub curve: Vec<CascadePoint>,
    /// What to expect elsewhere, rows read alone: each fold answered by the choice that the other folds led to.
    pub cross_fitted_alone: CascadeFigures,
    /// The same, rows read on their pages.
    pub cross_fitted_on_page: CascadeFigures,
}

impl CascadeChoice {
    /// The cascade's probabilities for a row read alone, and whether the large model is asked for them.
    pub fn alone<'a>(&self, row: &CascadeRow<'a>) -> (Cow<'a, Scores>, bool) {
        self.judge(row.alone, self.alone, row.large)
    }

    /// The same for a row read on its page.
    pub fn on_page<'a>(&self, row: &CascadeRow<'a>) -> (Cow<'a, Scores>, bool) {
        match row.on_page {
            Some(reading) => self.judge(reading, self.on_page, row.large),
            None => self.alone(row),
        }
    }

    /// The same for one reading of the small model, `on_page` whether its page network took part.
    pub fn of(&self, small: SmallReading<'_>, on_page: bool, large: &[f32]) -> Scores {
        self.judge(small, if on_page { self.on_page } else { self.alone }, large).0.into_owned()
    }

    fn judge<'a>(&self, small: SmallReading<'a>, weights: [f32; 2], large: &[f32]) -> (Cow<'a, Scores>, bool) {
        match small.scores.best().1 < self.threshold {
            true => {
                let mixed = Scores::from_mixture(small.scores.labels(), [small.logits, large], weights);
                (Cow::Owned(mixed), true)
            }
            false => (Cow::Borrowed(small.scores), false),
        }
    }
}

/// Chooses the least work for the large model with which the macro-F1 of rows read alone and of rows read on their pages is
/// at most [`CascadeOptions::within`] below the large model's, and measures the choice by cross-fitting over folds of pages.
/// No weight is below 0, and few rows leave the weights near those that held before.
///
/// # Errors
///
/// [`EvalError::NoRows`], [`EvalError::RowWidth`], [`EvalError::LogitNotFinite`], [`EvalError::FoldCount`], and those
/// of [`check_enough`].
///
/// # Panics
///
/// If a label is beyond the logits.
pub fn fit_cascade(rows: &[CascadeRow<'_>], options: &CascadeOptions) -> Result<CascadeFit, EvalError> {
    let CascadeOptions { within, before, folds, seed } = *options;
    let labels = rows.first().ok_or(EvalError::NoRows)?.alone.scores.labels().len();
    check_rows(rows.iter().map(|row| row.alone.logits), labels)?;
    check_rows(rows.iter().map(|row| row.on_page.unwrap_or(row.alone).logits), labels)?;
    check_rows(rows.iter().map(|row| row.large), labels)?;
    let pages: Vec<Option<PageKey<&str>>> = rows.iter().map(|row| row.page).collect();
    check_enough(&rows.iter().map(|row| row.gold).collect::<Vec<_>>(), &pages)?;
    let fold_of_row = assign_folds(&pages, folds, seed)?;
    let mut judged: [Vec<Judged>; 2] = [Vec::new(), Vec::new()];
    for fold in 0..folds {
        let part = |inside: bool| -> Vec<CascadeRow<'_>> {
            let rows = rows.iter().zip(&fold_of_row).filter(|(_, of_row)| (**of_row == fold) == inside);
            rows.map(|(row, _)| *row).collect()
        };
        let others = part(false);
        let chosen = choose(&curve(labels, &others, before), wanted(large_macro_f1(labels, &others), within));
        judged[0].extend(part(true).iter().map(|row| judged_row(row, chosen.choice.alone(row))));
        judged[1].extend(part(true).iter().map(|row| judged_row(row, chosen.choice.on_page(row))));
    }
    let curve = curve(labels, rows, before);
    let large_macro_f1 = large_macro_f1(labels, rows);
    let wanted_macro_f1 = wanted(large_macro_f1, within);
    let chosen = choose(&curve, wanted_macro_f1);
    let on_page = rows.iter().filter(|row| row.on_page.is_some()).count();
    Ok(CascadeFit {
        rows: [rows.len(), on_page],
        large_macro_f1,
        wanted_macro_f1,
        chosen,
        curve,
        cross_fitted_alone: figures(labels, &judged[0]),
        cross_fitted_on_page: figures(labels, &judged[1]),
    })
}

/// A row's answer.
struct Judged {
    gold: LabelId,
    /// The most probable label and its probability.
    best: (LabelId, f32),
    /// Whether the large model was asked.
    asked: bool,
    /// The large model's tokens.
    tokens: usize,
}

fn judged_row(row: &CascadeRow<'_>, (scores, asked): (Cow<'_, Scores>, bool)) -> Judged {
    Judged { gold: row.gold, best: scores.best(), asked, tokens: row.large_tokens }
}

fn figures(labels: usize, judged: &[Judged]) -> CascadeFigures {
    let asked = judged.iter().filter(|row| row.asked);
    let tokens: usize = judged.iter().map(|row| row.tokens).sum();
    let asked_tokens: usize = asked.clone().map(|row| row.tokens).sum();
    let counts = LabelCounts::from_pairs(labels, judged.iter().map(|row| (row.gold, row.best.0)));
    let calibration = Calibration::of(judged.iter().map(|row| (row.best.1, row.best.0 == row.gold)));
    CascadeFigures {
        rows_asked: asked.count() as f64 / judged.len().max(1) as f64,
        tokens_asked: asked_tokens as f64 / tokens.max(1) as f64,
        macro_f1: counts.macro_f1().unwrap_or(0.0),
        expected_calibration_error: calibration.expected_calibration_error,
    }
}

fn large_macro_f1(labels: usize, rows: &[CascadeRow<'_>]) -> BothReadings {
    let macro_f1 = |answers: &dyn Fn(&CascadeRow<'_>) -> LabelId| {
        LabelCounts::from_pairs(labels, rows.iter().map(|row| (row.gold, answers(row)))).macro_f1().unwrap_or(0.0)
    };
    BothReadings {
        alone: macro_f1(&|row| Scores::from_logits(row.alone.scores.labels(), row.large).best().0),
        on_page: macro_f1(&|row| row.large_on_page),
    }
}

/// The macro-F1 that a cascade is to have.
fn wanted(large: BothReadings, within: f64) -> BothReadings {
    BothReadings { alone: large.alone - within, on_page: large.on_page - within }
}

/// The first point that has the macro-F1 wanted, else the one that is best on the page.
fn choose(curve: &[CascadePoint], wanted: BothReadings) -> CascadePoint {
    let better = |best: CascadePoint, next: &CascadePoint| match next.on_page.macro_f1 > best.on_page.macro_f1 {
        true => *next,
        false => best,
    };
    match curve.iter().find(|point| wanted.reached_by(point)) {
        Some(point) => *point,
        None => curve[1..].iter().fold(curve[0], better),
    }
}

/// All points for at least one row.
fn curve(labels: usize, rows: &[CascadeRow<'_>], before: [[f32; 2]; 2]) -> Vec<CascadePoint> {
    let alone: Vec<(f32, TwoJudged<'_>)> = rows.iter().map(|row| sureness(row.alone, row)).collect();
    let on_page: Vec<(f32, TwoJudged<'_>)> =
        rows.iter().filter_map(|row| row.on_page.map(|reading| sureness(reading, row))).collect();
    let mut confidences: Vec<f32> = rows.iter().map(|row| row.on_page.unwrap_or(row.alone).scores.best().1).collect();
    confidences.sort_unstable_by(f32::total_cmp);
    let thresholds = (0..=STEPS).map(|step| match step {
        0 => 0.0,
        STEPS => 1.0,
        _ => confidences[step * confidences.len() / STEPS],
    });
    thresholds
        .map(|threshold| {
            let weights_alone = fit_unsure(&alone, threshold, before[0]);
            // A handful of rows on pages is too little to fit: what holds alone is the better guess.
            let few = on_page.len() < LEAST_ON_PAGE;
            let weights_on_page = if few { weights_alone } else { fit_unsure(&on_page, threshold, before[1]) };
            let choice = CascadeChoice { threshold, alone: weights_alone, on_page: weights_on_page };
            let judged = |judge: &dyn Fn(&CascadeRow<'_>) -> Judged| {
                figures(labels, &rows.iter().map(judge).collect::<Vec<_>>())
            };
            let (alone, on_page) = (
                judged(&|row| judged_row(row, choice.alone(row))),
                judged(&|row| judged_row(row, choice.on_page(row))),
            );
            CascadePoint { choice, alone, on_page }
        })
        .collect()
}

fn sureness<'a>(reading: SmallReading<'a>, row: &CascadeRow<'a>) -> (f32, TwoJudged<'a>) {
    (reading.scores.best().1, ([reading.logits, row.large], row.gold))
}

/// Weights for the rows below the threshold.
fn fit_unsure(rows: &[(f32, TwoJudged<'_>)], threshold: f32, before: [f32; 2]) -> [f32; 2] {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|left, right| left.0.total_cmp(&right.0));
    let least = (sorted.len() as f64 * LEAST_SHARE).ceil() as usize;
    let unsure = sorted.partition_point(|(confidence, _)| *confidence < threshold).max(least);
    let unsure: Vec<TwoJudged<'_>> = sorted[..unsure].iter().map(|(_, row)| *row).collect();
    fit(&unsure, Pull::of_prior(before, PRIOR_ROWS, unsure.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::LabelSet;
    use crate::label::built_in::{OPINION, OTHER};
    use crate::random::SplitMix64;

    fn peak(label: LabelId, height: f32) -> Vec<f32> {
        (0..5).map(|index| if index == label.index() { height } else { 0.0 }).collect()
    }

    /// A row in memory.
    struct Row {
        gold: LabelId,
        document: String,
        small: (Vec<f32>, Scores),
        large: (Vec<f32>, LabelId),
    }

    fn reading(label: LabelId, height: f32) -> (Vec<f32>, Scores) {
        let logits = peak(label, height);
        let scores = Scores::from_logits(&LabelSet::copydesk(), &logits);
        (logits, scores)
    }

    fn small((logits, scores): &(Vec<f32>, Scores)) -> SmallReading<'_> {
        SmallReading { logits, scores }
    }

    /// Rows of which the small model is sure and right, or unsure and right once in two; the large model is right nine times
    /// in ten. Every third row stands on a page.
    fn drawn() -> Vec<Row> {
        let mut random = SplitMix64::new(5);
        (0..600)
            .map(|number| {
                let gold = LabelId::at(random.below(5));
                let other = |random: &mut SplitMix64| LabelId::at((gold.index() + 1 + random.below(4)) % 5);
                let small = match random.below(10) {
                    0..6 => reading(gold, 6.0),
                    6..8 => reading(gold, 1.0),
                    _ => reading(other(&mut random), 1.0),
                };
                let large = if random.below(10) < 9 { gold } else { other(&mut random) };
                Row { gold, document: (number / 4).to_string(), small, large: (peak(large, 3.0), large) }
            })
            .collect()
    }

    fn rows(drawn: &[Row]) -> Vec<CascadeRow<'_>> {
        drawn
            .iter()
            .enumerate()
            .map(|(number, row)| CascadeRow {
                gold: row.gold,
                page: PageKey::new(None, Some(&row.document)),
                alone: small(&row.small),
                on_page: (number % 3 == 0).then_some(small(&row.small)),
                large: &row.large.0,
                large_tokens: 10 + number % 7,
                large_on_page: row.large.1,
            })
            .collect()
    }

    fn options(within: f64) -> CascadeOptions {
        CascadeOptions { within, before: [[0.5; 2]; 2], folds: 5, seed: 1 }
    }

    #[test]
    fn only_the_unsure_rows_are_sent_on_and_that_is_enough() {
        let drawn = drawn();
        let fit = fit_cascade(&rows(&drawn), &options(0.003)).unwrap();
        assert_eq!(fit.curve.len(), STEPS + 1);
        assert_eq!((fit.curve[0].on_page.rows_asked, fit.curve[STEPS].on_page.rows_asked), (0.0, 1.0));
        assert!(fit.curve[0].on_page.macro_f1 < 0.85 && fit.large_macro_f1.on_page > 0.85);
        // Sure rows are always right, so the cascade beats the large model with the unsure 40% at most.
        let (rows, tokens) = (fit.chosen.on_page.rows_asked, fit.chosen.on_page.tokens_asked);
        assert!(rows > 0.1 && rows < 0.45 && (rows - tokens).abs() < 0.05, "{rows} {tokens}");
        assert!(fit.wanted_macro_f1.reached_by(&fit.chosen));
        assert!(fit.cross_fitted_on_page.macro_f1 > fit.large_macro_f1.on_page - 0.03);
        assert!(fit.cross_fitted_alone.expected_calibration_error < 0.08);
        // The large model is the better witness for unsure rows.
        assert!(fit.chosen.choice.alone[1] > 0.5);
        assert!(fit.curve.windows(2).all(|pair| pair[0].on_page.tokens_asked <= pair[1].on_page.tokens_asked));
    }

    #[test]
    fn the_best_point_is_taken_where_none_is_good_enough() {
        let drawn = drawn();
        let fit = fit_cascade(&rows(&drawn), &options(-0.5)).unwrap();
        let best = fit.curve.iter().map(|point| point.on_page.macro_f1).fold(0.0, f64::max);
        assert_eq!(fit.chosen.on_page.macro_f1, best);
        assert!(best < fit.wanted_macro_f1.on_page);
        let json = serde_json::to_string(&fit).unwrap();
        assert_eq!(serde_json::from_str::<CascadeFit>(&json).unwrap(), fit);
    }

    #[test]
    fn a_sure_answer_is_the_small_models_and_any_other_the_mixture() {
        let drawn = drawn();
        let (on_page, alone) = (reading(OTHER, 6.0), reading(OPINION, 1.0));
        let row = CascadeRow { on_page: Some(small(&on_page)), ..rows(&drawn)[0] };
        let row = CascadeRow { alone: small(&alone), page: None, ..row };
        let choice = CascadeChoice { threshold: 0.9, alone: [0.5, 2.0], on_page: [1.0, 1.0] };
        assert_eq!(choice.on_page(&row), (Cow::Borrowed(&on_page.1), false));
        let mixed = Scores::from_mixture(&LabelSet::copydesk(), [row.alone.logits, row.large], [0.5, 2.0]);
        assert_eq!(choice.alone(&row), (Cow::Owned(mixed), true));
        let exact = CascadeChoice { threshold: row.alone.scores.best().1, ..choice };
        assert_eq!(exact.alone(&row), (Cow::Borrowed(&alone.1), false));
    }

    #[test]
    fn unusable_rows_are_refused() {
        assert_eq!(fit_cascade(&[], &options(0.0)), Err(EvalError::NoRows));
        let drawn = drawn();
        let mut rows = rows(&drawn);
        let large = [0.0, f32::NAN, 0.0, 0.0, 0.0];
        rows[3].large = &large[..4];
        let width = fit_cascade(&rows, &options(0.0));
        assert_eq!(width, Err(EvalError::RowWidth { row: 3, expected: 5, got: 4 }));
        rows[3].large = &large;
        assert!(matches!(fit_cascade(&rows, &options(0.0)), Err(EvalError::LogitNotFinite { row: 3, .. })));
        let few = fit_cascade(&rows[..3], &options(0.0));
        assert_eq!(few, Err(EvalError::TooFewRows { expected: LEAST_ROWS, got: 3 }));
        let ones: Vec<CascadeRow<'_>> = self::rows(&drawn).into_iter().filter(|row| row.gold == OTHER).collect();
        assert_eq!(fit_cascade(&ones, &options(0.0)), Err(EvalError::OneLabel));
    }
}
