//! Decisions as labelled records.

use super::day::timestamp;
use super::store::comment_of_row;
use super::{FeedbackError, FeedbackStore, schema};
use crate::comment::Comment;
use rusqlite::Connection;
use serde::Serialize;
use std::io::Write;

/// The newest decision on each text, those with the lowest id first, from an id on.
const NEWEST: &str = "SELECT id, time, spam, source, text, html, author, author_url, email_domain, page_title
    FROM feedback
    WHERE id >= ?1 AND NOT EXISTS (SELECT 1 FROM feedback AS later WHERE later.subject = feedback.subject AND later.id > feedback.id)
    ORDER BY id";

/// A decision with its comment.
pub(super) struct Decision {
    pub time: i64,
    pub spam: bool,
    pub source: String,
    pub comment: Comment,
}

#[derive(Serialize)]
struct Exported<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    author_url: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_domain: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    page_title: &'a Option<String>,
    spam: bool,
    date: String,
    source: &'a str,
}

impl FeedbackStore {
    /// Writes all decisions as JSON Lines with the fields that `copydesk filter --tune` reads, in the order in which they were
    /// made; of several on the same text, the newest. Gives their number.
    ///
    /// Feedback that comes meanwhile is neither held up nor written.
    ///
    /// # Errors
    /// [`FeedbackError::Write`], and whatever the database says.
    pub fn export(&self, out: &mut impl Write) -> Result<usize, FeedbackError> {
        let mut written = 0;
        each(&schema::open_to_read(self.path())?, 0, |decision| {
            let Decision { time, spam, source, comment } = decision;
            let record = Exported {
                text: &comment.text,
                html: &comment.html,
                author: &comment.author,
                author_url: &comment.author_url,
                email_domain: &comment.email_domain,
                page_title: &comment.page_title,
                spam,
                date: timestamp(time),
                source: &source,
            };
            serde_json::to_writer(&mut *out, &record).map_err(|error| FeedbackError::Write(error.into()))?;
            out.write_all(b"\n").map_err(FeedbackError::Write)?;
            written += 1;
            Ok(())
        })?;
        out.flush().map_err(FeedbackError::Write)?;
        Ok(written)
    }
}

/// Runs over the newest decision on each text, in order, from an id on.
pub(super) fn each(
    connection: &Connection,
    from: i64,
    mut job: impl FnMut(Decision) -> Result<(), FeedbackError>,
) -> Result<(), FeedbackError> {
    let mut statement = connection.prepare(NEWEST)?;
    let mut rows = statement.query([from])?;
    while let Some(row) = rows.next()? {
        let decision =
            Decision { time: row.get(1)?, spam: row.get(2)?, source: row.get(3)?, comment: comment_of_row(row, 4)? };
        job(decision)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Fixture, LONG, comment};
    use super::*;

    #[test]
    fn decisions_become_labelled_records() {
        let fixture = Fixture::new();
        fixture.decide(&comment("Buy \"shoes\"\nnow", "Shoe Shop", "mail.example", "https://shoes.example"), true);
        fixture.decide(&Comment::new(LONG), true);
        fixture.decide_as("elsewhere", &Comment::new(LONG), false);
        fixture.decide(&Comment { html: Some("<p>Well said, all of you.".to_owned()), ..Comment::new("") }, false);
        let mut out = Vec::new();
        assert_eq!(fixture.store.export(&mut out).unwrap(), 3);
        let out = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(
            lines[0],
            r#"{"text":"Buy \"shoes\"\nnow","author":"Shoe Shop","author_url":"https://shoes.example","email_domain":"mail.example","spam":true,"date":"2023-11-14T22:13:20Z","source":"owner"}"#
        );
        assert!(lines[1].contains(r#""spam":false"#) && lines[1].contains(r#""source":"elsewhere""#));
        assert_eq!(
            lines[2],
            r#"{"html":"<p>Well said, all of you.","spam":false,"date":"2023-11-14T22:13:20Z","source":"owner"}"#
        );
    }
}
