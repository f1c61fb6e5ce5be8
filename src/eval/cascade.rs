//! When a small model may answer for a large one: the curve of work against quality, and the point to take on it.

use super::EvalError;
use super::ask::{Ask, AskFigures, Watched, WatchedReading, answer_of_both, fit_asks, is_asked};
use super::calibration::Calibration;
use super::enough::{LEAST_ROWS, check_enough};
use super::metrics::LabelCounts;
use super::mixture::{Pull, TwoJudged, fit};
use super::temperature::{assign_folds, check_rows};
use crate::label::{LabelId, LabelSet, Scores};
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

/// What a model made of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModelReading<'a> {
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
    pub alone: ModelReading<'a>,
    /// The small model, which read the row beside its neighbours; `None` for a row without.
    pub on_page: Option<ModelReading<'a>>,
    /// The large model, which read the row alone.
    pub large: ModelReading<'a>,
    /// The small and the large model, which read the row alone and were told that it is a comment.
    pub comment: [ModelReading<'a>; 2],
    /// What the large model has to read for an answer.
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
#[derive(Clone, Debug, PartialEq)]
pub struct CascadeOptions {
    /// Macro-F1 that may be lost to the large model.
    pub within: f64,
    /// Labels that the small model must not hide.
    pub watched: Vec<Watched>,
    /// Share of the rows of a watched label, among those that the large model finds, that it need not be asked about.
    pub miss: f64,
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
    /// The labels that the small model must not hide, and from which probability on it asks for their sake.
    pub asks: Vec<AskFigures>,
    /// The point taken: the least work that has it, or the best where none has.
    pub chosen: CascadePoint,
    /// From the fewest answers with the large model's help, for the sake of `asks` alone, to all; fitted and counted on the
    /// same rows.
    pub curve: Vec<CascadePoint>,
    /// What to expect elsewhere, rows read alone: each fold answered by the choice that the other folds led to.
    pub cross_fitted_alone: CascadeFigures,
    /// The same, rows read on their pages.
    pub cross_fitted_on_page: CascadeFigures,
}

impl<'a> CascadeRow<'a> {
    /// Its readings as far as the asking depends on them.
    fn watched(&self) -> impl Iterator<Item = WatchedReading<'a>> {
        let gold = self.gold;
        let on_page = self.on_page.map(|small| [small, self.large]);
        let pairs = [Some([self.alone, self.large]), on_page, Some(self.comment)];
        let reading = move |[small, large]: [ModelReading<'a>; 2]| WatchedReading {
            gold,
            small: small.scores,
            large: large.scores,
        };
        pairs.into_iter().flatten().map(reading)
    }
}

/// A cascade: what it takes to answer.
#[derive(Clone, Copy, Debug)]
pub struct CascadeRule<'f> {
    /// The numbers.
    pub choice: CascadeChoice,
    /// The labels that the small model must not hide.
    pub asks: &'f [Ask],
}

impl CascadeRule<'_> {
    /// The cascade's probabilities for a row read alone, and whether the large model is asked for them.
    pub fn alone<'a>(&self, row: &CascadeRow<'a>) -> (Cow<'a, Scores>, bool) {
        self.judge([row.alone, row.large], self.choice.alone, self.asks)
    }

    /// The same for the small and the large model's readings of a text alone that is known to be a comment, `on_page` whether the
    /// small model's page network took part.
    pub fn comment<'a>(&self, readings: [ModelReading<'a>; 2], on_page: bool) -> (Cow<'a, Scores>, bool) {
        self.judge(readings, if on_page { self.choice.on_page } else { self.choice.alone }, self.asks)
    }

    /// The same for a row read on its page.
    pub fn on_page<'a>(&self, row: &CascadeRow<'a>) -> (Cow<'a, Scores>, bool) {
        match row.on_page {
            // What the page says is known to the small model only, so the large one does not decide.
            Some(reading) => self.judge([reading, row.large], self.choice.on_page, &[]),
            None => self.alone(row),
        }
    }

    fn judge<'a>(
        &self,
        [small, large]: [ModelReading<'a>; 2],
        weights: [f32; 2],
        decided: &[Ask],
    ) -> (Cow<'a, Scores>, bool) {
        match is_asked(small.scores, self.choice.threshold, self.asks) {
            true => {
                let logits = [small.logits, large.logits];
                (Cow::Owned(answer_of_both(logits, weights, large.scores, decided)), true)
            }
            false => (Cow::Borrowed(small.scores), false),
        }
    }
}

/// Chooses when the small model asks for the sake of the watched labels ([`fit_asks`]), and on top of that the least work for
/// the large model with which the macro-F1 of rows read alone and of rows read on their pages is at most
/// [`CascadeOptions::within`] below the large model's. Measures the choice by cross-fitting over folds of pages. No weight is
/// below 0, and few rows leave the weights near those that held before.
///
/// `further` are readings of rows that only the watched labels are looked for in: rows that hide them, which ordinary rows have few of.
///
/// # Errors
///
/// [`EvalError::NoRows`], [`EvalError::RowWidth`], [`EvalError::LogitNotFinite`], [`EvalError::FoldCount`], and those
/// of [`check_enough`].
///
/// # Panics
///
/// If a label is beyond the logits.
pub fn fit_cascade(
    rows: &[CascadeRow<'_>],
    further: &[WatchedReading<'_>],
    options: &CascadeOptions,
) -> Result<CascadeFit, EvalError> {
    let CascadeOptions { within, before, folds, seed, .. } = *options;
    let label_set = rows.first().ok_or(EvalError::NoRows)?.alone.scores.labels();
    let labels = label_set.len();
    check_rows(rows.iter().map(|row| row.alone.logits), labels)?;
    check_rows(rows.iter().map(|row| row.on_page.unwrap_or(row.alone).logits), labels)?;
    check_rows(rows.iter().map(|row| row.large.logits), labels)?;
    let fit_asks = |rows: &[CascadeRow<'_>]| {
        let readings = rows.iter().flat_map(CascadeRow::watched).chain(further.iter().copied());
        fit_asks(label_set, &options.watched, &readings.collect::<Vec<_>>(), options.miss)
    };
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
        let asks = rules(&fit_asks(&others), label_set);
        let chosen = choose(&curve(labels, &others, &asks, before), wanted(large_macro_f1(labels, &others), within));
        let rule = CascadeRule { choice: chosen.choice, asks: &asks };
        judged[0].extend(part(true).iter().map(|row| judged_row(row, rule.alone(row))));
        judged[1].extend(part(true).iter().map(|row| judged_row(row, rule.on_page(row))));
    }
    let asks = fit_asks(rows);
    let curve = curve(labels, rows, &rules(&asks, label_set), before);
    let large_macro_f1 = large_macro_f1(labels, rows);
    let wanted_macro_f1 = wanted(large_macro_f1, within);
    let chosen = choose(&curve, wanted_macro_f1);
    let on_page = rows.iter().filter(|row| row.on_page.is_some()).count();
    Ok(CascadeFit {
        rows: [rows.len(), on_page],
        large_macro_f1,
        wanted_macro_f1,
        asks,
        chosen,
        curve,
        cross_fitted_alone: figures(labels, &judged[0]),
        cross_fitted_on_page: figures(labels, &judged[1]),
    })
}

impl CascadeFit {
    /// The rules for the labels that the small model must not hide.
    pub fn rules(&self, labels: &LabelSet) -> Vec<Ask> {
        rules(&self.asks, labels)
    }
}

fn rules(asks: &[AskFigures], labels: &LabelSet) -> Vec<Ask> {
    asks.iter().filter_map(|figures| figures.ask(labels)).collect()
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
        alone: macro_f1(&|row| Scores::from_logits(row.alone.scores.labels(), row.large.logits).best().0),
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
fn curve(labels: usize, rows: &[CascadeRow<'_>], asks: &[Ask], before: [[f32; 2]; 2]) -> Vec<CascadePoint> {
    let alone: Vec<(f32, TwoJudged<'_>)> = rows.iter().map(|row| sureness(row.alone, row, asks)).collect();
    let on_page: Vec<(f32, TwoJudged<'_>)> =
        rows.iter().filter_map(|row| row.on_page.map(|reading| sureness(reading, row, asks))).collect();
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
            let rule = CascadeRule { choice, asks };
            let judged = |judge: &dyn Fn(&CascadeRow<'_>) -> Judged| {
                figures(labels, &rows.iter().map(judge).collect::<Vec<_>>())
            };
            let (alone, on_page) =
                (judged(&|row| judged_row(row, rule.alone(row))), judged(&|row| judged_row(row, rule.on_page(row))));
            CascadePoint { choice, alone, on_page }
        })
        .collect()
}

/// How sure the small model is of a row, and the row. It is not sure at all where it asks for the sake of a label.
fn sureness<'a>(reading: ModelReading<'a>, row: &CascadeRow<'a>, asks: &[Ask]) -> (f32, TwoJudged<'a>) {
    let sure = if is_asked(reading.scores, 0.0, asks) { 0.0 } else { reading.scores.best().1 };
    (sure, ([reading.logits, row.large.logits], row.gold))
}

/// Weights for the rows that the large model is asked about: those whose sureness is below the threshold.
fn fit_unsure(rows: &[(f32, TwoJudged<'_>)], threshold: f32, before: [f32; 2]) -> [f32; 2] {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|left, right| left.0.total_cmp(&right.0));
    let least = (sorted.len() as f64 * LEAST_SHARE).ceil() as usize;
    let unsure = sorted.partition_point(|(sure, _)| *sure < threshold || *sure == 0.0).max(least);
    let unsure: Vec<TwoJudged<'_>> = sorted[..unsure].iter().map(|(_, row)| *row).collect();
    fit(&unsure, Pull::of_prior(before, PRIOR_ROWS, unsure.len()))
}

#[cfg(test)]
mod tests;
