//! Tables of fields with a delimiter between them, such as CSV: each row as a JSON object.

use super::error::InputError;
use super::feed::{More, Window};
use super::json_object::{JsonObject, quoted};
use super::lines::{LINE_LIMIT_BYTES, Next};
use super::records::{Content, Found, RecordReader};
use super::stray::decode_line;
use super::table_row::{Scan, TableRow, content};
use std::collections::{HashMap, HashSet};
use std::io;
use std::time::Duration;

/// Greatest length of the row of column names. Each record repeats the names, so that long ones would make a small table large.
pub(super) const HEADER_LIMIT_BYTES: usize = 64 * 1024;

/// Reads rows. The first one names the columns.
///
/// A row that is wrong is set aside. Where a quotation mark is open that none closes, the rows behind it are read from the line
/// after that mark on. Time is linear all the same: within an open quotation mark the next single one is where the row breaks
/// off, so a line that was looked at in vain opens none itself.
pub(super) struct CsvRecords {
    window: Window,
    limit_bytes: usize,
    row: TableRow,
    /// Names of the columns as JSON strings; empty before the first row.
    columns: Vec<Vec<u8>>,
    lines: LineCount,
    /// The rest of the line is left aside.
    leave_line: bool,
    /// Nothing more is read.
    over: bool,
    at_start: bool,
}

/// Counts lines. They end as those of [`Lines`](super::lines::Lines): at a line feed with the carriage returns before it, or at
/// each carriage return that none follows.
#[derive(Clone, Copy)]
struct LineCount {
    line: u64,
    /// Carriage returns just before.
    returns: u64,
}

impl LineCount {
    fn pass(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match byte {
                b'\r' => {
                    self.line += 1;
                    self.returns += 1;
                }
                b'\n' => {
                    self.line += 1 - self.returns.min(1);
                    self.line -= self.returns.saturating_sub(1);
                    self.returns = 0;
                }
                _ => self.returns = 0,
            }
        }
    }
}

impl CsvRecords {
    /// Reads a table whose byte order mark was skipped. A first line `sep=;`, as Excel writes and reads it, names another delimiter.
    pub fn new(window: Window, delimiter: u8) -> CsvRecords {
        CsvRecords {
            window,
            limit_bytes: LINE_LIMIT_BYTES,
            row: TableRow::new(delimiter),
            columns: Vec::new(),
            lines: LineCount { line: 1, returns: 0 },
            leave_line: false,
            over: false,
            at_start: true,
        }
    }

    /// Goes on by bytes that are at hand.
    fn consume(&mut self, length: usize) {
        self.lines.pass(&self.window.rest()[..length]);
        self.window.consume(length);
    }

    /// Goes on by the bytes that `unwanted` names; whether another one came before the bytes at hand ended.
    fn skip_while(&mut self, unwanted: impl Fn(u8) -> bool) -> bool {
        let length = self.window.rest().iter().take_while(|&&byte| unwanted(byte)).count();
        self.consume(length);
        !self.window.rest().is_empty()
    }

    /// A row that stands at hand as a whole; `None` for one that is no record.
    fn take_row(&mut self, length: usize) -> Option<Found> {
        let line = self.lines.line;
        let bytes = &self.window.rest()[..length];
        let at_start = std::mem::take(&mut self.at_start);
        if let (true, Some(delimiter)) = (at_start, named_delimiter(bytes)) {
            self.consume(length);
            self.row = TableRow::new(delimiter);
            return None;
        }
        let content = if self.columns.is_empty() {
            self.columns = columns(self.row.fields(bytes));
            None
        } else if self.row.len() == 1 && bytes.trim_ascii().is_empty() {
            None
        } else {
            Some(self.object(bytes).map(Content::Object))
        };
        self.consume(length);
        self.row.clear();
        content.map(|content| Found { line, record: None, content })
    }

    /// The row as an object. Fields that are missing at its end are absent, and empty ones without a column are no fields.
    fn object(&self, bytes: &[u8]) -> Result<Vec<u8>, InputError> {
        if let Some(zero) = bytes.iter().position(|&byte| byte == 0) {
            return Err(InputError::ZeroByte { byte: zero + 1 });
        }
        let expected = self.columns.len();
        if self.row.len() > expected {
            let empty = self.row.fields(bytes).rev().take(self.row.len() - expected);
            let got = self.row.len() - empty.take_while(|field| field.is_empty()).count();
            if got > expected {
                return Err(InputError::FieldCount { expected, got });
            }
        }
        let mut object = JsonObject::new();
        for (name, field) in self.columns.iter().zip(self.row.fields(bytes)) {
            object.push(name, &content(field));
        }
        Ok(object.finish())
    }

    /// Leaves a row that cannot be read: so many bytes of it and the rest of the line on which they end.
    fn leave(&mut self, length: usize, error: InputError) -> Found {
        let line = self.lines.line;
        self.consume(length);
        self.leave_line = true;
        self.at_start = false;
        self.row.clear();
        // Without the names of the columns no row says anything.
        self.over = self.columns.is_empty();
        Found { line, record: None, content: Err(error) }
    }

    /// Leaves a row whose quotation mark at `quote` none closes, up to the end of that mark's line, on which it is told.
    fn leave_quote(&mut self, quote: usize, error: InputError) -> Found {
        self.consume(quote);
        self.leave(0, error)
    }
}

impl RecordReader for CsvRecords {
    fn next(&mut self, patience: Option<Duration>) -> io::Result<Next<Found>> {
        loop {
            if self.over {
                return Ok(Next::End);
            }
            let is_break = |byte| matches!(byte, b'\n' | b'\r');
            if self.leave_line && self.skip_while(|byte| !is_break(byte)) {
                self.leave_line = false;
            }
            if !self.leave_line && (!self.row.is_new() || self.skip_while(is_break)) {
                let is_header = self.columns.is_empty();
                let limit_bytes = if is_header { HEADER_LIMIT_BYTES.min(self.limit_bytes) } else { self.limit_bytes };
                let too_long = match is_header {
                    true => InputError::HeaderTooLong { limit_bytes },
                    false => InputError::RecordTooLong { limit_bytes },
                };
                // No further than the limit, so that what becomes of a long row does not depend on how its bytes came.
                let rest = self.window.rest();
                let looked_at = rest.len().min(limit_bytes + 1);
                match self.row.scan(&rest[..looked_at], self.window.ended() && looked_at == rest.len()) {
                    Scan::Row { length } => match self.take_row(length) {
                        Some(found) => return Ok(Next::Item(found)),
                        None => continue,
                    },
                    Scan::OpenQuote { at } => return Ok(Next::Item(self.leave_quote(at, InputError::UnclosedQuote))),
                    Scan::Unfinished if looked_at > limit_bytes => {
                        return Ok(Next::Item(match self.row.open_quote() {
                            Some(quote) => self.leave_quote(quote, too_long),
                            None => self.leave(looked_at, too_long),
                        }));
                    }
                    Scan::Unfinished => {}
                }
            }
            if self.window.ended() {
                self.over = true;
            } else if self.window.fill(patience)? == More::Pause {
                return Ok(Next::Pause);
            }
        }
    }

    fn consumed(&self) -> u64 {
        self.window.consumed()
    }

    fn line(&self) -> u64 {
        self.lines.line
    }
}

/// The delimiter that a line `sep=;` names.
pub(super) fn named_delimiter(line: &[u8]) -> Option<u8> {
    match line {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter]
            if delimiter.is_ascii_punctuation() && *delimiter != b'"' || *delimiter == b'\t' =>
        {
            Some(*delimiter)
        }
        _ => None,
    }
}

/// Names of the columns as JSON strings, each another: `column_3` for the third if it has none, `text_2` for a second `text`.
fn columns<'a>(fields: impl Iterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    column_names(fields).iter().map(|name| quoted(name.as_bytes())).collect()
}

/// A name as it is written in the row of column names, without what is blank around it.
pub(super) fn written_name(field: &[u8]) -> String {
    let name = content(field);
    let name = decode_line(&name).unwrap_or_else(|_| String::from_utf8_lossy(&name).into_owned());
    name.trim().to_owned()
}

/// Names of the columns, each another.
pub(super) fn column_names<'a>(fields: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    let name = |(index, field): (usize, &[u8])| {
        let name = written_name(field);
        if name.is_empty() { format!("column_{}", index + 1) } else { name }
    };
    let names: Vec<String> = fields.enumerate().map(name).collect();
    let mut taken: HashSet<String> = names.iter().cloned().collect();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut unique = Vec::new();
    for name in &names {
        let number = seen.entry(name.as_str()).or_insert(0);
        *number += 1;
        let mut other = name.clone();
        while *number > 1 {
            other = format!("{name}_{number}");
            if taken.insert(other.clone()) {
                break;
            }
            *number += 1;
        }
        unique.push(other);
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::feed::{Feed, Pieces};
    use proptest::prelude::*;

    /// What comes of a table: each row's line with its object or its error; the same however the bytes come.
    fn read_with(table: &[u8], delimiter: u8, limit_bytes: usize) -> Vec<(u64, String)> {
        let read = |size: usize| {
            let mut window = Window::new(Feed::of(Pieces(table.chunks(size.max(1)).map(<[u8]>::to_vec).collect())));
            window.skip_mark().unwrap();
            let mut records = CsvRecords { limit_bytes, ..CsvRecords::new(window, delimiter) };
            let mut found = Vec::new();
            loop {
                match records.next(None).unwrap() {
                    Next::Item(Found { line, content: Ok(Content::Object(object)), .. }) => {
                        found.push((line, String::from_utf8_lossy(&object).into_owned()));
                    }
                    Next::Item(Found { line, content: Err(error), .. }) => found.push((line, error.to_string())),
                    Next::End => break,
                    other => panic!("{other:?}"),
                }
            }
            // Without a header the rest is not read.
            if !found.iter().any(|(line, _)| *line == 1) {
                assert_eq!(records.consumed(), table.len() as u64);
            }
            found
        };
        let whole = read(table.len());
        for size in 1..5 {
            assert_eq!(read(size), whole, "{}", String::from_utf8_lossy(table));
        }
        whole
    }

    fn read(table: &str) -> Vec<(u64, String)> {
        read_with(table.as_bytes(), b',', LINE_LIMIT_BYTES)
    }

    fn row(line: u64, what: &str) -> (u64, String) {
        (line, what.to_owned())
    }

    #[test]
    fn rows_are_objects_on_the_lines_where_they_begin() {
        let table = "\u{feff}id,text\r\n1,\"One, \"\"two\"\"\r\nthree\"\r\n\r\n2,Ü\n   \n3";
        let expected = [
            row(2, r#"{"id": "1", "text": "One, \"two\"\r\nthree"}"#),
            row(5, r#"{"id": "2", "text": "Ü"}"#),
            row(7, r#"{"id": "3"}"#),
        ];
        assert_eq!(read(table), expected);
        assert_eq!(read("a,b\r1,2\r\r3,4\r"), [row(2, r#"{"a": "1", "b": "2"}"#), row(4, r#"{"a": "3", "b": "4"}"#)]);
        assert_eq!(read_with(b"a\tb\n\t\xe9\n", b'\t', 99), [row(2, "{\"a\": \"\", \"b\": \"\u{fffd}\"}")]);
        assert_eq!(read("a,b\n"), []);
        assert_eq!(read(""), []);
    }

    #[test]
    fn columns_have_names_of_their_own() {
        let expected = r#"{"text": "1", "text_3": "2", "column_3": "3", "text_2": "4", "text_4": "5"}"#;
        assert_eq!(read("text, text ,,text_2,text\n1,2,3,4,5\n"), [row(2, expected)]);
    }

    #[test]
    fn a_first_line_may_name_the_delimiter() {
        let expected = [row(3, r#"{"a": "1,5", "b": "x"}"#)];
        for table in ["sep=;\na;b\n1,5;x\n", "SEP=|\r\na|b\r\n1,5|x\r\n"] {
            assert_eq!(read(table), expected, "{table}");
        }
        assert_eq!(read_with(b"sep=,\na,b\n1,x\n", b',', 99), [row(3, r#"{"a": "1", "b": "x"}"#)]);
    }

    #[test]
    fn more_fields_than_columns_are_told() {
        let expected = [row(2, "expected 2 fields, got 3"), row(3, r#"{"a": "1", "b": "2"}"#), row(4, r#"{"a": "1"}"#)];
        assert_eq!(read("a,b\n1,2,3\n1,2,,\n1\n"), expected);
        assert_eq!(read("a,b\n1,\0\n"), [row(2, "is not text: byte 3 of the line is zero")]);
    }

    #[test]
    fn an_open_quotation_mark_costs_its_line() {
        let error = InputError::UnclosedQuote.to_string();
        let good = |line| row(line, r#"{"a": "1", "b": "x"}"#);
        assert_eq!(read("a,b\n1,\"x\n1,x\n1,x\n"), [(2, error.clone()), good(3), good(4)]);
        assert_eq!(read("a,b\n1,\"x\n1,x\n1,\"x\"\n"), [(2, error.clone()), good(3), good(4)]);
        assert_eq!(read("a,b\n\"1\n2\",\"x\n1,x\n"), [(3, error.clone()), good(4)]);
        assert_eq!(read("a,b\n1,\"x"), [(2, error.clone())]);
        assert_eq!(read("a,\"b\n1,x\n"), [(1, error)]);
    }

    #[test]
    fn long_rows_are_left_out() {
        let short = row(4, r#"{"a": "1", "b": "x"}"#);
        let too_long = |line| (line, InputError::RecordTooLong { limit_bytes: 8 }.to_string());
        let read = |table: &str| read_with(table.as_bytes(), b',', 8);
        assert_eq!(read("a,b\n\n1,xxxxxxxxxx,\"y\"\n1,x\n"), [too_long(3), short.clone()]);
        assert_eq!(read("a,b\n1,\"\n\",\"xxxxxxxxxx\n1,x\n"), [too_long(3), short.clone()]);
        // Whether the quotation mark is ever closed is not known there.
        let second = row(3, r#"{"a": "xxxxx\"", "b": "y"}"#);
        assert_eq!(read("a,b\n1,\"\nxxxxx\",y\n1,x\n"), [too_long(2), second, short]);
        assert_eq!(read("a,b,c,d,e\n1\n"), [(1, InputError::HeaderTooLong { limit_bytes: 8 }.to_string())]);
    }

    /// The rows as csv-core reads them, without the first.
    fn reference(table: &[u8]) -> Vec<Vec<String>> {
        let (mut reader, mut rows, mut rest) = (csv_core::Reader::new(), Vec::new(), table);
        let (mut output, mut ends) = (vec![0; table.len() + 1], vec![0; table.len() + 1]);
        let (mut written, mut fields) = (0, 0);
        loop {
            let (result, read, bytes, ended) = reader.read_record(rest, &mut output[written..], &mut ends[fields..]);
            (rest, written, fields) = (&rest[read..], written + bytes, fields + ended);
            match result {
                csv_core::ReadRecordResult::Record => {
                    let starts = std::iter::once(0).chain(ends[..fields].iter().copied());
                    let spans = starts.zip(&ends[..fields]).map(|(start, end)| start..*end);
                    rows.push(spans.map(|span| String::from_utf8(output[span].to_vec()).unwrap()).collect());
                    (written, fields) = (0, 0);
                }
                csv_core::ReadRecordResult::End => return rows.split_off(1),
                _ => {}
            }
        }
    }

    proptest! {
        #[test]
        fn rows_are_those_of_csv_core(body in "([ab]|,|,|\"|\"|\n|\r|\"b\n,\"){0,24}") {
            let table = format!("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,0,1,2,3,4,5,6,7,8,9\n{body}");
            let rows: Vec<Result<serde_json::Value, _>> =
                read(&table).into_iter().map(|(_, row)| serde_json::from_str(&row)).collect();
            if rows.iter().all(Result::is_ok) {
                let rows: Vec<Vec<String>> = rows
                    .into_iter()
                    .map(|row| {
                        row.unwrap().as_object().unwrap().values().map(|value| value.as_str().unwrap().to_owned()).collect()
                    })
                    .collect();
                prop_assert_eq!(rows, reference(table.as_bytes()));
            }
        }
    }
}
