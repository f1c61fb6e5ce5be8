//! Attention of one sequence in f32.

use super::distance::DistanceBias;
use super::gemm_f32::{GemmF32, Layout, StoreF32};
use super::lanes::{LANES, Lanes, blocks_needed, flatten, grow};
use super::math::exp2;
use super::simd::{Kernel, Simd};

/// Query rows whose scores are held at a time; a multiple of every instruction set's tile.
const QUERIES: usize = 12;

/// Buffers that grow to the longest sequence seen.
#[derive(Debug, Default)]
pub struct ScratchF32 {
    keys: Vec<Lanes>,
    scores: Vec<Lanes>,
}

/// Attention of the queries of one sequence over all its tokens, head by head.
#[derive(Debug)]
pub struct AttentionF32<'a> {
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
    pub scratch: &'a mut ScratchF32,
}

/// Keeps sums as they come.
pub(super) struct StoreScores<'a> {
    /// `[rows, stride]`
    pub to: &'a mut [Lanes],
    /// Vectors between rows of `to`.
    pub stride: usize,
}

impl StoreF32 for StoreScores<'_> {
    #[inline(always)]
    fn store<S: Simd>(&mut self, s: S, row: usize, block: usize, sum: S::F32) {
        s.store(sum, &mut self.to[row * self.stride + block]);
    }
}

struct StoreContext<'a> {
    to: &'a mut [Lanes],
    stride: usize,
    inverse_sums: [f32; QUERIES],
}

impl StoreF32 for StoreContext<'_> {
    #[inline(always)]
    fn store<S: Simd>(&mut self, s: S, row: usize, block: usize, sum: S::F32) {
        s.store(s.mul(sum, s.splat(self.inverse_sums[row])), &mut self.to[row * self.stride + block]);
    }
}

/// Replaces scores by `2^(scale * (score - max))`, zero from `tokens` on; returns their sum.
#[inline(always)]
fn exponentials<S: Simd>(s: S, scores: &mut [Lanes], tokens: usize, scale: f32) -> f32 {
    let (last, whole) = scores.split_last_mut().expect("a sequence has tokens; this is a bug");
    let rest = tokens - whole.len() * LANES;
    let mut max = s.keep_first(s.load(last), rest, f32::MIN);
    for block in whole.iter() {
        max = s.max(max, s.load(block));
    }
    let max = s.splat(s.max_lane(max));
    let scale = s.splat(scale);
    let mut sum = s.splat(0.0);
    for block in whole {
        let value = exp2(s, s.mul(s.sub(s.load(block), max), scale));
        sum = s.add(sum, value);
        s.store(value, block);
    }
    let value = s.keep_first(exp2(s, s.mul(s.sub(s.load(last), max), scale)), rest, 0.0);
    s.store(value, last);
    s.sum(s.add(sum, value))
}

impl Kernel for AttentionF32<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let row_blocks = self.heads * self.head_blocks;
        let (rows, tokens) = (self.queries.len() / row_blocks, self.keys_values.len() / (2 * row_blocks));
        let width = self.head_blocks * LANES;
        let score_blocks = blocks_needed(tokens);
        let ScratchF32 { keys, scores } = self.scratch;
        grow(keys, width * score_blocks, Lanes::ZERO);
        grow(scores, QUERIES * score_blocks, Lanes::ZERO);
        for head in 0..self.heads {
            let first = head * self.head_blocks;
            for (token, row) in self.keys_values.chunks_exact(2 * row_blocks).enumerate() {
                let key = flatten(&row[first..first + self.head_blocks]);
                for (k, &value) in key.iter().enumerate() {
                    keys[k * score_blocks + token / LANES].0[token % LANES] = value;
                }
            }
            for row in (0..rows).step_by(QUERIES) {
                let count = QUERIES.min(rows - row);
                let products = GemmF32 {
                    left: flatten(&self.queries[row * row_blocks + first..]),
                    stride: row_blocks * LANES,
                    rows: count,
                    depth: width,
                    right: keys,
                    layout: Layout::Rows { stride: score_blocks },
                    blocks: score_blocks,
                };
                products.run(s, &mut StoreScores { to: scores, stride: score_blocks });
                let mut inverse_sums = [0.0; QUERIES];
                let rows_of_scores = scores.chunks_exact_mut(score_blocks).zip(&mut inverse_sums[..count]);
                for (index, (scores, inverse)) in rows_of_scores.enumerate() {
                    let mut scale = self.scale;
                    if let Some(bias) = &self.bias {
                        bias.add_to_row(head, row + index, tokens, scale, scores);
                        scale = 1.0;
                    }
                    *inverse = 1.0 / exponentials(s, scores, tokens, scale);
                }
                let context = GemmF32 {
                    left: flatten(scores),
                    stride: score_blocks * LANES,
                    rows: count,
                    depth: tokens,
                    right: &self.keys_values[row_blocks + first..],
                    layout: Layout::Rows { stride: 2 * row_blocks },
                    blocks: self.head_blocks,
                };
                let to = &mut self.to[row * row_blocks + first..];
                context.run(s, &mut StoreContext { to, stride: row_blocks, inverse_sums });
            }
        }
    }
}
