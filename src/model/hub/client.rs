//! Requests to the hub, and what its answers say of a file.
//!
//! A file stands at `ENDPOINT/OWNER/NAME/resolve/REVISION/FILE`. A HEAD request there tells the commit (`X-Repo-Commit`), the name of
//! the content (`X-Linked-Etag` or `ETag`, a [`Checksum`](super::checksum::Checksum)) and the length. A GET request is sent on to the
//! server that has the content. Redirects are followed here and not by the HTTP library, because the headers of each answer count, and
//! because the token is for the hub's own address alone.

use super::HubError;
use super::environment::Token;
use super::name::{Name, is_commit};
use std::fmt;
use std::time::Duration;
use ureq::http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, LOCATION, RANGE,
    TRANSFER_ENCODING,
};
use ureq::http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use ureq::{Agent, Body, BodyReader};

/// Redirects of one request. The hub takes two.
const MOST_REDIRECTS: usize = 8;

/// Time for a connection, and for the head of an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Time without a byte of a body after which a transfer has broken off.
const SILENCE: Duration = Duration::from_secs(30);

/// Longest name of a content; SHA-256 has 64 digits.
const MOST_OF_ETAG: usize = 128;

/// What the hub says of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The commit that the revision stands for.
    pub commit: String,
    /// The name of the content: letters, digits, dots, hyphens and underscores.
    pub etag: String,
    /// Length in bytes, where it is told.
    pub size: Option<u64>,
}

/// Whether a file is there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It is.
    File(Head),
    /// It is not.
    Nothing {
        /// Whether the hub said that it is the file that is missing, and not the repository.
        of_file: bool,
    },
}

/// The beginning of a file's content, or of what is left of it.
pub(super) struct Content {
    /// Position of the first byte.
    pub start: u64,
    /// Length of the whole file, where the answer tells it.
    pub size: Option<u64>,
    /// Whether the end of the body can be told from a connection that broke.
    pub has_end: bool,
    /// The bytes.
    pub body: BodyReader<'static>,
    /// Who sends them.
    pub at: String,
}

/// A hub, with what is needed to ask it.
pub(super) struct Client {
    agent: Agent,
    endpoint: Uri,
    token: Option<Token>,
}

impl Client {
    pub fn new(endpoint: Uri, token: Option<Token>) -> Client {
        let config = Agent::config_builder()
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_resolve(Some(PATIENCE))
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_per_read(Some(SILENCE))
            .timeout_per_write(Some(SILENCE))
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")));
        Client { agent: config.build().into(), endpoint, token }
    }

    /// The hub's address, for people.
    pub fn at(&self) -> String {
        shown(&self.endpoint)
    }

    /// The page of a repository, or one below it, for people.
    pub fn page(&self, name: &Name, below: &str) -> String {
        let path = self.endpoint.path().trim_end_matches('/');
        format!("{}{path}/{}{below}", self.at(), name.repository)
    }

    /// What the hub says of a file at a revision.
    pub fn head(&self, name: &Name, revision: &str, file: &'static str) -> Result<Found, HubError> {
        let mut told = Told::default();
        let (response, at) = self.follow(&Method::HEAD, name, revision, file, 0, &mut told)?;
        let status = response.status();
        if status == StatusCode::NOT_FOUND {
            return match told.error.as_deref() {
                Some("RepoNotFound") => Err(HubError::NoRepository { at }),
                Some("RevisionNotFound") => {
                    Err(HubError::NoRevision { revision: revision.to_owned(), page: self.page(name, "/tree/main") })
                }
                error => Ok(Found::Nothing { of_file: error == Some("EntryNotFound") }),
            };
        }
        if !status.is_success() && !is_redirect(status) {
            return Err(self.refusal(name, file, status, at));
        }
        let broken = |rule| HubError::NoHub { file, at: at.clone(), rule };
        let commit = told.commit.ok_or_else(|| broken("no X-Repo-Commit in its answer"))?;
        if !is_commit(&commit) {
            return Err(broken("its X-Repo-Commit is no commit"));
        }
        let etag = told.linked_etag.or(told.etag).ok_or_else(|| broken("no ETag in its answer"))?;
        let etag = plain_etag(&etag).ok_or_else(|| broken("its ETag is no name of a content"))?;
        Ok(Found::File(Head { commit, etag, size: told.linked_size.or(told.size) }))
    }

    /// The content of a file from a position on. `None` where that position is not in the file.
    pub fn content(
        &self,
        name: &Name,
        commit: &str,
        file: &'static str,
        from: u64,
    ) -> Result<Option<Content>, HubError> {
        let mut told = Told::default();
        let (response, at) = self.follow(&Method::GET, name, commit, file, from, &mut told)?;
        let status = response.status();
        let broken = |rule| Err(HubError::NoHub { file, at: at.clone(), rule });
        let (start, size) = match status {
            StatusCode::OK => (0, told.size),
            StatusCode::PARTIAL_CONTENT => match told.range {
                Some((start, size)) if start == from => (start, size),
                _ => return broken("another range than was asked for"),
            },
            StatusCode::RANGE_NOT_SATISFIABLE if from > 0 => return Ok(None),
            status => return Err(self.refusal(name, file, status, at)),
        };
        let headers = response.headers();
        if headers.get(CONTENT_ENCODING).is_some_and(|value| value != "identity") {
            return broken("compressed content that was not asked for");
        }
        let has_end = headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING);
        Ok(Some(Content { start, size, has_end, body: response.into_body().into_reader(), at }))
    }

    /// What a status means that is neither success nor "not found".
    fn refusal(&self, name: &Name, file: &'static str, status: StatusCode, at: String) -> HubError {
        let is_hub = at == self.at();
        match (status, &self.token) {
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, None) if is_hub => {
                HubError::TokenNeeded { page: self.page(name, "") }
            }
            (StatusCode::UNAUTHORIZED, Some(token)) if is_hub => {
                HubError::TokenRefused { at, from: token.from.clone() }
            }
            (StatusCode::FORBIDDEN, Some(token)) if is_hub => {
                HubError::NoAccess { page: self.page(name, ""), from: token.from.clone() }
            }
            _ => HubError::Refused { file, at, status: status.as_u16() },
        }
    }

    /// Sends a request and follows where it is sent on to. A HEAD request ends where it is about to leave the hub, if the hub has said
    /// everything. Gives the last answer and who gave it.
    fn follow(
        &self,
        method: &Method,
        name: &Name,
        revision: &str,
        file: &'static str,
        from: u64,
        told: &mut Told,
    ) -> Result<(Response<Body>, String), HubError> {
        let path = self.endpoint.path().trim_end_matches('/');
        // A slash in a revision is part of its name.
        let target = format!("{path}/{}/resolve/{}/{file}", name.repository, revision.replace('/', "%2F"));
        let hub = Origin::of(&self.endpoint);
        let mut uri = with_path(&self.endpoint, &target).ok_or_else(|| HubError::NoHub {
            file,
            at: self.at(),
            rule: "its address takes no path",
        })?;
        let mut is_hub = true;
        for _ in 0..=MOST_REDIRECTS {
            let at = shown(&uri);
            let response = self.send(method, &uri, from, is_hub).map_err(|error| HubError::Unreachable {
                at: at.clone(),
                reason: reason(&error),
                hint: "",
            })?;
            told.note(&response);
            if !is_redirect(response.status()) {
                return Ok((response, at));
            }
            let broken = |rule| HubError::NoHub { file, at: at.clone(), rule };
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let next =
                location.and_then(|location| join(&uri, location)).ok_or_else(|| broken("it leads to no address"))?;
            let origin = Origin::of(&next).ok_or_else(|| broken("it leads to no address of the web"))?;
            let leaves = Some(&origin) != hub.as_ref();
            if *method == Method::HEAD && leaves && told.commit.is_some() && told.linked_etag.is_some() {
                return Ok((response, at));
            }
            if uri.scheme_str() == Some("https") && !origin.is_secure {
                return Err(broken("it leads from https to http"));
            }
            // Once a request has left the hub, whoever sends it back is a stranger.
            is_hub &= !leaves;
            uri = next;
        }
        Err(HubError::NoHub { file, at: self.at(), rule: "one address leads to the next without end" })
    }

    fn send(&self, method: &Method, uri: &Uri, from: u64, with_token: bool) -> Result<Response<Body>, ureq::Error> {
        // Compressed, a file would have another length and no parts.
        let mut request = Request::builder().method(method).uri(uri).header(ACCEPT_ENCODING, "identity");
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        if let Some(token) = self.token.as_ref().filter(|_| with_token) {
            request = request.header(AUTHORIZATION, token.header());
        }
        self.agent.run(request.body(()).map_err(ureq::Error::Http)?)
    }
}

/// What the answers to one request said. Of what only the hub knows, the first answer counts: those behind it are of others.
#[derive(Default)]
struct Told {
    commit: Option<String>,
    linked_etag: Option<String>,
    linked_size: Option<u64>,
    error: Option<String>,
    etag: Option<String>,
    size: Option<u64>,
    range: Option<(u64, Option<u64>)>,
}

impl Told {
    fn note<B>(&mut self, response: &Response<B>) {
        let headers = response.headers();
        let first = |known: &mut Option<String>, name: &str| *known = known.take().or_else(|| text(headers, name));
        first(&mut self.commit, "x-repo-commit");
        first(&mut self.linked_etag, "x-linked-etag");
        first(&mut self.error, "x-error-code");
        self.linked_size = self.linked_size.or_else(|| text(headers, "x-linked-size")?.parse().ok());
        // Those of a redirect are of its own page.
        if !is_redirect(response.status()) {
            self.etag = text(headers, ETAG.as_str());
            self.size = text(headers, CONTENT_LENGTH.as_str()).and_then(|size| size.parse().ok());
            self.range = text(headers, CONTENT_RANGE.as_str()).and_then(|range| content_range(&range));
        }
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// `bytes 7-9/10` is `(7, Some(10))`.
fn content_range(range: &str) -> Option<(u64, Option<u64>)> {
    let (part, size) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = part.split_once('-')?;
    let size = match size {
        "*" => None,
        size => Some(size.parse().ok()?),
    };
    Some((start.parse().ok()?, size))
}

/// The name in an ETag. It becomes the name of a file.
fn plain_etag(etag: &str) -> Option<String> {
    let etag = etag.trim().trim_start_matches("W/").trim_matches('"');
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let is_name = (1..=MOST_OF_ETAG).contains(&etag.len()) && !etag.starts_with('.') && etag.bytes().all(is_letter);
    is_name.then(|| etag.to_owned())
}

/// Whose address it is.
#[derive(PartialEq, Eq)]
struct Origin {
    is_secure: bool,
    host: String,
    port: u16,
}

impl Origin {
    fn of(uri: &Uri) -> Option<Origin> {
        let is_secure = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = uri.host().filter(|host| !host.is_empty())?.to_ascii_lowercase();
        // A name and a password before the host would be sent and shown.
        let has_user = uri.authority()?.as_str().contains('@');
        let port = uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        (!has_user).then_some(Origin { is_secure, host, port })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Origin { is_secure, host, port } = self;
        match (is_secure, port) {
            (true, 443) => write!(f, "https://{host}"),
            (true, port) => write!(f, "https://{host}:{port}"),
            (false, 80) => write!(f, "http://{host}"),
            (false, port) => write!(f, "http://{host}:{port}"),
        }
    }
}

/// An address as messages show it: without its path, for in those of the servers behind the hub stand signatures.
fn shown(uri: &Uri) -> String {
    Origin::of(uri).map_or_else(|| "an address".to_owned(), |origin| origin.to_string())
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path.parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// Where a `Location` leads from an address.
fn join(base: &Uri, location: &str) -> Option<Uri> {
    if location.starts_with("//") {
        return format!("{}:{location}", base.scheme_str()?).parse().ok();
    }
    if location.starts_with('/') {
        return with_path(base, location);
    }
    if location.contains("://") {
        return location.parse().ok();
    }
    let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
    with_path(base, &format!("{folder}/{location}"))
}

/// What went wrong on the way, without the address: parts of it are secrets.
pub(super) fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => "no answer in time".to_owned(),
        ureq::Error::HostNotFound => "no such host".to_owned(),
        ureq::Error::Io(error) => io_reason(error),
        ureq::Error::Rustls(error) => format!("TLS: {error}"),
        ureq::Error::Tls(error) => format!("TLS: {error}"),
        ureq::Error::InvalidProxyUrl | ureq::Error::ConnectProxyFailed(_) => "the proxy does not answer".to_owned(),
        ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => "the answer is no HTTP".to_owned(),
        _ => "the connection failed".to_owned(),
    }
}

/// As [`reason`], of an error that came while a body was read.
pub(super) fn io_reason(error: &std::io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>());
    match inner {
        Some(inner) => reason(inner),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_name_is_taken_for_an_etag() {
        let sha = "0123456789abcdef".repeat(4);
        assert_eq!(plain_etag(&format!("\"{sha}\"")).as_deref(), Some(sha.as_str()));
        assert_eq!(plain_etag("W/\"abc-1\"").as_deref(), Some("abc-1"));
        for bad in ["", "\"\"", "../a", "a/b", "..", ".a", "a b", "a\\b", "C:a", &"a".repeat(129)] {
            assert_eq!(plain_etag(bad), None, "{bad}");
        }
    }

    #[test]
    fn locations_lead_where_a_browser_would_go() {
        let base: Uri = "https://hub.example:8443/a/b/resolve/main/c.json?x=1".parse().unwrap();
        let to = |location: &str| join(&base, location).map(|uri| uri.to_string());
        assert_eq!(to("/api/c?y").as_deref(), Some("https://hub.example:8443/api/c?y"));
        assert_eq!(to("//other.example/c").as_deref(), Some("https://other.example/c"));
        assert_eq!(to("http://other.example/c").as_deref(), Some("http://other.example/c"));
        assert_eq!(to("d.json").as_deref(), Some("https://hub.example:8443/a/b/resolve/main/d.json"));
        assert_eq!(to("/a b"), None);
    }

    #[test]
    fn another_scheme_host_or_port_is_another_server() {
        let origin = |text: &str| Origin::of(&text.parse().unwrap());
        assert!(origin("https://Hub.example/a") == origin("https://hub.example:443/b?c"));
        for other in ["http://hub.example/a", "https://hub.example:8443/a", "https://hub.example.org/a"] {
            assert!(origin("https://hub.example/a") != origin(other), "{other}");
        }
        assert!(origin("https://me:secret@hub.example/a").is_none());
        assert!(origin("ftp://hub.example/a").is_none());
        assert_eq!(shown(&"https://cdn.example/a?signature=secret".parse().unwrap()), "https://cdn.example");
    }

    #[test]
    fn ranges_are_read() {
        assert_eq!(content_range("bytes 7-9/10"), Some((7, Some(10))));
        assert_eq!(content_range("bytes 7-9/*"), Some((7, None)));
        for bad in ["", "bytes", "bytes */10", "items 7-9/10", "bytes 7-9/x", "bytes -9/10"] {
            assert_eq!(content_range(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_first_answer_counts_for_what_only_the_hub_knows() {
        let answer = |status: u16, headers: &[(&str, &str)]| {
            let builder = Response::builder().status(status);
            headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value)).body(()).unwrap()
        };
        let mut told = Told::default();
        told.note(&answer(302, &[("x-linked-etag", "right"), ("content-length", "12"), ("etag", "page")]));
        told.note(&answer(200, &[("x-linked-etag", "wrong"), ("content-length", "99"), ("etag", "\"e\"")]));
        assert_eq!(
            (told.linked_etag.as_deref(), told.size, told.etag.as_deref()),
            (Some("right"), Some(99), Some("\"e\""))
        );
    }
}
