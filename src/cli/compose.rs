//! `copydesk compose`: rows to train on, made of comments, pages with discussions and annotated rows.

use super::args::ComposeArgs;
use super::error::CliError;
use super::job::Tally;
use super::output::{Output, Target};
use super::tell;
use super::train::read_rows;
use crate::model::ModelSource;
use crate::parallel;
use crate::train::compose::{ComposeData, Settings, compose, read_annotated, read_comments, read_pages};
use crate::train::{TrainError, read_labels};

/// Carries out the arguments.
pub(super) fn run(args: ComposeArgs) -> Result<Tally, CliError> {
    let model_error = |error| CliError::Model { model: args.teacher.clone(), error };
    let teacher = ModelSource::new(&args.teacher).classifier().map_err(model_error)?;
    let mut tally = Tally::default();
    let data = ComposeData {
        comments: read_rows(&args.comments, read_comments, &mut tally)?,
        pages: read_rows(&args.pages, read_pages, &mut tally)?,
        labels: read_rows(&args.labels, read_labels, &mut tally)?.into_iter().collect(),
        threads: read_rows(&args.threads, read_annotated, &mut tally)?,
        rows: read_rows(&args.rows, read_annotated, &mut tally)?,
        without: read_rows(&args.without, read_annotated, &mut tally)?,
        leave_out: args.leave_out.clone(),
    };
    let settings = Settings {
        seed: args.seed,
        spam_per_site: args.spam_per_site,
        ham_per_site: args.ham_per_site,
        quotes: args.quotes,
        tails: args.tails,
        wrapped: args.wrapped,
        threads: parallel::cores(),
    };
    let composed = compose(data, &settings, &teacher).map_err(|error| match error {
        TrainError::Model(error) => model_error(error),
        error => error.into(),
    })?;
    let mut output = Output::open(&Target::new(args.out.clone()))?;
    let mut line = Vec::new();
    for row in &composed.rows {
        line.clear();
        serde_json::to_writer(&mut line, row).expect("a row can be written to memory; this is a bug");
        line.push(b'\n');
        output.write(&line)?;
    }
    output.finish()?;
    for line in composed.table.lines() {
        tell(format_args!("{line}"));
    }
    tally.rows += composed.rows.len() as u64;
    Ok(tally)
}
