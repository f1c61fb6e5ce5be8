//! The cache that all programs of the hub share on a machine.
//!
//! `models--OWNER--NAME` holds `blobs/ETAG`, each content once; `snapshots/COMMIT/FILE`, links to them; `refs/REVISION`, the commit
//! that a branch or a tag stood for; and `.no_exist/COMMIT/FILE`, empty files for what a commit does not have. Names of folders
//! are those of the package hf-hub.

use super::name::{Name, is_commit};
use super::{File, HubError};
use crate::atomic;
use hf_hub::{Cache, CacheRepo, Repo, RepoType};
use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Stands in the snapshot of every repository that was fetched whole, and is fetched by nobody who wants a model alone.
const OF_WHOLE: &str = ".gitattributes";

/// One repository's part of the cache.
pub(super) struct Store {
    repository: CacheRepo,
    folder: PathBuf,
    locks: PathBuf,
    revision: String,
}

/// Keeps other processes from fetching the same content at the same time.
pub(super) struct Lock {
    _file: Option<fs::File>,
}

impl Store {
    pub fn new(cache: PathBuf, name: &Name) -> Store {
        let repository = Repo::with_revision(name.repository.clone(), RepoType::Model, name.revision.clone());
        let folder_name = repository.folder_name();
        Store {
            folder: cache.join(&folder_name),
            locks: cache.join(".locks").join(folder_name),
            revision: name.revision.clone(),
            repository: Cache::new(cache).repo(repository),
        }
    }

    /// The repository's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder with the files of a commit.
    pub fn snapshot(&self, commit: &str) -> PathBuf {
        self.repository.pointer_path(commit)
    }

    /// Whether a commit's file is there.
    pub fn has(&self, commit: &str, file: &str) -> bool {
        // Follows the link: one that leads nowhere is none.
        self.snapshot(commit).join(file).is_file()
    }

    /// Whether it is known that a commit has no such file.
    pub fn is_known_absent(&self, commit: &str, file: &str) -> bool {
        self.folder.join(".no_exist").join(commit).join(file).is_file()
    }

    /// Whether all files of a commit are there, so that what is not there does not exist.
    pub fn is_whole(&self, commit: &str) -> bool {
        self.has(commit, OF_WHOLE)
    }

    /// Which files of a commit must be asked for.
    pub fn unknown<'files>(&self, commit: &str, files: &'files [File]) -> Vec<&'files File> {
        let is_known =
            |file: &&File| self.has(commit, file.name) || (!file.is_needed && self.is_known_absent(commit, file.name));
        files.iter().filter(|file| !is_known(file)).collect()
    }

    /// The commit that the revision stood for when it was last asked for.
    pub fn last_commit(&self) -> Option<String> {
        let mut text = String::new();
        fs::File::open(self.reference()).ok()?.take(100).read_to_string(&mut text).ok()?;
        Some(text.trim().to_owned()).filter(|text| is_commit(text))
    }

    /// Remembers what the revision stands for.
    pub fn remember(&self, commit: &str) -> Result<(), HubError> {
        let path = self.reference();
        if self.last_commit().as_deref() == Some(commit) {
            return Ok(());
        }
        let written = in_folder(&path).and_then(|()| atomic::write(&path, commit.as_bytes()));
        written.map_err(|source| HubError::Cache { path, source })
    }

    fn reference(&self) -> PathBuf {
        // A revision may have slashes.
        self.revision.split('/').fold(self.folder.join("refs"), |path, step| path.join(step))
    }

    /// Where a content stands.
    pub fn blob(&self, etag: &str) -> PathBuf {
        self.folder.join("blobs").join(etag)
    }

    /// Where a content stands that is not whole.
    pub fn part(&self, etag: &str) -> PathBuf {
        self.folder.join("blobs").join(format!("{etag}.incomplete"))
    }

    /// Waits until no other process fetches the content.
    pub fn lock(&self, etag: &str) -> Result<Lock, HubError> {
        let path = self.locks.join(format!("{etag}.lock"));
        let failed = |source| HubError::Cache { path: path.clone(), source };
        in_folder(&path).map_err(failed)?;
        let file = fs::OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        match file.lock() {
            Ok(()) => Ok(Lock { _file: Some(file) }),
            // Some file systems of networks have no locks. Two processes then fetch twice.
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(Lock { _file: None }),
            Err(source) => Err(failed(source)),
        }
    }

    /// Makes a content one of a commit's files.
    pub fn link(&self, commit: &str, file: &str, etag: &str) -> Result<(), HubError> {
        let path = self.snapshot(commit).join(file);
        let linked = in_folder(&path).and_then(|()| {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                // A link that led nowhere, or there was none.
                _ => {}
            }
            link(&self.blob(etag), &Path::new("..").join("..").join("blobs").join(etag), &path)
        });
        match linked {
            // Another process made it.
            Err(_) if path.is_file() => Ok(()),
            Err(source) => Err(HubError::Cache { path, source }),
            Ok(()) => Ok(()),
        }
    }

    /// Remembers that a commit has no such file.
    pub fn note_absent(&self, commit: &str, file: &str) -> Result<(), HubError> {
        let path = self.folder.join(".no_exist").join(commit).join(file);
        in_folder(&path).and_then(|()| fs::write(&path, "")).map_err(|source| HubError::Cache { path, source })
    }
}

/// Makes the folder that a file is to stand in.
pub(super) fn in_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// A link at `path` that leads to `blob`, by the relative way where there are links.
#[cfg(unix)]
fn link(_blob: &Path, relative: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(relative, path)
}

/// Elsewhere making symbolic links needs a right that few have.
#[cfg(not(unix))]
fn link(blob: &Path, _relative: &Path, path: &Path) -> io::Result<()> {
    fs::hard_link(blob, path).or_else(|_| fs::copy(blob, path).map(|_| ()))
}

#[cfg(test)]
mod tests {
    use super::super::fetch::FILES;
    use super::*;

    fn store(folder: &Path, name: &str) -> Store {
        Store::new(folder.to_owned(), &Name::parse(name).unwrap())
    }

    #[test]
    fn files_stand_where_other_programs_look_for_them() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path(), "owner/name@refs/pr/1");
        let commit = "0a".repeat(20);
        assert_eq!(store.last_commit(), None);
        store.remember(&commit).unwrap();
        assert_eq!(store.last_commit().as_ref(), Some(&commit));
        let root = folder.path().join("models--owner--name");
        assert_eq!(fs::read_to_string(root.join("refs/refs/pr/1")).unwrap(), commit);

        let blob = store.blob("etag");
        in_folder(&blob).unwrap();
        // A link that leads nowhere is made anew.
        store.link(&commit, "config.json", "etag").unwrap();
        fs::write(&blob, "{}").unwrap();
        store.link(&commit, "config.json", "etag").unwrap();
        assert_eq!(fs::read_to_string(root.join("snapshots").join(&commit).join("config.json")).unwrap(), "{}");
        store.note_absent(&commit, "copydesk.json").unwrap();
        let unknown: Vec<&str> = store.unknown(&commit, &FILES).iter().map(|file| file.name).collect();
        assert_eq!(unknown, ["model.safetensors", "tokenizer.json", "tokenizer_config.json"]);
    }

    #[test]
    fn a_reference_that_is_no_commit_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path(), "name");
        let path = folder.path().join("models--name/refs/main");
        in_folder(&path).unwrap();
        for bad in ["", "../../elsewhere", "0a0a", &"0a".repeat(50)] {
            fs::write(&path, bad).unwrap();
            assert_eq!(store.last_commit(), None, "{bad}");
        }
    }

    #[test]
    fn a_content_is_fetched_by_one_process_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path(), "name");
        let held = store.lock("etag").unwrap();
        let path = folder.path().join(".locks/models--name/etag.lock");
        let other = fs::OpenOptions::new().append(true).open(&path).unwrap();
        assert!(other.try_lock().is_err());
        drop(held);
        other.try_lock().unwrap();
    }
}
