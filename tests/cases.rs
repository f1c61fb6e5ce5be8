//! The small cases that models are judged by and the texts in many languages: what they are made of, that no training row
//! resembles a case, and how many the built-in models get right.

mod common;

use common::{arg, rows, run};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

const LABELS: [&str; 5] = ["reporting", "opinion", "comment_spam", "quotation", "other"];

const KINDS: [&str; 11] = [
    "about_the_article",
    "evasion",
    "glued_heading",
    "letter_to_editor",
    "long_spam_tail",
    "markup_or_name",
    "pointer_to_facts",
    "quote_then_answer",
    "spam_tail",
    "thread",
    "verse",
];

/// Words of a shingle, the unit by which texts are compared.
const SHINGLE_WORDS: usize = 4;

/// A case resembles a training row that has this share of its shingles.
const RESEMBLES: f64 = 0.25;

fn data_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
}

fn read(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("a line is an object")).collect()
}

fn cases() -> Vec<Value> {
    read(&data_folder().join("cases.jsonl"))
}

fn field<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_else(|| panic!("no {name} in {row}"))
}

/// The words of a text in lower case, without what stands between them.
fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn shingles(text: &str) -> HashSet<Vec<String>> {
    words(text).windows(SHINGLE_WORDS).map(<[String]>::to_vec).collect()
}

#[test]
fn every_kind_has_cases_of_several_labels_in_both_parts() {
    let cases = cases();
    assert!(cases.len() >= 200);
    let ids: BTreeSet<&str> = cases.iter().map(|row| field(row, "id")).collect();
    assert_eq!(ids.len(), cases.len(), "an id stands twice");
    let mut kinds: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for row in &cases {
        assert!(LABELS.contains(&field(row, "label")), "{row}");
        assert!(matches!(field(row, "part"), "choose" | "held"), "{row}");
        kinds.entry(field(row, "kind")).or_default().push(row);
    }
    assert_eq!(kinds.keys().copied().collect::<Vec<_>>(), KINDS);
    for (kind, rows) in kinds {
        assert!(rows.len() >= 15, "{kind}: {} rows", rows.len());
        let held = rows.iter().filter(|row| row["part"] == "held").count() as f64 / rows.len() as f64;
        assert!((0.4..=0.6).contains(&held), "{kind}: {held} held back");
        let mut labels: BTreeMap<&str, usize> = BTreeMap::new();
        rows.iter().for_each(|row| *labels.entry(field(row, "label")).or_default() += 1);
        // A kind of one label would be passed by a model that knows the kind and cannot read.
        let most = labels.values().max().copied().unwrap_or(0);
        assert!(labels.len() >= 3 && most * 3 <= rows.len() * 2, "{kind}: {labels:?}");
    }
}

#[test]
fn rows_of_one_page_stand_together_in_one_part() {
    let cases = cases();
    let pages = cases.chunk_by(|left, right| left.get("doc") == right.get("doc"));
    let pages: Vec<&[Value]> = pages.filter(|rows| rows[0].get("doc").is_some()).collect();
    let names: BTreeSet<&str> = pages.iter().map(|rows| field(&rows[0], "doc")).collect();
    assert!(names.len() >= 8);
    assert_eq!(names.len(), pages.len(), "the rows of a page stand apart");
    for row in pages.iter().copied().flatten() {
        assert!(matches!(field(row, "region"), "article" | "comment" | "furniture"), "{row}");
    }
    for rows in pages {
        assert!(rows.iter().all(|row| row["part"] == rows[0]["part"] && row["kind"] == rows[0]["kind"]));
    }
}

#[test]
fn no_case_stands_twice_or_resembles_a_training_row() {
    let cases = cases();
    let texts: BTreeSet<Vec<String>> = cases.iter().map(|row| words(field(row, "text"))).collect();
    assert_eq!(texts.len(), cases.len(), "a text stands twice");
    let own = ["cases.jsonl", "languages.jsonl"];
    let files = fs::read_dir(data_folder()).expect("the folder can be listed").map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    let rows: Vec<Value> = files
        .filter(|path| !own.iter().any(|name| path.ends_with(name)))
        .flat_map(|path| read(&path))
        .filter(|row| row["text"].is_string())
        .collect();
    assert!(rows.len() > 3000);
    let mut rows_with: HashMap<Vec<String>, Vec<usize>> = HashMap::new();
    for (place, row) in rows.iter().enumerate() {
        assert!(!texts.contains(&words(field(row, "text"))), "a case is a training row: {row}");
        shingles(field(row, "text")).into_iter().for_each(|shingle| rows_with.entry(shingle).or_default().push(place));
    }
    for case in &cases {
        let shingles = shingles(field(case, "text"));
        let mut shared: HashMap<usize, usize> = HashMap::new();
        for &place in shingles.iter().filter_map(|shingle| rows_with.get(shingle)).flatten() {
            *shared.entry(place).or_default() += 1;
        }
        for (place, count) in shared {
            let share = count as f64 / shingles.len() as f64;
            assert!(share < RESEMBLES, "{share:.2} of {case} stands in {}", rows[place]);
        }
    }
}

#[test]
fn texts_in_many_languages_have_english_ones_beside_them() {
    let rows = read(&data_folder().join("languages.jsonl"));
    let mut languages: BTreeMap<&str, usize> = BTreeMap::new();
    rows.iter().for_each(|row| *languages.entry(field(row, "lang")).or_default() += 1);
    let texts: BTreeSet<&str> = rows.iter().map(|row| field(row, "text")).collect();
    assert_eq!(texts.len(), rows.len(), "a text stands twice");
    let (english, unreadable) = (languages["en"], languages["unreadable"]);
    assert!(english >= 60 && unreadable >= 15 && rows.len() - english >= 200, "{languages:?}");
    assert!(languages.len() >= 14, "{languages:?}");
}

/// The share of cases that a built-in model must get right.
struct Required {
    all: f64,
    each_kind: f64,
}

const REQUIRED: Required = Required { all: 0.9, each_kind: 0.8 };

#[test]
fn built_in_models_get_the_cases_right() {
    let mut short = Vec::new();
    for model in ["base", "auto"] {
        let cases = data_folder().join("cases.jsonl");
        let report = run(&[
            "eval",
            "-q",
            "--json",
            "--page-field",
            "doc",
            "--by",
            "kind",
            "--model",
            model,
            "--data",
            arg(&cases),
        ]);
        let report = &rows(&report, 0)[0];
        let all = report["all"]["accuracy"]["value"].as_f64().unwrap();
        if all < REQUIRED.all {
            short.push(format!("{model}, all: {all:.3}"));
        }
        let kinds = report["by"][0]["groups"].as_array().unwrap();
        assert_eq!(kinds.len(), KINDS.len());
        for kind in kinds {
            let (name, accuracy) = (&kind["value"], kind["accuracy"]["value"].as_f64().unwrap());
            if accuracy < REQUIRED.each_kind {
                short.push(format!("{model}, {name}: {accuracy:.3}"));
            }
        }
    }
    assert!(short.is_empty(), "below the required share:\n{}", short.join("\n"));
}
