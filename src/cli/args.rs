//! Arguments as they are typed: data only, nothing is looked up.

use crate::corpus::Encoding;
use clap::builder::RangedU64ValueParser;
use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

pub(super) use crate::pipeline::DEFAULT_MODEL;

/// What `--model` takes.
pub const MODEL_NAMES: &str = "base|fast|auto|DIR";

/// Tells, for every paragraph of a text, what it is doing there
///
/// Each paragraph is one of: reporting, opinion, comment_spam, quotation, other.
///
/// Exit status: 0 if all went well, 1 if some records or files could not be used (each with a message on standard
/// error; all others are in the output), 2 if nothing could be done.
#[derive(Debug, Parser)]
#[command(name = "copydesk", version, max_term_width = 79, arg_required_else_help = true)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Label every paragraph or record of the inputs
    ///
    /// Rows come out in input order and are the same bytes whatever the number of threads.
    ///
    /// A JSON Lines row per paragraph has doc, paragraph, start, end (UTF-8 byte offsets), label, confidence, scores,
    /// tokens, windows. With --unit record a row is the input object with label, confidence, scores, tokens and
    /// windows added; an input field with one of these names is kept as input_label and so on.
    Label(LabelArgs),
    /// Separate genuine comments from spam
    ///
    /// Every JSON object or every line of text that is not blank is one comment. Genuine comments go to standard
    /// output, or to --ham; spam goes to --spam, and is only counted without it. JSON objects get the fields label,
    /// confidence, scores, tokens and windows added, lines of text stay as they are.
    Filter(FilterArgs),
    /// Measure the model on labelled data
    ///
    /// Reads JSON Lines with the fields text and label, and where there are: confidence (3 for sure), source and doc.
    /// Rows that cannot be used, such as those with an unknown label, are told, counted and left out.
    Eval(EvalArgs),
    /// Measure how fast this machine labels
    ///
    /// Measures the int8 ceiling of the machine, then tokenises and encodes the paragraphs of the inputs several times
    /// over and tells paragraphs and tokens per second, which part of the time each step took, and which part of the
    /// ceiling the encoder reached. Without inputs it takes texts of its own, as long as those of real pages.
    #[command(override_usage = "copydesk bench [OPTIONS] [INPUT]...
       copydesk bench --protocol --mode <1|2|2s> --workload <FILE> [OPTIONS]")]
    Bench(super::bench::BenchArgs),
    /// List the models that are built in
    ///
    /// Sizes, and the macro-F1 on development rows where the model was packed with some.
    Models(ModelsArgs),
    /// Train a model on labelled rows
    ///
    /// Two stages: weakly labelled rows, if there are any, then annotated ones. The epoch with the best macro-F1 on the
    /// development rows is kept. An interrupted run goes on where its last checkpoint was, to the same result.
    #[cfg(feature = "train")]
    #[command(override_usage = "copydesk train --data FILE --dev FILE --base BASE --out DIR [OPTIONS]")]
    Train(super::train::TrainArgs),
    /// Measure models on the sources that each was trained without
    ///
    /// Each row is judged by the first of the models whose training left the row's source out (copydesk train
    /// --leave-out); rows that no model left out are not judged.
    #[cfg(feature = "train")]
    #[command(override_usage = "copydesk cross-eval --data FILE --model DIR... [OPTIONS]")]
    CrossEval(super::cross_eval::CrossEvalArgs),
    /// Train a small model on a large one's answers
    ///
    /// The student starts from some of the teacher's layers, neurons and vocabulary, learns the teacher's probabilities for
    /// the texts, and then the annotated rows if there are any.
    #[cfg(feature = "train")]
    #[command(override_usage = "copydesk distill --teacher DIR --texts FILE --dev FILE --out DIR")]
    Distill(super::distill::DistillArgs),
    /// Bring labels that were passed on without their texts together with the texts
    ///
    /// Whoever annotates texts of others may pass on the labels, but often not the texts. Each label goes to the first row with
    /// its key; the rows come out as copydesk train reads them.
    #[cfg(feature = "train")]
    #[command(override_usage = "copydesk join --labels FILE... --texts FILE... [--out FILE]")]
    Join(super::join::JoinArgs),
    /// Make a trained model ready to ship
    ///
    /// Stores the weights as 8-bit integers and, given held-out rows, fits the temperature and the spam threshold.
    #[cfg(feature = "train")]
    Pack(super::pack::PackArgs),
    /// Choose when a small model may answer for a large one
    ///
    /// Fits the weights of the two models' logits on held-out rows, and takes the least work whose macro-F1 stays near that
    /// of the large model. Tells the whole curve, and what to expect on documents that nothing was fitted on.
    #[cfg(feature = "train")]
    #[command(override_usage = "copydesk cascade --small DIR --large DIR --calibrate FILE --out DIR")]
    Cascade(super::cascade::CascadeArgs),
}

impl Command {
    /// How the command is called where its input comes from standard input; `None` for commands that read files of their own.
    pub(super) fn as_input(&self) -> Option<&'static str> {
        match self {
            Command::Label(_) => Some("label"),
            Command::Filter(_) => Some("filter"),
            Command::Eval(_) => Some("eval --data -"),
            Command::Bench(_) => Some("bench -"),
            _ => None,
        }
    }
}

/// How inputs are read.
#[derive(Debug, clap::Args)]
pub struct InputArgs {
    /// Files, folders, or - for standard input [default: -]
    ///
    /// Folders stand for all files below them, in the order of their names; names that begin with a dot are left out.
    #[arg(value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,

    /// How to read the inputs
    ///
    /// auto goes by the extension (.jsonl .ndjson .json are JSON, .txt .text are text, .md .markdown .mkd are Markdown), and
    /// for all others and standard input by the content. What is recognisably something else (a table, a web page, a
    /// compressed file) is refused with the command that makes text of it; text reads tables and markup all the same. A line or an
    /// object of more than 16 MiB is set aside, and Markdown of more than 16 MiB is read as text.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = InputFormatArg::Auto)]
    pub input_format: InputFormatArg,

    /// Encoding of the inputs, such as windows-1252 or shift_jis [default: utf-8]
    ///
    /// A byte order mark of UTF-8 or UTF-16 decides in any case. Without this option, lines that are not UTF-8 are read as
    /// windows-1252 where that gives a text, and counted. Offsets in rows are bytes of the input; of one in UTF-16 or in
    /// the encoding given here they are bytes of its text in UTF-8.
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    pub encoding: Option<&'static Encoding>,

    /// Field of a JSON object that holds its text; data.text is text inside data
    #[arg(long, value_name = "NAME", default_value = "text")]
    pub text_field: String,

    /// Write every rejected record to FILE, with file, line and reason
    ///
    /// JSON Lines with the fields file, line, record, paragraph, kind, reason and input. On standard error only the first few of each
    /// kind are told, and how many there were.
    #[arg(long, value_name = "FILE")]
    pub errors: Option<PathBuf>,
}

impl InputArgs {
    /// Inputs of a command that names them in another way.
    pub(super) fn new(inputs: Vec<PathBuf>, input_format: InputFormatArg, text_field: String) -> InputArgs {
        InputArgs { inputs, input_format, encoding: None, text_field, errors: None }
    }
}

/// Which model, and how hard it works.
#[derive(Debug, clap::Args)]
pub struct ModelArgs {
    /// The model: an embedded one, or a folder
    ///
    /// base judges best. fast is a small model that learned from it. auto lets fast answer where it is sure and asks base
    /// about the rest. A folder holds config.json, tokenizer.json, model.safetensors and, where the defaults do not do,
    /// copydesk.json; or cascade.json, with two such folders beside it. An embedded name wins over a folder of that name,
    /// which can be given as ./base.
    #[arg(long, value_name = MODEL_NAMES, default_value = DEFAULT_MODEL)]
    pub model: PathBuf,

    /// Number of working threads [default: all cores]
    ///
    /// The output does not depend on it.
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=1024))]
    pub threads: Option<usize>,

    /// No progress bar and no summary; messages about bad input stay
    #[arg(long, short)]
    pub quiet: bool,
}

/// Arguments of `copydesk label`.
#[derive(Debug, clap::Args)]
pub struct LabelArgs {
    /// Inputs.
    #[command(flatten)]
    pub input: InputArgs,

    /// What gets a label
    ///
    /// paragraph splits texts, and the texts of JSON objects, into paragraphs. record labels each JSON object as a
    /// whole; in text inputs each line that is not blank is then a record.
    #[arg(long, value_enum, value_name = "UNIT", default_value_t = UnitArg::Paragraph)]
    pub unit: UnitArg,

    /// What separates the paragraphs of a text [default: auto]
    ///
    /// auto tells wrapped text from one item a line and cuts at blank lines, list items and quotes. Choose one of the
    /// others where you know better. Markdown files have their own rules. Not with --unit record.
    #[arg(long, value_enum, value_name = "HOW")]
    pub paragraphs: Option<ParagraphsArg>,

    /// Field that names a record's page: neighbouring records with the same value are read together
    ///
    /// A heading, a teaser or a pasted quotation is known by where it stands. Without it each record is read alone. A
    /// page of more than 256 records is cut after every 256.
    #[arg(long, value_name = "NAME")]
    pub page_field: Option<String>,

    /// Model.
    #[command(flatten)]
    pub model: ModelArgs,

    /// Give no label (null) below this confidence, 0 to 1 [default: 0]
    ///
    /// Scores are given in any case. With --no-other it is the confidence after renormalising that counts.
    #[arg(long, value_name = "P", value_parser = probability, default_value = "0", hide_default_value = true)]
    pub min_confidence: f32,

    /// Leave out the label of page furniture, scores renormalised
    #[arg(long)]
    pub no_other: bool,

    /// Write to FILE, which appears once all is done [default: -]
    ///
    /// An existing file is replaced. If nothing could be labelled, it is left alone. - is standard output. A name that ends
    /// in .csv gets CSV, one that ends in .json JSON Lines as all others do, unless --output-format says otherwise.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Format of the rows [default: pretty on a terminal, else jsonl]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub output_format: Option<OutputFormatArg>,

    /// Add the text of each paragraph to its row
    ///
    /// In rows of --unit record it only adds a column to csv: JSON objects have their text.
    #[arg(long)]
    pub with_text: bool,

    /// Add the source to each row: source, and for records line
    ///
    /// Records may share an id; source and line tell them apart.
    #[arg(long)]
    pub with_source: bool,

    /// Colours of --output-format pretty
    ///
    /// auto colours on a terminal, unless the environment variable NO_COLOR is set.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = ColorArg::Auto)]
    pub color: ColorArg,
}

/// Arguments of `copydesk filter`.
#[derive(Debug, clap::Args)]
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

    /// Exit with 3 if there was spam
    ///
    /// Only if all went well otherwise: errors have their own status.
    #[arg(long)]
    pub exit_code: bool,
}

/// Arguments of `copydesk eval`.
#[derive(Debug, clap::Args)]
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

    /// Model.
    #[command(flatten)]
    pub model: ModelArgs,

    /// Also label noisy copies of the texts and show what each kind of noise costs
    ///
    /// Curly quotes, lower case, HTML entities, list numbers, emoji, look-alike letters and so on; takes eleven times as
    /// long. Which letters change follows from the row's text and line number.
    #[arg(long)]
    pub robustness: bool,

    /// All figures as one JSON object instead of tables
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `copydesk models`.
#[derive(Debug, clap::Args)]
pub struct ModelsArgs {
    /// All figures as one JSON object a line instead of a table
    #[arg(long)]
    pub json: bool,
}

/// `--input-format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InputFormatArg {
    /// By extension, else by content
    Auto,
    /// Running text
    Text,
    /// Markdown: its marks separate paragraphs and do not count as text
    Markdown,
    /// JSON objects: one per line, over several lines, or in an array
    Jsonl,
}

/// `--paragraphs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ParagraphsArg {
    /// Whatever the lines tell
    Auto,
    /// Blank lines alone
    Blank,
    /// Every line is a paragraph
    Line,
    /// Blank lines, list numbers and line widths, as in version 0.1
    Layout,
}

/// `--unit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum UnitArg {
    /// Each paragraph
    Paragraph,
    /// Each JSON object, or each line of a text
    Record,
}

/// `--output-format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormatArg {
    /// One JSON object per line
    Jsonl,
    /// Comma-separated values with a header
    Csv,
    /// A page to read in the terminal
    Pretty,
}

/// `--color`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorArg {
    /// On a terminal
    Auto,
    /// Also into files and pipes
    Always,
    /// Not at all
    Never,
}

fn encoding(name: &str) -> Result<&'static Encoding, String> {
    Encoding::for_label(name.as_bytes()).ok_or_else(|| "expected a name that web pages use for an encoding".to_owned())
}

fn probability(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("expected a number from 0 to 1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn arguments_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn short_help_fits_79_columns() {
        let mut command = Args::command();
        command.build();
        for subcommand in std::iter::once(&mut command.clone()).chain(command.get_subcommands_mut()) {
            let help = subcommand.render_help().to_string();
            for line in help.lines() {
                assert!(line.chars().count() <= 79, "{line}");
            }
        }
    }

    #[test]
    fn probabilities_lie_between_0_and_1() {
        assert_eq!(probability("0.5"), Ok(0.5));
        for bad in ["-0.1", "1.1", "NaN", "half", ""] {
            assert!(probability(bad).is_err(), "{bad}");
        }
    }
}
