//! Web archives (WARC): texts and pages of their records.

use super::archive_error::ArchiveError;
use super::error::InputError;
use super::feed::{More, Window};
use super::json_text::push_json_text;
use super::lines::{LINE_LIMIT_BYTES, Next};
use super::passed_over::PassedOver;
use super::records::{Content, Found, Page, RecordReader};
use super::warc_header::{Header, MARK_BYTES, begins_record, header_end, record_start};
use super::warc_http::Answer;
use super::warc_text::{Media, charset, decode};
use std::io;
use std::time::Duration;

/// Greatest length of a record's header. Addresses can be long: some hold a picture.
const HEADER_LIMIT_BYTES: usize = 1024 * 1024;

/// Bytes that are kept while a record is searched for: the mark of one, and the blank lines before it.
const KEPT_BYTES: usize = 64;

/// The first bytes of every record.
const MARK: &[u8] = b"WARC/";

/// Reads the records of an archive whose members are already decompressed. Memory is bounded by [`LINE_LIMIT_BYTES`].
///
/// A record ends where its length says, if a blank line, another record or the end of the source comes there. If not, the
/// length is false, and reading goes on at the next line that begins a record. So a length that is right is always believed,
/// whatever the record holds, and one that is false costs no other record.
pub(super) struct WarcRecords {
    window: Window,
    limit_bytes: usize,
    state: State,
    /// Number of the record that is read, from 1; 0 before the first.
    number: u64,
    passed_over: PassedOver,
}

/// Where reading stands.
enum State {
    /// Behind a record.
    Between,
    /// In a header, of which so many bytes hold no blank line.
    Header { searched: usize },
    /// At the content of a record that fits into memory.
    Content { header: Box<Header>, kind: Kind, length: usize },
    /// In a record that is too long, or passed over.
    Skip { length: u64, passed: u64, error: Option<InputError> },
    /// Looking for the next record.
    Search { lost: Lost, passed: u64 },
}

/// What is looked for the end of.
enum Lost {
    /// A record that was already found to be wrong.
    Known(InputError),
    /// A record with a false length.
    FalseLength(u64),
    /// Bytes of no record.
    Stray,
}

/// What a record is, so far as its header tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// What a server answered.
    Answer,
    /// A page or a text as such.
    Body(Media),
    /// Nothing to be labelled.
    Other,
}

/// What one step led to.
enum Step {
    Again,
    /// More bytes are needed; never at the end of the source.
    More,
    Give(Next<Found>),
}

impl WarcRecords {
    pub fn new(window: Window) -> WarcRecords {
        WarcRecords::with_limit(window, LINE_LIMIT_BYTES)
    }

    /// For a window that begins behind so many records of its source.
    pub fn behind(window: Window, records: u64) -> WarcRecords {
        WarcRecords { number: records, ..WarcRecords::new(window) }
    }

    /// The number of records in the rest of the source.
    ///
    /// # Errors
    /// What keeps it from being read.
    pub fn count(mut self) -> io::Result<u64> {
        while !matches!(self.next(None)?, Next::End) {}
        Ok(self.number)
    }

    fn with_limit(window: Window, limit_bytes: usize) -> WarcRecords {
        WarcRecords { window, limit_bytes, state: State::Between, number: 0, passed_over: PassedOver::default() }
    }

    fn step(&mut self) -> Step {
        match std::mem::replace(&mut self.state, State::Between) {
            State::Between => self.between(),
            State::Header { searched } => self.header(searched),
            State::Content { header, kind, length } => self.content(header, kind, length),
            State::Skip { length, passed, error } => self.skip(length, passed, error),
            State::Search { lost, passed } => self.search(lost, passed),
        }
    }

    /// Leaves blank lines, and looks whether a record comes next.
    fn between(&mut self) -> Step {
        let blank = self.window.rest().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.window.consume(blank);
        let (rest, ended) = (self.window.rest(), self.window.ended());
        if rest.is_empty() && ended {
            return Step::Give(Next::End);
        }
        if begins_record(rest) {
            self.number += 1;
            self.state = State::Header { searched: 0 };
            return Step::Again;
        }
        if rest.len() < MARK_BYTES && !ended {
            return Step::More;
        }
        self.state = State::Search { lost: Lost::Stray, passed: 0 };
        Step::Again
    }

    fn header(&mut self, searched: usize) -> Step {
        let (rest, ended) = (self.window.rest(), self.window.ended());
        let end = header_end(rest, searched);
        if end.is_none() && !ended && rest.len() <= HEADER_LIMIT_BYTES {
            // A line feed at the very end is searched again: what follows decides.
            self.state = State::Header { searched: rest.len().saturating_sub(2) };
            return Step::More;
        }
        let header = &rest[..end.unwrap_or(rest.len()).min(HEADER_LIMIT_BYTES)];
        if let Some(next) = record_start(header, 1) {
            self.window.consume(next);
            return self.fail(ArchiveError::UnclosedHeader.into());
        }
        let Some(end) = end.filter(|end| *end <= HEADER_LIMIT_BYTES) else {
            let error = match rest.len() <= HEADER_LIMIT_BYTES {
                true => ArchiveError::UnclosedHeader,
                false => ArchiveError::HeaderTooLong { limit_bytes: HEADER_LIMIT_BYTES },
            };
            return self.lose(Lost::Known(error.into()), 1);
        };
        let header = Header::parse(header);
        self.window.consume(end);
        let length = match header.content_length() {
            Ok(length) => length,
            Err(error) => return self.lose(Lost::Known(error.into()), 0),
        };
        if let Err(error) = header.check_version() {
            self.state = State::Skip { length, passed: 0, error: Some(error.into()) };
            return Step::Again;
        }
        let Some(kind) = kind(&header) else {
            let error = ArchiveError::MissingHeaderField { field: "WARC-Type" };
            self.state = State::Skip { length, passed: 0, error: Some(error.into()) };
            return Step::Again;
        };
        self.state = match usize::try_from(length).ok().filter(|length| *length <= self.limit_bytes) {
            Some(length) => State::Content { header: Box::new(header), kind, length },
            None if kind == Kind::Other => {
                self.passed_over.other_kind += 1;
                State::Skip { length, passed: 0, error: None }
            }
            None => {
                let error = InputError::RecordTooLong { limit_bytes: self.limit_bytes };
                State::Skip { length, passed: 0, error: Some(error) }
            }
        };
        Step::Again
    }

    /// Waits until a record and what follows it are at hand, and makes of it what it holds.
    fn content(&mut self, header: Box<Header>, kind: Kind, length: usize) -> Step {
        let (rest, ended) = (self.window.rest(), self.window.ended());
        let Some(after) = rest.get(length..) else {
            if !ended {
                self.state = State::Content { header, kind, length };
                return Step::More;
            }
            let (expected, got) = (length as u64, rest.len() as u64);
            return match record_start(rest, 0) {
                Some(_) => self.lose(Lost::FalseLength(expected), 0),
                None => self.lose(Lost::Known(ArchiveError::CutOff { expected, got }.into()), 0),
            };
        };
        match ends_here(after, ended) {
            Some(true) => {}
            Some(false) => return self.lose(Lost::FalseLength(length as u64), 0),
            None => {
                self.state = State::Content { header, kind, length };
                return Step::More;
            }
        }
        let content = match kind {
            Kind::Other => {
                self.passed_over.other_kind += 1;
                Ok(None)
            }
            Kind::Body(media) => {
                let content_type = header.content_type.as_deref();
                let content = text_content(&header, content_type, None, media, &rest[..length]);
                self.passed_over.without_text += u64::from(content.is_none());
                Ok(content)
            }
            Kind::Answer => answer(&header, &rest[..length], self.limit_bytes, &mut self.passed_over),
        };
        self.window.consume(length);
        match content {
            Ok(None) => Step::Give(Next::Skipped),
            Ok(Some(content)) => self.give(Ok(content)),
            Err(error) => self.fail(error),
        }
    }

    /// Goes on to the end of a record that is not held in memory.
    fn skip(&mut self, length: u64, passed: u64, error: Option<InputError>) -> Step {
        let (rest, ended) = (self.window.rest(), self.window.ended());
        let left = length - passed;
        let inside = usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
        // The mark of a record may begin inside and end outside.
        let searched = rest.len().min(inside + MARK_BYTES);
        if record_start(&rest[..searched], usize::from(passed > 0)).is_some_and(|at| at < inside) {
            return self.lose(Lost::FalseLength(length), passed);
        }
        if inside as u64 == left && (ended || searched == inside + MARK_BYTES) {
            self.window.consume(inside);
            return match error {
                Some(error) => self.fail(error),
                None => Step::Give(Next::Skipped),
            };
        }
        if ended {
            let got = passed + rest.len() as u64;
            return self.lose(Lost::Known(ArchiveError::CutOff { expected: length, got }.into()), passed);
        }
        let gone = inside.saturating_sub(KEPT_BYTES);
        self.window.consume(gone);
        self.state = State::Skip { length, passed: passed + gone as u64, error };
        Step::More
    }

    /// Goes on to the next record, and tells what was lost before it.
    fn search(&mut self, lost: Lost, passed: u64) -> Step {
        let (rest, ended) = (self.window.rest(), self.window.ended());
        let found = record_start(rest, usize::from(passed > 0));
        if found.is_none() && !ended {
            let gone = rest.len().saturating_sub(KEPT_BYTES);
            self.window.consume(gone);
            self.state = State::Search { lost, passed: passed + gone as u64 };
            return Step::More;
        }
        let end = found.unwrap_or(rest.len());
        let blank = rest[..end].iter().rev().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let got = passed + (end - blank) as u64;
        self.window.consume(end);
        self.fail(match lost {
            Lost::Known(error) => error,
            Lost::FalseLength(expected) => ArchiveError::FalseLength { expected, got }.into(),
            Lost::Stray => ArchiveError::BytesBetweenRecords { got }.into(),
        })
    }

    /// Looks for the next record. `passed` are bytes that are already searched; at 0 the record may begin with the bytes at hand.
    fn lose(&mut self, lost: Lost, passed: u64) -> Step {
        self.state = State::Search { lost, passed };
        Step::Again
    }

    fn fail(&mut self, error: InputError) -> Step {
        self.give(Err(error))
    }

    fn give(&mut self, content: Result<Content, InputError>) -> Step {
        Step::Give(Next::Item(Found { line: self.line(), record: None, content }))
    }
}

impl RecordReader for WarcRecords {
    fn next(&mut self, patience: Option<Duration>) -> io::Result<Next<Found>> {
        loop {
            match self.step() {
                Step::Again => {}
                Step::Give(next) => return Ok(next),
                Step::More => {
                    if self.window.fill(patience)? == More::Pause {
                        return Ok(Next::Pause);
                    }
                }
            }
        }
    }

    fn consumed(&self) -> u64 {
        self.window.consumed()
    }

    fn line(&self) -> u64 {
        self.number.max(1)
    }

    fn take_passed_over(&mut self) -> PassedOver {
        std::mem::take(&mut self.passed_over)
    }
}

/// Whether a record ends before these bytes; `None` where more of them are needed.
///
/// Behind the two line breaks that belong to it anything may come: what is no record there is a fault of its own.
fn ends_here(after: &[u8], ended: bool) -> Option<bool> {
    if after.starts_with(b"\r\n\r\n") {
        return Some(true);
    }
    let blank = after.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let next = &after[blank..];
    if begins_record(next) || (next.is_empty() && ended) || blank > KEPT_BYTES {
        return Some(true);
    }
    let may_be = next.len() < MARK_BYTES && next.starts_with(&MARK[..MARK.len().min(next.len())]);
    if may_be && !ended { None } else { Some(false) }
}

/// What a record is; `None` where its header does not say it.
fn kind(header: &Header) -> Option<Kind> {
    let is = |name: &str| header.kind.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case(name));
    let content_type = header.content_type.as_deref();
    let media = content_type.map_or(Media::Other, Media::of);
    Some(if header.kind.is_none() {
        return None;
    } else if is("response") {
        let name = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let is_http = ["application/http", "message/http"].iter().any(|known| name.eq_ignore_ascii_case(known));
        if is_http { Kind::Answer } else { Kind::Other }
    } else if is("conversion") && content_type.is_none() {
        Kind::Body(Media::Plain)
    } else if (is("conversion") || is("resource")) && media != Media::Other {
        Kind::Body(media)
    } else {
        Kind::Other
    })
}

/// What a server answered, if that is a page or a text.
fn answer(
    header: &Header,
    bytes: &[u8],
    limit_bytes: usize,
    passed_over: &mut PassedOver,
) -> Result<Option<Content>, InputError> {
    let answer = Answer::parse(bytes)?;
    if answer.status != 200 {
        passed_over.other_status += 1;
        return Ok(None);
    }
    let named = answer.content_type.as_deref().or(header.payload_type.as_deref());
    let media = named.map(Media::of);
    if media == Some(Media::Other) {
        passed_over.without_text += 1;
        return Ok(None);
    }
    let body = answer.body(header.truncated, limit_bytes)?;
    let media = media.unwrap_or_else(|| Media::of_bytes(&body));
    let content = match media {
        Media::Other => None,
        media => text_content(header, named, Some(answer.status), media, &body),
    };
    passed_over.without_text += u64::from(content.is_none());
    Ok(content)
}

/// A page or a text; `None` where there are only blanks, or something that is no text in spite of its media type.
fn text_content(
    header: &Header,
    content_type: Option<&str>,
    status: Option<u16>,
    media: Media,
    body: &[u8],
) -> Option<Content> {
    /// Bytes in which what is no text shows it.
    const CHECKED_BYTES: usize = 1024;
    let text = decode(body, content_type.and_then(charset), media);
    if text.trim_ascii().is_empty() || text.as_bytes()[..text.len().min(CHECKED_BYTES)].contains(&0) {
        return None;
    }
    let mut object = Object::new(if media == Media::Html { 0 } else { text.len() });
    object.push("id", header.id.as_deref());
    object.push("url", header.url.as_deref());
    object.push("date", header.date.as_deref());
    object.push("content_type", content_type);
    object.push("languages", header.languages.as_deref());
    object.push_status(status);
    Some(match media {
        Media::Html => {
            let doc = header.url.as_ref().or(header.id.as_ref()).cloned();
            Content::Page(Page { doc, html: text.into_owned(), fields: object.close() })
        }
        Media::Plain | Media::Other => {
            object.push("text", Some(&text));
            Content::Object(object.close())
        }
    })
}

/// A JSON object that is being written.
struct Object(Vec<u8>);

impl Object {
    /// With room for a text of so many bytes.
    fn new(text_bytes: usize) -> Object {
        const FIELD_BYTES: usize = 512;
        Object(Vec::with_capacity(text_bytes + text_bytes / 16 + FIELD_BYTES))
    }

    fn push_name(&mut self, name: &str) {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
    }

    fn push(&mut self, name: &str, value: Option<&str>) {
        let Some(value) = value else { return };
        self.push_name(name);
        push_json_text(&mut self.0, value);
    }

    fn push_status(&mut self, status: Option<u16>) {
        let Some(status) = status else { return };
        self.push_name("status");
        self.0.extend_from_slice(status.to_string().as_bytes());
    }

    fn close(mut self) -> Vec<u8> {
        if self.0.is_empty() {
            self.0.push(b'{');
        }
        self.0.push(b'}');
        self.0
    }
}

#[cfg(test)]
mod tests;
