//! The store: recent verdicts, and decisions that last.

use super::day::{DAY_SECONDS, date, now};
use super::evidence::{self, Tally};
use super::traces::Traces;
use super::{FeedbackError, schema};
use crate::comment::{Comment, Evidence, Judgement, Sketch};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, Transaction, TransactionBehavior, params, params_from_iter};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Verdicts that are kept where nothing else is asked for.
const KEPT: usize = 10_000;

/// Characters of a text that a kept verdict holds.
const VERDICT_CHARACTERS: usize = 2_000;

/// Characters of a text that a decision keeps: more than any model reads of a comment.
const TEXT_CHARACTERS: usize = 64 * 1024;

/// Characters of any other field.
const FIELD_CHARACTERS: usize = 500;

/// Verdicts that are written together.
const TOGETHER: usize = 128;

/// The longest time that a verdict waits for others while more come.
const WAIT: Duration = Duration::from_millis(500);

/// Verdicts of one second that get an id of their own, so that ids given before a crash are not given again after it.
const IDS_A_SECOND: i64 = 1 << 20;

/// What an owner says of a comment.
#[derive(Clone, Debug, PartialEq)]
pub struct Feedback {
    /// The comment that is meant.
    pub subject: Subject,
    /// Whether it is spam.
    pub spam: bool,
    /// Who says so: the name of a key or a site. The newest word of one source on the same text counts.
    pub source: String,
    /// Seconds since 1970-01-01.
    pub time: i64,
}

/// The comment that feedback is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// The comment itself.
    Comment(Comment),
    /// The id of a verdict that is kept and was given to the source of the feedback.
    Verdict(i64),
}

/// A verdict that was given.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Verdict {
    /// Its id; ids grow with time. As text in JSON: not every reader takes numbers of this size exactly.
    #[serde(serialize_with = "as_text")]
    pub id: i64,
    /// Seconds since 1970-01-01.
    pub time: i64,
    /// The key or site that asked.
    pub source: String,
    /// The name that the author gave.
    pub author: Option<String>,
    /// The comment, up to 2,000 characters of it.
    pub text: String,
    /// Whether it counted as spam.
    pub spam: bool,
    /// The probability of spam, 0 to 1.
    pub spam_score: f32,
    /// What spoke most for the verdict.
    pub reason: String,
    /// What the owner said of it since: whether it is spam.
    pub feedback: Option<bool>,
}

fn as_text<S: serde::Serializer>(id: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

/// What happened on one day, in UTC.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct DayCounts {
    /// As `2026-11-29`.
    pub day: String,
    /// Verdicts "not spam".
    pub genuine: u64,
    /// Verdicts "spam".
    pub spam: u64,
    /// Comments that the owner marked as spam.
    pub marked_spam: u64,
    /// Comments that the owner marked as not spam.
    pub marked_genuine: u64,
}

/// A comment as it is stored, beside what it is found by.
struct Stored {
    comment: Comment,
    words: Vec<u8>,
    subject: Vec<u8>,
    sketch: Option<Vec<u8>>,
    author: Option<String>,
    hosts: String,
}

/// A verdict on its way to the file.
struct Given {
    id: i64,
    time: i64,
    source: String,
    stored: Stored,
    spam: bool,
    score: f32,
    reason: String,
}

/// What waits to be written together.
#[derive(Default)]
struct Waiting {
    since: Option<Instant>,
    verdicts: Vec<Given>,
    /// By day: genuine and spam.
    days: BTreeMap<i64, (u64, u64)>,
    comments: usize,
}

/// Verdicts and decisions in one SQLite file, shared between threads.
///
/// A decision that [`FeedbackStore::record`] has acknowledged is on disk. Verdicts are written in groups: a crash can lose the last
/// of them, but no decision.
#[derive(Debug)]
pub struct FeedbackStore {
    path: PathBuf,
    keep: usize,
    next_id: AtomicI64,
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
    waiting: Mutex<Waiting>,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Waiting").field("comments", &self.comments).finish_non_exhaustive()
    }
}

impl FeedbackStore {
    /// Opens a store; where there is no file it makes one that only its owner can read.
    ///
    /// # Errors
    /// [`FeedbackError::Damaged`], [`FeedbackError::Foreign`] and [`FeedbackError::NewerVersion`] for a file that is not ours to
    /// write; it stays as it is. [`FeedbackError::Open`] for one that cannot be opened or made.
    pub fn open(path: &Path) -> Result<FeedbackStore, FeedbackError> {
        let writer = schema::open(path)?;
        let reader = schema::open_to_read(path)?;
        let newest: i64 = writer.query_row("SELECT coalesce(max(id), 0) FROM verdicts", [], |row| row.get(0))?;
        let next_id = now().saturating_mul(IDS_A_SECOND).max(newest + 1);
        Ok(FeedbackStore {
            path: path.to_owned(),
            keep: KEPT,
            next_id: AtomicI64::new(next_id),
            writer: Mutex::new(writer),
            reader: Mutex::new(reader),
            waiting: Mutex::default(),
        })
    }

    /// The number of verdicts that are kept, 10,000 by default; with 0 no text of a comment is stored but of those that the
    /// owner decides on.
    pub fn keep(mut self, verdicts: usize) -> FeedbackStore {
        self.keep = verdicts;
        self
    }

    /// Whether any are kept.
    pub fn keeps_verdicts(&self) -> bool {
        self.keep > 0
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Counts a verdict and keeps it, so that it can be shown and decided on by its id; `source` names the key or site that
    /// asked, `time` is in seconds since 1970-01-01. No id where none are kept.
    ///
    /// # Errors
    /// Whatever the database says when a group of verdicts is written; that group is lost.
    pub fn remember(
        &self,
        comment: &Comment,
        judgement: &Judgement,
        source: &str,
        time: i64,
    ) -> Result<Option<i64>, FeedbackError> {
        let traces = if self.keep > 0 { Traces::of(comment) } else { None };
        let given = traces.map(|traces| Given {
            id: self.next_id.fetch_add(1, Ordering::Relaxed),
            time,
            source: cut(source, FIELD_CHARACTERS),
            stored: Stored::new(comment, &traces, VERDICT_CHARACTERS),
            spam: judgement.spam,
            score: judgement.score,
            reason: cut(&judgement.reason, FIELD_CHARACTERS),
        });
        let id = given.as_ref().map(|given| given.id);
        let due = {
            let mut waiting = lock(&self.waiting);
            let day = waiting.days.entry(time.div_euclid(DAY_SECONDS)).or_default();
            if judgement.spam {
                day.1 += 1
            } else {
                day.0 += 1
            }
            waiting.verdicts.extend(given);
            waiting.comments += 1;
            let since = *waiting.since.get_or_insert_with(Instant::now);
            waiting.comments >= TOGETHER || since.elapsed() >= WAIT
        };
        if due {
            self.flush()?;
        }
        Ok(id)
    }

    /// Writes the verdicts that wait.
    ///
    /// # Errors
    /// Whatever the database says; what waited is lost.
    pub fn flush(&self) -> Result<(), FeedbackError> {
        let mut writer = lock(&self.writer);
        // Taken under the writer's lock, so that whoever comes after finds them in the file.
        let waiting = std::mem::take(&mut *lock(&self.waiting));
        if waiting.comments == 0 {
            return Ok(());
        }
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for given in &waiting.verdicts {
            insert_verdict(&transaction, given)?;
        }
        for (day, (genuine, spam)) in waiting.days {
            transaction
                .prepare_cached(
                    "INSERT INTO days (day, genuine, spam) VALUES (?1, ?2, ?3)
                     ON CONFLICT (day) DO UPDATE SET genuine = genuine + ?2, spam = spam + ?3",
                )?
                .execute(params![day, genuine as i64, spam as i64])?;
        }
        transaction
            .prepare_cached(
                "DELETE FROM verdicts WHERE id <= (SELECT id FROM verdicts ORDER BY id DESC LIMIT 1 OFFSET ?1)",
            )?
            .execute([i64::try_from(self.keep).unwrap_or(i64::MAX)])?;
        transaction.commit()?;
        Ok(())
    }

    /// Stores what an owner says. When it returns, the decision is on disk and counts for the next comment.
    ///
    /// # Errors
    /// [`FeedbackError::UnknownVerdict`] for the id of a verdict that is not kept or was given to another source, [`FeedbackError::NoText`] for a comment without
    /// text, and whatever the database says; nothing is stored then.
    pub fn record(&self, feedback: &Feedback) -> Result<(), FeedbackError> {
        self.flush()?;
        let mut writer = lock(&self.writer);
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let source = cut(&feedback.source, FIELD_CHARACTERS);
        let stored = match &feedback.subject {
            Subject::Comment(comment) => {
                let traces = Traces::of(comment).ok_or(FeedbackError::NoText)?;
                Stored::new(comment, &traces, TEXT_CHARACTERS)
            }
            &Subject::Verdict(id) => transaction
                .prepare_cached(&format!("SELECT {} FROM verdicts WHERE id = ?1 AND source = ?2", Stored::COLUMNS))?
                .query_row(params![id, source], Stored::of_row)
                .optional()?
                .ok_or(FeedbackError::UnknownVerdict { id })?,
        };
        let before = take_back(&transaction, &stored, &source)?;
        decide(&transaction, feedback, &stored, &source)?;
        if before != Some(feedback.spam) {
            let column = if feedback.spam { "marked_spam" } else { "marked_genuine" };
            transaction
                .prepare_cached(&format!(
                    "INSERT INTO days (day, {column}) VALUES (?1, 1)
                     ON CONFLICT (day) DO UPDATE SET {column} = {column} + 1"
                ))?
                .execute([feedback.time.div_euclid(DAY_SECONDS)])?;
        }
        transaction
            .prepare_cached("UPDATE verdicts SET feedback = ?1 WHERE subject = ?2")?
            .execute(params![feedback.spam, stored.subject])?;
        transaction.commit()?;
        Ok(())
    }

    /// What earlier decisions say of a comment; `None` where they say nothing.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn evidence(&self, comment: &Comment) -> Result<Option<Evidence>, FeedbackError> {
        match Traces::of(comment) {
            Some(traces) => evidence::find(&lock(&self.reader), &traces),
            None => Ok(None),
        }
    }

    /// The newest verdicts that were given to a source, the last given first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn verdicts(&self, source: &str, limit: usize) -> Result<Vec<Verdict>, FeedbackError> {
        self.flush()?;
        let reader = lock(&self.reader);
        let mut statement = reader.prepare_cached(
            "SELECT id, time, source, author, text, html, spam, score, reason, feedback
             FROM verdicts WHERE source = ?1 ORDER BY id DESC LIMIT ?2",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![cut(source, FIELD_CHARACTERS), limit], |row| {
            let text: String = row.get(4)?;
            Ok(Verdict {
                id: row.get(0)?,
                time: row.get(1)?,
                source: row.get(2)?,
                author: row.get(3)?,
                text: if text.is_empty() { row.get::<_, Option<String>>(5)?.unwrap_or_default() } else { text },
                spam: row.get(6)?,
                spam_score: row.get(7)?,
                reason: row.get(8)?,
                feedback: row.get(9)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What happened on the newest days on which something did, the oldest first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn counts(&self, days: usize) -> Result<Vec<DayCounts>, FeedbackError> {
        self.flush()?;
        let reader = lock(&self.reader);
        let mut statement = reader.prepare_cached(
            "SELECT day, genuine, spam, marked_spam, marked_genuine FROM days ORDER BY day DESC LIMIT ?1",
        )?;
        let rows = statement.query_map([i64::try_from(days).unwrap_or(i64::MAX)], |row| {
            let count = |column: usize| row.get::<_, i64>(column).map(|count| count.max(0) as u64);
            Ok(DayCounts {
                day: date(row.get(0)?),
                genuine: count(1)?,
                spam: count(2)?,
                marked_spam: count(3)?,
                marked_genuine: count(4)?,
            })
        })?;
        let mut counts = rows.collect::<Result<Vec<_>, _>>()?;
        counts.reverse();
        Ok(counts)
    }

    /// Runs something on the connection that writes.
    pub(super) fn write<T>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, FeedbackError> {
        Ok(job(&lock(&self.writer))?)
    }

    /// Runs something on the connection that reads.
    pub(super) fn read<T>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, FeedbackError> {
        Ok(job(&lock(&self.reader))?)
    }
}

impl Drop for FeedbackStore {
    fn drop(&mut self) {
        // Nobody is left to tell, and no decision is among what waits.
        let _ = self.flush();
    }
}

impl Stored {
    const COLUMNS: &'static str =
        "text, html, author, author_url, email_domain, page_title, words, subject, sketch, author_key, hosts";

    fn new(comment: &Comment, traces: &Traces, characters: usize) -> Stored {
        let field = |value: &Option<String>| value.as_deref().map(|value| cut(value, FIELD_CHARACTERS));
        let text = cut(comment.text.trim(), characters);
        // The markup repeats the text; its links are among the hosts.
        let html = if text.is_empty() { comment.html.as_deref().map(|html| cut(html, characters)) } else { None };
        Stored {
            comment: Comment {
                text,
                html,
                author: field(&comment.author),
                author_url: field(&comment.author_url),
                email_domain: field(&comment.email_domain),
                page_title: field(&comment.page_title),
                page_text: None,
            },
            words: traces.words.to_vec(),
            subject: traces.subject.to_vec(),
            sketch: traces.sketch.map(|sketch| sketch.to_bytes().to_vec()),
            author: traces.author.clone(),
            hosts: traces.hosts.join(" "),
        }
    }

    /// What stands in those columns.
    fn values(&self) -> [&dyn ToSql; 11] {
        let Stored { comment, words, subject, sketch, author, hosts } = self;
        [
            &comment.text,
            &comment.html,
            &comment.author,
            &comment.author_url,
            &comment.email_domain,
            &comment.page_title,
            words,
            subject,
            sketch,
            author,
            hosts,
        ]
    }

    /// Of the columns above, the first ones of a row.
    fn of_row(row: &Row) -> Result<Stored, rusqlite::Error> {
        Ok(Stored {
            comment: comment_of_row(row, 0)?,
            words: row.get(6)?,
            subject: row.get(7)?,
            sketch: row.get(8)?,
            author: row.get(9)?,
            hosts: row.get(10)?,
        })
    }

    /// What decisions on it are counted under.
    fn tallied(&self) -> impl Iterator<Item = (Tally, &str)> {
        let author = self.author.iter().map(|author| (Tally::Author, author.as_str()));
        author.chain(self.hosts.split_whitespace().map(|host| (Tally::Host, host)))
    }
}

/// Of the columns `text, html, author, author_url, email_domain, page_title`.
pub(super) fn comment_of_row(row: &Row, first: usize) -> Result<Comment, rusqlite::Error> {
    Ok(Comment {
        text: row.get(first)?,
        html: row.get(first + 1)?,
        author: row.get(first + 2)?,
        author_url: row.get(first + 3)?,
        email_domain: row.get(first + 4)?,
        page_title: row.get(first + 5)?,
        page_text: None,
    })
}

fn insert_verdict(transaction: &Transaction, given: &Given) -> Result<(), rusqlite::Error> {
    let mut statement = transaction.prepare_cached(&format!(
        "INSERT INTO verdicts ({}, id, time, source, spam, score, reason, feedback)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
             (SELECT spam FROM feedback WHERE subject = ?8 ORDER BY id DESC LIMIT 1))",
        Stored::COLUMNS
    ))?;
    let own: [&dyn ToSql; 6] =
        [&given.id, &given.time, &given.source, &given.spam, &f64::from(given.score), &given.reason];
    statement.execute(params_from_iter(given.stored.values().into_iter().chain(own)))?;
    Ok(())
}

/// Removes what a source said of a comment before, with all that was counted of it; gives what that was.
fn take_back(transaction: &Transaction, stored: &Stored, source: &str) -> Result<Option<bool>, rusqlite::Error> {
    let before = transaction
        .prepare_cached(&format!(
            "SELECT {}, id, spam FROM feedback WHERE subject = ?1 AND source = ?2",
            Stored::COLUMNS
        ))?
        .query_row(params![stored.subject, source], |row| {
            Ok((Stored::of_row(row)?, row.get::<_, i64>(11)?, row.get::<_, bool>(12)?))
        })
        .optional()?;
    let Some((before, id, spam)) = before else { return Ok(None) };
    count(transaction, &before, spam, -1)?;
    let mut statement = transaction.prepare_cached("DELETE FROM bands WHERE band = ?1 AND feedback = ?2")?;
    for band in bands(&before) {
        statement.execute(params![band, id])?;
    }
    transaction.prepare_cached("DELETE FROM feedback WHERE id = ?1")?.execute([id])?;
    Ok(Some(spam))
}

fn decide(
    transaction: &Transaction,
    feedback: &Feedback,
    stored: &Stored,
    source: &str,
) -> Result<(), rusqlite::Error> {
    let own: [&dyn ToSql; 3] = [&feedback.time, &source, &feedback.spam];
    transaction
        .prepare_cached(&format!(
            "INSERT INTO feedback ({}, time, source, spam)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            Stored::COLUMNS
        ))?
        .execute(params_from_iter(stored.values().into_iter().chain(own)))?;
    let id = transaction.last_insert_rowid();
    let mut statement = transaction.prepare_cached("INSERT OR IGNORE INTO bands (band, feedback) VALUES (?1, ?2)")?;
    for band in bands(stored) {
        statement.execute(params![band, id])?;
    }
    count(transaction, stored, feedback.spam, 1)
}

fn bands(stored: &Stored) -> impl Iterator<Item = i64> {
    let sketch = stored.sketch.as_deref().and_then(Sketch::from_bytes);
    sketch.into_iter().flat_map(|sketch| sketch.bands()).map(|band| band as i64)
}

fn count(transaction: &Transaction, stored: &Stored, spam: bool, by: i64) -> Result<(), rusqlite::Error> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO tallies (kind, name, spam, genuine) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (kind, name) DO UPDATE SET spam = spam + ?3, genuine = genuine + ?4",
    )?;
    let (spam, genuine) = if spam { (by, 0) } else { (0, by) };
    for (kind, name) in stored.tallied() {
        statement.execute(params![kind as i64, name, spam, genuine])?;
    }
    Ok(())
}

fn cut(text: &str, characters: usize) -> String {
    text.char_indices().nth(characters).map_or(text, |(end, _)| &text[..end]).to_owned()
}

/// A thread that failed while it held the lock left no statement half done: the database rolls those back.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
