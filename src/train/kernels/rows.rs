//! Element-wise passes over rows and parameter vectors.

use super::{sum_lanes, vectorized};
use crate::engine::kernels::{Kernel, LANES, Simd};

vectorized! {
    /// Adds `bias` `[width]` to every row of `x` `[rows, width]`.
    pub fn add_bias(x: &mut [f32], bias: &[f32]) {
        for row in x.chunks_exact_mut(bias.len()) {
            for (x, b) in row.iter_mut().zip(bias) {
                *x += b;
            }
        }
    }
}

vectorized! {
    /// Adds the sum over the rows of `x` `[rows, width]` to `sums` `[width]`.
    pub fn add_column_sums(x: &[f32], sums: &mut [f32]) {
        for row in x.chunks_exact(sums.len()) {
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum += x;
            }
        }
    }
}

vectorized! {
    /// `a += b`, element by element.
    pub fn add_assign(a: &mut [f32], b: &[f32]) {
        for (a, b) in a.iter_mut().zip(b) {
            *a += b;
        }
    }
}

vectorized! {
    /// Sum of squares, with sixteen partial sums per block of 4,096 values and the blocks added in f64.
    pub fn square_sum(x: &[f32]) -> f64 {
        let mut total = 0.0f64;
        for block in x.chunks(4096) {
            let mut lanes = [0.0f32; LANES];
            for chunk in block.chunks(LANES) {
                for (lane, x) in lanes.iter_mut().zip(chunk) {
                    *lane += x * x;
                }
            }
            total += f64::from(sum_lanes(lanes));
        }
        total
    }
}

vectorized! {
    /// One AdamW step (Loshchilov and Hutter 2019) over a run of parameters.
    ///
    /// `rate` is the learning rate, `decay` the weight decay, `clip` a factor on the gradient, and `correction` holds
    /// 1 − β₁ᵗ and 1 − β₂ᵗ. β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
    #[allow(clippy::too_many_arguments)]
    pub fn adamw_update(
        parameters: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32],
        rate: f32, decay: f32, clip: f32, correction: [f32; 2],
    ) {
        let shrink = 1.0 - rate * decay;
        let step = rate / correction[0];
        let second_scale = 1.0 / correction[1];
        for (((p, g), m), v) in parameters.iter_mut().zip(gradient).zip(first).zip(second) {
            let g = g * clip;
            *m = 0.9 * *m + 0.1 * g;
            *v = 0.999 * *v + 0.001 * g * g;
            *p = *p * shrink - step * *m / ((*v * second_scale).sqrt() + 1e-8);
        }
    }
}
