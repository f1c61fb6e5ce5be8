//! The evaluation of judged rows and the form in which it is written.

use super::bootstrap::{BootstrapOptions, Estimate, Figure, Outcome, Resampling, Totals, Units, estimate};
use super::calibration::Calibration;
use super::coverage::{CoveragePoint, coverage_curve};
use super::metrics::{ConfusionMatrix, LabelCounts, brier_score, negative_log_likelihood};
use super::operating_points::{SpamPoint, spam_operating_points};
use super::{EvalError, EvalOptions, JudgedRow, SURE_CONFIDENCE};
use crate::label::{Label, LabelId, LabelSet, OPINION, Scores};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Everything that is measured on a data set.
///
/// This is a wire format: one JSON object with the field names of this type and of the types it holds. Fields may be
/// added; those that are there keep their names and meanings. A figure that is undefined is `null`, never `NaN`. Every
/// list "by label" is in the order of `labels`. An excerpt:
///
/// ```json
/// {
///   "labels": ["reporting", "opinion", "comment_spam", "quotation", "other"],
///   "bootstrap": {"resampling": "documents", "resamples": 2000, "seed": 1},
///   "all": {
///     "rows": 2615, "units": 447,
///     "accuracy": {"value": 0.873, "low": 0.857, "high": 0.888},
///     "macro_f1": {"value": 0.862, "low": 0.845, "high": 0.878},
///     "macro_f1_labels": ["reporting", "opinion", "comment_spam", "quotation", "other"],
///     "classes": [{"label": "reporting", "support": 900, "precision": {"value": 0.9, "low": 0.88, "high": 0.92}}],
///     "confusion": [[812, 40, 1, 30, 17]]
///   },
///   "spam": [{
///     "genuine_rows": "not_spam", "sources": [], "genuine": 2378, "spam": 237,
///     "points": [{
///       "budget": 0.001, "threshold": 0.9971,
///       "lost": {"rows": 2, "of": 2378, "value": 0.0008, "low": 0.0002, "high": 0.0031},
///       "caught": {"rows": 142, "of": 237, "value": 0.599, "low": 0.536, "high": 0.659}
///     }]
///   }]
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct Evaluation {
    /// The order of every list by label: that of the model's outputs.
    pub labels: LabelSet,
    /// How the intervals were made. `resampling` is `rows` where documents were asked for but no row names one.
    pub bootstrap: BootstrapOptions,
    /// All rows.
    pub all: Metrics,
    /// The rows whose annotator was sure ([`SURE_CONFIDENCE`]); `null` where there are none.
    pub sure: Option<Metrics>,
    /// Each source by itself, the one with most rows first; rows without a source are one group.
    pub sources: Vec<SourceMetrics>,
    /// Accuracy when the least certain rows go without a label, from all rows down to half of them.
    pub coverage: Vec<CoveragePoint>,
    /// Operating points of the spam score: first with every row that is no spam as genuine, then, where there is such a
    /// label, with `opinion` rows. Empty where no label is for spam.
    pub spam: Vec<SpamOperatingPoints>,
}

/// The figures of a set of rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct Metrics {
    /// Rows in the set.
    pub rows: u64,
    /// What the bootstrap drew from: documents, or rows.
    pub units: u64,
    /// Share of rows whose most probable label is the gold label.
    pub accuracy: Estimate,
    /// Mean F1 of `macro_f1_labels`; see [`LabelCounts::macro_f1`].
    pub macro_f1: Estimate,
    /// The labels that the mean is over: those present in the set's gold labels.
    pub macro_f1_labels: Vec<Label>,
    /// Mean Brier score over the labels, `0.0..=2.0`; see [`brier_score`].
    pub brier_score: Estimate,
    /// Mean negative log-likelihood of the gold label, in nats; see [`negative_log_likelihood`].
    pub negative_log_likelihood: Estimate,
    /// By label.
    pub classes: Vec<ClassMetrics>,
    /// Counts of rows, `[gold, predicted]`, by label.
    pub confusion: ConfusionMatrix,
    /// Reliability of the highest probability.
    pub calibration: Calibration,
}

/// The figures of one label in a set of rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct ClassMetrics {
    /// The label.
    pub label: Label,
    /// Rows that have it as their gold label.
    pub support: u64,
    /// `null` where no row was given the label.
    pub precision: Option<Estimate>,
    /// `null` where no row has the label.
    pub recall: Option<Estimate>,
    /// `null` where no row has the label or was given it.
    pub f1: Option<Estimate>,
}

/// The figures of the rows of one source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct SourceMetrics {
    /// The source; `null` for rows that name none.
    pub source: Option<String>,
    /// Rows of the source.
    pub rows: u64,
    /// What the bootstrap drew from. With few units the interval says little.
    pub units: u64,
    /// Share of rows whose most probable label is the gold label.
    pub accuracy: Estimate,
    /// Mean F1 of the labels present in the source's gold labels: those whose `support` is above 0.
    ///
    /// Means over different labels do not compare: a source of one label is easier than a source of five.
    pub macro_f1: Estimate,
    /// Rows by gold label.
    pub support: Vec<u64>,
    /// F1 by label; `null` where no row of the source has the label or was given it.
    pub f1: Vec<Option<f64>>,
}

/// Which rows must not be lost to the spam filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GenuineRows {
    /// Every row whose gold label is not the one for spam.
    NotSpam,
    /// The rows whose gold label is `opinion`: where comments are annotated, the genuine ones.
    Opinion,
}

/// Operating points of the rule "spam if the score of the spam label is at least the threshold".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct SpamOperatingPoints {
    /// Which rows count as genuine.
    pub genuine_rows: GenuineRows,
    /// The sources that genuine rows and spam rows were taken from; empty for all.
    pub sources: Vec<String>,
    /// Number of genuine rows.
    pub genuine: u64,
    /// Number of spam rows.
    pub spam: u64,
    /// In the order of the budgets asked for; empty without genuine rows.
    pub points: Vec<SpamPoint>,
}

/// Measures judged rows.
///
/// # Errors
///
/// [`EvalError::NoRows`] for an empty slice, [`EvalError::UnlikeLabels`] for rows judged by models of other labels,
/// [`EvalError::ScoreOutOfRange`] and [`EvalError::ScoreSum`] for scores that
/// are no probabilities (`NaN` among them), [`EvalError::LossBudgetOutOfRange`] for a budget that is no share.
///
/// # Panics
///
/// If a gold label or the spam label is beyond the labels.
pub fn evaluate(rows: &[JudgedRow], options: &EvalOptions) -> Result<Evaluation, EvalError> {
    let labels = rows.first().ok_or(EvalError::NoRows)?.scores.labels();
    for (row, judged) in rows.iter().enumerate() {
        if judged.scores.labels() != labels {
            return Err(EvalError::UnlikeLabels { row });
        }
        check_scores(row, &judged.scores)?;
    }
    let mut bootstrap = options.bootstrap;
    if rows.iter().all(|row| row.doc.is_none()) {
        bootstrap.resampling = Resampling::Rows;
    }
    let all: Vec<&JudgedRow> = rows.iter().collect();
    let sure: Vec<&JudgedRow> = rows.iter().filter(|row| row.confidence == Some(SURE_CONFIDENCE)).collect();
    let predictions: Vec<_> = rows
        .iter()
        .map(|row| {
            let (predicted, confidence) = row.scores.best();
            (row.gold, predicted, confidence)
        })
        .collect();
    let mut spam = Vec::new();
    if let Some(label) = options.spam_label {
        let points = |genuine: Genuine, sources| spam_points(rows, label, genuine, sources, &options.loss_budgets);
        spam.push(points(Genuine::NotSpam, &[])?);
        if let Some(opinion) = labels.id(OPINION).filter(|&opinion| opinion != label) {
            spam.push(points(Genuine::Label(opinion), &options.comment_sources)?);
        }
    }
    Ok(Evaluation {
        labels: labels.clone(),
        bootstrap,
        all: Metrics::of(labels, &all, &bootstrap).ok_or(EvalError::NoRows)?,
        sure: Metrics::of(labels, &sure, &bootstrap),
        sources: by_source(labels, rows, &bootstrap),
        coverage: coverage_curve(labels.len(), &predictions),
        spam,
    })
}

impl Metrics {
    /// `None` without rows.
    fn of(labels: &LabelSet, rows: &[&JudgedRow], bootstrap: &BootstrapOptions) -> Option<Metrics> {
        let outcomes = outcomes(rows);
        let units = Units::new(labels.len(), &outcomes, bootstrap.resampling);
        let counts = Totals::of(&units).counts;
        let accuracy = |totals: &Totals| totals.counts.accuracy();
        // A resample without a label that the rows have is left out of the interval.
        let in_gold = counts.labels_in_gold();
        let macro_f1 = |totals: &Totals| totals.counts.macro_f1_of(&in_gold);
        let mut figures: Vec<Figure<'_>> =
            vec![&accuracy, &macro_f1, &Totals::mean_brier, &Totals::mean_negative_log_likelihood];
        let of_label = |label: LabelId| {
            (
                move |totals: &Totals| totals.counts.precision(label),
                move |totals: &Totals| totals.counts.recall(label),
                move |totals: &Totals| totals.counts.f1(label),
            )
        };
        let of_labels: Vec<_> = labels.ids().map(of_label).collect();
        for (precision, recall, f1) in &of_labels {
            figures.extend([precision as Figure<'_>, recall, f1]);
        }
        let estimates = estimate(&units, bootstrap, &figures);
        let (overall, by_label) = estimates.split_at(4);
        let classes = labels
            .ids()
            .zip(by_label.chunks_exact(3))
            .map(|(label, figures)| ClassMetrics {
                label: labels.label(label),
                support: counts.support(label),
                precision: figures[0],
                recall: figures[1],
                f1: figures[2],
            })
            .collect();
        Some(Metrics {
            rows: rows.len() as u64,
            units: units.len() as u64,
            accuracy: overall[0]?,
            macro_f1: overall[1]?,
            macro_f1_labels: in_gold.iter().map(|&label| labels.label(label)).collect(),
            brier_score: overall[2]?,
            negative_log_likelihood: overall[3]?,
            classes,
            confusion: confusion(labels, &outcomes),
            calibration: Calibration::of_scores(rows.iter().map(|row| (&row.scores, row.gold))),
        })
    }
}

impl SourceMetrics {
    /// `None` without rows.
    fn of(
        labels: &LabelSet,
        source: Option<&str>,
        rows: &[&JudgedRow],
        bootstrap: &BootstrapOptions,
    ) -> Option<SourceMetrics> {
        let units = Units::new(labels.len(), &outcomes(rows), bootstrap.resampling);
        let counts: LabelCounts = Totals::of(&units).counts;
        let in_gold = counts.labels_in_gold();
        let macro_f1 = |totals: &Totals| totals.counts.macro_f1_of(&in_gold);
        let estimates = estimate(&units, bootstrap, &[&|totals: &Totals| totals.counts.accuracy(), &macro_f1]);
        Some(SourceMetrics {
            source: source.map(str::to_owned),
            rows: rows.len() as u64,
            units: units.len() as u64,
            accuracy: estimates[0]?,
            macro_f1: estimates[1]?,
            support: labels.ids().map(|label| counts.support(label)).collect(),
            f1: labels.ids().map(|label| counts.f1(label)).collect(),
        })
    }
}

fn check_scores(row: usize, scores: &Scores) -> Result<(), EvalError> {
    // Wide enough for scores written with four digits.
    const SUM_TOLERANCE: f32 = 1e-3;
    if let Some((label, got)) = scores.iter().find(|(_, score)| !(0.0..=1.0).contains(score)) {
        return Err(EvalError::ScoreOutOfRange { row, label: label.clone(), got });
    }
    let got: f32 = scores.values().iter().sum();
    if (got - 1.0).abs() > SUM_TOLERANCE {
        return Err(EvalError::ScoreSum { row, got });
    }
    Ok(())
}

pub(super) fn outcomes<'a>(rows: &[&'a JudgedRow]) -> Vec<Outcome<'a>> {
    rows.iter()
        .map(|row| Outcome {
            gold: row.gold,
            predicted: row.scores.best().0,
            page: row.page(),
            brier: brier_score(&row.scores, row.gold),
            negative_log_likelihood: negative_log_likelihood(&row.scores, row.gold),
        })
        .collect()
}

fn confusion(labels: &LabelSet, outcomes: &[Outcome<'_>]) -> ConfusionMatrix {
    ConfusionMatrix::from_pairs(labels.len(), outcomes.iter().map(|outcome| (outcome.gold, outcome.predicted)))
}

fn by_source(labels: &LabelSet, rows: &[JudgedRow], bootstrap: &BootstrapOptions) -> Vec<SourceMetrics> {
    let mut groups: HashMap<Option<&str>, Vec<&JudgedRow>> = HashMap::new();
    for row in rows {
        groups.entry(row.source.as_deref()).or_default().push(row);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_unstable_by(|left, right| right.1.len().cmp(&left.1.len()).then(left.0.cmp(&right.0)));
    groups.into_iter().filter_map(|(source, rows)| SourceMetrics::of(labels, source, &rows, bootstrap)).collect()
}

/// The rows that must not be lost to the spam filter.
#[derive(Clone, Copy)]
enum Genuine {
    NotSpam,
    Label(LabelId),
}

fn spam_points(
    rows: &[JudgedRow],
    spam_label: LabelId,
    genuine_rows: Genuine,
    sources: &[String],
    budgets: &[f64],
) -> Result<SpamOperatingPoints, EvalError> {
    let in_sources = |row: &JudgedRow| {
        sources.is_empty() || row.source.as_ref().is_some_and(|source| sources.iter().any(|name| name == source))
    };
    let mut genuine = Vec::new();
    let mut spam = Vec::new();
    for row in rows.iter().filter(|row| in_sources(row)) {
        let score = row.scores.get(spam_label);
        let is_genuine = match genuine_rows {
            Genuine::NotSpam => true,
            Genuine::Label(label) => row.gold == label,
        };
        if row.gold == spam_label {
            spam.push(score);
        } else if is_genuine {
            genuine.push(score);
        }
    }
    Ok(SpamOperatingPoints {
        genuine_rows: match genuine_rows {
            Genuine::NotSpam => GenuineRows::NotSpam,
            Genuine::Label(_) => GenuineRows::Opinion,
        },
        sources: sources.to_vec(),
        genuine: genuine.len() as u64,
        spam: spam.len() as u64,
        points: spam_operating_points(&genuine, &spam, budgets)?,
    })
}

#[cfg(test)]
mod tests;
