//! Arguments of `copydesk content`.

use super::InputArgs;
use clap::Args;
use std::path::PathBuf;

/// Arguments of `copydesk content`.
#[derive(Debug, Args)]
pub struct ContentArgs {
    /// Inputs.
    #[command(flatten)]
    pub input: InputArgs,

    /// Write the text alone, not as JSON; a blank line between two blocks, and between two pages
    #[arg(long)]
    pub plain: bool,

    /// Write to FILE, which appears once all is done [default: -]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Show neither progress nor summary
    #[arg(long, short)]
    pub quiet: bool,
}
