//! Where the parts of SQL statements end, however a dump comes: strings, quoted names and comments are passed over.

/// What the bytes that are passed are in the middle of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Inside {
    #[default]
    Plain,
    /// A string or a quoted name; its quotation mark.
    Quote(u8),
    /// Behind a backslash in a string.
    Escape(u8),
    /// A comment up to the end of its line.
    Line,
    Block,
}

/// Passes over SQL, byte by byte.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SqlScan {
    inside: Inside,
    /// The byte before, outside of strings and comments, or within a block of comment; and the one before that.
    last: [u8; 2],
}

impl SqlScan {
    /// Offset of the first of `bytes` that is a bracket or a semicolon outside of strings, names and comments; behind it the
    /// next call goes on. `None` where there is none: then all were passed.
    pub fn find(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match self.inside {
                Inside::Plain => {
                    match (byte, self.last) {
                        (b'\'' | b'"' | b'`', _) => self.inside = Inside::Quote(byte),
                        (b'#', _) => self.inside = Inside::Line,
                        (b' ' | b'\t' | b'\n' | b'\r', [b'-', b'-']) => {
                            self.inside = if byte == b'\n' { Inside::Plain } else { Inside::Line };
                        }
                        (b'*', [_, b'/']) => self.inside = Inside::Block,
                        _ => {}
                    }
                    self.last = if self.inside == Inside::Plain { [self.last[1], byte] } else { [0, 0] };
                    if matches!(byte, b'(' | b')' | b';') && self.inside == Inside::Plain {
                        return Some(at);
                    }
                }
                Inside::Quote(quote) => {
                    let end = memchr::memchr2(quote, b'\\', &bytes[at..])?;
                    at += end;
                    // A name has no escapes.
                    self.inside = match bytes[at] {
                        b'\\' if quote == b'`' => Inside::Quote(quote),
                        b'\\' => Inside::Escape(quote),
                        _ => Inside::Plain,
                    };
                }
                Inside::Escape(quote) => self.inside = Inside::Quote(quote),
                Inside::Line => {
                    at += memchr::memchr(b'\n', &bytes[at..])?;
                    self.inside = Inside::Plain;
                }
                Inside::Block => {
                    if byte == b'/' && self.last[1] == b'*' {
                        self.inside = Inside::Plain;
                        self.last = [0, 0];
                    } else {
                        self.last = [0, byte];
                    }
                }
            }
            at += 1;
        }
        None
    }

    /// Whether a string or a name is open.
    pub fn is_quoted(&self) -> bool {
        matches!(self.inside, Inside::Quote(_) | Inside::Escape(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_in_strings_names_and_comments_are_passed_over() {
        let text = "a 'it''s ( \\' \\\\' `x(\\` \"(\\\"\" -- it's (\n # don't (\n /* ' ( */ /*! ; */ 1-2 ( \
                    --no;'('--\n)/*/ ( */;";
        let found = |size: usize| {
            let (mut scan, mut found, mut passed) = (SqlScan::default(), Vec::new(), 0);
            for piece in text.as_bytes().chunks(size) {
                let mut at = 0;
                while let Some(length) = scan.find(&piece[at..]) {
                    at += length + 1;
                    found.push(passed + at - 1);
                }
                passed += piece.len();
            }
            found
        };
        let whole = found(text.len());
        let signs: Vec<char> = whole.iter().map(|at| char::from(text.as_bytes()[*at])).collect();
        assert_eq!(signs, ['(', ';', ')', ';']);
        for size in 1..9 {
            assert_eq!(found(size), whole, "{size}");
        }
    }

    #[test]
    fn an_open_string_is_told() {
        let mut scan = SqlScan::default();
        assert_eq!(scan.find(b"VALUES 'it\\'s "), None);
        assert!(scan.is_quoted());
        assert_eq!(scan.find(b"'"), None);
        assert!(!scan.is_quoted());
    }
}
