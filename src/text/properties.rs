//! What must hold for every UTF-8 text, and the agreement with the annotated seed pages where they are at hand.

use super::blank::is_blank;
use super::{last_boundary, model_text, split};
use proptest::prelude::*;
use std::ops::Range;
use std::path::PathBuf;

/// Pieces that the rules look at, in any order, mixed with arbitrary characters.
fn any_source() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "\n", "\r\n", "\r", "\n\n", "\r\r\n", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}",
        ]).prop_map(str::to_owned),
        3 => prop::sample::select(vec![
            " ", "  ", "\t", "\u{a0}", "\u{2003}", "\u{3000}", "\u{200b}", "\u{200d}", "\u{feff}", "\u{ad}", "\0",
        ]).prop_map(str::to_owned),
        2 => prop::sample::select(vec!["1. ", "2. ", "  1. ", "    3) ", "12. ", "999.\u{a0}", "1000. ", "7."])
            .prop_map(str::to_owned),
        4 => "[a-zé中]{1,9}[.?”,]?",
        1 => (1_usize..90).prop_map(|count| "word ".repeat(count)),
        1 => prop::sample::select(vec!["&amp;", "&#8220;", "&", "amp;", "--", "'", "😀", "с", "a", "ﬁ", "\u{301}", "`"])
            .prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn spans_and_texts(source: &str, offset: usize) -> Vec<(Range<usize>, String)> {
    split(source)
        .into_iter()
        .map(|paragraph| (paragraph.span.start + offset..paragraph.span.end + offset, paragraph.text.into_owned()))
        .collect()
}

fn check_spans(source: &str) {
    let mut end_before = 0;
    for paragraph in split(source) {
        let span = paragraph.span.clone();
        assert!(span.start >= end_before && span.end > span.start && span.end <= source.len());
        // Slicing panics off character boundaries, so these lines check those too.
        assert!(source[end_before..span.start].chars().all(is_blank));
        let slice = &source[span.clone()];
        assert_eq!(slice, slice.trim_matches(is_blank));
        assert_eq!(model_text(slice), paragraph.text);
        assert!(!paragraph.text.is_empty());
        end_before = span.end;
    }
    assert!(source[end_before..].chars().all(is_blank));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn spans_hold_for_texts_of_telling_pieces(source in any_source()) {
        check_spans(&source);
    }

    #[test]
    fn spans_hold_for_any_text(source in any::<String>()) {
        check_spans(&source);
    }

    #[test]
    fn windows_line_ends_change_no_text(source in any_source()) {
        let texts = |source: &str| split(source).into_iter().map(|p| p.text.into_owned()).collect::<Vec<_>>();
        prop_assert_eq!(texts(&source), texts(&source.replace('\n', "\r\n")));
    }

    #[test]
    fn model_text_is_clean_and_changes_nothing_twice(source in any_source()) {
        let text = model_text(&source);
        prop_assert_eq!(model_text(&text), text.clone());
        prop_assert!(!text.contains("  ") && !text.contains(|c: char| c != ' ' && c.is_whitespace()));
        prop_assert_eq!(text.is_empty(), source.chars().all(is_blank));
    }

    #[test]
    fn cutting_at_a_boundary_changes_no_paragraph(buffer in any_source(), appended in any_source()) {
        if let Some(cut) = last_boundary(&buffer) {
            let whole = format!("{buffer}{appended}");
            let mut pieces = spans_and_texts(&whole[..cut], 0);
            pieces.extend(spans_and_texts(&whole[cut..], cut));
            prop_assert_eq!(pieces, spans_and_texts(&whole, 0));
        }
    }

    #[test]
    fn a_blank_line_inside_the_buffer_is_found(before in any_source(), after in "[a-z ]{0,9}") {
        let boundary = format!("{before}\n\n").len();
        prop_assert_eq!(last_boundary(&format!("{before}\n\n{after}")), Some(boundary));
    }
}

/// The annotated pages lie beside the package, not in it: their texts belong to others.
#[test]
fn agrees_with_the_annotated_pages() {
    // The variable of the running process first, so that a test built elsewhere finds the pages of this checkout.
    let package = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let folder = PathBuf::from(package).join("../shared/seeds");
    let Ok(gold) = std::fs::read_to_string(folder.join("gold.jsonl")) else {
        eprintln!("skipped: no annotated pages at {}", folder.display());
        return;
    };
    let mut spans_by_file = std::collections::BTreeMap::<String, Vec<Range<usize>>>::new();
    for line in gold.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let file = row["file"].as_str().unwrap();
        let offset = |index: usize| usize::try_from(row["span"][index].as_u64().unwrap()).unwrap();
        let span = offset(0)..offset(1);
        let page = std::fs::read_to_string(folder.join(file)).unwrap();
        assert_eq!(model_text(&page[span.clone()]), model_text(row["text"].as_str().unwrap()));
        spans_by_file.entry(file.to_owned()).or_default().push(span);
    }
    assert!(!spans_by_file.is_empty());
    for (file, expected) in spans_by_file {
        let page = std::fs::read_to_string(folder.join(&file)).unwrap();
        let spans: Vec<_> = split(&page).into_iter().map(|paragraph| paragraph.span).collect();
        assert_eq!(spans, expected, "{file}");
    }
}
