//! Arguments of long runs.

use crate::corpus::Shard;
use clap::Args;
use clap::builder::RangedU64ValueParser;
use std::path::PathBuf;
use std::str::FromStr;

/// How a long run goes on after an interruption, and what it tells of itself.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Long runs")]
pub struct RunArgs {
    /// Go on with an unfinished run of the same output, to the same bytes
    ///
    /// Where there is none, the run begins; where the manifest says that it is finished, nothing is done. So a script can give
    /// it in any case. A changed input, model, option or version is refused. Every output that is a file can be gone on with, if
    /// the inputs are files too.
    #[arg(long)]
    pub resume: bool,

    /// Drop an unfinished run of the same output and begin again
    #[arg(long, conflicts_with = "resume")]
    pub restart: bool,

    /// Seconds between checkpoints: so much work is lost at most
    #[arg(long, value_name = "S", default_value_t = 10, hide_short_help = true)]
    pub checkpoint_seconds: u64,

    /// Write what the run read, wrote and counted to FILE.run.json beside the output
    ///
    /// With --resume, --shard, --output-dir and --attributes it is written in any case: it tells that all is done.
    #[arg(long)]
    pub manifest: bool,

    /// Add the SHA-256 of each input file to the manifest
    #[arg(long, hide_short_help = true)]
    pub hash_inputs: bool,

    /// Stop with exit status 2 once more than N records or files were set aside
    #[arg(long, value_name = "N")]
    pub max_errors: Option<u64>,
}

/// Which part of the work.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Long runs")]
pub struct PartArgs {
    /// Do part I of N, I from 0; the same parts on every machine
    ///
    /// Files are divided by their bytes in their order; JSON Lines, Parquet files and .warc.gz are divided inside too. The output's name
    /// gets -0000I-of-0000N before its extension. copydesk merge joins the parts.
    #[arg(long, value_name = "I/N", value_parser = shard)]
    pub shard: Option<Shard>,

    /// Read only the first N documents or records
    #[arg(long, value_name = "N", conflicts_with = "sample", value_parser = RangedU64ValueParser::<u64>::new().range(1..))]
    pub limit: Option<u64>,

    /// Read only N documents or records, drawn at random from all; inputs are read twice
    #[arg(long, value_name = "N")]
    pub sample: Option<u64>,

    /// What the draw of --sample depends on
    #[arg(long, value_name = "N", default_value_t = 0, hide_short_help = true)]
    pub seed: u64,

    /// Read everything, count it, and write nothing; no model is asked
    #[arg(long)]
    pub dry_run: bool,
}

/// Where the rows of each input go, and what they look like.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Outputs")]
pub struct OutputArgs {
    /// Write one output for each input, under the same name below DIR
    ///
    /// The name of an input that is of another format than the rows gets their extension.
    #[arg(long, value_name = "DIR", conflicts_with = "output")]
    pub output_dir: Option<PathBuf>,

    /// Write the labels as attributes NAME of documents, in the layout of Dolma
    ///
    /// documents/… gives attributes/NAME/…, below --output-dir if that is given. One row for each document, in the order of
    /// the input: its id, and for each label the spans [start, end, score] of its paragraphs, in code points.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["output", "split_by"])]
    pub attributes: Option<String>,

    /// Write the rows of each label to a file of their own: rows.opinion.jsonl for rows.jsonl
    #[arg(long, value_name = "FIELD", value_parser = ["label"], requires = "output")]
    pub split_by: Option<String>,

    /// Keep fields of the input record in paragraph rows: all, or names with commas
    ///
    /// A field that is called like one of the row is renamed: input_label and so on. Fields of more than 64 KiB together
    /// are left out of the rows of their record, and that is told. Rows of --unit record have all fields anyway.
    #[arg(long, value_name = "all|NAMES")]
    pub keep_fields: Option<KeepFields>,

    /// What start and end count
    #[arg(long, value_enum, value_name = "UNIT", default_value_t = OffsetsArg::Bytes)]
    pub offsets: OffsetsArg,
}

/// `--offsets`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum OffsetsArg {
    /// Bytes of UTF-8
    #[default]
    Bytes,
    /// Unicode code points
    Chars,
}

/// `--keep-fields`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeepFields {
    /// All but the text.
    All,
    /// Those of these names.
    Named(Vec<String>),
}

impl FromStr for KeepFields {
    type Err = String;

    fn from_str(text: &str) -> Result<KeepFields, String> {
        if text == "all" {
            return Ok(KeepFields::All);
        }
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        match names.iter().any(String::is_empty) {
            true => Err("expected all, or names with commas between them".to_owned()),
            false => Ok(KeepFields::Named(names)),
        }
    }
}

fn shard(text: &str) -> Result<Shard, String> {
    let parsed = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
    match parsed {
        Some((index, of)) if index < of && of <= MOST_SHARDS => Ok(Shard { index, of }),
        _ => Err(format!("expected I/N, I from 0 to N - 1, N at most {MOST_SHARDS}: 0/16")),
    }
}

/// Their numbers have five digits in names of files.
const MOST_SHARDS: u64 = 99_999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_and_fields_are_read() {
        assert_eq!(shard("3/16"), Ok(Shard { index: 3, of: 16 }));
        for wrong in ["16/16", "1", "-1/4", "0/0", "0/100000", "a/b"] {
            assert!(shard(wrong).is_err(), "{wrong}");
        }
        assert_eq!("all".parse(), Ok(KeepFields::All));
        assert_eq!("a, b".parse(), Ok(KeepFields::Named(vec!["a".to_owned(), "b".to_owned()])));
        assert!("a,,b".parse::<KeepFields>().is_err());
    }
}
