//! What the command says of inputs that it cannot use, on the built binary.

mod common;

use common::{arg, rows, run, run_with, stderr, stdout};
use serde_json::{Value, json};
use std::fs;
use std::process::Stdio;

fn parsed(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).expect("a row is JSON")).collect()
}

#[test]
fn many_records_without_the_field_are_told_in_a_few_lines() {
    let input: String = (0..200_000).map(|number| format!("{{\"content\": \"Comment {number}.\"}}\n")).collect();
    let output = run_with(&["label", "--unit", "record", "--model", "fast"], input.as_bytes());
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    let messages = stderr(&output);
    let lines: Vec<&str> = messages.lines().collect();
    assert!(lines.len() < 12, "{messages}");
    assert_eq!(lines[0], "copydesk: -:1: no field `text`");
    assert!(messages.contains("200000 in all like: no field `text`"), "{messages}");
    assert!(messages.contains("did you mean --text-field content?"), "{messages}");
    assert!(messages.contains("--errors FILE"), "{messages}");
}

#[test]
fn without_a_model_everything_is_read_and_written_and_nothing_labelled() {
    let input = "The ferry sank in 1958.\n\nWhat a beautiful ship she was.\n".as_bytes();
    let labelled = rows(&run_with(&["label", "-q", "--model", "nano"], input), 0);
    let unlabelled = rows(&run_with(&["label", "-q", "--model", "none"], input), 0);
    assert_eq!(unlabelled.len(), labelled.len());
    for (with, without) in labelled.iter().zip(&unlabelled) {
        for field in ["doc", "paragraph", "start", "end"] {
            assert_eq!(with[field], without[field], "{field}");
        }
        assert!(with["label"].is_string());
        assert_eq!((&without["label"], &without["tokens"]), (&Value::Null, &json!(0)));
    }
    let explained = run_with(&["label", "--model", "none", "--explain", "3"], input);
    assert_eq!(explained.status.code(), Some(2));
    assert!(stderr(&explained).contains("without a model"), "{}", stderr(&explained));
    // What needs labels takes it for the name of a folder.
    assert_eq!(run(&["eval", "--model", "none", "--data", "data/labels.jsonl"]).status.code(), Some(2));
}

#[test]
fn a_dot_leads_into_an_object() {
    let input = br#"{"data": {"text": "The ferry sank in 1958."}, "meta": {"page": "a"}}
{"data": {"text": "What a beautiful ship she was."}, "meta": {"page": "a"}}
"#;
    let lost = run_with(&["label", "-q", "--unit", "record", "--model", "fast"], input);
    assert_eq!(lost.status.code(), Some(2));
    assert!(stderr(&lost).contains("did you mean --text-field data.text?"), "{}", stderr(&lost));
    let arguments = ["label", "-q", "--unit", "record", "--model", "fast", "--text-field", "data.text"];
    let alone = rows(&run_with(&arguments, input), 0);
    assert_eq!(alone.len(), 2);
    let together = rows(&run_with(&[&arguments[..], &["--page-field", "meta.page"]].concat(), input), 0);
    assert_ne!(alone[1]["scores"], together[1]["scores"]);
    let paragraphs = rows(&run_with(&["label", "-q", "--model", "fast", "--text-field", "data.text"], input), 0);
    assert_eq!(paragraphs.len(), 2);
}

#[test]
fn every_message_can_be_read_back_from_the_file_of_errors() {
    let folder = tempfile::tempdir().unwrap();
    let (input, errors) = (folder.path().join("rows.jsonl"), folder.path().join("errors.jsonl"));
    let mut lines: Vec<String> = (0..8).map(|number| format!("{{\"id\": {number}, \"body\": \"“x”\\n\"}}")).collect();
    lines.push("{\"text\": \"A comment.\"}".to_owned());
    lines.push("{\"text\": 5}".to_owned());
    lines.push("{\"text\": ".to_owned());
    fs::write(&input, lines.join("\n")).unwrap();
    let output = run(&["label", "-q", "--unit", "record", "--model", "fast", "--errors", arg(&errors), arg(&input)]);
    assert_eq!(rows(&output, 1).len(), 1);
    assert!(!stderr(&output).contains("--errors FILE"), "{}", stderr(&output));
    let told = parsed(&fs::read_to_string(&errors).unwrap());
    assert_eq!(told.len(), 10);
    for (row, number) in told.iter().zip([1, 2, 3, 4, 5, 6, 7, 8, 10, 11]) {
        assert_eq!((&row["file"], &row["line"]), (&json!(arg(&input)), &json!(number)));
        assert!(!row["reason"].as_str().unwrap().is_empty());
    }
    let kinds: Vec<&str> = told.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!((kinds[0], kinds[7]), ("missing_field", "missing_field"));
    assert!(kinds[7] != kinds[8] && kinds[8] != kinds[9], "{kinds:?}");
    // What was set aside can be used once it is mended.
    let again: String = told.iter().take(8).map(|row| format!("{}\n", row["input"].as_str().unwrap())).collect();
    let again = rows(&run_with(&["label", "-q", "--unit", "record", "--text-field", "body"], again.as_bytes()), 0);
    assert_eq!(again.len(), 8);
}

#[cfg(unix)]
#[test]
fn a_closed_standard_error_does_no_harm() {
    let script = "exec \"$0\" label --unit record --model fast 2>&-";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_copydesk")]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, b"{\"text\": \"A comment.\"}\n{\"body\": 1}\n").unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(rows(&output, 1).len(), 1);
}

#[test]
fn a_comment_without_a_text_stays_with_the_genuine_ones() {
    let objects =
        "{\"id\": 1, \"text\": \" \"}\n{\"id\": 2, \"spam\": \"x\"}\n{\"id\": 3, \"text\": \"I think so too.\"}\n";
    let array = format!("[{}]", objects.trim_end().replace('\n', ",\n"));
    let unjudged = |mut row: Value, reason: &str| {
        let added = json!({"spam": false, "spam_score": null, "reason": reason, "lang": null});
        row.as_object_mut().unwrap().extend(added.as_object().unwrap().clone());
        row
    };
    for input in [objects, &array] {
        let output = run_with(&["filter", "--model", "fast", "--threshold", "1"], input.as_bytes());
        let genuine = rows(&output, 1);
        assert_eq!(genuine.iter().map(|row| &row["id"]).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(genuine[0], unjudged(json!({"id": 1, "text": " "}), "the text is blank"));
        assert_eq!(genuine[1], unjudged(json!({"id": 2, "input_spam": "x"}), "no field `text`"));
        assert!(genuine[2]["spam_score"].is_number() && genuine[2]["reason"].is_string());
        let summary = stderr(&output);
        assert!(summary.contains("genuine 1, spam 0"), "{summary}");
        assert!(summary.contains("not judged and kept with the genuine ones 2"), "{summary}");
    }
    // A blank line of plain text is no comment; a line that is no JSON stands among the errors alone.
    let lines = run_with(&["filter", "-q", "--model", "fast", "--threshold", "1"], b"One.\n \n\nTwo.\n");
    assert_eq!((stdout(&lines).as_str(), lines.status.code()), ("One.\nTwo.\n", Some(0)));
    let folder = tempfile::tempdir().unwrap();
    let errors = folder.path().join("errors.jsonl");
    let arguments = ["filter", "-q", "--model", "fast", "--threshold", "1", "--errors", arg(&errors)];
    let broken = run_with(&arguments, b"{\"text\": \"One.\"}\n{\"text\": \"Tw\n{\"text\": \"Three.\"}\n");
    assert_eq!(rows(&broken, 1).len(), 2);
    assert_eq!(parsed(&fs::read_to_string(&errors).unwrap()).len(), 1);
}

#[test]
fn spam_has_an_exit_status_on_request() {
    let filter = |arguments: &[&str], input: &[u8]| {
        run_with(&[&["filter", "-q", "--model", "fast"], arguments].concat(), input).status.code()
    };
    let comment = b"{\"text\": \"Anything.\"}\n";
    assert_eq!(filter(&["--threshold", "0", "--exit-code"], comment), Some(3));
    assert_eq!(filter(&["--threshold", "0"], comment), Some(0));
    assert_eq!(filter(&["--threshold", "1", "--exit-code"], comment), Some(0));
    assert_eq!(filter(&["--threshold", "0", "--exit-code"], b"{\"text\": \"Anything.\"}\n{\"body\": 1}\n"), Some(1));
}

#[test]
fn file_and_line_tell_records_of_one_name_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("a.jsonl"), folder.path().join("b.jsonl"));
    let record = "{\"id\": 7, \"text\": \"A first one.\\n\\nA second one.\"}\n";
    fs::write(&first, record.repeat(2)).unwrap();
    fs::write(&second, record).unwrap();
    for (unit, each) in [("record", 1), ("paragraph", 2)] {
        let arguments = ["label", "-q", "--model", "fast", "--with-source", "--unit", unit, arg(&first), arg(&second)];
        let labelled = rows(&run(&arguments), 0);
        let mut found: Vec<(&Value, &Value)> = labelled.iter().map(|row| (&row["file"], &row["line"])).collect();
        assert_eq!(found.len(), 3 * each);
        found.dedup();
        let (a, b) = (json!(arg(&first)), json!(arg(&second)));
        assert_eq!(found, [(&a, &json!(1)), (&a, &json!(2)), (&b, &json!(1))]);
        let csv = stdout(&run(&[&arguments[..], &["--output-format", "csv"]].concat()));
        let mut lines = csv.lines();
        assert!(lines.next().unwrap().split(',').any(|name| name == "file"), "{csv}");
        let with = |file: &str, line: u32| csv.lines().filter(|row| row.contains(&format!("{file},{line},"))).count();
        assert_eq!((with(arg(&first), 1), with(arg(&first), 2), with(arg(&second), 1)), (each, each, each), "{csv}");
    }
}

#[test]
fn tables_fit_80_columns() {
    for arguments in [
        &["models"][..],
        &["eval", "-q", "--model", "fast", "--robustness", "--data", "data/labels.jsonl"],
        &["bench", "--model", "fast", "--limit", "20", "--repeats", "1"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        for line in stdout(&output).lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}

#[cfg(not(feature = "train"))]
#[test]
fn a_command_of_training_names_its_feature() {
    let output = common::copydesk().args(["train", "--data", "rows.jsonl"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("`train` needs the feature train"), "{}", stderr(&output));
}
