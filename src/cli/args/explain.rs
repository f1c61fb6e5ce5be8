//! Arguments of `copydesk explain`.

use super::{ColorArg, InputFormatArg, ModelArgs, RegionArgs};
use clap::Args;
use clap::builder::RangedU64ValueParser;
use std::ffi::OsString;

/// The most words that a row can have.
pub(super) const MOST_WORDS: u64 = 1000;

/// Arguments of `copydesk explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A text, the name of a file, or - for standard input [default: -]
    ///
    /// What is the name of a file is read as copydesk label reads it. All else is a text, if there is a blank in it.
    #[arg(value_name = "TEXT|FILE|-")]
    pub input: Option<OsString>,

    /// How many words are shown of each paragraph
    #[arg(long, short, value_name = "N", default_value_t = 5, value_parser = RangedU64ValueParser::<usize>::new().range(1..=MOST_WORDS))]
    pub words: usize,

    /// A JSON object for each paragraph: its row with words, neighbours and models
    #[arg(long)]
    pub json: bool,

    /// Format of the file [default: by name and content]
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = InputFormatArg::Auto, hide_default_value = true)]
    pub input_format: InputFormatArg,

    /// Field of a JSON object, or column of a table, that holds the text
    #[arg(long, value_name = "NAME", default_value = "text")]
    pub text_field: String,

    /// Regions.
    #[command(flatten)]
    pub region: RegionArgs,

    /// Model.
    #[command(flatten)]
    pub model: ModelArgs,

    /// Colours
    ///
    /// auto colours on a terminal, unless the environment variable NO_COLOR is set. Without colours words are marked by brackets.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = ColorArg::Auto)]
    pub color: ColorArg,
}
