//! Lines of a source, each of bounded length.

use std::io::{self, BufRead, Read};

/// Greatest length of a line, 16 MiB; longer ones are set aside.
///
/// A record is held in memory as a whole, once as its bytes and several times as much as tokens.
pub const LINE_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// One line, or what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RawLine {
    /// The bytes without the line feed.
    Bytes(Vec<u8>),
    /// More than the limit; the rest of the line was skipped.
    TooLong {
        /// Bytes in the whole line.
        length_bytes: u64,
    },
}

/// The next line, or `None` at the end.
pub(super) fn next_line(reader: &mut impl BufRead, limit_bytes: usize) -> io::Result<Option<RawLine>> {
    let mut line = Vec::new();
    reader.by_ref().take(limit_bytes as u64 + 1).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() > limit_bytes {
        let length_bytes = line.len() as u64 + skip_line(reader)?;
        return Ok(Some(RawLine::TooLong { length_bytes }));
    }
    Ok(Some(RawLine::Bytes(line)))
}

/// Skips to behind the next line feed and gives the number of bytes skipped.
pub(super) fn skip_line(reader: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = match reader.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let end = buffer.iter().position(|&byte| byte == b'\n');
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
    use std::io::BufReader;

    #[test]
    fn long_lines_are_skipped_whole() {
        let mut reader = BufReader::with_capacity(3, "ab\n\nabcde\nabcdef\nabcdefg".as_bytes());
        let mut lines = Vec::new();
        while let Some(line) = next_line(&mut reader, 5).unwrap() {
            lines.push(line);
        }
        let bytes = |line: &str| RawLine::Bytes(line.as_bytes().to_vec());
        assert_eq!(
            lines,
            [
                bytes("ab"),
                bytes(""),
                bytes("abcde"),
                RawLine::TooLong { length_bytes: 7 },
                RawLine::TooLong { length_bytes: 7 }
            ]
        );
    }
}
