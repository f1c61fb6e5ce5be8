//! How a table is written, so that what comes of its rows can be written like it.

use super::chunk::{ReadOptions, format};
use super::csv_records::{HEADER_LIMIT_BYTES, column_names, named_delimiter, written_name};
use super::error::InputError;
use super::feed::{Feed, Window};
use super::sniff::{self, Head, InputFormat};
use super::sources::{Origin, Peeked, Source, Sources};
use super::table_row::{Scan, TableRow};
use crate::compress::Compression;
use std::path::Path;

/// How a table of fields is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableLayout {
    /// What stands between fields.
    pub delimiter: u8,
    /// The columns in their order.
    pub columns: Vec<TableColumn>,
    /// Whether every field stands in quotation marks, as those of the first row do.
    pub quoted: bool,
    /// What ends a row.
    pub line_end: &'static str,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableColumn {
    /// The name that its field has in a record.
    pub field: String,
    /// The name that stands in the table.
    pub written: String,
}

/// How the first source that is a file is written, where it is a table; its beginning is read once more for that.
pub(crate) fn table_layout(mut sources: Sources, options: ReadOptions) -> Option<TableLayout> {
    let source = sources.find_map(Result::ok).filter(|source| source.size_bytes.is_some())?;
    let Source { origin: Origin::File(path), .. } = &source else { return None };
    let feed = Feed::open(&source.origin, options.encoding).ok()?;
    layout_of(&mut Window::new(feed), Some(&Compression::inner_name(path)), options).ok().flatten()
}

/// How standard input is written, where it is a table, and standard input from its first byte on.
pub(crate) fn peek_standard_input(options: ReadOptions) -> (Option<TableLayout>, Sources) {
    let peeked = Feed::open(&Origin::StandardInput, options.encoding).map_err(InputError::Unreadable);
    let mut layout = None;
    let peeked = peeked.and_then(|feed| {
        let mut window = Window::new(feed);
        match layout_of(&mut window, None, options) {
            Ok(found) => layout = found,
            // What is wrong with it as a whole is found again by whoever reads it; what cannot be read is not.
            Err(error @ InputError::Unreadable(_)) => return Err(error),
            Err(_) => {}
        }
        Ok(window)
    });
    (layout, Sources::of_origin(Origin::Peeked(Peeked::new(peeked))))
}

/// The layout, where there is a table.
fn layout_of(
    window: &mut Window,
    path: Option<&Path>,
    options: ReadOptions,
) -> Result<Option<TableLayout>, InputError> {
    let format = format(window, path, options)?;
    if !matches!(format, InputFormat::Csv | InputFormat::Tsv) {
        return Ok(None);
    }
    let head = Head { bytes: window.rest(), ended: window.is_whole() };
    let Some(delimiter) = sniff::delimiter(head, format, options.format.is_some()) else { return Ok(None) };
    loop {
        match header(window.rest(), delimiter, window.is_whole()) {
            Header::Is(layout) => return Ok(Some(layout)),
            Header::None => return Ok(None),
            Header::Unfinished => window.look_further().map_err(InputError::Unreadable)?,
        }
    }
}

enum Header {
    Is(TableLayout),
    None,
    Unfinished,
}

/// The row of column names, as the reader of tables finds it.
fn header(bytes: &[u8], delimiter: u8, ended: bool) -> Header {
    let mut rest = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut delimiter = delimiter;
    let mut at_start = true;
    loop {
        let blank = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        rest = &rest[blank..];
        let mut row = TableRow::new(delimiter);
        let length = match row.scan(&rest[..rest.len().min(HEADER_LIMIT_BYTES + 1)], ended) {
            Scan::Row { length } => length,
            Scan::OpenQuote { .. } => return Header::None,
            Scan::Unfinished if ended || rest.len() > HEADER_LIMIT_BYTES => return Header::None,
            Scan::Unfinished => return Header::Unfinished,
        };
        if let (true, Some(named)) = (std::mem::take(&mut at_start), named_delimiter(&rest[..length])) {
            delimiter = named;
            rest = &rest[length..];
            continue;
        }
        let after = &rest[length..];
        if after == b"\r" && !ended {
            return Header::Unfinished;
        }
        let fields: Vec<&[u8]> = row.fields(&rest[..length]).collect();
        let quoted = fields.iter().all(|field| field.starts_with(b"\""));
        let names = column_names(fields.iter().copied());
        let written = fields.iter().map(|field| written_name(field));
        let columns = names.into_iter().zip(written).map(|(field, written)| TableColumn { field, written }).collect();
        let line_end = if after.starts_with(b"\r\n") { "\r\n" } else { "\n" };
        return Header::Is(TableLayout { delimiter, columns, quoted, line_end });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Unit;
    use crate::corpus::feed::Pieces;
    use crate::text::Paragraphs;

    fn layout(table: &str, format: Option<InputFormat>) -> Option<TableLayout> {
        let options = ReadOptions { format, unit: Unit::Record, paragraphs: Paragraphs::Auto, encoding: None };
        let of = |size: usize| {
            let pieces = Pieces(table.as_bytes().chunks(size).map(<[u8]>::to_vec).collect());
            layout_of(&mut Window::new(Feed::of(pieces)), None, options).unwrap()
        };
        let whole = of(table.len().max(1));
        assert_eq!(of(3), whole);
        whole
    }

    #[test]
    fn the_first_row_tells_how_a_table_is_written() {
        let of = layout("\u{feff}\"id\";\"text\"\r\n\"1\";\"Hello\"\r\n\"2\";\"Bye\"\r\n", None).unwrap();
        assert_eq!((of.delimiter, of.quoted, of.line_end), (b';', true, "\r\n"));
        let of = layout("sep=|\nid|text|text|\n1|a|b|c\n", Some(InputFormat::Csv)).unwrap();
        let names: Vec<(&str, &str)> =
            of.columns.iter().map(|column| (column.field.as_str(), column.written.as_str())).collect();
        assert_eq!(names, [("id", "id"), ("text", "text"), ("text_2", "text"), ("column_4", "")]);
        assert_eq!((of.delimiter, of.quoted, of.line_end), (b'|', false, "\n"));
    }

    #[test]
    fn what_is_no_table_has_no_layout() {
        assert_eq!(layout("{\"text\": \"a\"}\n", None), None);
        assert_eq!(layout("A line.\n", None), None);
        assert_eq!(layout("\"never closed\n", Some(InputFormat::Csv)), None);
    }
}
