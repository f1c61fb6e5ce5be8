//! `copydesk filter` and `copydesk eval` on the built binary.

mod common;

use common::{arg, rows, run, run_with, stderr, stdout};
use serde_json::Value;
use std::fs;

const DATA: &str = "data/labels.jsonl";

#[test]
fn every_comment_goes_to_one_side_by_its_score() {
    let folder = tempfile::tempdir().unwrap();
    let spam = folder.path().join("spam.jsonl");
    let output = run(&["filter", "--threshold", "0.5", "--spam", arg(&spam), DATA]);
    let ham = rows(&output, 0);
    let spam: Vec<Value> =
        fs::read_to_string(&spam).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!spam.is_empty() && ham.len() > spam.len());
    assert_eq!(ham.len() + spam.len(), fs::read_to_string(DATA).unwrap().lines().count());
    let score = |row: &Value| row["scores"]["comment_spam"].as_f64().unwrap();
    assert!(ham.iter().all(|row| score(row) < 0.5 && row["input_label"].is_string()));
    assert!(spam.iter().all(|row| score(row) >= 0.5));
    let summary = stderr(&output);
    assert!(summary.contains(&format!("genuine {}, spam {} (threshold 0.5)", ham.len(), spam.len())), "{summary}");
}

#[test]
fn lines_of_text_stay_as_they_are() {
    let input = b"A first comment.\r\n\n  I think so too.  \n\xff\n";
    let output = run_with(&["filter", "--quiet", "--threshold", "1"], input);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), "A first comment.\r\n  I think so too.  \n");
    assert_eq!(stderr(&output), "copydesk: -:4: invalid UTF-8 at byte 1 of the line\n");
    let all_spam = run_with(&["filter", "--quiet", "--threshold", "0"], b"A comment.\n");
    assert_eq!((all_spam.status.code(), all_spam.stdout.len()), (Some(0), 0));
}

#[test]
fn one_file_is_not_written_twice() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("both");
    let output = run(&["filter", "--ham", arg(&file), "--spam", arg(&file), DATA]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("would be written twice"));
}

#[test]
fn evaluation_leaves_unknown_labels_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.jsonl");
    let mut data: String = fs::read_to_string(DATA).unwrap().lines().take(40).map(|line| format!("{line}\n")).collect();
    data.push_str("{\"text\": \"A text.\", \"label\": \"news\"}\n{\"text\": \"A text.\"}\n");
    fs::write(&file, data).unwrap();
    let reports =
        ["1", "2"].map(|threads| run(&["eval", "--json", "--quiet", "--threads", threads, "--data", arg(&file)]));
    assert_eq!(reports[0].stdout, reports[1].stdout);
    assert_eq!(rows(&reports[0], 1)[0]["all"]["rows"], 40);
    let messages = stderr(&reports[0]);
    assert!(messages.contains(":41: unknown label `news`"), "{messages}");
    assert!(messages.contains(":42: no field `label`"), "{messages}");
    let table = run(&["eval", "--quiet", "--data", DATA]);
    assert_eq!(table.status.code(), Some(0));
    assert!(stdout(&table).contains("comment_spam"));
}
