//! Where rows go: standard output, or a file that appears once all is done.

use super::closed;
use super::error::CliError;
pub(super) use super::target::Target;
use crate::atomic::AtomicFile;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Stdout, Write};
use std::path::{Path, PathBuf};

/// An output that is being written.
pub(super) enum Output {
    Stdout(BufWriter<Stdout>),
    /// Written in place: a device, a pipe or an open descriptor, which cannot be replaced.
    InPlace {
        path: PathBuf,
        writer: BufWriter<File>,
    },
    /// A file that appears once it is finished.
    Replacing {
        path: PathBuf,
        writer: BufWriter<AtomicFile>,
    },
}

impl Output {
    /// Opens a target. What a file holds stays until [`Output::finish`].
    pub fn open(target: &Target) -> Result<Output, CliError> {
        let path = target.name();
        let unwritable = |error| CliError::Unwritable { path: path.clone(), error };
        match target {
            Target::StandardOutput if closed::was_closed_at_start() => Err(unwritable(closed::error())),
            Target::StandardOutput => Ok(Output::Stdout(BufWriter::new(io::stdout()))),
            Target::Descriptor(number) => {
                let file = duplicate(*number).map_err(unwritable)?;
                Ok(Output::InPlace { path, writer: BufWriter::new(file) })
            }
            Target::File(file) if fs::metadata(file).is_ok_and(|metadata| !metadata.is_file()) => {
                let file = OpenOptions::new().write(true).open(file).map_err(unwritable)?;
                Ok(Output::InPlace { path, writer: BufWriter::new(file) })
            }
            Target::File(file) => {
                let file = AtomicFile::create(file).map_err(unwritable)?;
                Ok(Output::Replacing { path, writer: BufWriter::new(file) })
            }
        }
    }

    /// Writes rows, and hands them on at once where somebody may be waiting for them.
    pub fn write(&mut self, rows: &[u8]) -> Result<(), CliError> {
        let written = match self {
            Output::Stdout(writer) => writer.write_all(rows).and_then(|()| writer.flush()),
            Output::InPlace { writer, .. } => writer.write_all(rows).and_then(|()| writer.flush()),
            Output::Replacing { writer, .. } => writer.write_all(rows),
        };
        written.map_err(|error| self.failed(error))
    }

    /// Makes a file appear under its name.
    pub fn finish(self) -> Result<(), CliError> {
        match self {
            Output::Replacing { path, writer } => {
                let file = writer.into_inner().map_err(io::IntoInnerError::into_error);
                file.and_then(AtomicFile::commit).map_err(|error| CliError::Unwritable { path, error })
            }
            mut direct => {
                direct.write(b"")?;
                closed::all_written();
                Ok(())
            }
        }
    }

    fn failed(&self, error: io::Error) -> CliError {
        let path = match self {
            Output::Stdout(_) if error.kind() == io::ErrorKind::BrokenPipe => return CliError::ClosedPipe,
            Output::Stdout(_) => Path::new("standard output"),
            Output::InPlace { path, .. } | Output::Replacing { path, .. } => path,
        };
        CliError::Unwritable { path: path.to_owned(), error }
    }
}

/// A second handle on an open descriptor: what is written through it goes on where the descriptor stands and moves it on, so
/// that neither what others wrote before nor what they write after is lost.
#[cfg(unix)]
fn duplicate(number: i32) -> io::Result<File> {
    // The library's error wraps the system's, which says what is wrong.
    let failed = |error: filedescriptor::Error| match error {
        filedescriptor::Error::Dup { source, .. } => source,
        other => io::Error::other(other),
    };
    filedescriptor::FileDescriptor::dup(&number).and_then(|descriptor| descriptor.as_file()).map_err(failed)
}

#[cfg(not(unix))]
fn duplicate(_: i32) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
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

    #[cfg(unix)]
    #[test]
    fn an_open_descriptor_goes_on_where_it_stands() {
        use std::os::fd::AsRawFd;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut file = File::create(&path).unwrap();
        file.write_all(b"before ").unwrap();
        let mut output = Output::open(&Target::Descriptor(file.as_raw_fd())).unwrap();
        output.write(b"rows ").unwrap();
        output.finish().unwrap();
        file.write_all(b"after").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "before rows after");
        assert!(Output::open(&Target::Descriptor(999_999)).is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_at_the_latest_when_finished() {
        let mut output = Output::open(&Target::File("/dev/full".into())).unwrap();
        assert!(matches!(output.write(b"rows"), Err(CliError::Unwritable { .. })));
    }

    #[test]
    fn no_folder_no_output() {
        let target = Target::new(Some(PathBuf::from("/nonexistent/folder/rows")));
        assert!(matches!(Output::open(&target), Err(CliError::Unwritable { .. })));
        assert_eq!(Target::new(Some(PathBuf::from("-"))), Target::StandardOutput);
    }
}
