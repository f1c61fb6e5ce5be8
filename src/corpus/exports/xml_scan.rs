//! Where the tags of an XML document stand, however it comes, without reading what is between them.

use crate::corpus::feed::{More, Window};
use memchr::{memchr, memmem};
use std::io;
use std::time::Duration;

/// Bytes of a tag's name that are looked at.
const NAME_BYTES: usize = 64;

/// Bytes of a tag; a longer one counts as one that holds nothing.
const TAG_BYTES: u64 = 64 * 1024;

/// A tag that was passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// `<name …>`.
    Start(Vec<u8>),
    /// `</name>`.
    End(Vec<u8>),
    /// `<name …/>`, or one that is too long to be of use.
    Empty,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Passed {
    Tag(Tag),
    /// A text or the like that is not yet at its end; more than is kept may be at hand.
    Piece,
    Pause,
    End,
}

/// What the bytes at hand are in the middle of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    Text,
    /// Up to this mark: a comment, a CDATA section, an instruction.
    Mark(&'static [u8]),
    /// A tag, behind its name; the open quotation mark, 0 for none.
    Tag {
        quote: u8,
        slash: bool,
    },
    /// A document type, whose entities are never defined: its nesting of brackets, and the open quotation mark.
    DocType {
        depth: u32,
        quote: u8,
    },
}

/// Walks over a document. Bytes are kept from [`XmlScan::keep`] on, else used up at once.
pub(super) struct XmlScan {
    window: Window,
    /// How far the bytes at hand were walked over.
    at: usize,
    inside: Inside,
    /// Of the tag that is walked over.
    name: Vec<u8>,
    is_end: bool,
    /// Where the tag that was passed last begins, if it is kept.
    tag_at: usize,
    /// Bytes of it so far.
    tag_bytes: u64,
    keeps: bool,
    line: u64,
    /// Line on which that tag begins.
    tag_line: u64,
}

impl XmlScan {
    pub fn new(window: Window) -> XmlScan {
        XmlScan {
            window,
            at: 0,
            inside: Inside::Text,
            name: Vec::new(),
            is_end: false,
            tag_at: 0,
            tag_bytes: 0,
            keeps: false,
            line: 1,
            tag_line: 1,
        }
    }

    pub fn consumed(&self) -> u64 {
        self.window.consumed()
    }

    /// Line of the tag that was passed last, from 1.
    pub fn line(&self) -> u64 {
        self.tag_line
    }

    /// Keeps all bytes from the tag on that was passed last; what was kept before is left.
    pub fn keep(&mut self) {
        self.window.consume(self.tag_at);
        self.at -= self.tag_at;
        self.tag_at = 0;
        self.keeps = true;
    }

    /// The bytes that were kept, up to where the walk stands.
    pub fn kept(&self) -> &[u8] {
        &self.window.rest()[..self.at]
    }

    /// Leaves what was kept and keeps nothing more, but for a tag that was begun.
    pub fn leave(&mut self) {
        self.keeps = false;
        let is_in_tag = matches!(self.inside, Inside::Tag { .. }) && self.tag_bytes <= TAG_BYTES;
        let length = if is_in_tag { self.tag_at } else { self.at };
        self.window.consume(length);
        self.at -= length;
        self.tag_at = self.tag_at.saturating_sub(length);
    }

    /// Goes on to the next tag.
    pub fn next(&mut self, patience: Option<Duration>) -> io::Result<Passed> {
        loop {
            if let Some(tag) = self.walk() {
                return Ok(Passed::Tag(tag));
            }
            if !self.keeps {
                self.leave();
            }
            if self.window.ended() {
                if !self.keeps {
                    self.leave_all();
                }
                return Ok(Passed::End);
            }
            match self.window.fill(patience)? {
                More::Pause => return Ok(Passed::Pause),
                More::Bytes if self.keeps => return Ok(Passed::Piece),
                More::Bytes | More::End => {}
            }
        }
    }

    /// Uses up all that is at hand.
    pub fn leave_all(&mut self) {
        let all = self.window.rest().len();
        self.window.consume(all);
        (self.at, self.tag_at) = (0, 0);
    }

    /// Goes on by bytes at hand.
    fn pass(&mut self, length: usize) {
        self.line += memchr::memchr_iter(b'\n', &self.window.rest()[self.at..self.at + length]).count() as u64;
        self.at += length;
    }

    /// Walks as far as the bytes at hand go, or to the end of a tag.
    fn walk(&mut self) -> Option<Tag> {
        loop {
            let ended = self.window.ended();
            let rest = &self.window.rest()[self.at..];
            if rest.is_empty() {
                return None;
            }
            match self.inside {
                Inside::Text => {
                    let Some(length) = memchr(b'<', rest) else {
                        self.pass(rest.len());
                        return None;
                    };
                    self.pass(length);
                    if !self.open(ended) {
                        return None;
                    }
                }
                Inside::Mark(mark) => match memmem::find(rest, mark) {
                    Some(length) => {
                        self.pass(length + mark.len());
                        self.inside = Inside::Text;
                    }
                    None => {
                        // The mark may have begun.
                        let kept = if ended { 0 } else { (mark.len() - 1).min(rest.len()) };
                        self.pass(rest.len() - kept);
                        return None;
                    }
                },
                Inside::Tag { mut quote, mut slash } => {
                    let end = rest.iter().position(|&byte| {
                        let is_end = byte == b'>' && quote == 0;
                        match byte {
                            b'"' | b'\'' if quote == 0 => quote = byte,
                            byte if byte == quote => quote = 0,
                            _ => {}
                        }
                        slash = if is_end { slash } else { byte == b'/' };
                        is_end
                    });
                    match end {
                        Some(end) => {
                            self.pass(end + 1);
                            self.inside = Inside::Text;
                            self.tag_bytes += end as u64 + 1;
                            let name = std::mem::take(&mut self.name);
                            return Some(match (self.is_end, slash) {
                                _ if self.tag_bytes > TAG_BYTES => Tag::Empty,
                                (true, _) => Tag::End(name),
                                (false, true) => Tag::Empty,
                                (false, false) => Tag::Start(name),
                            });
                        }
                        None => {
                            self.tag_bytes += rest.len() as u64;
                            self.pass(rest.len());
                            self.inside = Inside::Tag { quote, slash };
                            return None;
                        }
                    }
                }
                Inside::DocType { mut depth, mut quote } => {
                    let end = rest.iter().position(|&byte| {
                        match byte {
                            b'"' | b'\'' if quote == 0 => quote = byte,
                            byte if byte == quote => quote = 0,
                            b'<' if quote == 0 => depth += 1,
                            b'>' if quote == 0 => depth = depth.saturating_sub(1),
                            _ => {}
                        }
                        byte == b'>' && quote == 0 && depth == 0
                    });
                    self.pass(end.map_or(rest.len(), |end| end + 1));
                    self.inside = if end.is_some() { Inside::Text } else { Inside::DocType { depth, quote } };
                }
            }
        }
    }

    /// Looks at what begins with the sign at hand; false where more bytes are needed.
    fn open(&mut self, ended: bool) -> bool {
        let rest = &self.window.rest()[self.at..];
        const BEGINNINGS: [(&[u8], Inside); 4] = [
            (b"<![CDATA[", Inside::Mark(b"]]>")),
            (b"<!--", Inside::Mark(b"-->")),
            (b"<?", Inside::Mark(b"?>")),
            (b"<!DOCTYPE", Inside::DocType { depth: 1, quote: 0 }),
        ];
        for (begin, inside) in BEGINNINGS {
            if rest.starts_with(begin) {
                self.pass(begin.len());
                self.inside = inside;
                return true;
            }
            if begin.starts_with(rest) && !ended {
                return false;
            }
        }
        let is_end = rest.get(1) == Some(&b'/');
        let name = &rest[1 + usize::from(is_end)..];
        let length = name.iter().take_while(|byte| !b" \t\r\n/><\"'=".contains(byte)).count();
        if length == name.len() && !ended && length <= NAME_BYTES {
            return false;
        }
        if length == 0 {
            // A sign that means nothing.
            self.pass(1);
            return true;
        }
        self.name = name[..length.min(NAME_BYTES)].to_vec();
        self.is_end = is_end;
        (self.tag_at, self.tag_line) = (self.at, self.line);
        self.tag_bytes = 0;
        self.pass(1 + usize::from(is_end) + length.min(NAME_BYTES));
        self.inside = Inside::Tag { quote: 0, slash: false };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::feed::{Feed, Pieces};

    fn tags(text: &str) -> Vec<String> {
        let read = |size: usize| {
            let pieces = Pieces(text.as_bytes().chunks(size).map(<[u8]>::to_vec).collect());
            let mut scan = XmlScan::new(Window::new(Feed::of(pieces)));
            let mut found = Vec::new();
            loop {
                match scan.next(None).unwrap() {
                    Passed::Tag(Tag::Start(name)) => {
                        found.push(format!("{}{}", scan.line(), String::from_utf8(name).unwrap()));
                    }
                    Passed::Tag(Tag::End(name)) => found.push(format!("/{}", String::from_utf8(name).unwrap())),
                    Passed::Tag(Tag::Empty) => found.push("-".to_owned()),
                    Passed::Piece | Passed::Pause => {}
                    Passed::End => break,
                }
            }
            assert_eq!(scan.consumed(), text.len() as u64, "{text}");
            found
        };
        let whole = read(text.len());
        for size in 1..12 {
            assert_eq!(read(size), whole, "{size} of {text}");
        }
        whole
    }

    #[test]
    fn tags_are_found_and_nothing_else() {
        let text = "<?xml version='1.0'?>\n<!DOCTYPE r [<!ENTITY a \"<x>]>\"> <!ENTITY b '&a;'>]>\n<r a=\"1>2\"><!-- <no> -->\
                    <![CDATA[<no>]] ]]><e/><f b='/'/>\n< <<g>x</g ></r>";
        assert_eq!(tags(text), ["3r", "-", "-", "4g", "/g", "/r"]);
        assert_eq!(tags("no tag < at all"), Vec::<String>::new());
        assert_eq!(tags("<a><b"), ["1a"]);
        assert_eq!(tags("<![CDATA[ open <a>"), Vec::<String>::new());
    }
}
