//! One content on its way into the cache: gone on with where an earlier transfer broke off, and whole or not there at all.

use super::checksum::Checksum;
use super::client::{Client, Content, Head, io_reason};
use super::name::Name;
use super::store::{Store, in_folder};
use super::{Download, File, HubError};
use std::fs;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A transfer that brought as many bytes before it broke off is gone on with at once.
const WORTH_GOING_ON: u64 = 1 << 20;

/// Bytes read at once.
const PIECE: usize = 1 << 16;

/// Brings a file's content into the cache, if it is not there.
///
/// What is left of an earlier transfer is gone on with only where the content's name is a checksum, so that it can be told whether the
/// parts belong together.
pub(super) fn fetch(
    client: &Client,
    store: &Store,
    name: &Name,
    file: &'static File,
    head: &Head,
    watch: &mut dyn FnMut(Download),
) -> Result<(), HubError> {
    let blob = store.blob(&head.etag);
    in_folder(&blob).map_err(|source| HubError::Cache { path: blob.clone(), source })?;
    let _lock = store.lock(&head.etag)?;
    if let Ok(metadata) = fs::metadata(&blob)
        && metadata.is_file()
        && head.size.is_none_or(|size| size == metadata.len())
    {
        return Ok(());
    }
    let mut transfer = Transfer::open(store.part(&head.etag), file, head)?;
    // What an earlier transfer left may be wrong; what this one brought is so only if the server is.
    let had = transfer.len;
    let mut got = transfer.run(client, name, watch).and_then(|()| transfer.check());
    if had > 0 && matches!(got, Err(HubError::WrongChecksum { .. })) {
        transfer.restart()?;
        got = transfer.run(client, name, watch).and_then(|()| transfer.check());
    }
    match got {
        Ok(()) => transfer.keep(&blob),
        Err(error) => Err(transfer.give_up(error)),
    }
}

struct Transfer<'head> {
    path: PathBuf,
    part: fs::File,
    file: &'static File,
    head: &'head Head,
    /// Of what is there; `None` where the content's name is no checksum.
    checksum: Option<Checksum>,
    len: u64,
}

impl<'head> Transfer<'head> {
    /// Opens the file that the content grows in, with what is there already.
    fn open(path: PathBuf, file: &'static File, head: &'head Head) -> Result<Transfer<'head>, HubError> {
        let mut options = fs::OpenOptions::new();
        let part = options.read(true).write(true).create(true).truncate(false).open(&path);
        let part = part.map_err(|source| HubError::Cache { path: path.clone(), source })?;
        let checksum = Checksum::named(&head.etag, head.size);
        let mut transfer = Transfer { path, part, file, head, checksum, len: 0 };
        if transfer.checksum.is_none() || !transfer.read_back()? {
            transfer.restart()?;
        }
        Ok(transfer)
    }

    /// Takes in what is there. Whether it can be the beginning of the content.
    fn read_back(&mut self) -> Result<bool, HubError> {
        let most = self.head.size.unwrap_or(self.file.most_bytes);
        let mut piece = vec![0; PIECE];
        loop {
            match self.part.read(&mut piece) {
                Ok(0) => return Ok(true),
                Ok(read) => self.count(&piece[..read]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(error)),
            }
            if self.len > most {
                return Ok(false);
            }
        }
    }

    /// Counts bytes that are in the file now.
    fn count(&mut self, bytes: &[u8]) {
        if let Some(checksum) = &mut self.checksum {
            checksum.update(bytes);
        }
        self.len += bytes.len() as u64;
    }

    /// Begins with the first byte.
    fn restart(&mut self) -> Result<(), HubError> {
        (self.checksum, self.len) = (Checksum::named(&self.head.etag, self.head.size), 0);
        let emptied = self.part.set_len(0).and_then(|()| self.part.seek(SeekFrom::Start(0)));
        emptied.map(|_| ()).map_err(|error| self.failed(error))
    }

    /// Transfers what is left, in as many goes as it takes.
    fn run(&mut self, client: &Client, name: &Name, watch: &mut dyn FnMut(Download)) -> Result<(), HubError> {
        loop {
            let before = self.len;
            match self.go(client, name, watch) {
                Err(HubError::Truncated { .. } | HubError::Unreachable { .. })
                    if self.len.saturating_sub(before) >= WORTH_GOING_ON => {}
                result => return result,
            }
        }
    }

    /// One request.
    fn go(&mut self, client: &Client, name: &Name, watch: &mut dyn FnMut(Download)) -> Result<(), HubError> {
        if self.len > 0 && Some(self.len) == self.head.size {
            return Ok(());
        }
        let Some(content) = client.content(name, &self.head.commit, self.file.name, self.len)? else {
            // What is there is longer than the file. From the first byte on there is always an answer.
            self.restart()?;
            return self.go(client, name, watch);
        };
        if content.start != self.len {
            // The server knows no ranges.
            self.restart()?;
        }
        self.receive(content, watch)
    }

    fn receive(&mut self, mut content: Content, watch: &mut dyn FnMut(Download)) -> Result<(), HubError> {
        let file = self.file.name;
        let size = match (self.head.size, content.size) {
            (Some(expected), Some(got)) if expected != got => {
                return Err(HubError::WrongLength { file, expected, got });
            }
            (told, sent) => told.or(sent),
        };
        self.file.check(size)?;
        if size.is_none() && !content.has_end && self.checksum.is_none() {
            return Err(HubError::NoHub { file, at: content.at, rule: "neither a length nor a checksum" });
        }
        let mut piece = vec![0; PIECE];
        loop {
            watch(Download { file, bytes: self.len, size });
            let read = match content.body.read(&mut piece) {
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.truncated(size, io_reason(&error))),
            };
            if read == 0 {
                break;
            }
            let len = self.len + read as u64;
            match size {
                Some(expected) if len > expected => return Err(HubError::WrongLength { file, expected, got: len }),
                _ => self.file.check(Some(len))?,
            }
            self.part.write_all(&piece[..read]).map_err(|error| self.failed(error))?;
            self.count(&piece[..read]);
        }
        match size {
            Some(size) if self.len < size => Err(self.truncated(Some(size), "the connection was closed".to_owned())),
            _ => Ok(()),
        }
    }

    fn truncated(&self, expected: Option<u64>, reason: String) -> HubError {
        HubError::Truncated { file: self.file.name, expected, got: self.len, reason }
    }

    /// Whether what came is what the hub promised.
    fn check(&mut self) -> Result<(), HubError> {
        let Some(checksum) = &self.checksum else { return Ok(()) };
        let (expected, got) = (&self.head.etag, checksum.digits());
        match got == *expected {
            true => Ok(()),
            false => {
                let (file, kind) = (self.file.name, checksum.kind());
                Err(HubError::WrongChecksum { file, kind, expected: expected.clone(), got })
            }
        }
    }

    /// Gives the content its name.
    fn keep(self, blob: &Path) -> Result<(), HubError> {
        self.part.sync_all().map_err(|error| self.failed(error))?;
        let Transfer { path, part, .. } = self;
        drop(part);
        fs::rename(&path, blob).map_err(|source| HubError::Cache { path: blob.to_owned(), source })
    }

    /// Throws away what nobody can go on with.
    fn give_up(self, error: HubError) -> HubError {
        let can_go_on = self.checksum.is_some()
            && matches!(
                error,
                HubError::Truncated { .. }
                    | HubError::Unreachable { .. }
                    | HubError::Refused { .. }
                    | HubError::Cache { .. }
            );
        if !can_go_on || self.len == 0 {
            let Transfer { path, part, .. } = self;
            drop(part);
            // If it stays, its checksum or the next transfer finds it out.
            let _ = fs::remove_file(path);
        }
        error
    }

    fn failed(&self, source: io::Error) -> HubError {
        HubError::Cache { path: self.path.clone(), source }
    }
}
