//! The encoding of a source that nobody named, by its first bytes.

use super::shape::{self, Shape};
use super::stray::decode_line;
use crate::html;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Bytes of a source by which its encoding is told.
pub(super) const GUESS_BYTES: usize = 64 * 1024;

/// Bytes that are not UTF-8 by which a guess is believed where each line could also be Western text with a few odd letters.
const TELLING_BYTES: usize = 16;

/// Of how many bytes one may be a control character, in a text.
const BYTES_PER_CONTROL: usize = 256;

/// Bytes of a page in which it names its encoding, as browsers have it.
const HTML_HEAD_BYTES: usize = 1024;

/// What the bytes that are at hand say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// ASCII, but for a character that may be cut off at the end: the number of bytes before it.
    Ascii(usize),
    /// UTF-8, with other characters than ASCII.
    Utf8,
    /// Something else.
    Other,
}

/// Looks at the beginning of a source, of which more is to come.
pub(super) fn look(head: &[u8]) -> Look {
    if head.contains(&0) {
        return Look::Other;
    }
    // The other half of a character in UTF-16 may be to come.
    if head.len() < 2 {
        return Look::Ascii(0);
    }
    match std::str::from_utf8(head) {
        Err(error) if error.error_len().is_some() => Look::Other,
        Err(error) if head[..error.valid_up_to()].is_ascii() => Look::Ascii(error.valid_up_to()),
        Ok(_) if head.is_ascii() => Look::Ascii(head.len()),
        _ => Look::Utf8,
    }
}

/// The encoding in which all of a source is to be read, by its first [`GUESS_BYTES`]; `None` for UTF-8, for what has no
/// letters of another encoding, and for lines in windows-1252, alone or among lines in UTF-8: those are read line by line.
pub(super) fn encoding(head: &[u8], ended: bool) -> Option<&'static Encoding> {
    if head.starts_with("\u{feff}".as_bytes()) {
        return None;
    }
    if has_parts_in_encodings_of_their_own(head, ended) {
        return None;
    }
    if head.contains(&0) {
        return utf_16(head);
    }
    match std::str::from_utf8(head) {
        Ok(_) => return None,
        Err(error) if error.error_len().is_none() && !ended => return None,
        Err(_) => {}
    }
    let controls = head.iter().filter(|&&byte| (byte < 0x20 && !b"\t\n\r\x0c".contains(&byte)) || byte == 0x7f).count();
    if controls * BYTES_PER_CONTROL > head.len() || names_its_encoding(head) {
        return None;
    }
    let bytes = Bytes::of(head);
    // Characters of two bytes are well-formed UTF-8 now and then; a text of which one in ten is has lines in UTF-8.
    if bytes.utf_8 * 10 > bytes.other {
        return None;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(head, ended);
    let guess = detector.guess(None, Utf8Detection::Deny);
    let believed = bytes.other >= TELLING_BYTES || bytes.refused;
    (guess != WINDOWS_1252 && believed && decodes(guess, head, ended)).then_some(guess)
}

/// Web archives and mail name an encoding for each of their parts, and the lengths of archives count their bytes as they are; the
/// columns of tables are no text at all.
fn has_parts_in_encodings_of_their_own(head: &[u8], ended: bool) -> bool {
    [&b"WARC/"[..], b"PAR1", b"ARROW1", b"SQLite format 3\0"].iter().any(|mark| head.starts_with(mark))
        || matches!(shape::recognise(head, ended), Some(Some(Shape::Mail)))
}

/// Whether a page says itself what it is in.
fn names_its_encoding(head: &[u8]) -> bool {
    let head = &head[..head.len().min(HTML_HEAD_BYTES)];
    head.trim_ascii_start().starts_with(b"<") && html::declared_encoding(head).is_some()
}

fn decodes(encoding: &'static Encoding, head: &[u8], ended: bool) -> bool {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let room = decoder.max_utf8_buffer_length(head.len()).expect("a head has few bytes; this is a bug");
    let (_, _, _, errors) = decoder.decode_to_utf8(head, &mut vec![0; room], ended);
    !errors
}

/// The bytes of a head that are not ASCII.
struct Bytes {
    /// Characters in UTF-8 that are no accident: those of lines in UTF-8, or of lines with more of them than of other bytes.
    utf_8: usize,
    /// Bytes that are no UTF-8.
    other: usize,
    /// Whether a line cannot be Western text.
    refused: bool,
}

impl Bytes {
    fn of(head: &[u8]) -> Bytes {
        let mut all = Bytes { utf_8: 0, other: 0, refused: false };
        for line in head.split(|byte| matches!(byte, b'\n' | b'\r')) {
            let (mut utf_8, mut other) = (0, 0);
            for chunk in line.utf8_chunks() {
                utf_8 += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
                other += chunk.invalid().len();
            }
            if other == 0 || utf_8 > other {
                all.utf_8 += utf_8;
            }
            all.other += other;
            all.refused |= other > 0 && decode_line(line).is_err();
        }
        all
    }
}

/// The byte order of text in UTF-16 of an alphabet: blanks and Western letters have a zero byte beside them, always on the same
/// side, and the letters of one alphabet have few other bytes there.
fn utf_16(head: &[u8]) -> Option<&'static Encoding> {
    /// A few bytes show no side.
    const LEAST_BYTES: usize = 16;
    /// Of how many characters one is a blank or a Western letter.
    const CHARACTERS_PER_ZERO: usize = 25;
    if head.len() < LEAST_BYTES {
        return None;
    }
    let counts = |side: usize| {
        let mut counts = [0_usize; 256];
        head.iter().skip(side).step_by(2).for_each(|&byte| counts[usize::from(byte)] += 1);
        counts
    };
    let characters = head.len() / 2;
    let is_high = |high: [usize; 256], low: [usize; 256]| {
        let others = high[1..].iter().max().copied().unwrap_or(0);
        low[0] == 0 && high[0] * CHARACTERS_PER_ZERO > characters && (high[0] + others) * 10 >= characters * 9
    };
    let (even, odd) = (counts(0), counts(1));
    if is_high(odd, even) {
        Some(UTF_16LE)
    } else if is_high(even, odd) {
        Some(UTF_16BE)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(bytes: &[u8]) -> Option<&'static str> {
        encoding(bytes, true).map(Encoding::name)
    }

    fn encoded(label: &str, text: &str) -> Vec<u8> {
        let (bytes, _, lost) = Encoding::for_label(label.as_bytes()).unwrap().encode(text);
        assert!(!lost, "{label}");
        bytes.into_owned()
    }

    /// Sentences of our own in languages with an old encoding.
    const TEXTS: [(&str, &str); 9] = [
        ("Shift_JIS", "昨日、市議会は新しい図書館の建設を決めました。\n多くの住民がこの計画に賛成しています。\n"),
        ("EUC-JP", "昨日、市議会は新しい図書館の建設を決めました。\n多くの住民がこの計画に賛成しています。\n"),
        ("GBK", "昨天市议会决定建设一座新的图书馆。\n许多居民都支持这个计划。\n我们觉得很好。\n"),
        ("Big5", "昨天市議會決定興建一座新的圖書館。\n許多居民都支持這個計畫。\n我們覺得很好。\n"),
        ("EUC-KR", "어제 시의회는 새 도서관을 짓기로 결정했습니다.\n많은 주민들이 이 계획을 지지합니다.\n"),
        ("windows-1251", "Вчера городской совет решил построить новую библиотеку.\nМногие жители довольны.\n"),
        ("KOI8-U", "Вчера городской совет решил построить новую библиотеку.\nМногие жители довольны.\n"),
        ("windows-1253", "Χθες το δημοτικό συμβούλιο αποφάσισε να χτίσει μια νέα βιβλιοθήκη.\n"),
        (
            "ISO-8859-2",
            "Včera městská rada rozhodla, že postaví novou knihovnu. Příští týden začíná řízení o stavbě.\n",
        ),
    ];

    #[test]
    fn old_encodings_are_told() {
        for (label, text) in TEXTS {
            assert_eq!(guess(&encoded(label, text)), Some(label));
            let json = format!("{{\"text\": \"{}\"}}\n", text.replace('\n', "\"}\n{\"text\": \""));
            assert_eq!(guess(&encoded(label, &json)), Some(label));
        }
    }

    #[test]
    fn western_text_and_lines_among_utf_8_are_left_as_they_are() {
        assert_eq!(guess("Café – naïve, 昨日".as_bytes()), None);
        assert_eq!(
            guess(b"Caf\xe9 owners say: \x93enough\x94. The na\xefve r\xe9sum\xe9s of \xc9mile, she said.\n"),
            None
        );
        assert_eq!(guess(b"One odd byte \x81 in plain text.\n"), None);
        let mixed = [
            "昨日、市議会は新しい図書館の建設を決めました。\n".as_bytes(),
            &encoded("Shift_JIS", "昨日、市議会は。\n"),
        ]
        .concat();
        assert_eq!(guess(&mixed), None);
        let one_line = ["昨日、市議会は新しい図書館".as_bytes(), b" \x93quoted\x94 ", "昨日".as_bytes()].concat();
        assert_eq!(guess(&one_line), None);
        // A character that the next bytes complete.
        assert_eq!(encoding(&"Caf\u{e9}".as_bytes()[..4], false), None);
    }

    #[test]
    fn what_is_no_text_is_not_guessed() {
        let noise: Vec<u8> = (0..4000_u32).map(|n| (n * n % 251 + n % 5) as u8 | 1).collect();
        assert_eq!(guess(&noise), None);
        assert_eq!(guess(b"words\0\0"), None);
        assert_eq!(guess(&[b"\xff\xfe\0\0".to_vec(), vec![0; 100]].concat()), None);
    }

    #[test]
    fn utf_16_without_a_mark_is_told_by_its_zero_bytes() {
        for text in ["Words as others write them, caf\u{e9} and \u{201c}all\u{201d}.\n", TEXTS[5].1] {
            let bytes = |of: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(of).collect::<Vec<u8>>();
            assert_eq!(guess(&bytes(u16::to_le_bytes)), Some("UTF-16LE"));
            assert_eq!(guess(&bytes(u16::to_be_bytes)), Some("UTF-16BE"));
        }
        assert_eq!(guess(b"Words as others write them, and one zero\0 among them."), None);
    }

    #[test]
    fn a_page_that_names_its_encoding_is_not_guessed() {
        let page = |head: &str| encoded("Shift_JIS", &format!("<html><head>{head}</head><p>{}</p>", TEXTS[0].1));
        assert_eq!(guess(&page("")), Some("Shift_JIS"));
        assert_eq!(guess(&page("<meta charset=euc-jp>")), None);
    }

    #[test]
    fn a_look_says_what_may_be_given_out() {
        assert_eq!(look(b"plain"), Look::Ascii(5));
        assert_eq!(look(b"p"), Look::Ascii(0));
        assert_eq!(look(b"plain \xe2\x80"), Look::Ascii(6));
        assert_eq!(look("café \u{201c}".as_bytes()), Look::Utf8);
        assert_eq!(look(b"caf\xe9 a"), Look::Other);
        assert_eq!(look(b"a\0"), Look::Other);
    }
}
