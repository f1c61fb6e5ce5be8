//! Arguments of `copydesk compose`.

use clap::Args;
use std::path::PathBuf;

/// Arguments of `copydesk compose`.
#[derive(Debug, Args)]
pub struct ComposeArgs {
    /// Model whose scores complete what people said: a folder, the name of a built-in model, or hf:OWNER/NAME
    #[arg(long, value_name = "MODEL")]
    pub teacher: String,

    /// Comments, JSON Lines with id, site, text and gold (spam, ham or null); may be repeated
    ///
    /// Names ending in .gz, .zst, .bz2 or .xz are decompressed, here and below.
    #[arg(long, value_name = "FILE")]
    pub comments: Vec<PathBuf>,

    /// Pages with their discussions, JSON Lines with site, page, title and paragraphs; may be repeated
    ///
    /// Each paragraph has text, kind (article, comment or furniture), gold, and the id of the comment that it is a part of.
    #[arg(long, value_name = "FILE")]
    pub pages: Vec<PathBuf>,

    /// Labels of rows of the pages, JSON Lines with key, label and confidence as copydesk join reads them; may be repeated
    ///
    /// With it only pages of which rows have labels are used.
    #[arg(long, value_name = "FILE", requires = "pages")]
    pub labels: Vec<PathBuf>,

    /// Annotated pages with their discussions, JSON Lines with text, label, confidence, source, doc and kind; may be repeated
    #[arg(long, value_name = "FILE")]
    pub threads: Vec<PathBuf>,

    /// Annotated rows that mixed texts are made of, JSON Lines with text, label and confidence; may be repeated
    ///
    /// Only those of confidence 3 are used.
    #[arg(long, value_name = "FILE", required = true)]
    pub rows: Vec<PathBuf>,

    /// Sites of which nothing is used, separated by commas
    #[arg(long, value_name = "SITE", value_delimiter = ',')]
    pub leave_out: Vec<String>,

    /// Rows that a model is to be judged on; may be repeated
    ///
    /// No text of theirs is used, and no page that one of them stands on.
    #[arg(long, value_name = "FILE")]
    pub without: Vec<PathBuf>,

    /// Most rejected comments of one site
    #[arg(long, value_name = "N", default_value_t = 1300)]
    pub spam_per_site: usize,

    /// Most published comments of one site
    #[arg(long, value_name = "N", default_value_t = 2000)]
    pub ham_per_site: usize,

    /// Texts of a quote and own words
    #[arg(long, value_name = "N", default_value_t = 3000)]
    pub quotes: usize,

    /// Comments with a piece of spam joined to them, and as many with a genuine piece
    #[arg(long, value_name = "N", default_value_t = 3000)]
    pub tails: usize,

    /// Texts in markup, with names, dates or salutations round them
    #[arg(long, value_name = "N", default_value_t = 4000)]
    pub wrapped: usize,

    /// Seed of all that is drawn
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Where the rows go, JSON Lines for copydesk distill [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}
