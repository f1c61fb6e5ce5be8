//! From the inputs of a command line to an ordered list of sources.

use super::address::is_remote;
use super::error::{Failure, InputError};
use super::feed::{Feed, Window};
#[cfg(feature = "remote")]
use super::remote::{self, Found, Listing, RemoteObject};
use super::shard::{Shard, Share};
use crate::atomic::FileId;
use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

/// Name of standard input, among inputs and in rows.
const STANDARD_INPUT: &str = "-";

/// Where a source's bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The process's standard input.
    StandardInput,
    /// A file.
    File(PathBuf),
    /// An object in a store or behind a URL.
    #[cfg(feature = "remote")]
    Remote(RemoteObject),
    /// Whatever a program reads from.
    Reader(Reader),
    /// Standard input whose beginning was looked at.
    Peeked(Peeked),
}

impl Origin {
    /// Whether a part of it can be read without the rest.
    pub(super) fn is_divisible(&self) -> bool {
        matches!(self, Origin::File(_))
    }
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

/// A source that is open already, until it is taken.
#[derive(Clone)]
pub struct Peeked(Arc<Mutex<Option<Result<Window, InputError>>>>);

impl Peeked {
    pub(super) fn new(window: Result<Window, InputError>) -> Peeked {
        Peeked(Arc::new(Mutex::new(Some(window))))
    }

    /// The source from its first byte on; nothing if it was taken before.
    pub(super) fn take(&self) -> Result<Window, InputError> {
        let window = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        window.unwrap_or_else(|| Ok(Window::new(Feed::of_reader(std::io::empty(), None))))
    }
}

impl fmt::Debug for Peeked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Peeked")
    }
}

impl PartialEq for Peeked {
    fn eq(&self, other: &Peeked) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Peeked {}

/// One text or one file of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Name in rows and messages: the path as given, or `-`; of what is in a store its address.
    pub name: Arc<str>,
    /// Where the bytes come from.
    pub origin: Origin,
    /// Its path below the input that it was found in; of an input that is a file, its name.
    pub relative: PathBuf,
    /// Size in bytes where it is known beforehand.
    pub size_bytes: Option<u64>,
    /// When a file was written last, in nanoseconds since 1970.
    pub modified: Option<u128>,
    /// The bytes of a file that are wanted; `None` for all.
    pub part: Option<Range<u64>>,
}

/// Whether an input means standard input.
pub fn is_standard_input(input: &Path) -> bool {
    input.as_os_str() == STANDARD_INPUT
}

/// The sources behind `inputs`, in the order given; standard input if there are none.
///
/// A folder stands for all files below it, sorted by name, each folder's files and folders together. Files and folders
/// in it whose name begins with a dot are left out. Links are followed; a folder that several links lead to is read once,
/// where it is met first, and a link back to a folder that it lies in is a [`Failure`]. So is what does not exist or cannot
/// be listed, in its place.
///
/// An input that begins with `s3://`, `gs://`, `https://` or `http://` is one object, or all objects below a prefix in the order of their
/// names, with the feature `remote`.
pub fn resolve(inputs: &[PathBuf]) -> Sources {
    let inputs = if inputs.is_empty() { vec![PathBuf::from(STANDARD_INPUT)] } else { inputs.to_vec() };
    let total_bytes = inputs.iter().map(|input| file_size(input)).sum();
    Sources { inputs: inputs.into_iter(), total_bytes, ..Sources::default() }
}

/// Size of an input that is a file.
fn file_size(input: &Path) -> Option<u64> {
    let metadata = if is_standard_input(input) || is_remote(input) { None } else { fs::metadata(input).ok() };
    metadata.filter(fs::Metadata::is_file).map(|metadata| metadata.len())
}

/// Sources one by one, each found when it is asked for: of a folder only the names in it are held, and those of the folders
/// above it.
///
/// A walk of our own: the libraries for it follow links to one folder as often as there are links, so that a few folders
/// that link to each other have more paths than can ever be read.
#[derive(Debug, Default)]
pub struct Sources {
    inputs: std::vec::IntoIter<PathBuf>,
    /// A source that is no path.
    given: Option<Source>,
    total_bytes: Option<u64>,
    /// Folders from the input down to where the walk stands.
    open: Vec<OpenFolder>,
    /// Objects below the present input.
    #[cfg(feature = "remote")]
    listing: Option<Listing>,
    /// Folders below the present input that were met.
    met: HashSet<FolderId>,
    /// Folders whose loop was told.
    told: HashSet<FolderId>,
    /// Files that will be written and so are not read.
    written: Vec<FileId>,
    /// The part of all that is wanted.
    share: Option<Share>,
}

#[derive(Debug)]
struct OpenFolder {
    path: PathBuf,
    id: FolderId,
    names: std::vec::IntoIter<std::ffi::OsString>,
}

/// What tells folders apart: numbers, or a path without links where there are none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum FolderId {
    Number(FileId),
    Path(PathBuf),
}

impl Sources {
    /// What `reader` gives, under the name of standard input.
    pub(crate) fn of_reader(reader: impl Read + Send + 'static) -> Sources {
        Sources::of_origin(Origin::Reader(Reader(Arc::new(Mutex::new(Some(Box::new(reader)))))))
    }

    /// One source under the name of standard input.
    pub(super) fn of_origin(origin: Origin) -> Sources {
        let source = Source {
            name: Arc::from(STANDARD_INPUT),
            origin,
            relative: STANDARD_INPUT.into(),
            size_bytes: None,
            modified: None,
            part: None,
        };
        Sources { given: Some(source), ..Sources::default() }
    }

    /// The size of all sources together, if every input is a file.
    pub fn total_bytes(&self) -> Option<u64> {
        self.total_bytes
    }

    /// Leaves out all but a part; see [`Shard`]. `inputs` are those that the sources are of: their sizes are looked at first. With
    /// `whole_files` no file is divided.
    pub fn part(mut self, inputs: &[PathBuf], shard: Shard, whole_files: bool) -> Sources {
        let total = resolve(inputs).filter_map(|source| source.ok()?.size_bytes).sum();
        let share = Share::new(shard, total, whole_files);
        self.total_bytes = Some(share.len());
        self.share = Some(share);
        self
    }

    /// Sets those files in folders aside that will be written.
    pub(crate) fn except(self, written: Vec<FileId>) -> Sources {
        Sources { written, ..self }
    }

    /// A file, or a failure; `None` for a folder, which is opened.
    fn visit(&mut self, path: PathBuf) -> Option<Result<Source, Failure>> {
        let name: Arc<str> = Arc::from(path.to_string_lossy());
        let failed = |error| Some(Err(Failure { source: Arc::clone(&name), line: None, record: None, error }));
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) => return failed(InputError::Unreadable(error)),
        };
        if metadata.is_dir() {
            return self.enter(path, &metadata).err().and_then(failed);
        }
        let relative = self.relative(&path);
        if metadata.is_file() {
            if FileId::of(&metadata).is_some_and(|id| self.written.contains(&id)) {
                return failed(InputError::AlsoWritten);
            }
            let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            let (size_bytes, modified) = (Some(metadata.len()), modified.map(|since| since.as_nanos()));
            return Some(Ok(Source { name, origin: Origin::File(path), relative, size_bytes, modified, part: None }));
        }
        if self.open.is_empty() {
            // A named pipe that somebody gives by name, `<(…)` in a shell, is meant; one found in a folder would hang.
            return Some(Ok(Source {
                name,
                origin: Origin::File(path),
                relative,
                size_bytes: None,
                modified: None,
                part: None,
            }));
        }
        failed(InputError::NotAFile)
    }

    /// The path below the input.
    fn relative(&self, path: &Path) -> PathBuf {
        let below = self.open.first().and_then(|input| path.strip_prefix(&input.path).ok());
        below.map_or_else(|| PathBuf::from(path.file_name().unwrap_or_default()), Path::to_owned)
    }

    /// Opens a folder, unless it was met before.
    fn enter(&mut self, path: PathBuf, metadata: &fs::Metadata) -> Result<(), InputError> {
        let id = match FileId::of(metadata) {
            Some(id) => FolderId::Number(id),
            None => FolderId::Path(path.canonicalize().map_err(InputError::Unreadable)?),
        };
        if self.open.iter().any(|folder| folder.id == id) {
            return if self.told.insert(id) { Err(InputError::LinkLoop) } else { Ok(()) };
        }
        if !self.met.insert(id.clone()) {
            return Ok(());
        }
        let names = list(&path).map_err(InputError::Unreadable)?.into_iter();
        self.open.push(OpenFolder { path, id, names });
        Ok(())
    }
}

impl Iterator for Sources {
    type Item = Result<Source, Failure>;

    fn next(&mut self) -> Option<Result<Source, Failure>> {
        loop {
            let found = self.find()?;
            let Some(share) = &mut self.share else { return Some(found) };
            match found {
                Ok(source) => {
                    if let Some(source) = share.of(source) {
                        return Some(Ok(source));
                    }
                }
                Err(failure) if share.has_place() => return Some(Err(failure)),
                Err(_) => {}
            }
        }
    }
}

impl Sources {
    /// The next source of all.
    fn find(&mut self) -> Option<Result<Source, Failure>> {
        loop {
            #[cfg(feature = "remote")]
            if let Some(found) = self.next_listed() {
                return Some(found);
            }
            let path = match self.open.last_mut() {
                Some(folder) => match folder.names.next() {
                    Some(name) => folder.path.join(name),
                    None => {
                        self.open.pop();
                        continue;
                    }
                },
                None => {
                    if let Some(given) = self.given.take() {
                        return Some(Ok(given));
                    }
                    self.met.clear();
                    self.told.clear();
                    let input = self.inputs.next()?;
                    if is_standard_input(&input) {
                        let name = Arc::from(STANDARD_INPUT);
                        let origin = Origin::StandardInput;
                        let relative = STANDARD_INPUT.into();
                        return Some(Ok(Source {
                            name,
                            origin,
                            relative,
                            size_bytes: None,
                            modified: None,
                            part: None,
                        }));
                    }
                    if is_remote(&input) {
                        if let Some(found) = self.visit_remote(&input) {
                            return Some(found);
                        }
                        continue;
                    }
                    input
                }
            };
            if let Some(found) = self.visit(path) {
                return Some(found);
            }
        }
    }
}

#[cfg(feature = "remote")]
impl Sources {
    /// An object, or a failure; `None` for what stands for several, which is opened.
    fn visit_remote(&mut self, input: &Path) -> Option<Result<Source, Failure>> {
        let name = input.to_string_lossy();
        match remote::find(&name) {
            Ok(Found::Object { object, relative }) => Some(Ok(of_object(object, relative))),
            Ok(Found::Objects(listing)) => {
                self.listing = Some(listing);
                None
            }
            Err(error) => Some(Err(not_found(Arc::from(name), error))),
        }
    }

    fn next_listed(&mut self) -> Option<Result<Source, Failure>> {
        let listing = self.listing.as_mut()?;
        match listing.next_object() {
            Some(Ok((object, relative))) => Some(Ok(of_object(object, relative))),
            Some(Err(error)) => {
                let name = listing.name();
                self.listing = None;
                Some(Err(not_found(name, error)))
            }
            None => {
                self.listing = None;
                None
            }
        }
    }
}

#[cfg(feature = "remote")]
fn of_object(object: RemoteObject, relative: PathBuf) -> Source {
    let (size_bytes, modified) = (Some(object.size_bytes()), object.modified());
    Source {
        name: Arc::clone(object.name()),
        origin: Origin::Remote(object),
        relative,
        size_bytes,
        modified,
        part: None,
    }
}

#[cfg(feature = "remote")]
fn not_found(source: Arc<str>, error: std::io::Error) -> Failure {
    Failure { source, line: None, record: None, error: InputError::Unreadable(error) }
}

#[cfg(not(feature = "remote"))]
impl Sources {
    /// This build reads none.
    fn visit_remote(&mut self, input: &Path) -> Option<Result<Source, Failure>> {
        let (source, error) = (Arc::from(input.to_string_lossy()), InputError::NeedsFeature { feature: "remote" });
        Some(Err(Failure { source, line: None, record: None, error }))
    }
}

/// The bytes of a source by its name, as they stand in the file or the store.
///
/// # Errors
/// What the system or the store says.
pub(crate) fn open_by_name(name: &Path) -> std::io::Result<Box<dyn Read + Send>> {
    #[cfg(feature = "remote")]
    if is_remote(name) {
        return remote::open(&name.to_string_lossy());
    }
    Ok(Box::new(fs::File::open(name)?))
}

/// The names in a folder, sorted, without hidden ones.
fn list(folder: &Path) -> std::io::Result<Vec<std::ffi::OsString>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if !name.as_encoded_bytes().starts_with(b".") {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests;
