//! What can go wrong with a store, and what to do about it.

use object_store::client::{HttpError, HttpErrorKind};
use std::error::Error as StdError;
use std::io;

/// Why an object or a list of them cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum RemoteError {
    #[error("the name cannot be used: {0}")]
    Name(String),
    #[error("no credentials were found ({reason}); {advice}")]
    NoCredentials { reason: String, advice: &'static str },
    #[error("there is no bucket `{bucket}`; check its name, and the endpoint where the store is not the usual one")]
    NoBucket { bucket: String },
    #[error("there is no such object, and none below it")]
    NoObject,
    #[error("the store refuses access (403): the credentials may not read this, or there is no such object")]
    Forbidden,
    #[error("the store wants other credentials (401); they may have expired")]
    Unauthenticated,
    #[error("the bucket is in another region; set AWS_REGION to it")]
    OtherRegion,
    #[error("it was written while it was read; read it again when nobody writes it")]
    Changed,
    #[error("the server does not tell its length, so nobody knows when it is whole; download it first: curl -LO")]
    NoLength,
    #[error("the connection broke at byte {at}, and again at each of {attempts} attempts: {reason}")]
    Broken { at: u64, attempts: usize, reason: String },
    #[error("nobody answers there: {reason}; check the address")]
    NoAnswer { reason: String },
    #[error("the network cannot be used: {0}")]
    Network(String),
    #[error("{0}")]
    Other(String),
}

impl RemoteError {
    /// The library's error about something in a bucket.
    pub fn of(error: object_store::Error, bucket: &str) -> RemoteError {
        use object_store::Error;
        let words = words(&error);
        match error {
            _ if words.contains("NoSuchBucket") => RemoteError::NoBucket { bucket: bucket.to_owned() },
            Error::NotFound { .. } => RemoteError::NoObject,
            Error::PermissionDenied { .. } => RemoteError::Forbidden,
            Error::Unauthenticated { .. } => RemoteError::Unauthenticated,
            Error::Precondition { .. } => RemoteError::Changed,
            _ if has_no_connection(&error) => RemoteError::NoAnswer { reason: words },
            _ if words.contains("configured region") => RemoteError::OtherRegion,
            _ if words.contains("Content-Length Header missing") => RemoteError::NoLength,
            _ => RemoteError::Other(words),
        }
    }
}

impl From<RemoteError> for io::Error {
    fn from(error: RemoteError) -> io::Error {
        let kind = match error {
            RemoteError::NoBucket { .. } | RemoteError::NoObject => io::ErrorKind::NotFound,
            RemoteError::NoCredentials { .. } | RemoteError::Forbidden | RemoteError::Unauthenticated => {
                io::ErrorKind::PermissionDenied
            }
            RemoteError::Name(_) => io::ErrorKind::InvalidInput,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

/// An error with its causes, on one line. The outer ones often end with the inner ones, and the innermost tells most.
pub(super) fn words(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let inner = error.to_string();
        if !text.contains(&inner) {
            text = format!("{text}: {inner}");
        }
        cause = error.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether no connection came about.
pub(super) fn has_no_connection(error: &object_store::Error) -> bool {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(HttpErrorKind::Connect) = error.downcast_ref::<HttpError>().map(HttpError::kind) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Whether a server gives no parts of what it has. Of what is empty there are none.
pub(super) fn is_without_ranges(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotSupported { .. }) || words(error).contains("416 Range Not Satisfiable")
}
