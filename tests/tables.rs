//! Tables and mail on the built binary.

mod common;

use common::{arg, copydesk, rows, run, run_with, stderr, stdout};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::Stdio;

/// A file in a folder that goes away with the guard.
fn file(name: &str, content: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    (folder, path)
}

fn field<'a>(rows: &'a [Value], name: &str) -> Vec<&'a Value> {
    rows.iter().map(|row| &row[name]).collect()
}

const COMMENTS: &str = "id;Name;comment\r\n\
    1;Ann;\"A first line; it goes on\r\nand a \"\"second\"\" one.\"\r\n\
    \r\n\
    2;Ben;Nobody asked us about it.\r\n\
    3;Cy;\"Thank you, Ann.\"\r\n";

#[test]
fn rows_of_a_table_are_records_by_name_and_by_content() {
    let (_folder, path) = file("comments.csv", COMMENTS);
    let options = ["label", "--quiet", "--unit", "record", "--text-field", "comment", "--with-source"];
    let named = rows(&run(&[&options[..], &[arg(&path)]].concat()), 0);
    assert_eq!(field(&named, "id"), ["1", "2", "3"]);
    assert_eq!(field(&named, "Name"), ["Ann", "Ben", "Cy"]);
    assert_eq!(field(&named, "line"), [&json!(2), &json!(5), &json!(6)]);
    assert_eq!(named[0]["comment"], "A first line; it goes on\r\nand a \"second\" one.");
    let lines = |rows: Vec<Value>| -> Vec<Value> {
        rows.into_iter().map(|mut row| json!([row["line"].take(), row["label"].take(), row["scores"].take()])).collect()
    };
    let expected = lines(named);
    let marked = format!("\u{feff}{COMMENTS}");
    let utf_16: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for content in [COMMENTS.as_bytes(), marked.as_bytes(), &utf_16] {
        assert_eq!(lines(rows(&run_with(&options, content), 0)), expected);
    }
    // Paragraphs of a row's text are named after its id.
    let paragraphs = rows(&run_with(&["label", "--quiet", "--text-field", "comment"], COMMENTS.as_bytes()), 0);
    assert_eq!(field(&paragraphs, "doc"), ["1", "2", "3"]);
}

#[test]
fn the_delimiter_is_told_by_name_by_content_or_by_option() {
    let table = "text\tlabel\nWell, yes; no | maybe.\tother\nNobody knew.\treporting\n";
    let label = ["label", "--quiet", "--unit", "record"];
    let expected = ["Well, yes; no | maybe.", "Nobody knew."];
    let (_folder, path) = file("rows.TSV", table);
    assert_eq!(field(&rows(&run(&[&label[..], &[arg(&path)]].concat()), 0), "text"), expected);
    assert_eq!(field(&rows(&run_with(&label, table.as_bytes()), 0), "text"), expected);
    for format in ["tsv", "csv"] {
        let forced = rows(&run_with(&[&label[..], &["--input-format", format]].concat(), table.as_bytes()), 0);
        assert_eq!(field(&forced, "text"), expected, "{format}");
    }
    let excel = b"sep=|\r\nnr|text\r\n1|Well, yes.\r\n";
    assert_eq!(field(&rows(&run_with(&label, excel), 0), "text"), ["Well, yes."]);
    let (_folder, labelled) =
        file("rows.csv", "text,label\n\"I think, this is bad.\",opinion\nThe road is open.,reporting\n");
    assert_eq!(rows(&run(&["eval", "--json", "--quiet", "--data", arg(&labelled)]), 0)[0]["all"]["rows"], 2);
}

#[test]
fn filter_parts_the_rows_of_a_table() {
    let (folder, path) = file("comments.csv", COMMENTS.replace("comment", "text"));
    let spam = folder.path().join("spam.jsonl");
    let all = |threshold: &str| run(&["filter", "--quiet", "--threshold", threshold, "--spam", arg(&spam), arg(&path)]);
    let genuine = stdout(&all("1"));
    let header = "id;Name;text;spam;spam_score;reason;lang\r\n";
    assert!(genuine.starts_with(&format!("{header}1;Ann;\"A first line; it goes on\r\nand a")), "{genuine}");
    assert_eq!(genuine.matches(";false;0.").count(), 3, "{genuine}");
    assert_eq!(fs::read_to_string(&spam).unwrap(), "");
    assert_eq!(stdout(&all("0")), header);
    assert_eq!(fs::read_to_string(&spam).unwrap().lines().count(), 3);
}

#[test]
fn a_bad_row_costs_itself_and_says_where_it_stood() {
    let table = "id,text\n1,\"One, two.\"\n2,\"Open\n3,Three,\n4,Four, too\n5,\"Five\"\n6,\"Six";
    let output = run_with(&["label", "--quiet", "--unit", "record"], table.as_bytes());
    assert_eq!(field(&rows(&output, 1), "id"), ["1", "3", "5"]);
    let messages = stderr(&output);
    let lines: Vec<&str> = messages.lines().collect();
    assert!(lines[0].starts_with("copydesk: -:3: a quotation mark opens a field here"), "{messages}");
    assert_eq!(lines[1], "copydesk: -:5: expected 2 fields, got 3");
    assert!(lines[2].starts_with("copydesk: -:7: a quotation mark opens"), "{messages}");
    assert_eq!(lines.len(), 3);
}

#[test]
fn a_table_without_the_field_of_the_text_is_told_its_columns_once() {
    let table = "id,author,comment\n".to_owned() + &"1,Ann,\"Well, yes.\"\n".repeat(20);
    let output = run_with(&["label"], table.as_bytes());
    assert_eq!(output.status.code(), Some(2));
    let messages = stderr(&output);
    let hint = "did you mean --text-field comment? the fields are id, author, comment";
    assert_eq!(messages.matches(hint).count(), 1, "{messages}");
    assert_eq!(messages.matches(":2: no field `text`").count(), 1, "{messages}");
    assert!(messages.contains("20 in all like"), "{messages}");
}

/// A row must come out while the table is still open.
#[test]
fn rows_of_a_table_come_while_input_pauses() {
    let mut child = copydesk()
        .args(["filter", "--quiet", "--threshold", "1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    input.write_all(b"id,text\n").unwrap();
    for _ in 0..3 {
        input.write_all(b"1,\"A comment, that somebody wrote.\"\n").unwrap();
        let mut row = String::new();
        while !row.contains('\n') || row.ends_with(",lang\n") {
            row.clear();
            output.read_line(&mut row).unwrap();
        }
        assert!(row.contains("somebody wrote"), "{row}");
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

const MAILBOX: &str = "From ann@site.example Mon Jan  1 09:05:00 2024\n\
    Message-ID: <1@site.example>\n\
    From: =?utf-8?q?J=C3=B6rg?= <joerg@site.example>\n\
    To: ann@site.example\n\
    Subject: The road\n\
    Date: Mon, 1 Jan 2024 09:05:00 +0100\n\
    Content-Type: text/plain; charset=iso-8859-1\n\
    Content-Transfer-Encoding: quoted-printable\n\
    \n\
    The caf=E9 is open again, =\n\
    they said.\n\
    >From today on it stays so.\n\
    \n\
    From ben@site.example Tue Jan  2 10:00:00 2024\n\
    Message-ID: <2@site.example>\n\
    Content-Type: text/plain; charset=utf-8\n\
    Content-Transfer-Encoding: base64\n\
    \n\
    R3LDvMOfZSBhdXMgS8O2bG4u\n\
    \n\
    From cy@site.example Wed Jan  3 11:00:00 2024\n\
    Message-ID: <3@site.example>\n\
    Content-Type: text/html; charset=utf-8\n\
    \n\
    <html><body><p>I do not <b>like</b> it.</p><p>Not at all &amp; never.</p></body></html>\n\
    \n\
    From dee@site.example Wed Jan  3 11:00:00 2024\n\
    Content-Type: image/png\n\
    Content-Transfer-Encoding: base64\n\
    \n\
    iVBORw0KGgo=\n";

#[test]
fn messages_of_a_mailbox_are_records() {
    let (_folder, path) = file("list.mbox", MAILBOX);
    let options = ["label", "--quiet", "--unit", "record", "--with-source"];
    let output = run(&[&options[..], &[arg(&path)]].concat());
    let messages = rows(&output, 1);
    assert_eq!(field(&messages, "id"), ["1@site.example", "2@site.example", "3@site.example"]);
    assert_eq!(field(&messages, "line"), [&json!(1), &json!(14), &json!(21)]);
    let texts = [
        "The café is open again, they said.\nFrom today on it stays so.",
        "Grüße aus Köln.",
        "I do not like it.\n\nNot at all & never.",
    ];
    assert_eq!(field(&messages, "text"), texts);
    assert_eq!(messages[0]["from"], "Jörg <joerg@site.example>");
    assert_eq!(messages[0]["date"], "2024-01-01T09:05:00+01:00");
    assert!(stderr(&output).contains(":27: the e-mail has no text besides attachments"), "{}", stderr(&output));
    let piped = rows(&run_with(&options, MAILBOX.as_bytes()), 1);
    assert_eq!(field(&piped, "text"), texts);
    let single = MAILBOX.split_once('\n').unwrap().1.split("\n\nFrom ").next().unwrap();
    let (_folder, path) = file("one.eml", single);
    let rows = rows(&run(&["label", "--quiet", "--unit", "record", arg(&path)]), 0);
    assert_eq!((rows.len(), &rows[0]["subject"]), (1, &json!("The road")));
    let text = run_with(&["label", "--quiet"], b"From the beginning it was clear.\n\nNobody knew: not even she.\n");
    assert_eq!(common::rows(&text, 0).len(), 2);
}
