//! Arguments of `copydesk join`.

use clap::Args;
use std::path::PathBuf;

/// Arguments of `copydesk join`.
#[derive(Debug, Args)]
pub struct JoinArgs {
    /// Labels, JSON Lines with key, label and confidence; may be repeated
    ///
    /// The key is FNV-1a of 64 bits, as sixteen hexadecimal digits, over source, a zero byte, doc, a zero byte and text.
    #[arg(long, value_name = "FILE", required = true)]
    pub labels: Vec<PathBuf>,

    /// Texts, JSON Lines with text and, if they have them, source and doc; may be repeated
    ///
    /// Names ending in .gz, .zst, .bz2 or .xz are decompressed.
    #[arg(long, value_name = "FILE", required = true)]
    pub texts: Vec<PathBuf>,

    /// Where the labelled rows go, JSON Lines for copydesk train, in the order of the texts [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}
