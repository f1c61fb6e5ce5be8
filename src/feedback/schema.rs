//! The file: opened, checked, and brought to the newest version.

use super::FeedbackError;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

/// Marks our files among SQLite databases: "copy" in ASCII.
const APPLICATION_ID: i64 = 0x636f_7079;

/// How long a write waits for another process.
const BUSY: Duration = Duration::from_secs(5);

/// Statements that lead from each version to the next; a new file goes through all.
const STEPS: &[&str] = &["
    CREATE TABLE feedback (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        time INTEGER NOT NULL,
        source TEXT NOT NULL,
        spam INTEGER NOT NULL,
        text TEXT NOT NULL,
        html TEXT,
        author TEXT,
        author_url TEXT,
        email_domain TEXT,
        page_title TEXT,
        words BLOB NOT NULL,
        subject BLOB NOT NULL,
        sketch BLOB,
        author_key TEXT,
        hosts TEXT NOT NULL,
        UNIQUE (subject, source)
    ) STRICT;
    CREATE INDEX feedback_words ON feedback (words);
    CREATE TABLE bands (
        band INTEGER NOT NULL,
        feedback INTEGER NOT NULL,
        PRIMARY KEY (band, feedback)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE tallies (
        kind INTEGER NOT NULL,
        name TEXT NOT NULL,
        spam INTEGER NOT NULL,
        genuine INTEGER NOT NULL,
        PRIMARY KEY (kind, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE verdicts (
        id INTEGER PRIMARY KEY,
        time INTEGER NOT NULL,
        source TEXT NOT NULL,
        text TEXT NOT NULL,
        html TEXT,
        author TEXT,
        author_url TEXT,
        email_domain TEXT,
        page_title TEXT,
        spam INTEGER NOT NULL,
        score REAL NOT NULL,
        reason TEXT NOT NULL,
        words BLOB NOT NULL,
        subject BLOB NOT NULL,
        sketch BLOB,
        author_key TEXT,
        hosts TEXT NOT NULL,
        feedback INTEGER
    ) STRICT;
    CREATE INDEX verdicts_subject ON verdicts (subject);
    CREATE TABLE days (
        day INTEGER PRIMARY KEY,
        genuine INTEGER NOT NULL DEFAULT 0,
        spam INTEGER NOT NULL DEFAULT 0,
        marked_spam INTEGER NOT NULL DEFAULT 0,
        marked_genuine INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE adaptations (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        time INTEGER NOT NULL,
        accepted INTEGER NOT NULL,
        slope REAL NOT NULL,
        offset REAL NOT NULL,
        threshold REAL NOT NULL,
        report TEXT NOT NULL
    ) STRICT;
"];

/// Opens a store for writing, made where there is none, and brings it to the newest version.
pub(super) fn open(path: &Path) -> Result<Connection, FeedbackError> {
    create(path)?;
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    check(path, &connection).map_err(|error| damaged(path, error))?;
    prepare(path, &mut connection, STEPS).map_err(|error| damaged(path, error))?;
    Ok(connection)
}

/// Opens a store that [`open`] has checked, for reading alone.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, FeedbackError> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// Makes the file before the database does, so that nobody else can ever read it: it holds what people wrote.
fn create(path: &Path) -> Result<(), FeedbackError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(FeedbackError::Open { path: path.to_owned(), source }),
    }
}

fn connect(path: &Path, mode: OpenFlags) -> Result<Connection, FeedbackError> {
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|error| FeedbackError::Open { path: path.to_owned(), source: std::io::Error::other(error) })?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Looks at a file without changing it.
fn check(path: &Path, connection: &Connection) -> Result<(), FeedbackError> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let (application, version) = (number("application_id")?, number("user_version")?);
    if application != APPLICATION_ID && (tables > 0 || application != 0 || version != 0) {
        return Err(FeedbackError::Foreign { path: path.to_owned() });
    }
    let expected = STEPS.len() as i64;
    if version > expected {
        return Err(FeedbackError::NewerVersion { path: path.to_owned(), expected, got: version });
    }
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(FeedbackError::Damaged { path: path.to_owned(), found });
    }
    Ok(())
}

/// Sets how it is written and takes the steps that it lacks, each whole or not at all.
fn prepare(path: &Path, connection: &mut Connection, steps: &[&str]) -> Result<(), FeedbackError> {
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        // Databases in memory and some network file systems have none; what was acknowledged could be lost there.
        let source = std::io::Error::other("its file system has no write-ahead log");
        return Err(FeedbackError::Open { path: path.to_owned(), source });
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version < steps.len() as i64 {
        for step in &steps[usize::try_from(version).unwrap_or(0)..] {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", steps.len() as i64)?;
    }
    transaction.commit()?;
    Ok(())
}

/// What the database says of a file that is none.
fn damaged(path: &Path, error: FeedbackError) -> FeedbackError {
    match error {
        FeedbackError::Database(error)
            if matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)) =>
        {
            FeedbackError::Damaged { path: path.to_owned(), found: error.to_string() }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_new_file_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let connection = open(&path).unwrap();
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(version, STEPS.len() as i64);
        #[cfg(unix)]
        for entry in fs::read_dir(folder.path()).unwrap() {
            use std::os::unix::fs::PermissionsExt;
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
        }
    }

    fn refused_and_left_alone(path: &Path) -> FeedbackError {
        let before = fs::read(path).unwrap();
        let error = open(path).unwrap_err();
        assert_eq!(fs::read(path).unwrap(), before);
        error
    }

    #[test]
    fn other_files_are_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        fs::write(&path, "These are my notes, and no database at all. ".repeat(50)).unwrap();
        assert!(matches!(refused_and_left_alone(&path), FeedbackError::Damaged { .. }));

        let path = folder.path().join("other.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE guests (name TEXT)").unwrap();
        assert!(matches!(refused_and_left_alone(&path), FeedbackError::Foreign { .. }));
    }

    #[test]
    fn a_damaged_store_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        drop(open(&path).unwrap());
        let mut bytes = fs::read(&path).unwrap();
        let half = bytes.len() / 2;
        bytes[half..].fill(0x5a);
        fs::write(&path, &bytes).unwrap();
        let error = refused_and_left_alone(&path);
        assert!(matches!(error, FeedbackError::Damaged { .. }), "{error}");
    }

    #[test]
    fn newer_versions_are_refused_and_older_ones_brought_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        drop(open(&path).unwrap());
        let mut steps = STEPS.to_vec();
        steps.push("ALTER TABLE feedback ADD COLUMN note TEXT");
        prepare(&path, &mut connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap(), &steps).unwrap();
        let later = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        assert_eq!(later.query_row("SELECT count(note) FROM feedback", [], |row| row.get::<_, i64>(0)), Ok(0));
        assert!(matches!(open(&path), Err(FeedbackError::NewerVersion { got, .. }) if got == steps.len() as i64));
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = open(Path::new("/no-such-folder/store.db")).unwrap_err();
        assert!(error.to_string().contains("/no-such-folder/store.db"), "{error}");
    }
}
