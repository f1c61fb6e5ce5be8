//! Buffers of one thread. They grow to the largest batch seen and stay: a steady state allocates nothing.

use super::kernels::attention_f32::ScratchF32;
use super::kernels::attention_first::ScratchFirst;
use super::kernels::attention_i8::ScratchI8;
use super::kernels::rows::RowScale;
use super::kernels::{LANES, Lanes, grow};

/// A matrix of activations, with its u8 copy where the arithmetic is int8.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// `[rows, blocks]`
    pub values: Vec<Lanes>,
    /// `[rows, blocks]`
    pub quantised: Vec<[u8; LANES]>,
    /// `[rows]`
    pub scales: Vec<RowScale>,
    /// Vectors in a row.
    pub blocks: usize,
}

impl Rows {
    /// Makes room for `rows` rows of `blocks` vectors.
    pub fn reserve(&mut self, rows: usize, blocks: usize, quantised: bool) {
        self.blocks = blocks;
        grow(&mut self.values, rows * blocks, Lanes::ZERO);
        if quantised {
            grow(&mut self.quantised, rows * blocks, [0; LANES]);
            grow(&mut self.scales, rows, RowScale::default());
        }
    }
}

/// Buffers for [`Encoder::encode`](super::Encoder::encode). One per thread; any encoder can use it.
#[derive(Debug, Default)]
pub struct Workspace {
    /// Where the sequences' hidden states begin, where that is not where their tokens begin.
    pub(super) state_starts: Vec<u32>,
    /// All hidden states.
    pub(super) states: Rows,
    /// Hidden states of the first token of every sequence, in the last layer.
    pub(super) first: Rows,
    /// One head's queries of some first tokens.
    pub(super) head_queries: Rows,
    /// What heads ask hidden states on behalf of some first tokens, heads outermost.
    pub(super) asking: Vec<Lanes>,
    /// Mean states by the heads' attention, likewise.
    pub(super) means: Rows,
    /// One head's part of the context of some first tokens.
    pub(super) head_context: Vec<Lanes>,
    /// Queries of a group of sequences.
    pub(super) queries: Vec<Lanes>,
    /// Keys and values of a group of sequences.
    pub(super) keys_values: Vec<Lanes>,
    /// What attention gathered.
    pub(super) context: Rows,
    /// Intermediate states of a block of rows.
    pub(super) intermediate: Rows,
    pub(super) attention_f32: ScratchF32,
    pub(super) attention_i8: ScratchI8,
    pub(super) attention_first: ScratchFirst,
}
