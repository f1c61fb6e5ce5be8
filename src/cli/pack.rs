//! `copydesk pack`: a trained model made ready to ship.

use super::args::PackArgs;
use super::calibration::{FOLDS, HeldOut, SEED, SpamRows, SpamThresholds, at_temperature};
use super::error::CliError;
use super::job::Tally;
use super::tell;
use super::train::{LEFT_OUT, left_out_of, remembered, unseen};
use crate::engine::Precision;
use crate::eval::{check_enough, cross_fit_temperature};
use crate::label::{LabelId, LabelSet, Scores};
use crate::model::{Cascade, Checkpoint, Classifier, Development, Model, ModelSource, Reading, Storage};
use crate::page::PageKey;
use crate::train::{TrainError, soup};
use std::path::Path;

/// Carries out the arguments.
pub(super) fn run(args: PackArgs) -> Result<Tally, CliError> {
    let named = |model: &Path, error| CliError::Model { model: model.display().to_string(), error };
    if let Some(pair) = args.model.iter().find(|model| Cascade::is_named(model)) {
        return pack_cascade(&args, pair);
    }
    let models =
        args.model.iter().map(|model| ModelSource::new(model).checkpoint().map_err(|error| named(model, error)));
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
        let (gold, pages) = (held_out.gold(), held_out.pages());
        let alone = held_out.alone(&packed).map_err(model_error)?;
        let on_page = held_out.on_page(&packed).map_err(model_error)?;
        let judged = held_out.and(&args.comments, labels, &mut tally)?;
        let comments = judged.as_comments(&packed).map_err(model_error)?;
        let settings = &mut checkpoint.settings;
        let logits: Vec<&[f32]> = alone.iter().map(|reading| reading.logits.as_slice()).collect();
        let before = settings.temperature;
        settings.temperature = fit("temperature", labels, &logits, gold, &pages, before)?;
        let rows: Vec<usize> = (0..on_page.len()).filter(|&row| on_page[row].on_page).collect();
        let of_rows = (
            rows.iter().map(|&row| gold[row]).collect::<Vec<_>>(),
            rows.iter().map(|&row| pages[row]).collect::<Vec<_>>(),
        );
        if let Err(error) = check_enough(&of_rows.0, &of_rows.1) {
            tell(format_args!(
                "page temperature {:.4} stays: rows beside neighbours: {error}",
                settings.page_temperature
            ));
        } else {
            let logits: Vec<&[f32]> = rows.iter().map(|&row| on_page[row].logits.as_slice()).collect();
            let (gold, pages) = of_rows;
            let before = settings.page_temperature;
            settings.page_temperature = fit("page temperature", labels, &logits, &gold, &pages, before)?;
        }
        let scores = |reading: &Reading| {
            let temperature = if reading.on_page { settings.page_temperature } else { settings.temperature };
            Scores::at_temperature(labels, &reading.logits, temperature)
        };
        let alone: Vec<Scores> = alone.iter().map(scores).collect();
        let on_page: Vec<Scores> = on_page.iter().map(scores).collect();
        let comments: Vec<Scores> = comments.iter().map(scores).collect();
        if let Some(spam_label) = packed.roles().spam {
            // Texts that a kept threshold called spam are to be called spam still.
            let moved = |threshold| at_temperature(threshold, before, settings.temperature);
            let mut points = settings.spam_operating_points.clone();
            points.iter_mut().for_each(|point| point.threshold = moved(point.threshold));
            let stored = SpamThresholds { default: moved(settings.spam_threshold), points };
            let rows = SpamRows { labels, spam_label, scores: &comments, held_out: &judged, lose: args.lose };
            let SpamThresholds { default, points } = rows.thresholds(stored)?;
            (settings.spam_threshold, settings.spam_operating_points) = (default, points);
        }
        let figures = held_out.figures(&alone, &on_page)?;
        settings.data.insert(Development::FIELD.to_owned(), figures.to_value());
        if checkpoint.stored_precision() == Precision::F32 {
            let trained = Classifier::from_checkpoint(checkpoint.clone(), Precision::F32).map_err(model_error)?;
            let readings = held_out.alone(&trained).map_err(model_error)?;
            let scores: Vec<Scores> =
                readings.iter().map(|reading| Scores::from_logits(trained.labels(), &reading.logits)).collect();
            tell_cost(held_out.figures(&scores, &scores)?.macro_f1.value, figures.macro_f1.value);
        }
    }
    checkpoint.save(&args.out, Storage::Int8).map_err(model_error)?;
    Ok(tally)
}

/// Macro-F1 that storing in 8 bits costs without a word of advice.
const BEARABLE_COST: f64 = 0.01;

/// Tells what the 8-bit integers cost: macro-F1 of the held-out rows, each read alone, as trained and as stored.
fn tell_cost(trained: f64, stored: f64) {
    tell(format_args!(
        "macro-F1 of the held-out rows read alone: {trained:.4} as trained, {stored:.4} in 8-bit integers"
    ));
    if trained - stored > BEARABLE_COST {
        tell(format_args!(
            "8-bit integers lose what training moved by less than half a step, above all from a base that is stored in \
             them; train for more epochs, or use the model as it was trained"
        ));
    }
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

/// A pair of models with spam thresholds of the held-out rows; its two models and their mixture stay.
fn pack_cascade(args: &PackArgs, pair: &Path) -> Result<Tally, CliError> {
    let failed = |error| CliError::Model { model: pair.display().to_string(), error };
    let (1, Some(path)) = (args.model.len(), &args.calibrate) else {
        return Err(CliError::PackPair { model: pair.display().to_string() });
    };
    let model = Model::open(pair).map_err(failed)?;
    let Model::Cascade(cascade) = &model else { unreachable!("a cascade was named; this is a bug") };
    let mut tally = Tally::default();
    let labels = model.labels();
    let held_out = HeldOut::read(path, labels, &mut tally)?;
    let mut settings = cascade.settings().clone();
    let folder_name = || args.out.file_name().map(|name| name.to_string_lossy().into_owned());
    settings.name = args.name.clone().or_else(folder_name).unwrap_or(settings.name);
    let [alone, on_page] = held_out.answers(&model).map_err(failed)?;
    let judged = held_out.and(&args.comments, labels, &mut tally)?;
    let comments = judged.comment_answers(&model).map_err(failed)?;
    match model.roles().spam {
        None => tell(format_args!("{}: no label is for spam, so there is no threshold to find", pair.display())),
        Some(spam_label) => {
            let stored =
                SpamThresholds { default: settings.spam_threshold, points: settings.spam_operating_points.clone() };
            let rows = SpamRows { labels, spam_label, scores: &comments, held_out: &judged, lose: args.lose };
            let SpamThresholds { default, points } = rows.thresholds(stored)?;
            (settings.spam_threshold, settings.spam_operating_points) = (default, points);
        }
    }
    let figures = held_out.figures(&alone, &on_page)?;
    settings.data.insert(Development::FIELD.to_owned(), figures.to_value());
    let out = |error| CliError::Model { model: args.out.display().to_string(), error };
    Cascade::check_beside(&settings, &args.out).map_err(out)?;
    settings.save(&args.out).map_err(out)?;
    Ok(tally)
}

/// Fits a temperature, and tells on how many rows it rests and what it does to the calibration error of pages that it was not
/// fitted on. The stored one stays where those are no likelier with the new one.
fn fit(
    name: &str,
    labels: &LabelSet,
    logits: &[&[f32]],
    gold: &[LabelId],
    pages: &[Option<PageKey<&str>>],
    stored: f32,
) -> Result<f32, CliError> {
    let fit = cross_fit_temperature(labels, logits, gold, pages, stored, FOLDS, SEED).map_err(TrainError::from)?;
    tell(format_args!(
        "{name} {:.4} from {} rows; expected calibration error, cross-fitted: {:.4} before, {:.4} after",
        fit.temperature,
        fit.rows,
        fit.before.calibration.expected_calibration_error,
        fit.after.calibration.expected_calibration_error
    ));
    if fit.improves() {
        return Ok(fit.temperature);
    }
    tell(format_args!("{name}: rows that it was not fitted on are no likelier with it; the stored {stored:.4} stays"));
    Ok(stored)
}
