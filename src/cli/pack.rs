//! `copydesk pack`: a trained model made ready to ship.

use super::args::PackArgs;
use super::calibration::{FOLDS, HeldOut, SEED, SpamThresholds, spam_thresholds};
use super::error::CliError;
use super::job::Tally;
use super::tell;
use super::train::{LEFT_OUT, left_out_of, remembered, unseen};
use crate::eval::{EvalError, cross_fit_temperature, fit_temperature};
use crate::label::{LabelId, LabelSet, Scores};
use crate::model::{Checkpoint, Classifier, Development, Reading, Storage};
use crate::train::{TrainError, soup};
use std::path::Path;

/// Carries out the arguments.
pub(super) fn run(args: PackArgs) -> Result<Tally, CliError> {
    let named = |model: &Path, error| CliError::Model { model: model.display().to_string(), error };
    let models = args.model.iter().map(|model| Checkpoint::load(model).map_err(|error| named(model, error)));
    let mut checkpoint = mean(models.collect::<Result<Vec<_>, _>>()?)?;
    checkpoint.settings.name = args.name.unwrap_or(checkpoint.settings.name);
    let model_error = |error| named(&args.out, error);
    let mut tally = Tally::default();
    if let Some(path) = &args.calibrate {
        // What is calibrated is what is shipped: the quantised weights, not the trained ones.
        let stored = checkpoint.stored(Storage::Int8).map_err(model_error)?;
        let precision = stored.stored_precision();
        let packed = Classifier::from_checkpoint(stored, precision).map_err(model_error)?;
        let labels = packed.labels();
        let held_out = HeldOut::read(path, labels, &mut tally)?;
        let (gold, documents) = (held_out.gold(), held_out.documents());
        let alone = held_out.alone(&packed).map_err(model_error)?;
        let on_page = held_out.on_page(&packed).map_err(model_error)?;
        let settings = &mut checkpoint.settings;
        let logits: Vec<&[f32]> = alone.iter().map(|reading| reading.logits.as_slice()).collect();
        settings.temperature = fit("temperature", labels, &logits, &gold, &documents)?;
        let rows: Vec<usize> = (0..on_page.len()).filter(|&row| on_page[row].on_page).collect();
        if !rows.is_empty() {
            let logits: Vec<&[f32]> = rows.iter().map(|&row| on_page[row].logits.as_slice()).collect();
            let gold: Vec<LabelId> = rows.iter().map(|&row| gold[row]).collect();
            let documents: Vec<Option<&str>> = rows.iter().map(|&row| documents[row]).collect();
            settings.page_temperature = fit("page temperature", labels, &logits, &gold, &documents)?;
        }
        let scores = |reading: &Reading| {
            let temperature = if reading.on_page { settings.page_temperature } else { settings.temperature };
            Scores::at_temperature(labels, &reading.logits, temperature)
        };
        let alone: Vec<Scores> = alone.iter().map(scores).collect();
        let on_page: Vec<Scores> = on_page.iter().map(scores).collect();
        if let Some(spam_label) = packed.roles().spam {
            let SpamThresholds { default, points } = spam_thresholds(labels, spam_label, &alone, &gold, args.lose)?;
            settings.spam_operating_points = points;
            settings.spam_threshold = default.unwrap_or(settings.spam_threshold);
        }
        let figures = held_out.figures(&alone, &on_page)?;
        settings.data.insert(Development::FIELD.to_owned(), figures.to_value());
    }
    checkpoint.save(&args.out, Storage::Int8).map_err(model_error)?;
    Ok(tally)
}

/// The mean of the models, which remembers of them what holds for it: the sources that all left out, and no figures, which
/// were measured on one of them.
fn mean(models: Vec<Checkpoint>) -> Result<Checkpoint, CliError> {
    if models.len() == 1 {
        return Ok(soup(models)?);
    }
    let left_out = models.first().map_or(Vec::new(), |first| unseen(&left_out_of(&first.settings), &models));
    let mut mean = soup(models)?;
    mean.settings.data.remove(Development::FIELD);
    mean.settings.data.remove(LEFT_OUT);
    mean.settings.data.extend(remembered(&left_out));
    Ok(mean)
}

/// Fits a temperature and tells what it does to the calibration error of documents that it was not fitted on.
fn fit(
    name: &str,
    labels: &LabelSet,
    logits: &[&[f32]],
    gold: &[LabelId],
    documents: &[Option<&str>],
) -> Result<f32, CliError> {
    let fit = match cross_fit_temperature(labels, logits, gold, documents, FOLDS, SEED) {
        Ok(fit) => fit,
        Err(EvalError::FoldCount { documents, .. }) => {
            let temperature = fit_temperature(logits, gold).map_err(TrainError::from)?;
            tell(format_args!("{name} {temperature:.4}; {documents} documents are too few to say what it is worth"));
            return Ok(temperature);
        }
        Err(error) => return Err(TrainError::from(error).into()),
    };
    tell(format_args!(
        "{name} {:.4}; expected calibration error, cross-fitted: {:.4} before, {:.4} after",
        fit.temperature,
        fit.before.calibration.expected_calibration_error,
        fit.after.calibration.expected_calibration_error
    ));
    Ok(fit.temperature)
}
