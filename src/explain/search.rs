//! Which words to leave out, with few readings.

use std::ops::Range;

/// Versions of a paragraph that are read at most.
const READINGS: usize = 18;

/// Groups that the words of a longer paragraph are left out in first.
const GROUPS: usize = 8;

/// What a label loses in a version of the text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fall {
    /// Of its score.
    pub score: f32,
    /// Of the logarithm of its odds, which tells scores near 1 apart.
    pub log_odds: f32,
}

/// Asks for pieces of a paragraph to be left out, and learns what the label loses.
///
/// Every word of a short paragraph is left out by itself. Of a longer one groups of neighbouring words are left out first, and
/// then the words of the groups that the label loses most without, one by one, until the readings are used up.
#[derive(Clone, Debug)]
pub(super) struct Search {
    asks: Vec<Range<usize>>,
    left: usize,
    words: Vec<(usize, Fall)>,
}

impl Search {
    /// For a paragraph of so many words.
    pub fn new(words: usize) -> Search {
        let pieces = if words <= READINGS { words } else { GROUPS };
        let asks = (0..pieces).map(|piece| piece * words / pieces..(piece + 1) * words / pieces).collect();
        Search { asks, left: READINGS, words: Vec::new() }
    }

    /// The pieces to leave out next; none when all is known.
    pub fn asks(&self) -> Vec<Range<usize>> {
        self.asks.clone()
    }

    /// What the label loses without each of the pieces that were asked for.
    pub fn learn(&mut self, pieces: Vec<Range<usize>>, falls: Vec<Fall>) {
        self.left -= pieces.len();
        let mut groups = Vec::new();
        for (piece, fall) in pieces.into_iter().zip(falls) {
            if piece.len() == 1 {
                self.words.push((piece.start, fall));
            } else {
                groups.push((piece, fall));
            }
        }
        // A stable sort: of equal groups the first comes first.
        groups.sort_by(|left, right| right.1.log_odds.total_cmp(&left.1.log_odds));
        let words = groups.into_iter().flat_map(|(piece, _)| piece);
        self.asks = words.take(self.left).map(|word| word..word + 1).collect();
    }

    /// The words that were left out by themselves, the heaviest first, the first of equals.
    pub fn ranking(&self) -> Vec<(usize, Fall)> {
        let mut words = self.words.clone();
        words.sort_by(|left, right| right.1.log_odds.total_cmp(&left.1.log_odds).then(left.0.cmp(&right.0)));
        words
    }
}
