//! A shift of the score and a threshold that suit one site, tried on decisions that they were not fitted to.

use super::export::each;
use super::{FeedbackError, FeedbackStore};
use crate::comment::Comment;
use crate::eval::{OddsRow, fit_odds, log_loss};
use rusqlite::{OptionalExtension, params};
use serde::Serialize;

/// Newest decisions that are read: bounds memory and time.
const READ: i64 = 20_000;

/// Comments that are judged together.
const TOGETHER: usize = 256;

/// The share of decisions, the older ones, that the shift is fitted to.
const FITTED: f64 = 0.7;

/// Decisions of each kind that must be held back: with fewer the genuine lost are a matter of luck.
const LEAST_HELD_BACK: usize = 30;

/// How strongly the shift is drawn to none, as the curvature of its loss.
const DRAWN: f64 = 0.02;

/// Bounds of the slope: beyond them the score would say another thing, not the same thing better.
const SLOPES: (f64, f64) = (0.25, 4.0);

/// Bound of the offset, in log-odds.
const OFFSET_LIMIT: f64 = 4.0;

/// Bounds of a threshold that is fitted: outside of them a few decisions would rule over comments that nobody decided on.
const THRESHOLDS: (f64, f64) = (0.5, 0.999);

/// A genuine comment lost costs as much as this many comments of spam that pass.
const LOST_COSTS: f64 = 10.0;

/// Scores nearer to 0 or 1 than this many log-odds say no more.
const LOGIT_LIMIT: f64 = 14.0;

/// A change of the score: a straight line over its log-odds, and the threshold that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Shift {
    /// Times the log-odds.
    pub slope: f64,
    /// Added to them.
    pub offset: f64,
    /// The score, after the change, from which a comment is spam.
    pub threshold: f32,
}

/// How scores fare with decisions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AdaptationFigures {
    /// The mean logarithmic loss, spam and genuine comments counting half each.
    pub log_loss: f64,
    /// Genuine comments that count as spam.
    pub genuine_lost: usize,
    /// Spam that counts as spam.
    pub spam_caught: usize,
}

/// Why nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Too few decisions are held back to tell.
    #[error("too few decisions to try it on: each kind needs {LEAST_HELD_BACK} among the newest three tenths")]
    TooFew,
    /// Scores are further from the decisions than before.
    #[error("on the newest decisions the scores got worse")]
    LossWorse,
    /// More genuine comments are lost than before.
    #[error("on the newest decisions more genuine comments were lost")]
    LosesMore,
}

/// What came of an adaptation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Adaptation {
    /// Why it was refused; `None` where it was accepted and counts from now on.
    pub refused: Option<Refusal>,
    /// What was fitted.
    pub shift: Shift,
    /// Spam and genuine comments that it was fitted to.
    pub fitted: (usize, usize),
    /// Spam and genuine comments that were held back.
    pub held_back: (usize, usize),
    /// How the scores fared on those held back as they were before.
    pub before: AdaptationFigures,
    /// How they fare with the shift.
    pub after: AdaptationFigures,
}

/// A decision and the log-odds that the model gave.
#[derive(Clone, Copy, Debug)]
struct Point {
    logit: f64,
    spam: bool,
}

impl Shift {
    /// A score after the change.
    pub fn adjust(&self, score: f32) -> f32 {
        probability(self.slope * logit(score.into()) + self.offset) as f32
    }

    fn none(threshold: f32) -> Shift {
        Shift { slope: 1.0, offset: 0.0, threshold }
    }
}

impl FeedbackStore {
    /// Fits a [`Shift`] to the older decisions, tries it on the newest three tenths, and keeps it if scores and threshold are no worse
    /// there than `current`, the model's own threshold without a shift. Whatever comes of it is stored.
    ///
    /// `judge` gives the model's scores without evidence and without a shift, in order; what is no number is left out. The same
    /// decisions and scores give the same answer.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn adapt(
        &self,
        threshold: f32,
        time: i64,
        judge: impl Fn(&[Comment]) -> Vec<f32>,
    ) -> Result<Adaptation, FeedbackError> {
        let points = self.points(judge)?;
        let adaptation = fit(&points, threshold);
        let Shift { slope, offset, threshold } = adaptation.shift;
        let report = serde_json::to_string(&adaptation).map_err(|error| FeedbackError::Write(error.into()))?;
        self.write(|connection| {
            connection.execute(
                "INSERT INTO adaptations (time, accepted, slope, offset, threshold, report) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![time, adaptation.refused.is_none(), slope, offset, f64::from(threshold), report],
            )
        })?;
        Ok(adaptation)
    }

    /// The shift that was accepted last.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn shift(&self) -> Result<Option<Shift>, FeedbackError> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT slope, offset, threshold FROM adaptations WHERE accepted ORDER BY id DESC LIMIT 1",
                )?
                .query_row([], |row| {
                    Ok(Shift { slope: row.get(0)?, offset: row.get(1)?, threshold: row.get::<_, f64>(2)? as f32 })
                })
                .optional()
        })
    }

    /// Forgets all adaptations, for another model or another mind.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn forget_adaptations(&self) -> Result<(), FeedbackError> {
        self.write(|connection| connection.execute("DELETE FROM adaptations", [])).map(|_| ())
    }

    fn points(&self, judge: impl Fn(&[Comment]) -> Vec<f32>) -> Result<Vec<Point>, FeedbackError> {
        let from = self.read(|connection| {
            connection
                .query_row("SELECT id FROM feedback ORDER BY id DESC LIMIT 1 OFFSET ?1", [READ - 1], |row| row.get(0))
                .optional()
        })?;
        let mut points = Vec::new();
        let (mut comments, mut spam) = (Vec::new(), Vec::new());
        let mut ask = |comments: &mut Vec<Comment>, spam: &mut Vec<bool>| {
            let judged = judge(comments).into_iter().zip(spam.drain(..));
            points.extend(
                judged
                    .filter(|(score, _)| !score.is_nan())
                    .map(|(score, spam)| Point { logit: logit(score.into()), spam }),
            );
            comments.clear();
        };
        let connection = super::schema::open_to_read(self.path())?;
        each(&connection, from.unwrap_or(0), |decision| {
            comments.push(decision.comment);
            spam.push(decision.spam);
            if comments.len() == TOGETHER {
                ask(&mut comments, &mut spam);
            }
            Ok(())
        })?;
        if !comments.is_empty() {
            ask(&mut comments, &mut spam);
        }
        Ok(points)
    }
}

fn fit(points: &[Point], threshold: f32) -> Adaptation {
    let (older, newer) = points.split_at((points.len() as f64 * FITTED) as usize);
    let (fitted, held_back) = (kinds(older), kinds(newer));
    let none = Shift::none(threshold);
    let before = figures(newer, none);
    let enough = held_back.0.min(held_back.1) >= LEAST_HELD_BACK && fitted.0.min(fitted.1) >= LEAST_HELD_BACK;
    if !enough {
        return Adaptation { refused: Some(Refusal::TooFew), shift: none, fitted, held_back, before, after: before };
    }
    let shift = choose_threshold(older, line(older, threshold), threshold);
    let after = figures(newer, shift);
    let refused = if after.genuine_lost > before.genuine_lost {
        Some(Refusal::LosesMore)
    } else if after.log_loss > before.log_loss {
        Some(Refusal::LossWorse)
    } else {
        None
    };
    Adaptation { refused, shift, fitted, held_back, before, after }
}

/// Slope and offset with the least loss, within their bounds.
fn line(points: &[Point], threshold: f32) -> Shift {
    let weights = halves(points);
    let rows: Vec<OddsRow> = points.iter().map(|point| (point.logit, point.spam, weights(point))).collect();
    let [slope, offset] = fit_odds(&rows, [DRAWN; 2]);
    Shift { slope: slope.clamp(SLOPES.0, SLOPES.1), offset: offset.clamp(-OFFSET_LIMIT, OFFSET_LIMIT), threshold }
}

/// The threshold that costs least, among those that lose no more genuine comments than before; of equal ones the highest.
fn choose_threshold(points: &[Point], shift: Shift, current: f32) -> Shift {
    let lost_before = figures(points, Shift::none(current)).genuine_lost;
    let (spam, genuine) = kinds(points);
    let mut logits: Vec<f64> = points.iter().map(|point| shift.slope * point.logit + shift.offset).collect();
    logits.sort_by(f64::total_cmp);
    logits.dedup();
    let between = logits.windows(2).map(|pair| probability((pair[0] + pair[1]) / 2.0));
    let bounded = between.filter(|threshold| (THRESHOLDS.0..=THRESHOLDS.1).contains(threshold));
    // The same decisions as before are always to be had.
    let candidates = std::iter::once(f64::from(shift.adjust(current))).chain(bounded);
    let mut points: Vec<(f32, bool)> = points.iter().map(|point| (adjusted(&shift, point), point.spam)).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut genuine_below = vec![0];
    for (_, spam) in &points {
        genuine_below.push(genuine_below[genuine_below.len() - 1] + usize::from(!spam));
    }
    let mut best: Option<(f64, f32)> = None;
    for candidate in candidates {
        let threshold = candidate as f32;
        let below = points.partition_point(|point| point.0 < threshold);
        let lost = genuine - genuine_below[below];
        let passed = below - genuine_below[below];
        let cost = passed as f64 / spam as f64 + LOST_COSTS * lost as f64 / genuine as f64;
        let better = best.is_none_or(|(least, highest)| cost < least || (cost == least && threshold > highest));
        if lost <= lost_before && better {
            best = Some((cost, threshold));
        }
    }
    Shift { threshold: best.map_or(shift.adjust(current), |best| best.1), ..shift }
}

fn figures(points: &[Point], shift: Shift) -> AdaptationFigures {
    let weights = halves(points);
    let log_loss = points
        .iter()
        .map(|point| weights(point) * log_loss(shift.slope * point.logit + shift.offset, point.spam))
        .sum();
    let over = |spam: bool| {
        points.iter().filter(|point| point.spam == spam && adjusted(&shift, point) >= shift.threshold).count()
    };
    AdaptationFigures { log_loss, genuine_lost: over(false), spam_caught: over(true) }
}

/// Weights with which spam and genuine comments count half each: owners do not decide on the mix that a site sees.
fn halves(points: &[Point]) -> impl Fn(&Point) -> f64 + use<> {
    let (spam, genuine) = kinds(points);
    move |point| 0.5 / (if point.spam { spam } else { genuine }).max(1) as f64
}

/// Spam and genuine.
fn kinds(points: &[Point]) -> (usize, usize) {
    let spam = points.iter().filter(|point| point.spam).count();
    (spam, points.len() - spam)
}

fn adjusted(shift: &Shift, point: &Point) -> f32 {
    probability(shift.slope * point.logit + shift.offset) as f32
}

fn probability(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

fn logit(score: f64) -> f64 {
    (score / (1.0 - score)).ln().clamp(-LOGIT_LIMIT, LOGIT_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fixture;
    use super::*;
    use crate::random::SplitMix64;

    const THRESHOLD: f32 = 0.9;

    /// Decisions whose true log-odds are those of the model, scaled and moved.
    fn points(number: usize, slope: f64, offset: f64, seed: u64) -> Vec<Point> {
        let mut random = SplitMix64::new(seed);
        let mut unit = move || random.next_u64() as f64 / u64::MAX as f64;
        (0..number)
            .map(|_| {
                let logit = (unit() - 0.5) * 12.0;
                Point { logit, spam: unit() < probability(slope * logit + offset) }
            })
            .collect()
    }

    #[test]
    fn a_site_that_differs_is_met() {
        let adaptation = fit(&points(4_000, 1.5, 2.0, 1), THRESHOLD);
        assert_eq!(adaptation.refused, None);
        let Shift { slope, offset, threshold } = adaptation.shift;
        assert!((1.2..1.8).contains(&slope) && (0.8..2.5).contains(&offset), "{adaptation:?}");
        assert!((0.5..=0.999).contains(&threshold));
        assert!(adaptation.after.log_loss < adaptation.before.log_loss);
        assert!(adaptation.after.genuine_lost <= adaptation.before.genuine_lost);
        assert_eq!(adaptation.held_back.0 + adaptation.held_back.1, 1_200);
        assert_eq!(adaptation, fit(&points(4_000, 1.5, 2.0, 1), THRESHOLD));
    }

    #[test]
    fn what_does_not_hold_for_the_newest_is_refused() {
        // Older decisions say one thing, newer ones the contrary.
        let mut moved = points(1_400, 1.0, 3.0, 2);
        moved.extend(points(600, 1.0, -3.0, 3));
        let adaptation = fit(&moved, THRESHOLD);
        assert!(matches!(adaptation.refused, Some(Refusal::LosesMore | Refusal::LossWorse)), "{adaptation:?}");
        assert!(adaptation.after.log_loss > adaptation.before.log_loss);
    }

    #[test]
    fn a_few_decisions_are_not_enough() {
        let adaptation = fit(&points(150, 1.0, 0.0, 4), THRESHOLD);
        assert_eq!(adaptation.refused, Some(Refusal::TooFew));
        assert_eq!(adaptation.shift, Shift::none(THRESHOLD));
        assert_eq!(fit(&[], THRESHOLD).refused, Some(Refusal::TooFew));
        let spam_alone: Vec<Point> = points(1_000, 1.0, 0.0, 5).into_iter().filter(|point| point.spam).collect();
        assert_eq!(fit(&spam_alone, THRESHOLD).refused, Some(Refusal::TooFew));
    }

    #[test]
    fn scores_that_are_right_already_are_hardly_moved() {
        let adaptation = fit(&points(4_000, 1.0, 0.0, 6), THRESHOLD);
        assert!((adaptation.shift.slope - 1.0).abs() < 0.2 && adaptation.shift.offset.abs() < 0.3, "{adaptation:?}");
    }

    #[test]
    fn decisions_that_are_told_apart_perfectly_stay_within_bounds() {
        let apart: Vec<Point> =
            (0..400).map(|n| Point { logit: if n % 2 == 0 { 14.0 } else { -14.0 }, spam: n % 2 == 0 }).collect();
        let adaptation = fit(&apart, THRESHOLD);
        assert_eq!(adaptation.refused, None);
        assert!(adaptation.shift.slope <= SLOPES.1 && adaptation.shift.offset.abs() <= OFFSET_LIMIT);
        assert_eq!((adaptation.after.genuine_lost, adaptation.after.spam_caught), (0, 60));
    }

    #[test]
    fn the_shift_is_stored_and_only_when_it_is_accepted() {
        let fixture = Fixture::new();
        let score_of = |text: &str| text.rsplit(' ').next().unwrap().parse::<f32>().unwrap();
        for (number, point) in points(500, 1.5, 2.0, 7).into_iter().enumerate() {
            let text = format!("Comment {number} scored {}", probability(point.logit) as f32);
            fixture.decide(&Comment::new(text), point.spam);
        }
        let judge = |comments: &[Comment]| comments.iter().map(|comment| score_of(&comment.text)).collect();
        let accepted = fixture.store.adapt(THRESHOLD, 0, judge).unwrap();
        assert_eq!(accepted.refused, None, "{accepted:?}");
        let shift = fixture.store.shift().unwrap().unwrap();
        assert_eq!(shift, accepted.shift);
        assert!(shift.adjust(0.5) > 0.5 && shift.adjust(0.0) >= 0.0 && shift.adjust(1.0) <= 1.0);

        let refused = fixture.store.adapt(THRESHOLD, 1, |comments| vec![f32::NAN; comments.len()]).unwrap();
        assert_eq!(refused.refused, Some(Refusal::TooFew));
        assert_eq!(fixture.store.shift().unwrap(), Some(shift));
        fixture.store.forget_adaptations().unwrap();
        assert_eq!(fixture.store.shift().unwrap(), None);
    }
}
