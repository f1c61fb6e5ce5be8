//! `copydesk bench`: how fast this machine labels, and a line protocol by which others measure us beside themselves.

mod crew;
mod measure;
mod protocol;
mod sample;

pub use sample::sample_texts;

use super::args::{BenchArgs, InputArgs, InputFormatArg, ModeArg, PrecisionArg};
use super::error::CliError;
use super::job::Tally;
use super::plan;
use super::tell;
use crate::corpus::{Chunk, ChunkReader, InputError, Item, RecordLine, Unit};
use crate::engine::Precision;
use crate::model::{Cascade, Classifier, EMBEDDED_CASCADE, Model, ModelSource};
use crate::parallel;
use crate::pipeline::ParsedRecord;
use crate::text::split;
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl ModeArg {
    fn threads(self) -> usize {
        match self {
            ModeArg::One => 1,
            ModeArg::Two | ModeArg::TwoStreams => 2,
        }
    }
}

/// Everything decided, before any work is done.
struct Plan {
    model: Arc<Model>,
    threads: usize,
    work: Work,
}

enum Work {
    Protocol { texts: Vec<String> },
    PrintTexts { texts: Texts },
    Measure { texts: Texts, repeats: usize, json: bool },
}

/// Texts to measure with.
struct Texts {
    list: Vec<String>,
    /// Inputs that could not be read, each told when it was met.
    failed: u64,
}

/// Carries out the arguments.
pub(super) fn run(args: BenchArgs) -> Result<Tally, CliError> {
    let Plan { model, threads, work } = plan(args)?;
    match work {
        Work::Protocol { texts } => protocol::serve(one_network(&model, "--protocol")?, threads, &texts),
        Work::PrintTexts { texts } => sample::print(&texts),
        Work::Measure { texts, repeats, json } => measure::run(&model, threads, &texts, repeats, json),
    }
}

fn plan(args: BenchArgs) -> Result<Plan, CliError> {
    let threads = args.mode.map(ModeArg::threads).or(args.threads).unwrap_or_else(parallel::cores);
    let work = match args.workload {
        Some(path) => Work::Protocol { texts: workload(path, &args.text_field)? },
        None => {
            let texts = texts(args.inputs, &args.text_field, args.limit)?;
            match args.print_texts {
                true => Work::PrintTexts { texts },
                false => Work::Measure { texts, repeats: args.repeats, json: args.json },
            }
        }
    };
    Ok(Plan { model: model(&args.model, args.precision)?, threads, work })
}

fn model(name: &Path, precision: Option<PrecisionArg>) -> Result<Arc<Model>, CliError> {
    let precision = match precision {
        None => return plan::open(name),
        Some(PrecisionArg::F32) => Precision::F32,
        Some(PrecisionArg::Int8) => Precision::Int8,
    };
    if name == Path::new(EMBEDDED_CASCADE) || Cascade::is_in(name) {
        return Err(CliError::OneNetworkOnly { option: "--precision", got: name.display().to_string() });
    }
    ModelSource::new(name)
        .checkpoint()
        .and_then(|checkpoint| Classifier::from_checkpoint(checkpoint, precision))
        .map(|classifier| Arc::new(Model::Single(classifier)))
        .map_err(|error| CliError::Model { model: name.display().to_string(), error })
}

/// The only network of a model.
fn one_network<'model>(model: &'model Model, option: &'static str) -> Result<&'model Classifier, CliError> {
    match model {
        Model::Single(classifier) => Ok(classifier),
        Model::Cascade(_) | Model::Silent(_) => Err(CliError::OneNetworkOnly { option, got: model.name().to_owned() }),
    }
}

/// The first `limit` paragraphs of the inputs, as the model sees them.
fn texts(inputs: Vec<PathBuf>, text_field: &str, limit: usize) -> Result<Texts, CliError> {
    if inputs.is_empty() {
        let mut list = sample_texts();
        list.truncate(limit);
        return Ok(Texts { list, failed: 0 });
    }
    let input = InputArgs::new(inputs, InputFormatArg::Auto, text_field.to_owned());
    let (sources, options) = plan::sources(&input, Unit::Paragraph)?;
    let mut texts = Texts { list: Vec::new(), failed: 0 };
    for chunk in ChunkReader::new(sources, options) {
        let failures = push_paragraphs(&chunk, text_field, &mut texts.list);
        failures.iter().for_each(|failure| tell(format_args!("{failure}")));
        texts.failed += failures.len() as u64;
        if texts.list.len() >= limit {
            break;
        }
    }
    texts.list.truncate(limit);
    if texts.list.is_empty() { Err(CliError::NothingToMeasure) } else { Ok(texts) }
}

/// Adds a chunk's paragraphs and gives back what could not be read.
fn push_paragraphs(chunk: &Chunk, text_field: &str, list: &mut Vec<String>) -> Vec<String> {
    let mut failures = Vec::new();
    for item in &chunk.items {
        match item {
            Item::Failed(failure) => failures.push(failure.to_string()),
            Item::Passage(passage) => {
                list.extend((0..passage.paragraphs.len()).map(|index| passage.model_text(index).into_owned()));
            }
            Item::Record(line) => match ParsedRecord::parse(line, text_field) {
                Ok(record) => list.extend(split(&record.text).into_iter().map(|paragraph| paragraph.text.into_owned())),
                Err(no_text) => failures.push(record_failure(line, no_text.error)),
            },
        }
    }
    failures
}

/// The records' texts as they stand. A workload with a bad line is refused: without it, every later text would be
/// another one to us than to those we are compared with.
fn workload(path: PathBuf, text_field: &str) -> Result<Vec<String>, CliError> {
    let input = InputArgs::new(vec![path], InputFormatArg::Jsonl, text_field.to_owned());
    let (sources, options) = plan::sources(&input, Unit::Record)?;
    let mut texts = Vec::new();
    for chunk in ChunkReader::new(sources, options) {
        for item in &chunk.items {
            let text = match item {
                Item::Failed(failure) => Err(failure.to_string()),
                Item::Record(line) => ParsedRecord::parse(line, text_field)
                    .map(|record| record.text.into_owned())
                    .map_err(|no_text| record_failure(line, no_text.error)),
                Item::Passage(_) => unreachable!("sources are read as records; this is a bug"),
            };
            texts.push(text.map_err(|failure| CliError::Workload { failure })?);
        }
    }
    if texts.is_empty() { Err(CliError::NothingToMeasure) } else { Ok(texts) }
}

fn record_failure(line: &RecordLine, error: InputError) -> String {
    line.failed(error).to_string()
}
