//! From the inputs of a command line to an ordered list of sources.

use super::error::{Failure, InputError};
use std::fmt;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Name of standard input, among inputs and in rows.
const STANDARD_INPUT: &str = "-";

/// Where a source's bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The process's standard input.
    StandardInput,
    /// A file.
    File(PathBuf),
    /// Whatever a program reads from.
    Reader(Reader),
}

/// A reader that a program brought, until it is taken.
#[derive(Clone)]
pub struct Reader(Arc<Mutex<Option<Box<dyn Read + Send>>>>);

impl Reader {
    /// The reader; `None` if it was taken before.
    pub(super) fn take(&self) -> Option<Box<dyn Read + Send>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}

impl PartialEq for Reader {
    fn eq(&self, other: &Reader) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Reader {}

impl Source {
    /// What `reader` gives, under the name of standard input.
    pub(crate) fn reader(reader: impl Read + Send + 'static) -> Source {
        let origin = Origin::Reader(Reader(Arc::new(Mutex::new(Some(Box::new(reader))))));
        Source { name: Arc::from(STANDARD_INPUT), origin, size_bytes: None }
    }
}

/// One text or one file of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Name in rows and messages: the path as given, or `-`.
    pub name: Arc<str>,
    /// Where the bytes come from.
    pub origin: Origin,
    /// Size in bytes where it is known beforehand.
    pub size_bytes: Option<u64>,
}

/// Whether an input means standard input.
pub fn is_standard_input(input: &Path) -> bool {
    input.as_os_str() == STANDARD_INPUT
}

/// The sources behind `inputs`, in the order given; standard input if there are none.
///
/// A folder stands for all files below it, sorted by name, each folder's files and folders together. Files and folders
/// in it whose name begins with a dot are left out; links are followed unless they lead back to a folder they lie in.
/// What does not exist or cannot be listed is a [`Failure`] in its place.
pub fn resolve(inputs: &[PathBuf]) -> Vec<Result<Source, Failure>> {
    if inputs.is_empty() {
        return vec![Ok(standard_input())];
    }
    let mut sources = Vec::new();
    for input in inputs {
        if is_standard_input(input) {
            sources.push(Ok(standard_input()));
        } else {
            add(input, &mut Vec::new(), &mut sources);
        }
    }
    sources
}

fn standard_input() -> Source {
    Source { name: Arc::from(STANDARD_INPUT), origin: Origin::StandardInput, size_bytes: None }
}

/// Adds a file, or a folder's files; `ancestors` are the canonical paths of the folders above.
fn add(path: &Path, ancestors: &mut Vec<PathBuf>, sources: &mut Vec<Result<Source, Failure>>) {
    let name: Arc<str> = Arc::from(path.to_string_lossy());
    let failure = |error| Err(Failure { source: Arc::clone(&name), line: None, error });
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => return sources.push(failure(InputError::Unreadable(error))),
    };
    if metadata.is_dir() {
        match list(path, ancestors) {
            Ok((canonical, children)) => {
                ancestors.push(canonical);
                for child in children {
                    add(&child, ancestors, sources);
                }
                ancestors.pop();
            }
            Err(error) => sources.push(failure(error)),
        }
    } else if metadata.is_file() {
        let origin = Origin::File(path.to_owned());
        sources.push(Ok(Source { name, origin, size_bytes: Some(metadata.len()) }));
    } else if ancestors.is_empty() {
        // A named pipe that somebody gives by name, `<(…)` in a shell, is meant; one found in a folder would hang.
        sources.push(Ok(Source { name, origin: Origin::File(path.to_owned()), size_bytes: None }));
    } else {
        sources.push(failure(InputError::NotAFile));
    }
}

/// A folder's canonical path, and what is in it, sorted, without hidden names.
fn list(folder: &Path, ancestors: &[PathBuf]) -> Result<(PathBuf, Vec<PathBuf>), InputError> {
    let canonical = folder.canonicalize().map_err(InputError::Unreadable)?;
    if ancestors.contains(&canonical) {
        return Err(InputError::LinkLoop);
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(InputError::Unreadable)? {
        let name = entry.map_err(InputError::Unreadable)?.file_name();
        if !name.as_encoded_bytes().starts_with(b".") {
            names.push(name);
        }
    }
    names.sort();
    Ok((canonical, names.into_iter().map(|name| folder.join(name)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sources: &[Result<Source, Failure>]) -> Vec<String> {
        sources
            .iter()
            .map(|source| match source {
                Ok(source) => source.name.to_string(),
                Err(failure) => format!("failed {}", failure.source),
            })
            .collect()
    }

    #[test]
    fn folders_are_sorted_and_hidden_names_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("b")).unwrap();
        fs::create_dir(root.join(".hidden")).unwrap();
        for file in ["c.txt", "a.txt", ".dot", "b/z", "b/y", ".hidden/x"] {
            fs::write(root.join(file), "text").unwrap();
        }
        let base = root.to_string_lossy();
        let expected = ["a.txt", "b/y", "b/z", "c.txt"].map(|name| format!("{base}/{name}"));
        assert_eq!(names(&resolve(&[root.to_owned()])), expected);
    }

    #[test]
    fn missing_files_fail_in_their_place() {
        let sources = resolve(&[PathBuf::from("/nonexistent/file"), PathBuf::from("-")]);
        assert_eq!(names(&sources), ["failed /nonexistent/file", "-"]);
        assert_eq!(names(&resolve(&[])), ["-"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_folder_above_ends() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("inner")).unwrap();
        fs::write(folder.path().join("inner/file"), "text").unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("inner/loop")).unwrap();
        let base = folder.path().to_string_lossy();
        let expected = [format!("{base}/inner/file"), format!("failed {base}/inner/loop")];
        assert_eq!(names(&resolve(&[folder.path().to_owned()])), expected);
    }
}
