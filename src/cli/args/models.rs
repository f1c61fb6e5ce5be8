//! Arguments of `copydesk models`.

use clap::Args;

/// Arguments of `copydesk models`.
#[derive(Debug, Args)]
pub struct ModelsArgs {
    /// All figures as one JSON object a line instead of a table
    #[arg(long)]
    pub json: bool,
}
