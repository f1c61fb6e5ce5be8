//! The embedded models by name, and the cascade of two, on the built binary.

mod common;

#[cfg(feature = "train")]
use common::arg;
use common::{copydesk, rows, run, stderr, stdout};
use serde_json::Value;
use std::fs;

const LABELS: &str = "data/labels.jsonl";

/// Rows of `model` for the labelled records, each on its page; the number of threads must not matter.
fn label(model: &str) -> Vec<Value> {
    let outputs = ["1", "2"].map(|threads| {
        let arguments =
            ["label", "-q", "--unit", "record", "--page-field", "doc", "--model", model, "--threads", threads];
        run(&[&arguments[..], &[LABELS]].concat())
    });
    assert_eq!(outputs[0].stdout, outputs[1].stdout, "{model}");
    rows(&outputs[0], 0)
}

fn entries() -> Vec<Value> {
    rows(&run(&["models", "--json"]), 0)
}

fn entry<'a>(entries: &'a [Value], name: &str) -> &'a Value {
    entries.iter().find(|entry| entry["name"] == name).expect("the model is listed")
}

#[test]
fn the_cascade_says_what_fast_says_where_that_is_sure_and_hides_nothing() {
    let entries = entries();
    let threshold = entry(&entries, "auto")["cascade"]["threshold"].as_f64().unwrap();
    let cascade: Value = serde_json::from_str(&fs::read_to_string("models/auto/cascade.json").unwrap()).unwrap();
    let asks: Vec<(&str, f64)> = cascade["ask"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|ask| (ask["label"].as_str().unwrap(), ask["from"].as_f64().unwrap()))
        .collect();
    let (fast, auto, base) = (label("fast"), label("auto"), label("base"));
    assert_eq!((fast.len(), auto.len()), (base.len(), base.len()));
    assert_ne!(fast, base);
    let (mut sure, mut unsure) = (0, 0);
    for (fast, auto) in fast.iter().zip(&auto) {
        // What is written is rounded to six decimals.
        let confidence = fast["confidence"].as_f64().unwrap();
        let hides =
            |margin: f64| asks.iter().any(|(label, from)| fast["scores"][label].as_f64().unwrap() >= from + margin);
        if confidence >= threshold + 1e-6 && !hides(-1e-6) {
            assert_eq!(fast, auto);
            sure += 1;
        } else if confidence < threshold - 1e-6 || hides(1e-6) {
            assert_eq!((&fast["tokens"], &fast["windows"]), (&auto["tokens"], &auto["windows"]));
            assert_ne!(fast["scores"], auto["scores"]);
            unsure += 1;
        }
    }
    assert!(sure + unsure >= fast.len() - 1, "{sure} {unsure}");
    assert!(sure > 0 && unsure > 0, "{sure} {unsure}");
}

#[test]
fn four_models_are_listed_and_one_is_the_default() {
    let entries = entries();
    let names: Vec<&str> = entries.iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["base", "fast", "nano", "auto"]);
    assert_eq!(entries.iter().filter(|entry| entry["default"] == true).count(), 1);
    let (base, fast, nano, auto) = (&entries[0], &entries[1], &entries[2], &entries[3]);
    let number = |entry: &Value, field: &str| entry[field].as_f64().unwrap();
    for field in ["parameters", "bytes"] {
        assert!(number(fast, field) < 0.6 * number(base, field));
        assert!(number(nano, field) < 0.6 * number(fast, field));
        assert!(number(auto, field) >= number(fast, field) + number(base, field));
    }
    for entry in [base, fast, nano] {
        let operations = &entry["operations_per_token"];
        assert!(0.0 < number(operations, "computed") && number(operations, "computed") < number(operations, "full"));
        assert_eq!(entry["network"]["digest"].as_str().unwrap().len(), 16);
    }
    assert_eq!((&auto["cascade"]["small"], &auto["cascade"]["large"]), (&"fast".into(), &"base".into()));
    let table = stdout(&run(&["models"]));
    for name in names {
        assert_eq!(table.lines().filter(|line| line.starts_with(name)).count(), 2, "{table}");
    }
}

#[test]
fn an_embedded_name_wins_over_a_folder_that_is_not_written_as_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("fast")).unwrap();
    fs::write(folder.path().join("page.txt"), "The council voted.\n").unwrap();
    let label = |model: &str| {
        copydesk().current_dir(folder.path()).args(["label", "--model", model, "page.txt"]).output().unwrap()
    };
    assert_eq!(rows(&label("fast"), 0).len(), 1);
    for missing in ["./fast", "slow"] {
        let refused = label(missing);
        assert_eq!((refused.status.code(), stdout(&refused).as_str()), (Some(2), ""));
        assert!(stderr(&refused).contains(&format!("no such file: {missing}/config.json")), "{}", stderr(&refused));
    }
}

#[test]
fn every_command_takes_the_cascade() {
    let arguments =
        ["eval", "-q", "--json", "--model", "auto", "--page-field", "doc", "--data", "data/dev-small.jsonl"];
    assert!(rows(&run(&arguments), 0)[0]["all"]["macro_f1"]["value"].as_f64().unwrap() > 0.3);
    let filtered = run(&["filter", "--model", "auto", "--lose", "0.01", "data/comments.jsonl"]);
    assert_eq!(filtered.status.code(), Some(0), "{}", stderr(&filtered));
    let measured = run(&["bench", "--json", "--model", "auto", "--threads", "2", "--repeats", "1", "--limit", "40"]);
    let asked = rows(&measured, 0)[0]["asked_large"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&asked));
    for option in [&["--precision", "f32"][..], &["--protocol", "--mode", "1", "--workload", LABELS]] {
        let refused = run(&[&["bench", "--model", "auto"], option].concat());
        assert_eq!(refused.status.code(), Some(2));
        assert!(stderr(&refused).contains(&format!("{} needs a model of one network", option[0])));
    }
}

#[cfg(feature = "train")]
#[test]
fn a_cascade_is_chosen_on_held_out_rows_and_used() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("mine");
    let arguments = ["cascade", "--small", "fast", "--large", "base", "--calibrate", "data/dev-small.jsonl", "--json"];
    let output = run(&[&arguments[..], &["--out", arg(&out)]].concat());
    let figures = &rows(&output, 0)[0];
    let asked: Vec<f64> = figures["curve"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point["on_page"]["tokens_asked"].as_f64().unwrap())
        .collect();
    // Without a threshold the large model is asked for the sake of spam alone.
    assert!(asked.is_sorted() && 0.0 < asked[0] && asked[0] < 1.0 && asked[asked.len() - 1] == 1.0, "{asked:?}");
    let written: Value = serde_json::from_slice(&fs::read(out.join("cascade.json")).unwrap()).unwrap();
    assert_eq!((&written["name"], &written["small"]["name"]), (&"mine".into(), &"fast".into()));
    assert_eq!(written["threshold"], figures["chosen"]["choice"]["threshold"]);
    assert_eq!(written["ask"].as_array().unwrap().len(), 1);
    assert_eq!(written["ask"][0]["label"], "comment_spam");
    assert_eq!(written["ask"][0]["from"], figures["asks"][0]["from"]);
    // The command's figure and an evaluation of what it wrote are the same.
    let eval = run(&["eval", "-q", "--json", "--model", arg(&out), "--data", "data/dev-small.jsonl"]);
    let macro_f1 = &rows(&eval, 0)[0]["all"]["macro_f1"];
    assert_eq!(*macro_f1, written["data"]["development"]["macro_f1"]);
    assert_eq!(macro_f1["value"], figures["chosen"]["alone"]["macro_f1"]);
}
