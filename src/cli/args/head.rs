//! Arguments of `copydesk head`, and what it shares with `copydesk stats`.

use super::InputArgs;
use clap::Args;
use clap::builder::RangedU64ValueParser;

/// Most rows that a sample may have, for all of them are held in memory.
const SAMPLE_LIMIT: u64 = 1_000_000;

/// What commands on labelled rows read.
#[derive(Debug, Args)]
pub struct LabelledArgs {
    /// Inputs.
    #[command(flatten)]
    pub input: InputArgs,

    /// Take only the rows for which EXPR holds, such as 'confidence > 0.9'
    ///
    /// Compares the fields of a row: label == "opinion" and (scores.other < 0.1 or lang == null). docs/query.md describes the
    /// language.
    #[arg(long = "where", value_name = "EXPR")]
    pub filter: Option<String>,

    /// Take only rows with this label
    #[arg(long, value_name = "NAME")]
    pub label: Option<String>,

    /// No progress bar and no notes; messages about bad input stay
    #[arg(long, short)]
    pub quiet: bool,
}

/// Arguments of `copydesk head`.
#[derive(Debug, Args)]
pub struct HeadArgs {
    /// Rows.
    #[command(flatten)]
    pub rows: LabelledArgs,

    /// Number of rows
    #[arg(long, short = 'n', value_name = "N", default_value_t = 10)]
    pub number: u64,

    /// Show N rows from all over the inputs, each with the same chance, in input order
    #[arg(long, value_name = "N", conflicts_with = "number",
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=SAMPLE_LIMIT))]
    pub sample: Option<usize>,

    /// Which sample; the same seed takes the same rows of the same inputs
    #[arg(long, value_name = "SEED", default_value_t = 1, requires = "sample")]
    pub seed: u64,
}
