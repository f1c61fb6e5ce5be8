//! `copydesk quantize`: a model's weights as 8-bit integers.

use super::args::{ModelArgs, QuantizeArgs};
use super::error::CliError;
use super::eval::judged;
use super::job::Tally;
use super::output::{Output, Target};
use super::plan;
use crate::eval::{EvalOptions, evaluate};
use crate::model::{Classifier, Model, ModelError, ModelSource, Storage};
use crate::report::QuantizedReport;
use std::path::Path;
use std::sync::Arc;

/// Carries out the arguments.
pub(super) fn run(args: QuantizeArgs) -> Result<Tally, CliError> {
    let QuantizeArgs { model, out, data, text_field, threads, quiet, json } = args;
    let failed = |path: &Path, error: ModelError| CliError::Model { model: path.display().to_string(), error };
    let source = ModelSource::new(&model);
    // What stands there is measured after the new one is written.
    let same = |folder: &Path| folder.canonicalize().ok().is_some_and(|path| out.canonicalize().ok() == Some(path));
    if matches!(&source, ModelSource::Folder(folder) if same(folder)) {
        return Err(CliError::ReadAndWritten { path: out });
    }
    let checkpoint = source.checkpoint().map_err(|error| failed(&model, error))?;
    if checkpoint.head.is_none() {
        return Err(failed(&model, ModelError::MissingHead));
    }
    let bytes_before = source.weight_bytes().map_err(|error| failed(&model, error))?;
    checkpoint.save(&out, Storage::Int8).map_err(|error| failed(&out, error))?;
    // What is measured is what was written.
    let written = ModelSource::Folder(out.clone());
    let bytes_after = written.weight_bytes().map_err(|error| failed(&out, error))?;
    let mut report = QuantizedReport { bytes_before, bytes_after, rows: None, macro_f1: None };
    let mut tally = Tally::default();
    if let Some(data) = data {
        let mut figures = Vec::with_capacity(2);
        for source in [&source, &written] {
            let reading = ModelArgs { model: model.clone(), threads, quiet };
            let reading = plan::labelled(&data, text_field.clone(), &reading)?;
            let classifier: Classifier = source.classifier().map_err(|error| failed(&model, error))?;
            let (rows, counted) = judged(reading, &Arc::new(Model::Single(classifier)))?;
            if rows.is_empty() && counted.failed > 0 {
                return Ok(counted);
            }
            let evaluation = evaluate(&rows, &EvalOptions::default())
                .map_err(|error| CliError::Evaluation { data: data.clone(), error })?;
            report.rows = Some(rows.len() as u64);
            figures.push(evaluation.all.macro_f1.value);
            tally = counted;
        }
        report.macro_f1 = figures.try_into().ok();
    }
    let text = match json {
        true => serde_json::to_string(&report).expect("figures can be written as JSON; this is a bug") + "\n",
        false => report.to_string(),
    };
    let mut output = Output::open(&Target::StandardOutput)?;
    output.write(text.as_bytes())?;
    output.finish()?;
    Ok(tally)
}
