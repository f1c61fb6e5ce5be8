//! How far a run has come, on disk.

use crate::atomic;
use crate::fnv::{FNV_OFFSET, fnv_step};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const STATE: &str = "state.json";
const LOCK: &str = "lock";
const PUBLISHED: &str = "published";

/// Longest name of an output that the folder's name repeats.
const LONGEST_NAME_BYTES: usize = 200;

/// Greatest length of a state: it holds counts, not rows.
const STATE_LIMIT_BYTES: u64 = 256 * 1024 * 1024;

/// A folder that holds everything of an unfinished run, owned by one process.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
    _lock: File,
}

/// Why there is no journal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalError {
    /// Another process writes the same output.
    #[error("another run is writing it now")]
    InUse,
    /// What an earlier run left cannot be understood.
    #[error("what an earlier run left in {} cannot be read ({reason}); --restart begins again", folder.display())]
    Damaged { folder: PathBuf, reason: String },
    /// The system refuses.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Journal {
    /// The hidden folder beside `place` that holds its unfinished run.
    pub fn folder_of(place: &Path) -> PathBuf {
        let name = place.file_name().unwrap_or_default();
        let folder = match name.to_str() {
            Some(name) if name.len() <= LONGEST_NAME_BYTES => format!(".{name}.copydesk"),
            // Names have a greatest length, and this one is to fit whatever it is made of.
            _ => format!(
                ".copydesk-{:016x}",
                name.as_encoded_bytes().iter().fold(FNV_OFFSET, |state, &byte| { fnv_step(state, byte.into()) })
            ),
        };
        place.with_file_name(folder)
    }

    /// Opens a folder, made where it is not there, for this process alone.
    ///
    /// # Errors
    /// [`JournalError::InUse`], and what the system says.
    pub fn open(folder: PathBuf) -> Result<Journal, JournalError> {
        fs::create_dir_all(&folder)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(LOCK));
        let lock = lock.inspect_err(|_| {
            // Only where nothing is in it.
            let _ = fs::remove_dir(&folder);
        })?;
        match lock.try_lock() {
            Ok(()) => Ok(Journal { folder, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(JournalError::InUse),
            // A file system without locks: nobody can be kept out.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                Ok(Journal { folder, _lock: lock })
            }
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether a folder holds the state of an unfinished run.
    pub fn is_in(folder: &Path) -> bool {
        folder.join(STATE).exists()
    }

    /// The state that was stored last; `None` where none was.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] where it is no such state, and what the system says.
    pub fn load<T: DeserializeOwned>(&self) -> Result<Option<T>, JournalError> {
        let path = self.folder.join(STATE);
        let damaged = |reason: String| JournalError::Damaged { folder: self.folder.clone(), reason };
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
            Ok(metadata) if !metadata.is_file() => return Err(damaged("no file".to_owned())),
            Ok(metadata) if metadata.len() > STATE_LIMIT_BYTES => {
                return Err(damaged(format!("{} bytes, expected at most {STATE_LIMIT_BYTES}", metadata.len())));
            }
            Ok(_) => {}
        }
        let bytes = fs::read(&path)?;
        serde_json::from_slice(&bytes).map(Some).map_err(|error| damaged(error.to_string()))
    }

    /// Stores a state in place of the last one, on the disk when this returns: either state is there after a crash.
    ///
    /// # Errors
    /// What the system says.
    pub fn save(&self, state: &impl Serialize) -> io::Result<()> {
        let bytes = serde_json::to_vec(state).map_err(io::Error::other)?;
        atomic::write(&self.folder.join(STATE), &bytes)
    }

    /// Makes a small file appear at its place, by way of the folder: nothing stays beside the place if the process is killed.
    ///
    /// # Errors
    /// What the system says.
    pub fn publish(&self, place: &Path, bytes: &[u8]) -> io::Result<()> {
        let path = self.folder.join(PUBLISHED);
        let mut file = File::create(&path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        atomic::move_into(&path, place)
    }

    /// Takes everything away that an earlier run left.
    ///
    /// # Errors
    /// What the system says.
    pub fn clear(&self) -> io::Result<()> {
        // The state first: without it the rest means nothing.
        match fs::remove_file(self.folder.join(STATE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_name() != LOCK && !entry.file_type()?.is_dir() {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Takes the folder away.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove(self) -> io::Result<()> {
        self.clear()?;
        fs::remove_file(self.folder.join(LOCK))?;
        fs::remove_dir(&self.folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_there_until_the_folder_is_taken_away() {
        let root = tempfile::tempdir().unwrap();
        let folder = Journal::folder_of(&root.path().join("rows.jsonl"));
        let journal = Journal::open(folder.clone()).unwrap();
        assert_eq!(journal.load::<u64>().unwrap(), None);
        journal.save(&7u64).unwrap();
        assert!(matches!(Journal::open(folder.clone()), Err(JournalError::InUse)));
        drop(journal);
        let journal = Journal::open(folder.clone()).unwrap();
        assert_eq!(journal.load().unwrap(), Some(7u64));
        assert!(matches!(journal.load::<String>(), Err(JournalError::Damaged { .. })));
        journal.remove().unwrap();
        assert!(!folder.exists());
    }
}
