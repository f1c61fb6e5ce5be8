//! The objects below a prefix, in the order of their names.

use super::error::RemoteError;
use super::{RemoteObject, network};
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, ReadyChunks};
use object_store::path::Path as Location;
use object_store::{ObjectMeta, ObjectStore};
use std::collections::VecDeque;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Objects that are held at once; stores tell of so many in one answer.
const PAGE: usize = 1000;

type Pages = ReadyChunks<BoxStream<'static, object_store::Result<ObjectMeta>>>;

/// Objects one by one; of all of them one answer of the store is held.
///
/// As in folders, what has a part in its name that begins with a dot is left out. So are objects without bytes: many programs mark
/// folders by them, with names that cannot be asked for.
pub(crate) struct Listing {
    store: Arc<dyn ObjectStore>,
    /// Address of the bucket, with a slash at the end.
    home: String,
    bucket: String,
    prefix: Location,
    /// What is to come; `None` at the end.
    pages: Option<Pages>,
    /// Objects, and what ended the list.
    ready: VecDeque<object_store::Result<ObjectMeta>>,
}

impl fmt::Debug for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listing({}{})", self.home, self.prefix)
    }
}

impl Listing {
    pub(super) fn new(store: Arc<dyn ObjectStore>, home: &str, bucket: &str, prefix: Location) -> Listing {
        let pages = Some(store.list(Some(&prefix)).ready_chunks(PAGE));
        Listing { store, home: home.to_owned(), bucket: bucket.to_owned(), prefix, pages, ready: VecDeque::new() }
    }

    /// The address that it is of.
    pub(crate) fn name(&self) -> Arc<str> {
        Arc::from(format!("{}{}", self.home, self.prefix))
    }

    /// Whether there is anything below the prefix.
    pub(super) fn has_any(&mut self) -> Result<bool, RemoteError> {
        self.fill()?;
        if let Some(Err(_)) = self.ready.front() {
            self.next_meta()?;
        }
        Ok(!self.ready.is_empty())
    }

    /// The next object, with its path below the prefix; `None` at the end, and after an error.
    pub(crate) fn next_object(&mut self) -> Option<Result<(RemoteObject, PathBuf), std::io::Error>> {
        loop {
            let meta = match self.next_meta() {
                Ok(meta) => meta?,
                Err(error) => return Some(Err(error.into())),
            };
            let key = meta.location.as_ref();
            let below = key.strip_prefix(self.prefix.as_ref()).unwrap_or(key).trim_start_matches('/');
            if meta.size == 0 || below.is_empty() || below.split('/').any(|part| part.starts_with('.')) {
                continue;
            }
            let relative = PathBuf::from(below);
            let name = Arc::from(format!("{}{key}", self.home));
            return Some(Ok((RemoteObject::new(name, Arc::clone(&self.store), meta, true), relative)));
        }
    }

    fn next_meta(&mut self) -> Result<Option<ObjectMeta>, RemoteError> {
        self.fill()?;
        match self.ready.pop_front() {
            None => Ok(None),
            Some(Ok(meta)) => Ok(Some(meta)),
            Some(Err(error)) => {
                self.pages = None;
                self.ready.clear();
                Err(RemoteError::of(error, &self.bucket))
            }
        }
    }

    /// Asks for more where nothing is held.
    fn fill(&mut self) -> Result<(), RemoteError> {
        if !self.ready.is_empty() {
            return Ok(());
        }
        let Some(mut pages) = self.pages.take() else { return Ok(()) };
        let (page, pages) = network::wait(async move { (pages.next().await, pages) })?;
        if let Some(page) = page {
            self.ready = page.into();
            self.pages = Some(pages);
        }
        Ok(())
    }
}
