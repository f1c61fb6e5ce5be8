//! Words, sentences and links of a text, and numbers that follow from it.

use crate::fnv::{FNV_OFFSET, fnv_step};
use crate::random::SplitMix64;
use std::ops::RangeInclusive;

/// How many words a text has: runs of characters without white space that hold a letter or digit.
pub(super) fn count(text: &str) -> usize {
    words(text).count()
}

pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric))
}

/// A number that texts share if their letters and digits are the same: case, blanks and marks do not count.
pub(super) fn fingerprint(text: &str) -> u64 {
    let letters = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
    letters.fold(FNV_OFFSET, |hash, c| fnv_step(hash, u32::from(c).into()))
}

/// A number that texts share if their first twelve words do, digits and links aside: copies of one template.
pub(super) fn opening(text: &str) -> u64 {
    let plain = words(text).filter(|word| !has_link(word)).take(12);
    plain
        .flat_map(|word| word.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase))
        .fold(FNV_OFFSET, |hash, c| fnv_step(hash, u32::from(c).into()))
}

/// A well mixed number that follows from a seed and a name, so that a choice by it does not depend on what else there is.
pub(super) fn mixed(seed: u64, name: &str) -> u64 {
    let hash = name.bytes().fold(FNV_OFFSET ^ seed, |hash, byte| fnv_step(hash, byte.into()));
    SplitMix64::new(hash).next_u64()
}

/// Whether the text names a web address.
pub(super) fn has_link(text: &str) -> bool {
    const DOMAINS: [&str; 12] =
        [".com", ".org", ".net", ".info", ".ru", ".co.uk", ".biz", ".de", ".io", ".html", ".top", ".xyz"];
    let lower = text.to_lowercase();
    lower.contains("http") || lower.contains("www.") || DOMAINS.iter().any(|domain| lower.contains(domain))
}

/// The sentences in order, without the blanks between them; a line break ends one too.
pub(super) fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let mut characters = text.char_indices().peekable();
    let mut push = |sentence: &'_ str, range: std::ops::Range<usize>| {
        if !sentence.trim().is_empty() {
            sentences.push(range);
        }
    };
    while let Some((place, c)) = characters.next() {
        if c == '\n' {
            push(&text[start..place], start..place);
            start = place + 1;
        }
        if !matches!(c, '.' | '!' | '?' | '…') {
            continue;
        }
        let closes = |c: char| matches!(c, '"' | '\'' | '”' | '’' | ')' | '.' | '!' | '?' | '…');
        while characters.next_if(|&(_, c)| closes(c)).is_some() {}
        let Some(&(end, next)) = characters.peek() else { break };
        let goes_on = text[end..].trim_start().chars().next().is_some_and(char::is_lowercase);
        if next.is_whitespace() && next != '\n' && !goes_on {
            push(&text[start..end], start..end);
            start = end;
        }
    }
    push(&text[start..], start..text.len());
    sentences.into_iter().map(|range| text[range].trim()).collect()
}

/// Neighbouring sentences, as one slice, with a number of words in the range; drawn from those that fit.
pub(super) fn passage<'t>(text: &'t str, range: &RangeInclusive<usize>, random: &mut SplitMix64) -> Option<&'t str> {
    let sentences = sentences(text);
    let first = random.below(sentences.len());
    let base = text.as_ptr() as usize;
    for turn in 0..sentences.len() {
        let start = (first + turn) % sentences.len();
        let mut words = 0;
        for sentence in &sentences[start..] {
            words += count(sentence);
            if words > *range.end() {
                break;
            }
            if range.contains(&words) {
                let from = sentences[start].as_ptr() as usize - base;
                return Some(&text[from..sentence.as_ptr() as usize - base + sentence.len()]);
            }
        }
    }
    None
}

/// The text in one line.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Mr. smith went out. \"Why?\" he asked. It rained!\nThen it stopped… All was well";

    #[test]
    fn words_have_letters_or_digits() {
        assert_eq!(count("> No - 3 cats &\n\u{a0}one — dog."), 5);
        assert_eq!(count(" \n"), 0);
    }

    #[test]
    fn sentences_end_at_marks_and_lines() {
        let expected = ["Mr. smith went out.", "\"Why?\" he asked.", "It rained!", "Then it stopped…", "All was well"];
        assert_eq!(sentences(TEXT), expected);
        assert!(sentences(" \n ").is_empty());
        assert_eq!(sentences("Ünï. Çö"), ["Ünï.", "Çö"]);
    }

    #[test]
    fn passages_have_as_many_words_as_asked_for() {
        for seed in 0..30 {
            let passage = passage(TEXT, &(5..=7), &mut SplitMix64::new(seed)).unwrap();
            assert!((5..=7).contains(&count(passage)), "{passage}");
        }
        assert_eq!(passage(TEXT, &(40..=50), &mut SplitMix64::new(1)), None);
        assert_eq!(passage("", &(1..=5), &mut SplitMix64::new(1)), None);
    }

    #[test]
    fn copies_are_known_by_their_letters() {
        assert_eq!(fingerprint("It's  SO!"), fingerprint("its so"));
        assert_ne!(fingerprint("its so"), fingerprint("its not so"));
        let copy = |price: &str| opening(&format!("Buy {price} pills at http://{price}.example today"));
        assert_eq!(copy("30"), copy("40"));
    }
}
