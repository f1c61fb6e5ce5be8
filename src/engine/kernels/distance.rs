//! What attention adds to a score by the distance from query to key.

use super::lanes::{LANES, Lanes, flatten_mut};

/// A bias for each head and distance, as logarithms to base 2.
#[derive(Clone, Copy, Debug)]
pub struct DistanceBias<'a> {
    /// `[heads, 2 * reach + 1]`: for keys from `reach` tokens before the query to `reach` after it.
    pub table: &'a [f32],
    /// The longest distance; no sequence has more than `reach + 1` tokens.
    pub reach: usize,
}

impl<'a> DistanceBias<'a> {
    /// For one query of a head, beginning with the sequence's first key.
    #[inline(always)]
    fn of(&self, head: usize, query: usize) -> &'a [f32] {
        let width = 2 * self.reach + 1;
        &self.table[head * width..][self.reach - query..width]
    }

    /// Turns one query's scores into logarithms: `score * scale + bias`, for the keys of the sequence.
    #[inline(always)]
    pub fn add_to_row(&self, head: usize, query: usize, tokens: usize, scale: f32, scores: &mut [Lanes]) {
        for (score, bias) in flatten_mut(scores)[..tokens].iter_mut().zip(self.of(head, query)) {
            *score = *score * scale + bias;
        }
    }

    /// Adds to the first query's scores of all heads, `[tokens, head_lanes]` with a head in each lane.
    #[inline(always)]
    pub fn add_to_first(&self, heads: usize, head_lanes: usize, tokens: usize, scores: &mut [Lanes]) {
        for head in 0..heads {
            let (block, lane) = (head / LANES, head % LANES);
            for (row, bias) in scores.chunks_exact_mut(head_lanes).zip(&self.of(head, 0)[..tokens]) {
                row[block].0[lane] += bias;
            }
        }
    }
}
