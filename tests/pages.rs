//! Paragraphs beside their page's others, on the built binary.

mod common;

use common::{rows, run, run_with, stderr, stdout};
use serde_json::{Value, json};
use std::fs;

const LABELS: &str = "data/labels.jsonl";

fn records() -> Vec<Value> {
    fs::read_to_string(LABELS).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn lines(records: &[Value]) -> Vec<u8> {
    records.iter().map(|record| format!("{record}\n")).collect::<String>().into_bytes()
}

#[test]
fn neighbours_count_and_nothing_else_does() {
    let arguments = ["label", "--quiet", "--unit", "record", "--page-field", "doc", "-"];
    let records = records();
    let on_page = rows(&run_with(&arguments, &lines(&records)), 0);
    let alone = rows(&run(&["label", "--quiet", "--unit", "record", LABELS]), 0);
    assert_ne!(on_page, alone);
    // A page by itself, whatever came before it in the file.
    let doc = &records[records.len() - 1]["doc"];
    let page: Vec<Value> = records.iter().filter(|record| record["doc"] == *doc).cloned().collect();
    assert!(page.len() > 3 && page.len() < records.len());
    let by_itself = rows(&run_with(&arguments, &lines(&page)), 0);
    assert_eq!(by_itself[..], on_page[on_page.len() - page.len()..]);
    // Every record a page of its own.
    let numbered: Vec<Value> =
        records.iter().enumerate().map(|(number, record)| json!({"text": record["text"], "doc": number})).collect();
    for (row, expected) in rows(&run_with(&arguments, &lines(&numbered)), 0).iter().zip(&alone) {
        assert_eq!(row["scores"], expected["scores"]);
    }
}

#[test]
fn the_number_of_threads_changes_no_byte_of_a_page() {
    let label = |threads: &str| {
        stdout(&run(&["label", "-q", "--unit", "record", "--page-field", "doc", "--threads", threads, LABELS]))
    };
    assert_eq!(label("1"), label("3"));
}

#[test]
fn paragraphs_of_a_text_are_its_page() {
    let page = b"The old bridge is shut.\n\nShare this page\n\nI think that is a disgrace.\n";
    let by_text = rows(&run_with(&["label", "-q", "-"], page), 0);
    let records: Vec<Value> =
        String::from_utf8_lossy(page).split("\n\n").map(|text| json!({"text": text.trim(), "page": "x"})).collect();
    let by_record =
        rows(&run_with(&["label", "-q", "--unit", "record", "--page-field", "page", "-"], &lines(&records)), 0);
    let scores = |rows: &[Value]| rows.iter().map(|row| row["scores"].clone()).collect::<Vec<_>>();
    assert_eq!(scores(&by_text), scores(&by_record));
    let refused = run(&["label", "--page-field", "page", LABELS]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("--unit record"), "{}", stderr(&refused));
}

#[test]
fn evaluation_takes_pages_and_noise() {
    let eval = |extra: &[&str]| -> Value {
        let output = run(&[&["eval", "-q", "--json", "--data", "data/dev-small.jsonl"], extra].concat());
        serde_json::from_str(&stdout(&output)).unwrap()
    };
    let (alone, on_page) = (eval(&[]), eval(&["--page-field", "doc", "--robustness"]));
    assert_ne!(alone["all"]["negative_log_likelihood"], on_page["all"]["negative_log_likelihood"]);
    assert!(alone.get("robustness").is_none());
    let noises: Vec<&str> =
        on_page["robustness"].as_array().unwrap().iter().map(|noise| noise["noise"].as_str().unwrap()).collect();
    assert_eq!(noises.len(), 11);
    let drop = |name: &str| {
        let figures = on_page["robustness"].as_array().unwrap();
        figures.iter().find(|noise| noise["noise"] == name).unwrap()["changed_rows"].as_u64().unwrap()
    };
    // Alone the model's text levels these; on its page a changed length may still move a neighbour, but hardly a label.
    for name in ["quotes", "homoglyphs", "zero_width", "html_entities"] {
        assert!(drop(name) <= 3, "{name}: {}", drop(name));
    }
}

#[test]
fn a_record_that_cannot_be_used_leaves_its_page_together() {
    let arguments = ["label", "--quiet", "--unit", "record", "--page-field", "doc", "-"];
    let page: Vec<Value> = records().into_iter().take(6).collect();
    let whole = rows(&run_with(&arguments, &lines(&page)), 0);
    let mut broken = lines(&page[..2]);
    broken.extend(b"{\"doc\": broken\n");
    broken.extend(lines(&page[2..]));
    // Whatever follows in the file.
    for more in [Vec::new(), b"{\"text\": \"Another page.\", \"doc\": \"another\"}\n".to_vec()] {
        let input = [broken.clone(), more].concat();
        let rows = rows(&run_with(&arguments, &input), 1);
        for (row, expected) in rows.iter().zip(&whole) {
            assert_eq!(row["scores"], expected["scores"]);
        }
        assert!(rows.len() >= whole.len());
    }
}

#[test]
fn stored_operating_points_can_be_asked_for() {
    let comments = "data/comments.jsonl";
    let strict = run(&["filter", "--text-only", "--lose", "0.001", comments]);
    let loose = run(&["filter", "--text-only", "--lose", "0.01", comments]);
    assert_eq!((strict.status.code(), loose.status.code()), (Some(0), Some(0)), "{}", stderr(&strict));
    // The summary tells the threshold: the one that is stored for the share.
    let cascade: Value = serde_json::from_str(&fs::read_to_string("models/auto/cascade.json").unwrap()).unwrap();
    for (told, lose) in [(&strict, 0.001), (&loose, 0.01)] {
        let points = cascade["spam_operating_points"].as_array().unwrap();
        let stored = points.iter().find(|point| point["lose"] == lose).unwrap();
        let told = stderr(told);
        assert!(told.contains(&format!("(threshold {})", stored["threshold"])), "{told}");
    }
    let refused = run(&["filter", "--lose", "0.3", comments]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("0.001, 0.005, 0.01"), "{}", stderr(&refused));
}
