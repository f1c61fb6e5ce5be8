//! `copydesk explain` and `label --explain`, on the built binary, and the library's explanations.

mod common;

use common::{arg, copydesk, rows, run, run_with, stderr, stdout};
use copydesk::{Comment, CommentFilter, Copydesk, Region};
use serde_json::{Value, json};
use std::fs;

const PAGE: &str = "data/pages/tariff-comment-thread.txt";
const SPAM: &str =
    "Claim 200 free spins today, no deposit needed! Register at lucky-harbour.example/bonus before midnight and win.";

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn offsets(word: &Value) -> std::ops::Range<usize> {
    let at = |name: &str| word[name].as_u64().expect("an offset") as usize;
    at("start")..at("end")
}

/// The score of a label of a text that is read alone.
fn score(model: &str, text: &str, label: &str) -> f64 {
    let line = json!({ "text": text }).to_string();
    let output =
        run_with(&["label", "-q", "--unit", "record", "--input-format", "jsonl", "--model", model], line.as_bytes());
    number(&rows(&output, 0)[0]["scores"][label])
}

#[test]
fn a_weight_is_what_the_score_loses_without_the_word() {
    for model in ["fast", "auto"] {
        let output = run(&["explain", "-q", "--json", "--words", "3", "--model", model, SPAM]);
        let rows = rows(&output, 0);
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        let expected = [
            "doc",
            "paragraph",
            "start",
            "end",
            "label",
            "confidence",
            "scores",
            "tokens",
            "windows",
            "lang",
            "words",
            "neighbours",
            "models",
            "text",
        ];
        assert_eq!(keys(row), expected);
        let (text, label) = (row["text"].as_str().unwrap(), row["label"].as_str().unwrap());
        assert_eq!((text, label), (SPAM, "comment_spam"));
        let words = row["words"].as_array().unwrap();
        assert!((1..=3).contains(&words.len()), "{words:?}");
        let before = score(model, text, label);
        for word in words {
            assert_eq!(keys(word), ["word", "start", "end", "weight"]);
            let span = offsets(word);
            assert_eq!(word["word"], text[span.clone()]);
            let without = format!("{}{}", &text[..span.start], text[span.end..].trim_start());
            let weight = before - score(model, &without, label);
            assert!((weight - number(&word["weight"])).abs() < 2e-6, "{model}: {word} and {weight}");
            assert!(number(&word["weight"]) > 0.0);
        }
        assert!(words.is_sorted_by(|left, right| number(&left["weight"]) >= number(&right["weight"])));
        assert_eq!(row["neighbours"], json!([]));
        let models = if model == "auto" { json!(["fast", "base"]) } else { json!(["fast"]) };
        assert_eq!(row["models"], models, "spam is judged by both");
    }
}

#[test]
fn no_explanation_depends_on_threads_or_on_what_else_is_read() {
    let explained = |arguments: &[&str]| {
        let output = run(&[&["label", "-q", "--explain", "4", "--model", "fast"], arguments].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    let all = explained(&["--threads", "1", "data/pages"]);
    assert_eq!(explained(&["--threads", "3", "data/pages"]), all);
    let page = explained(&["--threads", "2", PAGE]);
    assert!(page.lines().count() > 20 && all.contains(&page));
    // The library gives the same.
    let text = fs::read_to_string(PAGE).unwrap();
    let desk = |threads| Copydesk::builder().model("fast").threads(threads).build().unwrap();
    let one = desk(1).explain(&text, 4).unwrap();
    assert_eq!(desk(3).explain(&text, 4).unwrap(), one);
    for ((paragraph, explanation), row) in one.iter().zip(page.lines()) {
        let row: Value = serde_json::from_str(row).unwrap();
        assert_eq!(explanation.label, paragraph.label);
        let words: Vec<_> = row["words"].as_array().unwrap().iter().map(offsets).collect();
        assert_eq!(words, explanation.words.iter().map(|word| word.span.clone()).collect::<Vec<_>>());
    }
}

#[test]
fn the_weight_of_a_neighbour_is_what_the_score_loses_without_it() {
    let text = fs::read_to_string(PAGE).unwrap();
    let output = run(&["explain", "-q", "--json", "--model", "fast", PAGE]);
    let rows_of_page = rows(&output, 0);
    let with_neighbours: Vec<&Value> =
        rows_of_page.iter().filter(|row| row["neighbours"].as_array().is_some_and(|list| !list.is_empty())).collect();
    assert!(with_neighbours.len() > 10, "{}", with_neighbours.len());
    let heaviest = |row: &&&Value| (number(&row["neighbours"][0]["weight"]) * 1e6) as u64;
    let row = with_neighbours.iter().max_by_key(heaviest).unwrap();
    let neighbour = &row["neighbours"][0];
    let (own, other) = (row["paragraph"].as_u64().unwrap(), neighbour["paragraph"].as_u64().unwrap());
    assert!(number(&neighbour["weight"]) > 0.001 && own != other);
    let gone = offsets(&rows_of_page[other as usize]);
    let edited = format!("{}{}", &text[..gone.start], &text[gone.end..]);
    let place = if other < own { own - 1 } else { own } as usize;
    let edited = rows(&run_with(&["label", "-q", "--with-text", "--model", "fast"], edited.as_bytes()), 0);
    assert_eq!(edited[place]["text"], row["text"]);
    let label = row["label"].as_str().unwrap();
    let weight = number(&row["scores"][label]) - number(&edited[place]["scores"][label]);
    assert!((weight - number(&neighbour["weight"])).abs() < 2e-6, "{neighbour} and {weight}");
}

#[test]
fn only_rows_that_are_written_are_explained_and_only_as_json() {
    let arguments = ["label", "-q", "--model", "fast", "--explain", "2", "--where", "label == 'comment_spam'", PAGE];
    let spam = rows(&run(&arguments), 0);
    assert!(!spam.is_empty());
    for row in &spam {
        assert_eq!(row["label"], "comment_spam");
        assert!((1..=2).contains(&row["words"].as_array().unwrap().len()), "{row}");
    }
    let line = format!("{}\n", json!({"words": 7, "text": format!("Ünd {SPAM}")}));
    let arguments = ["label", "-q", "--model", "fast", "--unit", "record", "--input-format", "jsonl", "--explain", "1"];
    let record = rows(&run_with(&arguments, line.as_bytes()), 0);
    assert_eq!(keys(&record[0]).first_chunk(), Some(&["input_words", "text"]));
    let bytes = offsets(&record[0]["words"][0]);
    let arguments =
        ["label", "-q", "--model", "fast", "--explain", "1", "--offsets", "chars", "--input-format", "jsonl"];
    let chars = offsets(&rows(&run_with(&arguments, line.as_bytes()), 0)[0]["words"][0]);
    assert_eq!((chars.start, chars.end), (bytes.start - 1, bytes.end - 1), "one letter of two bytes stands before it");
    for format in ["csv", "jsonl"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("rows.{format}"));
        let output = run(&["label", "-q", "--model", "fast", "--explain", "1", "-o", arg(&path), PAGE]);
        assert_eq!(
            (output.status.code(), path.exists()),
            if format == "csv" { (Some(2), false) } else { (Some(0), true) }
        );
    }
}

#[test]
fn a_person_sees_marks_in_colours_or_in_brackets() {
    let shown = |arguments: &[&str], no_color: bool| {
        let mut command = copydesk();
        command.args(["explain", "-q", "--model", "auto"]).args(arguments);
        if no_color {
            command.env("NO_COLOR", "1");
        } else {
            command.env_remove("NO_COLOR");
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    let plain = shown(&[SPAM], false);
    assert!(plain.contains("comment_spam") && plain.contains(" │ ") && !plain.contains('\x1b'), "{plain}");
    assert!(plain.contains('[') && plain.contains(" · ") && plain.contains("answered by fast and base"), "{plain}");
    assert_eq!(shown(&["--color", "never", SPAM], false), plain);
    assert_eq!(shown(&[SPAM], true), plain);
    let colored = shown(&["--color", "always", SPAM], true);
    assert!(colored.contains("\x1b[7m"), "an option counts more than the environment: {colored:?}");
    assert!(!colored.contains('['.to_string().repeat(2).as_str()));
    // A text on standard input is read the same.
    let output = run_with(&["explain", "-q", "--model", "auto"], SPAM.as_bytes());
    assert_eq!(stdout(&output), plain);
    let output = run(&["explain", "no-such-file.txt"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("no file of this name"), "{}", stderr(&output));
}

#[test]
fn the_deletion_test_is_told_with_its_intervals() {
    let arguments =
        ["eval", "-q", "--model", "fast", "--data", "data/labels.jsonl", "--page-field", "doc", "--explain"];
    let output = run(&[&arguments[..], &["--json"]].concat());
    let figures = &rows(&output, 0)[0]["deletion"];
    let ways: Vec<&str> = figures.as_array().unwrap().iter().map(|way| way["words"].as_str().unwrap()).collect();
    assert_eq!(ways, ["explain", "each word left out", "each word read alone", "random words"]);
    let [explain, exact, .., chance] = figures.as_array().unwrap().as_slice() else { panic!("{figures}") };
    assert!(number(&explain["rows"]) > 200.0);
    assert!(number(&explain["ratio"]["low"]) > 1.5 && number(&explain["ratio"]["value"]) > 2.5, "{explain}");
    assert!(number(&exact["changed"]["value"]) >= number(&explain["changed"]["value"]) - 0.03);
    assert_eq!(number(&chance["ratio"]["value"]), 1.0);
    let table = stdout(&run(&arguments));
    assert!(table.contains("times random") && table.lines().all(|line| line.chars().count() <= 80), "{table}");
}

#[test]
fn blocks_comments_and_records_are_explained_in_the_library() {
    let desk = Copydesk::builder().model("fast").threads(2).build().unwrap();
    let page = format!(
        "<html><body><p>The council voted 7 to 2 on Monday.</p><p>{}</p></body></html>",
        SPAM.replace("free", "<b>free</b>")
    );
    let blocks = desk.explain_html(&page, 2).unwrap();
    assert_eq!(blocks.len(), 2);
    for (block, explanation) in &blocks {
        assert!(!explanation.words.is_empty() && explanation.words.len() <= 2);
        assert!(explanation.words.iter().all(|word| !block.text[word.span.clone()].contains(' ')));
    }
    let records = desk.explain_records(&[SPAM, " ", "Buy"], 3);
    assert!(records[0].is_ok() && records[1].is_err());
    let (text, explanation) = records[2].as_ref().unwrap();
    assert_eq!((&explanation.label, explanation.score), (&text.label, text.confidence));
    assert!(explanation.neighbours.is_empty());
    // Of a comment it is the spam score that is explained, also where that is low.
    let filter = CommentFilter::new(Copydesk::builder().model("fast")).unwrap();
    let comments = [SPAM, "Agreed. Our council did the same for the launderette, and it was free."].map(Comment::new);
    let words = filter.explain(&comments, 3);
    let judged = filter.judge(&comments);
    let read = Copydesk::builder().model("fast").region(Region::Comment).any_language().build().unwrap();
    for ((comment, words), judgement) in comments.iter().zip(words).zip(judged) {
        let (words, judgement) = (words.unwrap(), judgement.unwrap());
        let word = &words[0];
        let (before, after) = comment.text.split_at(word.span.start);
        let without = format!("{before}{}", after[word.span.len()..].trim_start());
        let score = read.label_records(&[without])[0].as_ref().unwrap().scores.of("comment_spam").unwrap();
        assert!((judgement.text_score - score - word.weight).abs() < 1e-6, "{word:?}");
    }
}

#[test]
fn the_documentation_shows_what_the_command_says() {
    let document = fs::read_to_string("docs/explain.md").unwrap();
    let output = run(&["label", "-q", "--unit", "record", "--explain", "3", "data/explained.jsonl"]);
    let rows = rows(&output, 0);
    assert_eq!(rows.len(), 10);
    for row in &rows {
        let text = row["text"].as_str().unwrap();
        let line = document.lines().find(|line| line.starts_with(&format!("| {text} |"))).expect(text);
        assert!(
            line.contains(&format!("| {} {:.3} |", row["label"].as_str().unwrap(), number(&row["confidence"]))),
            "{line}"
        );
        let words = row["words"].as_array().unwrap().iter().filter(|word| number(&word["weight"]) >= 0.0005);
        let words = words.map(|word| format!("`{}` {:.3}", word["word"].as_str().unwrap(), number(&word["weight"])));
        let cell = words.collect::<Vec<_>>().join(", ");
        assert!(line.ends_with(&format!("| {cell} |")), "{line}: {cell}");
    }
}
