//! The header of a record of a web archive.

use super::archive_error::ArchiveError;
use memchr::{memchr, memchr_iter, memmem};

/// What is read of a record's header. Values stand as they are, without the blanks around them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    /// The first line.
    pub version: String,
    pub kind: Option<String>,
    pub length: Option<String>,
    pub id: Option<String>,
    pub url: Option<String>,
    pub date: Option<String>,
    pub content_type: Option<String>,
    pub languages: Option<String>,
    /// Media type that the crawler saw in the body.
    pub payload_type: Option<String>,
    /// Whether the crawler stored only a part.
    pub truncated: bool,
}

impl Header {
    /// Reads a header, from its first line to its blank line. A line without a colon says nothing; of two fields of one name the
    /// first counts.
    pub fn parse(bytes: &[u8]) -> Header {
        let mut header = Header::default();
        let mut truncated = None;
        let end = memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1);
        header.version = text(&bytes[..end]);
        for_each_field(&bytes[end..], &mut |name, value| {
            let field = match name.len() {
                9 if name.eq_ignore_ascii_case(b"WARC-Type") => &mut header.kind,
                9 if name.eq_ignore_ascii_case(b"WARC-Date") => &mut header.date,
                12 if name.eq_ignore_ascii_case(b"Content-Type") => &mut header.content_type,
                14 if name.eq_ignore_ascii_case(b"WARC-Record-ID") => &mut header.id,
                14 if name.eq_ignore_ascii_case(b"WARC-Truncated") => &mut truncated,
                14 if name.eq_ignore_ascii_case(b"Content-Length") => &mut header.length,
                15 if name.eq_ignore_ascii_case(b"WARC-Target-URI") => &mut header.url,
                28 if name.eq_ignore_ascii_case(b"WARC-Identified-Payload-Type") => &mut header.payload_type,
                32 if name.eq_ignore_ascii_case(b"WARC-Identified-Content-Language") => &mut header.languages,
                _ => return,
            };
            if field.is_none() {
                *field = Some(value);
            }
        });
        header.truncated = truncated.is_some();
        // Some writers put the brackets of ids around addresses too.
        header.url = header.url.map(|url| bare(&url).to_owned());
        header.id = header.id.map(|id| {
            let id = bare(&id);
            id.strip_prefix("urn:uuid:").unwrap_or(id).to_owned()
        });
        header
    }

    /// Whether the record is of a version that is read.
    pub fn check_version(&self) -> Result<(), ArchiveError> {
        match self.version.as_str() {
            "WARC/0.17" | "WARC/0.18" | "WARC/1.0" | "WARC/1.1" => Ok(()),
            version => Err(ArchiveError::UnknownVersion { got: beginning(version.as_bytes()) }),
        }
    }

    /// Bytes of the record's content.
    pub fn content_length(&self) -> Result<u64, ArchiveError> {
        let Some(length) = &self.length else {
            return Err(ArchiveError::MissingHeaderField { field: "Content-Length" });
        };
        let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        match length.parse() {
            Ok(length) if digits => Ok(length),
            _ => Err(ArchiveError::LengthNotNumber { got: beginning(length.as_bytes()) }),
        }
    }
}

/// Hands on name and value of each field of a header. Lines that begin with a blank go on with the field before.
pub(super) fn for_each_field(bytes: &[u8], take: &mut dyn FnMut(&[u8], String)) {
    let mut open: Option<(&[u8], String)> = None;
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let (line, after) = rest.split_at(end);
        rest = after;
        if line.trim_ascii().is_empty() {
            continue;
        }
        if matches!(line[0], b' ' | b'\t') {
            if let Some((_, value)) = &mut open {
                value.push(' ');
                value.push_str(&text(line));
            }
            continue;
        }
        if let Some((name, value)) = open.take() {
            take(name, value);
        }
        open = memchr(b':', line).map(|colon| (line[..colon].trim_ascii(), text(&line[colon + 1..])));
    }
    if let Some((name, value)) = open {
        take(name, value);
    }
}

/// Length of a header with its blank line, searched from `from` on; `None` where no blank line is at hand.
pub(super) fn header_end(bytes: &[u8], from: usize) -> Option<usize> {
    memchr_iter(b'\n', bytes.get(from..)?).find_map(|at| match bytes[from + at + 1..] {
        [b'\n', ..] => Some(from + at + 2),
        [b'\r', b'\n', ..] => Some(from + at + 3),
        _ => None,
    })
}

/// Where a line that begins a record stands, from `from` on. A line is looked for behind a line feed, and at the very beginning.
pub(super) fn record_start(bytes: &[u8], from: usize) -> Option<usize> {
    if from == 0 && begins_record(bytes) {
        return Some(0);
    }
    let finder = memmem::find_iter(bytes.get(from..)?, b"\nWARC/");
    finder.map(|at| from + at + 1).find(|&at| begins_record(&bytes[at..]))
}

/// Bytes at the end of what was searched that may begin what [`record_start`] looks for.
pub(super) const MARK_BYTES: usize = b"\nWARC/1.0".len();

/// Whether bytes begin with the first line of a record, so far as its version.
pub(super) fn begins_record(bytes: &[u8]) -> bool {
    matches!(bytes, [b'W', b'A', b'R', b'C', b'/', major, b'.', minor, ..] if major.is_ascii_digit() && minor.is_ascii_digit())
}

/// The beginning of what stands in a wrong place, short enough for a message.
pub(super) fn beginning(bytes: &[u8]) -> String {
    const SHOWN_BYTES: usize = 40;
    let shown = &bytes[..bytes.len().min(SHOWN_BYTES)];
    shown.utf8_chunks().flat_map(|chunk| chunk.valid().chars()).filter(|c| !c.is_control()).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.trim_ascii()).into_owned()
}

fn bare(value: &str) -> &str {
    value.strip_prefix('<').and_then(|value| value.strip_suffix('>')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_whatever_their_case() {
        let header = Header::parse(
            b"WARC/1.1\r\nwarc-type: response\r\nWARC-Target-URI: <http://a.example/x>\r\nno colon\r\n\
            WARC-Record-ID:<urn:uuid:1-2>\r\nContent-Type: application/http;\r\n\tmsgtype=response\r\n\
            CONTENT-LENGTH:  7 \r\nContent-Length: 9\r\nWARC-Truncated: length\r\n\r\n",
        );
        let field = |text: &str| Some(text.to_owned());
        let expected = Header {
            version: "WARC/1.1".to_owned(),
            kind: field("response"),
            length: field("7"),
            id: field("1-2"),
            url: field("http://a.example/x"),
            content_type: field("application/http; msgtype=response"),
            truncated: true,
            ..Header::default()
        };
        assert_eq!(header, expected);
        assert_eq!(header.content_length().unwrap(), 7);
    }

    #[test]
    fn lengths_are_plain_numbers() {
        let length =
            |value: &str| Header::parse(format!("WARC/1.0\nContent-Length: {value}\n\n").as_bytes()).content_length();
        assert_eq!(length("0").unwrap(), 0);
        for bad in ["", "+5", "-5", "5 bytes", "99999999999999999999999"] {
            assert!(matches!(length(bad), Err(ArchiveError::LengthNotNumber { .. })), "{bad}");
        }
        assert!(matches!(
            Header::parse(b"WARC/1.0\n\n").content_length(),
            Err(ArchiveError::MissingHeaderField { .. })
        ));
    }

    #[test]
    fn headers_end_at_a_blank_line() {
        assert_eq!(header_end(b"a\r\nb\r\n\r\nc", 0), Some(8));
        assert_eq!(header_end(b"a\nb\n\nc", 2), Some(5));
        assert_eq!(header_end(b"a\r\n\r", 0), None);
    }

    #[test]
    fn records_begin_with_a_version_on_a_line_of_its_own() {
        assert_eq!(record_start(b"WARC/1.0\r\n", 0), Some(0));
        assert_eq!(record_start(b"see WARC/1.0\nWARC/x\nWARC/1.1\n", 0), Some(20));
        assert_eq!(record_start(b"a\nWARC/1.", 0), None);
    }
}
