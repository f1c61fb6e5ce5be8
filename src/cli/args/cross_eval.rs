//! Arguments of `copydesk cross-eval`.

use clap::Args;
use clap::builder::RangedU64ValueParser;
use std::path::PathBuf;

/// Arguments of `copydesk cross-eval`.
#[derive(Debug, Args)]
pub struct CrossEvalArgs {
    /// Labelled rows, JSON Lines with text, label and source
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,

    /// Model that was trained with --leave-out, a folder or hf:OWNER/NAME; may be repeated
    #[arg(long, value_name = "DIR", required = true)]
    pub model: Vec<PathBuf>,

    /// Read neighbouring rows with the same source and doc as one page
    #[arg(long)]
    pub pages: bool,

    /// Threads
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=1024), default_value = "2")]
    pub threads: usize,

    /// Write one JSON object
    #[arg(long)]
    pub json: bool,
}
