//! The loops that training spends its time in.
//!
//! Every loop is plain Rust over slices, written so that the compiler can turn it into vector code (sixteen independent
//! partial sums instead of one chain, no branches). [`vectorized`] makes each a kernel of the engine, which compiles it
//! for every instruction set and runs the best one that the CPU has.
//!
//! The only `unsafe` code of the trainer is the call of the `gemm` crate in [`mod@matmul`].
mod dropout;
mod gelu;
mod layer_norm;
mod matmul;
mod rows;
mod softmax;

pub use dropout::{apply_dropout, fill_dropout_mask};
pub use gelu::gelu_with_derivative;
pub use layer_norm::{layer_norm_backward, layer_norm_forward};
pub use matmul::{MatrixView, matmul};
pub use rows::{adamw_update, add_assign, add_bias, add_column_sums, square_sum};
pub use softmax::{softmax_backward_rows, softmax_rows};

use crate::engine::kernels::isa::Dispatched;
use crate::engine::kernels::{InstructionSet, Kernel, LANES, Simd, dispatch};

/// Defines a public function whose body is a [`Kernel`] of the engine.
///
/// The body uses no operation of an instruction set by name, and the compiler may neither contract nor reorder floating
/// point operations: every instruction set returns the same bits.
macro_rules! vectorized {
    (@output) => { () };
    (@output $ret:ty) => { $ret };
    ($(#[$meta:meta])* pub fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        pub fn $name($($arg: $type),*) $(-> $ret)? {
            struct Arguments<T>(T);

            // A function, because the compiler then knows that its arguments do not overlap.
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body($($arg: $type),*) $(-> $ret)? $body

            impl Kernel for Arguments<($($type,)*)> {
                type Output = vectorized!(@output $($ret)?);

                #[inline(always)]
                fn run<S: Simd>(self, _: S) -> Self::Output {
                    let ($($arg,)*) = self.0;
                    body($($arg),*)
                }
            }

            $crate::train::kernels::run(Arguments(($($arg,)*)))
        }
    };
}
pub(crate) use vectorized;

struct Run<K>(K);

impl<K: Kernel> Dispatched for Run<K> {
    type Output = K::Output;

    fn run<S: Simd>(self, s: S) -> K::Output {
        s.vectorize(self.0)
    }
}

/// Runs a kernel on the best instruction set that the CPU has.
fn run<K: Kernel>(kernel: K) -> K::Output {
    let token = InstructionSet::detect().token().expect("a detected instruction set is there; this is a bug");
    dispatch(token, Run(kernel))
}

/// Sum of the partial sums in a fixed tree order.
#[inline(always)]
pub(crate) fn sum_lanes(mut lanes: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// e^x for x in [-87, 0], relative error below 3e-7; smaller x give a value below 1e-37.
///
/// Cody–Waite reduction to |r| ≤ ln 2 / 2 and a polynomial of degree 6, after the Cephes library's `expf`.
#[inline(always)]
pub(crate) fn exp_nonpositive(x: f32) -> f32 {
    // Adding 1.5·2^23 rounds to the nearest integer and leaves it in the low bits of the significand.
    const ROUND: f32 = 12_582_912.0;
    let x = x.max(-87.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 5e-1;
    let p = p * r * r + r + 1.0;
    let exponent = (shifted.to_bits().wrapping_sub(ROUND.to_bits()) << 23).wrapping_add(0x3f80_0000);
    p * f32::from_bits(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_close_over_its_whole_range() {
        let mut worst = 0.0f64;
        for step in 0..=87_000 {
            let x = -(step as f32) / 1000.0;
            let exact = f64::from(x).exp();
            worst = worst.max(((f64::from(exp_nonpositive(x)) - exact) / exact).abs());
        }
        assert!(worst < 3e-7, "relative error {worst:e}");
        assert!(exp_nonpositive(-1e30) < 1e-37);
    }
}
