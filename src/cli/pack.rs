//! `copydesk pack`: a trained model made ready to ship.

use super::error::CliError;
use super::job::Tally;
use super::tell;
use crate::corpus::page_ranges;
use crate::engine::Precision;
use crate::eval::{LOSS_BUDGETS, cross_fit_temperature, scores_at_temperature, spam_operating_points};
use crate::label::{LABEL_COUNT, Label};
use crate::model::{Checkpoint, Classifier, ModelError, OperatingPoint, Page, Storage};
use crate::text::{facts, model_text};
use crate::train::{LabelledRow, TrainError, read_labelled};
use clap::Args;
use std::path::PathBuf;

/// Folds of the cross-fitted calibration figures.
const FOLDS: usize = 5;

/// Arguments of `copydesk pack`.
#[derive(Debug, Args)]
pub struct PackArgs {
    /// Folder of the trained model
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,

    /// Held-out labelled rows for temperature and spam threshold
    ///
    /// The temperature is the one with the lowest negative log-likelihood; the printed calibration error is
    /// cross-fitted over five folds of documents. Without rows both settings stay as they are.
    #[arg(long, value_name = "FILE")]
    pub calibrate: Option<PathBuf>,

    /// Share of genuine comments that the spam threshold may lose
    ///
    /// Counted over the rows labelled opinion.
    #[arg(long, value_name = "P", default_value_t = 0.005)]
    pub lose: f64,

    /// Folder to write
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// Carries out the arguments.
pub(super) fn run(args: PackArgs) -> Result<Tally, CliError> {
    let model_error = |error| CliError::Model { model: args.model.display().to_string(), error };
    let mut checkpoint = Checkpoint::load(&args.model).map_err(model_error)?;
    let mut tally = Tally::default();
    if let Some(path) = &args.calibrate {
        // What is calibrated is what is shipped: the quantised weights, not the trained ones.
        checkpoint.save(&args.out, Storage::Int8).map_err(model_error)?;
        let packed = Checkpoint::load(&args.out).map_err(model_error)?;
        let classifier = Classifier::from_checkpoint(packed, Precision::Int8).map_err(model_error)?;
        let read = read_labelled(path)?;
        tally.failed += read.set_aside.len() as u64;
        let texts: Vec<_> = read.rows.iter().map(|row| model_text(&row.text)).collect();
        let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
        let logits = classifier.session().logits(&texts).map_err(model_error)?;
        let gold: Vec<Label> = read.rows.iter().map(|row| row.label).collect();
        let documents: Vec<Option<&str>> = read.rows.iter().map(|row| row.doc.as_deref()).collect();
        let temperature = fit("temperature", &logits, &gold, &documents)?;
        checkpoint.settings.temperature = temperature;
        let on_page = page_logits(&classifier, &read.rows, &texts).map_err(model_error)?;
        let rows: Vec<usize> = (0..on_page.len()).filter(|&row| on_page[row].is_some()).collect();
        if !rows.is_empty() {
            let logits: Vec<_> = on_page.iter().flatten().copied().collect();
            let gold: Vec<Label> = rows.iter().map(|&row| gold[row]).collect();
            let documents: Vec<Option<&str>> = rows.iter().map(|&row| documents[row]).collect();
            checkpoint.settings.page_temperature = fit("page temperature", &logits, &gold, &documents)?;
        }
        let scores: Vec<_> = logits.iter().map(|&row| scores_at_temperature(row, temperature)).collect();
        let spam_scores = |label: Label| -> Vec<f32> {
            let rows = scores.iter().zip(&gold).filter(|(_, gold)| **gold == label);
            rows.map(|(scores, _)| scores.get(Label::CommentSpam)).collect()
        };
        let mut budgets = LOSS_BUDGETS.to_vec();
        if !budgets.contains(&args.lose) {
            budgets.push(args.lose);
        }
        let points = spam_operating_points(&spam_scores(Label::Opinion), &spam_scores(Label::CommentSpam), &budgets)
            .map_err(TrainError::from)?;
        checkpoint.settings.spam_operating_points.clear();
        for point in points {
            // A threshold above 1 would call nothing spam: no threshold keeps the budget then, and the default stays.
            if point.threshold <= 1.0 {
                let stored = OperatingPoint { lose: point.budget, threshold: point.threshold };
                checkpoint.settings.spam_operating_points.push(stored);
                if point.budget == args.lose {
                    checkpoint.settings.spam_threshold = point.threshold;
                }
            }
            tell(format_args!(
                "spam threshold {:.6}: loses {} of {} genuine comments, catches {} of {}",
                point.threshold, point.lost.rows, point.lost.of, point.caught.rows, point.caught.of
            ));
        }
        for &label in &gold {
            tally.count(Some(label));
        }
    }
    checkpoint.save(&args.out, Storage::Int8).map_err(model_error)?;
    Ok(tally)
}

/// Fits a temperature and tells what it does to the calibration error of documents that it was not fitted on.
fn fit(name: &str, logits: &[[f32; LABEL_COUNT]], gold: &[Label], documents: &[Option<&str>]) -> Result<f32, CliError> {
    let fit = cross_fit_temperature(logits, gold, documents, FOLDS, 1).map_err(TrainError::from)?;
    tell(format_args!(
        "{name} {:.4}; expected calibration error, cross-fitted: {:.4} before, {:.4} after",
        fit.temperature,
        fit.before.calibration.expected_calibration_error,
        fit.after.calibration.expected_calibration_error
    ));
    Ok(fit.temperature)
}

/// Logits of the rows beside their page's others: neighbouring rows with the same source and doc.
fn page_logits(
    classifier: &Classifier,
    rows: &[LabelledRow],
    texts: &[&str],
) -> Result<Vec<Option<[f32; LABEL_COUNT]>>, ModelError> {
    let facts: Vec<_> = rows.iter().map(|row| facts(&row.text)).collect();
    let keys: Vec<_> = rows.iter().map(|row| Some((&row.source, row.doc.as_ref()?))).collect();
    let ranges = page_ranges(&keys);
    let pages: Vec<Page<'_>> =
        ranges.iter().map(|range| Page { texts: &texts[range.clone()], facts: &facts[range.clone()] }).collect();
    classifier.session().page_logits(&pages)
}
