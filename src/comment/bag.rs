//! Words and letters as places in hashed tables, weighed one by one.

use super::subject::words;
use crate::fnv::{fnv_bytes, fnv_seeded, fnv_step, fnv_stirred};

/// Places for the words of texts.
pub const WORD_BUCKETS: usize = 1 << 16;

/// Places for authors' names.
pub const NAME_BUCKETS: usize = 1 << 13;

/// Words of a text that are looked at: the first ones and the last ones, so many each.
const WORDS: usize = 200;

/// Letters in a group.
const LETTERS: usize = 4;

/// Places in a table, each once.
pub type Bag = Vec<u32>;

/// The bag of a text: its words, pairs of them, and groups of letters within words.
pub fn words_of(text: &str) -> Bag {
    let lower = text.to_lowercase();
    let all: Vec<&str> = words(&lower).collect();
    let mut bag = Bag::new();
    let last = all.len().saturating_sub(WORDS).max(WORDS.min(all.len()));
    for part in [&all[..WORDS.min(all.len())], &all[last..]] {
        for (position, word) in part.iter().enumerate() {
            bag.push(place(1, &[word], WORD_BUCKETS));
            if let Some(next) = part.get(position + 1) {
                bag.push(place(2, &[word, next], WORD_BUCKETS));
            }
            letters(3, word, WORD_BUCKETS, &mut bag);
        }
    }
    finish(bag)
}

/// The bag of an author's name.
pub fn name_of(name: &str) -> Bag {
    let lower = name.trim().to_lowercase();
    let mut bag = Bag::new();
    for word in words(&lower) {
        bag.push(place(4, &[word], NAME_BUCKETS));
        letters(5, word, NAME_BUCKETS, &mut bag);
    }
    finish(bag)
}

/// What the weights say of a bag, as a part of a logit: a long text says no more than a short one.
pub fn weigh(weights: &[f32], bag: &Bag) -> f32 {
    bag.iter().map(|&place| weights[place as usize]).sum::<f32>() * bag_scale(bag)
}

/// What each weight counts.
pub fn bag_scale(bag: &Bag) -> f32 {
    3.0 / (bag.len() as f32).max(1.0).sqrt()
}

fn letters(seed: u64, word: &str, buckets: usize, bag: &mut Bag) {
    let framed: Vec<char> = std::iter::once('^').chain(word.chars().take(24)).chain(std::iter::once('$')).collect();
    let mut text = String::new();
    for group in framed.windows(LETTERS) {
        text.clear();
        text.extend(group);
        bag.push(place(seed, &[&text], buckets));
    }
}

fn place(seed: u64, words: &[&str], buckets: usize) -> u32 {
    let word = |state, word: &&str| fnv_bytes(fnv_step(state, b' '.into()), word.as_bytes());
    (fnv_stirred(words.iter().fold(fnv_seeded(seed), word)) % buckets as u64) as u32
}

fn finish(mut bag: Bag) -> Bag {
    bag.sort_unstable();
    bag.dedup();
    bag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letter_case_and_marks_do_not_count() {
        assert_eq!(words_of("Cheap pills!"), words_of("cheap, PILLS"));
        assert_ne!(words_of("cheap pills"), words_of("pills cheap"));
        assert!(words_of("").is_empty() && name_of(" ").is_empty());
    }

    #[test]
    fn of_a_long_text_the_beginning_and_the_end_count() {
        let long = |end: &str| format!("{} {end}", "word ".repeat(1000));
        assert_ne!(words_of(&long("casino")), words_of(&long("garden")));
        assert_eq!(weigh(&vec![1.0; WORD_BUCKETS], &vec![1, 2, 3, 4]), 6.0);
    }
}
