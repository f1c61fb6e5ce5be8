//! Arguments of `copydesk cascade`.

use super::{difference, share};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `copydesk cascade`.
#[derive(Debug, Args)]
pub struct CascadeArgs {
    /// The model that reads every paragraph: a folder, an embedded one, or hf:OWNER/NAME
    #[arg(long, value_name = "DIR|NAME")]
    pub small: PathBuf,

    /// The model that is asked about the rest
    #[arg(long, value_name = "DIR|NAME")]
    pub large: PathBuf,

    /// Held-out labelled rows, at least 50 of at least 10 pages
    #[arg(long, value_name = "FILE")]
    pub calibrate: PathBuf,

    /// Macro-F1 that may be lost to the large model
    ///
    /// The least work for the large model is taken that loses no more, in rows read alone and in rows read on their page.
    #[arg(long, value_name = "D", value_parser = difference, default_value = "0.003")]
    pub within: f64,

    /// Share of the spam found by the large model that the small one may keep to itself
    ///
    /// The large model is asked about every row to which the small one gives a small probability of spam; this share says how
    /// small. Found is what the large model catches at its own spam thresholds. Of other labels, see --ask, it is what the large
    /// model gives a probability of 0.5.
    #[arg(long, value_name = "P", value_parser = difference, default_value = "0.01")]
    pub miss: f64,

    /// Further labels that the small model must not keep to itself
    #[arg(long, value_name = "LABEL")]
    pub ask: Vec<String>,

    /// Further held-out rows for --miss alone, such as comments with an advertisement at their end
    #[arg(long, value_name = "FILE")]
    pub ask_rows: Vec<PathBuf>,

    /// Further held-out rows for the spam thresholds alone: pages with their discussions, say; may be repeated
    #[arg(long, value_name = "FILE")]
    pub comments: Vec<PathBuf>,

    /// Share of genuine comments that the spam threshold may lose
    ///
    /// Counted over the rows labelled opinion, each read alone, or all that are no spam where no label has that name.
    #[arg(long, value_name = "P", value_parser = share, default_value = "0.005")]
    pub lose: f64,

    /// Folder for cascade.json, which gives the cascade its name
    ///
    /// To be used it must stand beside the folders of the two models, under the models' names, unless they are embedded.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    /// All figures as one JSON object on standard output instead of a table on standard error
    #[arg(long)]
    pub json: bool,
}
