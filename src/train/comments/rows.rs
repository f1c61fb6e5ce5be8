//! Comments with their sites' decisions.

use super::super::data::{ReadRows, read_rows};
use super::super::error::TrainError;
use crate::comment::{Bag, Comment, Heard, heard_of, name_of, words_of};
use crate::label::{LabelSet, Scores};
use serde::Deserialize;
use serde::de::Error as _;
use std::collections::BTreeMap;
use std::path::Path;

/// A comment with its site's decision.
#[derive(Clone, Debug)]
pub struct CommentRow {
    /// What is known of it.
    pub comment: Comment,
    /// Comments of one site are never on both sides.
    pub site: String,
    /// The decision.
    pub spam: bool,
    /// What the text model says.
    pub heard: Heard,
    /// Places of its words.
    pub words: Bag,
    /// Places of its author's name.
    pub name: Bag,
}

/// Reads comments, JSON Lines with `site`, `gold` (`spam` or `ham`), `text`, `scores` as `copydesk label --unit record` writes them, and what
/// else is known: `html`, `author`, `author_url`, `email_domain`, `page_title`.
///
/// # Errors
/// [`TrainError::Unreadable`], and [`TrainError::NoRows`] where no line is usable. A bad line is no error: it is listed.
pub fn read_comments(path: &Path) -> Result<ReadRows<CommentRow>, TrainError> {
    #[derive(Deserialize)]
    struct Row {
        site: String,
        gold: String,
        text: String,
        html: Option<String>,
        author: Option<String>,
        author_url: Option<String>,
        email_domain: Option<String>,
        page_title: Option<String>,
        scores: BTreeMap<String, f32>,
    }
    read_rows(path, |line| {
        let row: Row = serde_json::from_slice(line)?;
        let spam = match row.gold.as_str() {
            "spam" => true,
            "ham" => false,
            other => return Err(serde_json::Error::custom(format!("`gold` must be spam or ham, not `{other}`"))),
        };
        let labels = LabelSet::copydesk();
        let values: Option<Vec<f32>> = labels.iter().map(|label| row.scores.get(label.as_str()).copied()).collect();
        let values = values.ok_or_else(|| serde_json::Error::custom("`scores` must have the built-in labels"))?;
        let scores = Scores::new(&labels, values);
        let spam_label = labels.id("comment_spam").ok_or_else(|| serde_json::Error::custom("no label for spam"))?;
        let heard = heard_of(&scores, spam_label);
        let comment = Comment {
            html: row.html,
            author: row.author,
            author_url: row.author_url,
            email_domain: row.email_domain,
            page_title: row.page_title,
            ..Comment::new(row.text)
        };
        let words = words_of(comment.body());
        let name = name_of(comment.author.as_deref().unwrap_or_default());
        Ok(CommentRow { comment, site: row.site, spam, heard, words, name })
    })
}
