//! The text of a paragraph as the model sees it.

use super::blank::{is_blank, is_invisible};
use std::borrow::Cow;

/// The text that stands for `span_text`, a paragraph as it is written in its source, before the model.
///
/// - Blank characters at both ends are dropped (see the [module documentation](super) for what is blank).
/// - Every run of white space, line breaks and no-break spaces included, becomes one space: hard-wrapped lines are
///   joined.
/// - Characters that show nothing (byte order mark, zero-width space, soft hyphen, direction marks, control codes)
///   vanish; the joiners U+200C and U+200D are kept inside the text, where they shape letters and emoji.
/// - Nothing else changes: no case folding, no Unicode normalisation, hyphens at line ends and list numbers stay.
///
/// Applied to its own result it changes nothing. The result borrows wherever nothing inside had to change, and it is
/// empty only if `span_text` has nothing but blank characters, which no span of [`split`](super::split) has.
///
/// ```
/// use copydesk::text::model_text;
/// assert_eq!(model_text("wrapped\n  at\u{a0}random"), "wrapped at random");
/// ```
pub fn model_text(span_text: &str) -> Cow<'_, str> {
    let trimmed = span_text.trim_matches(is_blank);
    let Some(first_change) = first_change(trimmed) else {
        return Cow::Borrowed(trimmed);
    };
    let mut text = String::with_capacity(trimmed.len());
    text.push_str(&trimmed[..first_change]);
    let mut after_space = text.ends_with(' ');
    for c in trimmed[first_change..].chars() {
        if c.is_whitespace() {
            if !after_space {
                text.push(' ');
            }
            after_space = true;
        } else if !is_invisible(c) {
            text.push(c);
            after_space = false;
        }
    }
    Cow::Owned(text)
}

/// Byte offset of the first character that cannot be taken over as it is.
fn first_change(trimmed: &str) -> Option<usize> {
    let mut after_space = false;
    for (offset, c) in trimmed.char_indices() {
        let space = c == ' ';
        if space && after_space || !space && (c.is_whitespace() || is_invisible(c)) {
            return Some(offset);
        }
        after_space = space;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_text_is_borrowed() {
        for text in ["", "One plain line.", "1. Numbers stay", "naïve “quotes” — 中文 👩\u{200d}🚀"] {
            assert!(matches!(model_text(text), Cow::Borrowed(same) if same == text));
        }
        assert!(matches!(model_text("\u{feff} edges only\u{a0}\n"), Cow::Borrowed("edges only")));
    }

    #[test]
    fn white_space_becomes_one_space() {
        assert_eq!(model_text("a\nb\r\nc\rd\u{2028}e"), "a b c d e");
        assert_eq!(model_text("a\u{a0}\u{2003} \t b"), "a b");
    }

    #[test]
    fn invisible_characters_vanish_even_between_spaces() {
        assert_eq!(model_text("co\u{ad}op \u{200b} of\u{feff}ten\u{0}"), "coop often");
        assert_eq!(model_text("\u{200b}\u{feff} \n"), "");
    }
}
