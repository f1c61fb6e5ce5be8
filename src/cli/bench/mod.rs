//! `copydesk bench`: how fast this machine labels, and a line protocol by which others measure us beside themselves.

mod crew;
mod measure;
mod protocol;
mod sample;

pub use sample::sample_texts;

use super::args::{DEFAULT_MODEL, InputArgs, InputFormatArg, MODEL_NAMES};
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
use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Arguments of `copydesk bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Files, folders, or - for standard input [default: texts built in]
    ///
    /// Read as copydesk label reads them: each paragraph is one text.
    #[arg(value_name = "INPUT", conflicts_with = "protocol")]
    pub inputs: Vec<PathBuf>,

    /// Field of a JSON object that holds its text
    #[arg(long, value_name = "NAME", default_value = "text")]
    pub text_field: String,

    /// The model: an embedded one, or a folder
    ///
    /// --protocol measures one network, so auto is none for it.
    #[arg(long, value_name = MODEL_NAMES, default_value = DEFAULT_MODEL)]
    pub model: PathBuf,

    /// Arithmetic of the encoder [default: as the weights are stored]
    ///
    /// Not for auto, whose two models go by what was fitted in theirs.
    #[arg(long, value_enum, value_name = "PRECISION")]
    pub precision: Option<PrecisionArg>,

    /// Number of working threads [default: all cores]
    ///
    /// With --protocol the mode decides.
    #[arg(long, value_name = "N", conflicts_with = "mode",
          value_parser = RangedU64ValueParser::<usize>::new().range(1..=1024))]
    pub threads: Option<usize>,

    /// Paragraphs taken from the inputs, from their beginning
    #[arg(long, value_name = "N", default_value_t = 2000,
          value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    pub limit: usize,

    /// How often everything is measured
    #[arg(long, value_name = "N", default_value_t = 5,
          value_parser = RangedU64ValueParser::<usize>::new().range(1..=1000))]
    pub repeats: usize,

    /// All figures as one JSON object instead of a table
    #[arg(long)]
    pub json: bool,

    /// Write the texts as JSON Lines instead of measuring
    #[arg(long, conflicts_with_all = ["protocol", "json"])]
    pub print_texts: bool,

    /// Wait for requests on standard input, a JSON object a line
    ///
    /// Prints {"ready": NAME}, then for each request such as
    /// {"batch": 32, "order": "sorted", "text": 0, "limit": 4000, "stride": 1, "dump": null}
    /// one line such as {"secs": 1.5, "n": 4000, "tokens": 327543, "padded": 327543}.
    #[arg(long, requires = "workload", requires = "mode", conflicts_with = "json")]
    pub protocol: bool,

    /// Threads of --protocol: 1, or 2 as one stream or as two
    ///
    /// Sequences are spread over threads, never the work on one, so 2 and 2s are the same here.
    #[arg(long, value_enum, value_name = "MODE", requires = "protocol")]
    pub mode: Option<ModeArg>,

    /// Texts of --protocol, JSON Lines
    #[arg(long, value_name = "FILE", requires = "protocol")]
    pub workload: Option<PathBuf>,
}

/// `--precision`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PrecisionArg {
    /// Single precision
    F32,
    /// 8-bit integers
    Int8,
}

/// `--mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModeArg {
    /// One thread
    #[value(name = "1")]
    One,
    /// One stream on two threads
    #[value(name = "2")]
    Two,
    /// Two streams of one thread each
    #[value(name = "2s")]
    TwoStreams,
}

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
        Model::Cascade(cascade) => Err(CliError::OneNetworkOnly { option, got: cascade.name().to_owned() }),
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
