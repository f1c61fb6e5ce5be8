//! What can be counted about a paragraph without reading it.

use super::blank::is_blank;
use super::marker::list_number;

/// Number of facts about a paragraph.
pub const FACT_COUNT: usize = 8;

/// Cheap facts about a paragraph for a model that reads whole pages. They are counted in `text`, its
/// [`model_text`](super::model_text()), so that neither tags nor disguised letters change them; only whether it has a list
/// number is seen in `written`, the paragraph as it stands in its source.
///
/// In this order, each about 0 to 1: logarithm of the length in characters (1 at about 3,000); ends a sentence; share of
/// the characters between quotation marks; begins with a quotation mark; share of the words that begin with a capital;
/// share of digits; holds a link; begins with a list number.
pub fn facts(text: &str, written: &str) -> [f32; FACT_COUNT] {
    let (mut length, mut digits, mut quoted) = (0u32, 0u32, 0u32);
    let (mut inside, mut pending) = (false, 0u32);
    for c in text.chars() {
        length += 1;
        digits += u32::from(c.is_ascii_digit());
        // Only a quotation that is closed counts: a lone mark may stand for inches or be a slip.
        match (c, inside) {
            ('"' | '“' | '«', false) => (inside, pending) = (true, 0),
            ('"' | '”' | '»', true) => {
                inside = false;
                quoted += pending;
            }
            _ => pending += u32::from(inside),
        }
    }
    let (mut words, mut capitals) = (0u32, 0u32);
    for word in text.split_whitespace() {
        words += 1;
        capitals += u32::from(word.trim_start_matches(|c: char| !c.is_alphanumeric()).starts_with(char::is_uppercase));
    }
    let share = |part: u32, whole: u32| part as f32 / whole.max(1) as f32;
    let flag = |condition: bool| f32::from(u8::from(condition));
    let is_quote = |c: char| matches!(c, '"' | '“' | '”' | '«' | '»' | '‘' | '’' | '\'');
    [
        ((length as f32 + 1.0).ln() / 8.0).min(1.5),
        flag(text.trim_end_matches(|c| is_quote(c) || c == ')').ends_with(['.', '!', '?', '…'])),
        share(quoted, length),
        flag(text.starts_with(is_quote)),
        share(capitals, words),
        share(digits, length),
        flag(["http://", "https://", "www.", ".com"].iter().any(|link| text.contains(link))),
        flag(list_number(written.trim_start_matches(is_blank)).is_some()),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::model_text;
    use super::*;

    #[test]
    fn facts_of_telling_paragraphs() {
        let facts = |written| facts(&model_text(written), written);
        let [length, ends, quoted, begins, capitals, digits, link, number] = facts("  “We won,” she said in 2004.\n");
        assert!((length - 28f32.ln() / 8.0).abs() < 1e-6);
        assert_eq!([ends, begins, link, number], [1.0, 1.0, 0.0, 0.0]);
        assert!((quoted - 7.0 / 27.0).abs() < 1e-6 && (capitals - 1.0 / 6.0).abs() < 1e-6);
        assert!((digits - 4.0 / 27.0).abs() < 1e-6);
        assert_eq!(facts("3. See www.example.org")[6..], [1.0, 1.0]);
        assert_eq!(facts("<p>We <b>won</b>, 🅢🅗🅔 said.</p>"), facts("We won, SHE said."));
        assert_eq!(facts("He is 6'2\" tall")[2], 0.0);
        assert!(facts("").iter().all(|fact| fact.is_finite()));
    }
}
