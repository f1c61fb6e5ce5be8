//! Formats that are recognisably neither text nor JSON, and what to type instead.

use std::fmt;
use std::ops::Range;
use std::path::Path;

/// A format that is not read, with the command that makes text or JSON Lines of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForeignFormat {
    /// What a source of the format is, after "is".
    pub name: &'static str,
    /// What to type; `FILE` stands for the source's name.
    pub command: &'static str,
}

const fn format(name: &'static str, command: &'static str) -> ForeignFormat {
    ForeignFormat { name, command }
}

impl ForeignFormat {
    pub(super) const SUBTITLES: ForeignFormat = format("subtitles", SUBTITLE_COMMAND);
    pub(super) const HTML: ForeignFormat = format("HTML, a page without records", "copydesk label FILE");
    pub(super) const XML: ForeignFormat = format("XML", XML_COMMAND);
    pub(super) const SQLITE: ForeignFormat = format("an SQLite database", SQLITE_COMMAND);
    pub(super) const TAR: ForeignFormat = format("a tar archive", "tar -xOf FILE | copydesk …");
    pub(super) const PARQUET: ForeignFormat = format("a Parquet table", COLUMNAR_COMMAND);
    pub(super) const ARROW_FILE: ForeignFormat = format("an Arrow table", COLUMNAR_COMMAND);
    pub(super) const ARROW_STREAM: ForeignFormat = format("an Arrow stream", COLUMNAR_COMMAND);

    /// The message for one source; its name takes the place of `FILE`.
    pub(crate) fn advice_for(&self, source: &str) -> String {
        let name = if source == "-" { "FILE".to_owned() } else { quoted(source) };
        format!("{self}").replace("FILE", &name)
    }

    /// The format that an extension promises, whatever the content; `None` where the content decides.
    pub(crate) fn from_extension(path: &Path) -> Option<ForeignFormat> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match extension.as_str() {
            "html" | "htm" | "xhtml" => ForeignFormat::HTML,
            "xml" | "rss" | "atom" | "wxr" => ForeignFormat::XML,
            "srt" | "vtt" => ForeignFormat::SUBTITLES,
            "ics" => CALENDAR,
            "tar" => ForeignFormat::TAR,
            _ => return None,
        })
    }

    /// Whether bytes among which are zeros are those of a tar archive, whose mark stands in its first header; `None` where
    /// more bytes are needed to know.
    pub(super) fn tar(head: &[u8], ended: bool) -> Option<Option<ForeignFormat>> {
        match head.get(TAR_MARK) {
            Some(mark) => Some((mark == b"ustar").then_some(ForeignFormat::TAR)),
            None => ended.then_some(None),
        }
    }

    /// The format that the first bytes tell: `Some(None)` for none of them, `None` where more bytes are needed to know.
    pub(super) fn from_magic(head: &[u8], ended: bool) -> Option<Option<ForeignFormat>> {
        for (magic, found) in MAGIC {
            if head.starts_with(magic) {
                return match *found {
                    Some(found) => Some(Some(found)),
                    None if ended || head.len() >= ARCHIVE_BYTES => Some(Some(archive(head))),
                    None => None,
                };
            }
        }
        let may_become = |magic: &[u8]| !ended && head.len() < magic.len() && magic.starts_with(head);
        if MAGIC.iter().any(|(magic, _)| may_become(magic)) { None } else { Some(None) }
    }
}

impl fmt::Display for ForeignFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "is {}, which is not read; try: {}", self.name, self.command)
    }
}

const SUBTITLE_COMMAND: &str = "grep -v -e '-->' -e '^[0-9]*.\\?$' -e '^WEBVTT' FILE | copydesk … --input-format text";
const XML_COMMAND: &str = "python3 -c 'import sys,xml.etree.ElementTree as x; print(\"\\n\\n\".join(x.parse(sys.stdin).getroot().itertext()))' \
     < FILE | copydesk … --input-format text";
const COLUMNAR_COMMAND: &str = "cargo install --path . --features columnar (this build lacks the feature columnar)";
const FEATHER_COMMAND: &str = "python3 -c 'import pandas,sys; pandas.read_feather(sys.argv[1]).to_json(\"/dev/stdout\", orient=\"records\", \
     lines=True)' FILE | copydesk …";
const SQLITE_COMMAND: &str = "sqlite3 -json FILE 'SELECT * FROM comments' | copydesk …, or, for a database of Isso's, cargo install --path . \
     --features sqlite (this build lacks the feature sqlite)";
const WORDS_COMMAND: &str = "pandoc -t plain --wrap=none FILE | copydesk …";
const SHEET_COMMAND: &str = "python3 -c 'import pandas,sys; pandas.read_excel(sys.argv[1]).to_json(\"/dev/stdout\", orient=\"records\", \
     lines=True)' FILE | copydesk …";
const CALENDAR: ForeignFormat = format("a calendar (iCalendar)", NO_TEXT);
const SQL: ForeignFormat =
    format("a PostgreSQL dump", "psql -c 'COPY (SELECT * FROM TABLE) TO STDOUT CSV HEADER' DATABASE | copydesk …");
const NO_TEXT: &str = "a file that holds text";

/// Bytes of an archive in which the names of its first members stand.
const ARCHIVE_BYTES: usize = 4096;

/// Where the header of a tar archive has its mark.
const TAR_MARK: Range<usize> = 257..262;

/// First bytes of formats. `None` for a ZIP archive, whose members tell what it is.
const MAGIC: &[(&[u8], Option<ForeignFormat>)] = &[
    (b"\x04\x22\x4d\x18", Some(format("compressed with lz4", "lz4 -dc FILE | copydesk …"))),
    (b"\x1f\x9d", Some(format("compressed with compress", "gzip -dc FILE | copydesk …"))),
    (b"7z\xbc\xaf\x27\x1c", Some(format("a 7-Zip archive", "7z x -so FILE | copydesk …"))),
    (b"Rar!\x1a\x07", Some(format("a RAR archive", "unrar p -inul FILE | copydesk …"))),
    (b"PK\x03\x04", None),
    (b"PK\x05\x06", Some(format("an empty ZIP archive", NO_TEXT))),
    (b"%PDF-", Some(format("a PDF document", "pdftotext FILE - | copydesk …"))),
    (b"%!PS", Some(format("PostScript", "ps2ascii FILE | copydesk …"))),
    (b"{\\rtf", Some(format("a Rich Text document", WORDS_COMMAND))),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Some(format("an old Office document", "catdoc FILE | copydesk …"))),
    (b"PAR1", Some(ForeignFormat::PARQUET)),
    (b"ARROW1", Some(ForeignFormat::ARROW_FILE)),
    (b"\xff\xff\xff\xff", Some(ForeignFormat::ARROW_STREAM)),
    (b"FEA1", Some(format("a Feather table of version 1", FEATHER_COMMAND))),
    (b"Obj\x01", Some(format("an Avro file", "avro-tools tojson FILE | copydesk …"))),
    (b"SQLite format 3\0", Some(ForeignFormat::SQLITE)),
    (b"WEBVTT\n", Some(ForeignFormat::SUBTITLES)),
    (b"WEBVTT\r", Some(ForeignFormat::SUBTITLES)),
    (b"BEGIN:VCALENDAR", Some(CALENDAR)),
    (b"--\n-- PostgreSQL database", Some(SQL)),
    (b"\x89PNG\r\n\x1a\n", Some(format("a PNG image", NO_TEXT))),
    (b"\xff\xd8\xff", Some(format("a JPEG image", NO_TEXT))),
    (b"GIF87a", Some(format("a GIF image", NO_TEXT))),
    (b"GIF89a", Some(format("a GIF image", NO_TEXT))),
    (b"II*\0", Some(format("a TIFF image", NO_TEXT))),
    (b"MM\0*", Some(format("a TIFF image", NO_TEXT))),
    (b"OggS\0", Some(format("an Ogg recording", NO_TEXT))),
    (b"ID3\x03", Some(format("an MP3 recording", NO_TEXT))),
    (b"ID3\x04", Some(format("an MP3 recording", NO_TEXT))),
    (b"fLaC\0", Some(format("a FLAC recording", NO_TEXT))),
    (b"\x1a\x45\xdf\xa3", Some(format("a Matroska film", NO_TEXT))),
    (b"\x7fELF", Some(format("a program", NO_TEXT))),
    (b"\0asm", Some(format("a program", NO_TEXT))),
    (b"\x93NUMPY", Some(format("a NumPy array", NO_TEXT))),
    (b"\x89HDF\r\n\x1a\n", Some(format("an HDF5 file", NO_TEXT))),
    (b"\x80\x04\x95", Some(format("a Python pickle", NO_TEXT))),
    (b"\x80\x05\x95", Some(format("a Python pickle", NO_TEXT))),
    (b"\xff\xfe\0\0", Some(format("UTF-32", "iconv -f UTF-32 -t UTF-8 FILE | copydesk …"))),
    (b"\0\0\xfe\xff", Some(format("UTF-32", "iconv -f UTF-32 -t UTF-8 FILE | copydesk …"))),
];

/// What a ZIP archive is, by its first members' names.
fn archive(head: &[u8]) -> ForeignFormat {
    let holds = |name: &[u8]| head.windows(name.len()).any(|window| window == name);
    if holds(b"mimetypeapplication/epub+zip") {
        format("an EPUB book", WORDS_COMMAND)
    } else if holds(b"application/vnd.oasis.opendocument.text") {
        format("an OpenDocument text", WORDS_COMMAND)
    } else if holds(b"application/vnd.oasis.opendocument.spreadsheet") {
        format("an OpenDocument spreadsheet", SHEET_COMMAND)
    } else if holds(b"word/") {
        format("a Word document (docx)", WORDS_COMMAND)
    } else if holds(b"xl/") {
        format("an Excel workbook (xlsx)", SHEET_COMMAND)
    } else if holds(b"ppt/") {
        format("a PowerPoint document (pptx)", NO_TEXT)
    } else if holds(b"[Content_Types].xml") {
        format("an Office document", WORDS_COMMAND)
    } else {
        format("a ZIP archive", "unzip -p FILE | copydesk …")
    }
}

/// A name as a shell reads it back.
fn quoted(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-+:@%".contains(&byte);
    if name.bytes().all(plain) { name.to_owned() } else { format!("'{}'", name.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_the_format_whatever_comes_when() {
        for (magic, found) in MAGIC {
            for length in 0..magic.len() {
                assert_eq!(ForeignFormat::from_magic(&magic[..length], false), None, "{magic:?}");
            }
            if found.is_some() {
                assert_eq!(ForeignFormat::from_magic(magic, false), Some(*found));
            }
        }
        assert_eq!(ForeignFormat::from_magic(b"hi", false), Some(None));
        assert_eq!(ForeignFormat::from_magic(b"P", true), Some(None));
        let word = b"PK\x03\x04\x14\0\0\0\x08\0word/document.xml";
        assert!(ForeignFormat::from_magic(word, true).unwrap().unwrap().name.contains("docx"));
    }

    #[test]
    fn the_next_command_names_the_file() {
        let lz4 = ForeignFormat::from_magic(b"\x04\x22\x4d\x18", true).unwrap().unwrap();
        assert_eq!(
            lz4.advice_for("my file's.lz4"),
            "is compressed with lz4, which is not read; try: lz4 -dc 'my file'\\''s.lz4' | copydesk …"
        );
        assert!(lz4.advice_for("-").contains("lz4 -dc FILE"));
    }
}
