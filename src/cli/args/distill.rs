//! Arguments of `copydesk distill`.

use super::train::TargetArgs;
use crate::train::StudentSettings;
use clap::Args;
use std::path::PathBuf;

/// Arguments of `copydesk distill`.
#[derive(Debug, Args)]
pub struct DistillArgs {
    /// Teacher, a folder, the name of a built-in model or hf:OWNER/NAME; may be repeated
    ///
    /// A model of ours or any BertForSequenceClassification; all teachers and the base have the same labels, in any order.
    /// hf:OWNER/NAME or hf:OWNER/NAME@REVISION is fetched from the Hugging Face hub; this needs a build with the feature hub. The mean of several
    /// teachers' probabilities is learnt.
    #[arg(long, value_name = "TEACHER", required_unless_present = "scores")]
    pub teacher: Vec<String>,

    /// What some other model says of the texts, JSON Lines with key and scores; may be repeated
    ///
    /// The key is FNV-1a of 64 bits, as sixteen hexadecimal digits, over source, a zero byte, doc, a zero byte and text;
    /// scores is a list of probabilities, one for each label in the order of the model: reporting, opinion, comment_spam,
    /// quotation, other, unless teacher or base say otherwise. Texts without scores are labelled by the teachers, or left out
    /// where there are none.
    #[arg(long, value_name = "FILE")]
    pub scores: Vec<PathBuf>,

    /// Model that the student starts from, a folder, the name of a built-in one or hf:OWNER/NAME; may be repeated [default: a part of the first teacher]
    ///
    /// Of several, all trained from one base, it starts from the mean of their weights.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["layers", "intermediate", "hidden", "tokens_per_state", "vocab"],
          required_unless_present = "teacher")]
    pub base: Vec<PathBuf>,

    /// Texts that the teachers label, JSON Lines with text; may be repeated
    ///
    /// Neighbouring rows with the same source and doc are read as one page. A row's own label keeps a share of the target
    /// (source_label_share of the settings). Rows that have scores already, as copydesk label --unit record writes them,
    /// keep those. Names ending in .gz, .zst, .bz2 or .xz are decompressed.
    #[arg(long, value_name = "FILE", required = true)]
    pub texts: Vec<PathBuf>,

    /// Texts drawn from each of these files, 0 for all
    ///
    /// Labelled texts evenly over labels and sources, others in whole runs of neighbours at random.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub rows: usize,

    /// Annotated rows for a second stage; may be repeated
    #[arg(long, value_name = "FILE")]
    pub data: Vec<PathBuf>,

    /// Rows that choose the best epoch; never trained on
    #[arg(long, value_name = "FILE")]
    pub dev: PathBuf,

    /// Layers of the student
    #[arg(long, value_name = "N", default_value_t = StudentSettings::default().layers)]
    pub layers: usize,

    /// Width of its feed-forward part
    #[arg(long, value_name = "N", default_value_t = StudentSettings::default().intermediate)]
    pub intermediate: usize,

    /// Values in its hidden states, a multiple of the teacher's head width [default: the teacher's]
    ///
    /// A narrower student keeps the axes on which the teacher's hidden states of the texts are largest, and the strongest heads.
    #[arg(long, value_name = "N")]
    pub hidden: Option<usize>,

    /// Neighbouring tokens that share a hidden state [default: as many as of the teacher's, 1 for base and fast]
    ///
    /// With 2, the encoder has half the work, and does not see which of the two comes first.
    #[arg(long, value_name = "N")]
    pub tokens_per_state: Option<usize>,

    /// Entries of its vocabulary
    #[arg(long, value_name = "N", default_value_t = StudentSettings::default().vocab)]
    pub vocab: usize,

    /// Where the model goes.
    #[command(flatten)]
    pub target: TargetArgs,

    /// Training settings, a JSON object like the one in training.json; may be repeated
    ///
    /// Of a field that several files give, the last counts.
    #[arg(long, value_name = "FILE")]
    pub settings: Vec<PathBuf>,

    /// Steps between checkpoints, 0 for none
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub checkpoint_every: usize,

    /// No progress bar
    #[arg(long, short)]
    pub quiet: bool,
}
