//! What all routes share.

use super::caller::{Caller, Shares};
use super::form::header_text;
use super::keys::Keys;
use super::log::Log;
use super::memory::Memory;
use super::metrics::Metrics;
use super::sites::Sites;
use super::work::{Work, WorkError};
use crate::random::SplitMix64;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Whether paths below it speak Akismet's protocol: plain text, with advice in a header.
pub(super) fn is_akismet(path: &str) -> bool {
    path.starts_with("/1.1/") || path.starts_with("/1.2/")
}

/// A server's state.
pub(super) struct App {
    pub work: Work,
    pub memory: Arc<Memory>,
    pub keys: Keys,
    pub shares: Arc<Shares>,
    pub metrics: Arc<Metrics>,
    pub sites: Sites,
    pub log: Log,
    pub ids: Ids,
    /// What `/info` says.
    pub info: serde_json::Value,
    /// The score from which spam may be dropped unseen.
    pub discard: f32,
    /// Texts that one request may bring.
    pub batch: usize,
}

impl App {
    /// Whose key it is that a request shows. The request is counted in until this is dropped.
    pub fn caller(&self, key: Option<&str>) -> Result<Caller, Refusal> {
        self.shares.take(self.keys.name_of(key).ok_or(Refusal::NoKey)?).ok_or(Refusal::ShareTaken)
    }
}

/// Names of answers, which do not come again.
pub(super) struct Ids {
    start: u64,
    given: AtomicU64,
}

impl Ids {
    /// # Errors
    /// What the system says where it has no random numbers.
    pub fn new() -> std::io::Result<Ids> {
        Ok(Ids { start: getrandom::u64()?, given: AtomicU64::new(0) })
    }

    /// The next one, 32 hexadecimal digits.
    pub fn next(&self) -> String {
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        let mut mixed = SplitMix64::new(self.start.wrapping_add(number));
        let mut id = String::with_capacity(32);
        // Writing to a string cannot fail.
        let _ = write!(id, "{:016x}{:016x}", self.start ^ number, mixed.next_u64());
        id
    }
}

/// Why a request gets no answer of the kind that it asked for.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    Unprocessable(String),
    #[error("{what} of more than {limit} {unit}")]
    TooLarge { what: &'static str, limit: usize, unit: &'static str },
    #[error("{0}")]
    Media(&'static str),
    #[error("no key of this server: send one in `Authorization: Bearer`, `X-Api-Key` or the field `api_key`")]
    NoKey,
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("no verdict of this id is kept; send the comment itself")]
    UnknownVerdict,
    #[error("this server keeps none of it; start it with --store FILE")]
    NotKept,
    #[error("there is nothing at this path; GET /openapi.json lists what there is")]
    NotFound,
    #[error("another method is needed here")]
    Method,
    #[error("the request did not arrive in time")]
    Slow,
    #[error("the server has more to do than it can take; ask again in a second")]
    Overloaded,
    #[error("this key has too many requests in work; ask again in a second")]
    ShareTaken,
    #[error("no answer in time; ask again in a second")]
    TimeOut,
    #[error("{0}")]
    Failed(String),
}

impl From<WorkError> for Refusal {
    fn from(error: WorkError) -> Refusal {
        match error {
            WorkError::Blank => Refusal::Unprocessable(error.to_string()),
            WorkError::Full => Refusal::Overloaded,
            WorkError::Model(_) | WorkError::Lost => Refusal::Failed(error.to_string()),
        }
    }
}

impl Refusal {
    /// The status, and the name of the kind that text-embeddings-inference gives.
    pub fn kind(&self) -> (StatusCode, &'static str) {
        match self {
            Refusal::Invalid(_) => (StatusCode::BAD_REQUEST, "Validation"),
            Refusal::Unprocessable(_) => (StatusCode::UNPROCESSABLE_ENTITY, "Validation"),
            Refusal::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "Validation"),
            Refusal::Media(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Validation"),
            Refusal::NoKey => (StatusCode::UNAUTHORIZED, "Unauthorized"),
            Refusal::Forbidden(_) => (StatusCode::FORBIDDEN, "Forbidden"),
            Refusal::NotFound | Refusal::NotKept | Refusal::UnknownVerdict => (StatusCode::NOT_FOUND, "NotFound"),
            Refusal::Method => (StatusCode::METHOD_NOT_ALLOWED, "Validation"),
            Refusal::Slow => (StatusCode::REQUEST_TIMEOUT, "Validation"),
            Refusal::Overloaded | Refusal::ShareTaken => (StatusCode::TOO_MANY_REQUESTS, "Overloaded"),
            Refusal::TimeOut => (StatusCode::SERVICE_UNAVAILABLE, "Unhealthy"),
            Refusal::Failed(_) => (StatusCode::INTERNAL_SERVER_ERROR, "Backend"),
        }
    }

    /// The answer under a path: JSON, or plain text where clients of Akismet read it.
    pub fn response(&self, path: &str) -> Response {
        let (status, kind) = self.kind();
        let message = self.to_string();
        let mut response = if is_akismet(path) {
            let mut response = plain(status, message.clone());
            set(&mut response, "x-akismet-debug-help", &message);
            set(&mut response, "x-akismet-error", status.as_str());
            response
        } else {
            json(status, &serde_json::json!({ "error": message, "error_type": kind }))
        };
        if matches!(self, Refusal::Overloaded | Refusal::ShareTaken | Refusal::TimeOut) {
            set(&mut response, "retry-after", "1");
        }
        if matches!(self, Refusal::NoKey) {
            set(&mut response, "www-authenticate", "Bearer");
        }
        response
    }
}

/// An answer in plain text.
pub(super) fn plain(status: StatusCode, text: impl Into<Body>) -> Response {
    body(status, "text/plain; charset=utf-8", text.into())
}

/// An answer in JSON.
pub(super) fn json(status: StatusCode, value: &impl serde::Serialize) -> Response {
    let text = serde_json::to_vec(value).expect("answers can be written as JSON; this is a bug");
    body(status, "application/json", text.into())
}

/// An answer with its type.
pub(super) fn body(status: StatusCode, kind: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Sets a header to a text, as far as a header can hold it.
pub(super) fn set(response: &mut Response, name: &'static str, text: &str) {
    if let Ok(value) = HeaderValue::from_str(&header_text(text)) {
        response.headers_mut().insert(name, value);
    }
}

/// The key that a request's headers show.
pub(super) fn key_in(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer =
        bearer.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let own = || headers.get("x-api-key").and_then(|value| value.to_str().ok());
    bearer.map(|(_, key)| key.trim()).or_else(own).filter(|key| !key.is_empty())
}

/// The key that older clients of Akismet put before the host's name: its first label, where there are several.
pub(super) fn key_in_host<'request>(headers: &'request HeaderMap, uri: &'request Uri) -> Option<&'request str> {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).or_else(|| uri.host())?;
    let (label, rest) = host.split_once('.')?;
    let is_address = host.split(':').next().is_some_and(|host| host.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    (!is_address && !rest.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_in_headers_and_hosts() {
        let headers = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_str(value).unwrap());
            headers
        };
        assert_eq!(key_in(&headers("authorization", "bearer abc")), Some("abc"));
        assert_eq!(key_in(&headers("authorization", "Basic abc")), None);
        assert_eq!(key_in(&headers("x-api-key", "abc")), Some("abc"));
        let uri = Uri::from_static("/1.1/comment-check");
        assert_eq!(key_in_host(&headers("host", "abc123.rest.example:80"), &uri), Some("abc123"));
        for host in ["127.0.0.1:8417", "localhost:8417", "10.1.2.3", "[::1]:80"] {
            assert_eq!(key_in_host(&headers("host", host), &uri), None, "{host}");
        }
    }

    #[test]
    fn ids_do_not_come_again() {
        let ids = Ids::new().unwrap();
        let (first, second) = (ids.next(), ids.next());
        assert_ne!(first, second);
        assert_eq!((first.len(), second.len()), (32, 32));
    }

    #[test]
    fn refusals_are_text_for_blogs_and_json_for_others() {
        let response = Refusal::Overloaded.response("/1.1/comment-check");
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], "1");
        assert!(response.headers().contains_key("x-akismet-debug-help"));
        assert_eq!(Refusal::NoKey.response("/predict").headers()["content-type"], "application/json");
    }
}
