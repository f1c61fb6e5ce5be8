//! `copydesk cascade`: when a small model may answer for a large one.

use super::args::CascadeArgs;
use super::calibration::{FOLDS, HeldOut, SEED, SpamRows, SpamThresholds};
use super::error::CliError;
use super::job::Tally;
use super::output::{Output, Target};
use super::tell;
use crate::eval::{
    AskFigures, CascadeFit, CascadeOptions, CascadeRow, CascadeRule, ModelReading, Watched, WatchedReading, fit_cascade,
};
use crate::label::{LabelId, LabelSet, Scores, UnknownLabel};
use crate::model::{
    AskLabel, Asked, CascadeSettings, Classifier, Development, Digest, Member, Mixture, ModelError, ModelSource,
    Reading,
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
    let watched = watched(&args.ask, labels, &large).map_err(TrainError::from)?;
    let held_out = HeldOut::read(&args.calibrate, labels, &mut tally)?;
    let of_small = |error| CliError::Model { model: args.small.display().to_string(), error };
    let of_large = |error| CliError::Model { model: args.large.display().to_string(), error };
    let small_alone = held_out.alone(&small).map_err(of_small)?;
    let small_on_page = held_out.on_page(&small).map_err(of_small)?;
    let large_alone = held_out.alone(&large).map_err(of_large)?;
    let large_on_page = held_out.on_page(&large).map_err(of_large)?;
    // The rows of `held_out` come first.
    let judged = held_out.and(&args.comments, labels, &mut tally)?;
    let small_comments = judged.as_comments(&small).map_err(of_small)?;
    let large_comments = judged.as_comments(&large).map_err(of_large)?;
    let (gold, pages) = (held_out.gold(), held_out.pages());
    let rows: Vec<CascadeRow<'_>> = (0..gold.len())
        .map(|row| CascadeRow {
            gold: gold[row],
            page: pages[row],
            alone: read(&small_alone[row]),
            on_page: small_on_page[row].on_page.then(|| read(&small_on_page[row])),
            large: read(&large_alone[row]),
            comment: [read(&small_comments[row]), read(&large_comments[row])],
            large_tokens: large_alone[row].prediction.tokens + 2,
            large_on_page: large_on_page[row].prediction.scores.best().0,
        })
        .collect();
    let half = |temperature: f32| 0.5 / temperature;
    let large_alone = half(large.settings().temperature);
    let before = [small.settings().temperature, small.settings().page_temperature].map(|t| [half(t), large_alone]);
    let further = args.ask_rows.iter().map(|path| {
        let held_out = HeldOut::any(std::slice::from_ref(path), labels, &mut tally)?;
        let read_by = |model: &Classifier| Ok([held_out.alone(model)?, held_out.as_comments(model)?]);
        let readings = [read_by(&small).map_err(of_small)?, read_by(&large).map_err(of_large)?];
        Ok(FurtherRows { gold: held_out.gold().to_vec(), readings })
    });
    let further: Vec<FurtherRows> = further.collect::<Result<_, CliError>>()?;
    let further: Vec<WatchedReading<'_>> = further.iter().flat_map(FurtherRows::watched).collect();
    let options = CascadeOptions { within: args.within, watched, miss: args.miss, before, folds: FOLDS, seed: SEED };
    let fit = fit_cascade(&rows, &further, &options).map_err(TrainError::from)?;
    tell(format_args!("fitted on {} rows, {} of them read beside neighbours", fit.rows[0], fit.rows[1]));
    report(&fit, args.json)?;
    if !fit.wanted_macro_f1.reached_by(&fit.chosen) {
        tell(format_args!("no threshold keeps the macro-F1 wanted; the best is taken"));
    }
    for AskFigures { label, from, found, missed } in &fit.asks {
        tell(format_args!(
            "the large model is asked from a probability of {from:.6} of {label} on; of {found} readings of it that it \
             finds, {missed} have less"
        ));
    }
    let asks = fit.rules(labels);
    let rule = CascadeRule { choice: fit.chosen.choice, asks: &asks };
    let alone: Vec<Scores> = rows.iter().map(|row| rule.alone(row).0.into_owned()).collect();
    let on_page: Vec<Scores> = rows.iter().map(|row| rule.on_page(row).0.into_owned()).collect();
    let asked = Asked { rows: fit.chosen.on_page.rows_asked, tokens: fit.chosen.on_page.tokens_asked };
    let figures = Development { asked: Some(asked), ..held_out.figures(&alone, &on_page)? };
    let name = args.out.file_name().map_or_else(|| "cascade".to_owned(), |name| name.to_string_lossy().into_owned());
    let mut settings = CascadeSettings::new(name, small_member, large_member);
    let mixture = |[small, large]: [f32; 2]| Mixture { small, large };
    let choice = rule.choice;
    settings.threshold = choice.threshold;
    let ask = |figures: &AskFigures| AskLabel { label: figures.label.to_string(), from: figures.from };
    settings.ask = fit.asks.iter().map(ask).collect();
    (settings.alone, settings.on_page) = (mixture(choice.alone), mixture(choice.on_page));
    if let Some(spam_label) = small.roles().spam {
        let stored = SpamThresholds { default: settings.spam_threshold, points: Vec::new() };
        let comments: Vec<Scores> = small_comments
            .iter()
            .zip(&large_comments)
            .map(|(small, large)| rule.comment([read(small), read(large)], small.on_page).0.into_owned())
            .collect();
        let rows = SpamRows { labels, spam_label, scores: &comments, held_out: &judged, lose: args.lose };
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

/// The labels that the small model must not hide, and when the large model finds them.
fn watched(further: &[String], labels: &LabelSet, large: &Classifier) -> Result<Vec<Watched>, UnknownLabel> {
    let spam = large.roles().spam;
    let thresholds = |label: LabelId| match Some(label) == spam {
        false => vec![0.5],
        true => {
            let points = &large.settings().spam_operating_points;
            points.iter().map(|point| point.threshold).chain([large.spam_threshold()]).collect()
        }
    };
    let mut list: Vec<LabelId> = spam.into_iter().collect();
    for name in further {
        let label = labels.require(name)?;
        if !list.contains(&label) {
            list.push(label);
        }
    }
    Ok(list.into_iter().map(|label| Watched { label, found_from: thresholds(label) }).collect())
}

/// Rows of a further file, as the small and the large model read them alone and as comments.
struct FurtherRows {
    gold: Vec<LabelId>,
    readings: [[Vec<Reading>; 2]; 2],
}

impl FurtherRows {
    fn watched(&self) -> impl Iterator<Item = WatchedReading<'_>> {
        let [small, large] = &self.readings;
        let pairs = small.iter().zip(large).flat_map(|(small, large)| self.gold.iter().zip(small.iter().zip(large)));
        pairs.map(|(&gold, (small, large))| WatchedReading {
            gold,
            small: &small.prediction.scores,
            large: &large.prediction.scores,
        })
    }
}

fn read(reading: &Reading) -> ModelReading<'_> {
    ModelReading { logits: &reading.logits, scores: &reading.prediction.scores }
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
