//! Arguments of `copydesk quantize`.

use clap::Args;
use clap::builder::RangedU64ValueParser;
use std::path::PathBuf;

/// Arguments of `copydesk quantize`.
#[derive(Debug, Args)]
pub struct QuantizeArgs {
    /// The model, a folder, the name of a built-in one or hf:OWNER/NAME
    #[arg(long, value_name = "DIR|NAME")]
    pub model: PathBuf,

    /// Folder to write
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    /// Labelled rows to measure the model with before and after, JSON Lines
    ///
    /// Each with the fields text and label; labels are those of the model.
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,

    /// Field of the rows that holds the text
    #[arg(long, value_name = "NAME", default_value = "text", requires = "data")]
    pub text_field: String,

    /// Number of working threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=1024))]
    pub threads: Option<usize>,

    /// No progress bar; messages about bad rows stay
    #[arg(long, short)]
    pub quiet: bool,

    /// What is told as one JSON object
    #[arg(long)]
    pub json: bool,
}
