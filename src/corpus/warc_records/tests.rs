use super::*;
use crate::corpus::feed::{Feed, Pieces};

const LIMIT: usize = 2000;

/// A record with the length that is true.
fn record(kind: &str, more: &str, content: &[u8]) -> Vec<u8> {
    let header = format!("WARC/1.0\r\nWARC-Type: {kind}\r\n{more}Content-Length: {}\r\n\r\n", content.len());
    [header.as_bytes(), content, b"\r\n\r\n"].concat()
}

fn text(content: &str) -> Vec<u8> {
    record("conversion", "WARC-Record-ID: <urn:uuid:a>\r\n", content.as_bytes())
}

/// What is read: number and text, page or kind of the error; and what was passed over. The same whatever the pieces.
fn read(source: &[u8]) -> (Vec<(u64, String)>, PassedOver) {
    let read = |size: usize| {
        let pieces = Pieces(source.chunks(size).map(<[u8]>::to_vec).collect());
        let mut records = WarcRecords::with_limit(Window::new(Feed::of(pieces)), LIMIT);
        let (mut seen, mut passed_over) = (Vec::new(), PassedOver::default());
        loop {
            let next = records.next(None).unwrap();
            passed_over.add(records.take_passed_over());
            let found = match next {
                Next::Item(found) => found,
                Next::Skipped => continue,
                Next::Pause | Next::End => break,
            };
            seen.push((
                found.line,
                match found.content {
                    Ok(Content::Object(object)) => {
                        let object: serde_json::Value = serde_json::from_slice(&object).unwrap();
                        object["text"].as_str().unwrap().to_owned()
                    }
                    Ok(Content::Page(Page { doc, html, fields })) => {
                        let doc = doc.unwrap_or_default();
                        format!("{doc} {html} {}", String::from_utf8(fields).unwrap())
                    }
                    Err(error) => format!("{}: {error}", error.kind()),
                },
            ));
        }
        assert_eq!(records.consumed(), source.len() as u64);
        (seen, passed_over)
    };
    let whole = read(60_000);
    for size in [1, 2, 3, 7, 64, 1000] {
        assert_eq!(read(size), whole, "pieces of {size} bytes");
    }
    whole
}

fn told(source: &[u8]) -> Vec<(u64, String)> {
    read(source).0
}

fn expected<const N: usize>(rows: [(u64, &str); N]) -> Vec<(u64, String)> {
    rows.map(|(number, text)| (number, text.to_owned())).to_vec()
}

#[test]
fn texts_and_pages_come_out_and_all_else_is_counted() {
    let http = |status: &str, kind: &str, body: &str| {
        let content = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\r\n{body}");
        let more = "Content-Type: application/http; msgtype=response\r\nWARC-Target-URI: http://a.example/\r\n";
        record("response", more, content.as_bytes())
    };
    let source = [
        record("warcinfo", "Content-Type: application/warc-fields\r\n", b"software: none\r\n"),
        record("request", "", b"GET / HTTP/1.1\r\n\r\n"),
        http("200 OK", "text/html; charset=iso-8859-1", "<p>One"),
        http("200 OK", "text/plain", "Two"),
        http("404 Not Found", "text/html", "<p>Gone"),
        http("200 OK", "image/png", "\u{1}"),
        http("200 OK", "text/html", " \r\n"),
        http("200 OK", "text/html", "a\0b"),
        record("response", "Content-Type: text/dns\r\n", b"20260101"),
        record("resource", "Content-Type: text/html\r\nWARC-Date: 2026-01-01T00:00:00Z\r\n", b"<p>Three"),
        record("resource", "Content-Type: image/gif\r\n", b"GIF89a"),
        text("Four \"quoted\"\n\nand more"),
        record("conversion", "Content-Type: text/plain\r\n", b"caf\xe9"),
        http("200 OK", "text/html", "").replace_status(),
    ]
    .concat();
    let (seen, passed_over) = read(&source);
    let page = r#"http://a.example/ <p>One {"url":"http://a.example/","content_type":"text/html; charset=iso-8859-1","status":200}"#;
    let resource = r#" <p>Three {"date":"2026-01-01T00:00:00Z","content_type":"text/html"}"#;
    let rows = [
        (3, page),
        (4, "Two"),
        (10, resource),
        (12, "Four \"quoted\"\n\nand more"),
        (13, "café"),
        (14, "not_http: expected an HTTP status line, got `XTTP/1.1 200 OK`"),
    ];
    assert_eq!(seen, expected(rows));
    assert_eq!(passed_over, PassedOver { other_kind: 4, other_status: 1, without_text: 3 });
}

trait ReplaceStatus {
    fn replace_status(self) -> Self;
}

impl ReplaceStatus for Vec<u8> {
    /// The record with a broken status line of the same length.
    fn replace_status(mut self) -> Vec<u8> {
        let at = self.windows(5).position(|bytes| bytes == b"HTTP/").unwrap();
        self[at] = b'X';
        self
    }
}

#[test]
fn fields_of_an_object_are_those_of_the_record() {
    let more = "WARC-Record-ID: <urn:uuid:7-8>\r\nWARC-Target-URI: http://b.example/\u{e9}\r\nWARC-Date: 2026-01-02T03:04:05Z\r\n\
        Content-Type: text/plain\r\nWARC-Identified-Content-Language: eng,deu\r\n";
    let source = record("conversion", more, "Tea\n".as_bytes());
    let mut records = WarcRecords::new(Window::new(Feed::of(std::io::Cursor::new(source))));
    let Next::Item(Found { content: Ok(Content::Object(object)), .. }) = records.next(None).unwrap() else { panic!() };
    let expected = "{\"id\":\"7-8\",\"url\":\"http://b.example/é\",\"date\":\"2026-01-02T03:04:05Z\",\
        \"content_type\":\"text/plain\",\"languages\":\"eng,deu\",\"text\":\"Tea\\n\"}";
    assert_eq!(String::from_utf8(object).unwrap(), expected);
}

#[test]
fn false_lengths_cost_their_record_alone() {
    let wrong = |content: &str, length: &str| {
        let true_length = format!("Content-Length: {}", content.len());
        let bytes = String::from_utf8(text(content)).unwrap();
        bytes.replace(&true_length, &format!("Content-Length: {length}")).into_bytes()
    };
    let good = text("good");
    let say = |expected: &str| {
        format!("false_length: Content-Length is {expected}, but the next record, or the end, comes after 9 bytes")
    };
    for length in ["3", "14", "17", "60", "1500", "999999999"] {
        let (bad, say) = (wrong("Words win", length), say(length));
        assert_eq!(
            told(&[&good[..], &bad, &good, &good].concat()),
            expected([(1, "good"), (2, &say), (3, "good"), (4, "good")])
        );
        // The last of a source, where it says too much, is taken for cut off.
        if length == "3" {
            assert_eq!(told(&[&good[..], &bad].concat()), expected([(1, "good"), (2, &say)]));
        }
    }
    for (length, say) in [
        ("", "length_not_number: Content-Length must be a number of bytes, got ``"),
        ("-1", "length_not_number: Content-Length must be a number of bytes, got `-1`"),
    ] {
        let source = [&wrong("Words win", length)[..], &good].concat();
        assert_eq!(told(&source), expected([(1, say), (2, "good")]));
    }
    let without = [b"WARC/1.0\r\nWARC-Type: conversion\r\n\r\nWords\r\n\r\n", &good[..]].concat();
    let say = "missing_header_field: the header has no field Content-Length";
    assert_eq!(told(&without), expected([(1, say), (2, "good")]));
}

#[test]
fn a_right_length_is_believed_whatever_the_record_holds() {
    let inner = String::from_utf8([text("inner"), text("other")].concat()).unwrap();
    assert_eq!(told(&[text(&inner), text("good")].concat()), expected([(1, &inner), (2, "good")]));
}

#[test]
fn blank_lines_between_records_may_lack_or_abound() {
    let bare = |text: Vec<u8>| text[..text.len() - 4].to_vec();
    for between in ["", "\n", "\r\n", "\n\n", "\r\n\r\n\r\n\r\n\r\n"] {
        let source = [bare(text("one")), between.into(), bare(text("two")), between.into()].concat();
        assert_eq!(told(&source), expected([(1, "one"), (2, "two")]), "{between:?}");
    }
    assert_eq!(told(b""), []);
    let unix = b"WARC/0.18\nWARC-Type: conversion\nContent-Length: 2\n\nab\n\nWARC/0.17\nWARC-Type: conversion\nContent-Length: 1\n\nc";
    assert_eq!(told(unix), expected([(1, "ab"), (2, "c")]));
}

#[test]
fn bytes_between_records_are_told_once() {
    let junk = "no record, WARC/1.0\r\nnor this\r\n".repeat(9);
    let source = [&text("one")[..], junk.as_bytes(), &text("two"), b"end"].concat();
    let stray = |bytes: usize| {
        format!("bytes_between_records: {bytes} bytes after this record belong to none and are left out")
    };
    let rows = [(1, "one"), (1, &stray(junk.len() - 2)), (2, "two"), (2, &stray(3))];
    assert_eq!(told(&source), expected(rows));
}

#[test]
fn a_source_may_end_anywhere() {
    let last = text("the last one");
    let whole = [&text("one")[..], &last].concat();
    let before = whole.len() - last.len();
    let header = last.len() - "the last one\r\n\r\n".len();
    for length in before + MARK_BYTES..whole.len() - 4 {
        let got = (length - before).saturating_sub(header);
        let say = if length < before + header {
            "unclosed_header: the header is not closed by a blank line".to_owned()
        } else {
            format!("cut_off: the record is cut off: Content-Length is 12, but the source ends after {got} bytes")
        };
        assert_eq!(told(&whole[..length]), expected([(1, "one"), (2, &say)]), "{length}");
    }
    assert_eq!(told(&whole[..whole.len() - 4]), expected([(1, "one"), (2, "the last one")]));
}

#[test]
fn records_too_long_are_left_whole() {
    let long = "long words ".repeat(LIMIT / 8);
    let source = [text(&long), text("good"), record("request", "", long.as_bytes()), text("good")].concat();
    let (seen, passed_over) = read(&source);
    let say = "record_too_long: record longer than 2000 bytes";
    assert_eq!(seen, expected([(1, say), (2, "good"), (4, "good")]));
    assert_eq!(passed_over, PassedOver { other_kind: 1, ..PassedOver::default() });
    // A length that is too long by a few bytes ends within the next record's first line.
    for more in 1..20 {
        let true_length = format!("Content-Length: {}", long.len());
        let bytes = String::from_utf8(text(&long)).unwrap();
        let bad = bytes.replace(&true_length, &format!("Content-Length: {}", long.len() + more)).into_bytes();
        let seen = told(&[&bad[..], &text("good")].concat());
        assert_eq!(seen.last().unwrap(), &(2, "good".to_owned()), "{more}");
    }
}

#[test]
fn headers_that_say_nothing_are_set_aside() {
    let good = text("good");
    let say = "missing_header_field: the header has no field WARC-Type";
    let source = [b"WARC/1.0\r\nContent-Length: 3\r\n\r\nabc\r\n\r\n", &good[..]].concat();
    assert_eq!(told(&source), expected([(1, say), (2, "good")]));
    let say = "unknown_version: expected a record of WARC/0.17 to WARC/1.1, got `WARC/2.0`";
    let newer = String::from_utf8(text("new")).unwrap().replace("WARC/1.0", "WARC/2.0");
    assert_eq!(told(&[newer.as_bytes(), &good[..]].concat()), expected([(1, say), (2, "good")]));
    let say = "unclosed_header: the header is not closed by a blank line";
    assert_eq!(told(&[b"WARC/1.0\r\nWARC-Type: a\r\n", &good[..]].concat()), expected([(1, say), (2, "good")]));
    let say = "header_too_long: header longer than 1048576 bytes";
    let long = format!("WARC/1.0\r\nA: {}\r\n\r\n", "x".repeat(HEADER_LIMIT_BYTES));
    let source = [long.as_bytes(), &good].concat();
    let pieces = Pieces(source.chunks(50_000).map(<[u8]>::to_vec).collect());
    let mut records = WarcRecords::new(Window::new(Feed::of(pieces)));
    let Next::Item(Found { content: Err(error), line: 1, .. }) = records.next(None).unwrap() else { panic!() };
    assert_eq!(format!("{}: {error}", error.kind()), say);
    assert!(matches!(records.next(None).unwrap(), Next::Item(Found { content: Ok(_), line: 2, .. })));
}

#[test]
fn whatever_is_damaged_is_read_to_its_end_and_the_same_in_all_pieces() {
    let http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n<p>\r\n0\r\n\r\n";
    let whole = [
        text("one"),
        record("response", "Content-Type: application/http\r\n", http),
        text(&"words ".repeat(LIMIT / 5)),
        record("request", "", b"\r\n\r\n"),
        text("two"),
    ]
    .concat();
    let pieces: [&[u8]; 6] = [b"", b"\r\n", b"\r\n\r\n", b"WARC/1.0\r\n", b"9", b"\0\xff"];
    // A generator of Lehmer, for places alone.
    let mut state = 7_u64;
    let mut draw = |below: usize| {
        state = state * 48_271 % 0x7fff_ffff;
        state as usize % below
    };
    for _ in 0..150 {
        let mut source = whole.clone();
        for _ in 0..=draw(3) {
            let start = draw(source.len());
            let end = source.len().min(start + draw(12));
            source.splice(start..end, pieces[draw(pieces.len())].iter().copied());
        }
        assert!(read(&source).0.len() <= 12);
    }
}
