//! Files that appear under their names whole, or not at all.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::{Builder, NamedTempFile};

/// How many links a path may lead through; Linux allows as many.
const MOST_LINKS: usize = 40;

/// Begins the names of temporary files. Hidden, so that a folder which is read while it is written to leaves them out, and
/// short, so that the longest file name there can be is no obstacle.
const PREFIX: &str = ".copydesk-";
const SUFFIX: &str = ".tmp";

/// Temporary files that are not yet renamed, and folders that nothing was stored in to go on with. A process that is told to end removes them ([`remove_temporaries`]).
///
/// Whoever makes, renames or removes one holds the lock, so that none is made after the last was removed.
static LIVE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn live() -> MutexGuard<'static, Vec<PathBuf>> {
    // Nothing panics while the lock is held.
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file on its way to its name: written beside it, then renamed over it. Dropped before [`AtomicFile::commit`], it leaves
/// nothing behind and what stood under the name stays.
#[derive(Debug)]
pub(crate) struct AtomicFile {
    place: PathBuf,
    file: Option<NamedTempFile>,
}

impl AtomicFile {
    /// Opens a temporary file in the folder of `path`, with the permissions of the file that it will replace, or of a new one.
    /// Through a link it is the file behind it that will be replaced.
    ///
    /// # Errors
    /// What the operating system says of the folder.
    pub fn create(path: &Path) -> io::Result<AtomicFile> {
        let place = place(path)?;
        let folder = place.parent().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no file name"))?;
        let mut builder = Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        if let Some(permissions) = new_file() {
            builder.permissions(permissions);
        }
        let mut live = live();
        let file = builder.tempfile_in(folder)?;
        live.push(file.path().to_owned());
        drop(live);
        let atomic = AtomicFile { place, file: Some(file) };
        if let Ok(metadata) = fs::metadata(&atomic.place) {
            fs::set_permissions(atomic.temporary(), metadata.permissions())?;
        }
        Ok(atomic)
    }

    /// The name that the file has until then.
    pub fn temporary(&self) -> &Path {
        self.file().path()
    }

    /// Brings the bytes to the disk, then the file to its name, then the name to the disk.
    ///
    /// # Errors
    /// What the operating system says; the file under the name is then the old one.
    pub fn commit(mut self) -> io::Result<()> {
        self.file().as_file().sync_all()?;
        let mut live = live();
        let file = self.file.take().expect("taken only here and when dropped; this is a bug");
        let temporary = file.path().to_owned();
        let renamed = file.persist(&self.place);
        live.retain(|path| *path != temporary);
        drop(live);
        renamed.map_err(|error| error.error)?;
        sync_folder(&self.place);
        Ok(())
    }

    fn file(&self) -> &NamedTempFile {
        self.file.as_ref().expect("taken only when it ends; this is a bug")
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file().as_file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            let mut live = live();
            live.retain(|path| path != file.path());
            // Nothing more can be done about a file that does not go away.
            let _ = file.close();
        }
    }
}

/// Writes a whole file by way of an [`AtomicFile`].
///
/// # Errors
/// As [`AtomicFile::create`] and [`AtomicFile::commit`].
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes)?;
    file.commit()
}

/// Moves a file that was brought to the disk to its place, with the permissions of the file that it replaces, and brings the name to
/// the disk. To another file system it is copied, and is there whole or not at all in this case too.
///
/// # Errors
/// What the operating system says; the file at the place is then the old one.
pub(crate) fn move_into(from: &Path, place: &Path) -> io::Result<()> {
    if let Ok(metadata) = fs::metadata(place) {
        fs::set_permissions(from, metadata.permissions())?;
    }
    match fs::rename(from, place) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let mut copy = AtomicFile::create(place)?;
            io::copy(&mut File::open(from)?, &mut copy)?;
            copy.commit()?;
            fs::remove_file(from)
        }
        renamed => {
            renamed?;
            sync_folder(place);
            Ok(())
        }
    }
}

/// Removes every temporary file of this process and says how many there were. No further one can be made: call it only to
/// end the process.
pub(crate) fn remove_temporaries() -> usize {
    let live = live();
    for path in live.iter() {
        // The process ends in any case.
        let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    }
    let removed = live.len();
    // Whoever wants to make or rename a file from now on waits for a lock that is not given back.
    std::mem::forget(live);
    removed
}

/// Lets a folder go away with the process, should it be told to end.
pub(crate) fn remove_with_process(folder: &Path) {
    live().push(folder.to_owned());
}

/// Lets a folder stay after all.
pub(crate) fn keep(folder: &Path) {
    live().retain(|path| path != folder);
}

/// Where a file of this name stands or would stand: its folder without links and `..`, and all links of the name itself
/// followed, also where nothing stands at their end.
///
/// # Errors
/// What the operating system says of the folder, and of links that lead in a circle.
pub(crate) fn place(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let (folder, whole) = in_its_folder(&path)?;
        match fs::read_link(&whole) {
            Ok(link) => path = folder.join(link),
            Err(_) => return Ok(whole),
        }
    }
    // The operating system has words for it.
    path.canonicalize()
}

/// The folder of `path` without links, and `path` in it.
pub(crate) fn in_its_folder(path: &Path) -> io::Result<(PathBuf, PathBuf)> {
    let Some(name) = path.file_name() else {
        // `..` and `/`: folders by their nature.
        let whole = path.canonicalize()?;
        return Ok((whole.clone(), whole));
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let folder = folder.canonicalize()?;
    let whole = folder.join(name);
    Ok((folder, whole))
}

/// Tells files apart whatever their names: two names of one file have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// `None` where the system has no such numbers.
    pub(crate) fn of(metadata: &fs::Metadata) -> Option<FileId> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            Some(FileId { device: metadata.dev(), inode: metadata.ino() })
        }
        #[cfg(not(unix))]
        {
            let _ = metadata;
            None
        }
    }
}

/// Permissions of a new file, of which the process's mask is taken away.
fn new_file() -> Option<Permissions> {
    #[cfg(unix)]
    return Some(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    #[cfg(not(unix))]
    return None;
}

/// Brings a new name to the disk. The file has its name either way, and not every file system can do it.
fn sync_folder(place: &Path) {
    #[cfg(unix)]
    if let Some(folder) = place.parent() {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    #[cfg(not(unix))]
    let _ = (place, File::options());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_is_replaced_only_when_committed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        fs::write(&path, "old").unwrap();
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        assert!(names(folder.path()).iter().any(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX)));
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        write(&path, b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(names(folder.path()), ["rows"]);
    }

    #[test]
    fn the_longest_name_is_no_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("n".repeat(255));
        write(&path, b"rows").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"rows");
    }

    #[cfg(unix)]
    #[test]
    fn permissions_of_a_replaced_file_stay_and_a_new_one_is_readable() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let (old, plain, new) = (folder.path().join("old"), folder.path().join("plain"), folder.path().join("new"));
        fs::write(&old, "").unwrap();
        fs::set_permissions(&old, Permissions::from_mode(0o640)).unwrap();
        fs::write(&plain, "").unwrap();
        write(&old, b"1").unwrap();
        write(&new, b"1").unwrap();
        assert_eq!(mode(&old), 0o640);
        assert_eq!(mode(&new), mode(&plain));
    }

    #[cfg(unix)]
    #[test]
    fn one_place_has_one_name() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir(root.join("out")).unwrap();
        symlink("out", root.join("link")).unwrap();
        symlink("out/n", root.join("to_n")).unwrap();
        symlink(root.join("to_n"), root.join("to_to_n")).unwrap();
        let expected = root.join("out/n");
        for path in ["out/n", "out/../out/n", "link/n", "./link/../out/n", "to_n", "to_to_n"] {
            assert_eq!(place(&root.join(path)).unwrap(), expected, "{path}");
        }
        write(&root.join("to_to_n"), b"through").unwrap();
        assert_eq!(fs::read(&expected).unwrap(), b"through");
        assert!(root.join("to_n").is_symlink());
        symlink("b", root.join("a")).unwrap();
        symlink("a", root.join("b")).unwrap();
        assert!(place(&root.join("a")).is_err());
        assert!(place(&root.join("absent/n")).is_err());
    }
}
