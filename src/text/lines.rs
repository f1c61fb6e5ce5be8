//! Lines with byte offsets.

use super::blank::{is_block_break, is_line_break};

/// One line without its line break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RawLine<'a> {
    /// Byte offset of the line's first character in the source.
    pub start: usize,
    /// The line, blank characters at its edges included.
    pub text: &'a str,
    /// The line is followed by a form feed or a paragraph separator.
    pub ends_block: bool,
}

/// The lines of a source in order; nothing after the last line break counts as a line if it is empty.
pub(super) struct RawLines<'a> {
    source: &'a str,
    position: usize,
    /// Up to here every CR is a line break of its own. Remembered, for a long run of CR would otherwise be searched for
    /// its LF once from each of its characters.
    lone_carriage_returns_end: usize,
}

impl<'a> RawLines<'a> {
    pub fn new(source: &'a str) -> Self {
        RawLines { source, position: 0, lone_carriage_returns_end: 0 }
    }

    /// Byte offset after the line break that begins at `start`.
    ///
    /// CR CR LF is what a text with CR LF becomes when it is written in text mode on Windows; taken as two line breaks
    /// it would put a blank line after every line. So a run of CR that an LF follows is one line break.
    fn after_line_break(&mut self, start: usize, line_break: char) -> usize {
        if line_break == '\r' && start >= self.lone_carriage_returns_end {
            let bytes = self.source.as_bytes();
            let run_end = start + bytes[start..].iter().take_while(|&&byte| byte == b'\r').count();
            if bytes.get(run_end) == Some(&b'\n') {
                return run_end + 1;
            }
            self.lone_carriage_returns_end = run_end;
        }
        start + line_break.len_utf8()
    }
}

impl<'a> Iterator for RawLines<'a> {
    type Item = RawLine<'a>;

    fn next(&mut self) -> Option<RawLine<'a>> {
        let start = self.position;
        let rest = &self.source[start..];
        if rest.is_empty() {
            return None;
        }
        let Some((length, line_break)) = rest.char_indices().find(|&(_, c)| is_line_break(c)) else {
            self.position = self.source.len();
            return Some(RawLine { start, text: rest, ends_block: false });
        };
        self.position = self.after_line_break(start + length, line_break);
        Some(RawLine { start, text: &rest[..length], ends_block: is_block_break(line_break) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(source: &str) -> Vec<(usize, &str)> {
        RawLines::new(source).map(|line| (line.start, line.text)).collect()
    }

    #[test]
    fn every_line_break_ends_a_line_once() {
        assert_eq!(lines("a\nb\rc\r\nd\u{b}e\u{85}f\u{2028}g").len(), 7);
        assert_eq!(lines("a\r\r\nb"), [(0, "a"), (4, "b")]);
        assert_eq!(lines("a\r\rb"), [(0, "a"), (2, ""), (3, "b")]);
        assert_eq!(lines("a\n\n"), [(0, "a"), (2, "")]);
        assert_eq!(lines(""), []);
    }

    #[test]
    fn a_long_run_of_carriage_returns_takes_linear_time() {
        // Quadratic time would take minutes here.
        assert_eq!(RawLines::new(&"\r".repeat(1_000_000)).count(), 1_000_000);
        assert_eq!(lines(&format!("{}\nb", "\r".repeat(1000))), [(0, ""), (1001, "b")]);
        assert_eq!(lines("\r\rb\r\nc").len(), 4);
    }

    #[test]
    fn page_breaks_end_the_block() {
        let ends: Vec<bool> = RawLines::new("a\u{c}b\u{2029}c\n").map(|line| line.ends_block).collect();
        assert_eq!(ends, [true, true, false]);
    }
}
