//! Texts as JSON strings, fast: an archive holds gigabytes of them.

use memchr::memchr3_iter;

/// Appends a text as a JSON string, byte for byte as `serde_json` writes it.
pub(super) fn push_json_text(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    // No early end: so compilers make a few instructions for many bytes of it.
    let has_rare = bytes.iter().fold(false, |found, &byte| found | ((byte < 0x20) & (byte != b'\n')));
    if has_rare {
        serde_json::to_writer(out, text).expect("a text can be written to memory; this is a bug");
        return;
    }
    out.push(b'"');
    let mut written = 0;
    for at in memchr3_iter(b'\n', b'"', b'\\', bytes) {
        out.extend_from_slice(&bytes[written..at]);
        out.extend_from_slice(&[b'\\', if bytes[at] == b'\n' { b'n' } else { bytes[at] }]);
        written = at + 1;
    }
    out.extend_from_slice(&bytes[written..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_written_as_serde_json_writes_them() {
        let characters: String = (0..0x500).filter_map(char::from_u32).chain("😀\u{2028}".chars()).collect();
        for text in ["", "a", &characters, "\n\n\"é\"", "ends with \\", "a\tb\r\n\u{7f}"] {
            let mut out = Vec::new();
            push_json_text(&mut out, text);
            assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(text).unwrap());
        }
    }
}
