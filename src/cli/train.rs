//! `copydesk train`: rows in, model folder out.

use super::args::{StorageArg, TargetArgs, TrainArgs};
use super::error::CliError;
use super::job::Tally;
use super::tell;
use crate::atomic;
use crate::label::LabelSet;
use crate::model::{Checkpoint, ModelSource, PageConfig, Settings, Storage};
use crate::train::{
    LabelledRow, Progress, ReadRows, TrainData, TrainError, TrainReport, TrainSettings, TrainTarget, labels_of,
    read_labelled, read_weak, soup, train,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

impl TargetArgs {
    /// The name given, else the folder's, else `default`.
    pub(super) fn name(&self, default: &str) -> String {
        let folder_name = self.out.file_name().map(|name| name.to_string_lossy().into_owned());
        self.name.clone().or(folder_name).unwrap_or_else(|| default.to_owned())
    }
}

/// Carries out the arguments.
pub(super) fn run(args: TrainArgs) -> Result<Tally, CliError> {
    let settings = settings(&args)?;
    settings.check()?;
    let mut tally = Tally::default();
    let load = |name: &String| {
        let source = ModelSource::new(name);
        if args.keep_head { source.checkpoint() } else { source.base() }
    };
    let models =
        args.base.iter().map(|name| load(name).map_err(|error| CliError::Model { model: name.clone(), error }));
    let models = models.collect::<Result<Vec<_>, _>>()?;
    if args.keep_head {
        for (name, model) in args.base.iter().zip(&models) {
            check_kept(name, model, settings.page)?;
        }
    }
    let unseen = unseen(&args.leave_out, &models);
    let base = soup(models)?;
    let data = leave_out(read_data(&args, &base, &mut tally)?, &args.leave_out)?;
    tally.rows += data.annotated.len() as u64;
    // A new head has nothing of the base's labels.
    let kept = |name: &Option<String>| name.clone().filter(|_| args.keep_head);
    let target = TrainTarget {
        folder: &args.target.out,
        checkpoint_every: args.checkpoint_every,
        storage: args.storage.into(),
        settings: Settings {
            name: args.target.name("model"),
            // A model of an earlier stage passes on what it started from.
            base: base
                .settings
                .base
                .clone()
                .or_else(|| args.base_name.clone())
                .or_else(|| args.base.first().map(|name| public_name(name))),
            data: remembered(&unseen),
            spam_label: args.spam_label.clone().or_else(|| kept(&base.settings.spam_label)),
            furniture_label: args.furniture_label.clone().or_else(|| kept(&base.settings.furniture_label)),
            ..Settings::default().fitting(base.config.max_positions)
        },
    };
    let mut display = Display::new(args.quiet);
    let report = train(&base, data, &settings, &target, &mut |progress| display.show(progress))?;
    display.finish();
    summarise(&report, &args.target.out);
    Ok(tally)
}

/// The rows, and the labels that they are to be taught.
fn read_data(args: &TrainArgs, base: &Checkpoint, tally: &mut Tally) -> Result<TrainData, CliError> {
    let fixed = match &base.head {
        Some(head) if args.keep_head => Some(head.labels.clone()),
        _ if args.labels.is_empty() => None,
        _ => Some(LabelSet::new(&args.labels).map_err(TrainError::Labels)?),
    };
    let annotated = read_rows(&args.data, |path| read_labelled(path, fixed.as_ref()), tally)?;
    let labels = match fixed {
        Some(labels) => labels,
        None => labels_of(&annotated)?,
    };
    if labels != LabelSet::copydesk() {
        tell(format_args!("labels: {}", labels.list()));
    }
    let weak = read_rows(&args.weak, |path| read_weak(path, &labels), tally)?;
    let dev = read_rows(std::slice::from_ref(&args.dev), |path| read_labelled(path, Some(&labels)), tally)?;
    Ok(TrainData { labels, weak, annotated, dev })
}

/// Refuses a base without a head that training can go on from, and says so where it is a new page network that is trained.
fn check_kept(name: &str, model: &Checkpoint, page: Option<PageConfig>) -> Result<(), CliError> {
    // A head over a pooler reads other vectors than the ones that are trained here.
    if model.head.as_ref().is_none_or(|head| head.pooler.is_some()) {
        return Err(CliError::NoHeadToKeep { model: name.to_owned() });
    }
    let kept = model.page.as_ref().map(|page| page.config);
    if page.is_some() && kept != page {
        tell(format_args!("{name} has no page network of the sizes in the settings; a new one is trained"));
    }
    Ok(())
}

/// A base's name as a published model may tell it: the repository on the hub, or the folder's own name without its path.
pub(super) fn public_name(base: &str) -> String {
    let folder = || Path::new(base).file_name().map_or(base.into(), |name| name.to_string_lossy());
    base.strip_prefix("hf:").map_or_else(|| folder().into_owned(), str::to_owned)
}

/// Field of a model's free-form data that lists the sources which its training left out.
pub(super) const LEFT_OUT: &str = "left_out";

/// The sources left out now that none of the models which training starts from saw before: all of them, but for models
/// that were trained here and did not leave them out too.
pub(super) fn unseen(left_out: &[String], bases: &[Checkpoint]) -> Vec<String> {
    let trained: Vec<Vec<String>> =
        bases.iter().filter(|base| base.settings.base.is_some()).map(|base| left_out_of(&base.settings)).collect();
    left_out.iter().filter(|name| trained.iter().all(|names| names.contains(name))).cloned().collect()
}

/// The sources that a model's settings say it never saw.
pub(super) fn left_out_of(settings: &Settings) -> Vec<String> {
    let names = settings.data.get(LEFT_OUT).and_then(|names| names.as_array());
    names.into_iter().flatten().filter_map(|name| Some(name.as_str()?.to_owned())).collect()
}

pub(super) fn remembered(left_out: &[String]) -> serde_json::Map<String, serde_json::Value> {
    let list = (!left_out.is_empty()).then(|| (LEFT_OUT.to_owned(), left_out.into()));
    list.into_iter().collect()
}

/// The data without the rows of some sources; the development rows stay.
fn leave_out(mut data: TrainData, sources: &[String]) -> Result<TrainData, TrainError> {
    let is = |row: &LabelledRow, name: &String| row.source.as_ref() == Some(name);
    if let Some(name) = sources.iter().find(|name| !data.annotated.iter().chain(&data.weak).any(|row| is(row, name))) {
        return Err(TrainError::UnknownSource { got: name.clone() });
    }
    for rows in [&mut data.annotated, &mut data.weak] {
        rows.retain(|row| !sources.iter().any(|name| is(row, name)));
    }
    Ok(data)
}

impl From<StorageArg> for Storage {
    fn from(storage: StorageArg) -> Storage {
        match storage {
            StorageArg::F32 => Storage::F32,
            StorageArg::Int8 => Storage::Int8,
        }
    }
}

/// The rows of all files; lines that are none are told, counted and left out.
pub(super) fn read_rows<T>(
    paths: &[PathBuf],
    read: impl Fn(&Path) -> Result<ReadRows<T>, TrainError>,
    tally: &mut Tally,
) -> Result<Vec<T>, CliError> {
    let mut rows = Vec::new();
    for path in paths {
        let read = read(path)?;
        for (line, reason) in &read.set_aside {
            tell(format_args!("{}:{line}: {reason}", path.display()));
        }
        tally.failed += read.set_aside.len() as u64;
        rows.extend(read.rows);
    }
    Ok(rows)
}

fn settings(args: &TrainArgs) -> Result<TrainSettings, CliError> {
    let mut settings = training_settings(&args.settings, TrainSettings::default())?;
    settings.epochs = args.epochs.unwrap_or(settings.epochs);
    settings.weak_rows = args.weak_rows.unwrap_or(settings.weak_rows);
    settings.seed = args.seed.unwrap_or(settings.seed);
    Ok(settings)
}

/// Writes a model of one file, and what came of its training beside it.
pub(super) fn write_trained(folder: &Path, model: &[u8], training: &impl Serialize) -> Result<(), CliError> {
    let training = serde_json::to_vec_pretty(training).expect("numbers can be written as JSON; this is a bug");
    let unwritable = |error| CliError::unwritable(folder, error);
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    atomic::write(&folder.join("model.safetensors"), model).map_err(unwritable)?;
    atomic::write(&folder.join("training.json"), &training).map_err(unwritable)
}

/// The defaults with the fields of the files over them, the last file's uppermost.
pub(super) fn training_settings<S: Serialize + DeserializeOwned>(
    paths: &[PathBuf],
    defaults: S,
) -> Result<S, CliError> {
    let mut settings = defaults;
    for path in paths {
        let unusable = |reason: String| CliError::Settings { path: path.clone(), reason };
        let json = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
        let file: serde_json::Map<_, _> = serde_json::from_slice(&json).map_err(|error| unusable(error.to_string()))?;
        let mut fields = serde_json::to_value(&settings).map_err(|error| unusable(error.to_string()))?;
        if let Some(fields) = fields.as_object_mut() {
            fields.extend(file);
        }
        settings = serde_json::from_value(fields).map_err(|error| unusable(error.to_string()))?;
    }
    Ok(settings)
}

/// The progress bar, with the loss averaged over the last steps.
pub(super) struct Display {
    bar: ProgressBar,
    loss: Option<f64>,
    started: std::time::Instant,
    tokens: usize,
}

impl Display {
    pub fn new(quiet: bool) -> Display {
        let bar = ProgressBar::no_length();
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} (done in {eta})");
        bar.set_style(style.expect("the template is valid; this is a bug"));
        if quiet || !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        Display { bar, loss: None, started: std::time::Instant::now(), tokens: 0 }
    }

    pub fn show(&mut self, progress: Progress) {
        match progress {
            Progress::Step { step, steps, loss, tokens } => {
                if self.tokens == 0 {
                    self.started = std::time::Instant::now();
                }
                self.tokens += tokens;
                let smooth = self.loss.map_or(loss, |old| 0.98 * old + 0.02 * loss);
                self.loss = Some(smooth);
                self.bar.set_length(steps as u64);
                self.bar.set_position(step as u64);
                let rate = self.tokens as f64 / self.started.elapsed().as_secs_f64().max(1e-9);
                self.bar.set_message(format!("loss {smooth:.4}, {rate:.0} tokens/s"));
            }
            Progress::Epoch(figures) => self.line(format_args!(
                "{} epoch {}: loss {:.4}, development macro-F1 {:.4}{}, accuracy {:.4}, {} tokens in {:.0} s",
                figures.stage,
                figures.epoch,
                figures.loss,
                figures.dev_macro_f1,
                figures.dev_macro_f1_on_page.map_or(String::new(), |on_page| format!(" (on its page {on_page:.4})")),
                figures.dev_accuracy,
                figures.tokens,
                figures.seconds,
            )),
            Progress::Resumed(step) => {
                self.bar.reset_eta();
                self.line(format_args!("going on after step {step}"));
            }
            Progress::Finished => self.line(format_args!(
                "this run is finished, with the same data and settings; nothing is trained (another --out trains anew)"
            )),
            Progress::Replaces(differences) => {
                self.line(format_args!(
                    "the folder holds another run's model, which is replaced; changed: {differences}"
                ));
            }
            Progress::Checkpoint => {}
        }
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn line(&self, message: std::fmt::Arguments<'_>) {
        self.bar.suspend(|| tell(message));
    }
}

pub(super) fn summarise(report: &TrainReport, out: &Path) {
    let Some(best) = report.epochs.get(report.best_epoch) else { return };
    // Where standard error is closed, training.json still has it all.
    let _ = writeln!(
        std::io::stderr(),
        "copydesk: {}: {} epoch {}, development macro-F1 {:.4}",
        out.display(),
        best.stage,
        best.epoch,
        best.dev_macro_f1
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_settings_win_and_a_wrong_field_is_told_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, json: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, json).unwrap();
            path
        };
        let defaults = TrainSettings { seed: 7, ..TrainSettings::default() };
        assert_eq!(training_settings(&[], defaults.clone()).unwrap(), defaults);
        let common = file("common", r#"{"batch_size": 8, "noise": 0.5, "page": null}"#);
        let stage = file("stage", r#"{"noise": 0.25}"#);
        let expected = TrainSettings { batch_size: 8, noise: 0.25, page: None, ..defaults.clone() };
        assert_eq!(training_settings(&[common.clone(), stage.clone()], defaults.clone()).unwrap(), expected);
        let wrong = file("wrong", r#"{"nose": 0.25}"#);
        let refused = training_settings(&[common, wrong, stage], defaults).unwrap_err().to_string();
        assert!(refused.contains("wrong") && refused.contains("nose"), "{refused}");
    }

    #[test]
    fn a_model_does_not_tell_where_its_base_lay() {
        assert_eq!(public_name("hf:sentence-transformers/all-MiniLM-L6-v2"), "sentence-transformers/all-MiniLM-L6-v2");
        assert_eq!(public_name("/home/me/bases/all-MiniLM-L6-v2/"), "all-MiniLM-L6-v2");
        assert_eq!(public_name(".."), "..");
    }

    #[test]
    fn a_source_is_unseen_if_no_base_was_trained_on_it() {
        let base = |trained_from: Option<&str>, left_out: &[&str]| {
            let mut base = crate::model::fixture::checkpoint(1);
            base.settings.base = trained_from.map(str::to_owned);
            base.settings.data = remembered(&left_out.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
            base
        };
        let left_out = ["a".to_owned(), "b".to_owned()];
        assert_eq!(unseen(&left_out, &[base(None, &[])]), left_out);
        assert_eq!(unseen(&left_out, &[base(Some("hub"), &["b", "c"]), base(None, &[])]), ["b"]);
        assert!(unseen(&left_out, &[base(Some("hub"), &["a"]), base(Some("hub"), &["b"])]).is_empty());
        assert!(unseen(&left_out, &[base(Some("hub"), &[])]).is_empty());
    }

    #[test]
    fn rows_of_sources_left_out_are_gone_from_training_and_stay_for_development() {
        let row = |source: &str| LabelledRow { source: Some(source.to_owned()), ..LabelledRow::new("t", "other") };
        let rows = || vec![row("a"), row("b"), row("a"), row("c")];
        let data = || TrainData { labels: LabelSet::copydesk(), weak: rows(), annotated: rows(), dev: rows() };
        let left = leave_out(data(), &["a".to_owned(), "c".to_owned()]).unwrap();
        assert_eq!((left.weak, left.annotated, left.dev), (vec![row("b")], vec![row("b")], rows()));
        let refused = leave_out(data(), &["d".to_owned()]);
        assert!(matches!(refused, Err(TrainError::UnknownSource { got }) if got == "d"));
    }
}
