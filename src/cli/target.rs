//! What the user names as an output, and what it must not be.

use super::error::CliError;
use crate::atomic::{FileId, in_its_folder, place};
use crate::corpus::{is_remote, is_standard_input};
use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::path::{Component, Path, PathBuf};

/// An output by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    StandardOutput,
    /// An open descriptor of this process, by its number: `/dev/stderr`, `/dev/fd/3`.
    Descriptor(i32),
    File(PathBuf),
}

/// How many links a path may lead through.
const MOST_LINKS: usize = 40;

impl Target {
    /// Standard output for no path, for `-` and for names of its descriptor.
    pub fn new(path: Option<PathBuf>) -> Target {
        match path {
            Some(path) if path.as_os_str() != "-" => match descriptor(&path) {
                Some(1) => Target::StandardOutput,
                Some(number) => Target::Descriptor(number),
                None => Target::File(path),
            },
            _ => Target::StandardOutput,
        }
    }

    /// The name in messages.
    pub fn name(&self) -> PathBuf {
        match self {
            Target::StandardOutput => PathBuf::from("standard output"),
            Target::Descriptor(number) => PathBuf::from(format!("/dev/fd/{number}")),
            Target::File(path) => path.clone(),
        }
    }

    /// What is known of where the bytes go.
    fn identity(&self) -> Identity {
        match self {
            Target::StandardOutput => {
                Identity { open: true, place: None, file: standard_output().and_then(|metadata| regular(&metadata)) }
            }
            Target::Descriptor(_) => Identity {
                open: true,
                place: None,
                file: fs::metadata(self.name()).ok().and_then(|metadata| regular(&metadata)),
            },
            Target::File(path) => Identity {
                open: false,
                place: place(path).ok(),
                file: fs::metadata(path).ok().and_then(|metadata| regular(&metadata)),
            },
        }
    }
}

/// The number of the descriptor that a path stands for, if it does: `/dev/stdout`, `/proc/self/fd/1`, a link to one of them.
/// Such a name must not be resolved further: what is behind it is written in place, where its offset stands.
fn descriptor(path: &Path) -> Option<i32> {
    let folders: Vec<PathBuf> = ["/proc/self/fd", "/proc/thread-self/fd", "/dev/fd"]
        .iter()
        .filter_map(|folder| Path::new(folder).canonicalize().ok())
        .collect();
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let (folder, whole) = in_its_folder(&path).ok()?;
        if folders.contains(&folder) {
            return whole.file_name()?.to_str()?.parse().ok();
        }
        path = folder.join(fs::read_link(&whole).ok()?);
    }
    None
}

/// Two names with a place or a file in common are one output.
#[derive(Default)]
struct Identity {
    /// Whether it is an open descriptor.
    open: bool,
    place: Option<PathBuf>,
    file: Option<FileId>,
}

impl Identity {
    fn is_same(&self, other: &Identity) -> bool {
        // Two descriptors of one file are written in turn, as a shell's `> log 2>&1` wants it.
        let in_turn = self.open && other.open;
        (self.place.is_some() && self.place == other.place)
            || (self.file.is_some() && self.file == other.file && !in_turn)
    }
}

/// The identity of a regular file; devices and pipes can be read and written by many.
fn regular(metadata: &Metadata) -> Option<FileId> {
    if metadata.is_file() { FileId::of(metadata) } else { None }
}

#[cfg(unix)]
fn standard_output() -> Option<Metadata> {
    use std::os::fd::AsFd;
    fs::File::from(std::io::stdout().as_fd().try_clone_to_owned().ok()?).metadata().ok()
}

#[cfg(unix)]
fn standard_input() -> Option<Metadata> {
    use std::os::fd::AsFd;
    fs::File::from(std::io::stdin().as_fd().try_clone_to_owned().ok()?).metadata().ok()
}

#[cfg(not(unix))]
fn standard_output() -> Option<Metadata> {
    None
}

#[cfg(not(unix))]
fn standard_input() -> Option<Metadata> {
    None
}

/// Refuses to write what is read, and to write one file twice. Gives the files that exist and will be written, for folders
/// that hold them under other names.
pub(super) fn check(inputs: &[PathBuf], targets: &[&Target]) -> Result<Vec<FileId>, CliError> {
    let mut written: Vec<(&Target, Identity)> = Vec::new();
    for &target in targets {
        if matches!(target, Target::File(path) if is_remote(path)) {
            return Err(CliError::RemoteOutput { path: target.name() });
        }
        let identity = target.identity();
        if written.iter().any(|(other, seen)| *other == target || seen.is_same(&identity)) {
            return Err(CliError::WrittenTwice { path: target.name() });
        }
        let standard_input_only = [PathBuf::from("-")];
        let inputs = if inputs.is_empty() { &standard_input_only } else { inputs };
        if inputs.iter().any(|input| is_read(input, &identity)) {
            return Err(CliError::ReadAndWritten { path: target.name() });
        }
        written.push((target, identity));
    }
    Ok(written.into_iter().filter_map(|(_, identity)| identity.file).collect())
}

/// Whether an input is the output, or a folder that holds it.
fn is_read(input: &Path, output: &Identity) -> bool {
    let metadata = if is_standard_input(input) { standard_input() } else { fs::metadata(input).ok() };
    let Some(metadata) = metadata else { return false };
    if !metadata.is_dir() {
        return output.is_same(&Identity { file: regular(&metadata), ..Identity::default() });
    }
    // A file that does not exist yet is no input.
    let (Some(place), Some(_), Ok(folder)) = (&output.place, &output.file, input.canonicalize()) else { return false };
    is_found_in(&folder, place)
}

/// Whether a place is below a folder, and no part of its path there is hidden.
fn is_found_in(folder: &Path, place: &Path) -> bool {
    let hidden = |part: Component<'_>| part.as_os_str().as_encoded_bytes().starts_with(b".");
    place.strip_prefix(folder).is_ok_and(|rest| !rest.components().any(hidden))
}

/// What is read, to be compared with outputs of any number.
pub(super) struct Inputs {
    files: HashSet<FileId>,
    /// Folders without links.
    folders: Vec<PathBuf>,
}

impl Inputs {
    pub fn of(inputs: &[PathBuf]) -> Inputs {
        let (mut files, mut folders) = (HashSet::new(), Vec::new());
        for input in inputs.iter().filter(|input| !is_standard_input(input)) {
            match fs::metadata(input) {
                Ok(metadata) if metadata.is_dir() => folders.extend(input.canonicalize()),
                Ok(metadata) => files.extend(regular(&metadata)),
                Err(_) => {}
            }
        }
        Inputs { files, folders }
    }

    /// Whether a file that exists is among them. One that does not exist yet is no input.
    pub fn hold_file(&self, path: &Path) -> bool {
        let Some(file) = fs::metadata(path).ok().as_ref().and_then(regular) else { return false };
        self.files.contains(&file) || place(path).is_ok_and(|place| self.hold(&place))
    }

    /// Whether files in a folder are among them, or would be when the command is run again.
    pub fn hold_folder(&self, path: &Path) -> bool {
        path.canonicalize().is_ok_and(|place| self.hold(&place))
    }

    fn hold(&self, place: &Path) -> bool {
        self.folders.iter().any(|folder| is_found_in(folder, place))
    }
}

/// Ends of names that promise something else than rows, with what to do instead. `None` for all others.
///
/// `.json` is not among them: it is read as JSON Lines, so it is written as such.
pub(super) fn other_format(path: &Path) -> Option<&'static str> {
    match extension(path)?.as_str() {
        "gz" | "gzip" | "zst" | "zstd" | "bz2" | "xz" => other_format(&path.with_extension("")),
        "lz4" | "br" | "zip" | "7z" | "tar" | "tgz" => {
            Some("write to standard output and compress what comes from there")
        }
        "orc" | "avro" => Some(
            "write FILE.jsonl and convert it: python3 -c 'import pandas; pandas.read_json(\"FILE.jsonl\", lines=True)'",
        ),
        "xlsx" | "xls" | "ods" => Some("write FILE.csv, which spreadsheets open"),
        "tsv" | "tab" => Some("write FILE.csv"),
        "html" | "htm" | "xml" | "yaml" | "yml" | "pdf" | "docx" | "odt" | "epub" | "sqlite" | "db" | "pkl" | "npy" => {
            Some("write FILE.jsonl or FILE.csv")
        }
        _ => None,
    }
}

/// The end of a name in lower case.
fn extension(path: &Path) -> Option<String> {
    Some(path.extension()?.to_str()?.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn names_of_descriptors_are_descriptors() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/dev/stdout", &link).unwrap();
        let target = |path: &Path| Target::new(Some(path.to_owned()));
        for name in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/dev/../dev/stdout", "-"] {
            assert_eq!(target(Path::new(name)), Target::StandardOutput, "{name}");
        }
        assert_eq!(target(&link), Target::StandardOutput);
        assert_eq!(target(Path::new("/dev/stderr")), Target::Descriptor(2));
        assert_eq!(target(Path::new("/proc/self/fd/9")), Target::Descriptor(9));
        for file in ["/dev/null", "out/1", "/nonexistent/fd/1"] {
            assert_eq!(target(Path::new(file)), Target::File(file.into()));
        }
    }

    #[test]
    fn one_place_under_two_names_is_refused_before_it_exists() {
        let folder = tempfile::tempdir().unwrap();
        let target = |name: &str| Target::File(folder.path().join(name));
        fs::create_dir(folder.path().join("out")).unwrap();
        let check = |first: &str, second: &str| check(&[], &[&target(first), &target(second)]);
        assert!(matches!(check("out/n", "out/../out/n"), Err(CliError::WrittenTwice { .. })));
        assert!(check("out/n", "out/m").is_ok());
        fs::write(folder.path().join("a"), "").unwrap();
        fs::hard_link(folder.path().join("a"), folder.path().join("b")).unwrap();
        #[cfg(unix)]
        assert!(matches!(check("a", "b"), Err(CliError::WrittenTwice { .. })));
    }

    #[test]
    fn outputs_are_files_here() {
        let target = Target::new(Some("s3://bucket/rows.jsonl".into()));
        assert!(matches!(check(&[], &[&target]), Err(CliError::RemoteOutput { .. })));
    }

    #[test]
    fn what_is_read_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("in")).unwrap();
        fs::write(path("in/a"), "text").unwrap();
        fs::write(path("in/.hidden"), "text").unwrap();
        let refused = |input: &str, output: &str| {
            matches!(check(&[path(input)], &[&Target::File(path(output))]), Err(CliError::ReadAndWritten { .. }))
        };
        assert!(refused("in/a", "in/a") && refused("in", "in/a") && refused("in", "in/../in/a"));
        assert!(!refused("in", "in/new") && !refused("in", "in/.hidden") && !refused("in/a", "b"));
        #[cfg(unix)]
        {
            fs::hard_link(path("in/a"), path("same")).unwrap();
            assert!(refused("in/a", "same"));
        }
    }

    #[test]
    fn some_ends_of_names_promise_what_is_not_written() {
        for name in ["a.orc", "a.orc.gz", "a.XLSX", "a.tsv"] {
            assert!(other_format(Path::new(name)).is_some(), "{name}");
        }
        for name in ["a.json", "a.jsonl", "a.csv", "a.csv.gz", "a.txt", "gz", "a"] {
            assert!(other_format(Path::new(name)).is_none(), "{name}");
        }
    }
}
