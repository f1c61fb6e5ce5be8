//! Arguments of `copydesk train-comments`.

use clap::Args;
use std::path::PathBuf;

/// Arguments of `copydesk train-comments`.
#[derive(Debug, Args)]
pub struct TrainCommentsArgs {
    /// Comments with their sites' decisions and a text model's scores; may be repeated, a file for each text model
    ///
    /// JSON Lines with site, gold (spam or ham), text, scores, and what else is known: html, author, author_url, email_domain,
    /// page_title. The scores are of a model that never saw the site. The first file's model is the one that will be used.
    #[arg(long, value_name = "FILE", required = true)]
    pub data: Vec<PathBuf>,

    /// Settings of the trees, a JSON object like models/comments/settings.json; what it leaves out has its default
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,

    /// Folder for model.safetensors and training.json
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}
