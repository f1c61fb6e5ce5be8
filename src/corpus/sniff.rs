//! Telling a source's format by its name, else by its first bytes.

use super::record::Record;
use std::path::Path;

/// Bytes of a source that are looked at to tell its format.
pub(super) const HEAD_BYTES: usize = 64 * 1024;

/// Bytes at the start of a source that must not hold a zero byte if it is text.
const BINARY_CHECK_BYTES: usize = 8 * 1024;

/// How a source is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InputFormat {
    /// Running text: one document, or one record per line.
    Text,
    /// Markdown: as text, but that its marks separate paragraphs and are hidden from the model.
    Markdown,
    /// One JSON object per line.
    Jsonl,
}

impl InputFormat {
    /// By extension, whatever its case: `jsonl`, `ndjson` and `json` are JSON lines; `txt` and `text` are text; `md`,
    /// `markdown` and `mkd` are Markdown.
    pub fn from_extension(path: &Path) -> Option<InputFormat> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "jsonl" | "ndjson" | "json" => Some(InputFormat::Jsonl),
            "txt" | "text" => Some(InputFormat::Text),
            "md" | "markdown" | "mkd" => Some(InputFormat::Markdown),
            _ => None,
        }
    }

    /// By content: JSON lines if the first character that is not blank is a brace and a line among those in `head`
    /// is a JSON object, else text.
    ///
    /// Any line, not the first alone: one broken record must not turn a file of records into running text.
    pub fn from_head(head: &[u8]) -> InputFormat {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        if head.trim_ascii_start().first() != Some(&b'{') {
            return InputFormat::Text;
        }
        let is_object =
            |line: &[u8]| std::str::from_utf8(line).is_ok_and(|line| Record::parse(line.trim_ascii()).is_ok());
        // The last line may go on beyond the head: a long record that begins like one.
        let last = head.rsplit(|&byte| byte == b'\n').next().unwrap_or(head);
        let cut = head.len() >= HEAD_BYTES - 3 && last.trim_ascii_start().first() == Some(&b'{');
        if cut || head.split(|&byte| byte == b'\n').any(is_object) { InputFormat::Jsonl } else { InputFormat::Text }
    }
}

/// Offset of a zero byte where text has none.
pub(super) fn zero_byte(head: &[u8]) -> Option<usize> {
    head[..head.len().min(BINARY_CHECK_BYTES)].iter().position(|&byte| byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_decide_whatever_their_case() {
        assert_eq!(InputFormat::from_extension(Path::new("a/b.NDJSON")), Some(InputFormat::Jsonl));
        assert_eq!(InputFormat::from_extension(Path::new("b.MD")), Some(InputFormat::Markdown));
        assert_eq!(InputFormat::from_extension(Path::new("b.csv")), None);
        assert_eq!(InputFormat::from_extension(Path::new("jsonl")), None);
    }

    #[test]
    fn content_decides() {
        assert_eq!(InputFormat::from_head(b"\xef\xbb\xbf\n  {\"text\": \"a\"}\n"), InputFormat::Jsonl);
        assert_eq!(InputFormat::from_head(b"{\"text\": \n{\"text\": \"b\"}\n"), InputFormat::Jsonl);
        assert_eq!(InputFormat::from_head(b"{ a brace begins this text\n"), InputFormat::Text);
        assert_eq!(InputFormat::from_head(b"[1, 2]\n{\"text\": \"b\"}\n"), InputFormat::Text);
        assert_eq!(InputFormat::from_head(b""), InputFormat::Text);
        let long = format!("{{\"text\": \"{}", "x".repeat(HEAD_BYTES));
        for before in ["", "\n", "{broken\n"] {
            let long = format!("{before}{long}");
            assert_eq!(InputFormat::from_head(&long.as_bytes()[..HEAD_BYTES]), InputFormat::Jsonl, "{before:?}");
        }
    }

    #[test]
    fn zero_bytes_are_found_near_the_start() {
        assert_eq!(zero_byte(b"ab\0"), Some(2));
        assert_eq!(zero_byte("text".as_bytes()), None);
    }
}
