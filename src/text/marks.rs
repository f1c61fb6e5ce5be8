//! Marks at the edges of a line that tell how it belongs to its neighbours: quote prefixes, bullets, first and last
//! characters.

use super::blank::is_blank;
use super::pictograph::is_pictograph;

/// Depth from which on deeper quotes count as equally deep.
const MAX_QUOTE_DEPTH: u8 = 100;

/// The quote marks in front of a line of mail or of a forum post.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct QuotePrefix {
    /// Number of quote marks; 0 where there are none.
    pub depth: u8,
    /// Bytes of the marks and one blank character behind them.
    pub length: usize,
}

impl QuotePrefix {
    /// Marks that nothing else looks like: `>`, `> >`, `>>`, `&gt;` and `JD>`. `text` begins with no blank character.
    pub fn of(text: &str) -> QuotePrefix {
        let mut rest = without_initials(text);
        let mut depth = 0_u8;
        while let Some(behind) = ["&gt;", ">"].iter().find_map(|mark| rest.strip_prefix(mark)) {
            // A comparison or an arrow, not a quote.
            if depth == 0 && behind.starts_with(['=', '-']) {
                break;
            }
            depth = (depth + 1).min(MAX_QUOTE_DEPTH);
            let inner = behind.trim_start_matches(is_blank);
            let deeper = inner.starts_with('>') || inner.starts_with("&gt;");
            rest = if deeper { inner } else { behind.strip_prefix(is_blank).unwrap_or(behind) };
        }
        if depth == 0 { QuotePrefix::default() } else { QuotePrefix { depth, length: text.len() - rest.len() } }
    }

    /// Marks that also occur otherwise, `|` and `:` with a blank behind each. They count only where neighbouring lines have
    /// them too, and not in a row of a table.
    pub fn weak(text: &str) -> Option<(char, QuotePrefix)> {
        let mark = text.chars().next().filter(|c| matches!(c, '|' | ':'))?;
        let mut rest = text;
        let mut depth = 0_u8;
        while let Some(behind) = rest.strip_prefix(mark)
            && (behind.is_empty() || behind.starts_with(is_blank))
        {
            depth = (depth + 1).min(MAX_QUOTE_DEPTH);
            let inner = behind.trim_start_matches(is_blank);
            rest = if inner.starts_with(mark) { inner } else { behind.strip_prefix(is_blank).unwrap_or(behind) };
        }
        // Drawings of trees and tables use the strokes as well.
        let plain = depth > 0 && !rest.contains(mark) && !rest.starts_with(is_blank);
        plain.then(|| (mark, QuotePrefix { depth, length: text.len() - rest.len() }))
    }
}

/// The text from its first `>` on where only a writer's initials stand before it, as in `JD> I agree`.
fn without_initials(text: &str) -> &str {
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).take(4).count();
    let rest = &text[letters..];
    let quoted = rest.strip_prefix('>').is_some_and(|rest| rest.starts_with(is_blank) || rest.starts_with('>'));
    if letters <= 3 && quoted { rest } else { text }
}

/// The bullet that `text` begins with, if a blank character and a text follow it.
pub(super) fn bullet(text: &str) -> Option<char> {
    let mark = text
        .chars()
        .next()
        .filter(|c| matches!(c, '-' | '*' | '+' | '•' | '‣' | '◦' | '▪' | '●' | '○' | '·' | '–' | '—' | '→' | '✓'))?;
    let rest = &text[mark.len_utf8()..];
    (rest.starts_with(is_blank) && !rest.chars().all(is_blank)).then_some(mark)
}

/// A heading as Markdown and wikis write it: one to six `#`, a blank character, a text.
pub(super) fn is_heading(text: &str) -> bool {
    let rest = text.trim_start_matches('#');
    (1..=6).contains(&(text.len() - rest.len())) && rest.starts_with(is_blank)
}

/// What a line's first characters say about the line before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// A small letter: amid a sentence, or written by somebody who uses no capitals.
    Small,
    /// A capital, digit, quotation mark, bullet, `@`, `#`, `[` or pictograph: possibly a beginning.
    Anew,
    /// Neither: a script without capitals, a line all in capitals, a bracket, an address.
    Unclear,
}

impl Opening {
    /// `text` begins with no blank character.
    pub fn of(text: &str) -> Opening {
        let mut characters = text.chars();
        let Some(first) = characters.next() else { return Opening::Unclear };
        match first {
            '"' | '“' | '„' | '«' | '@' | '#' | '[' | '‘' | '¿' | '¡' => Opening::Anew,
            '\'' if characters.next().is_some_and(char::is_uppercase) => Opening::Anew,
            c if bullet(text).is_some() || is_pictograph(c) || c.is_numeric() => Opening::Anew,
            c if c.is_lowercase() && !is_address(text) => Opening::Small,
            c if c.is_uppercase() && text.contains(char::is_lowercase) => Opening::Anew,
            // A single capital may be a whole line, or the word "I".
            c if c.is_uppercase() && text.chars().filter(|c| c.is_uppercase()).count() < 2 => Opening::Anew,
            _ => Opening::Unclear,
        }
    }
}

/// Whether the first word is an address or the name of a file: a slash or a point inside it.
fn is_address(text: &str) -> bool {
    let word = text.split(char::is_whitespace).next().unwrap_or("");
    let inside = word.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '/');
    inside.contains(['/', '.'])
}

/// Whether a line ends where nobody ends a paragraph: with a comma, a semicolon, a dash, an opening bracket, a brace.
pub(super) fn ends_softly(text: &str) -> bool {
    text.ends_with([',', ';', '-', '–', '—', '(', '[', '{', '}', '\\', '，', '、', '；', '،'])
}

/// Whether a line looks like a row of a table: cells between upright strokes, tabs or wide gaps.
pub(super) fn is_table_row(text: &str) -> bool {
    text.contains(" | ") || text.contains('\t') || text.contains("   ")
}

/// A letter of a script that is written without spaces between words.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1780}'..='\u{17ff}' | '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quote_marks_are_counted_and_taken_off() {
        for (text, depth, rest) in [
            ("> one", 1, "one"),
            (">one", 1, "one"),
            ("> > two", 2, "two"),
            (">>two", 2, "two"),
            (">  > two", 2, "two"),
            (">   indented", 1, "  indented"),
            ("&gt; &gt; two", 2, "two"),
            ("JD> initials", 1, "initials"),
            (">", 1, ""),
            ("plain", 0, "plain"),
            ("-> arrow", 0, "-> arrow"),
            (">= 5", 0, ">= 5"),
            ("if x>y then", 0, "if x>y then"),
            ("", 0, ""),
        ] {
            let prefix = QuotePrefix::of(text);
            assert_eq!((prefix.depth, &text[prefix.length..]), (depth, rest), "{text:?}");
        }
        assert_eq!(QuotePrefix::of(&">".repeat(1000)).depth, MAX_QUOTE_DEPTH);
    }

    #[test]
    fn strokes_and_colons_quote_only_outside_tables() {
        let quote = |text| QuotePrefix::weak(text).map(|(mark, prefix)| (mark, prefix.depth));
        assert_eq!(quote("| an old mail"), Some(('|', 1)));
        assert_eq!(quote(": : older"), Some((':', 2)));
        for text in ["| a | table |", "|    +-- branch", ":) smile", ":wq", "plain", ""] {
            assert_eq!(quote(text), None, "{text:?}");
        }
    }

    #[test]
    fn openings() {
        for text in
            ["The", "@ben hi", "#tag", "[12:05] hi", "7 days", "“So", "- item", "🔥 hot", "'Tis so", "I", "É finito"]
        {
            assert_eq!(Opening::of(text), Opening::Anew, "{text}");
        }
        for text in ["and so", "élan", "’s own" /* apostrophe */] {
            let expected = if text.starts_with('’') { Opening::Unclear } else { Opening::Small };
            assert_eq!(Opening::of(text), expected, "{text}");
        }
        for text in [
            "",
            "ALL IN CAPITALS",
            "(an aside)",
            "https://example.org",
            "a.example/b",
            "hub.toml,",
            "中文",
            "שלום",
            "'s",
        ] {
            assert_eq!(Opening::of(text), Opening::Unclear, "{text}");
        }
    }

    #[test]
    fn bullets_and_headings_need_a_text() {
        assert_eq!(bullet("- milk"), Some('-'));
        assert_eq!(bullet("•\u{a0}milk"), Some('•'));
        assert!(["-milk", "-", "- ", "--- -", "milk"].iter().all(|text| bullet(text).is_none()));
        assert!(is_heading("## Part") && !is_heading("#tag") && !is_heading("####### x") && !is_heading("#"));
    }
}
