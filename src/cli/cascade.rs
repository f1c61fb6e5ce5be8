//! `copydesk cascade`: when a small model may answer for a large one.

use super::args::CascadeArgs;
use super::calibration::{FOLDS, HeldOut, SEED, SpamRows, SpamThresholds};
use super::error::CliError;
use super::job::Tally;
use super::output::{Output, Target};
use super::tell;
use crate::eval::{CascadeFit, CascadeOptions, CascadeRow, SmallReading, fit_cascade};
use crate::label::Scores;
use crate::model::{
    Asked, CascadeSettings, Classifier, Development, Digest, Member, Mixture, ModelError, ModelSource, Reading,
};
use crate::report::CascadeTable;
use crate::train::TrainError;
use std::io::Write;
use std::path::Path;

/// Carries out the arguments.
pub(super) fn run(args: CascadeArgs) -> Result<Tally, CliError> {
    let mut tally = Tally::default();
    let (small, small_member) = open(&args.small)?;
    let (large, large_member) = open(&args.large)?;
    let labels = small.labels();
    if labels != large.labels() {
        let error = ModelError::UnlikeLabels { small: labels.clone(), large: large.labels().clone() };
        return Err(CliError::Model { model: args.large.display().to_string(), error });
    }
    let held_out = HeldOut::read(&args.calibrate, labels, &mut tally)?;
    let of_small = |error| CliError::Model { model: args.small.display().to_string(), error };
    let of_large = |error| CliError::Model { model: args.large.display().to_string(), error };
    let small_alone = held_out.alone(&small).map_err(of_small)?;
    let small_on_page = held_out.on_page(&small).map_err(of_small)?;
    let large_alone = held_out.alone(&large).map_err(of_large)?;
    let large_on_page = held_out.on_page(&large).map_err(of_large)?;
    let (gold, pages) = (held_out.gold(), held_out.pages());
    let rows: Vec<CascadeRow<'_>> = (0..gold.len())
        .map(|row| CascadeRow {
            gold: gold[row],
            page: pages[row],
            alone: small_reading(&small_alone[row]),
            on_page: small_on_page[row].on_page.then(|| small_reading(&small_on_page[row])),
            large: &large_alone[row].logits,
            large_tokens: large_alone[row].prediction.tokens + 2,
            large_on_page: large_on_page[row].prediction.scores.best().0,
        })
        .collect();
    let half = |temperature: f32| 0.5 / temperature;
    let large_alone = half(large.settings().temperature);
    let before = [small.settings().temperature, small.settings().page_temperature].map(|t| [half(t), large_alone]);
    let options = CascadeOptions { within: args.within, before, folds: FOLDS, seed: SEED };
    let fit = fit_cascade(&rows, &options).map_err(TrainError::from)?;
    tell(format_args!("fitted on {} rows, {} of them read beside neighbours", fit.rows[0], fit.rows[1]));
    report(&fit, args.json)?;
    if !fit.wanted_macro_f1.reached_by(&fit.chosen) {
        tell(format_args!("no threshold keeps the macro-F1 wanted; the best is taken"));
    }
    let choice = fit.chosen.choice;
    let alone: Vec<Scores> = rows.iter().map(|row| choice.alone(row).0.into_owned()).collect();
    let on_page: Vec<Scores> = rows.iter().map(|row| choice.on_page(row).0.into_owned()).collect();
    let asked = Asked { rows: fit.chosen.on_page.rows_asked, tokens: fit.chosen.on_page.tokens_asked };
    let figures = Development { asked: Some(asked), ..held_out.figures(&alone, &on_page)? };
    let name = args.out.file_name().map_or_else(|| "cascade".to_owned(), |name| name.to_string_lossy().into_owned());
    let mut settings = CascadeSettings::new(name, small_member, large_member);
    let mixture = |[small, large]: [f32; 2]| Mixture { small, large };
    settings.threshold = choice.threshold;
    (settings.alone, settings.on_page) = (mixture(choice.alone), mixture(choice.on_page));
    if let Some(spam_label) = small.roles().spam {
        let stored = SpamThresholds { default: settings.spam_threshold, points: Vec::new() };
        let (first, second) =
            (held_out.as_comments(&small).map_err(of_small)?, held_out.as_comments(&large).map_err(of_large)?);
        let comments: Vec<Scores> = first
            .iter()
            .zip(&second)
            .map(|(first, second)| choice.of(small_reading(first), first.on_page, &second.logits))
            .collect();
        let rows = SpamRows { labels, spam_label, scores: &comments, held_out: &held_out, lose: args.lose };
        let SpamThresholds { default, points } = rows.thresholds(stored)?;
        (settings.spam_threshold, settings.spam_operating_points) = (default, points);
    }
    settings.data.insert(Development::FIELD.to_owned(), figures.to_value());
    settings.save(&args.out).map_err(|error| CliError::Model { model: args.out.display().to_string(), error })?;
    Ok(tally)
}

/// A model, and how a cascade knows it.
fn open(name: &Path) -> Result<(Classifier, Member), CliError> {
    let failed = |error| CliError::Model { model: name.display().to_string(), error };
    let source = ModelSource::new(name);
    let classifier = source.classifier().map_err(failed)?;
    let digest: Digest = source.digest().map_err(failed)?;
    let member = Member { name: classifier.name().to_owned(), digest };
    Ok((classifier, member))
}

fn small_reading(reading: &Reading) -> SmallReading<'_> {
    SmallReading { logits: &reading.logits, scores: &reading.prediction.scores }
}

fn report(fit: &CascadeFit, json: bool) -> Result<(), CliError> {
    if !json {
        // Where standard error is closed, the figures of the choice are in the file.
        let _ = write!(std::io::stderr(), "{}", CascadeTable(fit));
        return Ok(());
    }
    let object = serde_json::to_string(fit).expect("figures can be written as JSON; this is a bug");
    let mut output = Output::open(&Target::StandardOutput)?;
    output.write(format!("{object}\n").as_bytes())?;
    output.finish()
}
