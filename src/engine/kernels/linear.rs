//! Linear layers with what follows them fused into the epilogue: scale, bias, GELU, residual.

use super::gemm_f32::{GemmF32, PackedF32, StoreF32};
use super::gemm_i8::{GROUP, GemmI8, PackedI8, StoreI32};
use super::lanes::Lanes;
use super::math::{gelu, gelu_short};
use super::rows::RowScale;
use super::simd::{Kernel, Simd};

/// What is done with a finished value of a linear layer.
#[derive(Debug)]
pub enum Finish<'a> {
    /// Stores it.
    Store(&'a mut [Lanes]),
    /// Stores its GELU.
    Gelu(&'a mut [Lanes]),
    /// Adds it to what is there.
    Add(&'a mut [Lanes]),
}

/// f32 linear layer over `rows` rows of `input`, which are as wide as the layer is deep.
#[derive(Debug)]
pub struct LinearF32<'a> {
    /// Weights and bias.
    pub weights: &'a PackedF32,
    /// `[rows, depth]`
    pub input: &'a [f32],
    /// Rows to compute.
    pub rows: usize,
    /// Where the values go, `[rows, blocks]`.
    pub finish: Finish<'a>,
}

/// int8 linear layer over `rows` rows of `input`, which are as wide as the layer is deep.
#[derive(Debug)]
pub struct LinearI8<'a> {
    /// Weights, scales and bias.
    pub weights: &'a PackedI8,
    /// `[rows, depth]`
    pub input: &'a [[u8; GROUP]],
    /// `[rows]`
    pub scales: &'a [RowScale],
    /// Rows to compute.
    pub rows: usize,
    /// Where the values go, `[rows, blocks]`.
    pub finish: Finish<'a>,
}

trait Last {
    fn last<S: Simd>(s: S, value: S::F32, to: &mut Lanes);
}

struct Store;
struct Add;
struct Gelu;
struct GeluShort;

impl Last for Store {
    #[inline(always)]
    fn last<S: Simd>(s: S, value: S::F32, to: &mut Lanes) {
        s.store(value, to);
    }
}

impl Last for Add {
    #[inline(always)]
    fn last<S: Simd>(s: S, value: S::F32, to: &mut Lanes) {
        s.store(s.add(value, s.load(to)), to);
    }
}

impl Last for Gelu {
    #[inline(always)]
    fn last<S: Simd>(s: S, value: S::F32, to: &mut Lanes) {
        s.store(gelu(s, value), to);
    }
}

impl Last for GeluShort {
    #[inline(always)]
    fn last<S: Simd>(s: S, value: S::F32, to: &mut Lanes) {
        s.store(gelu_short(s, value), to);
    }
}

struct EpilogueF32<'a, L> {
    bias: &'a [Lanes],
    to: &'a mut [Lanes],
    last: std::marker::PhantomData<L>,
}

impl<L: Last> StoreF32 for EpilogueF32<'_, L> {
    #[inline(always)]
    fn store<S: Simd>(&mut self, s: S, row: usize, block: usize, sum: S::F32) {
        let value = s.add(sum, s.load(&self.bias[block]));
        L::last(s, value, &mut self.to[row * self.bias.len() + block]);
    }
}

struct EpilogueI8<'a, L> {
    weights: &'a PackedI8,
    rows: &'a [RowScale],
    to: &'a mut [Lanes],
    last: std::marker::PhantomData<L>,
}

impl<L: Last> StoreI32 for EpilogueI8<'_, L> {
    #[inline(always)]
    fn store<S: Simd>(&mut self, s: S, row: usize, block: usize, sum: S::I32) {
        let RowScale { scale, offset } = self.rows[row];
        let weights = self.weights;
        let steps = s.mul_add(s.load(&weights.column_sums[block]), s.splat(-offset), s.to_f32(sum));
        let step = s.mul(s.splat(scale), s.load(&weights.scales[block]));
        let value = s.mul_add(steps, step, s.load(&weights.bias[block]));
        L::last(s, value, &mut self.to[row * weights.bias.len() + block]);
    }
}

// A type per `Finish`, so that the choice is made once per layer and not once per vector.
struct RunF32<'a, L> {
    gemm: GemmF32<'a>,
    epilogue: EpilogueF32<'a, L>,
}

impl<L: Last> Kernel for RunF32<'_, L> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        self.gemm.run(s, &mut self.epilogue);
    }
}

struct RunI8<'a, L> {
    gemm: GemmI8<'a>,
    epilogue: EpilogueI8<'a, L>,
}

impl<L: Last> Kernel for RunI8<'_, L> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        self.gemm.run(s, &mut self.epilogue);
    }
}

impl LinearF32<'_> {
    /// Computes the layer.
    pub fn run<S: Simd>(self, s: S) {
        let LinearF32 { weights, input, rows, finish } = self;
        match finish {
            Finish::Store(to) => Self::run_last::<S, Store>(s, weights, input, rows, to),
            Finish::Gelu(to) => Self::run_last::<S, Gelu>(s, weights, input, rows, to),
            Finish::Add(to) => Self::run_last::<S, Add>(s, weights, input, rows, to),
        }
    }

    fn run_last<S: Simd, L: Last>(s: S, weights: &PackedF32, input: &[f32], rows: usize, to: &mut [Lanes]) {
        s.vectorize(RunF32::<L> {
            gemm: weights.product(input, weights.depth, rows),
            epilogue: EpilogueF32 { bias: &weights.bias, to, last: std::marker::PhantomData },
        });
    }
}

impl LinearI8<'_> {
    /// Computes the layer.
    pub fn run<S: Simd>(self, s: S) {
        match self.finish {
            Finish::Store(to) => Self::run_last::<S, Store>(s, self.weights, self.input, self.scales, self.rows, to),
            Finish::Gelu(to) => Self::run_last::<S, GeluShort>(s, self.weights, self.input, self.scales, self.rows, to),
            Finish::Add(to) => Self::run_last::<S, Add>(s, self.weights, self.input, self.scales, self.rows, to),
        }
    }

    fn run_last<S: Simd, L: Last>(
        s: S,
        weights: &PackedI8,
        input: &[[u8; GROUP]],
        scales: &[RowScale],
        rows: usize,
        to: &mut [Lanes],
    ) {
        s.vectorize(RunI8::<L> {
            gemm: weights.product(input, rows),
            epilogue: EpilogueI8 { weights, rows: scales, to, last: std::marker::PhantomData },
        });
    }
}
