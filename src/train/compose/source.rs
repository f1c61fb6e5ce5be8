//! The rows that are composed from: comments with their site's decision, pages with their discussions, annotated discussions.

use super::super::TrainError;
use super::super::data::{ReadRows, confidence_of, read_rows};
pub(super) use crate::page::Region;
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// What a comment's site did with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Moderation {
    Spam,
    Ham,
}

/// A single comment.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Comment {
    pub id: String,
    pub site: String,
    pub text: String,
    /// `None` where the site's decision tells nothing.
    pub gold: Option<Moderation>,
}

/// A page with the discussion below it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SitePage {
    pub site: String,
    pub page: String,
    pub title: Option<String>,
    /// In page order.
    pub paragraphs: Vec<PageParagraph>,
}

/// A paragraph of a page.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PageParagraph {
    pub text: String,
    pub kind: Region,
    pub gold: Option<Moderation>,
    /// The comment that it is a part of.
    pub id: Option<String>,
}

/// An annotated paragraph of a page with a discussion; also a row of any other labelled file, which has no kind.
#[derive(Clone, Debug)]
pub(crate) struct AnnotatedParagraph {
    pub text: String,
    pub source: Option<String>,
    pub doc: Option<String>,
    pub kind: Option<Region>,
    /// Position among the built-in labels.
    pub label: usize,
    /// As an annotator gives it, 3 sure.
    pub confidence: Option<u8>,
}

/// Reads comments: JSON Lines with `id`, `site`, `text` and `gold` (`spam`, `ham` or null).
pub(crate) fn read_comments(path: &Path) -> Result<ReadRows<Comment>, TrainError> {
    read_rows(path, |line| serde_json::from_slice(line))
}

/// Reads pages: JSON Lines with `site`, `page`, `title` and `paragraphs`, each with `text`, `kind`, `gold` and `id`.
pub(crate) fn read_pages(path: &Path) -> Result<ReadRows<SitePage>, TrainError> {
    read_rows(path, |line| serde_json::from_slice(line))
}

/// Reads rows with `text`, one of the built-in labels, and if they have them `confidence`, `source`, `doc` and `kind` or `region`.
pub(crate) fn read_annotated(path: &Path) -> Result<ReadRows<AnnotatedParagraph>, TrainError> {
    #[derive(Deserialize)]
    struct Line {
        text: String,
        source: Option<String>,
        doc: Option<String>,
        #[serde(alias = "region")]
        kind: Option<Region>,
        label: String,
        confidence: Option<Value>,
    }
    read_rows(path, |line| {
        let Line { text, source, doc, kind, label, confidence } = serde_json::from_slice(line)?;
        let unknown = || serde::de::Error::custom(format!("`{label}` is none of the built-in labels"));
        let label = super::target::position(&label).ok_or_else(unknown)?;
        Ok(AnnotatedParagraph { text, source, doc, kind, label, confidence: confidence_of(confidence) })
    })
}
