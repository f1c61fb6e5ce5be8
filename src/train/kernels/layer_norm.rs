//! Layer normalisation, forward and backward.

use super::{sum_lanes, vectorized};
use crate::engine::kernels::{Kernel, LANES, Simd};

#[inline(always)]
fn sum_of(values: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += term(value);
        }
    }
    for (lane, &value) in lanes.iter_mut().zip(rest) {
        *lane += term(value);
    }
    sum_lanes(lanes)
}

#[inline(always)]
fn sum_of_products(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    for (a, b) in a.chunks(LANES).zip(b.chunks(LANES)) {
        for ((lane, &a), &b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    sum_lanes(lanes)
}

vectorized! {
    /// Normalises every row of `x` `[rows, width]` to mean 0 and variance 1, then scales and shifts it into `out`.
    ///
    /// `x` is replaced by the normalised values x̂ and `reciprocal_std` `[rows]` filled: what the backward pass needs.
    pub fn layer_norm_forward(
        x: &mut [f32], weight: &[f32], bias: &[f32], eps: f32, reciprocal_std: &mut [f32], out: &mut [f32],
    ) {
        let width = weight.len();
        let rows = x.chunks_exact_mut(width).zip(out.chunks_exact_mut(width)).zip(reciprocal_std);
        for ((x, out), reciprocal_std) in rows {
            let mean = sum_of(x, |value| value) / width as f32;
            let variance = sum_of(x, |value| (value - mean) * (value - mean)) / width as f32;
            let r = 1.0 / (variance + eps).sqrt();
            *reciprocal_std = r;
            for (((x, out), weight), bias) in x.iter_mut().zip(out).zip(weight).zip(bias) {
                *x = (*x - mean) * r;
                *out = *x * weight + bias;
            }
        }
    }
}

vectorized! {
    /// Turns the gradient of the output in `grad` `[rows, width]` into the gradient of the input, in place, and adds the
    /// gradients of scale and shift to `grad_weight` and `grad_bias` `[width]`.
    ///
    /// `normalized` holds x̂ and `reciprocal_std` 1/σ as [`layer_norm_forward`] left them.
    pub fn layer_norm_backward(
        grad: &mut [f32], normalized: &[f32], reciprocal_std: &[f32], weight: &[f32],
        grad_weight: &mut [f32], grad_bias: &mut [f32],
    ) {
        let width = weight.len();
        let rows = grad.chunks_exact_mut(width).zip(normalized.chunks_exact(width)).zip(reciprocal_std);
        for ((grad, normalized), &r) in rows {
            for (((g, x), gw), gb) in grad.iter_mut().zip(normalized).zip(grad_weight.iter_mut()).zip(grad_bias.iter_mut()) {
                *gw += *g * x;
                *gb += *g;
            }
            for (g, w) in grad.iter_mut().zip(weight) {
                *g *= w;
            }
            let mean = sum_of(grad, |value| value) / width as f32;
            let projection = sum_of_products(grad, normalized) / width as f32;
            for (g, x) in grad.iter_mut().zip(normalized) {
                *g = r * (*g - mean - x * projection);
            }
        }
    }
}
