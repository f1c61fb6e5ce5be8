//! A file whose reader cannot be made to reserve more memory than the file has bytes.

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// A file of a known length. Places and lengths that a damaged footer names are checked before anything is reserved for them.
pub(super) struct BoundedFile {
    file: File,
    length: u64,
}

impl BoundedFile {
    pub fn new(file: File) -> io::Result<BoundedFile> {
        let length = file.metadata()?.len();
        Ok(BoundedFile { file, length })
    }

    pub fn try_clone(&self) -> io::Result<BoundedFile> {
        Ok(BoundedFile { file: self.file.try_clone()?, length: self.length })
    }

    fn at(&self, start: u64, length: u64) -> Result<File, ParquetError> {
        if start.checked_add(length).is_none_or(|end| end > self.length) {
            return Err(ParquetError::EOF(format!(
                "{length} bytes at byte {start} are expected, and the file has {} bytes",
                self.length
            )));
        }
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(start))?;
        Ok(file)
    }
}

impl Length for BoundedFile {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for BoundedFile {
    type T = BufReader<File>;

    fn get_read(&self, start: u64) -> Result<BufReader<File>, ParquetError> {
        Ok(BufReader::new(self.at(start, 0)?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let mut file = self.at(start, length as u64)?.take(length as u64);
        let mut bytes = Vec::with_capacity(length);
        file.read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF("the file became shorter while it was read".to_owned()));
        }
        Ok(Bytes::from(bytes))
    }
}
