//! `--where`, `copydesk head` and `copydesk stats` on the built binary.

mod common;

use common::{arg, rows, run, run_with, stderr, stdout};
use serde_json::{Value, json};
use std::fs;

const PAGES: &str = "data/pages";
const COMMENTS: &str = "data/comments.jsonl";

fn label(arguments: &[&str], input: &[u8]) -> Vec<Value> {
    rows(&run_with(&[&["label", "-q", "--model", "fast"], arguments].concat(), input), 0)
}

/// Rows of two labels, one without, one in another language, from three files.
fn labelled() -> String {
    let mut lines = String::new();
    for number in 0..10 {
        let label = if number < 6 { "opinion" } else { "other" };
        let row = json!({"doc": format!("page-{}.txt", number / 4), "paragraph": number, "start": 0, "end": 9, "label": label,
            "confidence": f64::from(5 + 10 * number) / 100.0, "scores": {"opinion": 0.5, "other": 0.5}, "tokens": 10,
            "windows": 1 + number / 9, "lang": "en", "text": format!("Text {number}.")});
        lines += &format!("{row}\n");
    }
    lines
        + "{\"doc\": \"page-2.txt\", \"paragraph\": 10, \"label\": null, \"confidence\": 0.3, \"lang\": \"de\", \"reason\": \"not English\"}\n"
}

#[test]
fn label_writes_the_rows_that_are_asked_for() {
    let all = label(&[PAGES], b"");
    let chosen = label(&["--where", "label == 'opinion' and confidence > 0.8 or paragraph == 3", PAGES], b"");
    let expected: Vec<&Value> = all
        .iter()
        .filter(|row| (row["label"] == "opinion" && row["confidence"].as_f64() > Some(0.8)) || row["paragraph"] == 3)
        .collect();
    assert!(expected.len() > 13 && expected.len() < all.len());
    assert_eq!(chosen.iter().collect::<Vec<_>>(), expected);
    let none = run(&["label", "--model", "fast", "--where", "confidence > 1", PAGES]);
    assert_eq!((none.status.code(), none.stdout.len()), (Some(0), 0));
    let left_out = format!("{} rows left out by --where", all.len());
    assert!(stderr(&none).contains(&left_out), "{}", stderr(&none));
}

#[test]
fn fields_of_the_input_can_be_asked_for() {
    let input =
        br#"{"id": "a", "text": "I think that is a disgrace.", "label": "old", "meta": {"site": "x"}, "stars": 5}
{"id": "b", "text": "I think that is a disgrace.", "meta": {"site": "y"}, "stars": "5"}
"#;
    for unit in ["record", "paragraph"] {
        for (expression, ids) in [
            ("meta.site in ['x', 'z'] and text contains 'disgrace'", &["a"][..]),
            ("stars == 5", &["a"]),
            ("input_label == null and line == 2", &["b"]),
            ("file == '-' and (doc == 'a' or doc == 'b') and label != null and missing == null", &["a", "b"]),
        ] {
            let rows = label(&["--unit", unit, "--where", expression], input);
            let field = if unit == "record" { "id" } else { "doc" };
            assert_eq!(
                rows.iter().map(|row| row[field].as_str().unwrap()).collect::<Vec<_>>(),
                ids,
                "{unit}: {expression}"
            );
        }
    }
    let page = b"<html><body><article><p>The ferry sank in 1958, and nobody has raised it since.</p></article>\
        <nav><a href=x>Home</a></nav></body></html>";
    let all = label(&["--input-format", "html"], page);
    let least = all.iter().filter_map(|row| row["content"].as_f64()).fold(1.0, f64::min);
    let some = label(&["--input-format", "html", "--where", &format!("content > {least}")], page);
    assert!(!some.is_empty() && some.len() < all.len(), "{all:?}");
}

#[test]
fn a_wrong_expression_is_shown_with_its_place() {
    for (expression, message) in [
        (
            "label == \"opinon\"",
            "unknown label `opinon`, expected one of: reporting, opinion, comment_spam, quotation, other",
        ),
        ("scores.opinon > 0.5", "unknown label `opinon`"),
        ("label == opinion", "write it in quotation marks"),
        ("confidance > 0.5", "did you mean `confidence`?"),
        ("label = 'opinion'", "did you mean `==`?"),
        ("confidence >", "expected a field or a value, got the end of the expression"),
    ] {
        let output = run(&["label", "--model", "fast", "--where", expression, PAGES]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{expression}");
        let told = stderr(&output);
        let lines: Vec<&str> = told.lines().collect();
        assert!(lines[0].starts_with("copydesk: --where: ") && lines[0].contains(message), "{told}");
        assert_eq!((lines.len(), lines[1]), (3, format!("  {expression}").as_str()));
        assert!(lines[2].trim_start().chars().all(|c| c == '^') && lines[2].ends_with('^'), "{told}");
    }
    let hostile = format!("{}label == null", "(".repeat(10_000));
    let output = run(&["stats", "--where", &hostile, COMMENTS]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("inside each other"), "{}", stderr(&output));
}

#[test]
fn stats_count_known_rows() {
    let stats = |arguments: &[&str]| -> Value {
        let output = run_with(&[&["stats", "-q", "--json"], arguments].concat(), labelled().as_bytes());
        rows(&output, 0).remove(0)
    };
    let all = stats(&[]);
    for (field, expected) in [
        ("rows", json!(11)),
        ("documents", json!(3)),
        ("documents_exact", json!(true)),
        ("without_label", json!(1)),
        ("tokens", json!(100)),
        ("tokens_per_row", json!(10.0)),
        ("rows_in_windows", json!(1)),
        ("confidence_histogram", json!([1, 1, 1, 2, 1, 1, 1, 1, 1, 1])),
        (
            "by",
            json!({"values": [{"value": "page-0.txt", "rows": 4}, {"value": "page-1.txt", "rows": 4}, {"value": "page-2.txt", "rows": 3}],
            "others": 0, "without": 0, "too_low_by_at_most": 0}),
        ),
        (
            "reason",
            json!({"values": [{"value": "not English", "rows": 1}], "others": 0, "without": 10, "too_low_by_at_most": 0}),
        ),
    ] {
        assert_eq!(all[field], expected, "{field}");
    }
    let labels: Vec<(&str, u64)> = all["labels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|label| (label["label"].as_str().unwrap(), label["rows"].as_u64().unwrap()))
        .collect();
    assert_eq!(labels, [("opinion", 6), ("other", 4)]);
    assert_eq!(all["labels"][0]["examples"].as_array().unwrap().len(), 3);
    assert_eq!((&all["least_sure"][0]["text"], &all["least_sure"][4]["confidence"]), (&json!("Text 0."), &json!(0.35)));
    let some = stats(&["--where", "label == 'other' and paragraph < 9", "--by", "lang"]);
    assert_eq!((&some["rows"], &some["left_out"], &some["by_field"]), (&json!(3), &json!(8), &json!("lang")));
    assert_eq!(some["by"]["values"], json!([{"value": "en", "rows": 3}]));
    let table = stdout(&run_with(&["stats", "-q"], labelled().as_bytes()));
    assert!(table.starts_with("11 rows of 3 documents; mean confidence "), "{table}");
    assert!(table.contains("(no label)") && table.contains('█') && table.contains("Least sure"), "{table}");
}

#[test]
fn stats_of_what_label_wrote_are_those_of_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.jsonl");
    assert!(run(&["label", "-q", "--model", "fast", "-o", arg(&file), PAGES]).status.success());
    let stats = rows(&run(&["stats", "-q", "--json", arg(&file)]), 0).remove(0);
    let written: Vec<Value> =
        fs::read_to_string(&file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((stats["rows"].as_u64(), stats["documents"].as_u64()), (Some(written.len() as u64), Some(13)));
    for label in stats["labels"].as_array().unwrap() {
        let rows = written.iter().filter(|row| row["label"] == label["label"]).count();
        assert_eq!(label["rows"].as_u64(), Some(rows as u64));
    }
}

#[test]
fn head_shows_the_first_rows_or_a_sample() {
    let head = |arguments: &[&str]| {
        let output = run_with(&[&["head"], arguments].concat(), labelled().as_bytes());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let ten = head(&[]);
    assert_eq!((ten.len(), ten[9].trim_start()), (10, "other  95.0%  page-2.txt 9          Text 9."));
    assert_eq!(head(&["-n", "2"]), ten[..2]);
    assert_eq!(head(&["--label", "other", "-n", "1"]), ten[6..7]);
    assert_eq!(head(&["--where", "label == null"]), ["  (no label)  30.0%  page-2.txt 10"]);
    let sample = head(&["--sample", "4"]);
    assert!(sample.len() == 4 && sample.iter().collect::<std::collections::HashSet<_>>().len() == 4);
    assert_eq!((head(&["--sample", "4", "--seed", "1"]), head(&["--sample", "50"]).len()), (sample.clone(), 11));
    assert!((2..9).any(|seed| head(&["--sample", "4", "--seed", &seed.to_string()]) != sample));
    let none = run_with(&["head", "--where", "stars > 3"], labelled().as_bytes());
    assert_eq!((none.status.code(), none.stdout.len()), (Some(0), 0));
    assert!(stderr(&none).contains("none of 11 rows") && stderr(&none).contains("`stars`"), "{}", stderr(&none));
}

#[test]
fn what_is_not_labelled_is_told_once_and_the_rest_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let (plain, good) = (folder.path().join("plain.jsonl"), folder.path().join("rows.jsonl"));
    fs::write(&plain, "{\"text\": \"a\"}\n".repeat(100)).unwrap();
    fs::write(&good, labelled() + "{\"text\": \"a\"}\n{\"label\": 7}\n{\n").unwrap();
    let alone = run(&["stats", arg(&plain)]);
    assert_eq!((alone.status.code(), alone.stdout.len()), (Some(2), 0));
    let told = stderr(&alone);
    assert!(
        told.lines().count() == 1 && told.contains("has no field `label`; copydesk label makes such rows"),
        "{told}"
    );
    let page = run(&["head", "data/pages/bus-lanes-op-ed.txt"]);
    assert!(page.status.code() == Some(2) && stderr(&page).contains("copydesk label makes such rows"));
    let both = run(&["stats", "--json", arg(&plain), arg(&good)]);
    let stats = rows(&both, 1).remove(0);
    assert_eq!(stats["rows"], 11);
    assert_eq!(stderr(&both).lines().count(), 4, "{}", stderr(&both));
}

#[test]
fn rows_cannot_steer_the_terminal() {
    let row = "{\"doc\": \"a\\u001b[2Jb\", \"label\": \"x\\u001b[31m\", \"confidence\": 0.5, \"lang\": \"\\u0007\", \"text\": \"\\u001b]0;t\\u0007\"}\n";
    for arguments in [&["head"][..], &["stats"], &["stats", "--by", "text"]] {
        let output =
            run_with(&[arguments, &["--where", "confidence == 0.5 and text != '\u{1b}[2J'"]].concat(), row.as_bytes());
        assert!(output.status.success() && !output.stdout.is_empty());
        assert!(!stdout(&output).contains(['\u{1b}', '\u{7}']), "{}", stdout(&output));
    }
    let wrong = run(&["head", "--where", "text == '\u{1b}[2J' x", COMMENTS]);
    assert!(wrong.status.code() == Some(2) && !stderr(&wrong).contains('\u{1b}'));
}
