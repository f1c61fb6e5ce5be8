//! Arguments of `copydesk bench`.

use super::{DEFAULT_MODEL, MODEL_NAMES};
use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

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

    /// The model: an embedded one, a folder, or hf:OWNER/NAME
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
