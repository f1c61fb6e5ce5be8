//! Held-out labelled rows, for commands that fit settings on them.

use super::error::CliError;
use super::job::Tally;
use super::tell;
use super::train::read_rows;
use crate::eval::{EvalOptions, JudgedRow, LOSS_BUDGETS, evaluate, spam_operating_points};
use crate::label::{LabelId, LabelSet, OPINION, Scores};
use crate::model::{Classifier, Development, ModelError, OperatingPoint, Page, Reading};
use crate::text::{FACT_COUNT, facts, model_text};
use crate::train::{LabelledRow, TrainError, pages, read_labelled};
use std::ops::Range;
use std::path::Path;

/// Folds of cross-fitted figures.
pub(super) const FOLDS: usize = 5;

/// Seed of the folds.
pub(super) const SEED: u64 = 1;

/// Rows that no model was trained on.
pub(super) struct HeldOut {
    rows: Vec<LabelledRow>,
    /// The annotators' labels.
    gold: Vec<LabelId>,
    /// As models see them.
    texts: Vec<String>,
    facts: Vec<[f32; FACT_COUNT]>,
    /// Neighbouring rows with the same source and doc.
    pages: Vec<Range<usize>>,
}

impl HeldOut {
    /// Reads a file and counts its rows; those with other labels are set aside.
    pub fn read(path: &Path, labels: &LabelSet, tally: &mut Tally) -> Result<HeldOut, CliError> {
        let rows = read_rows(&[path.to_owned()], |path| read_labelled(path, Some(labels)), tally)?;
        tally.rows += rows.len() as u64;
        let gold = gold(&rows, labels);
        let texts = rows.iter().map(|row| model_text(&row.text).into_owned()).collect();
        let facts = rows.iter().map(|row| facts(&row.text)).collect();
        let pages = pages(&rows);
        Ok(HeldOut { rows, gold, texts, facts, pages })
    }

    /// The annotators' labels.
    pub fn gold(&self) -> Vec<LabelId> {
        self.gold.clone()
    }

    /// The page of each row.
    pub fn documents(&self) -> Vec<Option<&str>> {
        self.rows.iter().map(|row| row.doc.as_deref()).collect()
    }

    /// Every row read alone.
    pub fn alone(&self, model: &Classifier) -> Result<Vec<Reading>, ModelError> {
        self.readings(model, (0..self.rows.len()).map(|row| row..row + 1))
    }

    /// Every row read beside the others of its page.
    pub fn on_page(&self, model: &Classifier) -> Result<Vec<Reading>, ModelError> {
        self.readings(model, self.pages.iter().cloned())
    }

    fn readings(
        &self,
        model: &Classifier,
        pages: impl Iterator<Item = Range<usize>>,
    ) -> Result<Vec<Reading>, ModelError> {
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        let pages: Vec<Page<'_>> =
            pages.map(|page| Page { texts: &texts[page.clone()], facts: &self.facts[page] }).collect();
        model.session().read_pages(&pages)
    }

    /// The figures that are stored with a model, from its answers to the rows read alone and on their pages.
    pub fn figures(&self, alone: &[Scores], on_page: &[Scores]) -> Result<Development, CliError> {
        let macro_f1 = |scores: &[Scores]| {
            let rows: Vec<JudgedRow> = self
                .rows
                .iter()
                .zip(&self.gold)
                .zip(scores)
                .map(|((row, &gold), scores)| JudgedRow {
                    gold,
                    scores: scores.clone(),
                    confidence: None,
                    source: None,
                    doc: row.doc.clone(),
                })
                .collect();
            evaluate(&rows, &EvalOptions::default()).map(|evaluation| evaluation.all.macro_f1).map_err(TrainError::from)
        };
        Ok(Development {
            rows: self.rows.len() as u64,
            macro_f1: macro_f1(alone)?,
            macro_f1_on_page: macro_f1(on_page)?,
            asked: None,
        })
    }
}

/// The labels of rows that were read with a set of labels.
pub(super) fn gold(rows: &[LabelledRow], labels: &LabelSet) -> Vec<LabelId> {
    let id = |row: &LabelledRow| row.label.as_ref().and_then(|label| labels.id(label.as_str()));
    let gold = rows.iter().map(|row| id(row).expect("rows with other labels are set aside; this is a bug"));
    gold.collect()
}

/// Thresholds of the spam score.
#[derive(Default)]
pub(super) struct SpamThresholds {
    /// For the share that may be lost; `None` where no threshold keeps it.
    pub default: Option<f32>,
    /// For the usual shares and that one.
    pub points: Vec<OperatingPoint>,
}

/// Finds the thresholds for the usual shares of genuine comments lost and for `lose`, and tells what they cost. Genuine are
/// the rows labelled opinion, or all that are no spam where no label has that name.
pub(super) fn spam_thresholds(
    labels: &LabelSet,
    spam_label: LabelId,
    scores: &[Scores],
    gold: &[LabelId],
    lose: f64,
) -> Result<SpamThresholds, CliError> {
    let spam_scores = |counts: &dyn Fn(LabelId) -> bool| -> Vec<f32> {
        let rows = scores.iter().zip(gold).filter(|(_, gold)| counts(**gold));
        rows.map(|(scores, _)| scores.get(spam_label)).collect()
    };
    let opinion = labels.id(OPINION).filter(|&opinion| opinion != spam_label);
    let is_genuine = |label: LabelId| opinion.map_or(label != spam_label, |opinion| label == opinion);
    let mut budgets = LOSS_BUDGETS.to_vec();
    if !budgets.contains(&lose) {
        budgets.push(lose);
    }
    let found = spam_operating_points(&spam_scores(&is_genuine), &spam_scores(&|label| label == spam_label), &budgets)
        .map_err(TrainError::from)?;
    let mut thresholds = SpamThresholds::default();
    for point in found {
        // A threshold above 1 would call nothing spam: no threshold keeps the budget then.
        if point.threshold <= 1.0 {
            thresholds.points.push(OperatingPoint { lose: point.budget, threshold: point.threshold });
            if point.budget == lose {
                thresholds.default = Some(point.threshold);
            }
        }
        tell(format_args!(
            "spam threshold {:.6}: loses {} of {} genuine comments, catches {} of {}",
            point.threshold, point.lost.rows, point.lost.of, point.caught.rows, point.caught.of
        ));
    }
    if thresholds.default.is_none() {
        tell(format_args!(
            "no spam threshold loses as few as {lose} of the genuine comments; the default one is stored"
        ));
    }
    Ok(thresholds)
}
