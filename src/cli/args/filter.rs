//! Arguments of `copydesk filter`.

use super::{InputArgs, ModelArgs, RunArgs, probability};
use crate::pipeline::{CommentFields, Fact};
use clap::Args;
use std::path::PathBuf;
use std::str::FromStr;

/// Arguments of `copydesk filter`.
#[derive(Debug, Args)]
pub struct FilterArgs {
    /// Inputs.
    #[command(flatten)]
    pub input: InputArgs,

    /// Where records say what is known of a comment, such as text=comment_content,author=nick
    ///
    /// Read are text, html, author, author_url, author_email (an address or its domain), page_title, page_text, permalink, and the
    /// names that WordPress and others have for them; ip only if it is named here. docs/comments.md lists them. A field that
    /// is named here is read alone. A dot leads into an object: author=user.name.
    #[arg(long, value_name = "FACT=FIELD,…", value_delimiter = ',')]
    pub map: Vec<Mapping>,

    /// Model.
    #[command(flatten)]
    pub model: ModelArgs,

    /// Judge by the text alone, with the threshold that is stored with the model
    ///
    /// So it is for models with labels of their own in any case.
    #[arg(long)]
    pub text_only: bool,

    /// Do not look for copies of a text among the inputs
    ///
    /// Of inputs that are files, a text that comes three times or more, by other authors or on other pages, counts as spam more
    /// easily if most of its copies are spam by themselves. The inputs are read once or twice more for that. Of a pipe no copies are
    /// looked for.
    #[arg(long)]
    pub no_campaigns: bool,

    /// Spam if the score is at least P, 0 to 1
    ///
    /// A higher threshold loses fewer genuine comments and lets more spam pass.
    #[arg(long, value_name = "P", value_parser = probability)]
    pub threshold: Option<f32>,

    /// Lose about this share of genuine comments at most: 0.001, 0.005 or 0.01 [default: 0.005]
    ///
    /// The thresholds were measured on sites that the model has not seen; yours may differ: see --tune. With --text-only
    /// the shares are those that the model was packed with, and the default is stored with the model.
    #[arg(long, value_name = "P", conflicts_with = "threshold")]
    pub lose: Option<f64>,

    /// Write genuine comments to FILE [default: -]
    #[arg(long, value_name = "FILE")]
    pub ham: Option<PathBuf>,

    /// Write spam to FILE [default: spam is dropped]
    #[arg(long, value_name = "FILE")]
    pub spam: Option<PathBuf>,

    /// Write what somebody should look at to FILE: scores from --review-from up to the threshold
    #[arg(long, value_name = "FILE")]
    pub review: Option<PathBuf>,

    /// The score from which comments go to --review
    ///
    /// The default is the threshold at which 1% of genuine comments are lost, or half of the threshold where that is no stricter.
    #[arg(long, value_name = "P", value_parser = probability, requires = "review")]
    pub review_from: Option<f32>,

    /// Write every comment to FILE, with spam, spam_score and reason
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ham", "spam", "review"])]
    pub mark: Option<PathBuf>,

    /// Add the text model's label, confidence, scores, tokens and windows
    #[arg(long)]
    pub scores: bool,

    /// Measure on labelled comments how many are lost and caught at which threshold
    ///
    /// A comment is labelled by `spam` (true or false), or `gold` or `label` (spam, comment_spam; all else is genuine), or
    /// `status` or `comment_approved` of an export. With --profile the threshold for --lose is stored.
    #[arg(
        long,
        value_name = "LABELLED",
        conflicts_with_all = ["inputs", "ham", "spam", "review", "mark", "exit_code", "errors", "scores"]
    )]
    pub tune: Option<PathBuf>,

    /// Filter with the threshold that --tune stored in FILE; with --tune, store it there
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,

    /// Long runs.
    #[command(flatten)]
    pub run: RunArgs,

    /// Exit with 3 if there was spam
    ///
    /// Only if all went well otherwise: errors have their own status.
    #[arg(long)]
    pub exit_code: bool,
}

/// A fact and the field that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    pub(in crate::cli) fact: Fact,
    pub(in crate::cli) field: String,
    /// As it was given.
    pub(in crate::cli) given: String,
}

impl FromStr for Mapping {
    type Err = String;

    fn from_str(given: &str) -> Result<Mapping, String> {
        let expected = || format!("expected FACT=FIELD, with FACT one of {}", CommentFields::names());
        let (name, field) = given.split_once('=').ok_or_else(expected)?;
        let fact = CommentFields::fact(name.trim()).ok_or_else(expected)?;
        let field = field.trim().to_owned();
        if field.is_empty() {
            return Err(expected());
        }
        Ok(Mapping { fact, field, given: given.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_name_a_fact_and_a_field() {
        let mapping: Mapping = "author = user.name".parse().unwrap();
        assert_eq!((mapping.fact, mapping.field.as_str()), (Fact::Author, "user.name"));
        for wrong in ["author", "author=", "colour=red", "date=posted"] {
            assert!(wrong.parse::<Mapping>().unwrap_err().contains("page_title"), "{wrong}");
        }
    }
}
