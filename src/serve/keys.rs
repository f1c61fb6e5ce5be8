//! Keys that clients show: only their hashes are stored.

use crate::atomic;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use subtle::{ConditionallySelectable, ConstantTimeEq};

/// Bytes of a key that is made here, shown as twice as many hexadecimal digits. The Akismet plugin of WordPress takes keys of
/// exactly twelve digits.
const KEY_BYTES: usize = 6;

/// Bytes of a key for programs that take any: nobody finds it from its hash, even with the file of keys at hand.
const LONG_KEY_BYTES: usize = 16;

/// What stands at the top of a file of keys.
const HEAD: &str = "# Keys of copydesk serve: a name and the SHA-256 of its key on each line.\n";

/// Why a file of keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The system does not let it be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A line is no name with a hash.
    #[error("{}:{line}: expected a name and 64 hexadecimal digits", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// It holds no key.
    #[error("{}: holds no key; make one with copydesk serve keys add NAME --keys FILE", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// Names are words.
    #[error("a key's name has 1 to 64 letters, digits, dots, hyphens and underscores, got `{got}`")]
    Name {
        /// The name.
        got: String,
    },
    /// There is a key of that name.
    #[error("there is a key named `{name}`; revoke it first or take another name")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// There is no key of that name.
    #[error("there is no key named `{name}`; copydesk serve keys list shows all")]
    NoSuchName {
        /// The name.
        name: String,
    },
}

/// A name with the hash of its key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    name: Arc<str>,
    hash: [u8; 32],
}

/// A file of keys.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    entries: Vec<Entry>,
}

impl KeyFile {
    /// Reads a file of keys. One that is not there holds none.
    ///
    /// # Errors
    /// [`KeyFileError::File`] and [`KeyFileError::Line`].
    pub fn open(path: &Path) -> Result<KeyFile, KeyFileError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(KeyFileError::File { path: path.to_owned(), error }),
        };
        Ok(KeyFile { path: path.to_owned(), entries: entries(&text, path)? })
    }

    /// Makes a key, of 32 hexadecimal digits if it may be `long`, else of twelve, and stores its hash. The key is returned, and
    /// nowhere else to be found again.
    ///
    /// # Errors
    /// [`KeyFileError::Name`], [`KeyFileError::NameTaken`], and [`KeyFileError::File`] where the file cannot be written.
    pub fn add(&mut self, name: &str, long: bool) -> Result<String, KeyFileError> {
        if !is_name(name) {
            return Err(KeyFileError::Name { got: name.to_owned() });
        }
        if self.entries.iter().any(|entry| &*entry.name == name) {
            return Err(KeyFileError::NameTaken { name: name.to_owned() });
        }
        let mut bytes = [0; LONG_KEY_BYTES];
        getrandom::fill(&mut bytes)
            .map_err(|error| KeyFileError::File { path: self.path.clone(), error: error.into() })?;
        let key = hex(if long { &bytes } else { &bytes[..KEY_BYTES] });
        self.entries.push(Entry { name: name.into(), hash: Sha256::digest(&key).into() });
        self.store()?;
        Ok(key)
    }

    /// Takes a key away.
    ///
    /// # Errors
    /// [`KeyFileError::NoSuchName`], and [`KeyFileError::File`] where the file cannot be written.
    pub fn revoke(&mut self, name: &str) -> Result<(), KeyFileError> {
        let before = self.entries.len();
        self.entries.retain(|entry| &*entry.name != name);
        if self.entries.len() == before {
            return Err(KeyFileError::NoSuchName { name: name.to_owned() });
        }
        self.store()
    }

    /// The names of all keys, in their order in the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| &*entry.name)
    }

    fn store(&self) -> Result<(), KeyFileError> {
        let mut text = HEAD.to_owned();
        for Entry { name, hash } in &self.entries {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name} {}", hex(hash));
        }
        let failed = |error| KeyFileError::File { path: self.path.clone(), error };
        atomic::write(&self.path, text.as_bytes()).map_err(failed)
    }
}

fn entries(text: &str, path: &Path) -> Result<Vec<Entry>, KeyFileError> {
    let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.trim()));
    let used = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    used.map(|(number, line)| entry(line).ok_or_else(|| KeyFileError::Line { path: path.to_owned(), line: number }))
        .collect()
}

fn entry(line: &str) -> Option<Entry> {
    let (name, digits) = line.split_once(char::is_whitespace)?;
    let digits = digits.trim().as_bytes();
    if !is_name(name) || digits.len() != 64 {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks(2)) {
        let digit = |index: usize| char::from(pair[index]).to_digit(16);
        *byte = (digit(0)? * 16 + digit(1)?) as u8;
    }
    Some(Entry { name: name.into(), hash })
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Who may ask a server.
#[derive(Debug)]
pub(super) enum Keys {
    /// Everybody who reaches it.
    Open,
    /// Those who show a key of the file.
    File { path: PathBuf, entries: RwLock<Arc<Vec<Entry>>> },
}

impl Keys {
    /// Reads the keys of a file; without a file all may ask.
    ///
    /// # Errors
    /// Whatever is wrong with the file, and [`KeyFileError::NoKey`].
    pub fn open(path: Option<&Path>) -> Result<Keys, KeyFileError> {
        let Some(path) = path else { return Ok(Keys::Open) };
        let KeyFile { path, entries } = KeyFile::open(path)?;
        if entries.is_empty() {
            return Err(KeyFileError::NoKey { path });
        }
        Ok(Keys::File { path, entries: RwLock::new(Arc::new(entries)) })
    }

    /// Reads the file again, so that a key which was revoked meanwhile opens nothing any more.
    ///
    /// # Errors
    /// Whatever is wrong with the file; the keys stay as they were.
    pub fn refresh(&self) -> Result<(), KeyFileError> {
        if let Keys::File { path, entries } = self {
            let read = KeyFile::open(path)?.entries;
            let mut kept = entries.write().unwrap_or_else(PoisonError::into_inner);
            if **kept != read {
                *kept = Arc::new(read);
            }
        }
        Ok(())
    }

    /// The name of a key; `None` where it opens nothing. The time that it takes does not depend on the keys.
    pub fn name_of(&self, key: Option<&str>) -> Option<Arc<str>> {
        match self {
            Keys::Open => Some("local".into()),
            Keys::File { entries, .. } => {
                let entries = Arc::clone(&entries.read().unwrap_or_else(PoisonError::into_inner));
                let hash: [u8; 32] = Sha256::digest(key?).into();
                let mut found = u64::MAX;
                for (number, entry) in entries.iter().enumerate() {
                    found.conditional_assign(&(number as u64), entry.hash.ct_eq(&hash));
                }
                entries.get(usize::try_from(found).ok()?).map(|entry| Arc::clone(&entry.name))
            }
        }
    }

    /// Whether a key has to be shown.
    pub fn are_needed(&self) -> bool {
        matches!(self, Keys::File { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_found_and_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        assert!(matches!(Keys::open(Some(&path)), Err(KeyFileError::NoKey { .. })));
        let key = KeyFile::open(&path).unwrap().add("blog", false).unwrap();
        let other = KeyFile::open(&path).unwrap().add("forum", true).unwrap();
        assert_eq!((key.len(), other.len()), (12, 32));
        assert!(!std::fs::read_to_string(&path).unwrap().contains(&key));
        let keys = Keys::open(Some(&path)).unwrap();
        assert_eq!(keys.name_of(Some(&key)).as_deref(), Some("blog"));
        assert_eq!(keys.name_of(Some(&other)).as_deref(), Some("forum"));
        assert_eq!((keys.name_of(Some("wrong")), keys.name_of(None)), (None, None));
        KeyFile::open(&path).unwrap().revoke("blog").unwrap();
        keys.refresh().unwrap();
        assert_eq!(keys.name_of(Some(&key)), None);
        assert_eq!(keys.name_of(Some(&other)).as_deref(), Some("forum"));
    }

    #[test]
    fn names_are_words_and_used_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = KeyFile::open(&folder.path().join("keys")).unwrap();
        file.add("a", false).unwrap();
        assert!(matches!(file.add("a", false), Err(KeyFileError::NameTaken { .. })));
        assert!(matches!(file.add("a b", false), Err(KeyFileError::Name { .. })));
        assert!(matches!(file.revoke("b"), Err(KeyFileError::NoSuchName { .. })));
    }

    #[test]
    fn lines_that_are_no_keys_are_named() {
        let path = Path::new("keys");
        let hash = "0f".repeat(32);
        assert_eq!(entries(&format!("# x\n\nblog {hash}\n"), path).unwrap().len(), 1);
        let wrong = entries(&format!("blog {hash}\nforum 12\n"), path);
        assert!(matches!(wrong, Err(KeyFileError::Line { line: 2, .. })));
    }
}
