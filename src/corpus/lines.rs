//! Lines of a source, each of bounded length.

use super::feed::{More, Window};
use std::io::{self, BufRead};
use std::time::Duration;

/// Greatest length of a line or a record, 16 MiB; longer ones are set aside.
///
/// A record is held in memory as a whole, once as its bytes and several times as much as tokens.
pub const LINE_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// What comes next of a source.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<T> {
    Item(T),
    /// Something that was already told of.
    Skipped,
    /// Nothing for as long as one was ready to wait.
    Pause,
    End,
}

/// One line, or what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RawLine {
    /// The bytes without the line break; carriage returns before a line feed are kept.
    Bytes(Vec<u8>),
    /// More than the limit; the rest of the line was skipped.
    TooLong,
}

/// Reads lines. A line ends at a line feed, or at a carriage return that none follows.
pub(super) struct Lines {
    window: Window,
    limit_bytes: usize,
    /// Number of the line that is read next, from 1.
    line: u64,
    /// Bytes at hand that hold no line break.
    searched: usize,
}

impl Lines {
    pub fn new(window: Window) -> Lines {
        Lines { window, limit_bytes: LINE_LIMIT_BYTES, line: 1, searched: 0 }
    }

    /// Bytes of the source used so far.
    pub fn consumed(&self) -> u64 {
        self.window.consumed()
    }

    /// Number of the line that is read next, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The next line with its number. With `patience`, a source that pauses longer is told.
    pub fn next(&mut self, patience: Option<Duration>) -> io::Result<Next<(u64, RawLine)>> {
        loop {
            let rest = self.window.rest();
            if let Some(found) = line_break(rest, self.searched, self.window.ended()) {
                let bytes = rest[..found.text].to_vec();
                let too_long = bytes.len() > self.limit_bytes;
                return Ok(self.give(if too_long { RawLine::TooLong } else { RawLine::Bytes(bytes) }, found));
            }
            if self.window.ended() {
                let bytes = rest.to_vec();
                if bytes.is_empty() {
                    return Ok(Next::End);
                }
                let found = LineBreak { text: bytes.len(), end: bytes.len(), lines: 1 };
                let too_long = bytes.len() > self.limit_bytes;
                return Ok(self.give(if too_long { RawLine::TooLong } else { RawLine::Bytes(bytes) }, found));
            }
            if rest.len() > self.limit_bytes {
                return self.skip_line();
            }
            // A carriage return at the end is searched again: what follows decides.
            self.searched = rest.len() - rest.iter().rev().take_while(|&&byte| byte == b'\r').count();
            if self.window.fill(patience)? == More::Pause {
                return Ok(Next::Pause);
            }
        }
    }

    fn give(&mut self, line: RawLine, found: LineBreak) -> Next<(u64, RawLine)> {
        self.window.consume(found.end);
        self.searched = 0;
        let number = self.line;
        self.line += found.lines;
        Next::Item((number, line))
    }

    /// Leaves a line that is too long.
    fn skip_line(&mut self) -> io::Result<Next<(u64, RawLine)>> {
        loop {
            let rest = self.window.rest();
            match line_break(rest, 0, self.window.ended()) {
                Some(found) => return Ok(self.give(RawLine::TooLong, found)),
                None => {
                    let all = rest.len() - usize::from(rest.last() == Some(&b'\r'));
                    self.window.consume(all);
                }
            }
            if self.window.ended() || self.window.fill(None)? == More::End {
                let all = self.window.rest().len();
                return Ok(self.give(RawLine::TooLong, LineBreak { text: all, end: all, lines: 1 }));
            }
        }
    }
}

/// The first line break among some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LineBreak {
    /// Length of the line before it, carriage returns before a line feed included.
    pub text: usize,
    /// Where the next line that is not empty for want of anything between carriage returns begins.
    pub end: usize,
    /// Lines that end here: as many as there are carriage returns without a line feed, else one.
    pub lines: u64,
}

/// The first line break from `from` on. Carriage returns at the very end decide nothing unless it is the source's `ended`.
///
/// A run of carriage returns before a line feed is one line break with it, as for [`split`](crate::text::split).
pub(super) fn line_break(bytes: &[u8], from: usize, ended: bool) -> Option<LineBreak> {
    let at = from + bytes.get(from..)?.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
    let run = bytes[at..].iter().take_while(|&&byte| byte == b'\r').count();
    match bytes.get(at + run) {
        Some(b'\n') => Some(LineBreak { text: at + run, end: at + run + 1, lines: 1 }),
        None if !ended => None,
        _ => Some(LineBreak { text: at, end: at + run, lines: run as u64 }),
    }
}

/// Skips to behind the next line feed, or carriage return, and gives the number of bytes skipped.
pub(super) fn skip_line(reader: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = match reader.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let end = buffer.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let taken = end.map_or(buffer.len(), |end| end + 1);
        let done = end.is_some() || buffer.is_empty();
        reader.consume(taken);
        skipped += taken as u64;
        if done {
            return Ok(skipped);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::feed::{Feed, Pieces};

    fn lines(source: &str, limit_bytes: usize) -> Vec<(u64, Option<String>)> {
        let read = |size: usize| {
            let pieces = Pieces(source.as_bytes().chunks(size).map(<[u8]>::to_vec).collect());
            let mut lines = Lines { limit_bytes, ..Lines::new(Window::new(Feed::of(pieces))) };
            let mut seen = Vec::new();
            while let Next::Item((number, line)) = lines.next(None).unwrap() {
                seen.push((
                    number,
                    match line {
                        RawLine::Bytes(bytes) => Some(String::from_utf8(bytes).unwrap()),
                        RawLine::TooLong => None,
                    },
                ));
            }
            assert_eq!(lines.consumed(), source.len() as u64);
            seen
        };
        let whole = read(1000);
        for size in [1, 3] {
            assert_eq!(read(size), whole, "{source:?}");
        }
        whole
    }

    fn line(number: u64, text: &str) -> (u64, Option<String>) {
        (number, Some(text.to_owned()))
    }

    #[test]
    fn long_lines_are_skipped_whole() {
        let expected = [line(1, "ab"), line(2, ""), line(3, "abcde"), (4, None), (5, None)];
        assert_eq!(lines("ab\n\nabcde\nabcdef\nabcdefg", 5), expected);
    }

    #[test]
    fn carriage_returns_end_lines_too() {
        assert_eq!(lines("a\rb\r\rc\r", 9), [line(1, "a"), line(2, "b"), line(4, "c")]);
        assert_eq!(lines("a\r\nb\r\r\nc\rd\n", 9), [line(1, "a\r"), line(2, "b\r\r"), line(3, "c"), line(4, "d")]);
        assert_eq!(lines("abcdefghijkl\rb\rabcdefghijkl\r\nc", 9), [(1, None), line(2, "b"), (3, None), line(4, "c")]);
    }
}
