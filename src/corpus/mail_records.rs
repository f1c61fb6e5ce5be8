//! Mail: the messages of a mailbox (mbox), or a single one, each as a JSON object.

use super::error::InputError;
use super::feed::{More, Window};
use super::lines::{LINE_LIMIT_BYTES, Next};
use super::mail_message;
use super::records::{Content, Found, RecordReader};
use super::shape::{header, is_envelope};
use std::io;
use std::time::Duration;

/// Reads messages. A source that begins with `From ` is a mailbox; all else is one message.
///
/// A line of a mailbox begins a message where it is an envelope (`From ann@site.example Mon Jan  1 00:00:00 2024`) and a header
/// follows it: not every program puts a mark before lines of a text that begin with `From `.
pub(super) struct MailRecords {
    window: Window,
    limit_bytes: usize,
    /// `None` before anything was read.
    is_mailbox: Option<bool>,
    /// Line on which the message begins.
    began: u64,
    line: u64,
    /// Where the line begins at hand that is looked at next.
    position: usize,
    /// Bytes at hand in which that line does not end.
    searched: usize,
    /// The message is longer than the limit, and what was seen of it left behind.
    too_long: bool,
    /// The line at `position` began in bytes that were left behind.
    within_line: bool,
}

impl MailRecords {
    /// Reads mail whose byte order mark was skipped.
    pub fn new(window: Window) -> MailRecords {
        MailRecords {
            window,
            limit_bytes: LINE_LIMIT_BYTES,
            is_mailbox: None,
            began: 1,
            line: 1,
            position: 0,
            searched: 0,
            too_long: false,
            within_line: false,
        }
    }

    /// Leaves blank lines at the beginning and tells what the source is; `None` where more bytes are needed.
    fn begin(&mut self) -> Option<bool> {
        let blank = self.window.rest().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.consume(blank);
        self.began = self.line;
        let rest = self.window.rest();
        let from = b"From ";
        (rest.len() >= from.len() || self.window.ended()).then(|| rest.starts_with(from))
    }

    /// Goes on by bytes at hand.
    fn consume(&mut self, length: usize) {
        self.line += self.window.rest()[..length].iter().filter(|&&byte| byte == b'\n').count() as u64;
        self.window.consume(length);
        self.position = self.position.saturating_sub(length);
        self.searched = self.searched.saturating_sub(length);
    }

    /// Whether the message ends before the line at `position`, which is then looked at no further; false where the bytes at hand
    /// do not tell it.
    fn find_end(&mut self) -> bool {
        let rest = self.window.rest();
        let line_end = |from: usize| rest[from..].iter().position(|&byte| byte == b'\n').map(|length| from + length);
        while let Some(end) = line_end(self.searched) {
            let begins = self.position > 0 || self.too_long;
            if begins && !self.within_line && is_envelope(&rest[self.position..end]) {
                let next = match line_end(end + 1) {
                    Some(next_end) => &rest[end + 1..next_end],
                    None if self.window.ended() => &rest[end + 1..],
                    None => return false,
                };
                if header(next).is_some() {
                    return true;
                }
            }
            (self.position, self.searched, self.within_line) = (end + 1, end + 1, false);
        }
        // A line with an envelope is short, and so is the header behind it.
        self.searched = rest.len();
        false
    }

    /// The message before `position`.
    fn take(&mut self) -> Found {
        let message = &self.window.rest()[..self.position];
        let content = if self.too_long || message.len() > self.limit_bytes {
            Err(InputError::RecordTooLong { limit_bytes: self.limit_bytes })
        } else if self.is_mailbox == Some(true) {
            mail_message::object(&without_envelope(message))
        } else if !begins_with_header(message) {
            Err(InputError::InvalidMail("it does not begin with a header".to_owned()))
        } else {
            mail_message::object(message)
        };
        let line = self.began;
        self.consume(self.position);
        self.began = self.line;
        self.too_long = false;
        Found { line, record: None, content: content.map(Content::Object) }
    }
}

impl RecordReader for MailRecords {
    fn next(&mut self, patience: Option<Duration>) -> io::Result<Next<Found>> {
        loop {
            if self.is_mailbox.is_none() {
                self.is_mailbox = self.begin();
            }
            if self.is_mailbox == Some(true) && self.find_end() {
                return Ok(Next::Item(self.take()));
            }
            if self.window.ended() {
                self.position = self.window.rest().len();
                let over = self.position == 0 && !self.too_long;
                return Ok(if over { Next::End } else { Next::Item(self.take()) });
            }
            // Whole lines that belong to the message, or a line that does with its first bytes.
            let seen = self.position.max(self.window.rest().len() - self.position);
            if self.is_mailbox.is_some() && seen > self.limit_bytes {
                self.too_long = true;
                let whole_lines = self.position;
                self.within_line |= whole_lines == 0;
                self.consume(if whole_lines == 0 { self.window.rest().len() } else { whole_lines });
            }
            if self.window.fill(patience)? == More::Pause {
                return Ok(Next::Pause);
            }
        }
    }

    fn consumed(&self) -> u64 {
        self.window.consumed()
    }

    fn line(&self) -> u64 {
        self.line
    }
}

/// Whether the first line is a name with a colon behind it.
fn begins_with_header(message: &[u8]) -> bool {
    let name = message.split(|&byte| matches!(byte, b':' | b'\n')).next().unwrap_or_default();
    !name.is_empty() && message.get(name.len()) == Some(&b':') && name.iter().all(u8::is_ascii_graphic)
}

/// A message of a mailbox without its first line, and without the mark before lines that begin with `From `.
fn without_envelope(message: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(message.len());
    for line in message.split_inclusive(|&byte| byte == b'\n').skip(1) {
        let marks = line.iter().take_while(|&&byte| byte == b'>').count();
        let marked = marks > 0 && line[marks..].starts_with(b"From ");
        plain.extend(&line[usize::from(marked)..]);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::records::texts_in_pieces;

    /// What comes of mail: the line on which each message begins, with its text or its error.
    fn read_with(mail: &str, limit_bytes: usize) -> Vec<(u64, String)> {
        texts_in_pieces(mail, |window| MailRecords { limit_bytes, ..MailRecords::new(window) })
    }

    fn message(line: u64, text: &str) -> (u64, String) {
        (line, text.to_owned())
    }

    const ENVELOPE: &str = "From ann@site.example Mon Jan  1 00:00:00 2024\n";

    #[test]
    fn an_envelope_with_a_header_behind_it_begins_a_message() {
        let mailbox = format!(
            "{ENVELOPE}Subject: a\n\nOne.\nFrom 12:30 on it rained: all day.\n\n>From here on.\n>>From there.\n> From quoted.\n\n\
             {ENVELOPE}Subject: b\n\nTwo.\n{ENVELOPE}Subject: c\n\n{ENVELOPE}"
        );
        let one = "One.\nFrom 12:30 on it rained: all day.\n\nFrom here on.\n>From there.\n> From quoted.";
        let expected = [message(1, one), message(11, "Two."), message(15, ENVELOPE.trim_end())];
        assert_eq!(read_with(&mailbox, LINE_LIMIT_BYTES), expected);
        let crlf: Vec<u64> =
            read_with(&mailbox.replace('\n', "\r\n"), LINE_LIMIT_BYTES).into_iter().map(|(line, _)| line).collect();
        assert_eq!(crlf, [1, 11, 15]);
    }

    #[test]
    fn all_else_is_one_message() {
        let mail = format!("\nSubject: a\n\nOne.\n\n{ENVELOPE}Subject: b\n");
        assert_eq!(read_with(&mail, 999), [message(2, &format!("One.\n\n{ENVELOPE}Subject: b"))]);
        assert_eq!(read_with(" \n", 999), []);
    }

    #[test]
    fn a_long_message_is_left_out() {
        let long = "word ".repeat(30);
        let short = format!("{ENVELOPE}Subject: b\n\nTwo.\n");
        let too_long = InputError::RecordTooLong { limit_bytes: 100 }.to_string();
        for text in [long.clone(), long.replace("word ", "word\n")] {
            let lines = text.matches('\n').count() as u64;
            let mailbox = format!("{ENVELOPE}Subject: a\n\n{text}\n{short}{ENVELOPE}Subject: a\n\n{text}");
            let expected = [(1, too_long.clone()), message(5 + lines, "Two."), (9 + lines, too_long.clone())];
            assert_eq!(read_with(&mailbox, 100), expected);
        }
        assert_eq!(read_with(&format!("Subject: a\n\n{long}"), 100), [(1, too_long)]);
    }
}
