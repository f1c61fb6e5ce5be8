//! Arguments of `copydesk label`.

use super::explain::MOST_WORDS;
use super::{InputArgs, ModelArgs, OutputArgs, PartArgs, RegionArgs, RunArgs, probability};
use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Arguments of `copydesk label`.
#[derive(Debug, Args)]
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

    /// Regions.
    #[command(flatten)]
    pub region: RegionArgs,

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

    /// Take the model's word for texts in any language
    ///
    /// Without it no label of a text that is not English, or that cannot be read, has a score above 0.5, and its row says so
    /// in the field reason. For models of your own that know other languages.
    #[arg(long)]
    pub any_language: bool,

    /// Write to FILE, which appears once all is done [default: -]
    ///
    /// An existing file is replaced. If nothing could be labelled, it is left alone. - is standard output. A name that ends
    /// in .csv gets CSV, .parquet Parquet, .arrow Arrow, all others JSON Lines, unless --output-format says otherwise. A further .gz, .zst, .bz2 or .xz compresses
    /// it.
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

    /// Of HTML pages, give only the main content: no menus, notices, lists of other articles
    ///
    /// Headings, lists and tables of the content are content too. Other inputs get all their rows.
    #[arg(long)]
    pub content_only: bool,

    /// Write only the rows for which EXPR holds, such as 'confidence > 0.9'
    ///
    /// Compares the fields of a row and of its record: label == "opinion" and (scores.other < 0.1 or meta.site in ["a", "b"]).
    /// docs/query.md describes the language. Paragraphs are read beside their neighbours whether or not those are written.
    #[arg(long = "where", value_name = "EXPR")]
    pub filter: Option<String>,

    /// Add to each row the N words that its label rests on; takes as long as some 20 labels
    ///
    /// A word has word, start, end (offsets in the row's text) and weight: what the label's score loses without it. The heaviest comes
    /// first. docs/explain.md describes how they are found. Rows of JSON Lines, and pages for a terminal, where they are marked.
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=MOST_WORDS))]
    pub explain: Option<usize>,

    /// Add file and line to each row; line is null but for records
    ///
    /// Records may share an id; file and line tell them apart.
    #[arg(long)]
    pub with_source: bool,

    /// Where rows go beside --output, and what they keep.
    #[command(flatten)]
    pub outputs: OutputArgs,

    /// Long runs.
    #[command(flatten)]
    pub run: RunArgs,

    /// Parts of the work.
    #[command(flatten)]
    pub part: PartArgs,

    /// Colours of --output-format pretty
    ///
    /// auto colours on a terminal, unless the environment variable NO_COLOR is set.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = ColorArg::Auto)]
    pub color: ColorArg,
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
    /// A Parquet table
    Parquet,
    /// An Arrow table: a file with a footer (Feather, version 2)
    Arrow,
    /// An Arrow table: a stream
    ArrowStream,
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
