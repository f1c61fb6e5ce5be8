//! A running text of any size, piece by piece, cut where no paragraph is.

use super::error::InputError;
use super::lines::{LINE_LIMIT_BYTES, skip_line};
use crate::text::{Paragraphs, last_boundary_with};
use std::io::{self, BufRead, Read};

/// Greatest length of a run of lines without a blank one, 1 MiB; longer runs are cut at the end of a line, and what
/// stands on both sides of the cut is split into paragraphs by itself.
pub const BLOCK_LIMIT_BYTES: usize = 1024 * 1024;

/// A part of a text that begins and ends between two paragraphs.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// The text; lines that are no UTF-8 are replaced by as many spaces as they have bytes.
    pub text: String,
    /// Byte offset of `text` in its source.
    pub start: u64,
    /// Lines that were set aside, each with its number from 1.
    pub failures: Vec<(u64, InputError)>,
}

/// Reads a text in pieces.
pub(super) struct TextPieces<R> {
    reader: R,
    limits: Limits,
    paragraphs: Paragraphs,
    /// What was read and not yet given out. Up to `clean` it is whole lines of UTF-8.
    buffer: Vec<u8>,
    clean: usize,
    /// Byte offset of `buffer` in the source.
    start: u64,
    /// Number of the line at `clean`, from 1.
    line: u64,
    failures: Vec<(u64, InputError)>,
    ended: bool,
}

/// Sizes in bytes.
#[derive(Clone, Copy, Debug)]
struct Limits {
    block: usize,
    line: usize,
}

impl<R: BufRead> TextPieces<R> {
    /// `paragraphs` decides where the text may be cut.
    pub fn new(reader: R, paragraphs: Paragraphs) -> Self {
        TextPieces::with_limits(reader, paragraphs, Limits { block: BLOCK_LIMIT_BYTES, line: LINE_LIMIT_BYTES })
    }

    fn with_limits(reader: R, paragraphs: Paragraphs, limits: Limits) -> Self {
        TextPieces {
            reader,
            limits,
            paragraphs,
            buffer: Vec::new(),
            clean: 0,
            start: 0,
            line: 1,
            failures: Vec::new(),
            ended: false,
        }
    }

    /// Number of the line that is read next, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Whether all of the source was given out.
    pub fn is_at_end(&self) -> bool {
        self.ended && self.buffer.is_empty()
    }

    /// The next piece, about `size_bytes` long and longer where a block is; `None` at the end.
    ///
    /// The pieces depend on the bytes and the sizes asked for, not on how the reader hands them out.
    pub fn next_piece(&mut self, size_bytes: usize) -> io::Result<Option<Piece>> {
        let mut wanted = size_bytes.max(1);
        loop {
            self.fill(wanted)?;
            self.clean_lines();
            if self.ended {
                let end = self.clean;
                return Ok((end > 0 || !self.failures.is_empty()).then(|| self.take(end)));
            }
            if let Some(boundary) = last_boundary_with(self.clean_text(), self.paragraphs)
                && boundary > 0
            {
                return Ok(Some(self.take(boundary)));
            }
            let line_too_long = self.buffer.len() - self.clean > self.limits.line;
            if self.clean > 0 && (line_too_long || self.clean > self.limits.block) {
                let end = self.clean;
                return Ok(Some(self.take(end)));
            }
            if line_too_long {
                self.drop_line()?;
                return Ok(Some(self.take(0)));
            }
            wanted = (self.buffer.len() * 2).min(self.clean + self.limits.line + 1);
        }
    }

    /// Reads until the buffer holds `wanted` bytes or the source ends.
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        if let Some(missing) = wanted.checked_sub(self.buffer.len())
            && missing > 0
            && !self.ended
        {
            let read = self.reader.by_ref().take(missing as u64).read_to_end(&mut self.buffer)?;
            self.ended = read < missing;
        }
        Ok(())
    }

    /// Extends the clean part over the whole lines in the buffer, at the end of the source over all of it.
    fn clean_lines(&mut self) {
        let end = match self.buffer[self.clean..].iter().rposition(|&byte| byte == b'\n') {
            _ if self.ended => self.buffer.len(),
            Some(feed) => self.clean + feed + 1,
            None => return,
        };
        while self.clean < end {
            let rest = &mut self.buffer[self.clean..end];
            let length = rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |feed| feed + 1);
            let line = &mut rest[..length];
            if std::str::from_utf8(line).is_err() {
                // Where lines end with a carriage return alone, the whole text may be one line to us.
                let mut before = 0;
                for part in line.split_inclusive_mut(|&byte| byte == b'\r') {
                    if let Err(error) = std::str::from_utf8(part) {
                        let byte = before + error.valid_up_to() + 1;
                        self.failures.push((self.line, InputError::InvalidUtf8 { byte }));
                        part.trim_ascii_end_mut().fill(b' ');
                    }
                    before += part.len();
                }
            }
            self.clean += length;
            self.line += 1;
        }
    }

    fn clean_text(&self) -> &str {
        std::str::from_utf8(&self.buffer[..self.clean]).expect("cleaned lines are UTF-8; this is a bug")
    }

    /// Gives out the buffer up to `end`, which is at most `clean`.
    fn take(&mut self, end: usize) -> Piece {
        let text = self.clean_text()[..end].to_owned();
        let start = self.start;
        self.buffer.drain(..end);
        self.clean -= end;
        self.start += end as u64;
        Piece { text, start, failures: std::mem::take(&mut self.failures) }
    }

    /// Drops the line in the buffer together with what is still unread of it.
    fn drop_line(&mut self) -> io::Result<()> {
        let skipped = self.buffer.len() as u64 + skip_line(&mut self.reader)?;
        self.failures.push((self.line, InputError::LineTooLong { limit_bytes: self.limits.line }));
        self.buffer.clear();
        self.start += skipped;
        self.line += 1;
        Ok(())
    }
}

/// `trim_ascii_end` for a slice that is to be written to.
trait TrimEndMut {
    fn trim_ascii_end_mut(&mut self) -> &mut [u8];
}

impl TrimEndMut for [u8] {
    fn trim_ascii_end_mut(&mut self) -> &mut [u8] {
        let length = self.trim_ascii_end().len();
        &mut self[..length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::split_with;
    use proptest::prelude::*;
    use std::io::BufReader;

    const LIMITS: Limits = Limits { block: 1 << 20, line: 1 << 20 };

    fn pieces(source: &[u8], size: usize, limits: Limits) -> Vec<Piece> {
        pieces_of(source, size, limits, Paragraphs::Auto)
    }

    fn pieces_of(source: &[u8], size: usize, limits: Limits, paragraphs: Paragraphs) -> Vec<Piece> {
        let mut pieces = TextPieces::with_limits(BufReader::with_capacity(7, source), paragraphs, limits);
        std::iter::from_fn(|| pieces.next_piece(size).unwrap()).collect()
    }

    #[test]
    fn lines_that_are_no_utf8_become_blank_and_offsets_stay() {
        let source = b"one\n\nb\xe9d\r\nthree\n\nfour";
        let pieces = pieces(source, 64, LIMITS);
        assert_eq!(pieces.len(), 1);
        assert_eq!(pieces[0].text, "one\n\n   \r\nthree\n\nfour");
        assert_eq!(pieces[0].failures.len(), 1);
        assert_eq!(pieces[0].failures[0].0, 3);
        assert!(matches!(pieces[0].failures[0].1, InputError::InvalidUtf8 { byte: 2 }));
    }

    #[test]
    fn a_carriage_return_alone_ends_what_is_lost() {
        let pieces = pieces(b"First.\r\rSecond caf\xe9.\r\rThird.\r", 1000, LIMITS);
        assert_eq!(pieces[0].text, "First.\r\r            \r\rThird.\r");
        assert!(matches!(pieces[0].failures[..], [(1, InputError::InvalidUtf8 { byte: 19 })]));
    }

    #[test]
    fn long_blocks_are_cut_at_line_ends_and_long_lines_dropped() {
        let limits = Limits { block: 8, line: 12 };
        let source = "a\nbb\ncc\ndd\nee\nff\nthis line is too long\ngg\n";
        let pieces = pieces(source.as_bytes(), 4, limits);
        let texts: Vec<_> = pieces.iter().map(|piece| piece.text.as_str()).filter(|text| !text.is_empty()).collect();
        assert!(texts.len() > 1, "{texts:?}");
        assert_eq!(texts.concat(), "a\nbb\ncc\ndd\nee\nff\ngg\n");
        for piece in &pieces {
            assert!(source[piece.start as usize..].starts_with(&piece.text));
        }
        let failed: Vec<_> = pieces.iter().flat_map(|piece| &piece.failures).map(|failure| failure.0).collect();
        assert_eq!(failed, [7]);
    }

    proptest! {
        #[test]
        fn pieces_have_the_paragraphs_of_the_whole(source in "[a. \n\r\u{a0}1é]{0,80}", size in 1usize..40) {
            for mode in [Paragraphs::Auto, Paragraphs::Blank, Paragraphs::Line, Paragraphs::Layout] {
                let spans = |text: &str, start: usize| -> Vec<_> {
                    let paragraphs = split_with(text, mode).into_iter();
                    paragraphs.map(|paragraph| start + paragraph.span.start..start + paragraph.span.end).collect()
                };
                let mut parts = Vec::new();
                for piece in pieces_of(source.as_bytes(), size, LIMITS, mode) {
                    prop_assert!(piece.failures.is_empty());
                    let start = piece.start as usize;
                    prop_assert_eq!(&source[start..start + piece.text.len()], piece.text.as_str());
                    parts.extend(spans(&piece.text, start));
                }
                prop_assert_eq!(parts, spans(&source, 0));
            }
        }
    }
}
