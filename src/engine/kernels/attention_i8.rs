//! Attention of one sequence with int8 products: queries and keys quantised per token and head, values per channel and
//! sequence, probabilities to seven bits with the row's largest at 127. Softmax itself is f32.

use super::distance::DistanceBias;
use super::gemm_i8::{GROUP, GemmI8, HIGHEST, MIDDLE, StoreI32};
use super::lanes::{LANES, Lanes, WeightGroup, blocks_needed, grow, panel_index};
use super::math::exp2_short;
use super::simd::{Kernel, Simd};

/// Query rows whose scores are held at a time; a multiple of every instruction set's tile.
const QUERIES: usize = 12;
/// Largest quantised magnitude of a key or value.
const LIMIT: f32 = 127.0;
/// Largest quantised magnitude of a query, which is stored around [`MIDDLE`].
const QUERY_LIMIT: f32 = (HIGHEST as i32 - MIDDLE) as f32;

/// Buffers that grow to the longest sequence seen.
#[derive(Debug, Default)]
pub struct ScratchI8 {
    keys: Vec<WeightGroup>,
    key_bytes: Vec<[i8; LANES]>,
    key_start: Vec<[i32; LANES]>,
    key_scales: Vec<Lanes>,
    values: Vec<WeightGroup>,
    value_start: Vec<[i32; LANES]>,
    value_scales: Vec<Lanes>,
    queries: Vec<[u8; LANES]>,
    scores: Vec<Lanes>,
    probabilities: Vec<[u8; LANES]>,
}

/// Attention of the queries of one sequence over all its tokens, head by head.
#[derive(Debug)]
pub struct AttentionI8<'a> {
    /// `[queries, heads * head_blocks]`
    pub queries: &'a [Lanes],
    /// `[tokens, 2 * heads * head_blocks]`: keys, then values.
    pub keys_values: &'a [Lanes],
    /// Heads.
    pub heads: usize,
    /// Vectors per head.
    pub head_blocks: usize,
    /// `log2(e) / sqrt(head width)`
    pub scale: f32,
    /// Added to scores.
    pub bias: Option<DistanceBias<'a>>,
    /// `[queries, heads * head_blocks]`
    pub to: &'a mut [Lanes],
    /// Buffers.
    pub scratch: &'a mut ScratchI8,
}

struct StoreScores<'a> {
    key_scales: &'a [Lanes],
    to: &'a mut [Lanes],
}

impl StoreI32 for StoreScores<'_> {
    #[inline(always)]
    fn store<S: Simd>(&mut self, s: S, row: usize, block: usize, sum: S::I32) {
        let score = s.mul(s.to_f32(sum), s.load(&self.key_scales[block]));
        s.store(score, &mut self.to[row * self.key_scales.len() + block]);
    }
}

struct StoreContext<'a> {
    value_scales: &'a [Lanes],
    inverse_sums: [f32; QUERIES],
    to: &'a mut [Lanes],
    stride: usize,
}

impl StoreI32 for StoreContext<'_> {
    #[inline(always)]
    fn store<S: Simd>(&mut self, s: S, row: usize, block: usize, sum: S::I32) {
        let scale = s.mul(s.load(&self.value_scales[block]), s.splat(self.inverse_sums[row]));
        s.store(s.mul(s.to_f32(sum), scale), &mut self.to[row * self.stride + block]);
    }
}

/// Steps in 1 where `limit` is the largest magnitude and `steps` its quantised one; 0 for a row of zeros.
#[inline(always)]
fn inverse_step(steps: f32, limit: f32) -> f32 {
    if limit > 0.0 { steps / limit } else { 0.0 }
}

#[inline(always)]
fn largest_magnitude<S: Simd>(s: S, row: &[Lanes]) -> f32 {
    let mut largest = s.splat(0.0);
    for block in row {
        largest = s.max(largest, s.abs(s.load(block)));
    }
    s.max_lane(largest)
}

impl AttentionI8<'_> {
    /// Packs the head's keys as the right-hand side of queries × keys: tokens are columns.
    #[inline(always)]
    fn pack_keys<S: Simd>(&self, s: S, head: usize, tokens: usize, scratch: &mut ScratchI8) {
        let (row_blocks, head_blocks) = (self.heads * self.head_blocks, self.head_blocks);
        let groups = head_blocks * LANES / GROUP;
        let blocks = blocks_needed(tokens);
        // Dot products with ones are sums of weights.
        let ones = s.load_activation([1; GROUP]);
        for (block, rows) in self.keys_values.chunks(2 * row_blocks * LANES).enumerate() {
            let bytes = &mut scratch.key_bytes[..LANES * head_blocks];
            let scales = &mut scratch.key_scales[block].0;
            let tokens = rows.chunks_exact(2 * row_blocks).zip(bytes.chunks_exact_mut(head_blocks));
            for ((row, bytes), scale) in tokens.zip(scales) {
                let key = &row[head * head_blocks..][..head_blocks];
                let limit = largest_magnitude(s, key);
                let inverse = s.splat(inverse_step(LIMIT, limit));
                for (values, bytes) in key.iter().zip(bytes) {
                    s.store_i8(s.to_i32(s.mul(s.load(values), inverse)), bytes);
                }
                *scale = limit / LIMIT;
            }
            let mut sum = s.splat_i32(0);
            for part in 0..head_blocks {
                for quarter in 0..LANES / GROUP {
                    let group = part * (LANES / GROUP) + quarter;
                    let to = &mut scratch.keys[panel_index(S::PANEL, blocks, groups, block, group)];
                    let columns = to.0.as_chunks_mut::<GROUP>().0.iter_mut();
                    for (to, bytes) in columns.zip(bytes.iter().skip(part).step_by(head_blocks)) {
                        *to = bytes.as_chunks().0[quarter];
                    }
                    sum = s.dot(sum, ones, s.load_weights(to));
                }
            }
            let start = &mut scratch.key_start[block];
            s.store_i32(sum, start);
            *start = start.map(|sum| -MIDDLE * sum);
        }
    }

    /// Packs the head's values as the right-hand side of probabilities × values: channels are columns.
    #[inline(always)]
    fn pack_values<S: Simd>(&self, s: S, head: usize, tokens: usize, scratch: &mut ScratchI8) {
        let row_blocks = self.heads * self.head_blocks;
        let groups = blocks_needed(tokens) * LANES / GROUP;
        let first = row_blocks + head * self.head_blocks;
        let value = |token: usize, block: usize| s.load(&self.keys_values[token * 2 * row_blocks + first + block]);
        for block in 0..self.head_blocks {
            let mut limits = Lanes::ZERO;
            let mut largest = s.splat(0.0);
            for token in 0..tokens {
                largest = s.max(largest, s.abs(value(token, block)));
            }
            s.store(largest, &mut limits);
            scratch.value_scales[block] = Lanes(limits.0.map(|limit| limit / LIMIT));
            let inverse = s.load(&Lanes(limits.0.map(|limit| inverse_step(LIMIT, limit))));
            for group in 0..groups {
                let mut steps = [s.splat_i32(0); GROUP];
                for (k, steps) in steps.iter_mut().enumerate() {
                    let token = group * GROUP + k;
                    if token < tokens {
                        *steps = s.to_i32(s.mul(value(token, block), inverse));
                    }
                }
                let index = panel_index(S::PANEL, self.head_blocks, groups, block, group);
                s.interleave(steps, &mut scratch.values[index]);
            }
        }
    }
}

/// Quantises one query around [`MIDDLE`]; returns the value of a step.
#[inline(always)]
fn quantise_query<S: Simd>(s: S, query: &[Lanes], to: &mut [[u8; LANES]]) -> f32 {
    let limit = largest_magnitude(s, query);
    let inverse = s.splat(inverse_step(QUERY_LIMIT, limit));
    let middle = s.splat(MIDDLE as f32);
    for (values, to) in query.iter().zip(to) {
        s.store_u8(s.to_i32(s.mul_add(s.load(values), inverse, middle)), to);
    }
    limit / QUERY_LIMIT
}

/// `127 · 2^(scale * (score - max))` rounded, zero from `tokens` on; returns their sum.
#[inline(always)]
fn probabilities<S: Simd>(s: S, scores: &[Lanes], tokens: usize, scale: f32, to: &mut [[u8; LANES]]) -> i32 {
    let (last, whole) = scores.split_last().expect("a sequence has tokens; this is a bug");
    let mut max = s.keep_first(s.load(last), tokens - whole.len() * LANES, f32::MIN);
    for block in whole {
        max = s.max(max, s.load(block));
    }
    let max = s.max_lane(max);
    let shift = s.splat(-max * scale);
    let (scale, steps) = (s.splat(scale), s.splat(f32::from(HIGHEST)));
    let mut sum = s.splat_i32(0);
    let blocks = scores.len();
    for (index, (block, to)) in scores.iter().zip(to).enumerate() {
        let exponential = exp2_short(s, s.mul_add(s.load(block), scale, shift));
        let mut step = s.mul(exponential, steps);
        if index + 1 == blocks {
            step = s.keep_first(step, tokens - index * LANES, 0.0);
        }
        let step = s.to_i32(step);
        sum = s.add_i32(sum, step);
        s.store_u8(step, to);
    }
    s.sum_i32(sum)
}

impl Kernel for AttentionI8<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let row_blocks = self.heads * self.head_blocks;
        let (rows, tokens) = (self.queries.len() / row_blocks, self.keys_values.len() / (2 * row_blocks));
        let groups = self.head_blocks * LANES / GROUP;
        let blocks = blocks_needed(tokens);
        let mut scratch = std::mem::take(self.scratch);
        grow(&mut scratch.keys, blocks * groups, WeightGroup::ZERO);
        grow(&mut scratch.key_bytes, LANES * self.head_blocks, [0; LANES]);
        grow(&mut scratch.key_start, blocks, [0; LANES]);
        grow(&mut scratch.key_scales, blocks, Lanes::ZERO);
        grow(&mut scratch.values, self.head_blocks * blocks * LANES / GROUP, WeightGroup::ZERO);
        grow(&mut scratch.value_start, self.head_blocks, [0; LANES]);
        grow(&mut scratch.value_scales, self.head_blocks, Lanes::ZERO);
        grow(&mut scratch.queries, QUERIES * self.head_blocks, [0; LANES]);
        grow(&mut scratch.scores, QUERIES * blocks, Lanes::ZERO);
        grow(&mut scratch.probabilities, QUERIES * blocks, [0; LANES]);
        for head in 0..self.heads {
            self.pack_keys(s, head, tokens, &mut scratch);
            self.pack_values(s, head, tokens, &mut scratch);
            let first = head * self.head_blocks;
            for row in (0..rows).step_by(QUERIES) {
                let count = QUERIES.min(rows - row);
                let mut scales = [0.0; QUERIES];
                for (index, scale) in scales[..count].iter_mut().enumerate() {
                    let query = &self.queries[(row + index) * row_blocks + first..][..self.head_blocks];
                    let to = &mut scratch.queries[index * self.head_blocks..][..self.head_blocks];
                    *scale = quantise_query(s, query, to) * self.scale;
                }
                let products = GemmI8 {
                    activations: scratch.queries.as_flattened().as_chunks().0,
                    stride: groups,
                    rows: count,
                    groups,
                    weights: &scratch.keys,
                    start: &scratch.key_start[..blocks],
                    pairs: false,
                };
                let key_scales = &scratch.key_scales[..blocks];
                products.run(s, &mut StoreScores { key_scales, to: &mut scratch.scores });
                let mut inverse_sums = [0.0; QUERIES];
                for (index, inverse) in inverse_sums[..count].iter_mut().enumerate() {
                    let scores = &mut scratch.scores[index * blocks..][..blocks];
                    let to = &mut scratch.probabilities[index * blocks..][..blocks];
                    let mut scale = scales[index];
                    if let Some(bias) = &self.bias {
                        bias.add_to_row(head, row + index, tokens, scale, scores);
                        scale = 1.0;
                    }
                    *inverse = 1.0 / probabilities(s, scores, tokens, scale, to) as f32;
                }
                let context = GemmI8 {
                    activations: scratch.probabilities.as_flattened().as_chunks().0,
                    stride: blocks * LANES / GROUP,
                    rows: count,
                    groups: blocks * LANES / GROUP,
                    weights: &scratch.values,
                    start: &scratch.value_start[..self.head_blocks],
                    pairs: false,
                };
                let value_scales = &scratch.value_scales[..self.head_blocks];
                let to = &mut self.to[row * row_blocks + first..];
                context.run(s, &mut StoreContext { value_scales, inverse_sums, to, stride: row_blocks });
            }
        }
        *self.scratch = scratch;
    }
}
