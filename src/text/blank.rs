//! Which characters count as blank, and which end a line.

/// Shows nothing and separates nothing, so it is left out of the model's text. The tokenizer's own cleaning drops
/// the same characters (Unicode categories Cc and Cf), but only after words were told apart.
pub(super) fn is_invisible(c: char) -> bool {
    match c {
        // The common case first: printable ASCII.
        ' '..='~' => false,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}' => true,
        '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' => true,
        c => c.is_control() && !c.is_whitespace(),
    }
}

/// White space, or nothing that shows. The joiners U+200C and U+200D are blank at the edge of a line, where they join
/// nothing, although inside a word or an emoji they are kept.
pub(crate) fn is_blank(c: char) -> bool {
    match c {
        ' ' => true,
        '!'..='~' => false,
        // What follows it is shown backwards, so it belongs to a text.
        '\u{202e}' => false,
        c => c.is_whitespace() || matches!(c, '\u{200c}' | '\u{200d}') || is_invisible(c),
    }
}

/// Ends a line.
pub(super) fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{85}' | '\u{2028}') || is_block_break(c)
}

/// Ends a line and the block it stands in, without a blank line: form feed and paragraph separator.
pub(super) fn is_block_break(c: char) -> bool {
    matches!(c, '\u{c}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_covers_every_kind_of_space_and_nothing_that_shows() {
        for c in " \t\n\r\u{a0}\u{2003}\u{202f}\u{3000}\u{200b}\u{200d}\u{feff}\u{ad}\u{0}\u{7f}\u{93}".chars() {
            assert!(is_blank(c), "{c:?}");
        }
        for c in "a.0é“”—中\u{301}\u{fe0f}\u{fffd}😀".chars() {
            assert!(!is_blank(c) && !is_invisible(c), "{c:?}");
        }
    }

    #[test]
    fn every_line_break_is_white_space() {
        for c in ('\0'..='\u{ffff}').filter(|&c| is_line_break(c)) {
            assert!(c.is_whitespace(), "{c:?}");
        }
    }
}
