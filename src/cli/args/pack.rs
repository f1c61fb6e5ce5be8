//! Arguments of `copydesk pack`.

use clap::Args;
use std::path::PathBuf;

/// Arguments of `copydesk pack`.
#[derive(Debug, Args)]
pub struct PackArgs {
    /// Folder of the trained model; may be repeated
    ///
    /// Of several, all trained from one base or one from the other, the mean of their weights is packed.
    #[arg(long, value_name = "DIR", required = true)]
    pub model: Vec<PathBuf>,

    /// Held-out labelled rows for temperature and spam threshold
    ///
    /// The temperature is the one with the lowest negative log-likelihood; the printed calibration error is
    /// cross-fitted over five folds of documents. Without rows both settings stay as they are.
    #[arg(long, value_name = "FILE")]
    pub calibrate: Option<PathBuf>,

    /// Share of genuine comments that the spam threshold may lose
    ///
    /// Counted over the rows labelled opinion, or all that are no spam where no label has that name. Without a label for spam
    /// there is no threshold.
    #[arg(long, value_name = "P", default_value_t = 0.005)]
    pub lose: f64,

    /// Folder to write
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    /// Name stored with the model [default: the first model's]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
}
