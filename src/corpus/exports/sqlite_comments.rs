//! The comments in Isso's SQLite database.
//!
//! The database is never written to, and no file is made beside it. One that has a journal, as of a server that runs or was killed, is
//! copied with it and read there.

use super::object::CommentObject;
use crate::corpus::error::InputError;
use crate::corpus::feed::Window;
use crate::corpus::lines::{LINE_LIMIT_BYTES, Next};
use crate::corpus::records::{Content, Found, RecordReader};
use rusqlite::limits::Limit;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OpenFlags, params};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// Comments that are read at a time.
const BATCH: usize = 64;

/// Where a database's header says how it is written; 2 stands for a journal of its own (WAL).
const WRITE_VERSION: usize = 18;

/// Columns of Isso's table of comments besides the id, with the names of fields.
const COLUMNS: [(&str, &str); 8] = [
    ("text", "text"),
    ("author", "author"),
    ("website", "author_url"),
    ("email", "author_email"),
    ("created", "date"),
    ("remote_addr", "ip"),
    ("mode", "status"),
    ("parent", "parent"),
];

/// Reads the table `comments` with the titles and addresses in `threads`.
pub(in crate::corpus) struct SqliteComments {
    connection: Connection,
    /// What the database was copied to.
    _copy: Option<TempDir>,
    query: String,
    limit_bytes: i64,
    after: i64,
    ready: VecDeque<Found>,
    row: u64,
    size_bytes: u64,
    over: bool,
}

impl SqliteComments {
    /// Opens a database; `file` is where it lies, if that is known. Of all others a copy is made first.
    ///
    /// # Errors
    /// What keeps it from being read, or [`InputError::NoComments`].
    pub fn open(mut window: Window, file: Option<&Path>) -> Result<SqliteComments, InputError> {
        let (connection, copy, size_bytes) = match file {
            Some(path) => {
                let size = fs::metadata(path).map_err(InputError::Unreadable)?.len();
                match needs_copy(path).map_err(InputError::Unreadable)? {
                    false => (open(path, false)?, None, size),
                    true => {
                        let copy = copied(path).map_err(InputError::Unreadable)?;
                        (open(&copy.path().join("copy.db"), true)?, Some(copy), size)
                    }
                }
            }
            None => {
                let folder = tempfile::tempdir().map_err(InputError::Unreadable)?;
                let path = folder.path().join("copy.db");
                let spooled = File::create(&path).and_then(|mut file| io::copy(&mut window, &mut file));
                (open(&path, true)?, Some(folder), spooled.map_err(InputError::Unreadable)?)
            }
        };
        let query = query(&connection)?;
        Ok(SqliteComments {
            connection,
            _copy: copy,
            query,
            limit_bytes: LINE_LIMIT_BYTES as i64,
            after: i64::MIN,
            ready: VecDeque::new(),
            row: 0,
            size_bytes,
            over: false,
        })
    }

    fn read_batch(&mut self) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare(&self.query)?;
        let mut rows = statement.query(params![self.after, self.limit_bytes])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            count += 1;
            self.row += 1;
            self.after = row.get(0)?;
            let bytes: i64 = row.get(1)?;
            let content = if bytes > self.limit_bytes {
                Err(InputError::RecordTooLong { limit_bytes: LINE_LIMIT_BYTES })
            } else {
                object(row)
            };
            self.ready.push_back(Found { line: self.row, record: None, content: content.map(Content::Object) });
        }
        self.over = count < BATCH;
        Ok(())
    }
}

/// Whether a file must be copied to be read without a trace.
fn needs_copy(path: &Path) -> io::Result<bool> {
    let mut header = Vec::new();
    File::open(path)?.take(100).read_to_end(&mut header)?;
    let has_journal = beside(path, "-journal").exists();
    Ok(has_journal || header.get(WRITE_VERSION..WRITE_VERSION + 2).is_some_and(|versions| versions.contains(&2)))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// A copy with all that belongs to it.
fn copied(path: &Path) -> io::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let copy = folder.path().join("copy.db");
    fs::copy(path, &copy)?;
    for suffix in ["-wal", "-journal"] {
        match fs::copy(beside(path, suffix), beside(&copy, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(folder)
}

fn broken(error: &rusqlite::Error) -> InputError {
    InputError::Unreadable(io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
}

/// `is_copy`: a copy of our own, into which a journal may be played back.
fn open(path: &Path, is_copy: bool) -> Result<Connection, InputError> {
    let access = if is_copy { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
    let opened = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    let connection = opened.map_err(|error| broken(&error))?;
    let prepared = (|| {
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, 4 * LINE_LIMIT_BYTES as i32)?;
        // What is in the file must not run what it likes.
        connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;")
    })();
    prepared.map_err(|error| broken(&error))?;
    Ok(connection)
}

/// What is asked: the id, the bytes of all columns together, and those columns that this version of Isso has.
fn query(connection: &Connection) -> Result<String, InputError> {
    let none = InputError::NoComments { expected: "a database of Isso (tables `comments` and `threads`)" };
    let columns = |table: &str| -> rusqlite::Result<Vec<String>> {
        let mut statement = connection.prepare(
            "SELECT c.name FROM sqlite_schema s JOIN pragma_table_info(s.name) c \
             WHERE s.type = 'table' AND s.name = ?1 AND s.sql NOT LIKE 'CREATE VIRTUAL%'",
        )?;
        statement.query_map([table], |row| row.get(0))?.collect()
    };
    let comments = columns("comments").map_err(|error| broken(&error))?;
    let threads = columns("threads").map_err(|error| broken(&error))?;
    let has = |columns: &[String], name: &str| columns.iter().any(|column| column == name);
    if !has(&comments, "id") || !has(&comments, "text") || !has(&comments, "tid") || !has(&threads, "id") {
        return Err(none);
    }
    let mut chosen = Vec::new();
    for (column, field) in COLUMNS.iter().filter(|(column, _)| has(&comments, column)) {
        chosen.push((format!("c.{column}"), *field));
    }
    for (column, field) in [("title", "page_title"), ("uri", "permalink")] {
        if has(&threads, column) {
            chosen.push((format!("t.{column}"), field));
        }
    }
    let bytes: Vec<String> = chosen.iter().map(|(column, _)| format!("coalesce(octet_length({column}), 0)")).collect();
    let bytes = bytes.join(" + ");
    let values: Vec<String> = chosen
        .iter()
        .map(|(column, field)| format!("CASE WHEN {bytes} > ?2 THEN NULL ELSE {column} END AS {field}"))
        .collect();
    Ok(format!(
        "SELECT c.id, {bytes}, {} FROM comments c LEFT JOIN threads t ON t.id = c.tid WHERE c.id > ?1 ORDER BY c.id LIMIT {BATCH}",
        values.join(", ")
    ))
}

fn object(row: &rusqlite::Row<'_>) -> Result<Vec<u8>, InputError> {
    let value = |name: &str| row.get_ref(name).ok().filter(|value| *value != ValueRef::Null);
    let bytes = |name: &str| match value(name)? {
        ValueRef::Text(text) | ValueRef::Blob(text) => Some(text.to_vec()),
        ValueRef::Integer(number) => Some(number.to_string().into_bytes()),
        ValueRef::Real(number) => Some(number.to_string().into_bytes()),
        ValueRef::Null => None,
    };
    let content = bytes("text").ok_or_else(|| InputError::MissingField { field: "text".to_owned() })?;
    let mut object = CommentObject::new();
    object.push("id", row.get::<_, i64>(0).ok().map(|id| id.to_string()));
    object.push_content(&content);
    for name in ["author", "author_url", "author_email", "page_title", "permalink"] {
        object.push(name, bytes(name));
    }
    match value("date").map(Value::try_from) {
        Some(Ok(Value::Integer(seconds))) => object.push_json("date", seconds.to_string().as_bytes()),
        Some(Ok(Value::Real(seconds))) if seconds.is_finite() => {
            object.push_json("date", seconds.to_string().as_bytes())
        }
        _ => object.push("date", bytes("date")),
    }
    object.push("ip", bytes("ip"));
    let status = bytes("status").map(|mode| match &mode[..] {
        b"1" => b"approved".to_vec(),
        b"2" => b"pending".to_vec(),
        b"4" => b"deleted".to_vec(),
        _ => mode,
    });
    object.push("status", status);
    object.push("kind", Some("comment"));
    object.push("parent", bytes("parent"));
    Ok(object.finish())
}

impl RecordReader for SqliteComments {
    fn next(&mut self, _: Option<Duration>) -> io::Result<Next<Found>> {
        loop {
            if let Some(found) = self.ready.pop_front() {
                return Ok(Next::Item(found));
            }
            if self.over {
                return Ok(Next::End);
            }
            if let Err(error) = self.read_batch() {
                // What was read before comes first.
                self.over = true;
                let content = Err(broken(&error));
                self.ready.push_back(Found { line: self.row + 1, record: None, content });
            }
        }
    }

    fn consumed(&self) -> u64 {
        if self.over { self.size_bytes } else { 0 }
    }

    fn line(&self) -> u64 {
        self.row
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::feed::Feed;
    use serde_json::{Value as Json, json};

    const SCHEMA: &str = "CREATE TABLE threads (id INTEGER PRIMARY KEY, uri VARCHAR(256) UNIQUE, title VARCHAR(256));
        CREATE TABLE comments (tid REFERENCES threads(id), id INTEGER PRIMARY KEY, parent INTEGER, created FLOAT NOT NULL,
        modified FLOAT, mode INTEGER, remote_addr VARCHAR, text VARCHAR, author VARCHAR, email VARCHAR, website VARCHAR,
        likes INTEGER DEFAULT 0, dislikes INTEGER DEFAULT 0, voters BLOB NOT NULL DEFAULT x'');
        INSERT INTO threads VALUES (1, '/bread/', 'Bread');";

    fn read(file: Option<&Path>, bytes: &[u8]) -> Result<Vec<Json>, String> {
        let window = Window::new(Feed::of(io::Cursor::new(bytes.to_vec())));
        let mut comments = SqliteComments::open(window, file).map_err(|error| error.to_string())?;
        let mut found = Vec::new();
        while let Next::Item(Found { content, .. }) = comments.next(None).unwrap() {
            found.push(match content {
                Ok(Content::Object(object)) => serde_json::from_slice(&object).unwrap(),
                Ok(Content::Page(page)) => panic!("{page:?}"),
                Err(error) => Json::String(error.to_string()),
            });
        }
        Ok(found)
    }

    fn files(folder: &Path) -> Vec<(OsString, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap()))
            .collect();
        files.sort();
        files
    }

    #[test]
    fn comments_come_with_their_thread_and_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("isso.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        let insert = "INSERT INTO comments (tid, created, mode, remote_addr, text, author, website) VALUES (1, 12.5, ?1, '192.0.2.0', ?2, 'Ann', NULL)";
        connection.execute(insert, params![2, "One *two*"]).unwrap();
        connection.execute(insert, params![1, "x".repeat(LINE_LIMIT_BYTES)]).unwrap();
        for number in 0..2 * BATCH {
            connection.execute(insert, params![4, format!("n{number}")]).unwrap();
        }
        drop(connection);
        let before = files(folder.path());
        let found = read(Some(&path), b"").unwrap();
        assert_eq!(files(folder.path()), before);
        assert_eq!(
            found[0],
            json!({"id": "1", "text": "One *two*", "author": "Ann", "page_title": "Bread", "permalink": "/bread/", "date": 12.5,
                "ip": "192.0.2.0", "status": "pending", "kind": "comment"})
        );
        assert_eq!(found[1], "record longer than 16777216 bytes");
        assert_eq!(
            (found.len(), &found[2 * BATCH + 1]["text"]),
            (2 * BATCH + 2, &json!(format!("n{}", 2 * BATCH - 1)))
        );
        assert_eq!(read(None, &before[0].1).unwrap(), found);
    }

    #[test]
    fn what_stands_in_a_journal_is_read_without_a_trace() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("isso.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;").unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        connection.execute_batch("INSERT INTO comments (tid, created, text) VALUES (1, 7, 'a')").unwrap();
        let before = files(folder.path());
        let found = read(Some(&path), b"").unwrap();
        assert_eq!((found.len(), &found[0]["text"], &found[0]["date"]), (1, &json!("a"), &json!(7)));
        assert_eq!(files(folder.path()), before);
    }

    #[test]
    fn other_and_damaged_databases_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch("CREATE VIEW comments AS SELECT 1 AS id, 2 AS tid, 'x' AS text; CREATE TABLE threads (id);")
            .unwrap();
        drop(connection);
        assert!(read(Some(&path), b"").unwrap_err().contains("a database of Isso"));
        let mut bytes = fs::read(&path).unwrap();
        bytes[100..].fill(0xff);
        assert!(read(None, &bytes).is_err());
        assert!(read(None, b"SQLite format 3\0").is_err());
    }
}
