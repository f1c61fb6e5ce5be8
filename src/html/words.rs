//! Words: in texts as evaluations of extraction count them, in classes and ids as people put them together.

use crate::fnv::{fnv_bytes, fnv_seeded, fnv_stirred};

/// Words of a text: runs of letters, digits and underscores.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// Longest word of a class or an id that is kept, in bytes; what is longer was made by a machine.
const NAME_BYTES: usize = 24;

/// Calls `take` with the words of a class or an id in lower case: `postBody_3x main-nav` has `post`, `body`, `x`… and `main`,
/// `nav`. Words of one letter and the digits are left out. At most `limit` words.
pub(super) fn names(value: &str, limit: usize, mut take: impl FnMut(&[u8])) {
    let mut word = Vec::with_capacity(NAME_BYTES);
    let mut before_is_small = false;
    let mut given = 0;
    let mut end = |word: &mut Vec<u8>| {
        if (2..=NAME_BYTES).contains(&word.len()) && given < limit {
            take(word);
            given += 1;
        }
        word.clear();
        given < limit
    };
    for byte in value.bytes() {
        let joined = byte.is_ascii_alphabetic() && !(before_is_small && byte.is_ascii_uppercase());
        if !joined && !end(&mut word) {
            return;
        }
        if byte.is_ascii_alphabetic() && word.len() <= NAME_BYTES {
            word.push(byte.to_ascii_lowercase());
        }
        before_is_small = byte.is_ascii_lowercase();
    }
    end(&mut word);
}

/// A hash that stays the same for ever: models are stored that rest on it. FNV-1a with a last stirring.
pub(super) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    fnv_stirred(fnv_bytes(fnv_seeded(seed), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_runs_of_letters_digits_and_underscores() {
        assert_eq!(words("It's a_b, 3.5% – über!").collect::<Vec<_>>(), ["It", "s", "a_b", "3", "5", "über"]);
    }

    #[test]
    fn names_are_taken_apart() {
        let all = |value: &str, limit| {
            let mut all = Vec::new();
            names(value, limit, |word| all.push(String::from_utf8(word.to_vec()).unwrap()));
            all
        };
        assert_eq!(all("postBody_3x main-nav2 a SIDEBAR", 9), ["post", "body", "main", "nav", "sidebar"]);
        assert_eq!(all("one two three", 2), ["one", "two"]);
        assert!(all(&"x".repeat(1000), 9).is_empty());
    }
}
