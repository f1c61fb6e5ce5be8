//! Attention of one sequence.

use super::super::dense::dot;
use super::positions::{Disentangled, Positions, bias_bucket, rotate, turns};
use std::ops::Range;

/// One sequence's queries, keys and values, and the buffers that attention needs.
pub(super) struct Attention<'a> {
    /// `[tokens, 3 · hidden]`: queries, then keys, then values. Queries and keys are turned in place.
    pub query_key_value: &'a mut [f32],
    pub hidden: usize,
    pub heads: usize,
    pub positions: &'a Positions,
    pub scratch: &'a mut Scratch,
}

/// Buffers that live from sequence to sequence.
#[derive(Default)]
pub(super) struct Scratch {
    scores: Vec<f32>,
    from_queries: Vec<f32>,
    from_keys: Vec<f32>,
    /// The bucket of each distance, the most negative first.
    buckets: Vec<usize>,
}

impl Attention<'_> {
    /// Writes what each token gathers to `to`, `[tokens, hidden]`.
    pub fn run(self, to: &mut [f32]) {
        let Attention { query_key_value, hidden, heads, positions, scratch } = self;
        let stride = 3 * hidden;
        let tokens = query_key_value.len() / stride;
        let width = hidden / heads;
        let mut reach = tokens;
        let mut scale = 1.0 / (width as f32).sqrt();
        let distances = 1 - tokens as isize..tokens as isize;
        scratch.buckets.clear();
        match positions {
            Positions::Embedded => {}
            Positions::Bias(_) => scratch.buckets.extend(distances.map(bias_bucket)),
            Positions::Disentangled(table) => {
                scale = 1.0 / ((width * table.parts()) as f32).sqrt();
                scratch.buckets.extend(distances.map(|distance| table.bucket(distance)));
            }
            Positions::Rotary { theta, reach: limit } => {
                reach = limit.unwrap_or(tokens);
                for (position, row) in query_key_value.chunks_exact_mut(stride).enumerate() {
                    let turns = turns(position, width, *theta);
                    row[..2 * hidden].chunks_exact_mut(width).for_each(|head| rotate(head, &turns));
                }
            }
        }
        let rows = &*query_key_value;
        to.fill(0.0);
        for head in 0..heads {
            let part = head * width..(head + 1) * width;
            let vector = |token: usize, kind: usize| &rows[token * stride + kind * hidden..][part.clone()];
            let buckets =
                by_buckets(positions, scratch, hidden, &part, |kind| (0..tokens).map(move |token| vector(token, kind)));
            for (token, to) in to.chunks_exact_mut(hidden).enumerate() {
                let seen = token.saturating_sub(reach)..tokens.min(token.saturating_add(reach).saturating_add(1));
                let query = vector(token, 0);
                scratch.scores.clear();
                for key in seen.clone() {
                    let mut score = dot(query, vector(key, 1));
                    // Query minus key, counted from the most negative.
                    let distance = token + tokens - 1 - key;
                    match positions {
                        Positions::Embedded | Positions::Rotary { .. } => score *= scale,
                        Positions::Bias(table) => {
                            score = score * scale + table[scratch.buckets[distance] * heads + head];
                        }
                        Positions::Disentangled(_) => {
                            let column = scratch.buckets[distance] - buckets.start;
                            let at = |values: &[f32], row: usize| {
                                values.get(row * buckets.len() + column).copied().unwrap_or(0.0)
                            };
                            score += at(&scratch.from_queries, token) + at(&scratch.from_keys, key);
                            score *= scale;
                        }
                    }
                    scratch.scores.push(score);
                }
                softmax(&mut scratch.scores);
                let to = &mut to[part.clone()];
                for (share, key) in scratch.scores.iter().zip(seen) {
                    to.iter_mut().zip(vector(key, 2)).for_each(|(sum, value)| *sum += share * value);
                }
            }
        }
    }
}

/// Fills the products of a head's queries and keys with vectors of distances, and says which buckets they are for: those that
/// distances within the sequence have.
fn by_buckets<'v, I: Iterator<Item = &'v [f32]>>(
    positions: &Positions,
    scratch: &mut Scratch,
    hidden: usize,
    part: &Range<usize>,
    vectors: impl Fn(usize) -> I,
) -> Range<usize> {
    let Positions::Disentangled(table) = positions else { return 0..0 };
    // Buckets rise with the distance.
    let (Some(&first), Some(&last)) = (scratch.buckets.first(), scratch.buckets.last()) else { return 0..0 };
    for (rows, kind, to) in [(&table.keys, 0, &mut scratch.from_queries), (&table.queries, 1, &mut scratch.from_keys)] {
        to.clear();
        if !rows.is_empty() {
            Disentangled::products(rows, hidden, part.clone(), first..=last, vectors(kind), to);
        }
    }
    first..last + 1
}

/// Replaces scores by shares that add up to one.
fn softmax(scores: &mut [f32]) {
    let most = scores.iter().fold(f32::NEG_INFINITY, |most, &score| most.max(score));
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - most).exp();
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}
