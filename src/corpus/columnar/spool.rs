//! Sources that must be read from their end, put into a file.

use std::fs::File;
use std::io::{self, Read, Seek};

/// Everything that `reader` gives, in a temporary file without a name: the system removes it when it is closed, however the
/// process ends.
pub(super) fn to_file(mut reader: impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut reader, &mut file)?;
    file.rewind()?;
    Ok(file)
}
