//! `copydesk distill`: a small model that learns from a large one.

use super::error::CliError;
use super::job::Tally;
use super::tell;
use super::train::{Display, StorageArg, TargetArgs, read_rows, summarise, training_settings};
use crate::eval::SplitMix64;
use crate::model::{Checkpoint, Classifier, ModelError, Settings};
use crate::text::model_text;
use crate::train::{
    LabelledRow, ScoreFields, StudentSettings, TrainData, TrainTarget, read_labelled, read_texts, student,
    student_training, train,
};
use clap::Args;
use std::path::PathBuf;

/// Texts that the teacher labels in one call.
const TEACHER_BATCH: usize = 1024;

/// Arguments of `copydesk distill`.
#[derive(Debug, Args)]
pub struct DistillArgs {
    /// Folder of the teacher
    #[arg(long, value_name = "DIR")]
    pub teacher: PathBuf,

    /// Texts that the teacher labels, JSON Lines with text; may be repeated
    ///
    /// Rows that have scores already, as copydesk label --unit record writes them, keep those. Names ending in .zst are
    /// decompressed.
    #[arg(long, value_name = "FILE", required = true)]
    pub texts: Vec<PathBuf>,

    /// Texts drawn from these, 0 for all
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub rows: usize,

    /// Annotated rows for a second stage; may be repeated
    #[arg(long, value_name = "FILE")]
    pub data: Vec<PathBuf>,

    /// Rows that choose the best epoch; never trained on
    #[arg(long, value_name = "FILE")]
    pub dev: PathBuf,

    /// Layers of the student
    #[arg(long, value_name = "N", default_value_t = StudentSettings::default().layers)]
    pub layers: usize,

    /// Width of its feed-forward part
    #[arg(long, value_name = "N", default_value_t = StudentSettings::default().intermediate)]
    pub intermediate: usize,

    /// Entries of its vocabulary
    #[arg(long, value_name = "N", default_value_t = StudentSettings::default().vocab)]
    pub vocab: usize,

    /// Where the model goes.
    #[command(flatten)]
    pub target: TargetArgs,

    /// Training settings, a JSON object like the one in training.json
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,

    /// Steps between checkpoints, 0 for none
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub checkpoint_every: usize,

    /// No progress bar
    #[arg(long, short)]
    pub quiet: bool,
}

/// Carries out the arguments.
pub(super) fn run(args: DistillArgs) -> Result<Tally, CliError> {
    let settings = training_settings(args.settings.as_deref(), student_training())?;
    settings.check()?;
    let model_error = |error: ModelError| CliError::Model { model: args.teacher.display().to_string(), error };
    let teacher = Checkpoint::load(&args.teacher).map_err(model_error)?;
    let mut tally = Tally::default();
    let mut texts = read_rows(&args.texts, read_texts, &mut tally)?;
    if args.rows > 0 && args.rows < texts.len() {
        SplitMix64::new(settings.seed).shuffle(&mut texts);
        texts.truncate(args.rows);
    }
    let data = TrainData {
        weak: Vec::new(),
        annotated: read_rows(&args.data, read_labelled, &mut tally)?,
        dev: read_rows(std::slice::from_ref(&args.dev), read_labelled, &mut tally)?,
    };
    let sizes = StudentSettings {
        layers: args.layers,
        intermediate: args.intermediate,
        vocab: args.vocab,
        positions: teacher.settings.window_tokens,
    };
    let small = student(&teacher, texts.iter().map(|row| row.text.as_str()), sizes)?;
    let classifier = Classifier::from_dir(&args.teacher).map_err(model_error)?;
    label(&classifier, &mut texts, settings.workers).map_err(model_error)?;
    for row in texts.iter().chain(&data.annotated) {
        tally.count(Some(row.label));
    }
    let target = TrainTarget {
        folder: &args.target.out,
        checkpoint_every: args.checkpoint_every,
        storage: StorageArg::F32.into(),
        settings: Settings {
            name: args.target.name("student"),
            base: teacher.settings.base.clone(),
            window_tokens: small.settings.window_tokens,
            window_overlap: small.settings.window_overlap,
            ..Settings::default()
        },
    };
    let mut display = Display::new(args.quiet);
    let data = TrainData { weak: texts, ..data };
    let report = train(&small, data, &settings, &target, &mut |progress| display.show(progress))?;
    display.finish();
    summarise(&report, &args.target.out);
    Ok(tally)
}

/// Gives every row without a teacher's scores the answer of `classifier`.
fn label(classifier: &Classifier, rows: &mut [LabelledRow], threads: usize) -> Result<(), ModelError> {
    let mut unlabelled: Vec<&mut LabelledRow> = rows.iter_mut().filter(|row| row.scores.is_none()).collect();
    if unlabelled.is_empty() {
        return Ok(());
    }
    tell(format_args!("the teacher labels {} texts", unlabelled.len()));
    let share = unlabelled.len().div_ceil(threads.max(1));
    std::thread::scope(|scope| {
        let workers: Vec<_> = unlabelled
            .chunks_mut(share)
            .map(|rows| {
                scope.spawn(move || -> Result<(), ModelError> {
                    let mut session = classifier.session();
                    for rows in rows.chunks_mut(TEACHER_BATCH) {
                        let texts: Vec<_> = rows.iter().map(|row| model_text(&row.text).into_owned()).collect();
                        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                        for (row, prediction) in rows.iter_mut().zip(session.classify(&texts)?) {
                            row.scores = Some(ScoreFields::from(prediction.scores));
                            row.label = prediction.scores.best().0;
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker panicked; this is a bug"))
    })
}
