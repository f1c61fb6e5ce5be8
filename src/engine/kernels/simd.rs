//! The virtual vector instruction set.

use super::gemm_i8::GROUP;
use super::lanes::{LANES, Lanes, WeightGroup};

/// A computation that is compiled once per instruction set.
///
/// `run` and everything it calls must be `#[inline(always)]`, so that it ends up inside the function that carries the
/// target features ([`Simd::vectorize`]).
pub trait Kernel {
    /// What the computation returns. Never a vector: those must not cross the boundary of `vectorize`.
    type Output;
    /// Runs with the operations of one instruction set.
    fn run<S: Simd>(self, s: S) -> Self::Output;
}

/// Operations on vectors of sixteen lanes. A value of an implementing type is the proof that the CPU can execute
/// them: it is only made after the check (see [`InstructionSet`](super::InstructionSet)).
///
/// Every operation is exactly the IEEE 754 one (`mul_add` rounds once), so results are the same bits on every
/// implementation.
pub trait Simd: Copy + Send + Sync + 'static {
    /// Sixteen f32.
    type F32: Copy;
    /// Sixteen i32.
    type I32: Copy;
    /// A `WeightGroup` made ready for [`dot`](Simd::dot).
    type Weights: Copy;
    /// Four consecutive activations of one row, made ready for [`dot`](Simd::dot).
    type Activation: Copy;

    /// Sixteen-column vectors in a panel of packed f32 or int8 weights.
    const PANEL: usize;
    /// Rows of the f32 product's register tile, whose columns are a panel.
    const ROWS_F32: usize;
    /// Rows of the int8 product's register tile, whose columns are a panel.
    const ROWS_I8: usize;
    /// Whether a virtual vector is one hardware register, of which there are 32.
    const WIDE: bool;
    /// Whether [`dot_pair`](Simd::dot_pair) takes less time than two [`dot`](Simd::dot)s.
    const PAIRS: bool = false;

    /// Whether the CPU multiplies whole tiles of int8 matrices, see `amx`.
    #[inline(always)]
    fn has_tiles(self) -> bool {
        false
    }

    /// Runs a kernel inside a function that carries the target features.
    fn vectorize<K: Kernel>(self, kernel: K) -> K::Output;

    /// Asks for a cache line that will be read soon; any address is fine.
    fn prefetch(self, at: *const u8);

    /// All lanes `value`.
    fn splat(self, value: f32) -> Self::F32;
    /// Loads sixteen aligned floats.
    fn load(self, from: &Lanes) -> Self::F32;
    /// Stores sixteen aligned floats.
    fn store(self, value: Self::F32, to: &mut Lanes);
    /// Loads sixteen floats of any alignment.
    fn load_unaligned(self, from: &[f32; LANES]) -> Self::F32;
    /// Widens sixteen i8.
    fn load_i8(self, from: &[i8; LANES]) -> Self::F32;
    /// `a + b`
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a - b`
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a * b`
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a * b + c`, rounded once.
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// The larger of two; unspecified where one is NaN.
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// The smaller of two; unspecified where one is NaN.
    fn min(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Absolute value.
    fn abs(self, a: Self::F32) -> Self::F32;
    /// Adds the low bits of `shifter`'s representation to the exponent of `value`: with `shifter = n + 1.5 · 2^23` the result is
    /// `value · 2^n`, as long as it is normal.
    fn shift_exponent(self, value: Self::F32, shifter: Self::F32) -> Self::F32;
    /// Keeps lanes below `count`, sets the rest to `fill`.
    fn keep_first(self, value: Self::F32, count: usize, fill: f32) -> Self::F32;
    /// Sum of the lanes by halving: lane `i` plus `i + 8`, then `+ 4`, `+ 2`, `+ 1`.
    fn sum(self, value: Self::F32) -> f32;
    /// The largest lane.
    fn max_lane(self, value: Self::F32) -> f32;
    /// The smallest lane.
    fn min_lane(self, value: Self::F32) -> f32;

    /// All lanes `value`.
    fn splat_i32(self, value: i32) -> Self::I32;
    /// Loads sixteen i32.
    fn load_i32(self, from: &[i32; LANES]) -> Self::I32;
    /// `a + b`, wrapping.
    fn add_i32(self, a: Self::I32, b: Self::I32) -> Self::I32;
    /// Sum of the lanes, wrapping.
    fn sum_i32(self, a: Self::I32) -> i32;
    /// Nearest f32.
    fn to_f32(self, a: Self::I32) -> Self::F32;
    /// Nearest integer, ties to even; unspecified outside of i32.
    fn to_i32(self, a: Self::F32) -> Self::I32;
    /// Stores lanes as bytes; each must be in `0..=255`.
    fn store_u8(self, a: Self::I32, to: &mut [u8; LANES]);
    /// Stores lanes as signed bytes; each must be in `-128..=127`.
    fn store_i8(self, a: Self::I32, to: &mut [i8; LANES]);

    /// Stores sixteen i32.
    fn store_i32(self, a: Self::I32, to: &mut [i32; LANES]);
    /// Stores the low byte of each lane of four vectors side by side: `to[lane * 4 + k]` is lane `lane` of `rows[k]`.
    fn interleave(self, rows: [Self::I32; 4], to: &mut WeightGroup);

    /// Makes a group of weights ready.
    fn load_weights(self, from: &WeightGroup) -> Self::Weights;
    /// Broadcasts four activations, of 0 to 127, to all columns.
    fn load_activation(self, from: [u8; 4]) -> Self::Activation;
    /// `sum[column] + Σ_k activation[k] * weight[column][k]` over four `k`, exactly.
    fn dot(self, sum: Self::I32, activation: Self::Activation, weights: Self::Weights) -> Self::I32;
    /// [`dot`](Simd::dot) of two consecutive groups, exactly where the weights are such as
    /// [`fits_pairs`](super::gemm_i8::fits_pairs) demands.
    #[inline(always)]
    fn dot_pair(self, sum: Self::I32, activations: [Self::Activation; 2], weights: [Self::Weights; 2]) -> Self::I32 {
        self.dot(self.dot(sum, activations[0], weights[0]), activations[1], weights[1])
    }
    /// [`dot_pair`](Simd::dot_pair) of four rows with each of `pairs`, one after the other.
    ///
    /// # Safety
    /// From each of `rows` twice as many groups can be read as there are pairs.
    #[inline(always)]
    unsafe fn dot_pairs(
        self,
        mut sums: [Self::I32; 4],
        rows: [*const [u8; GROUP]; 4],
        pairs: &[[WeightGroup; 2]],
    ) -> [Self::I32; 4] {
        for (pair, weights) in pairs.iter().enumerate() {
            let weights = [self.load_weights(&weights[0]), self.load_weights(&weights[1])];
            for (sum, row) in sums.iter_mut().zip(rows) {
                // SAFETY: the caller promises groups `2 * pair` and the one behind it.
                let activations = unsafe { [*row.add(2 * pair), *row.add(2 * pair + 1)] };
                *sum = self.dot_pair(*sum, activations.map(|four| self.load_activation(four)), weights);
            }
        }
        sums
    }
}
