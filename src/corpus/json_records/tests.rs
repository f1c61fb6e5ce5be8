use super::*;
use crate::corpus::feed::{Feed, Pieces};

fn read_with(source: &str, size: usize, limit: usize) -> Vec<String> {
    let pieces = Pieces(source.as_bytes().chunks(size).map(<[u8]>::to_vec).collect());
    let mut records = JsonRecords::with_limit(Window::new(Feed::of(pieces)), limit);
    let mut seen = Vec::new();
    loop {
        match records.next(None).unwrap() {
            Next::Item(Found { line, record, content }) => {
                let place = record.map_or(line.to_string(), |record| format!("{line}#{record}"));
                seen.push(match content {
                    Ok(Content::Object(object)) => format!("{place} {}", String::from_utf8(object).unwrap()),
                    Ok(Content::Page(page)) => panic!("{page:?}"),
                    Err(_) => format!("{place} failed"),
                });
            }
            Next::Skipped => {}
            Next::Pause => panic!("nothing pauses here"),
            Next::End => break,
        }
    }
    assert_eq!(records.consumed(), source.len() as u64, "{source}");
    seen
}

/// The same whatever portions the bytes come in.
fn read(source: &str) -> Vec<String> {
    let whole = read_with(source, 1 << 16, 1 << 20);
    for size in [1, 2, 7] {
        assert_eq!(read_with(source, size, 1 << 20), whole, "{source}");
    }
    whole
}

#[test]
fn a_mark_before_a_record_is_skipped_and_one_in_a_text_stays() {
    let source = "\u{feff}{\"a\": \"\u{feff}\"}\n\u{feff}{\"a\": 2}\n\u{feff}\n{\"a\": 3}\n\u{feff}";
    for size in [1, 2, 3, 100] {
        let expected = ["1 {\"a\": \"\u{feff}\"}", "2 {\"a\": 2}", "4 {\"a\": 3}"];
        assert_eq!(read_with(source, size, 99), expected, "{size}");
    }
}

#[test]
fn objects_come_in_every_arrangement() {
    assert_eq!(read("{\"a\": 1}\n\n {\"b\":2} \r\n{\"c\":3}"), [r#"1 {"a": 1}"#, r#"3 {"b":2}"#, r#"4 {"c":3}"#]);
    assert_eq!(read("{\"a\": 1}{\"b\": 2}, {}"), [r#"1 {"a": 1}"#, r#"1#2 {"b": 2}"#, "1#3 {}"]);
    assert_eq!(read("[{\"a\": 1}, {\"b\": [2]}]\n"), [r#"1#1 {"a": 1}"#, r#"1#2 {"b": [2]}"#]);
    assert_eq!(
        read("[\n  {\n    \"a\": 1,\r\n    \"b\": \"x  y\"\r\n  },\n  {}\n]\n{}\n"),
        [r#"2#1 { "a": 1, "b": "x  y" }"#, "6#2 {}", "8 {}"]
    );
    assert_eq!(read("{\n\"a\": {\n}\n}\n{\n\"b\": NaN\n}"), [r#"1 { "a": { } }"#, r#"5 { "b": NaN }"#]);
    for nothing in ["", "\n \n", "[]", " [ ]\n"] {
        assert!(read(nothing).is_empty(), "{nothing}");
    }
}

#[test]
fn broken_lines_fail_one_by_one() {
    assert_eq!(
        read("{\"a\": 1}\n{\"text\": \"stops\n{\"b\"\n[1]\nwords here\n5 apples\n{\"c\": 3} x\n{\"d\": 4}\n{\"e\":"),
        [
            r#"1 {"a": 1}"#,
            "2 failed",
            "3 failed",
            "4 failed",
            "5 failed",
            "6 failed",
            r#"7 {"c": 3}"#,
            "7#8 failed",
            r#"8 {"d": 4}"#,
            "9 failed"
        ]
    );
    assert_eq!(
        read("{\"t\": \n[1]\n{\"b\": 1}\n{\"c\": 2}\n"),
        ["1 failed", "2 failed", r#"3 {"b": 1}"#, r#"4 {"c": 2}"#]
    );
    assert_eq!(read("[1,\n{\"a\": 1}\n{\"b\": 1}\n"), ["1 failed", r#"2 {"a": 1}"#, r#"3 {"b": 1}"#]);
}

#[test]
fn a_broken_record_of_several_lines_is_one_failure() {
    let source = "[\n  {\n    \"a\": 1\n    \"b\": [\n      {\"c\": 2}\n    ]\n  },\n  {\n    \"d\": 3\n  }\n]\n{}\n";
    assert_eq!(read(source), ["2#1 failed", r#"8#2 { "d": 3 }"#, "12 {}"]);
    let source = "[{\n  \"a\" 1\n}, {\n  \"d\": 3\n}, {\n  \"e\": 4\n}]\n";
    assert_eq!(read(source), ["1#1 failed", r#"3#2 { "d": 3 }"#, r#"5#3 { "e": 4 }"#]);
    let source = "{\n  \"a\" 1\n}\n{\n  \"d\": 3\n}\n";
    assert_eq!(read(source), ["1 failed", r#"4 { "d": 3 }"#]);
}

#[test]
fn arrays_that_break_or_end_early_are_told() {
    assert_eq!(
        read("[{\"a\": 1}, 5, \"x\", {\"b\": 2}]"),
        [r#"1#1 {"a": 1}"#, "1#2 failed", "1#3 failed", r#"1#4 {"b": 2}"#]
    );
    assert_eq!(read("[{\"a\": 1},\n{\"b\": 2}"), [r#"1#1 {"a": 1}"#, r#"2#2 {"b": 2}"#, "2 failed"]);
    assert_eq!(read("[{\"a\": 1}, {\"b\" 2}, {\"c\": 3}]\n"), [r#"1#1 {"a": 1}"#, "1#2 failed", "2 failed"]);
}

#[test]
fn what_is_too_long_is_left_out_alone() {
    let source = format!("{{\"a\": 1}}\n{{\"a\": \"{}\"}}\n{{\"b\": 2}}\n", "x".repeat(5000));
    for size in [7, 1 << 16] {
        assert_eq!(read_with(&source, size, 1000), [r#"1 {"a": 1}"#, "2 failed", r#"3 {"b": 2}"#], "{size}");
    }
}
