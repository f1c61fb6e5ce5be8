//! Arguments of `copydesk eval`.

use super::{ModelArgs, RegionArgs};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `copydesk eval`.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// Labelled data, JSON Lines; - is standard input
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,

    /// Field that holds the text
    #[arg(long, value_name = "NAME", default_value = "text")]
    pub text_field: String,

    /// Field that names a record's page: neighbouring records with the same value are read together
    ///
    /// A heading, a teaser or a pasted quotation is known by where it stands. Without it each record is read alone. A
    /// page of more than 256 records is cut after every 256.
    #[arg(long, value_name = "NAME")]
    pub page_field: Option<String>,

    /// Regions.
    #[command(flatten)]
    pub region: RegionArgs,

    /// Also show the accuracy for each value of this field of the rows; may be given several times
    ///
    /// Such as --by kind --by source. A value is a string, a number, true or false; rows without one are one group.
    #[arg(long, value_name = "NAME")]
    pub by: Vec<String>,

    /// Model.
    #[command(flatten)]
    pub model: ModelArgs,

    /// Also label noisy copies of the texts and show what each kind of noise costs
    ///
    /// Curly quotes, lower case, HTML entities, list numbers, emoji, look-alike letters and so on; takes eleven times as
    /// long. Which letters change follows from the row's text and line number.
    #[arg(long)]
    pub robustness: bool,

    /// Also delete the three words that each label rests on and show how often it changes
    ///
    /// Beside three random words, and the words that two other ways choose. Takes some hundred times as long.
    #[arg(long)]
    pub explain: bool,

    /// All figures as one JSON object instead of tables
    #[arg(long)]
    pub json: bool,
}
