//! Softmax over the rows of a score matrix, forward and backward.

use super::{exp_nonpositive, sum_lanes, vectorized};
use crate::engine::kernels::{Kernel, LANES, Simd};

vectorized! {
    /// Replaces every row of `scores` `[rows, width]` by softmax(scale · row).
    ///
    /// # Panics
    /// Where `width` is 0.
    pub fn softmax_rows(scores: &mut [f32], width: usize, scale: f32) {
        for row in scores.chunks_exact_mut(width) {
            let mut lanes = [f32::NEG_INFINITY; LANES];
            for chunk in row.chunks(LANES) {
                for (lane, &value) in lanes.iter_mut().zip(chunk) {
                    *lane = if value > *lane { value } else { *lane };
                }
            }
            let max = lanes.into_iter().fold(f32::NEG_INFINITY, f32::max);
            let mut lanes = [0.0f32; LANES];
            for chunk in row.chunks_mut(LANES) {
                for (lane, value) in lanes.iter_mut().zip(chunk) {
                    *value = exp_nonpositive((*value - max) * scale);
                    *lane += *value;
                }
            }
            let reciprocal = 1.0 / sum_lanes(lanes);
            for value in row {
                *value *= reciprocal;
            }
        }
    }
}

vectorized! {
    /// Turns the gradient of the probabilities in `grad` `[rows, width]` into the gradient of the scores that
    /// [`softmax_rows`] was given, in place. `probabilities` is what the forward pass returned.
    ///
    /// # Panics
    /// Where `width` is 0.
    pub fn softmax_backward_rows(grad: &mut [f32], probabilities: &[f32], width: usize, scale: f32) {
        for (grad, p) in grad.chunks_exact_mut(width).zip(probabilities.chunks_exact(width)) {
            let mut lanes = [0.0f32; LANES];
            for (g, p) in grad.chunks(LANES).zip(p.chunks(LANES)) {
                for ((lane, g), p) in lanes.iter_mut().zip(g).zip(p) {
                    *lane += g * p;
                }
            }
            let dot = sum_lanes(lanes);
            for (g, p) in grad.iter_mut().zip(p) {
                *g = scale * p * (*g - dot);
            }
        }
    }
}
