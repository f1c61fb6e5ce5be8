//! Arguments of `copydesk pack`.

use super::share;
use clap::Args;
use std::path::PathBuf;

/// Arguments of `copydesk pack`.
#[derive(Debug, Args)]
pub struct PackArgs {
    /// The trained model, a folder, the name of a built-in one or hf:OWNER/NAME; may be repeated
    ///
    /// Of several, all trained from one base or one from the other, the mean of their weights is packed. Of a pair of models,
    /// such as auto, a new cascade.json is written, with spam thresholds of the held-out rows.
    #[arg(long, value_name = "DIR|NAME", required = true)]
    pub model: Vec<PathBuf>,

    /// Held-out labelled rows for temperature and spam threshold, at least 50 of at least 10 pages
    ///
    /// The temperature is the one with the lowest negative log-likelihood, drawn towards the model's own where rows are few,
    /// and is stored if rows that it was not fitted on are likelier with it; the printed calibration error is cross-fitted over
    /// five folds of pages. A threshold for the share P needs 1 / P genuine comments. Without rows both settings stay as they
    /// are.
    #[arg(long, value_name = "FILE")]
    pub calibrate: Option<PathBuf>,

    /// Further held-out rows for the spam thresholds alone: pages with their discussions, say; may be repeated
    #[arg(long, value_name = "FILE", requires = "calibrate")]
    pub comments: Vec<PathBuf>,

    /// Share of genuine comments that the spam threshold may lose
    ///
    /// Counted over the rows labelled opinion, or all that are no spam where no label has that name. Without a label for spam
    /// there is no threshold.
    #[arg(long, value_name = "P", value_parser = share, default_value = "0.005")]
    pub lose: f64,

    /// Folder to write
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    /// Name stored with the model [default: the first model's]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
}
