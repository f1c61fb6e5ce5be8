//! The contract of `copydesk bench`, on the built binary.

mod common;

use common::{arg, rows, run, run_with, stderr, stdout};
use serde_json::{Value, json};
use std::fs;

#[test]
fn figures_are_one_json_object() {
    let output =
        run(&["bench", "--json", "--model", "base", "--threads", "2", "--repeats", "2", "--limit", "5", "data/pages"]);
    let rows = rows(&output, 0);
    let [figures] = rows.as_slice() else { panic!("expected one row, got {rows:?}") };
    assert_eq!((&figures["model"], &figures["precision"]), (&json!("base"), &json!("int8")));
    assert_eq!((&figures["threads"], &figures["paragraphs"], &figures["repeats"]), (&json!(2), &json!(5), &json!(2)));
    let number = |value: &Value| value.as_f64().expect("a number");
    let tokens = number(&figures["tokens"]);
    assert!((number(&figures["tokens_per_paragraph"]) - tokens / 5.0).abs() < 1e-9);
    for name in ["paragraphs_per_second", "tokens_per_second", "encoder_operations_per_second"] {
        let spread = &figures[name];
        let (min, median, max) = (number(&spread["min"]), number(&spread["median"]), number(&spread["max"]));
        assert!(0.0 < min && min <= median && median <= max, "{spread}");
    }
    let share = &figures["time_share"];
    assert!((number(&share["tokenising"]) + number(&share["encoding"]) - 1.0).abs() < 1e-9);
    // Operations are the full model's, some of which are saved: the share may come near the ceiling, but not far above it.
    let fraction = number(&figures["int8_ceiling_fraction"]);
    assert!(0.0 < fraction && fraction < 2.0, "{figures}");
    if cfg!(target_os = "linux") {
        assert!(number(&figures["cpu_seconds"]["min"]) > 0.0, "{figures}");
        let fraction = number(&figures["int8_ceiling_fraction_of_cpu_time"]);
        assert!(0.0 < fraction && fraction < 2.0, "{figures}");
    }
}

#[test]
fn the_table_and_f32_need_no_input() {
    let output = run(&["bench", "--repeats", "1", "--limit", "2", "--model", "base", "--precision", "f32"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).starts_with("model base, f32 on "), "{}", stdout(&output));
}

#[test]
fn bad_inputs_are_told_and_counted() {
    let output = run(&["bench", "--json", "--repeats", "1", "data/bad/broken.jsonl", "no/such/file"]);
    assert_eq!(rows(&output, 1)[0]["paragraphs"], 2);
    assert!(stderr(&output).contains("no/such/file"), "{}", stderr(&output));
    let output = run(&["bench", "no/such/file"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""));
    assert!(stderr(&output).contains("nothing to measure"), "{}", stderr(&output));
}

#[test]
fn the_protocol_answers_each_request() {
    let folder = tempfile::tempdir().unwrap();
    let (workload, dump) = (folder.path().join("workload.jsonl"), folder.path().join("logits"));
    fs::write(&workload, "{\"text\": \"A short text.\"}\n{\"text\": \"Another text that is longer.\"}\n").unwrap();
    let requests = [
        json!({"batch": 8, "order": "sorted", "text": 1, "limit": null, "stride": 1, "dump": arg(&dump)}),
        json!({"batch": 1, "order": "arrival", "text": 0, "limit": 1}),
    ];
    let input = requests.map(|request| format!("{request}\n")).concat();
    let arguments = ["bench", "--model", "base", "--protocol", "--mode", "2s", "--workload", arg(&workload)];
    let answers = rows(&run_with(&arguments, input.as_bytes()), 0);
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[0]["ready"], "copydesk base");
    assert_eq!((&answers[1]["n"], &answers[2]["n"]), (&json!(2), &json!(1)));
    // [CLS] a short text . [SEP]
    assert_eq!((&answers[2]["tokens"], &answers[2]["padded"]), (&json!(6), &json!(6)));
    assert!(answers.iter().skip(1).all(|answer| answer["secs"].as_f64().is_some_and(|secs| secs > 0.0)));
    let logits = fs::read(&dump).unwrap();
    assert_eq!(logits.len(), 2 * 5 * 4);
    assert!(logits.chunks_exact(4).all(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()).is_finite()));
}

#[test]
fn a_bad_request_or_workload_ends_the_protocol() {
    let folder = tempfile::tempdir().unwrap();
    let workload = folder.path().join("workload.jsonl");
    fs::write(&workload, "{\"text\": \"A text.\"}\n").unwrap();
    let arguments = ["bench", "--model", "base", "--protocol", "--mode", "1", "--workload", arg(&workload)];
    for request in ["hello", r#"{"batch": 0, "order": "sorted", "text": 0}"#] {
        let output = run_with(&arguments, format!("{request}\n").as_bytes());
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("protocol: request 1: "), "{}", stderr(&output));
    }
    fs::write(&workload, "{\"text\": \"A text.\"}\n{\"text\": 3}\n").unwrap();
    let output = run_with(&arguments, b"");
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""));
    assert!(stderr(&output).contains(":2: "), "{}", stderr(&output));
}
