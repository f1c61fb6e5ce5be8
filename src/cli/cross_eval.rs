//! `copydesk cross-eval`: models against the sources that each was trained without.

use super::args::CrossEvalArgs;
use super::calibration::gold;
use super::error::CliError;
use super::eval::write_report;
use super::job::Tally;
use super::tell;
use super::train::{left_out_of, read_rows};
use crate::eval::{EvalOptions, JudgedRow, evaluate};
use crate::label::{LabelId, LabelSet};
use crate::model::{Classifier, ModelError, ModelSource};
use crate::train::{LabelledRow, TrainError, read_labelled, teach};
use std::path::{Path, PathBuf};

/// Carries out the arguments.
pub(super) fn run(args: CrossEvalArgs) -> Result<Tally, CliError> {
    let mut tally = Tally::default();
    let failed = |folder: &Path, error: ModelError| CliError::Model { model: folder.display().to_string(), error };
    let open = |folder: &PathBuf| ModelSource::new(folder).classifier().map_err(|error| failed(folder, error));
    let classifiers = args.model.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let labels = classifiers.first().map_or_else(LabelSet::copydesk, |classifier| classifier.labels().clone());
    let spam_label = classifiers.first().and_then(|classifier| classifier.roles().spam);
    let mut rows = read_rows(std::slice::from_ref(&args.data), |path| read_labelled(path, Some(&labels)), &mut tally)?;
    let mut judged = Vec::new();
    for (folder, classifier) in args.model.iter().zip(&classifiers) {
        let left_out = left_out(classifier, folder)?;
        let is_unseen = |row: &mut LabelledRow| {
            row.source.as_ref().is_some_and(|source| left_out.iter().any(|name| name == source))
        };
        let unseen: Vec<LabelledRow> = rows.extract_if(.., is_unseen).collect();
        tell(format_args!("{}: {} rows of {} sources", folder.display(), unseen.len(), left_out.len()));
        judged.extend(judge(unseen, classifier, &labels, &args).map_err(|error| match error {
            TrainError::Model(error) => failed(folder, error),
            error => error.into(),
        })?);
    }
    judged.iter().for_each(|row| tally.count(Some(row.scores.best().0)));
    let evaluation = evaluate(&judged, &EvalOptions { spam_label, ..EvalOptions::default() })
        .map_err(|error| CliError::Evaluation { data: args.data.clone(), error })?;
    write_report(&evaluation, &[], &[], &[], spam_label, args.json)?;
    Ok(tally)
}

/// The sources that a model's folder says it was trained without.
fn left_out(classifier: &Classifier, folder: &Path) -> Result<Vec<String>, CliError> {
    let names = left_out_of(classifier.settings());
    if names.is_empty() { Err(CliError::NothingLeftOut { model: folder.to_owned() }) } else { Ok(names) }
}

/// The rows with what the model says of them. Their own labels are the gold; scores that they bring are not asked.
fn judge(
    mut rows: Vec<LabelledRow>,
    classifier: &Classifier,
    labels: &LabelSet,
    args: &CrossEvalArgs,
) -> Result<Vec<JudgedRow>, TrainError> {
    let gold: Vec<LabelId> = gold(&rows, labels);
    let docs: Vec<Option<String>> =
        rows.iter_mut().map(|row| if args.pages { row.doc.clone() } else { row.doc.take() }).collect();
    teach(&mut rows, &[classifier], labels, false, args.threads)?;
    let judged = rows.into_iter().zip(gold).zip(docs).filter_map(|((row, gold), doc)| {
        Some(JudgedRow { gold, scores: row.scores?, confidence: row.confidence, source: row.source, doc })
    });
    Ok(judged.collect())
}
