//! Emoji and other pictures in a text.

/// Whether a character is a picture or belongs to one: emoji, dingbats, arrows and shapes, skin tones, regional letters,
/// variation selectors and tags (blocks of the Unicode character database).
///
/// WordPiece vocabularies know none of them, and one that touches a word makes the whole word unknown.
pub(super) fn is_pictograph(c: char) -> bool {
    matches!(c,
        '\u{2190}'..='\u{21ff}'       // arrows
        | '\u{2300}'..='\u{23ff}'     // technical signs, among them clocks and buttons
        | '\u{2460}'..='\u{24ff}'     // enclosed letters and digits
        | '\u{2500}'..='\u{27bf}'     // boxes, blocks, shapes, symbols, dingbats
        | '\u{2900}'..='\u{297f}' | '\u{2b00}'..='\u{2bff}' // more arrows and shapes
        | '\u{fe00}'..='\u{fe0f}'     // variation selectors
        | '\u{fffd}'                  // what is left of a character that could not be decoded
        | '\u{1f000}'..='\u{1faff}'   // pictographs proper
        | '\u{e0000}'..='\u{e007f}'   // tags
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_marks_and_currencies_are_no_pictures() {
        assert!("😀👍🏽🇩🇪❤\u{fe0f}★→✓①".chars().all(is_pictograph));
        assert!(!"aé中“—…€™°§#*0ا".chars().any(is_pictograph));
    }
}
