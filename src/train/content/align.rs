//! Which blocks of a page its marked content was made of.

use crate::html::words;
use std::collections::{HashMap, HashSet};

/// Words that must follow each other in both, so that a long block counts as met.
const RUN: usize = 4;

/// Words of slack around the place where a short block is looked for.
const SLACK: usize = 40;

/// The lower-case words of a text, as evaluations of extraction count them.
pub(crate) fn lower_words(text: &str) -> Vec<String> {
    words(&text.to_lowercase()).map(str::to_owned).collect()
}

/// For each block, the share of its words that stand in `content`, 0 to 1.
///
/// A long block is met where runs of [`RUN`] of its words are. A shorter one must stand between the places of its long
/// neighbours, or be a line of the content: a menu's `Home` is no content because an article has that word.
pub(crate) fn targets(blocks: &[Vec<String>], content: &str) -> Vec<f32> {
    let reference = lower_words(content);
    let reference: Vec<&str> = reference.iter().map(String::as_str).collect();
    let lines: Vec<Vec<String>> = content.lines().map(lower_words).collect();
    let lines: HashSet<&[String]> = lines.iter().filter(|line| !line.is_empty()).map(Vec::as_slice).collect();
    let mut places: HashMap<&[&str], Vec<usize>> = HashMap::new();
    for length in 1..=RUN {
        for (place, run) in reference.windows(length).enumerate() {
            places.entry(run).or_default().push(place);
        }
    }
    let at_or_after =
        |found: &[usize], least: usize| found[found.partition_point(|&place| place < least)..].first().copied();
    let mut shares = vec![0.0; blocks.len()];
    let mut begins: Vec<Option<usize>> = vec![None; blocks.len()];
    let mut last = 0;
    for (index, block) in blocks.iter().enumerate().filter(|(_, block)| block.len() >= RUN) {
        let words: Vec<&str> = block.iter().map(String::as_str).collect();
        let mut met = vec![false; words.len()];
        let mut begin = None;
        for (start, run) in words.windows(RUN).enumerate() {
            let Some(found) = places.get(run) else { continue };
            met[start..start + RUN].fill(true);
            begin = begin.or(at_or_after(found, last).or(found.first().copied()));
        }
        shares[index] = met.iter().filter(|met| **met).count() as f32 / words.len() as f32;
        if shares[index] >= 0.5 {
            begins[index] = begin;
            last = begin.unwrap_or(last);
        }
    }
    let mut following: Vec<Option<usize>> = vec![None; blocks.len()];
    let mut next = None;
    for index in (0..blocks.len()).rev() {
        following[index] = next;
        next = begins[index].or(next);
    }
    let mut before: Option<usize> = None;
    for (index, block) in blocks.iter().enumerate() {
        if block.len() >= RUN {
            before = begins[index].map(|begin| begin + block.len()).or(before);
            continue;
        }
        let words: Vec<&str> = block.iter().map(String::as_str).collect();
        let Some(found) = places.get(words.as_slice()) else { continue };
        let least = before.map_or(0, |before| before.saturating_sub(SLACK));
        let most = match following[index] {
            Some(following) if following + SLACK >= least => following + SLACK,
            Some(_) => least + 10 * SLACK,
            None => reference.len(),
        };
        let is_near = at_or_after(found, least).is_some_and(|place| place <= most);
        let is_line = lines.contains(block.as_slice());
        let is_between = before.is_some() && following[index].is_some();
        if (is_near && (is_line || is_between)) || (is_line && block.len() >= 2) {
            shares[index] = 1.0;
        }
    }
    shares
}

/// Word F1 of two texts in words: the harmonic mean of precision and recall of the words, each as often as it stands there.
pub(crate) fn word_f1<'a>(found: impl Iterator<Item = &'a str>, reference: &[String]) -> f64 {
    let mut counts: HashMap<&str, i64> = HashMap::new();
    reference.iter().for_each(|word| *counts.entry(word).or_default() += 1);
    let (mut both, mut all) = (0.0, 0.0);
    for word in found {
        all += 1.0;
        if let Some(count) = counts.get_mut(word)
            && *count > 0
        {
            *count -= 1;
            both += 1.0;
        }
    }
    match (all, reference.len() as f64) {
        (0.0, 0.0) => 1.0,
        (all, whole) if both > 0.0 => 2.0 * both / (all + whole),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(blocks: &[&str], content: &str) -> Vec<f32> {
        targets(&blocks.iter().map(|block| lower_words(block)).collect::<Vec<_>>(), content)
    }

    #[test]
    fn blocks_are_found_by_runs_of_words_and_short_ones_by_their_place() {
        let content = "New bakery\n\nThe bakery at the corner opens on Monday at home.\n\nHours\n\nIt is open from seven to four.";
        let blocks = [
            "Home",
            "New bakery",
            "The bakery at the corner opens on Monday at home.",
            "Hours",
            "It is open from seven to four.",
            "Read more about the town and its people",
            "Home",
        ];
        assert_eq!(shares(&blocks, content), [0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
        assert_eq!(shares(&blocks, ""), [0.0; 7]);
    }

    #[test]
    fn word_f1_counts_every_word_as_often_as_it_stands() {
        let f1 = |found: &str, reference: &str| {
            word_f1(lower_words(found).iter().map(String::as_str), &lower_words(reference))
        };
        assert_eq!(f1("a b", "A b"), 1.0);
        assert_eq!(f1("a a a", "a b"), 0.4);
        assert_eq!((f1("", ""), f1("a", ""), f1("", "a")), (1.0, 0.0, 0.0));
    }
}
