//! Arguments of `copydesk models`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Arguments of `copydesk models`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ModelsArgs {
    /// All figures as one JSON object a line instead of a table
    #[arg(long)]
    pub json: bool,

    /// What else to do.
    #[command(subcommand)]
    pub command: Option<ModelsCommand>,
}

/// What `copydesk models` does beside listing what is built in.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// Show what is known of a model: architecture, sizes, labels, tokenizer, and which engine runs it and why
    Show(ShowArgs),
}

/// Arguments of `copydesk models show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The model: an embedded one, a folder, or hf:OWNER/NAME
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,

    /// As one JSON object
    #[arg(long)]
    pub json: bool,
}
