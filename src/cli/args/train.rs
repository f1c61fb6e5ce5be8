//! Arguments of `copydesk train`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Arguments of `copydesk train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Annotated rows, JSON Lines with text and label; may be repeated
    ///
    /// A field confidence (3 sure, 2 leaning, 1 a coin toss) weighs a row, source and doc name its origin; other fields
    /// are ignored. Names ending in .gz, .zst, .bz2 or .xz are decompressed.
    #[arg(long, value_name = "FILE", required = true)]
    pub data: Vec<PathBuf>,

    /// Weakly labelled rows for a first stage; may be repeated
    ///
    /// As the annotated rows; where a row has scores, as copydesk label --unit record writes them, they count instead of
    /// the label.
    #[arg(long, value_name = "FILE")]
    pub weak: Vec<PathBuf>,

    /// Rows that choose the best epoch; never trained on
    #[arg(long, value_name = "FILE")]
    pub dev: PathBuf,

    /// Labels in the order of the model's outputs, separated by commas [default: those of the annotated rows]
    ///
    /// Rows with other labels are set aside. By default the labels are the built-in five if no annotated row has another
    /// one, else the names that the annotated rows have, sorted; with --keep-head they are the base's.
    #[arg(long, value_name = "NAME", value_delimiter = ',', conflicts_with = "keep_head")]
    pub labels: Vec<String>,

    /// Label that copydesk filter looks for [default: comment_spam, if there is such a label]
    #[arg(long, value_name = "NAME")]
    pub spam_label: Option<String>,

    /// Label of page furniture, which copydesk label --no-other leaves out [default: other, if there is such a label]
    #[arg(long, value_name = "NAME")]
    pub furniture_label: Option<String>,

    /// Sources whose rows are not trained on, separated by commas
    ///
    /// The model remembers them, and copydesk cross-eval judges it on them: those that a base trained here left out as well.
    /// Each must have a row.
    #[arg(long, value_name = "SOURCE", value_delimiter = ',')]
    pub leave_out: Vec<String>,

    /// Model to start from: a folder, the name of a built-in model, or hf:OWNER/NAME
    ///
    /// A folder holds config.json, tokenizer.json and model.safetensors of a BERT encoder; a head in it is left aside.
    /// hf:OWNER/NAME or hf:OWNER/NAME@REVISION is fetched from the Hugging Face hub; this needs a build with the feature hub. May be repeated with
    /// --keep-head: of several models, all trained from one base with one seed, it starts from the mean of their weights.
    #[arg(long, value_name = "BASE", required = true)]
    pub base: Vec<String>,

    /// Start from the base's own head and page network, not from new ones: go on with a trained model
    #[arg(long)]
    pub keep_head: bool,

    /// Where the model goes.
    #[command(flatten)]
    pub target: TargetArgs,

    /// Name under which the model tells its base [default: the repository on the hub with its commit, or the folder's name]
    ///
    /// A base that was trained here passes on its own.
    #[arg(long, value_name = "NAME")]
    pub base_name: Option<String>,

    /// Settings, a JSON object like the one in training.json; may be repeated
    ///
    /// Of a field that several files give, the last counts. Fields left out keep their defaults; --epochs, --weak-rows and
    /// --seed win over the files.
    #[arg(long, value_name = "FILE")]
    pub settings: Vec<PathBuf>,

    /// Passes over the annotated rows [default: 3]
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,

    /// Rows drawn from the weak data, 0 for all [default: 20000]
    #[arg(long, value_name = "N")]
    pub weak_rows: Option<usize>,

    /// Seed of row order, dropout and head [default: 1]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Steps between checkpoints, 0 for none
    #[arg(long, value_name = "N", default_value_t = 400)]
    pub checkpoint_every: usize,

    /// How weights are stored
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = StorageArg::F32)]
    pub storage: StorageArg,

    /// No progress bar
    #[arg(long, short)]
    pub quiet: bool,
}

/// Where a trained model goes, and under which name.
#[derive(Debug, Args)]
pub struct TargetArgs {
    /// Folder for the model, training.json and the checkpoint
    ///
    /// If it holds the checkpoint of a run with the same settings and data, that run goes on.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    /// Name stored with the model [default: the folder's name]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
}

/// `--storage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StorageArg {
    /// Single precision, what other programs read
    F32,
    /// 8-bit integers with one scale per row, a quarter of the size
    Int8,
}
