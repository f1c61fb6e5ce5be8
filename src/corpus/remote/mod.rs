//! Inputs in object stores and behind HTTP: which objects a name stands for, and their bytes.
//!
//! The libraries for it are asynchronous. They run on one thread of their own ([`network`]), and the rest of the crate waits for it as
//! for a disk.

mod error;
mod listing;
mod network;
mod reader;
mod store;

use super::address::{self, Protocol};
use error::RemoteError;
pub(super) use listing::Listing;
use object_store::path::Path as Location;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt};
use std::fmt;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

/// An object that can be read.
#[derive(Clone)]
pub struct RemoteObject {
    /// Its address.
    name: Arc<str>,
    store: Arc<dyn ObjectStore>,
    location: Location,
    size_bytes: u64,
    /// When it was written, in nanoseconds since 1970, where the store says so.
    modified: Option<u128>,
    /// What the store gives for exactly these bytes.
    e_tag: Option<String>,
    /// Whether the store gives parts of it.
    has_ranges: bool,
}

impl fmt::Debug for RemoteObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteObject").field("name", &self.name).field("size_bytes", &self.size_bytes).finish()
    }
}

impl PartialEq for RemoteObject {
    fn eq(&self, other: &RemoteObject) -> bool {
        let key = |object: &RemoteObject| (Arc::clone(&object.name), object.size_bytes, object.modified);
        key(self) == key(other) && self.e_tag == other.e_tag
    }
}

impl Eq for RemoteObject {}

impl RemoteObject {
    fn new(name: Arc<str>, store: Arc<dyn ObjectStore>, meta: ObjectMeta, has_ranges: bool) -> RemoteObject {
        let nanoseconds = meta.last_modified.timestamp_nanos_opt().and_then(|time| u128::try_from(time).ok());
        RemoteObject {
            name,
            store,
            location: meta.location,
            size_bytes: meta.size,
            // The library fills in 1970 where a server does not tell.
            modified: nanoseconds.filter(|time| *time > 0),
            e_tag: meta.e_tag,
            has_ranges,
        }
    }

    /// Its address.
    pub(super) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Its size in bytes.
    pub(super) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// When it was written, in nanoseconds since 1970.
    pub(super) fn modified(&self) -> Option<u128> {
        self.modified
    }

    /// Its bytes. A connection that breaks is made again, and reading goes on where it was; that the object was written meanwhile is
    /// an error.
    pub(super) fn open(&self) -> Box<dyn Read + Send> {
        if self.has_ranges {
            Box::new(reader::Pieces::new(self.clone()))
        } else {
            Box::new(reader::Whole::new(self.clone()))
        }
    }

    /// Whether what a request found is what the list told of.
    fn is_same(&self, meta: &ObjectMeta) -> bool {
        meta.size == self.size_bytes && (self.e_tag.is_none() || meta.e_tag.is_none() || meta.e_tag == self.e_tag)
    }
}

/// What a name stands for.
pub(super) enum Found {
    Object { object: RemoteObject, relative: PathBuf },
    Objects(Listing),
}

/// Looks a name up.
///
/// # Errors
/// A [`RemoteError`] in words, with what to do.
pub(super) fn find(name: &str) -> io::Result<Found> {
    let (protocol, rest) =
        address::parse(name).ok_or_else(|| RemoteError::Name("it has no known scheme".to_owned()))?;
    match protocol {
        Protocol::Http => {
            let store = store::of_http(name)?;
            let object = network::wait(one_by_http(Arc::from(name), store))??;
            Ok(Found::Object { object, relative: PathBuf::from(last_segment(rest)) })
        }
        Protocol::S3 | Protocol::Google => {
            let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
            let scheme = if protocol == Protocol::S3 { "s3" } else { "gs" };
            let store = store::of_bucket(protocol, bucket)?;
            Ok(find_in(store, &format!("{scheme}://{bucket}/"), bucket, key)?)
        }
    }
}

/// Looks a key up in a bucket whose address is `home`.
fn find_in(store: Arc<dyn ObjectStore>, home: &str, bucket: &str, key: &str) -> Result<Found, RemoteError> {
    let location = Location::parse(key).map_err(|error| RemoteError::Name(error.to_string()))?;
    if !key.is_empty() && !key.ends_with('/') {
        let (asked, at) = (Arc::clone(&store), location.clone());
        match network::wait(async move { asked.head(&at).await })? {
            Ok(meta) => {
                let relative = PathBuf::from(location.filename().unwrap_or_default());
                let object = RemoteObject::new(Arc::from(format!("{home}{location}")), store, meta, true);
                return Ok(Found::Object { object, relative });
            }
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(RemoteError::of(error, bucket)),
        }
    }
    let mut listing = Listing::new(store, home, bucket, location);
    // An empty bucket has no files, as an empty folder; but a key that nothing begins with is a mistake.
    if !key.is_empty() && !listing.has_any()? {
        return Err(RemoteError::NoObject);
    }
    Ok(Found::Objects(listing))
}

/// Size and time of what is behind a URL. A part is asked for, since addresses with a signature in them refuse HEAD.
async fn one_by_http(name: Arc<str>, store: Arc<dyn ObjectStore>) -> Result<RemoteObject, RemoteError> {
    let whole = Location::default();
    let first = GetOptions { range: Some(GetRange::Bounded(0..1)), ..GetOptions::default() };
    let result = match store.get_opts(&whole, first).await {
        Ok(result) => return Ok(RemoteObject::new(name, store, result.meta, true)),
        Err(error) if error::is_without_ranges(&error) => store.get_opts(&whole, GetOptions::default()).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(result) => Ok(RemoteObject::new(name, store, result.meta, false)),
        Err(error) => Err(RemoteError::of(error, "")),
    }
}

/// The name of a file behind a URL, of which `rest` follows `://`.
fn last_segment(rest: &str) -> &str {
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    match path.rsplit_once('/') {
        Some((_, name)) if !name.is_empty() && !name.starts_with('.') => name,
        _ => "index",
    }
}

/// The bytes of the one object that a name stands for.
///
/// # Errors
/// What [`find`] says; also that there are several.
pub(super) fn open(name: &str) -> io::Result<Box<dyn Read + Send>> {
    match find(name)? {
        Found::Object { object, .. } => Ok(object.open()),
        Found::Objects(_) => Err(RemoteError::Name("it stands for several objects".to_owned()).into()),
    }
}

#[cfg(test)]
mod tests;
