//! Operations on whole rows of activations: embedding sums, LayerNorm, quantisation.

use super::gemm_i8::{HIGHEST, MIDDLE};
use super::lanes::{LANES, Lanes};
use super::simd::{Kernel, Simd};

/// How a row of u8 stands for values: `value = (u8 - MIDDLE - offset) * scale`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RowScale {
    /// Value of one step.
    pub scale: f32,
    /// The u8 (less [`MIDDLE`], not rounded) that stands for zero.
    pub offset: f32,
}

/// Weight and bias of a LayerNorm, padded with zeros.
#[derive(Clone, Debug)]
pub struct Norm {
    /// `[blocks]`
    pub weight: Vec<Lanes>,
    /// `[blocks]`
    pub bias: Vec<Lanes>,
    /// Values in a row, without padding.
    pub width: usize,
    /// Added to the variance.
    pub epsilon: f32,
}

impl Norm {
    /// `(x - mean) / sqrt(variance + epsilon) * weight + bias`, in place. Padding comes out zero.
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, row: &mut [Lanes]) {
        let width = self.width as f32;
        let mut sum = s.splat(0.0);
        for block in row.iter() {
            sum = s.add(sum, s.load(block));
        }
        let mean = s.splat(s.sum(sum) / width);
        let (last, whole) = row.split_last().expect("a row is not empty; this is a bug");
        let mut squares = s.splat(0.0);
        for block in whole {
            let difference = s.sub(s.load(block), mean);
            squares = s.mul_add(difference, difference, squares);
        }
        let difference = s.keep_first(s.sub(s.load(last), mean), self.width - whole.len() * LANES, 0.0);
        squares = s.mul_add(difference, difference, squares);
        let inverse = s.splat(1.0 / (s.sum(squares) / width + self.epsilon).sqrt());
        for ((block, weight), bias) in row.iter_mut().zip(&self.weight).zip(&self.bias) {
            let normal = s.mul(s.sub(s.load(block), mean), inverse);
            s.store(s.mul_add(normal, s.load(weight), s.load(bias)), block);
        }
    }
}

/// Rounds a row to steps of 0 to [`HIGHEST`] over its own range, which is widened to hold zero.
#[inline(always)]
fn quantise_row<S: Simd>(s: S, row: &[Lanes], to: &mut [[u8; LANES]]) -> RowScale {
    let (mut low, mut high) = (s.splat(0.0), s.splat(0.0));
    for block in row {
        let value = s.load(block);
        low = s.min(low, value);
        high = s.max(high, value);
    }
    let (low, high) = (s.min_lane(low), s.max_lane(high));
    let range = high - low;
    if range <= 0.0 {
        to.fill([0; LANES]);
        return RowScale { scale: 0.0, offset: 0.0 };
    }
    let inverse = HIGHEST as f32 / range;
    // Zero need not fall on a step: sums are corrected by `offset` times the column's weights, so it stays unrounded.
    let zero = -low * inverse;
    let (inverse, shift) = (s.splat(inverse), s.splat(zero));
    for (block, to) in row.iter().zip(to) {
        s.store_u8(s.to_i32(s.mul_add(s.load(block), inverse, shift)), to);
    }
    RowScale { scale: range / HIGHEST as f32, offset: zero - MIDDLE as f32 }
}

/// Where quantised rows go.
#[derive(Debug)]
pub struct Quantised<'a> {
    /// `[rows, blocks]`
    pub values: &'a mut [[u8; LANES]],
    /// `[rows]`
    pub scales: &'a mut [RowScale],
}

/// LayerNorm of rows in place (where `norm` is given), then quantisation (where `quantised` is).
#[derive(Debug)]
pub struct FinishRows<'a> {
    /// `[rows, blocks]`
    pub rows: &'a mut [Lanes],
    /// Vectors in a row.
    pub blocks: usize,
    /// LayerNorm to apply first.
    pub norm: Option<&'a Norm>,
    /// u8 copy to make.
    pub quantised: Option<Quantised<'a>>,
}

impl Kernel for FinishRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        for (index, row) in self.rows.chunks_exact_mut(self.blocks).enumerate() {
            if let Some(norm) = self.norm {
                norm.apply(s, row);
            }
            if let Some(quantised) = &mut self.quantised {
                let to = &mut quantised.values[index * self.blocks..(index + 1) * self.blocks];
                quantised.scales[index] = quantise_row(s, row, to);
            }
        }
    }
}

/// One row of a word embedding table, without padding.
#[derive(Clone, Copy, Debug)]
pub enum TableRow<'a> {
    /// Values.
    F32(&'a [f32]),
    /// Steps and the value of a step.
    I8(&'a [i8], f32),
}

/// Adds a word's row to a hidden state.
#[derive(Debug)]
pub struct AddRow<'a> {
    /// The word's row.
    pub word: TableRow<'a>,
    /// `[blocks]`
    pub to: &'a mut [Lanes],
}

fn pad<T: Copy + Default>(rest: &[T]) -> [T; LANES] {
    std::array::from_fn(|lane| rest.get(lane).copied().unwrap_or_default())
}

impl Kernel for AddRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let targets = self.to.iter_mut().zip(0..);
        match self.word {
            TableRow::F32(row) => {
                let (whole, rest) = row.as_chunks::<LANES>();
                for (to, index) in targets {
                    let word = match whole.get(index) {
                        Some(block) => s.load_unaligned(block),
                        None => s.load_unaligned(&pad(rest)),
                    };
                    s.store(s.add(word, s.load(to)), to);
                }
            }
            TableRow::I8(row, scale) => {
                let (whole, rest) = row.as_chunks::<LANES>();
                let scale = s.splat(scale);
                for (to, index) in targets {
                    let word = match whole.get(index) {
                        Some(block) => s.load_i8(block),
                        None => s.load_i8(&pad(rest)),
                    };
                    s.store(s.mul_add(word, scale, s.load(to)), to);
                }
            }
        }
    }
}
