//! The comments in a dump of WordPress's tables, as mysqldump, mariadb-dump and phpMyAdmin write it.

use super::object::wordpress_comment;
use super::pages::{Page, Pages};
use super::sql_row::{Token, Value, tokens, values};
use super::sql_scan::SqlScan;
use crate::corpus::error::InputError;
use crate::corpus::feed::{More, Window};
use crate::corpus::lines::{LINE_LIMIT_BYTES, Next};
use crate::corpus::records::{Content, Found, RecordReader};
use memchr::{memchr_iter, memmem};
use std::collections::HashMap;
use std::io;
use std::time::Duration;

/// Bytes of a statement up to its rows, and of one that makes a table.
const STATEMENT_BYTES: usize = 256 * 1024;

/// Tables whose columns are remembered.
const MOST_TABLES: usize = 4096;

/// In messages.
const EXPORT: &str = "SQL";
const EXPECTED: &str = "a dump with WordPress's table of comments (`…_comments`)";

/// Statements that are looked for in what a broken row swallowed. Bounded, so that a hostile dump cannot have all of itself read
/// again from each of its lines.
const STATEMENTS_READ_AGAIN: usize = 64;

/// The columns of WordPress's tables, for dumps that do not name them.
const COMMENT_COLUMNS: [&str; 15] = [
    "comment_ID",
    "comment_post_ID",
    "comment_author",
    "comment_author_email",
    "comment_author_url",
    "comment_author_IP",
    "comment_date",
    "comment_date_gmt",
    "comment_content",
    "comment_karma",
    "comment_approved",
    "comment_agent",
    "comment_type",
    "comment_parent",
    "user_id",
];
const POST_COLUMNS: [&str; 23] = [
    "ID",
    "post_author",
    "post_date",
    "post_date_gmt",
    "post_content",
    "post_title",
    "post_excerpt",
    "post_status",
    "comment_status",
    "ping_status",
    "post_password",
    "post_name",
    "to_ping",
    "pinged",
    "post_modified",
    "post_modified_gmt",
    "post_content_filtered",
    "post_parent",
    "guid",
    "menu_order",
    "post_type",
    "post_mime_type",
    "comment_count",
];

/// A table of which rows are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Comments,
    Posts,
}

/// The rows that are being read.
#[derive(Clone, Debug)]
struct Insert {
    kind: Kind,
    /// What stands before `comments` or `posts` in the table's name: a site's comments belong to its posts.
    prefix: Vec<u8>,
    columns: Vec<String>,
}

/// Where in the dump the bytes at hand stand.
#[derive(Clone, Debug)]
enum Part {
    /// In a statement, of which the bytes at hand are the beginning.
    Statement,
    /// In the names of the columns of an INSERT.
    Columns { kind: Kind, prefix: Vec<u8> },
    /// In a statement that makes a table; the table's name.
    Table { name: Vec<u8> },
    /// Between rows.
    Rows(Insert),
    /// In a row; brackets that are open in it.
    Row(Insert, u32),
    /// In a statement that says nothing here.
    Rest,
}

/// Reads the rows of tables `…comments`. Those of `…posts` that come before give titles and addresses.
pub(in crate::corpus) struct SqlComments {
    window: Window,
    limit_bytes: usize,
    scan: SqlScan,
    /// How far the bytes at hand were scanned.
    at: usize,
    part: Part,
    /// Columns of tables that the dump makes.
    columns: HashMap<Vec<u8>, Vec<String>>,
    pages: Pages,
    /// Whether a table with comments was met.
    has_comments: bool,
    line: u64,
    /// The row at hand was longer than the limit.
    too_long: bool,
    /// Line on which that row begins.
    row_line: u64,
    read_again: usize,
    over: bool,
}

impl SqlComments {
    pub fn new(window: Window) -> SqlComments {
        SqlComments {
            window,
            limit_bytes: LINE_LIMIT_BYTES,
            scan: SqlScan::default(),
            at: 0,
            part: Part::Statement,
            columns: HashMap::new(),
            pages: Pages::default(),
            has_comments: false,
            line: 1,
            too_long: false,
            row_line: 1,
            read_again: STATEMENTS_READ_AGAIN,
            over: false,
        }
    }

    /// Uses up so many of the bytes at hand.
    fn consume(&mut self, length: usize) {
        self.line += memchr_iter(b'\n', &self.window.rest()[..length]).count() as u64;
        self.window.consume(length);
        self.at = self.at.saturating_sub(length);
    }

    /// Goes on past a bracket or a semicolon that ends at `self.at`; gives what that ends.
    fn pass(&mut self, sign: u8) -> Option<Found> {
        let part = std::mem::replace(&mut self.part, Part::Rest);
        let before = &self.window.rest()[..self.at - 1];
        let mut found = None;
        self.part = match (part, sign) {
            (Part::Rest, b';') => Part::Statement,
            (Part::Statement, b'(') => match begin(before, &self.columns) {
                Part::Rows(insert) => {
                    self.begin_row(insert);
                    return None;
                }
                part => part,
            },
            (Part::Statement, b')') => Part::Statement,
            (Part::Columns { kind, prefix }, b')') => {
                Part::Rows(Insert { kind, prefix, columns: names(before).collect() })
            }
            (Part::Table { name }, b';') => {
                let columns = columns_of_table(before);
                if self.columns.len() < MOST_TABLES {
                    self.columns.insert(name, columns);
                }
                Part::Statement
            }
            (Part::Table { name }, _) => {
                // The statement goes on.
                self.part = Part::Table { name };
                return None;
            }
            (Part::Rows(insert), b'(') => match has_only_values(before) {
                true => {
                    self.begin_row(insert);
                    return None;
                }
                false => Part::Rest,
            },
            (Part::Row(insert, depth), b'(' | b')') => {
                let depth = if sign == b'(' { depth.saturating_add(1) } else { depth - 1 };
                if depth > 0 {
                    self.part = Part::Row(insert, depth);
                    return None;
                }
                found = self.take_row(&insert);
                Part::Rows(insert)
            }
            // A semicolon within a row, or within names: the statement is broken.
            (Part::Row(insert, _), _) => {
                found = self.broken_row(
                    &insert,
                    InputError::BrokenComment { export: EXPORT, reason: "its row is not closed".to_owned() },
                );
                Part::Statement
            }
            (_, b';') => Part::Statement,
            _ => Part::Rest,
        };
        self.consume(self.at);
        found
    }

    /// Begins a row at the bracket that was passed last.
    fn begin_row(&mut self, insert: Insert) {
        self.consume(self.at - 1);
        self.row_line = self.line;
        self.part = Part::Row(insert, 1);
    }

    fn take_row(&mut self, insert: &Insert) -> Option<Found> {
        if std::mem::take(&mut self.too_long) || self.at > self.limit_bytes {
            return self.broken_row(insert, InputError::RecordTooLong { limit_bytes: self.limit_bytes });
        }
        let values = values(&self.window.rest()[..self.at]);
        let columns = &insert.columns;
        let value = |name: &str| -> Value<'_> {
            let at = columns.iter().position(|column| column.eq_ignore_ascii_case(name))?;
            values.get(at)?.clone()
        };
        match insert.kind {
            Kind::Posts => {
                let id = value("ID")?;
                let owned = |value: Value<'_>| value.map(|bytes| bytes.into_owned());
                let page = Page { title: owned(value("post_title")), link: owned(value("guid")) };
                self.pages.insert([&insert.prefix[..], b"\0", &id].concat(), page);
                None
            }
            Kind::Comments => {
                if !columns.iter().any(|column| column.eq_ignore_ascii_case("comment_content")) {
                    return None;
                }
                self.has_comments = true;
                let content = if values.len() != columns.len() {
                    Err(InputError::FieldCount { expected: columns.len(), got: values.len() })
                } else {
                    let page = value("comment_post_ID");
                    let page = page.and_then(|id| self.pages.get(&[&insert.prefix[..], b"\0", &id].concat()));
                    let comment = wordpress_comment(value, page);
                    comment.ok_or_else(|| InputError::MissingField { field: "comment_content".to_owned() })
                };
                Some(Found { line: self.row_line, record: None, content: content.map(Content::Object) })
            }
        }
    }

    /// A row that cannot be read; that of a post is not told.
    fn broken_row(&mut self, insert: &Insert, error: InputError) -> Option<Found> {
        self.too_long = false;
        let is_comment = insert.kind == Kind::Comments;
        self.has_comments |= is_comment;
        is_comment.then_some(Found { line: self.row_line, record: None, content: Err(error) })
    }

    /// What is at hand is longer than it may be, or the dump ends.
    fn cut(&mut self, ended: bool) -> Option<Found> {
        let part = std::mem::replace(&mut self.part, Part::Rest);
        match part {
            Part::Row(insert, depth) if ended || self.scan.is_quoted() => {
                // A quotation mark that nobody closed may have swallowed statements.
                let begin = next_statement(&self.window.rest()[..self.at]).filter(|_| self.read_again > 0);
                if begin.is_none() && !ended {
                    // A long text: the rows behind it are read.
                    self.too_long = true;
                    self.consume(self.at);
                    self.part = Part::Row(insert, depth);
                    return None;
                }
                let error = match self.too_long || self.at > self.limit_bytes {
                    true => InputError::RecordTooLong { limit_bytes: self.limit_bytes },
                    false => InputError::CutExport { export: EXPORT },
                };
                let found = self.broken_row(&insert, error);
                match begin {
                    Some(begin) => {
                        self.read_again -= 1;
                        self.consume(begin);
                        (self.at, self.scan, self.part) = (0, SqlScan::default(), Part::Statement);
                    }
                    None => {
                        self.consume(self.at);
                        self.part = Part::Rest;
                    }
                }
                found
            }
            Part::Row(insert, depth) => {
                self.too_long = true;
                self.consume(self.at);
                self.part = Part::Row(insert, depth);
                None
            }
            _ => {
                self.consume(self.at);
                None
            }
        }
    }
}

impl RecordReader for SqlComments {
    fn next(&mut self, patience: Option<Duration>) -> io::Result<Next<Found>> {
        loop {
            if self.over {
                return Ok(Next::End);
            }
            let bound = if matches!(self.part, Part::Row(..)) { self.limit_bytes } else { STATEMENT_BYTES };
            // No further than the bound, so that what becomes of a long row does not depend on how its bytes came.
            let rest = self.window.rest();
            let end = rest.len().min(bound + 1).max(self.at);
            if let Some(length) = self.scan.find(&rest[self.at..end]) {
                let sign = rest[self.at + length];
                self.at += length + 1;
                match self.pass(sign) {
                    Some(found) => return Ok(Next::Item(found)),
                    None => continue,
                }
            }
            self.at = end;
            let found = if end > bound {
                self.cut(false)
            } else if self.window.ended() {
                if rest.is_empty() || !matches!(self.part, Part::Row(..)) {
                    self.over = true;
                    self.end()
                } else {
                    self.cut(true)
                }
            } else {
                match self.window.fill(patience)? {
                    More::Pause => return Ok(Next::Pause),
                    More::Bytes | More::End => None,
                }
            };
            if let Some(found) = found {
                return Ok(Next::Item(found));
            }
        }
    }

    fn consumed(&self) -> u64 {
        self.window.consumed()
    }

    fn line(&self) -> u64 {
        self.line
    }
}

impl SqlComments {
    /// What is wrong with the dump as a whole, at its end.
    fn end(&mut self) -> Option<Found> {
        let is_whole = match self.part {
            Part::Statement => tokens(self.window.rest()).next().is_none(),
            // What was cut was told.
            Part::Rest => true,
            _ => false,
        };
        let line = self.line;
        let all = self.window.rest().len();
        self.at = all;
        self.consume(all);
        let error = match (self.has_comments, is_whole) {
            (false, _) => InputError::NoComments { expected: EXPECTED },
            (true, false) => InputError::CutExport { export: EXPORT },
            (true, true) => return None,
        };
        Some(Found { line, record: None, content: Err(error) })
    }
}

/// What begins with a bracket behind these words; `known` are the columns of tables.
fn begin(words: &[u8], known: &HashMap<Vec<u8>, Vec<String>>) -> Part {
    let mut tokens = tokens(words);
    let Some(Token::Word(verb)) = tokens.next() else { return Part::Rest };
    let is = |word: &[u8], other: &str| word.eq_ignore_ascii_case(other.as_bytes());
    let mut name: Option<Vec<u8>> = None;
    if is(verb, "create") {
        for token in tokens {
            match token {
                Token::Word(word)
                    if ["table", "if", "not", "exists", "temporary"].iter().any(|other| is(word, other)) => {}
                Token::Word(word) => name = Some(word.to_vec()),
                Token::Name(text) | Token::Text(text) => name = Some(text),
                Token::Sign(_) => {}
            }
        }
        return match name {
            Some(name) if kind_of(&name).is_some() => Part::Table { name },
            _ => Part::Rest,
        };
    }
    if !is(verb, "insert") && !is(verb, "replace") {
        return Part::Rest;
    }
    let mut has_values = false;
    for token in tokens {
        match token {
            Token::Word(word)
                if ["into", "ignore", "low_priority", "delayed", "high_priority"]
                    .iter()
                    .any(|other| is(word, other)) => {}
            Token::Word(word) if is(word, "values") || is(word, "value") => has_values = true,
            Token::Word(word) => name = Some(word.to_vec()),
            Token::Name(text) | Token::Text(text) => name = Some(text),
            Token::Sign(_) => {}
        }
    }
    let Some(name) = name else { return Part::Rest };
    let Some((kind, prefix)) = kind_of(&name) else { return Part::Rest };
    if !has_values {
        return Part::Columns { kind, prefix };
    }
    let columns = match known.get(&name) {
        Some(columns) => columns.clone(),
        None if kind == Kind::Comments => COMMENT_COLUMNS.map(str::to_owned).to_vec(),
        None => POST_COLUMNS.map(str::to_owned).to_vec(),
    };
    Part::Rows(Insert { kind, prefix, columns })
}

/// The table that a name means, and what stands before the name that WordPress gives it.
fn kind_of(name: &[u8]) -> Option<(Kind, Vec<u8>)> {
    let named = |end: &str| {
        let prefix = name.len().checked_sub(end.len()).map(|length| name.split_at(length))?;
        let is = prefix.1.eq_ignore_ascii_case(end.as_bytes()) && matches!(prefix.0.last(), None | Some(b'_'));
        is.then(|| prefix.0.to_vec())
    };
    let comments = named("comments").map(|prefix| (Kind::Comments, prefix));
    comments.or_else(|| named("posts").map(|prefix| (Kind::Posts, prefix)))
}

fn names(bytes: &[u8]) -> impl Iterator<Item = String> {
    tokens(bytes).filter_map(|token| match token {
        Token::Name(name) | Token::Text(name) => Some(String::from_utf8_lossy(&name).into_owned()),
        Token::Word(name) => Some(String::from_utf8_lossy(name).into_owned()),
        Token::Sign(_) => None,
    })
}

/// The columns that a statement gives a table; `body` begins behind its first bracket.
fn columns_of_table(body: &[u8]) -> Vec<String> {
    const KEYS: [&str; 9] =
        ["primary", "key", "unique", "fulltext", "constraint", "index", "check", "foreign", "spatial"];
    let (mut columns, mut depth, mut begins) = (Vec::new(), 0_u32, true);
    for token in tokens(body) {
        let first = std::mem::take(&mut begins);
        match token {
            Token::Sign(b'(') => depth += 1,
            Token::Sign(b')') if depth == 0 => break,
            Token::Sign(b')') => depth -= 1,
            Token::Sign(b',') if depth == 0 => begins = true,
            Token::Name(name) | Token::Text(name) if first => columns.push(String::from_utf8_lossy(&name).into_owned()),
            Token::Word(name) if first && !KEYS.iter().any(|key| name.eq_ignore_ascii_case(key.as_bytes())) => {
                columns.push(String::from_utf8_lossy(name).into_owned());
            }
            _ => {}
        }
    }
    columns
}

/// Whether nothing but a comma or `VALUES` stands there.
fn has_only_values(between: &[u8]) -> bool {
    tokens(between).all(|token| match token {
        Token::Word(word) => word.eq_ignore_ascii_case(b"values") || word.eq_ignore_ascii_case(b"value"),
        Token::Sign(sign) => sign == b',',
        Token::Name(_) | Token::Text(_) => false,
    })
}

/// Where a line begins a statement, behind the first line.
fn next_statement(bytes: &[u8]) -> Option<usize> {
    let beginnings = ["\nINSERT INTO ", "\nCREATE TABLE ", "\nREPLACE INTO "];
    beginnings.iter().filter_map(|begin| memmem::find(bytes, begin.as_bytes())).min().map(|at| at + 1)
}

#[cfg(test)]
mod tests;
