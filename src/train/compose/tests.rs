//! Composed rows as a whole.

use super::source::{AnnotatedParagraph, Comment, Moderation, PageParagraph, Region, SitePage};
use super::target::{best, mostly};
use super::*;
use crate::engine::Precision;
use crate::model::fixture;
use crate::train::read_texts;

pub(super) fn settings() -> Settings {
    Settings { seed: 21, spam_per_site: 20, ham_per_site: 20, quotes: 40, tails: 40, wrapped: 160, threads: 2 }
}

/// Rows of all labels and many lengths; each word has its label's letter before `word`. Opinions and spam end with a link.
pub(super) fn rows() -> Vec<AnnotatedParagraph> {
    let letters = ["r", "o", "s", "q", "f"];
    (0..600)
        .map(|number: usize| {
            let (label, length) = (number % 5, 3 + (number / 5 * 7) % 110);
            let word = |place: usize| match place {
                0 => format!("{}word", letters[label].to_uppercase()),
                _ if place % 9 == 8 => format!("{}word{number}. {}word", letters[label], letters[label].to_uppercase()),
                _ => format!("{}word", letters[label]),
            };
            let text = (0..length).map(word).collect::<Vec<_>>().join(" ");
            let link = match label {
                1 => " Oword oword https://oword.example/x.",
                2 => ". Sword sword https://sword.example/x.",
                _ => "",
            };
            AnnotatedParagraph {
                text: format!("{text}{link}"),
                source: Some(["a", "b", "c"][number % 3].to_owned()),
                doc: None,
                kind: None,
                label,
                confidence: Some(3),
            }
        })
        .collect()
}

fn comment(number: usize) -> Comment {
    let site = ["one", "two", "three"][number % 3].to_owned();
    let gold = [Some(Moderation::Spam), Some(Moderation::Ham), None][number / 3 % 3];
    // In letters: texts that differ in digits alone are copies of one template.
    let name: String = number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
    Comment { id: format!("{site}-{number}"), text: format!("the {name} plan of the council to {name} it"), site, gold }
}

fn data() -> ComposeData {
    let paragraph = |text: &str, kind, gold| PageParagraph { text: text.to_owned(), kind, gold, id: None };
    let page = |site: &str, page: &str| SitePage {
        site: site.to_owned(),
        page: page.to_owned(),
        title: Some(format!("Title of {page}")),
        paragraphs: vec![
            paragraph(&format!("Title of {page}"), Region::Furniture, None),
            paragraph(
                &format!("the council voted on the {page} plan and the money for all it wanted"),
                Region::Article,
                None,
            ),
            paragraph("they won", Region::Comment, Some(Moderation::Ham)),
            paragraph("buy it", Region::Comment, Some(Moderation::Spam)),
        ],
    };
    let thread = |text: &str, kind, label, confidence| AnnotatedParagraph {
        text: text.to_owned(),
        source: Some("one".to_owned()),
        doc: Some("one/annotated".to_owned()),
        kind: Some(kind),
        label,
        confidence: Some(confidence),
    };
    ComposeData {
        comments: (0..120).map(comment).collect(),
        pages: vec![page("one", "p"), page("one", "annotated"), page("two", "p"), page("two", "held")],
        labels: GivenLabels::new(),
        threads: vec![thread("a plan", Region::Article, 0, 3), thread("they won", Region::Comment, 1, 1)],
        rows: rows(),
        leave_out: vec!["three".to_owned()],
        without: vec![AnnotatedParagraph {
            source: Some("two".to_owned()),
            doc: Some("two/held".to_owned()),
            ..thread("x", Region::Article, 4, 3)
        }],
    }
}

fn composed(data: ComposeData) -> Composed {
    let teacher = Classifier::from_checkpoint(fixture::checkpoint(31), Precision::F32).unwrap();
    compose(data, &settings(), &teacher).unwrap()
}

#[test]
fn nothing_that_is_kept_out_is_used_and_pages_stay_together() {
    let Composed { rows, table } = composed(data());
    assert!(rows.iter().all(|row| row.source.as_deref() != Some("three")));
    let docs: Vec<&str> = rows.iter().filter_map(|row| row.doc.as_deref()).collect();
    assert_eq!(docs, [["one/p"; 4], ["two/p"; 4]].concat().into_iter().chain(["one/annotated"; 2]).collect::<Vec<_>>());
    assert!(table.contains("1 pages of") || table.contains("1 pages that are kept out"), "{table}");
    assert!(table.contains("1 pages that are annotated") && table.contains("40 of a site that is left out"), "{table}");
    let regions: Vec<_> = rows.iter().filter(|row| row.doc.as_deref() == Some("two/p")).map(|row| row.region).collect();
    use Region::{Article, Comment, Furniture};
    assert_eq!(regions, [Furniture, Article, Comment, Comment].map(Some));
    let spam = rows.iter().filter(|row| row.part == Part::Pages && row.target == mostly(2, 0.96)).count();
    assert_eq!(spam, 2);
}

#[test]
fn each_site_and_decision_has_its_share_whatever_other_sites_there_are() {
    let of = |rows: &[ComposedRow], site: &str| -> Vec<String> {
        let of_site = |row: &&ComposedRow| row.part == Part::Comments && row.source.as_deref() == Some(site);
        rows.iter().filter(of_site).map(|row| row.text.clone()).collect()
    };
    let all = composed(data()).rows;
    let settings = Settings { ham_per_site: 5, ..settings() };
    let teacher = Classifier::from_checkpoint(fixture::checkpoint(31), Precision::F32).unwrap();
    let alone = |data: ComposeData| compose(data, &settings, &teacher).unwrap().rows;
    let few = alone(data());
    assert!(of(&few, "one").len() < of(&all, "one").len() && !of(&few, "two").is_empty());
    let mut fewer = data();
    fewer.comments.retain(|comment| comment.site != "two");
    assert_eq!(of(&alone(fewer), "one"), of(&few, "one"));
}

#[test]
fn the_same_inputs_give_the_same_bytes_that_training_reads() {
    let lines = |rows: &[ComposedRow]| -> String {
        rows.iter().map(|row| serde_json::to_string(row).unwrap() + "\n").collect()
    };
    let (first, second) = (composed(data()).rows, composed(data()).rows);
    assert_eq!(lines(&first), lines(&second));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.jsonl");
    std::fs::write(&path, lines(&first)).unwrap();
    let read = read_texts(&path, Some(&LabelSet::copydesk())).unwrap();
    assert!(read.set_aside.is_empty(), "{:?}", read.set_aside.first());
    assert_eq!(read.rows.len(), first.len());
    for (read, row) in read.rows.iter().zip(&first) {
        assert_eq!(read.text, row.text);
        let scores = read.scores.as_ref().unwrap();
        assert!((scores.values()[best(&row.target)] - row.target[best(&row.target)]).abs() < 1e-3);
    }
}
