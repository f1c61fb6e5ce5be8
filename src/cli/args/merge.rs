//! Arguments of `copydesk merge`.

use clap::Args;
use std::path::PathBuf;

/// Arguments of `copydesk merge`.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The output as it was named with --shard: out/rows.jsonl.gz for out/rows-00003-of-00016.jsonl.gz and the others
    #[arg(value_name = "FILE")]
    pub output: PathBuf,

    /// Take the parts and their manifests away once the whole is there
    #[arg(long)]
    pub remove_parts: bool,

    /// No summary
    #[arg(long, short)]
    pub quiet: bool,
}
