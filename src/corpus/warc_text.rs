//! Media types of what archives hold, and its bytes as text.

use crate::html;
use encoding_rs::{Encoding, WINDOWS_1252};
use std::borrow::Cow;

/// Bytes of a page in which it names its encoding, as browsers have it.
const HEAD_BYTES: usize = 1024;

/// What a media type promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    Html,
    Plain,
    Other,
}

impl Media {
    /// By a Content-Type; parameters do not count.
    pub fn of(content_type: &str) -> Media {
        let name = content_type.split(';').next().unwrap_or_default().trim();
        let is = |known: &&str| name.eq_ignore_ascii_case(known);
        if ["text/html", "application/xhtml+xml"].iter().any(is) {
            Media::Html
        } else if is(&"text/plain") {
            Media::Plain
        } else {
            Media::Other
        }
    }

    /// By the first bytes of a body that nobody names a type of.
    pub fn of_bytes(body: &[u8]) -> Media {
        let head = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body).trim_ascii_start();
        let begins = |tag: &[u8]| head.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
        if begins(b"<!doctype html") || begins(b"<html") { Media::Html } else { Media::Other }
    }
}

/// The encoding that a Content-Type names.
pub(super) fn charset(content_type: &str) -> Option<&'static Encoding> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        name.trim().eq_ignore_ascii_case("charset").then(|| Encoding::for_label(value.as_bytes()))?
    })
}

/// Bytes as text: by a byte order mark, as browsers have it before all else, by the encoding that the server names, by that
/// which a page declares, and else as UTF-8 or windows-1252, whichever most of it is.
pub(super) fn decode<'a>(bytes: &'a [u8], named: Option<&'static Encoding>, media: Media) -> Cow<'a, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0;
    }
    let declared = || match media {
        Media::Html => html::declared_encoding(&bytes[..bytes.len().min(HEAD_BYTES)]),
        Media::Plain | Media::Other => None,
    };
    if let Some(encoding) = named.or_else(declared) {
        return encoding.decode_without_bom_handling(bytes).0;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) if is_mostly_utf_8(bytes) => String::from_utf8_lossy(bytes),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

/// Whether more characters beyond ASCII are UTF-8 than not: a text that was cut within a character, say.
fn is_mostly_utf_8(bytes: &[u8]) -> bool {
    let (mut valid, mut stray) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        stray += chunk.invalid().len();
    }
    valid > stray
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_known_by_name_or_content() {
        assert_eq!(Media::of("TEXT/html; charset=x"), Media::Html);
        assert_eq!(Media::of("application/xhtml+xml"), Media::Html);
        assert_eq!(Media::of("text/plain;charset=utf-8"), Media::Plain);
        assert_eq!(Media::of("text/htmlx"), Media::Other);
        assert_eq!(Media::of_bytes(b"\xef\xbb\xbf\n<!DOCTYPE HTML>"), Media::Html);
        assert_eq!(Media::of_bytes(b"%PDF-1"), Media::Other);
    }

    #[test]
    fn the_server_names_the_encoding_before_the_page() {
        let page = b"<meta charset=koi8-r>\xe9";
        let text = |named: &str| decode(page, charset(named), Media::Html).into_owned();
        assert_eq!(text("text/html; Charset=\"ISO-8859-1\""), "<meta charset=koi8-r>é");
        assert_eq!(text("text/html; charset=nonsense"), "<meta charset=koi8-r>И");
        assert_eq!(decode(b"\xef\xbb\xbf\xc3\xa9", charset("a;charset=koi8-r"), Media::Plain), "é");
    }

    #[test]
    fn what_names_no_encoding_is_what_most_of_it_is() {
        assert_eq!(decode("é".as_bytes(), None, Media::Plain), "é");
        assert_eq!(decode(b"caf\xe9", None, Media::Plain), "café");
        assert_eq!(decode(b"\xc3\xa9\xc3\xa9 cut \xc3", None, Media::Plain), "éé cut \u{fffd}");
    }
}
