//! Arguments of `copydesk filter`.

use super::{InputArgs, ModelArgs, RunArgs, probability};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `copydesk filter`.
#[derive(Debug, Args)]
pub struct FilterArgs {
    /// Inputs.
    #[command(flatten)]
    pub input: InputArgs,

    /// Model.
    #[command(flatten)]
    pub model: ModelArgs,

    /// Spam if the score of the spam label is at least P, 0 to 1
    ///
    /// The default is stored with the model. A higher threshold loses fewer genuine comments and lets more spam pass.
    #[arg(long, value_name = "P", value_parser = probability)]
    pub threshold: Option<f32>,

    /// Take the model's threshold that loses at most this share of genuine comments, such as 0.001
    ///
    /// The shares are those that the model was packed with, measured on held-out rows; a share that it does not have is
    /// refused with a list of those that it has.
    #[arg(long, value_name = "P", conflicts_with = "threshold")]
    pub lose: Option<f64>,

    /// Write genuine comments to FILE [default: -]
    #[arg(long, value_name = "FILE")]
    pub ham: Option<PathBuf>,

    /// Write spam to FILE [default: spam is dropped]
    #[arg(long, value_name = "FILE")]
    pub spam: Option<PathBuf>,

    /// Long runs.
    #[command(flatten)]
    pub run: RunArgs,

    /// Exit with 3 if there was spam
    ///
    /// Only if all went well otherwise: errors have their own status.
    #[arg(long)]
    pub exit_code: bool,
}
