//! A running text of any size, piece by piece, cut where no paragraph is.

use super::error::InputError;
use super::lines::{LINE_LIMIT_BYTES, line_break, skip_line};
use super::stray::{decode_line, lengthenings};
use crate::text::{Paragraphs, last_boundary_with};
use std::io::{self, BufRead, Read};
use std::ops::Range;

/// Greatest length of a run of lines without a blank one, 1 MiB; longer runs are cut at the end of a line, and what
/// stands on both sides of the cut is split into paragraphs by itself.
pub const BLOCK_LIMIT_BYTES: usize = 1024 * 1024;

/// A part of a text that begins and ends between two paragraphs.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// The text; lines that cannot be decoded are replaced by as many spaces as they have bytes.
    pub text: String,
    /// Byte offset of `text` in its source.
    pub start: u64,
    /// Where `text` is longer than its source: offsets in `text`, each with the number of bytes that it is ahead from there on.
    pub ahead: Vec<(usize, u64)>,
    /// Lines that were set aside, each with its number from 1.
    pub failures: Vec<(u64, InputError)>,
    /// Lines that were decoded as windows-1252: the first of them, from 1, and how many.
    pub decoded: Option<(u64, u64)>,
}

/// Reads a text in pieces.
pub(super) struct TextPieces<R> {
    reader: R,
    limits: Limits,
    paragraphs: Paragraphs,
    /// Whole lines that were read and not yet given out.
    clean: String,
    /// Offsets in `clean` behind characters that are longer than in the source, each with by how much.
    longer: Vec<(usize, usize)>,
    /// What was read after them.
    raw: Vec<u8>,
    /// Byte offset of `clean` in the source.
    start: u64,
    /// Number of the line at the beginning of `raw`, from 1.
    line: u64,
    failures: Vec<(u64, InputError)>,
    decoded: Option<(u64, u64)>,
    ended: bool,
    /// What is told once all was given out that was read before.
    fault: Option<io::Error>,
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
            clean: String::new(),
            longer: Vec::new(),
            raw: Vec::new(),
            start: 0,
            line: 1,
            failures: Vec::new(),
            decoded: None,
            ended: false,
            fault: None,
        }
    }

    /// Number of the line that is read next, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Whether all that can be read of the source was given out.
    pub fn is_at_end(&self) -> bool {
        self.ended && self.clean.is_empty() && self.raw.is_empty()
    }

    /// The next piece, about `size_bytes` long and longer where a block is; `None` at the end.
    ///
    /// An error of the reader comes once, behind the pieces of what was read before it.
    ///
    /// The pieces depend on the bytes and the sizes asked for, not on how the reader hands them out.
    pub fn next_piece(&mut self, size_bytes: usize) -> io::Result<Option<Piece>> {
        let mut wanted = size_bytes.max(1);
        loop {
            self.fill(wanted);
            self.clean_lines();
            if self.ended {
                let end = self.clean.len();
                if end > 0 || !self.failures.is_empty() {
                    return Ok(Some(self.take(end)));
                }
                return self.fault.take().map_or(Ok(None), Err);
            }
            if let Some(boundary) = last_boundary_with(&self.clean, self.paragraphs)
                && boundary > 0
            {
                return Ok(Some(self.take(boundary)));
            }
            let line_too_long = self.raw.len() > self.limits.line;
            if !self.clean.is_empty() && (line_too_long || self.clean.len() > self.limits.block) {
                let end = self.clean.len();
                return Ok(Some(self.take(end)));
            }
            if line_too_long {
                self.drop_line()?;
                return Ok(Some(self.take(0)));
            }
            let held = self.clean.len() + self.raw.len();
            wanted = (held * 2).min(self.clean.len() + self.limits.line + 1);
        }
    }

    /// Reads until `wanted` bytes are held or the source ends.
    fn fill(&mut self, wanted: usize) {
        let missing = wanted.saturating_sub(self.clean.len() + self.raw.len());
        if missing > 0 && !self.ended {
            let before = self.raw.len();
            self.fault = self.reader.by_ref().take(missing as u64).read_to_end(&mut self.raw).err();
            self.ended = self.fault.is_some() || self.raw.len() - before < missing;
            if self.fault.is_some()
                && let Err(error) = std::str::from_utf8(&self.raw)
                && error.error_len().is_none()
            {
                // A character that the error cut is no odd byte.
                self.raw.truncate(error.valid_up_to());
            }
        }
    }

    /// Moves whole lines, at the end of the source all that is left, from `raw` to `clean`.
    fn clean_lines(&mut self) {
        let mut position = 0;
        while position < self.raw.len() {
            let (end, lines) = match line_break(&self.raw[position..], 0, self.ended) {
                Some(found) => (position + found.end, found.lines),
                None if self.ended => (self.raw.len(), 1),
                None => break,
            };
            self.clean_line(position..end);
            self.line += lines;
            position = end;
        }
        self.raw.drain(..position);
    }

    fn clean_line(&mut self, range: Range<usize>) {
        let line = &self.raw[range];
        if let Ok(text) = std::str::from_utf8(line) {
            self.clean.push_str(text);
            return;
        }
        match decode_line(line) {
            Ok(text) => {
                let start = self.clean.len();
                self.longer.extend(lengthenings(line).map(|(offset, by)| (start + offset, by)));
                self.clean.push_str(&text);
                let (_, lines) = self.decoded.get_or_insert((self.line, 0));
                *lines += 1;
            }
            Err(offset) => {
                self.failures.push((self.line, InputError::InvalidUtf8 { byte: offset + 1 }));
                let text = line.trim_ascii_end().len();
                self.clean.extend(std::iter::repeat_n(' ', text));
                self.clean.extend(line[text..].iter().map(|&byte| char::from(byte)));
            }
        }
    }

    /// Gives out the clean lines up to `end`.
    fn take(&mut self, end: usize) -> Piece {
        let rest = self.clean.split_off(end);
        let text = std::mem::replace(&mut self.clean, rest);
        let taken = self.longer.partition_point(|(offset, _)| *offset <= end);
        let mut by_then = 0;
        let ahead: Vec<(usize, u64)> = self
            .longer
            .drain(..taken)
            .map(|(offset, by)| {
                by_then += by as u64;
                (offset, by_then)
            })
            .collect();
        self.longer.iter_mut().for_each(|(offset, _)| *offset -= end);
        let start = self.start;
        self.start += end as u64 - by_then;
        Piece { text, start, ahead, failures: std::mem::take(&mut self.failures), decoded: self.decoded.take() }
    }

    /// Drops the line at hand together with what is still unread of it.
    fn drop_line(&mut self) -> io::Result<()> {
        let skipped = self.raw.len() as u64 + skip_line(&mut self.reader)?;
        self.failures.push((self.line, InputError::LineTooLong { limit_bytes: self.limits.line }));
        self.raw.clear();
        self.start += skipped;
        self.line += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{split, split_with};
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
    fn lines_that_cannot_be_decoded_become_blank_and_offsets_stay() {
        let source = b"one\n\nb\x81d\r\nthree\n\nfour";
        let pieces = pieces(source, 64, LIMITS);
        assert_eq!(pieces.len(), 1);
        assert_eq!(pieces[0].text, "one\n\n   \r\nthree\n\nfour");
        assert_eq!(pieces[0].failures.len(), 1);
        assert_eq!(pieces[0].failures[0].0, 3);
        assert!(matches!(pieces[0].failures[0].1, InputError::InvalidUtf8 { byte: 2 }));
    }

    #[test]
    fn an_error_of_the_reader_comes_behind_what_was_read() {
        struct Failing;
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("gone"))
            }
        }
        for size in [1, 8, 1000] {
            let reader = BufReader::new("One.\n\nTwo caf\u{e9}".as_bytes()[..14].chain(Failing));
            let mut pieces = TextPieces::with_limits(reader, Paragraphs::Auto, LIMITS);
            let mut text = String::new();
            let error = loop {
                match pieces.next_piece(size) {
                    Ok(piece) => text += &piece.unwrap().text,
                    Err(error) => break error,
                }
            };
            assert_eq!((&text[..], error.to_string()), ("One.\n\nTwo caf", "gone".to_owned()), "{size}");
            assert!(pieces.next_piece(size).unwrap().is_none() && pieces.is_at_end());
        }
    }

    #[test]
    fn a_carriage_return_alone_ends_what_is_lost() {
        let pieces = pieces(b"First.\r\rSecond caf\x81.\r\rThird.\r", 1000, LIMITS);
        assert_eq!(pieces[0].text, "First.\r\r            \r\rThird.\r");
        assert!(matches!(pieces[0].failures[..], [(3, InputError::InvalidUtf8 { byte: 11 })]));
    }

    #[test]
    fn lines_in_windows_1252_are_decoded_and_offsets_are_those_of_the_source() {
        let source = b"One.\n\n\x93Caf\xe9\x94, he said.\n\nThree \x96 more.\n\nFour.";
        for size in [1, 8, 30, 1000] {
            let mut parts = Vec::new();
            for piece in pieces(source, size, LIMITS) {
                assert!(piece.failures.is_empty());
                for paragraph in split(&piece.text) {
                    let place = |offset: usize| {
                        let ahead = piece.ahead.iter().rev().find(|(from, _)| *from <= offset).map_or(0, |(_, by)| *by);
                        (piece.start + offset as u64 - ahead) as usize
                    };
                    parts.push(source[place(paragraph.span.start)..place(paragraph.span.end)].to_vec());
                }
            }
            let expected: [&[u8]; 4] = [b"One.", b"\x93Caf\xe9\x94, he said.", b"Three \x96 more.", b"Four."];
            assert_eq!(parts, expected, "{size}");
        }
        assert_eq!(pieces(source, 1000, LIMITS)[0].decoded, Some((3, 2)));
    }

    #[test]
    fn lines_may_end_with_carriage_returns_alone() {
        let limits = Limits { block: 64, line: 40 };
        let source = "A line of words.\r".repeat(20) + "\r" + &"Another of them.\r".repeat(20);
        let pieces = pieces(source.as_bytes(), 16, limits);
        assert!(pieces.iter().all(|piece| piece.failures.is_empty()));
        assert_eq!(pieces.iter().map(|piece| piece.text.as_str()).collect::<String>(), source);
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
