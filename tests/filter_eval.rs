//! `copydesk filter` and `copydesk eval` on the built binary.

mod common;

use common::{arg, rows, run, run_unread, run_with, stderr, stdout};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const COMMENTS: &str = "data/comments.jsonl";
const LABELS: &str = "data/labels.jsonl";

fn read(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_comment_goes_to_one_side_by_its_score() {
    let score = |row: &Value| row["scores"]["comment_spam"].as_f64().unwrap();
    let labelled = rows(&run(&["label", "--quiet", "--unit", "record", "--region", "comment", COMMENTS]), 0);
    // Between the two scores in the middle, so that there are comments on both sides whatever the model.
    let mut scores: Vec<f64> = labelled.iter().map(score).collect();
    scores.sort_by(f64::total_cmp);
    let middle = scores.len() / 2;
    let threshold = (scores[middle - 1] + scores[middle]) / 2.0;
    let folder = tempfile::tempdir().unwrap();
    let spam = folder.path().join("spam.jsonl");
    let threshold_given = threshold.to_string();
    let options = ["filter", "--text-only", "--scores", "--threshold", &threshold_given, "--spam", arg(&spam)];
    let output = run(&[&options[..], &[COMMENTS]].concat());
    let (mut ham, mut spam) = (rows(&output, 0), read(&spam));
    for (rows, is_spam) in [(&mut ham, false), (&mut spam, true)] {
        for row in rows {
            assert_eq!((&row["spam"], &row["spam_score"]), (&json!(is_spam), &row["scores"]["comment_spam"]));
            assert!(row["reason"].is_string());
            for added in ["spam", "spam_score", "reason"] {
                row.as_object_mut().unwrap().remove(added);
            }
        }
    }
    let (below, above): (Vec<Value>, Vec<Value>) = labelled.into_iter().partition(|row| score(row) < threshold);
    assert_eq!((ham, spam), (below, above));
    let summary = stderr(&output);
    assert!(summary.contains(&format!("genuine {middle}, spam {}", scores.len() - middle)), "{summary}");
}

#[test]
fn spam_is_kept_where_nobody_reads_the_genuine_comments() {
    let folder = tempfile::tempdir().unwrap();
    let spam = folder.path().join("spam.jsonl");
    let output = run_unread(&["filter", "--quiet", "--threshold", "0.5", "--spam", arg(&spam), COMMENTS]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let whole = folder.path().join("whole.jsonl");
    run(&["filter", "--quiet", "--threshold", "0.5", "--spam", arg(&whole), COMMENTS]);
    let whole = fs::read_to_string(whole).unwrap();
    assert!(whole.lines().count() > 2);
    assert_eq!(fs::read_to_string(&spam).unwrap(), whole);
}

#[test]
fn lines_of_text_stay_as_they_are() {
    let input = b"A first comment.\r\n\n  I think so too.  \n\x81\n";
    let output = run_with(&["filter", "--quiet", "--threshold", "1"], input);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), "A first comment.\r\n  I think so too.  \n");
    assert!(stderr(&output).starts_with("copydesk: -:4: invalid UTF-8 at byte 1 of the line"), "{}", stderr(&output));
    let all_spam = run_with(&["filter", "--quiet", "--threshold", "0"], b"A comment.\n");
    assert_eq!((all_spam.status.code(), all_spam.stdout.len()), (Some(0), 0));
}

#[test]
fn one_file_is_not_written_twice() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("both");
    let output = run(&["filter", "--ham", arg(&file), "--spam", arg(&file), COMMENTS]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("would be written twice"));
}

#[test]
fn evaluation_leaves_unknown_labels_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.jsonl");
    let mut data: String =
        fs::read_to_string(LABELS).unwrap().lines().take(40).map(|line| format!("{line}\n")).collect();
    data.push_str("{\"text\": \"A text.\", \"label\": \"news\"}\n{\"text\": \"A text.\"}\n");
    fs::write(&file, data).unwrap();
    let reports =
        ["1", "2"].map(|threads| run(&["eval", "--json", "--quiet", "--threads", threads, "--data", arg(&file)]));
    assert_eq!(reports[0].stdout, reports[1].stdout);
    assert_eq!(rows(&reports[0], 1)[0]["all"]["rows"], 40);
    let messages = stderr(&reports[0]);
    assert!(messages.contains(":41: unknown label `news`"), "{messages}");
    assert!(messages.contains(":42: no field `label`"), "{messages}");
    let table = run(&["eval", "--quiet", "--data", arg(&file)]);
    assert_eq!(table.status.code(), Some(1));
    assert!(stdout(&table).contains("comment_spam"));
}

#[test]
fn accuracy_by_field_counts_every_row_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.jsonl");
    let row = |text: &str, label: &str, more: &str| format!("{{\"text\":\"{text}\",\"label\":\"{label}\"{more}}}\n");
    let data: String = [
        row("I think this is the worst idea they ever had.", "opinion", r#","kind":"short","new":true"#),
        row("I agree, it is a terrible plan and you know it.", "other", r#","kind":"short","new":false"#),
        row("You should really try the other road, it is lovely.", "opinion", r#","kind":7"#),
        row("Why on earth would anyone want that? I don't.", "opinion", ""),
    ]
    .concat();
    fs::write(&file, data).unwrap();
    let command = ["eval", "--quiet", "--data", arg(&file), "--model", "base"];
    let report = &rows(&run(&[&command[..], &["--json", "--by", "kind", "--by", "new"]].concat()), 0)[0];
    let groups = |field: usize| -> Vec<Value> {
        let groups = report["by"][field]["groups"].as_array().unwrap();
        groups.iter().map(|group| json!([group["value"], group["rows"], group["accuracy"]["value"]])).collect()
    };
    assert_eq!(report["by"][0]["field"], "kind");
    assert_eq!(groups(0), [json!(["short", 2, 0.5]), json!([null, 1, 1.0]), json!(["7", 1, 1.0])]);
    assert_eq!(groups(1), [json!([null, 2, 1.0]), json!(["false", 1, 0.0]), json!(["true", 1, 1.0])]);
    let table = stdout(&run(&[&command[..], &["--by", "kind"]].concat()));
    assert!(table.contains("\nBy kind\n") && table.contains("\n(no kind) "), "{table}");
    assert!(!table.contains("By new"), "{table}");
    assert_eq!(rows(&run(&[&command[..], &["--json"]].concat()), 0)[0].get("by"), None);
    let misspelt = run(&[&command[..], &["--by", "knid"]].concat());
    assert_eq!((misspelt.status.code(), misspelt.stdout.len()), (Some(2), 0));
    assert!(stderr(&misspelt).contains("no row has the field `knid` that --by names"), "{}", stderr(&misspelt));
}
