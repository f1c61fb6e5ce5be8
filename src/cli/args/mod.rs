//! Arguments as they are typed: data only, nothing is looked up. What all commands share stands here, the rest in a file
//! for each command.

mod bench;
#[cfg(feature = "train")]
mod cascade;
#[cfg(feature = "train")]
mod compose;
mod content;
#[cfg(feature = "train")]
mod cross_eval;
#[cfg(feature = "train")]
mod distill;
mod eval;
mod explain;
mod filter;
mod head;
#[cfg(feature = "train")]
mod join;
mod label;
mod merge;
mod models;
#[cfg(feature = "train")]
mod pack;
mod quantize;
mod run;
#[cfg(feature = "serve")]
mod serve;
mod stats;
#[cfg(feature = "train")]
mod train;
#[cfg(feature = "train")]
mod train_comments;
#[cfg(feature = "train")]
mod train_content;

pub use self::bench::{BenchArgs, ModeArg, PrecisionArg};
#[cfg(feature = "train")]
pub use self::cascade::CascadeArgs;
#[cfg(feature = "train")]
pub use self::compose::ComposeArgs;
pub use self::content::ContentArgs;
#[cfg(feature = "train")]
pub use self::cross_eval::CrossEvalArgs;
#[cfg(feature = "train")]
pub use self::distill::DistillArgs;
pub use self::eval::EvalArgs;
pub use self::explain::ExplainArgs;
pub use self::filter::FilterArgs;
pub use self::head::{HeadArgs, LabelledArgs};
#[cfg(feature = "train")]
pub use self::join::JoinArgs;
pub use self::label::{ColorArg, LabelArgs, OutputFormatArg, ParagraphsArg, UnitArg};
pub use self::merge::MergeArgs;
pub use self::models::{ModelsArgs, ModelsCommand, ShowArgs};
#[cfg(feature = "train")]
pub use self::pack::PackArgs;
pub use self::quantize::QuantizeArgs;
pub use self::run::{KeepFields, OffsetsArg, OutputArgs, PartArgs, RunArgs};
#[cfg(feature = "serve")]
pub use self::serve::{AdaptArgs, KeysCommand, LogArg, ServeArgs, ServeCommand};
pub use self::stats::StatsArgs;
#[cfg(feature = "train")]
pub use self::train::{StorageArg, TargetArgs, TrainArgs};
#[cfg(feature = "train")]
pub use self::train_comments::TrainCommentsArgs;
#[cfg(feature = "train")]
pub use self::train_content::TrainContentArgs;

use crate::corpus::Encoding;
use crate::page::Region;
use crate::pipeline::RowOptions;
use clap::builder::RangedU64ValueParser;
use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

pub(super) use crate::pipeline::DEFAULT_MODEL;

/// What `--model` takes.
pub const MODEL_NAMES: &str = "base|fast|nano|auto|DIR|hf:NAME";

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
#[allow(clippy::large_enum_variant, reason = "a program has one")]
pub enum Command {
    /// Label every paragraph or record of the inputs
    ///
    /// Rows come out in input order and are the same bytes whatever the number of threads.
    ///
    /// A JSON Lines row per paragraph has doc, paragraph, start, end (UTF-8 byte offsets), label, confidence, scores,
    /// tokens, windows. With --unit record a row is the input object with label, confidence, scores, tokens and
    /// windows added; an input field with one of these names is kept as input_label and so on.
    Label(LabelArgs),
    /// Show which words each label of a text rests on
    ///
    /// Words are left out and the text is read again: what the label's score loses is the word's weight. Also told are neighbours on
    /// the page that the label rests on, and which models answered. Takes as long as some 20 labels a paragraph.
    Explain(ExplainArgs),
    /// Give the main content of HTML pages as plain text, without menus, notices and lists of other pages
    ///
    /// A JSON Lines row per page has doc and text. What counts as main content is what copydesk label --content-only gives a
    /// label; no label is asked for here, so it takes a few milliseconds a page. Works on one thread.
    Content(ContentArgs),
    /// Separate genuine comments from spam
    ///
    /// Every JSON object, row of a table, or line of text that is not blank is one comment. It is judged by what it says and by what
    /// else the record knows: author, link, address, page. Genuine comments go to standard output, or to --ham; spam goes to
    /// --spam, and is only counted without it. Comments get the fields spam, spam_score, reason and lang; tables stay tables, and
    /// lines of text stay as they are.
    Filter(FilterArgs),
    /// Show the first labelled rows, or a sample of them, a line each
    ///
    /// Reads what copydesk label wrote. A line has label, confidence, document and paragraph, and the text where the row has it
    /// (label --with-text), else the paragraph's byte offsets. Needs no model.
    Head(HeadArgs),
    /// Count labelled rows: labels, confidence, languages, files
    ///
    /// Reads what copydesk label wrote, in one pass and in bounded memory. Counts and shares by label, mean confidence and its
    /// distribution, rows by language, by reason and by file, tokens, examples of each label and the least sure rows. The
    /// examples are chosen by a hash of document and paragraph, so that they do not depend on the order of the rows. Needs no
    /// model.
    Stats(StatsArgs),
    /// Join the outputs of all parts of a run with --shard
    ///
    /// All parts must be there, whole, and of one version, model and options. The rows are the bytes that one run would have
    /// written; the manifest holds what all parts counted. Of Parquet and Arrow the parts stay as they are, to be read as one table.
    Merge(MergeArgs),
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
    Bench(BenchArgs),
    /// List the models that are built in, or show what is known of any model
    ///
    /// Sizes, and the macro-F1 on development rows where the model was packed with some.
    Models(ModelsArgs),
    /// Store a model's weights as 8-bit integers
    ///
    /// Writes a folder that copydesk reads, of about a quarter of the size; labelling takes a fraction of the time. With --data it tells
    /// macro-F1 of your own labelled rows before and after. Models with BERT's layers alone: copydesk models show tells.
    Quantize(QuantizeArgs),
    /// Answer blogs and other programs over HTTP
    ///
    /// Judges comments in Akismet's protocol and in JSON, and labels texts, with one model in memory. Without options it answers programs
    /// of this machine at http://127.0.0.1:8417. Every option can also be given as an environment variable: COPYDESK_SERVE_LISTEN for
    /// --listen, COPYDESK_SERVE_MAX_BODY for --max-body and so on. SIGTERM and Ctrl-C let it finish what it was asked.
    #[cfg(feature = "serve")]
    Serve(ServeArgs),
    /// Train a model on labelled rows
    ///
    /// Two stages: weakly labelled rows, if there are any, then annotated ones. The epoch with the best macro-F1 on the
    /// development rows is kept. An interrupted run goes on where its last checkpoint was, to the same result.
    #[cfg(feature = "train")]
    #[command(override_usage = "copydesk train --data FILE --dev FILE --base BASE --out DIR [OPTIONS]")]
    Train(TrainArgs),
    /// Train what tells the main content of HTML pages from the rest
    ///
    /// The one model is shared by all models of labels. Its word F1 on sites left out is told and stored beside it.
    #[cfg(feature = "train")]
    #[command(override_usage = "copydesk train-content --data FILE --out DIR [--settings FILE]")]
    TrainContent(TrainContentArgs),
    /// Train what tells spam from genuine comments by all that is known of them
    ///
    /// The spam caught on sites left out in turn is told and stored beside the model, with the text alone and with everything.
    #[cfg(feature = "train")]
    #[command(override_usage = "copydesk train-comments --data FILE... --out DIR [--settings FILE]")]
    TrainComments(TrainCommentsArgs),
    /// Measure models on the sources that each was trained without
    ///
    /// Each row is judged by the first of the models whose training left the row's source out (copydesk train
    /// --leave-out); rows that no model left out are not judged.
    #[cfg(feature = "train")]
    #[command(override_usage = "copydesk cross-eval --data FILE --model DIR... [OPTIONS]")]
    CrossEval(CrossEvalArgs),
    /// Train a small model on a large one's answers
    ///
    /// The student starts from some of the teacher's layers, neurons and vocabulary, learns the teacher's probabilities for
    /// the texts, and then the annotated rows if there are any.
    #[cfg(feature = "train")]
    #[command(override_usage = "copydesk distill --teacher DIR --texts FILE --dev FILE --out DIR")]
    Distill(DistillArgs),
    /// Bring labels that were passed on without their texts together with the texts
    ///
    /// Whoever annotates texts of others may pass on the labels, but often not the texts. Each label goes to the first row with
    /// its key; the rows come out as copydesk train reads them.
    #[cfg(feature = "train")]
    #[command(override_usage = "copydesk join --labels FILE... --texts FILE... [--out FILE]")]
    Join(JoinArgs),
    /// Compose rows to train on from comments, pages with discussions and annotated rows
    ///
    /// Comments with their site's decision and pages with their discussions get targets that join what people said with a
    /// teacher's scores. Quotes with answers, comments with a tail of spam, and wrapped texts are made of sure rows; their
    /// label follows from what most of the words do. A table tells how many rows of each kind there are, and what was left out.
    #[cfg(feature = "train")]
    #[command(override_usage = "copydesk compose --teacher MODEL --rows FILE... [OPTIONS]")]
    Compose(ComposeArgs),
    /// Make a trained model ready to ship
    ///
    /// Stores the weights as 8-bit integers and, given held-out rows, fits the temperature and the spam threshold.
    #[cfg(feature = "train")]
    Pack(PackArgs),
    /// Choose when a small model may answer for a large one
    ///
    /// Fits the weights of the two models' logits on held-out rows, and takes the least work whose macro-F1 stays near that
    /// of the large model. Tells the whole curve, and what to expect on documents that nothing was fitted on.
    #[cfg(feature = "train")]
    #[command(override_usage = "copydesk cascade --small DIR --large DIR --calibrate FILE --out DIR")]
    Cascade(CascadeArgs),
}

impl Command {
    /// How the command is called where its input comes from standard input; `None` for commands that read files of their own.
    pub(super) fn as_input(&self) -> Option<&'static str> {
        match self {
            Command::Label(_) => Some("label"),
            Command::Explain(_) => Some("explain"),
            Command::Content(_) => Some("content"),
            Command::Filter(_) => Some("filter"),
            Command::Head(_) => Some("head"),
            Command::Stats(_) => Some("stats"),
            Command::Eval(_) => Some("eval --data -"),
            Command::Bench(_) => Some("bench -"),
            _ => None,
        }
    }

    /// The names of the models that the command reads, and whether nobody wants to see how far it is.
    #[cfg(feature = "hub")]
    pub(super) fn models(&mut self) -> (Vec<ModelName<'_>>, bool) {
        let (names, quiet) = match self {
            Command::Label(LabelArgs { model, .. })
            | Command::Explain(ExplainArgs { model, .. })
            | Command::Filter(FilterArgs { model, .. })
            | Command::Eval(EvalArgs { model, .. }) => (vec![ModelName::Path(&mut model.model)], model.quiet),
            Command::Bench(args) => (vec![ModelName::Path(&mut args.model)], false),
            #[cfg(feature = "serve")]
            Command::Serve(args) => match &mut args.command {
                None => (vec![ModelName::Path(&mut args.model)], false),
                // To forget takes no model.
                Some(ServeCommand::Adapt(args)) if !args.forget => (vec![ModelName::Path(&mut args.model)], false),
                Some(_) => (Vec::new(), false),
            },
            #[cfg(feature = "train")]
            Command::Train(args) => (args.base.iter_mut().map(ModelName::Text).collect(), args.quiet),
            #[cfg(feature = "train")]
            Command::Distill(args) => {
                let bases = args.base.iter_mut().map(ModelName::Path);
                (args.teacher.iter_mut().map(ModelName::Text).chain(bases).collect(), args.quiet)
            }
            #[cfg(feature = "train")]
            Command::CrossEval(args) => (args.model.iter_mut().map(ModelName::Path).collect(), false),
            #[cfg(feature = "train")]
            Command::Compose(args) => (vec![ModelName::Text(&mut args.teacher)], false),
            #[cfg(feature = "train")]
            Command::Pack(args) => (args.model.iter_mut().map(ModelName::Path).collect(), false),
            #[cfg(feature = "train")]
            Command::Cascade(args) => (vec![ModelName::Path(&mut args.small), ModelName::Path(&mut args.large)], false),
            Command::Models(args) => match &mut args.command {
                Some(ModelsCommand::Show(args)) => (vec![ModelName::Path(&mut args.model)], false),
                None => (Vec::new(), false),
            },
            Command::Quantize(args) => (vec![ModelName::Path(&mut args.model)], args.quiet),
            Command::Content(_) | Command::Head(_) | Command::Stats(_) | Command::Merge(_) => (Vec::new(), false),
            #[cfg(feature = "train")]
            Command::TrainContent(_) | Command::TrainComments(_) | Command::Join(_) => (Vec::new(), false),
        };
        (names, quiet)
    }
}

/// The name of a model among the arguments.
#[cfg(feature = "hub")]
pub enum ModelName<'args> {
    /// Where it is kept as a path.
    Path(&'args mut PathBuf),
    /// Where it is kept as a text.
    Text(&'args mut String),
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
    /// auto goes by the extension (.jsonl .ndjson .json are JSON, .txt .text are text, .md .markdown .mkd are Markdown,
    /// .html .htm .xhtml are HTML, .csv .tsv .tab are tables, .mbox .eml .mht .mhtml are mail, .warc .wet are web archives), and for
    /// all others and standard input by the content. Each row of a table is a record with the columns as its fields, each e-mail one
    /// with id, from, to, subject, date and text. What is recognisably something else (a feed, an archive of files) is refused with
    /// the command that makes text of it; text reads tables and markup all the same. What is compressed with gzip, zstd, bzip2 or xz
    /// is decompressed, whatever its name; .gz .zst .bz2 .xz behind another extension are left out of account. A line, an object or
    /// an HTML page of more than 16 MiB is set aside, and Markdown of more than 16 MiB is read as text.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = InputFormatArg::Auto)]
    pub input_format: InputFormatArg,

    /// Encoding of the inputs, such as windows-1252 or shift_jis [default: by content]
    ///
    /// A byte order mark of UTF-8 or UTF-16 decides in any case. Without this option, an input whose first 64 KiB are plainly in
    /// another encoding is read in that, which is told; else lines that are not UTF-8 are read as windows-1252 where that gives
    /// a text, and counted. Offsets in rows are bytes of the decompressed input; of one in UTF-16, or that was read in an encoding
    /// given here or guessed, they are bytes of its text in UTF-8.
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    pub encoding: Option<&'static Encoding>,

    /// Field of a JSON object, or column of a table, that holds the text; data.text is text inside data
    #[arg(long, visible_alias = "text-column", value_name = "NAME", default_value = "text")]
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

/// Where the texts stand on their pages.
#[derive(Debug, Default, clap::Args)]
pub struct RegionArgs {
    /// All texts stand in this region of their pages
    ///
    /// A reader knows whether he is in an article or among the comments; a text alone does not say so.
    #[arg(long, value_enum, value_name = "REGION", conflicts_with = "region_field")]
    pub region: Option<RegionArg>,

    /// Field that says where a record stands on its page: article, comment or furniture
    ///
    /// Records without the field, or with null in it, are read as before. Any other value sets the record aside.
    #[arg(long, value_name = "NAME")]
    pub region_field: Option<String>,
}

impl RegionArgs {
    /// Tells the reader of rows.
    pub(super) fn tell(self, rows: RowOptions) -> RowOptions {
        match (self.region, self.region_field) {
            (Some(region), _) => rows.region(match region {
                RegionArg::Article => Region::Article,
                RegionArg::Comment => Region::Comment,
                RegionArg::Furniture => Region::Furniture,
            }),
            (None, Some(field)) => rows.region_field(field),
            (None, None) => rows,
        }
    }
}

/// `--region`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RegionArg {
    /// The text that the page is there for
    Article,
    /// What readers wrote under it
    Comment,
    /// Menus, notices, headlines
    Furniture,
}

/// Which model, and how hard it works.
#[derive(Debug, clap::Args)]
pub struct ModelArgs {
    /// The model: an embedded one, a folder, or hf:OWNER/NAME
    ///
    /// base judges best. fast is a small model that learned from it, nano a tiny one for the largest corpora. auto lets fast answer
    /// where it is sure and asks base about the rest. A folder holds config.json, tokenizer.json, model.safetensors and, where the defaults do not do,
    /// copydesk.json; or cascade.json, with two such folders beside it. An embedded name wins over a folder of that name,
    /// which can be given as ./base. hf:OWNER/NAME is fetched from the Hugging Face hub, hf:OWNER/NAME@REVISION at a branch, a tag or a
    /// commit; this needs a build with the feature hub. With label, none reads and writes everything and labels nothing.
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

/// `--input-format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InputFormatArg {
    /// By extension, else by content
    Auto,
    /// Running text
    Text,
    /// Markdown: its marks separate paragraphs and do not count as text
    Markdown,
    /// An HTML page: its blocks of text
    Html,
    /// JSON objects: one per line, over several lines, or in an array
    Jsonl,
    /// A table with column names in its first row; commas, semicolons, tabs or vertical bars are told by that row
    Csv,
    /// A table with tabs
    Tsv,
    /// A mailbox (mbox) or an e-mail
    Mail,
    /// A web archive (WARC, WET): its pages and texts
    Warc,
    /// A WordPress export (WXR): its comments
    Wxr,
    /// A Disqus export: its comments
    Disqus,
    /// A dump of WordPress's tables: its comments
    Sql,
    /// Comments in YAML, as Staticman and Jekyll keep them
    Yaml,
    /// An SQLite database of Isso's: its comments (needs the feature sqlite)
    Sqlite,
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

/// A share of rows, above 0 and below 1.
#[cfg(feature = "train")]
fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share < 1.0 => Ok(share),
        _ => Err("expected a number above 0 and below 1".to_owned()),
    }
}

/// A difference of macro-F1, or a share that may be nothing, from 0 to below 1.
#[cfg(feature = "train")]
fn difference(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(difference) if (0.0..1.0).contains(&difference) => Ok(difference),
        _ => Err("expected a number from 0 to below 1".to_owned()),
    }
}

#[cfg(test)]
mod tests;
