//! `copydesk distill`: a small model that learns from a large one.

use super::args::{DistillArgs, StorageArg};
use super::error::CliError;
use super::job::Tally;
use super::tell;
use super::train::{Display, public_name, read_rows, summarise, training_settings};
use crate::label::LabelSet;
use crate::model::{Checkpoint, Classifier, ModelError, ModelSource, Pooling, Settings};
use crate::train::{
    GivenScores, LabelledRow, StudentSettings, TrainData, TrainError, TrainTarget, draw_texts, give_scores,
    read_labelled, read_scores, read_texts, soup, student, student_training, teach, train,
};
use std::path::Path;

/// Carries out the arguments.
pub(super) fn run(args: DistillArgs) -> Result<Tally, CliError> {
    let settings = training_settings(&args.settings, student_training())?;
    settings.check()?;
    let mut tally = Tally::default();
    let teachers =
        args.teacher.iter().map(|name| ModelSource::new(name).classifier().map_err(|error| model_error(name, error)));
    let teachers = teachers.collect::<Result<Vec<Classifier>, _>>()?;
    let bases = args.base.iter().map(|path| checkpoint(&path.display().to_string(), path));
    let base = match bases.collect::<Result<Vec<_>, _>>()? {
        bases if bases.is_empty() => None,
        bases => Some(soup(bases)?),
    };
    let labels = labels(base.as_ref(), teachers.first());
    let given: GivenScores =
        read_rows(&args.scores, |path| read_scores(path, &labels), &mut tally)?.into_iter().collect();
    let mut texts = Vec::new();
    for path in &args.texts {
        let mut rows = read_rows(std::slice::from_ref(path), |path| read_texts(path, Some(&labels)), &mut tally)?;
        let (read, found) = (rows.len(), give_scores(&mut rows, &given));
        if !given.is_empty() {
            tell(format_args!("{}: scores for {found} of {read} texts", path.display()));
        }
        if args.teacher.is_empty() {
            rows.retain(|row| row.scores.is_some());
        }
        texts.extend(draw_texts(rows, &labels, args.rows, settings.seed));
    }
    let data = TrainData {
        weak: Vec::new(),
        annotated: read_rows(&args.data, |path| read_labelled(path, Some(&labels)), &mut tally)?,
        dev: read_rows(std::slice::from_ref(&args.dev), |path| read_labelled(path, Some(&labels)), &mut tally)?,
        labels,
    };
    // A teacher may label for hours.
    settings.check_rows(texts.len(), data.annotated.len())?;
    let student = start(&args, &texts, base)?;
    let with_vectors = settings.vector_weight > 0.0;
    if let ([teacher], true) = (&teachers[..], with_vectors) {
        let (expected, got) = (student.config.hidden, teacher.encoder().config().hidden);
        if expected != got && texts.iter().any(|row| row.scores.is_none()) {
            return Err(TrainError::VectorLength { expected, got }.into());
        }
    }
    if !teachers.is_empty() {
        let unlabelled = texts.iter().filter(|row| row.scores.is_none()).count();
        tell(format_args!("{} teachers label {unlabelled} texts", teachers.len()));
    }
    teach(&mut texts, &teachers.iter().collect::<Vec<_>>(), &data.labels, with_vectors, settings.workers).map_err(
        |error| match error {
            TrainError::Model(error) => model_error(&args.teacher.join(", "), error),
            error => error.into(),
        },
    )?;
    tally.rows += (texts.len() + data.annotated.len()) as u64;
    let role = |name: &Option<String>| name.clone().filter(|name| data.labels.id(name).is_some());
    let target = TrainTarget {
        folder: &args.target.out,
        checkpoint_every: args.checkpoint_every,
        storage: StorageArg::F32.into(),
        settings: Settings {
            name: args.target.name("student"),
            // A base that was not trained here is what it started from, else the teacher whose part it is.
            base: student.settings.base.clone().or_else(|| {
                let base = args.base.first().map(|base| base.display().to_string());
                Some(public_name(base.as_ref().or(args.teacher.first())?))
            }),
            window_tokens: student.settings.window_tokens,
            window_overlap: student.settings.window_overlap,
            spam_label: role(&student.settings.spam_label),
            furniture_label: role(&student.settings.furniture_label),
            ..Settings::default()
        },
    };
    let mut display = Display::new(args.quiet);
    let data = TrainData { weak: texts, ..data };
    let report = train(&student, data, &settings, &target, &mut |progress| display.show(progress))?;
    display.finish();
    summarise(&report, &args.target.out);
    Ok(tally)
}

/// The labels of the student: those of the head that it starts from, else the first teacher's, the built-in ones in their own
/// order.
fn labels(base: Option<&Checkpoint>, teacher: Option<&Classifier>) -> LabelSet {
    // With whether the head reads the encoder's vectors, as a student's does.
    let start = match (base, teacher) {
        (Some(base), _) => base.head.as_ref().map(|head| (&head.labels, head.pooler.is_none())),
        (None, teacher) => teacher.map(|teacher| (teacher.labels(), teacher.settings().pooling == Pooling::Cls)),
    };
    if let Some((labels, true)) = start {
        return labels.clone();
    }
    let built_in = LabelSet::copydesk();
    let labels = teacher.map(Classifier::labels).or(start.map(|(labels, _)| labels));
    labels.filter(|labels| labels.positions_in(&built_in).is_none()).cloned().unwrap_or(built_in)
}

/// The student before its training.
fn start(args: &DistillArgs, texts: &[LabelledRow], base: Option<Checkpoint>) -> Result<Checkpoint, CliError> {
    let teacher = match (base, args.teacher.first()) {
        (Some(base), _) => return Ok(base),
        (None, Some(teacher)) => checkpoint(teacher, Path::new(teacher))?,
        (None, None) => unreachable!("the arguments demand a base or a teacher; this is a bug"),
    };
    let sizes = StudentSettings {
        layers: args.layers,
        intermediate: args.intermediate,
        vocab: args.vocab,
        positions: teacher.settings.window_tokens,
        hidden: args.hidden,
        tokens_per_state: args.tokens_per_state,
    };
    Ok(student(&teacher, texts.iter().map(|row| row.text.as_str()), sizes)?)
}

fn checkpoint(name: &str, folder: &Path) -> Result<Checkpoint, CliError> {
    ModelSource::new(folder).checkpoint().map_err(|error| model_error(name, error))
}

fn model_error(name: &str, error: ModelError) -> CliError {
    CliError::Model { model: name.to_owned(), error }
}
