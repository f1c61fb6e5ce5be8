//! A hub on this machine: two servers of a few lines, one that speaks as huggingface.co does, and one that has the large files.

use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

/// Files from this length on are served by the other server, as the hub does with those that git does not hold.
const LARGE: usize = 100_000;

/// The signature in the other server's addresses, which opens the file to anyone who has it.
pub const SIGNATURE: &str = "Signature-very-secret";

/// What a server does wrong with a file, as long as it stands in [`State::faults`].
#[derive(Clone, Debug)]
pub enum Fault {
    /// Closes the connection after so many bytes of a body.
    BreakOffAfter(usize),
    /// Turns a bit of the last byte.
    WrongBytes,
    /// Sends the whole file whatever range is asked for.
    NoRanges,
    /// Answers with this status and nothing else.
    Status(u16, &'static str),
    /// The hub says that the file has another length.
    Size(u64),
    /// The head of the file's content says that it has another length.
    ContentLength(u64),
    /// Says that the content has this name.
    Etag(&'static str),
    /// Says this of the commit.
    Commit(&'static str),
    /// Leads from one address to the next.
    Loop,
    /// Leads there.
    LeadTo(String),
    /// Tells no length and sends bytes until nobody wants them.
    Endless,
}

/// A request that came.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whether the hub was asked, not the server with the large files.
    pub of_hub: bool,
    pub method: String,
    pub path: String,
    pub host: String,
    pub authorization: Option<String>,
    pub range: Option<String>,
}

#[derive(Default)]
pub struct State {
    /// Repository, revision: commit.
    pub revisions: BTreeMap<(String, String), String>,
    /// Repository, commit, file: content.
    pub files: BTreeMap<(String, String, String), Vec<u8>>,
    /// Repositories that only this token opens.
    pub tokens: BTreeMap<String, String>,
    /// Repositories that have another name now.
    pub moved: BTreeMap<String, String>,
    /// File: what is done wrong with it.
    pub faults: BTreeMap<String, Fault>,
    /// Everything that was asked.
    pub requests: Vec<Request>,
}

pub struct Hub {
    pub address: String,
    state: Arc<Mutex<State>>,
}

impl Hub {
    pub fn start() -> Hub {
        let state = Arc::new(Mutex::new(State::default()));
        let (hub, large) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let (address, other) = (hub.local_addr().unwrap(), large.local_addr().unwrap());
        for (listener, of_hub) in [(hub, true), (large, false)] {
            let state = Arc::clone(&state);
            thread::spawn(move || {
                for stream in listener.incoming() {
                    let (stream, state) = (stream.unwrap(), Arc::clone(&state));
                    // Whoever breaks a connection off has its reasons.
                    thread::spawn(move || drop(serve(stream, of_hub, other, &state)));
                }
            });
        }
        Hub { address: format!("http://{address}"), state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Makes a commit of files, and the branch `main` stand for it.
    pub fn commit(&self, repository: &str, commit: &str, files: &[(&str, Vec<u8>)]) {
        let mut state = self.state();
        for revision in ["main", commit] {
            state.revisions.insert((repository.to_owned(), revision.to_owned()), commit.to_owned());
        }
        for (file, content) in files {
            let key = (repository.to_owned(), commit.to_owned(), (*file).to_owned());
            state.files.insert(key, content.clone());
        }
    }

    pub fn fault(&self, file: &str, fault: Fault) {
        self.state().faults.insert(file.to_owned(), fault);
    }

    /// What was asked since the last time.
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state().requests)
    }
}

/// The names of the files in requests of a method, in their order.
pub fn asked(requests: &[Request], method: &str) -> Vec<String> {
    let of_method = requests.iter().filter(|request| request.of_hub && request.method == method);
    let resolved = of_method.filter(|request| request.path.contains("/resolve/"));
    resolved.map(|request| request.path.rsplit('/').next().unwrap().to_owned()).collect()
}

pub fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What git calls a content.
fn git_name(content: &[u8]) -> String {
    let mut hash = Sha1::new_with_prefix(format!("blob {}\0", content.len()));
    hash.update(content);
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// Length that is told; `None` for none.
    length: Option<u64>,
    fault: Option<Fault>,
}

impl Answer {
    fn of(status: u16, headers: Vec<(&'static str, String)>) -> Answer {
        Answer { status, headers, body: Vec::new(), length: Some(0), fault: None }
    }

    fn error(status: u16, code: &str) -> Answer {
        let headers = if code.is_empty() { Vec::new() } else { vec![("X-Error-Code", code.to_owned())] };
        Answer::of(status, headers)
    }
}

fn serve(mut stream: TcpStream, of_hub: bool, other: SocketAddr, state: &Mutex<State>) -> io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut words = head.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    };
    let host = header("host").unwrap_or_default();
    let request =
        Request { of_hub, method, path, host, authorization: header("authorization"), range: header("range") };
    let answer = {
        let mut state = state.lock().unwrap();
        state.requests.push(request.clone());
        if of_hub { of_the_hub(&state, &request, other) } else { of_the_other(&state, &request) }
    };
    send(stream, &request, answer)
}

fn send(mut stream: TcpStream, request: &Request, answer: Answer) -> io::Result<()> {
    let Answer { status, headers, body, length, fault } = answer;
    let mut head = format!("HTTP/1.1 {status} Some\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(length) = length {
        head.push_str(&format!("Content-Length: {length}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    if request.method == "HEAD" {
        return Ok(());
    }
    match fault {
        Some(Fault::BreakOffAfter(len)) => stream.write_all(&body[..len.min(body.len())]),
        Some(Fault::Endless) => loop {
            stream.write_all(&[b' '; 65_536])?;
        },
        _ => stream.write_all(&body),
    }
}

/// `/OWNER/NAME/resolve/REVISION/FILE`, and the address that small files are sent on to.
fn of_the_hub(state: &State, request: &Request, other: SocketAddr) -> Answer {
    if let Some(rest) = request.path.strip_prefix("/api/resolve-cache/") {
        let mut parts = rest.splitn(2, "/at/");
        let (repository, rest) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (commit, file) = rest.split_once('/').unwrap_or_default();
        return content(state, request, repository, commit, file);
    }
    let Some((repository, rest)) = request.path[1..].split_once("/resolve/") else { return Answer::error(404, "") };
    let Some((revision, file)) = rest.split_once('/') else { return Answer::error(404, "") };
    if let Some(now) = state.moved.get(repository) {
        let location = format!("http://{}/{now}/resolve/{rest}", request.host);
        return Answer::of(307, vec![("Location", location)]);
    }
    let fault = state.faults.get(file);
    if let Some(Fault::Status(status, code)) = fault {
        return Answer::error(*status, code);
    }
    if let Some(token) = state.tokens.get(repository) {
        match &request.authorization {
            None => return Answer::error(401, "GatedRepo"),
            Some(shown) if *shown == "Bearer of-a-stranger" => return Answer::error(403, "GatedRepo"),
            Some(shown) if *shown != format!("Bearer {token}") => return Answer::error(401, ""),
            _ => {}
        }
    }
    if !state.revisions.keys().any(|(known, _)| known == repository) {
        return Answer::error(if request.authorization.is_some() { 404 } else { 401 }, "RepoNotFound");
    }
    let key = (repository.to_owned(), revision.replace("%2F", "/"));
    let Some(commit) = state.revisions.get(&key) else { return Answer::error(404, "RevisionNotFound") };
    let Some(content) = state.files.get(&(repository.to_owned(), commit.clone(), file.to_owned())) else {
        return Answer::error(404, "EntryNotFound");
    };
    let told_commit = match fault {
        Some(Fault::Commit(commit)) => (*commit).to_owned(),
        _ => commit.clone(),
    };
    let mut headers = vec![("X-Repo-Commit", told_commit)];
    match fault {
        Some(Fault::Loop) => {
            headers.push(("Location", request.path.clone()));
            return Answer::of(307, headers);
        }
        Some(Fault::LeadTo(location)) => {
            headers.push(("Location", location.clone()));
            return Answer::of(302, headers);
        }
        _ => {}
    }
    let size = match fault {
        Some(Fault::Size(size)) => *size,
        _ => content.len() as u64,
    };
    let etag = match fault {
        Some(Fault::Etag(etag)) => (*etag).to_owned(),
        _ if content.len() >= LARGE => sha256(content),
        _ => git_name(content),
    };
    headers.push(("X-Linked-Etag", format!("\"{etag}\"")));
    if !matches!(fault, Some(Fault::Endless)) {
        headers.push(("X-Linked-Size", size.to_string()));
    }
    let (status, location) = match content.len() >= LARGE {
        true => (302, format!("http://{other}/{repository}/at/{commit}/{file}?{SIGNATURE}")),
        false => (307, format!("/api/resolve-cache/{repository}/at/{commit}/{file}")),
    };
    headers.push(("Location", location));
    Answer::of(status, headers)
}

/// Contents of large files, for whoever has the signature.
fn of_the_other(state: &State, request: &Request) -> Answer {
    let Some(path) = request.path.strip_suffix(&format!("?{SIGNATURE}")) else { return Answer::error(403, "") };
    let mut parts = path[1..].splitn(2, "/at/");
    let (repository, rest) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let (commit, file) = rest.split_once('/').unwrap_or_default();
    content(state, request, repository, commit, file)
}

fn content(state: &State, request: &Request, repository: &str, commit: &str, file: &str) -> Answer {
    let key = (repository.to_owned(), commit.to_owned(), file.to_owned());
    let Some(content) = state.files.get(&key) else { return Answer::error(404, "") };
    let mut content = content.clone();
    let fault = state.faults.get(file).cloned();
    let whole = content.len();
    if matches!(fault, Some(Fault::WrongBytes)) {
        content[whole - 1] ^= 1;
    }
    let etag = ("ETag", "\"of-the-other-server\"".to_owned());
    let start = request.range.as_ref().filter(|_| !matches!(fault, Some(Fault::NoRanges)));
    let start = start.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    let length = |len: usize| match fault {
        Some(Fault::Endless) => None,
        Some(Fault::ContentLength(size)) => Some(size),
        _ => Some(len as u64),
    };
    match start {
        None => Answer { status: 200, headers: vec![etag], length: length(whole), body: content, fault },
        Some(start) if start >= whole => Answer::error(416, ""),
        Some(start) => {
            let range = ("Content-Range", format!("bytes {start}-{}/{whole}", whole - 1));
            let body = content.split_off(start);
            Answer { status: 206, headers: vec![etag, range], length: length(body.len()), body, fault }
        }
    }
}
