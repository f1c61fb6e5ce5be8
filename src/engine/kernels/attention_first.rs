//! Attention of a sequence's first token over hidden states, without keys and values of the others.
//!
//! A score is `query · (K state + bias)`. The bias adds the same to every token, which softmax takes away again, and
//! `query · (K state) = (Kᵀ query) · state`: one vector asks every state, in place of a key for each. As probabilities
//! sum to one, the values' mean is `V · (the states' mean) + bias`. This is exact, and needs two products with states per head
//! where keys and values need two with whole matrices per token.

use super::attention_f32::StoreScores;
use super::distance::DistanceBias;
use super::gemm_f32::{GemmF32, Layout, StoreF32};
use super::lanes::{LANES, Lanes, blocks_needed, flatten, grow};
use super::math::exp2;
use super::simd::{Kernel, Simd};

/// Buffers that grow to the longest sequence seen.
#[derive(Debug, Default)]
pub struct ScratchFirst {
    asking: Vec<Lanes>,
    scores: Vec<Lanes>,
    probabilities: Vec<Lanes>,
    sums: Vec<Lanes>,
}

/// The mean of one sequence's states by every head's attention.
#[derive(Debug)]
pub struct AttentionFirst<'a> {
    /// `[heads, hidden_blocks]`, `stride` vectors from one head to the next: what each head asks the states, such that the
    /// products are logarithms to base 2.
    pub asking: &'a [Lanes],
    /// `[tokens, hidden_blocks]`
    pub states: &'a [Lanes],
    /// Heads.
    pub heads: usize,
    /// Vectors in a state.
    pub hidden_blocks: usize,
    /// Vectors between heads in `asking` and `to`.
    pub stride: usize,
    /// Added to scores.
    pub bias: Option<DistanceBias<'a>>,
    /// `[heads, hidden_blocks]`, strided like `asking`.
    pub to: &'a mut [Lanes],
    /// Buffers.
    pub scratch: &'a mut ScratchFirst,
}

struct StoreMeans<'a> {
    to: &'a mut [Lanes],
    stride: usize,
    sums: &'a [f32],
}

impl StoreF32 for StoreMeans<'_> {
    #[inline(always)]
    fn store<S: Simd>(&mut self, s: S, row: usize, block: usize, sum: S::F32) {
        s.store(s.mul(sum, s.splat(1.0 / self.sums[row])), &mut self.to[row * self.stride + block]);
    }
}

impl Kernel for AttentionFirst<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let AttentionFirst { asking, states, heads, hidden_blocks, stride, bias, to, scratch } = self;
        let tokens = states.len() / hidden_blocks;
        let (width, token_blocks) = (hidden_blocks * LANES, blocks_needed(tokens));
        // Heads stand side by side in the lanes, so that softmax takes them all at once.
        let head_lanes = blocks_needed(heads);
        grow(&mut scratch.asking, width * head_lanes, Lanes::ZERO);
        grow(&mut scratch.scores, tokens * head_lanes, Lanes::ZERO);
        grow(&mut scratch.probabilities, heads * token_blocks, Lanes::ZERO);
        grow(&mut scratch.sums, head_lanes, Lanes::ZERO);
        for (head, asking) in asking.chunks(stride).take(heads).enumerate() {
            for (k, &value) in flatten(&asking[..hidden_blocks]).iter().enumerate() {
                scratch.asking[k * head_lanes + head / LANES].0[head % LANES] = value;
            }
        }
        let products = GemmF32 {
            left: flatten(states),
            stride: width,
            rows: tokens,
            depth: width,
            right: &scratch.asking,
            layout: Layout::Rows { stride: head_lanes },
            blocks: head_lanes,
        };
        products.run(s, &mut StoreScores { to: &mut scratch.scores, stride: head_lanes });
        if let Some(bias) = bias {
            bias.add_to_first(heads, head_lanes, tokens, &mut scratch.scores);
        }
        for block in 0..head_lanes {
            let scores = &mut scratch.scores[block..tokens * head_lanes];
            let mut max = s.splat(f32::MIN);
            for score in scores.iter().step_by(head_lanes) {
                max = s.max(max, s.load(score));
            }
            let mut sum = s.splat(0.0);
            for score in scores.iter_mut().step_by(head_lanes) {
                let value = exp2(s, s.sub(s.load(score), max));
                sum = s.add(sum, value);
                s.store(value, score);
            }
            s.store(sum, &mut scratch.sums[block]);
        }
        for head in 0..heads {
            let row = &mut scratch.probabilities[head * token_blocks..][..token_blocks];
            let (block, lane) = (head / LANES, head % LANES);
            for token in 0..tokens {
                row[token / LANES].0[token % LANES] = scratch.scores[token * head_lanes + block].0[lane];
            }
        }
        let means = GemmF32 {
            left: flatten(&scratch.probabilities),
            stride: token_blocks * LANES,
            rows: heads,
            depth: tokens,
            right: states,
            layout: Layout::Rows { stride: hidden_blocks },
            blocks: hidden_blocks,
        };
        means.run(s, &mut StoreMeans { to, stride, sums: flatten(&scratch.sums) });
    }
}
