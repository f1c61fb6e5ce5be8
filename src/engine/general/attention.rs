//! Attention of one sequence.

use super::positions::{Disentangled, Positions, bias_bucket, rotate, turns};
use crate::engine::{Dense, InstructionSet};

/// One sequence's queries, keys and values.
pub(super) struct Attention<'a> {
    /// `[tokens, 3 · hidden]`: queries, then keys, then values. Queries and keys are turned in place.
    pub query_key_value: &'a mut [f32],
    pub hidden: usize,
    pub heads: usize,
    pub positions: &'a Positions,
    pub isa: InstructionSet,
}

impl Attention<'_> {
    /// Writes what each token gathers to `to`, `[tokens, hidden]`.
    pub fn run(self, to: &mut [f32]) {
        let Attention { query_key_value, hidden, heads, positions, isa } = self;
        let stride = 3 * hidden;
        let tokens = query_key_value.len() / stride;
        let width = hidden / heads;
        if let Positions::Rotary { theta, .. } = positions {
            for (position, row) in query_key_value.chunks_exact_mut(stride).enumerate() {
                let turns = turns(position, width, *theta);
                row[..2 * hidden].chunks_exact_mut(width).for_each(|head| rotate(head, &turns));
            }
        }
        let rows = &*query_key_value;
        let seen = Seen::new(positions, tokens);
        for head in 0..heads {
            let part = |kind: usize| {
                let from = kind * hidden + head * width;
                let parts = rows.chunks_exact(stride).map(move |row| &row[from..from + width]);
                parts.flatten().copied().collect::<Vec<f32>>()
            };
            let (queries, keys, values) = (part(0), part(1), part(2));
            // [tokens, tokens], a row for each query.
            let mut scores = Dense::new(&keys, &vec![0.0; tokens], isa).forward(&queries);
            seen.complete(&mut scores, head, heads, width, &queries, &keys);
            scores.chunks_exact_mut(tokens).for_each(softmax);
            let mut columns = vec![0.0; values.len()];
            for (token, value) in values.chunks_exact(width).enumerate() {
                value.iter().enumerate().for_each(|(place, value)| columns[place * tokens + token] = *value);
            }
            let gathered = Dense::new(&columns, &vec![0.0; width], isa).forward(&scores);
            for (to, from) in to.chunks_exact_mut(hidden).zip(gathered.chunks_exact(width)) {
                to[head * width..(head + 1) * width].copy_from_slice(from);
            }
        }
    }
}

/// What positions do to the scores of a sequence of so many tokens.
struct Seen<'a> {
    positions: &'a Positions,
    tokens: usize,
    /// The bucket of each distance, query minus key, the most negative first; empty where distances have none.
    buckets: Vec<usize>,
}

impl<'a> Seen<'a> {
    fn new(positions: &'a Positions, tokens: usize) -> Seen<'a> {
        let distances = 1 - tokens as isize..tokens as isize;
        let buckets = match positions {
            Positions::Embedded | Positions::Rotary { .. } => Vec::new(),
            Positions::Bias(_) => distances.map(bias_bucket).collect(),
            Positions::Disentangled(table) => distances.map(|distance| table.bucket(distance)).collect(),
        };
        Seen { positions, tokens, buckets }
    }

    /// Makes scores of the products of a head's queries and keys: scaled, with what distances add, and without what is too far.
    fn complete(&self, scores: &mut [f32], head: usize, heads: usize, width: usize, queries: &[f32], keys: &[f32]) {
        let tokens = self.tokens;
        let scale = 1.0 / (width as f32).sqrt();
        // The bucket of a query's and a key's distance.
        let bucket = |query: usize, key: usize| self.buckets[query + tokens - 1 - key];
        let of_pairs = |scores: &mut [f32], score: &dyn Fn(f32, usize, usize) -> f32| {
            for (query, row) in scores.chunks_exact_mut(tokens).enumerate() {
                row.iter_mut().enumerate().for_each(|(key, value)| *value = score(*value, query, key));
            }
        };
        match self.positions {
            Positions::Embedded | Positions::Rotary { reach: None, .. } => {
                scores.iter_mut().for_each(|score| *score *= scale);
            }
            Positions::Rotary { reach: Some(reach), .. } => of_pairs(scores, &|score, query, key| {
                if query.abs_diff(key) <= *reach { score * scale } else { f32::NEG_INFINITY }
            }),
            Positions::Bias(table) => {
                of_pairs(scores, &|score, query, key| score * scale + table[bucket(query, key) * heads + head])
            }
            Positions::Disentangled(table) => {
                let Disentangled { keys: offered, queries: asked, span, .. } = table;
                let scale = 1.0 / ((width * table.parts()) as f32).sqrt();
                // [tokens, 2 · span]
                let offered = offered.get(head).map(|rows| rows.forward(queries));
                let asked = asked.get(head).map(|rows| rows.forward(keys));
                let at = |products: &Option<Vec<f32>>, token: usize, bucket: usize| {
                    products.as_ref().map_or(0.0, |products| products[token * 2 * span + bucket])
                };
                of_pairs(scores, &|score, query, key| {
                    let bucket = bucket(query, key);
                    (score + at(&offered, query, bucket) + at(&asked, key, bucket)) * scale
                });
            }
        }
    }
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
