//! One row of a table: where it ends, and where its fields do.

/// Follows a row as its bytes come, each of them once.
///
/// Quotation marks count at the beginning of a field only; two of them inside stand for one. What follows the closing one up to
/// the delimiter belongs to the field, as other readers have it, but not where the field goes over several lines: then the
/// quotation mark at its beginning was none, and what looks like the closing one begins another field.
///
/// Ours, because parsers of CSV do not tell whether a quotation mark is open, nor what follows a closing one. A stray one
/// would swallow row after row in silence.
pub(super) struct TableRow {
    pub delimiter: u8,
    state: State,
    /// Bytes that were looked at.
    position: usize,
    /// Where the fields end, in 4 bytes each, for a hostile row has nothing but delimiters.
    ends: Vec<u32>,
    /// Where the last field in quotation marks begins.
    quote: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    FieldStart,
    /// In a field, or behind a closing quotation mark, where others are as good as letters.
    Plain,
    Quoted {
        lines: bool,
    },
    /// Behind a quotation mark inside of a field that began with one.
    MaybeClosed {
        lines: bool,
    },
}

/// What is known of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scan {
    /// It ends here, before a line break or at the end of the source.
    Row { length: usize },
    /// The field that begins with the quotation mark at this offset does not end with one.
    OpenQuote { at: usize },
    /// More bytes are needed.
    Unfinished,
}

impl TableRow {
    pub fn new(delimiter: u8) -> TableRow {
        TableRow { delimiter, state: State::FieldStart, position: 0, ends: Vec::new(), quote: 0 }
    }

    /// Forgets the row.
    pub fn clear(&mut self) {
        *self = TableRow { ends: std::mem::take(&mut self.ends), ..TableRow::new(self.delimiter) };
        self.ends.clear();
    }

    /// Whether nothing was looked at.
    pub fn is_new(&self) -> bool {
        self.position == 0
    }

    /// Where the quotation mark stands that is open.
    pub fn open_quote(&self) -> Option<usize> {
        matches!(self.state, State::Quoted { .. }).then_some(self.quote)
    }

    /// Goes on. `bytes` begin where the row does; `ended` is whether no more of them will come.
    pub fn scan(&mut self, bytes: &[u8], ended: bool) -> Scan {
        while let Some(&byte) = bytes.get(self.position) {
            match self.state {
                State::Quoted { lines } => {
                    let rest = &bytes[self.position..];
                    let inside = rest.iter().position(|&byte| byte == b'"').unwrap_or(rest.len());
                    let lines = lines || rest[..inside].iter().any(|byte| matches!(byte, b'\n' | b'\r'));
                    self.position += inside;
                    self.state = State::Quoted { lines };
                    if inside < rest.len() {
                        self.position += 1;
                        self.state = State::MaybeClosed { lines };
                    }
                    continue;
                }
                State::MaybeClosed { lines } if byte == b'"' => self.state = State::Quoted { lines },
                State::FieldStart if byte == b'"' => {
                    self.quote = self.position;
                    self.state = State::Quoted { lines: false };
                }
                _ if byte == b'\n' || byte == b'\r' => return self.end(),
                _ if byte == self.delimiter => {
                    self.ends.push(self.position as u32);
                    self.state = State::FieldStart;
                }
                State::MaybeClosed { lines: true } => return Scan::OpenQuote { at: self.quote },
                _ => {
                    self.state = State::Plain;
                    let delimiter = self.delimiter;
                    let goes_on = |byte: &&u8| **byte != delimiter && !matches!(byte, b'\n' | b'\r');
                    self.position += bytes[self.position..].iter().take_while(goes_on).count();
                    continue;
                }
            }
            self.position += 1;
        }
        match self.state {
            State::Quoted { .. } if ended => Scan::OpenQuote { at: self.quote },
            _ if ended && !bytes.is_empty() => self.end(),
            _ => Scan::Unfinished,
        }
    }

    fn end(&mut self) -> Scan {
        self.ends.push(self.position as u32);
        Scan::Row { length: self.position }
    }

    /// How many fields the row has.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The fields as they are written, with their quotation marks. `bytes` are those of the row.
    pub fn fields<'a>(&'a self, bytes: &'a [u8]) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        (0..self.ends.len()).map(move |field| {
            let start = field.checked_sub(1).map_or(0, |before| self.ends[before] as usize + 1);
            &bytes[start..self.ends[field] as usize]
        })
    }
}

/// A field without the quotation marks around it.
pub(super) fn content(field: &[u8]) -> Vec<u8> {
    let Some(mut rest) = field.strip_prefix(b"\"") else { return field.to_vec() };
    let mut content = Vec::with_capacity(rest.len());
    while let Some(at) = rest.iter().position(|&byte| byte == b'"') {
        content.extend(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.strip_prefix(b"\"") {
            Some(after) => {
                content.push(b'"');
                rest = after;
            }
            None => break,
        }
    }
    content.extend(rest);
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields of the first row; the same however the bytes come.
    fn row(bytes: &[u8]) -> Result<Vec<String>, usize> {
        let read = |size: usize| {
            let mut row = TableRow::new(b',');
            for end in (0..bytes.len()).step_by(size).chain([bytes.len()]) {
                match row.scan(&bytes[..end], end == bytes.len()) {
                    Scan::Row { length } => {
                        let fields = row.fields(&bytes[..length]).map(content);
                        return Ok(fields.map(|field| String::from_utf8(field).unwrap()).collect());
                    }
                    Scan::OpenQuote { at } => return Err(at),
                    Scan::Unfinished => {}
                }
            }
            panic!("{} has no end", String::from_utf8_lossy(bytes))
        };
        let whole = read(bytes.len());
        for size in 1..4 {
            assert_eq!(read(size), whole, "{}", String::from_utf8_lossy(bytes));
        }
        whole
    }

    #[test]
    fn fields_are_parted_and_unquoted() {
        for (bytes, fields) in [
            ("a,b c,d\ne", &["a", "b c", "d"][..]),
            ("a,,\r\n", &["a", "", ""]),
            ("\"a, b\",\"c\nd\",\"\"", &["a, b", "c\nd", ""]),
            ("\"He said \"\"no\"\".\",\"\"\"\"\n", &["He said \"no\".", "\""]),
            ("5\" wide, \"x\"\n", &["5\" wide", " \"x\""]),
            ("\"a\" b,c\n", &["a b", "c"]),
        ] {
            assert_eq!(row(bytes.as_bytes()).unwrap(), fields, "{bytes}");
        }
    }

    #[test]
    fn a_quotation_mark_that_none_closes_is_told() {
        assert_eq!(row(b"a,\"b\nc,d\n"), Err(2));
        assert_eq!(row(b"a,\"b\nc,\"d\"\n"), Err(2));
        assert_eq!(row(b"\"a\",\"b\nc,\"\"d\n"), Err(4));
    }
}
