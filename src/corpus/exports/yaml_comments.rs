//! The comment files of Staticman and Jekyll: YAML or JSON with one comment, or a list or a map of comments.

use super::yaml_value::{comments, documents};
use crate::corpus::error::InputError;
use crate::corpus::feed::{More, Window};
use crate::corpus::lines::{LINE_LIMIT_BYTES, Next};
use crate::corpus::records::{Content, Found, RecordReader};
use crate::corpus::stray::decode_line;
use memchr::memchr_iter;
use serde_json::Value;
use std::collections::VecDeque;
use std::io;
use std::time::Duration;

/// Reads comments. A list whose items begin at the margin is read item by item, so that it may have any length and a broken item costs
/// itself; all else is read document by document.
pub(in crate::corpus) struct YamlComments {
    window: Window,
    limit_bytes: usize,
    /// Where the line begins that is looked at next.
    at: usize,
    /// Bytes at hand in which that line does not end.
    searched: usize,
    /// What the document at hand is; `None` before its first line with something on it.
    is_list: Option<bool>,
    /// The part at hand was longer than the limit.
    too_long: bool,
    /// The line at `at` began in bytes that were left behind.
    within_line: bool,
    /// Line on which the bytes at hand begin, and the one on which the part does.
    line: u64,
    began: u64,
    records: u64,
    ready: VecDeque<Found>,
}

impl YamlComments {
    pub fn new(window: Window) -> YamlComments {
        YamlComments {
            window,
            limit_bytes: LINE_LIMIT_BYTES,
            at: 0,
            searched: 0,
            is_list: None,
            too_long: false,
            within_line: false,
            line: 1,
            began: 1,
            records: 0,
            ready: VecDeque::new(),
        }
    }

    fn consume(&mut self, length: usize) {
        self.line += memchr_iter(b'\n', &self.window.rest()[..length]).count() as u64;
        self.window.consume(length);
        self.at = self.at.saturating_sub(length);
        self.searched = self.searched.saturating_sub(length);
    }

    /// Whether a part ends before the line at `at`; false where the bytes at hand do not tell it.
    fn find_end(&mut self) -> bool {
        loop {
            let rest = self.window.rest();
            let Some(length) = memchr::memchr(b'\n', &rest[self.searched..]) else {
                self.searched = rest.len();
                return false;
            };
            let end = self.searched + length;
            let line = &rest[self.at..end];
            let begins_document = !self.within_line && is_mark(line, b"---");
            let begins_item = !self.within_line && is_item(line);
            let begun = self.is_list.is_some() && (self.at > 0 || self.too_long);
            if begun && (begins_document || (self.is_list == Some(true) && begins_item)) {
                if begins_document {
                    self.is_list = None;
                }
                return true;
            }
            if self.is_list.is_none() && !self.within_line && !is_blank(line) && !begins_document {
                self.is_list = Some(begins_item);
                self.began = self.line + memchr_iter(b'\n', &rest[..self.at]).count() as u64;
            }
            (self.at, self.searched, self.within_line) = (end + 1, end + 1, false);
        }
    }

    /// Reads the part before `at`.
    fn take(&mut self) {
        let part = &self.window.rest()[..self.at];
        let line = self.began;
        let parsed = if std::mem::take(&mut self.too_long) || part.len() > self.limit_bytes {
            Err(InputError::RecordTooLong { limit_bytes: self.limit_bytes })
        } else {
            decode_line(part).map_err(|at| InputError::InvalidUtf8 { byte: at + 1 }).and_then(|text| parse(&text))
        };
        let mut push = |records: &mut u64, content| {
            *records += 1;
            self.ready.push_back(Found { line, record: Some(*records), content });
        };
        match parsed {
            Err(error) => push(&mut self.records, Err(error)),
            Ok(values) => {
                for value in values.into_iter().filter(|value| !value.is_null()) {
                    comments(value, None, &mut |comment| {
                        let content = match comment {
                            Ok(comment) => Ok(Content::Object(Value::Object(comment).to_string().into_bytes())),
                            Err("an object without a text") => {
                                Err(InputError::MissingField { field: "text".to_owned() })
                            }
                            Err(got) => Err(InputError::NotAnObject { got }),
                        };
                        push(&mut self.records, content);
                    });
                }
            }
        }
        self.consume(self.at);
        self.began = self.line;
    }
}

/// The values of a part: JSON where it is that, else YAML, of which JSON is nearly a part.
fn parse(text: &str) -> Result<Vec<Value>, InputError> {
    if text.trim_start().starts_with(['{', '['])
        && let Ok(value) = serde_json::from_str(text)
    {
        return Ok(vec![value]);
    }
    documents(text).map_err(|reason| InputError::BrokenComment { export: "YAML", reason })
}

/// Whether a line is a mark at the margin: `---`, or that with something behind it.
fn is_mark(line: &[u8], mark: &[u8]) -> bool {
    line.strip_prefix(mark).is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
}

fn is_item(line: &[u8]) -> bool {
    is_mark(line, b"-")
}

/// Whether a line says nothing: blank, a remark, a directive, the end of a document.
fn is_blank(line: &[u8]) -> bool {
    is_mark(line, b"...") || matches!(line.trim_ascii_start().first(), None | Some(b'#' | b'%'))
}

impl RecordReader for YamlComments {
    fn next(&mut self, patience: Option<Duration>) -> io::Result<Next<Found>> {
        loop {
            if let Some(found) = self.ready.pop_front() {
                return Ok(Next::Item(found));
            }
            if self.find_end() {
                self.take();
                continue;
            }
            if self.window.ended() {
                self.at = self.window.rest().len();
                if self.at == 0 && !self.too_long {
                    return Ok(Next::End);
                }
                self.take();
                continue;
            }
            let seen = self.at.max(self.window.rest().len() - self.at);
            if seen > self.limit_bytes {
                self.too_long = true;
                let whole_lines = self.at;
                let line = self.window.rest();
                if whole_lines == 0 && self.is_list.is_none() && !self.within_line && !is_blank(line) {
                    self.is_list = Some(is_item(line));
                    self.began = self.line;
                }
                self.within_line |= whole_lines == 0;
                let length = if whole_lines == 0 { self.window.rest().len() } else { whole_lines };
                self.consume(length);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::records::texts_in_pieces;

    fn read_with(text: &str, limit_bytes: usize) -> Vec<(u64, String)> {
        texts_in_pieces(text, |window| YamlComments { limit_bytes, ..YamlComments::new(window) })
    }

    fn of(line: u64, text: &str) -> (u64, String) {
        (line, text.to_owned())
    }

    #[test]
    fn a_list_is_read_item_by_item() {
        let list = "# remark\n---\n- name: Ann\n  text: |\n    one\n\n    - two\n- text: [broken\n- text: \"three\n    lines\"\n--- # next\ntext: four\n...\n";
        let found = read_with(list, 9999);
        assert_eq!(found[0], of(3, "one\n\n- two\n"));
        assert!(found[1].1.starts_with("a comment of the YAML export cannot be read"), "{found:?}");
        assert_eq!(found[2..], [of(9, "three lines"), of(12, "four")]);
    }

    #[test]
    fn all_else_is_read_as_a_whole() {
        assert_eq!(read_with("post:\n- text: a\n- text: b\n", 99), [of(1, "a"), of(1, "b")]);
        assert_eq!(read_with("{\"_id\": \"1\", \"message\": \"\\ud83d\\ude00 \\/\"}\n", 99), [of(1, "😀 /")]);
        assert_eq!(read_with("[{\"text\": \"a\"}, {text: b}]", 99), [of(1, "a"), of(1, "b")]);
        assert_eq!(read_with("title: A site\n", 99), [of(1, "no field `text`")]);
        assert_eq!(read_with("# nothing\n", 99), []);
        assert_eq!(read_with("", 99), []);
    }

    #[test]
    fn long_items_are_left_out() {
        let too_long = InputError::RecordTooLong { limit_bytes: 100 }.to_string();
        for long in ["word ".repeat(60), "word\n    ".repeat(30)] {
            let list = format!("- text: a\n- text: >\n    {long}\n- text: b\n");
            let texts: Vec<_> = read_with(&list, 100).into_iter().map(|(_, text)| text).collect();
            assert_eq!(texts, ["a", &too_long, "b"]);
        }
    }
}
