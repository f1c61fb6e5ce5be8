//! Where rows go: standard output, or a file that appears once all is done.

use super::error::CliError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Stdout, Write};
use std::path::{Path, PathBuf};

/// An output by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    StandardOutput,
    File(PathBuf),
}

impl Target {
    /// Standard output for no path and for `-`.
    pub fn new(path: Option<PathBuf>) -> Target {
        match path {
            Some(path) if path.as_os_str() != "-" => Target::File(path),
            _ => Target::StandardOutput,
        }
    }
}

/// An output that is being written.
pub(super) enum Output {
    Stdout(BufWriter<Stdout>),
    /// Written in place: a device or a pipe, which cannot be replaced.
    InPlace {
        path: PathBuf,
        writer: BufWriter<File>,
    },
    Replacing(Replacement),
}

/// A file beside the one that it will replace.
pub(super) struct Replacement {
    path: PathBuf,
    temporary: PathBuf,
    writer: BufWriter<File>,
    finished: bool,
}

impl Output {
    /// Opens a target. What a file holds stays until [`Output::finish`].
    pub fn open(target: &Target) -> Result<Output, CliError> {
        let path = match target {
            Target::StandardOutput => return Ok(Output::Stdout(BufWriter::new(io::stdout()))),
            Target::File(path) => path,
        };
        let unwritable = |error| CliError::Unwritable { path: path.clone(), error };
        // Through a link the file behind it is replaced, not the link.
        let path = path.canonicalize().unwrap_or_else(|_| path.clone());
        let existing = fs::metadata(&path).ok();
        if existing.as_ref().is_some_and(|metadata| !metadata.is_file()) {
            let writer = OpenOptions::new().write(true).open(&path).map(BufWriter::new).map_err(unwritable)?;
            return Ok(Output::InPlace { path, writer });
        }
        let (temporary, file) = create_temporary(&path).map_err(unwritable)?;
        let writer = BufWriter::new(file);
        let replacement = Replacement { path: path.clone(), temporary, writer, finished: false };
        if let Some(metadata) = existing {
            fs::set_permissions(&replacement.temporary, metadata.permissions()).map_err(unwritable)?;
        }
        Ok(Output::Replacing(replacement))
    }

    /// Writes rows, and hands them on at once where somebody may be waiting for them.
    pub fn write(&mut self, rows: &[u8]) -> Result<(), CliError> {
        let written = match self {
            Output::Stdout(writer) => writer.write_all(rows).and_then(|()| writer.flush()),
            Output::InPlace { writer, .. } => writer.write_all(rows).and_then(|()| writer.flush()),
            Output::Replacing(replacement) => replacement.writer.write_all(rows),
        };
        written.map_err(|error| self.failed(error))
    }

    /// Makes a file appear under its name.
    pub fn finish(self) -> Result<(), CliError> {
        match self {
            Output::Replacing(mut replacement) => {
                let outcome =
                    replacement.writer.flush().and_then(|()| fs::rename(&replacement.temporary, &replacement.path));
                replacement.finished = outcome.is_ok();
                outcome.map_err(|error| CliError::Unwritable { path: replacement.path.clone(), error })
            }
            mut direct => direct.write(b""),
        }
    }

    fn failed(&self, error: io::Error) -> CliError {
        let path = match self {
            Output::Stdout(_) if error.kind() == io::ErrorKind::BrokenPipe => return CliError::ClosedPipe,
            Output::Stdout(_) => Path::new("standard output"),
            Output::InPlace { path, .. } => path,
            Output::Replacing(replacement) => &replacement.path,
        };
        CliError::Unwritable { path: path.to_owned(), error }
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.finished {
            // Nothing more can be done about a file that does not go away.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// A new file with a hidden name in the same folder, so that renaming never copies and folders given as input leave it out.
fn create_temporary(path: &Path) -> io::Result<(PathBuf, File)> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no file name"))?;
    let name = name.to_string_lossy();
    let mut number = 0;
    loop {
        // A process that was killed leaves its file, and in a container the next one often has the same id.
        let temporary = path.with_file_name(format!(".{name}.{}.{number}.tmp", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&temporary) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1000 => number += 1,
            opened => return opened.map(|file| (temporary, file)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_only_when_finished() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        fs::write(&path, "old").unwrap();
        let target = Target::new(Some(path.clone()));
        let mut output = Output::open(&target).unwrap();
        output.write(b"half").unwrap();
        drop(output);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        let mut output = Output::open(&target).unwrap();
        output.write(b"new").unwrap();
        output.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_killed_process_left_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        let (left, _) = create_temporary(&path).unwrap();
        let mut output = Output::open(&Target::new(Some(path.clone()))).unwrap();
        output.write(b"new").unwrap();
        output.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert!(left.exists());
    }

    #[test]
    fn no_folder_no_output() {
        let target = Target::new(Some(PathBuf::from("/nonexistent/folder/rows")));
        assert!(matches!(Output::open(&target), Err(CliError::Unwritable { .. })));
        assert_eq!(Target::new(Some(PathBuf::from("-"))), Target::StandardOutput);
    }
}
