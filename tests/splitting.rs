//! The table of small texts with the right cuts, the pages that lie beside it, and `copydesk label` on both kinds.

mod common;

use common::{rows, run, run_with, stderr};
use copydesk::text::{Paragraph, Paragraphs, markdown, model_text, split, split_with};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

const PILCROW: char = '¶';

fn data(name: &str) -> PathBuf {
    // The variable of the running process first, so that a test built elsewhere finds the data of this checkout.
    let package = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    PathBuf::from(package).join("data").join(name)
}

fn read(name: &str) -> String {
    let path = data(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read_as(mode: &str, text: &str) -> Vec<(usize, String)> {
    let paragraphs: Vec<Paragraph<'_>> = match mode {
        "" => split(text),
        "blank" => split_with(text, Paragraphs::Blank),
        "line" => split_with(text, Paragraphs::Line),
        "layout" => split_with(text, Paragraphs::Layout),
        "markdown" => markdown::split(text),
        _ => panic!("no mode {mode}"),
    };
    paragraphs.into_iter().map(|paragraph| (paragraph.span.start, paragraph.text.into_owned())).collect()
}

/// A case's text without marks, where paragraphs begin in it, and for Markdown what their texts are.
fn unmarked(marked: &str, markdown: bool) -> (String, Vec<usize>, Vec<String>) {
    let (mut text, mut starts, mut texts) = (String::new(), Vec::new(), Vec::new());
    for line in marked.lines() {
        let (line, expected) = match line.split_once(" => ").filter(|_| markdown) {
            Some((line, expected)) => (line, Some(expected)),
            None => (line, None),
        };
        texts.extend(expected.map(str::to_owned));
        let (before, rest) = line.split_once(PILCROW).unwrap_or((line, ""));
        text.push_str(before);
        if line.contains(PILCROW) {
            starts.push(text.len() + (rest.len() - rest.trim_start().len()));
        }
        text.push_str(rest);
        text.push('\n');
    }
    (text, starts, texts)
}

#[test]
fn the_table_of_texts_is_cut_as_it_says() {
    let table = read("splitting/cases.txt");
    let mut wrong = Vec::new();
    let cases: Vec<&str> = table.split("\n=== ").skip(1).collect();
    for case in &cases {
        let (title, marked) = case.split_once('\n').expect("a case has a text");
        let mode = title.split_once('(').map_or("", |(_, mode)| mode.trim_end_matches(')'));
        let (text, starts, texts) = unmarked(marked.trim_end(), mode == "markdown");
        for text in [text.clone(), text.replace('\n', "\r\n")] {
            let carriage_returns = |start: usize| text[..start].matches('\r').count();
            let found = read_as(mode, &text);
            let found_starts: Vec<usize> = found.iter().map(|&(start, _)| start - carriage_returns(start)).collect();
            if found_starts != starts {
                wrong.push(format!("{title}: {:#?}", found.iter().map(|(_, text)| text).collect::<Vec<_>>()));
            }
            for text in &texts {
                if !found.iter().any(|(_, found)| found == text) {
                    wrong.push(format!("{title}: no paragraph {text:?} in {found:#?}"));
                }
            }
        }
    }
    assert!(cases.len() >= 40, "{} cases", cases.len());
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_pages_have_the_paragraphs_that_were_labelled() {
    let mut labelled = BTreeMap::<String, Vec<String>>::new();
    for line in read("labels.jsonl").lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let (page, _) = row["id"].as_str().unwrap().rsplit_once(':').unwrap();
        labelled.entry(page.to_owned()).or_default().push(row["text"].as_str().unwrap().to_owned());
    }
    assert_eq!(labelled.len(), 13);
    for (page, expected) in labelled {
        let source = read(&format!("pages/{page}.txt"));
        let found: Vec<String> = split(&source).into_iter().map(|paragraph| paragraph.text.into_owned()).collect();
        let expected: Vec<String> = expected.iter().map(|text| model_text(text).into_owned()).collect();
        assert_eq!(found, expected, "{page}");
        assert_eq!(split(&source), split_with(&source, Paragraphs::Layout), "{page}");
    }
}

fn labelled_texts(arguments: &[&str], input: &str) -> Vec<String> {
    let arguments = [&["label", "--quiet", "--model", "fast", "--with-text"], arguments].concat();
    let rows = rows(&run_with(&arguments, input.as_bytes()), 0);
    rows.iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_command_splits_as_it_is_told() {
    let input = "The council met.\nIt voted,\nand it left.\n\nNobody was there.\n";
    let line = ["The council met.", "It voted,", "and it left.", "Nobody was there."];
    assert_eq!(labelled_texts(&["--paragraphs", "line"], input), line);
    assert_eq!(labelled_texts(&["--paragraphs", "blank"], input).len(), 2);
    let record = serde_json::json!({ "text": input }).to_string();
    assert_eq!(labelled_texts(&["--paragraphs", "line"], &record), line);
    let refused = run(&["label", "--paragraphs", "line", "--unit", "record", "data/comments.jsonl"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("--paragraphs needs --unit paragraph"), "{}", stderr(&refused));
}

#[test]
fn the_command_reads_markdown() {
    let source = "---\ntitle: x\n---\n# A *day*\nWe left\nat six.\n- bread\n- cheese\n";
    let expected = ["---\ntitle: x\n---", "# A *day*", "We left\nat six.", "bread", "cheese"];
    assert_eq!(labelled_texts(&["--input-format", "markdown"], source), expected);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("day.Markdown");
    fs::write(&path, source).unwrap();
    assert_eq!(labelled_texts(&[path.to_str().unwrap()], ""), expected);
}
