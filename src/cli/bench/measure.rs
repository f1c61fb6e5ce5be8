//! Measures tokenising and encoding of the user's texts on the user's machine.

use super::Texts;
use super::crew::{Crew, micro_batches};
use crate::cli::error::CliError;
use crate::cli::job::Tally;
use crate::cli::output::{Output, Target};
use crate::engine::{InstructionSet, Precision, ceiling};
use crate::model::{Answer, Model, ModelError};
use crate::report::{BenchReport, BenchRun};
use std::time::{Duration, Instant};

/// How long the ceiling is looked for: long enough to find a stretch in which nothing else ran.
const CEILING_TIME: Duration = Duration::from_millis(400);

/// Measures `repeats` times and tells the figures.
pub(super) fn run(model: &Model, threads: usize, texts: &Texts, repeats: usize, json: bool) -> Result<Tally, CliError> {
    let isa = model.first().encoder().isa();
    let int8_ceiling = int8_ceiling(isa, threads);
    let (report, answers) = measure(model, threads, &texts.list, repeats)
        .and_then(|(runs, answers)| Ok((BenchReport::new(model, threads, int8_ceiling, &answers, &runs)?, answers)))
        .map_err(|error| CliError::Model { model: model.name().to_owned(), error })?;
    let mut output = Output::open(&Target::StandardOutput)?;
    match json {
        true => {
            let object = serde_json::to_string(&report).expect("figures can be written as JSON; this is a bug");
            output.write(format!("{object}\n").as_bytes())?;
        }
        false => output.write(report.to_string().as_bytes())?,
    }
    let mut tally = Tally { failed: texts.failed, ..Tally::default() };
    answers.iter().for_each(|answer| tally.count(Some(answer.prediction.scores.best().0)));
    Ok(tally)
}

/// Operations per second of all threads at once: cores that share a clock or a power budget are slower together.
fn int8_ceiling(isa: InstructionSet, threads: usize) -> f64 {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|_| scope.spawn(move || ceiling::operations_per_second(isa, Precision::Int8, CEILING_TIME)))
            .collect();
        let rates = threads.into_iter().map(|thread| thread.join().expect("measuring does not panic; this is a bug"));
        rates.map(|rate| rate.expect("the model runs on this instruction set; this is a bug")).sum()
    })
}

fn measure(
    model: &Model,
    threads: usize,
    texts: &[String],
    repeats: usize,
) -> Result<(Vec<BenchRun>, Vec<Answer>), ModelError> {
    let mut crew = Crew::of_model(model, threads);
    let mut pass = || {
        let start = Instant::now();
        let ids = crew.tokenise(texts)?;
        let tokenised = Instant::now();
        let answers = crew.answers(texts, micro_batches(ids.iter().map(Vec::as_slice)))?;
        let run = BenchRun { tokenising: tokenised - start, encoding: tokenised.elapsed() };
        Ok((run, answers))
    };
    // The first pass grows buffers and fills caches, and is not counted.
    let (_, answers) = pass()?;
    let runs = (0..repeats).map(|_| pass().map(|(run, _)| run)).collect::<Result<_, ModelError>>()?;
    Ok((runs, answers))
}
