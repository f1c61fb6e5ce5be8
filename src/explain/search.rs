//! Which words to leave out, with few readings.

/// Words of a paragraph that are left out one by one at most: with the first reading and those of the single words it then takes no
/// longer than twenty labels.
const READINGS: usize = 14;

/// What a label loses in a version of the text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fall {
    /// Of its score.
    pub score: f32,
    /// Of the logarithm of its odds, which tells scores near 1 apart.
    pub log_odds: f32,
}

/// Whether each word of a paragraph of so many can be left out.
pub(super) fn is_short(words: usize) -> bool {
    words <= READINGS
}

/// The words to leave out, in their order, given how much each by itself speaks for the label.
pub(super) fn candidates(alone: &[f32]) -> Vec<usize> {
    let mut words = ranked(alone.iter().copied().enumerate());
    words.truncate(READINGS);
    words.sort_unstable();
    words
}

/// Words by their weights, the heaviest first, the first of equals.
pub(super) fn ranked(weights: impl Iterator<Item = (usize, f32)>) -> Vec<usize> {
    let mut words: Vec<(usize, f32)> = weights.collect();
    words.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
    words.into_iter().map(|(word, _)| word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_that_speak_most_for_the_label_are_left_out() {
        let alone: Vec<f32> = (0..40).map(|word| (word * 7 % 40) as f32).collect();
        let words = candidates(&alone);
        assert_eq!(words.len(), READINGS);
        assert!(words.is_sorted() && words.iter().all(|&word| alone[word] >= 26.0));
        assert_eq!(candidates(&[0.0; 30]), (0..READINGS).collect::<Vec<_>>());
        assert_eq!(ranked([(3, 0.5), (1, 0.5), (2, -1.0)].into_iter()), [1, 3, 2]);
    }
}
