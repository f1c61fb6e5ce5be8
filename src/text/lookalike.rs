//! Letters of other scripts that pass for Latin ones.

use std::borrow::Cow;

/// The Latin letter that a Cyrillic or Greek one is taken for (a selection from the Unicode Consortium's
/// `confusables.txt`: letters that look the same in common fonts).
fn latin(c: char) -> Option<char> {
    let latin = match c {
        'а' | 'α' => 'a',
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'с' | 'ϲ' => 'c',
        'С' | 'Ϲ' => 'C',
        'ԁ' => 'd',
        'е' | 'є' => 'e',
        'Е' | 'Ε' => 'E',
        'ɡ' => 'g',
        'һ' => 'h',
        'Н' | 'Η' => 'H',
        'і' | 'ι' | 'ı' => 'i',
        'І' | 'Ι' | 'Ӏ' => 'I',
        'ј' | 'ϳ' => 'j',
        'Ј' => 'J',
        'к' | 'κ' => 'k',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'п' => 'n',
        'Ν' => 'N',
        'о' | 'ο' | 'σ' => 'o',
        'О' | 'Ο' => 'O',
        'р' | 'ρ' => 'p',
        'Р' | 'Ρ' => 'P',
        'ԛ' => 'q',
        'г' => 'r',
        'ѕ' => 's',
        'Ѕ' => 'S',
        'т' | 'τ' => 't',
        'Т' | 'Τ' => 'T',
        'υ' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'Х' | 'Χ' => 'X',
        'у' | 'γ' => 'y',
        'У' | 'Υ' => 'Y',
        'Ζ' => 'Z',
        _ => return None,
    };
    Some(latin)
}

/// Writes look-alikes as Latin letters in every word that has at least one Latin letter. Words of one script, Greek and
/// Russian among them, stay as they are.
pub(super) fn latin_lookalikes(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(|c| latin(c).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut result = String::with_capacity(text.len());
    for word in text.split_inclusive(|c: char| !c.is_alphanumeric()) {
        if word.contains(|c: char| c.is_ascii_alphabetic()) {
            result.extend(word.chars().map(|c| latin(c).unwrap_or(c)));
        } else {
            result.push_str(word);
        }
    }
    Cow::Owned(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_mixed_words_change() {
        assert_eq!(latin_lookalikes("сhеар саsіno, Москва и ΑΘΗΝΑ"), "cheap casino, Москва и ΑΘΗΝΑ");
        assert!(matches!(latin_lookalikes("naïve"), Cow::Borrowed(_)));
    }
}
