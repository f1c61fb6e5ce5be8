//! Arguments of `copydesk stats`.

use super::LabelledArgs;
use clap::Args;

/// Arguments of `copydesk stats`.
#[derive(Debug, Args)]
pub struct StatsArgs {
    /// Rows.
    #[command(flatten)]
    pub rows: LabelledArgs,

    /// Count rows by the values of this field [default: the file]
    ///
    /// Without it rows are counted by file: the field file, else what doc begins with. A dot leads into an object. The 20 most
    /// frequent values are told; of more than 8,192 different ones the counts may be a little too low, and it is said by how much.
    #[arg(long, value_name = "FIELD")]
    pub by: Option<String>,

    /// Write everything as one JSON object
    #[arg(long)]
    pub json: bool,
}
