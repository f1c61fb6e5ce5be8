//! What must hold for every UTF-8 text.

use super::blank::is_blank;
use super::{Paragraph, Paragraphs, last_boundary_with, markdown, model_text, split, split_with};
use proptest::prelude::*;
use std::ops::Range;

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
        2 => prop::sample::select(vec![
            "<p>", "</p>", "<b>", "<blockquote>", "</q>", "<a href='//x'>", "<!--", "-->", "<![CDATA[", "]]>", "[quote]", "[/quote]",
            "[b]", "[/b]", "[url=//x]", "[x](//y)", "> ", "# ", "*", "**", "_", "~~", "a b c d", "p.l.a.y", "\u{202e}", "🅟",
            "ᴘ", "🇵", "ʎɐldǝ", "c4s1n0", "d!d", "7he ", "4th", "\"", "@", "$",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// Marks of Markdown in any order.
fn any_markdown() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => prop::sample::select(vec!["\n", "\n\n", "\r\n", "\r", "  \n", "\n    ", "\t", " "]).prop_map(str::to_owned),
        4 => prop::sample::select(vec![
            "# ", "## ", "> ", ">", "- ", "* ", "1. ", "10) ", "  - ", "---\n", "+++\n", "```\n", "~~~", "===\n", "| a | b |\n",
            "|---|---|\n", "**", "*", "_", "`", "[", "](x)", "![", "[^1]", "[^1]: ", "<b>", "</b>", "<!--", "-->", "<div>\n",
            "<br>", "[ ] ", "\\", "&amp;", "\u{feff}", "\0", "~~",
        ]).prop_map(str::to_owned),
        3 => "[a-zé中]{1,9}[.?:]?",
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

const MODES: [Paragraphs; 4] = [Paragraphs::Auto, Paragraphs::Blank, Paragraphs::Line, Paragraphs::Layout];

fn spans_and_texts(source: &str, offset: usize, mode: Paragraphs) -> Vec<(Range<usize>, String)> {
    split_with(source, mode)
        .into_iter()
        .map(|paragraph| (paragraph.span.start + offset..paragraph.span.end + offset, paragraph.text.into_owned()))
        .collect()
}

fn check_spans(source: &str) {
    MODES.iter().for_each(|&mode| check_spans_of(source, mode));
    assert_eq!(split(source), split_with(source, Paragraphs::Auto));
}

fn check_spans_of(source: &str, mode: Paragraphs) {
    let mut end_before = 0;
    for paragraph in split_with(source, mode) {
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
        for mode in MODES {
            let texts =
                |source: &str| split_with(source, mode).into_iter().map(|p| p.text.into_owned()).collect::<Vec<_>>();
            prop_assert_eq!(texts(&source), texts(&source.replace('\n', "\r\n")));
        }
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
        MODES.iter().for_each(|&mode| check_boundary(&buffer, &appended, mode));
    }

    #[test]
    fn cutting_a_spaced_text_changes_no_paragraph(source in spaced_source(), at in 0.0..1.0f64) {
        let mut at = (source.len() as f64 * at) as usize;
        while !source.is_char_boundary(at) {
            at -= 1;
        }
        check_boundary(&source[..at], &source[at..], Paragraphs::Auto);
        check_spans(&source);
    }

    #[test]
    fn a_blank_line_inside_the_buffer_is_found(before in any_source(), after in "[a-z ]{0,9}") {
        for (mode, gap) in [(Paragraphs::Layout, "\n\n"), (Paragraphs::Blank, "\n\n"), (Paragraphs::Auto, "\n\n\n")] {
            let buffer = format!("{before}{gap}{after}");
            prop_assert_eq!(last_boundary_with(&buffer, mode), Some(buffer.len() - after.len()));
        }
    }

    #[test]
    fn blank_and_line_are_the_coarsest_and_the_finest(source in any_source()) {
        let spans = |mode| split_with(&source, mode).into_iter().map(|p| p.span).collect::<Vec<_>>();
        let (blank, line) = (spans(Paragraphs::Blank), spans(Paragraphs::Line));
        for mode in [Paragraphs::Auto, Paragraphs::Layout] {
            let starts: Vec<_> = spans(mode).into_iter().map(|span| span.start).collect();
            prop_assert!(starts.iter().all(|start| line.iter().any(|span| span.start == *start)));
            // Only `Auto` may join what blank lines separate.
            let found = blank.iter().all(|span| starts.contains(&span.start));
            prop_assert!(found || mode == Paragraphs::Auto);
        }
    }

    #[test]
    fn markdown_spans_hold(source in any_markdown(), other in any_source()) {
        check_markdown(&source);
        check_markdown(&other);
    }
}

/// Lines between blank lines, most of them as wrapped text has them, so that joins over blank lines are tried too.
fn spaced_source() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        6 => "[a-z]{3,9}( [a-z]{2,7}){8,11}",
        1 => "[A-Z][a-z]{3,9}( [a-z]{2,7}){8,11}",
        1 => "[a-z]{3,9}( [a-z]{2,7}){8,10}\\.",
        1 => "[A-Za-z0-9@>. -]{1,12}",
    ];
    let gap = prop_oneof![12 => Just("\n\n"), 1 => Just("\n"), 1 => Just("\n\n\n"), 1 => Just("\n\u{c}\n"), 1 => Just("\n\n  ")];
    prop::collection::vec((line, gap), 0..24)
        .prop_map(|lines| lines.into_iter().map(|(line, gap)| line + gap).collect::<String>())
}

fn check_boundary(buffer: &str, appended: &str, mode: Paragraphs) {
    if let Some(cut) = last_boundary_with(buffer, mode) {
        let whole = format!("{buffer}{appended}");
        let mut pieces = spans_and_texts(&whole[..cut], 0, mode);
        pieces.extend(spans_and_texts(&whole[cut..], cut, mode));
        assert_eq!(pieces, spans_and_texts(&whole, 0, mode), "{mode:?}");
    }
}

#[test]
fn joins_over_blank_lines_are_tried() {
    let source = "the eel is a scholar who has read every river in the land and has\n\n".repeat(8);
    assert_eq!(split(&source).len(), 1);
    check_boundary(&source, "written nothing down.\n\nThe end", Paragraphs::Auto);
}

#[test]
fn long_texts_have_boundaries() {
    let comment = "This is a comment of one line, and it ends as most of them do.\n\n";
    let buffer = comment.repeat(1000);
    assert!(last_boundary_with(&buffer, Paragraphs::Auto).unwrap() > buffer.len() - 6 * comment.len());
}

#[test]
fn hostile_lines_take_linear_time() {
    // Quadratic time would take minutes for any of these.
    let wrapped = "  the eel is a scholar who has read every river in the land and has no.\n a\n".repeat(20);
    for piece in
        [">\n", "> > a\n", "- a\n", "1. a\n", "| a\n", "@a b\n", "a\n\n", "# a\n", wrapped.as_str(), "\r", "a\u{c}"]
    {
        let source = piece.repeat(500_000 / piece.len());
        let begin = std::time::Instant::now();
        for mode in MODES {
            split_with(&source, mode);
            last_boundary_with(&source, mode);
        }
        assert!(begin.elapsed().as_secs() < 20, "{piece:?} took {:?}", begin.elapsed());
    }
}

#[test]
fn hostile_marks_take_linear_time() {
    // Quadratic time would take minutes for any of these.
    for piece in [
        "<",
        "<a ",
        "<a href='",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "[",
        "[b]",
        "[quote]",
        "[/quote]",
        "[url=",
        "[a](",
        "](",
        "*",
        "**a ",
        "_",
        "> ",
        ">\n",
        "# ",
        "&amp;",
        "a ",
        "a.",
        "\u{202e}",
        "a\u{202e}\n",
        "ʎ",
        "ʎɐld ",
        "🇵",
        "c4s1n0 ",
        "a!",
        "@",
        "<q>",
        "</q>",
        "x3",
        "'7 ",
    ] {
        let source = piece.repeat(500_000 / piece.len());
        let begin = std::time::Instant::now();
        model_text(&source);
        assert!(begin.elapsed().as_secs() < 20, "{piece:?} took {:?}", begin.elapsed());
    }
}

#[test]
fn hostile_markdown_takes_linear_time() {
    // Quadratic time would take minutes for any of these.
    for piece in [
        ">", "[", "*", "_", "`", "<", "- ", "![", "](", "> - ", "1. ", "|", "&", "#", "\\", "a\n>", "<a ", "[^1]: ",
        "*a _b ", "\t", "<!--", "~~", "[a]: b\n",
    ] {
        let source = piece.repeat(1_000_000 / piece.len());
        let begin = std::time::Instant::now();
        check_markdown(&source);
        assert!(begin.elapsed().as_secs() < 20, "{piece:?} took {:?}", begin.elapsed());
    }
}

fn check_markdown(source: &str) {
    let mut end_before = 0;
    for Paragraph { span, text } in markdown::split(source) {
        assert!(span.start >= end_before && span.end > span.start && span.end <= source.len());
        let slice = &source[span.clone()];
        assert_eq!(slice, slice.trim_matches(is_blank));
        assert!(!text.is_empty());
        end_before = span.end;
    }
}
