//! The text of a paragraph as the model sees it.

use super::blank::{is_blank, is_invisible};
use super::disguise::{turned_upright, without_overrides, without_spacing};
use super::emphasis::{without_emphasis, without_line_marks};
use super::leet::{may_have_leet, without_leet};
use super::lookalike::{latin_lookalikes, without_frames};
use super::marker::list_number;
use super::markup::without_tags;
use super::pictograph::is_pictograph;
use std::borrow::Cow;
use unicode_normalization_alignments::UnicodeNormalization;

/// Passes after which a text that still changes is taken as it is. Two do for everything but entities written over
/// entities (`&amp;amp;amp;`).
const MAX_PASSES: usize = 8;

/// The text that stands for `span_text`, a paragraph as it is written in its source, before the model.
///
/// What says nothing about a paragraph's job is taken away, so that it cannot change a label:
///
/// - Blank characters at both ends are dropped (see the [module documentation](super) for what is blank), every run of
///   white space becomes one space, and characters that show nothing (byte order mark, zero-width space, soft hyphen,
///   direction marks, control codes) vanish. The joiners U+200C and U+200D are kept only where they shape letters: not
///   after a Latin one.
/// - HTML entities that were left in the text are decoded.
/// - Compatibility forms (Unicode NFKC) become plain: ligatures, full-width and mathematical letters, `…`.
/// - Curly, low and angle quotation marks and primes become `"` and `'`, a double hyphen becomes a dash, and the
///   en dash a hyphen.
/// - Cyrillic and Greek letters that pass for Latin ones become Latin in words that have Latin letters too.
/// - Emoji and other pictographs are dropped, unless the text has nothing else.
/// - A list number at the beginning (`12. `, `3) `) is dropped.
///
/// Case and accents stay: what of them matters is the tokenizer's affair.
///
/// Applied to its own result it changes nothing, but for entities nested eight deep. The result borrows where nothing
/// inside had to change, and it is empty only if `span_text` has nothing but blank characters, which no span of
/// [`split`](super::split()) has.
///
/// ```
/// use copydesk::text::model_text;
/// assert_eq!(model_text("wrapped\n  at\u{a0}random"), "wrapped at random");
/// assert_eq!(model_text("7. “Fish &amp; chips” 😀"), "\"Fish & chips\"");
/// ```
pub fn model_text(span_text: &str) -> Cow<'_, str> {
    let trimmed = span_text.trim_matches(is_blank);
    if is_plain(trimmed) {
        return Cow::Borrowed(trimmed);
    }
    let mut text = pass(trimmed);
    for _ in 1..MAX_PASSES {
        if is_plain(&text) {
            break;
        }
        let next = pass(&text);
        if next == text {
            break;
        }
        text = next;
    }
    if text == trimmed { Cow::Borrowed(trimmed) } else { Cow::Owned(text) }
}

/// Whether a trimmed text is certain to stay as it is: ASCII with nothing that a [`pass`] looks at.
fn is_plain(trimmed: &str) -> bool {
    let bytes = trimmed.as_bytes();
    let mut before = b' ';
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b' ' | b'-' | b'~' if byte == before => return false,
            b'&' | b'`' | b'<' | b'>' | b'[' | b'*' | b'_' => return false,
            b' '..=b'~' => {}
            _ => return false,
        }
        // Letters that stand alone, one after the other, may be a spaced word.
        if !byte.is_ascii_alphanumeric()
            && at >= 3
            && !bytes[at - 2].is_ascii_alphanumeric()
            && before.is_ascii_alphabetic()
            && bytes[at - 3].is_ascii_alphabetic()
        {
            return false;
        }
        before = byte;
    }
    !trimmed.starts_with('#') && !may_have_leet(trimmed) && list_number(trimmed).is_none()
}

/// Every rule once. A rule that would leave nothing is not applied.
fn pass(trimmed: &str) -> String {
    let shown = without_overrides(trimmed);
    let decoded = html_escape::decode_html_entities(&shown);
    let unmarked = unless_blank(decoded, |text| match without_tags(text) {
        Cow::Borrowed(_) => None,
        Cow::Owned(plain) => Some(plain),
    });
    let unmarked = unless_blank(unmarked, without_line_marks);
    let unmarked = unless_blank(unmarked, without_emphasis);
    let upright = turned_upright(&unmarked);
    let unframed = without_frames(&upright);
    let plain: String = unframed.nfkc().map(|(c, _)| plain_mark(c)).collect();
    let plain = collapse(without_spacing(&plain).chars());
    let plain = latin_lookalikes(&join_dashes(&plain)).into_owned();
    let plain = without_leet(&plain).into_owned();
    let without = collapse(plain.chars().map(|c| if is_pictograph(c) { ' ' } else { c }));
    let kept = if without.is_empty() { if plain.is_empty() { trimmed } else { &plain } } else { &without };
    without_list_number(kept).to_owned()
}

/// Applies a rule that gives a new text where it changes something, unless it would leave nothing.
fn unless_blank<'text>(text: Cow<'text, str>, rule: impl Fn(&str) -> Option<String>) -> Cow<'text, str> {
    match rule(&text) {
        Some(plain) if !plain.chars().all(is_blank) => Cow::Owned(plain),
        _ => text,
    }
}

/// One space for every run of white space, none at the ends, no character that shows nothing.
fn collapse(characters: impl Iterator<Item = char>) -> String {
    let mut text = String::new();
    let (mut space, mut last) = (false, ' ');
    for c in characters {
        // A joiner shapes the letters of the scripts that have joined forms, and never those of the Latin script.
        if is_invisible(c) || is_dress(c) || matches!(c, '\u{200c}' | '\u{200d}') && (last < '\u{250}' || space) {
            continue;
        }
        if c.is_whitespace() {
            space = true;
            continue;
        }
        if space && !text.is_empty() {
            text.push(' ');
        }
        space = false;
        text.push(c);
        last = c;
    }
    text.truncate(text.trim_end_matches(is_blank).len());
    text
}

/// Changes how the character before it looks and is none itself: variation selectors, circles and squares around it.
fn is_dress(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{20dd}'..='\u{20e0}' | '\u{20e2}'..='\u{20e4}')
}

/// Quotation marks, primes and dashes in their plainest form.
fn plain_mark(c: char) -> char {
    match c {
        '“' | '”' | '„' | '‟' | '«' | '»' | '″' | '‶' | '〝' | '〞' => '"',
        '‘' | '’' | '‚' | '‛' | '′' | '‵' | '`' | '´' | 'ʼ' | '‹' | '›' => '\'',
        '‐' | '‑' | '‒' | '–' | '−' => '-',
        '―' => '—',
        c => c,
    }
}

/// A run of hyphens stands for a dash, and `''` for a quotation mark.
fn join_dashes(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if matches!(c, '-' | '\'') && characters.peek() == Some(&c) {
            while characters.next_if_eq(&c).is_some() {}
            joined.push(if c == '-' { '—' } else { '"' });
        } else {
            joined.push(c);
        }
    }
    joined
}

/// The text after all list numbers that it begins with.
fn without_list_number(mut text: &str) -> &str {
    while list_number(text).is_some() {
        let Some((_, rest)) = text.split_once(['.', ')']) else { break };
        text = rest.trim_start_matches(is_blank);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_borrowed() {
        for text in ["", "One plain line.", "Numbers 1. inside stay - so do hyphen-words", "naïve — 中文"] {
            assert!(matches!(model_text(text), Cow::Borrowed(same) if same == text), "{text:?}");
        }
        assert!(matches!(model_text("\u{feff} edges only\u{a0}\n"), Cow::Borrowed("edges only")));
    }

    #[test]
    fn white_space_becomes_one_space() {
        assert_eq!(model_text("a\nbe\r\nc\rd\u{2028}e"), "a be c d e");
        assert_eq!(model_text("a\u{a0}\u{2003} \t b"), "a b");
    }

    #[test]
    fn invisible_characters_vanish_even_between_spaces() {
        assert_eq!(model_text("co\u{ad}op \u{200b} of\u{feff}ten\u{0}"), "coop often");
        assert_eq!(model_text("v\u{200d}i\u{200c}a"), "via");
        assert_eq!(model_text("\u{645}\u{6cc}\u{200c}\u{62e}"), "\u{645}\u{6cc}\u{200c}\u{62e}");
        assert_eq!(model_text("\u{200b}\u{feff} \n"), "");
    }

    #[test]
    fn typography_is_levelled() {
        assert_eq!(model_text("‘It’s’ “so” «so» ``so''"), "'It's' \"so\" \"so\" \"so\"");
        assert_eq!(model_text("wait -- no --- yes ― 1990–95"), "wait — no — yes — 1990-95");
        assert_eq!(model_text("ﬁne… ｆｕｌｌ 𝐛𝐨𝐥𝐝"), "fine... full bold");
    }

    #[test]
    fn entities_are_decoded() {
        assert_eq!(model_text("Q&amp;A &quot;it&#39;s&#8221; &lt;T&gt;"), "Q&A \"it's\" <T>");
        assert_eq!(model_text("&amp;amp;quot;x"), "\"x");
        assert_eq!(model_text("AT&T & co; &unknown;"), "AT&T & co; &unknown;");
    }

    #[test]
    fn list_numbers_go_and_the_rest_stays() {
        assert_eq!(model_text("12. I agree."), "I agree.");
        assert_eq!(model_text("3) 1. twice"), "twice");
        for text in ["12.", "1.5 million", "2020. A year"] {
            assert_eq!(model_text(text), text);
        }
    }

    #[test]
    fn pictographs_go_unless_they_are_all() {
        assert_eq!(model_text("great 😀😀 deal👍🏽!"), "great deal !");
        assert_eq!(model_text("😀😀"), "😀😀");
        assert_eq!(model_text("&nbsp;"), "&nbsp;");
    }
}
