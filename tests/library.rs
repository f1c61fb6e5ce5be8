//! The library's front door says what the command says.

mod common;

use common::{rows, run, run_with};
use copydesk::{Copydesk, LabelError, LabelledText, Rejected, Row, RowOptions, Unit};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

fn desk(threads: usize) -> Copydesk {
    Copydesk::builder().model("fast").threads(threads).build().expect("the model is built in")
}

/// A number as rows have it: at most six decimals.
fn assert_close(value: &Value, number: f32) {
    let written = value.as_f64().expect("a number");
    assert!((written - f64::from(number)).abs() <= 6e-7, "{written} and {number}");
}

fn pages() -> Vec<(PathBuf, String)> {
    let mut paths: Vec<PathBuf> = fs::read_dir("data/pages").unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn paragraphs_are_those_of_the_command() {
    let expected = rows(&run(&["label", "-q", "--model", "fast", "data/pages"]), 0);
    let mut expected = expected.iter();
    let desk = desk(2);
    for (path, text) in pages() {
        for paragraph in desk.label(&text).unwrap() {
            let row = expected.next().expect("as many rows as paragraphs");
            assert_eq!(row["doc"], path.to_str().unwrap());
            assert_eq!(
                (row["start"].as_u64(), row["end"].as_u64()),
                (Some(paragraph.span.start as u64), Some(paragraph.span.end as u64))
            );
            assert_eq!(row["label"], paragraph.label.as_str());
            assert_close(&row["confidence"], paragraph.confidence);
            for (label, score) in paragraph.scores.iter() {
                assert_close(&row["scores"][label.as_str()], score);
            }
            assert_eq!(row["tokens"], paragraph.tokens);
            assert_eq!(&text[paragraph.span], paragraph.text);
        }
    }
    assert_eq!(expected.next(), None);
}

#[test]
fn many_texts_at_once_are_labelled_as_one_by_one_on_any_number_of_threads() {
    let texts: Vec<String> = pages().into_iter().map(|(_, text)| text).collect();
    let one = desk(1);
    let together = desk(3).label_all(&texts);
    assert_eq!(together.len(), texts.len());
    for (text, labelled) in texts.iter().zip(together) {
        assert_eq!(labelled.unwrap(), one.label(text).unwrap());
    }
    assert!(one.label(" \n\u{200b}").unwrap().is_empty());
}

#[test]
fn records_and_pages_of_records_are_those_of_the_command() {
    let file = fs::read_to_string("data/dev-small.jsonl").unwrap();
    let records: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let texts: Vec<&str> = records.iter().map(|record| record["text"].as_str().unwrap()).collect();
    let check = |answers: Vec<Result<LabelledText, LabelError>>, options: &[&str]| {
        let arguments =
            [&["label", "-q", "--model", "fast", "--unit", "record", "data/dev-small.jsonl"], options].concat();
        let expected = rows(&run(&arguments), 0);
        assert_eq!(answers.len(), expected.len());
        for (answer, row) in answers.into_iter().zip(expected) {
            let answer = answer.unwrap();
            assert_eq!(row["label"], answer.label.as_str());
            assert_close(&row["confidence"], answer.confidence);
        }
    };
    let desk = desk(2);
    check(desk.label_records(&texts), &[]);
    let page = |number: usize| (records[number]["doc"].is_string()).then(|| records[number]["doc"].clone());
    let mut pages: Vec<Vec<&str>> = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        match pages.last_mut() {
            Some(last) if page(number).is_some() && page(number) == page(number - 1) => last.push(text),
            _ => pages.push(vec![text]),
        }
    }
    assert!(pages.iter().any(|page| page.len() > 1));
    check(desk.label_pages(&pages), &["--page-field", "doc"]);
    let blank = desk.label_records(&["", "words"]);
    assert!(matches!(&blank[..], [Err(LabelError::Input(_)), Ok(_)]));
}

#[test]
fn rows_of_a_reader_come_in_order_with_what_was_rejected_in_its_place() {
    let input = "{\"id\": \"a\", \"data\": {\"text\": \"One.\\n\\nTwo.\"}}\nbroken\n{\"id\": \"c\", \"data\": {\"text\": \"Three.\"}}\n";
    let options = RowOptions::default().text_field("data.text");
    let found: Vec<Result<Row, Rejected>> = desk(2).rows(input.as_bytes(), &options).collect();
    let told: Vec<String> = found
        .iter()
        .map(|row| match row {
            Ok(row) => format!("{} {:?} {}", row.document, row.paragraph, row.text),
            Err(rejected) => format!("{}:{:?}", rejected.source, rejected.line),
        })
        .collect();
    assert_eq!(told, ["a Some(0) One.", "a Some(1) Two.", "-:Some(2)", "c Some(0) Three."]);
    let command = run_with(&["label", "-q", "--model", "fast", "--text-field", "data.text"], input.as_bytes());
    let expected = rows(&command, 1);
    for (row, expected) in found.iter().flatten().zip(expected) {
        assert_eq!(expected["label"], row.label.as_str());
        assert_close(&expected["confidence"], row.confidence);
    }
    let records = RowOptions::default().unit(Unit::Record);
    let paths = [PathBuf::from("data/comments.jsonl")];
    assert_eq!(desk(1).rows_of(&paths, &records).filter(|row| row.is_ok()).count(), 40);
}

#[test]
fn a_desk_is_shared_between_threads_and_leaves_furniture_out_where_asked() {
    fn shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    let desk = Copydesk::builder().model("fast").without_furniture().build().unwrap();
    shared(&desk);
    let labelled = desk.label("Read more").unwrap();
    assert_eq!(labelled[0].scores.of("other"), Some(0.0));
    assert!((labelled[0].scores.values().iter().sum::<f32>() - 1.0).abs() < 1e-6);
    let other = desk.clone();
    let answers = std::thread::spawn(move || other.label("Read more").unwrap()[0].label.clone()).join().unwrap();
    assert_eq!(answers, labelled[0].label);
    assert_eq!(desk.spam_label().unwrap(), "comment_spam");
    assert!(Copydesk::builder().model("/nonexistent").build().is_err());
}
