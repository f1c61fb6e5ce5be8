//! Lines that are not UTF-8 but for a few bytes of an old code page.

use encoding_rs::WINDOWS_1252;

/// Stray bytes that a line may have, however short it is.
const FEW_BYTES: usize = 8;

/// A line as text; what is not UTF-8 in it is taken as windows-1252, the code page of most old Western text, byte by byte.
/// So a line in UTF-8 with one pasted quotation mark is read right on both sides of it.
///
/// # Errors
///
/// The offset of the first stray byte: where windows-1252 has no character for one of them, where control characters say
/// that this is no text, and where most of the line is stray, which is another alphabet's code page.
pub(super) fn decode_line(bytes: &[u8]) -> Result<String, usize> {
    let first = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok(text.to_owned()),
        Err(error) => error.valid_up_to(),
    };
    if bytes.iter().any(|&byte| (byte < 0x20 && !b"\t\n\r\x0c".contains(&byte)) || byte == 0x7f) {
        return Err(first);
    }
    let mut text = String::with_capacity(bytes.len() + 16);
    let mut stray = 0;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        stray += chunk.invalid().len();
        let decoded = WINDOWS_1252.decode_without_bom_handling(chunk.invalid()).0;
        if decoded.contains(char::is_control) {
            return Err(first);
        }
        text.push_str(&decoded);
    }
    let visible = bytes.iter().filter(|byte| !byte.is_ascii_whitespace()).count();
    if stray > FEW_BYTES && stray * 2 > visible { Err(first) } else { Ok(text) }
}

/// Places of a decoded text where it is longer than its source: for each stray byte the offset behind its character and how
/// many bytes the text is ahead from there on.
pub(super) fn lengthenings(bytes: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let mut offset = 0;
    bytes.utf8_chunks().flat_map(move |chunk| {
        offset += chunk.valid().len();
        let mut found = Vec::new();
        for &byte in chunk.invalid() {
            let length = WINDOWS_1252.decode_without_bom_handling(&[byte]).0.len();
            offset += length;
            found.push((offset, length - 1));
        }
        found
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_stray_bytes_cost_nothing() {
        assert_eq!(decode_line("plain é".as_bytes()).unwrap(), "plain é");
        assert_eq!(decode_line(b"\x93Well\x94, she said \x96 caf\xe9").unwrap(), "“Well”, she said – café");
        assert_eq!(decode_line(b"caf\xc3\xa9 \x85").unwrap(), "café …");
        assert_eq!(decode_line(b"\xe9t\xe9").unwrap(), "été");
    }

    #[test]
    fn what_is_no_western_text_is_refused() {
        // Undefined in windows-1252; control characters; Russian in its own code page.
        assert_eq!(decode_line(b"ab\x81"), Err(2));
        assert_eq!(decode_line(b"ab\x01\xe9"), Err(3));
        assert_eq!(decode_line(b"\xcf\xf0\xe8\xe2\xe5\xf2, \xec\xe8\xf0 \xe8 \xeb\xfe\xe4\xe8"), Err(0));
    }

    #[test]
    fn lengthenings_are_told() {
        assert_eq!(lengthenings(b"a\xe9b\x93").collect::<Vec<_>>(), [(3, 1), (7, 2)]);
    }
}
