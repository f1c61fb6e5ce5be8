//! Arguments of `copydesk train-content`.

use clap::Args;
use std::path::PathBuf;

/// Arguments of `copydesk train-content`.
#[derive(Debug, Args)]
pub struct TrainContentArgs {
    /// Pages, JSON Lines with url, page_type, html and main_content; may be repeated
    ///
    /// Names ending in .gz, .zst, .bz2 or .xz are decompressed. Pages of one site are never on both sides of a fold.
    #[arg(long, value_name = "FILE", required = true)]
    pub data: Vec<PathBuf>,

    /// Settings, a JSON object like models/content/settings.json; what it leaves out has its default
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,

    /// Folder for model.safetensors and training.json
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}
