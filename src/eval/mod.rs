//! Metrics of a labelled data set: how often the labels are right, how sure that figure is, and whether the
//! probabilities mean what they say.
//!
//! [`evaluate`] takes judged rows, gold label beside scores, and gives an [`Evaluation`]. It knows no model and reads no
//! file. Where a figure depends on chance it has a seed; the same rows and options give the same bytes.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(feature = "train"),
    allow(dead_code, unused_imports, reason = "only training fits, everybody measures")
)]

mod ask;
mod bootstrap;
mod by_field;
mod calibration;
mod cascade;
mod coverage;
mod deletion;
mod enough;
mod evaluation;
mod metrics;
mod mixture;
mod odds;
mod operating_points;
mod robustness;
mod sampling;
mod temperature;

pub use ask::{Ask, AskFigures, Watched, WatchedReading, answer_of_both, is_asked};
pub use bootstrap::{BootstrapOptions, Estimate, Resampling};
pub use by_field::{FieldAccuracy, accuracy_by};
pub use calibration::Calibration;
#[cfg(test)]
pub(crate) use cascade::{BothReadings, CascadeChoice};
pub use cascade::{
    CascadeFigures, CascadeFit, CascadeOptions, CascadePoint, CascadeRow, CascadeRule, ModelReading, fit_cascade,
};
pub use coverage::CoveragePoint;
pub use deletion::{DeletedRow, DeletionFigures, deletion};
pub use enough::check_enough;
pub use evaluation::{ClassMetrics, Evaluation, GenuineRows, Metrics, SourceMetrics, SpamOperatingPoints, evaluate};
pub use metrics::LabelCounts;
pub use odds::{OddsRow, fit_odds, log_loss};
pub use operating_points::{LOSS_BUDGETS, Proportion, SpamPoint, spam_operating_points};
pub use robustness::{NoiseFigures, robustness};
pub use temperature::{assign_folds, cross_fit_temperature};

use crate::label::{Label, LabelId, Scores};
use crate::page::PageKey;

/// The annotator's confidence that counts as sure: 3 on the scale of 1 (a coin toss), 2 (leaning), 3 (sure).
pub const SURE_CONFIDENCE: u8 = 3;

/// A paragraph with what an annotator and what a model said of it.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedRow {
    /// The annotator's label, one of those that the scores are of.
    pub gold: LabelId,
    /// The model's probabilities; the most probable label is its answer.
    pub scores: Scores,
    /// How sure the annotator was; see [`SURE_CONFIDENCE`].
    pub confidence: Option<u8>,
    /// Where the paragraph comes from: a site, a collection.
    pub source: Option<String>,
    /// The page that the paragraph stands on, by its name within the source. Paragraphs of one page are drawn together when
    /// intervals are made.
    pub doc: Option<String>,
}

impl JudgedRow {
    /// The page, named by source and doc.
    pub(crate) fn page(&self) -> Option<PageKey<&str>> {
        PageKey::new(self.source.as_deref(), self.doc.as_deref())
    }
}

/// How to evaluate.
#[derive(Clone, Debug, PartialEq)]
pub struct EvalOptions {
    /// How the 95% intervals are made.
    pub bootstrap: BootstrapOptions,
    /// The label for spam; without it there are no operating points.
    pub spam_label: Option<LabelId>,
    /// Shares of genuine rows that may be lost at the spam operating points, each `0.0..=1.0`.
    pub loss_budgets: Vec<f64>,
    /// Sources that consist of readers' comments. The operating points of genuine comments count `opinion` and spam rows of
    /// these sources alone; of all sources where the list is empty.
    pub comment_sources: Vec<String>,
}

impl Default for EvalOptions {
    fn default() -> Self {
        EvalOptions {
            bootstrap: BootstrapOptions::default(),
            spam_label: None,
            loss_budgets: LOSS_BUDGETS.to_vec(),
            comment_sources: Vec::new(),
        }
    }
}

/// Why rows could not be evaluated. Row numbers count from 0.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EvalError {
    /// There is nothing to evaluate.
    #[error("no rows to evaluate")]
    NoRows,
    /// Settings cannot be fitted on so few rows.
    #[error("expected at least {expected} labelled rows to fit settings on, got {got}")]
    TooFewRows {
        /// Rows needed.
        expected: usize,
        /// Rows there are.
        got: usize,
    },
    /// Settings cannot be fitted on rows of so few pages.
    #[error("expected rows of at least {expected} pages (source and doc) to fit settings on, got {got}")]
    TooFewPages {
        /// Pages needed.
        expected: usize,
        /// Pages there are.
        got: usize,
    },
    /// Settings cannot be fitted on rows that all have one label.
    #[error("expected rows of at least two labels to fit settings on, got one")]
    OneLabel,
    /// A row was judged by a model of other labels than the first one.
    #[error("row {row}: the labels are not those of the first row")]
    UnlikeLabels {
        /// Position of the row.
        row: usize,
    },
    /// A score is negative, above 1 or not a number.
    #[error("row {row}: the score of {label} must be between 0 and 1, got {got}")]
    ScoreOutOfRange {
        /// Position of the row.
        row: usize,
        /// The label with the score.
        label: Label,
        /// The score.
        got: f32,
    },
    /// The scores of a row are no probabilities.
    #[error("row {row}: the scores must sum to 1 within 0.001, got {got}")]
    ScoreSum {
        /// Position of the row.
        row: usize,
        /// The sum.
        got: f32,
    },
    /// A spam score is infinite or not a number.
    #[error("a spam score must be finite, got {got}")]
    SpamScoreNotFinite {
        /// The score.
        got: f32,
    },
    /// A budget of lost genuine rows is no share.
    #[error("the share of genuine rows that may be lost must be between 0 and 1, got {got}")]
    LossBudgetOutOfRange {
        /// The budget.
        got: f64,
    },
    /// A logit is infinite or not a number.
    #[error("row {row}: the logit of output {output} must be finite, got {got}")]
    LogitNotFinite {
        /// Position of the row.
        row: usize,
        /// Position of the label with the logit.
        output: usize,
        /// The logit.
        got: f32,
    },
    /// A row of logits is longer or shorter than the others, or than there are labels.
    #[error("row {row}: expected {expected} logits, got {got}")]
    RowWidth {
        /// Position of the row.
        row: usize,
        /// Number of labels.
        expected: usize,
        /// Number of logits.
        got: usize,
    },
    /// Two lists that describe the same rows differ in length.
    #[error("expected as many labels and pages as rows of logits, {expected}, got {got}")]
    LengthMismatch {
        /// Rows of logits.
        expected: usize,
        /// Entries of the other list.
        got: usize,
    },
    /// The pages cannot be dealt into so many folds.
    #[error("expected between 2 folds and one for each of the {pages} pages, got {got}")]
    FoldCount {
        /// Pages there are.
        pages: usize,
        /// Folds asked for.
        got: usize,
    },
}
