//! One transformer layer over packed sequences, forward and backward, written by hand.
//!
//! Shapes: `tokens` rows enter; `queries` rows leave, which is every token, or in the last layer the first token of each
//! sequence only, because nothing else of it is read (the same saving that inference makes).

use super::kernels::{
    MatrixView, add_assign, add_bias, add_column_sums, apply_dropout, fill_dropout_mask, gelu_with_derivative,
    layer_norm_backward, layer_norm_forward, matmul, softmax_backward_rows, softmax_rows,
};
use super::parameters::{LayerSlots, LinearSlot, NormSlot};
use crate::random::SplitMix64;

/// What one forward pass needs to know beside its numbers.
#[derive(Clone, Debug)]
pub(super) struct Geometry {
    pub hidden: usize,
    pub heads: usize,
    pub intermediate: usize,
    pub eps: f32,
    /// Start of every sequence and the end of the last, `[sequences + 1]`.
    pub cu_seqlens: Vec<usize>,
    /// Dropout in 256ths; 0 turns it off.
    pub drop_256ths: u8,
}

impl Geometry {
    pub fn states(&self) -> usize {
        self.cu_seqlens.last().copied().unwrap_or(0)
    }

    pub fn sequences(&self) -> usize {
        self.cu_seqlens.len().saturating_sub(1)
    }

    pub fn keep_scale(&self) -> f32 {
        256.0 / (256.0 - f32::from(self.drop_256ths))
    }
}

/// Draws a mask into `mask` and applies it; with dropout off it does nothing.
pub(super) fn drop_forward(geometry: &Geometry, values: &mut [f32], mask: &mut Vec<u8>, random: &mut SplitMix64) {
    if geometry.drop_256ths > 0 {
        mask.resize(values.len(), 0);
        fill_dropout_mask(mask, geometry.drop_256ths, random);
        apply_dropout(values, mask, geometry.keep_scale());
    }
}

/// Applies the mask that [`drop_forward`] drew to a gradient.
pub(super) fn drop_backward(geometry: &Geometry, gradient: &mut [f32], mask: &[u8]) {
    if geometry.drop_256ths > 0 {
        apply_dropout(gradient, mask, geometry.keep_scale());
    }
}

/// A layer's intermediate results, kept for its backward pass and reused from step to step.
#[derive(Debug, Default)]
pub(super) struct LayerState {
    /// Layer input, `[tokens, hidden]`.
    input: Vec<f32>,
    /// Input rows of the queries, `[queries, hidden]`; empty where every token is one.
    query_input: Vec<f32>,
    query: Vec<f32>,
    /// Key beside value, `[tokens, 2 * hidden]`.
    key_value: Vec<f32>,
    /// Per sequence and head `[sequence queries, sequence tokens]`, one after another.
    probabilities: Vec<f32>,
    /// The same after dropout; empty with dropout off.
    dropped_probabilities: Vec<f32>,
    context: Vec<f32>,
    /// x̂ of the two normalisations, `[queries, hidden]`.
    attention_normalized: Vec<f32>,
    attention_reciprocal_std: Vec<f32>,
    attention_out: Vec<f32>,
    /// GELU′ of the feed-forward layer's first product, `[queries, intermediate]`.
    gelu_derivative: Vec<f32>,
    activation: Vec<f32>,
    output_normalized: Vec<f32>,
    output_reciprocal_std: Vec<f32>,
    probability_mask: Vec<u8>,
    attention_mask: Vec<u8>,
    output_mask: Vec<u8>,
}

fn grow(buffer: &mut Vec<f32>, len: usize) {
    buffer.clear();
    buffer.resize(len, 0.0);
}

/// `out = x · weightᵀ + bias`; x `[rows, in]`, out `[rows, out]`.
fn linear(out: &mut Vec<f32>, x: &[f32], parameters: &[f32], slot: &LinearSlot) {
    let width = slot.bias.len();
    let inner = slot.weight.len() / width;
    let rows = x.len() / inner;
    out.resize(rows * width, 0.0);
    let weight = MatrixView::new(&parameters[slot.weight.clone()], width, inner, inner);
    matmul(out, width, false, MatrixView::new(x, rows, inner, inner), weight.transposed());
    add_bias(out, &parameters[slot.bias.clone()]);
}

/// Adds the gradients of weight and bias to `gradient` and writes or adds that of the input to `grad_x`.
fn linear_backward(
    grad_x: (&mut [f32], bool),
    grad_out: &[f32],
    x: &[f32],
    parameters: &[f32],
    gradient: &mut [f32],
    slot: &LinearSlot,
) {
    let width = slot.bias.len();
    let inner = slot.weight.len() / width;
    let rows = x.len() / inner;
    let grad_view = MatrixView::new(grad_out, rows, width, width);
    let x_view = MatrixView::new(x, rows, inner, inner);
    matmul(&mut gradient[slot.weight.clone()], inner, true, grad_view.transposed(), x_view);
    add_column_sums(grad_out, &mut gradient[slot.bias.clone()]);
    let weight = MatrixView::new(&parameters[slot.weight.clone()], width, inner, inner);
    matmul(grad_x.0, inner, grad_x.1, grad_view, weight);
}

/// Backward pass of a normalisation whose scale and shift stand side by side in the flat vector.
pub(super) fn norm_backward(
    grad: &mut [f32],
    normalized: &[f32],
    reciprocal_std: &[f32],
    parameters: &[f32],
    gradient: &mut [f32],
    slot: &NormSlot,
) {
    let (grad_weight, grad_bias) = gradient[slot.weight.start..slot.bias.end].split_at_mut(slot.weight.len());
    layer_norm_backward(grad, normalized, reciprocal_std, &parameters[slot.weight.clone()], grad_weight, grad_bias);
}

impl LayerState {
    /// x `[tokens, hidden]` → `[queries, hidden]`. `cls_only` keeps the first token of each sequence.
    pub fn forward(
        &mut self,
        x: &[f32],
        geometry: &Geometry,
        parameters: &[f32],
        slots: &LayerSlots,
        cls_only: bool,
        random: &mut SplitMix64,
    ) -> Vec<f32> {
        let hidden = geometry.hidden;
        self.input.clear();
        self.input.extend_from_slice(x);
        self.query_input.clear();
        if cls_only {
            for &start in &geometry.cu_seqlens[..geometry.sequences()] {
                self.query_input.extend_from_slice(&x[start * hidden..(start + 1) * hidden]);
            }
        }
        let query_input: &[f32] = if cls_only { &self.query_input } else { x };
        linear(&mut self.query, query_input, parameters, &slots.query);
        linear(&mut self.key_value, x, parameters, &slots.key_value);
        let residual = query_input.to_vec();
        self.attend(geometry, cls_only, random);

        linear(&mut self.attention_normalized, &self.context, parameters, &slots.attention_output);
        drop_forward(geometry, &mut self.attention_normalized, &mut self.attention_mask, random);
        add_assign(&mut self.attention_normalized, &residual);
        let queries = residual.len() / hidden;
        grow(&mut self.attention_out, residual.len());
        self.attention_reciprocal_std.resize(queries, 0.0);
        layer_norm_forward(
            &mut self.attention_normalized,
            &parameters[slots.attention_norm.weight.clone()],
            &parameters[slots.attention_norm.bias.clone()],
            geometry.eps,
            &mut self.attention_reciprocal_std,
            &mut self.attention_out,
        );

        linear(&mut self.gelu_derivative, &self.attention_out, parameters, &slots.intermediate);
        self.activation.resize(queries * geometry.intermediate, 0.0);
        gelu_with_derivative(&mut self.gelu_derivative, &mut self.activation);
        linear(&mut self.output_normalized, &self.activation, parameters, &slots.output);
        drop_forward(geometry, &mut self.output_normalized, &mut self.output_mask, random);
        add_assign(&mut self.output_normalized, &self.attention_out);
        let mut out = residual;
        self.output_reciprocal_std.resize(queries, 0.0);
        layer_norm_forward(
            &mut self.output_normalized,
            &parameters[slots.output_norm.weight.clone()],
            &parameters[slots.output_norm.bias.clone()],
            geometry.eps,
            &mut self.output_reciprocal_std,
            &mut out,
        );
        out
    }

    /// Gradient of the output `[queries, hidden]` → gradient of the input `[tokens, hidden]`; parameter gradients are
    /// added to `gradient`.
    pub fn backward(
        &mut self,
        mut grad: Vec<f32>,
        geometry: &Geometry,
        parameters: &[f32],
        gradient: &mut [f32],
        slots: &LayerSlots,
        cls_only: bool,
    ) -> Vec<f32> {
        let hidden = geometry.hidden;
        norm_backward(
            &mut grad,
            &self.output_normalized,
            &self.output_reciprocal_std,
            parameters,
            gradient,
            &slots.output_norm,
        );
        let mut grad_product = grad.clone();
        drop_backward(geometry, &mut grad_product, &self.output_mask);
        let mut grad_wide = vec![0.0; self.activation.len()];
        linear_backward((&mut grad_wide, false), &grad_product, &self.activation, parameters, gradient, &slots.output);
        for (g, derivative) in grad_wide.iter_mut().zip(&self.gelu_derivative) {
            *g *= derivative;
        }
        linear_backward((&mut grad, true), &grad_wide, &self.attention_out, parameters, gradient, &slots.intermediate);
        norm_backward(
            &mut grad,
            &self.attention_normalized,
            &self.attention_reciprocal_std,
            parameters,
            gradient,
            &slots.attention_norm,
        );
        grad_product.copy_from_slice(&grad);
        drop_backward(geometry, &mut grad_product, &self.attention_mask);
        let mut grad_context = vec![0.0; self.context.len()];
        linear_backward(
            (&mut grad_context, false),
            &grad_product,
            &self.context,
            parameters,
            gradient,
            &slots.attention_output,
        );
        let (grad_query, grad_key_value) = self.attend_backward(&grad_context, geometry, cls_only);
        let query_input = if cls_only { &self.query_input } else { &self.input };
        linear_backward((&mut grad, true), &grad_query, query_input, parameters, gradient, &slots.query);
        let mut grad_input = vec![0.0; self.input.len()];
        linear_backward((&mut grad_input, false), &grad_key_value, &self.input, parameters, gradient, &slots.key_value);
        if cls_only {
            for (row, &start) in grad.chunks_exact(hidden).zip(&geometry.cu_seqlens) {
                add_assign(&mut grad_input[start * hidden..(start + 1) * hidden], row);
            }
        } else {
            add_assign(&mut grad_input, &grad);
        }
        grad_input
    }

    fn attend(&mut self, geometry: &Geometry, cls_only: bool, random: &mut SplitMix64) {
        grow(&mut self.context, self.query.len());
        let blocks = AttentionBlocks::new(geometry, cls_only);
        grow(&mut self.probabilities, blocks.len());
        blocks.for_each(|block| {
            let scores = &mut self.probabilities[block.probabilities.clone()];
            let query = MatrixView::new(&self.query[block.query..], block.queries, block.width, geometry.hidden);
            let key = MatrixView::new(&self.key_value[block.key..], block.tokens, block.width, 2 * geometry.hidden);
            matmul(scores, block.tokens, false, query, key.transposed());
            softmax_rows(scores, block.tokens, block.scale());
        });
        if geometry.drop_256ths > 0 {
            self.dropped_probabilities.clear();
            self.dropped_probabilities.extend_from_slice(&self.probabilities);
            drop_forward(geometry, &mut self.dropped_probabilities, &mut self.probability_mask, random);
        }
        let probabilities = if geometry.drop_256ths > 0 { &self.dropped_probabilities } else { &self.probabilities };
        blocks.for_each(|block| {
            let p = &probabilities[block.probabilities.clone()];
            let p = MatrixView::new(p, block.queries, block.tokens, block.tokens);
            let value = MatrixView::new(&self.key_value[block.value..], block.tokens, block.width, 2 * geometry.hidden);
            matmul(&mut self.context[block.query..], geometry.hidden, false, p, value);
        });
    }

    fn attend_backward(&self, grad_context: &[f32], geometry: &Geometry, cls_only: bool) -> (Vec<f32>, Vec<f32>) {
        let hidden = geometry.hidden;
        let mut grad_query = vec![0.0; self.query.len()];
        let mut grad_key_value = vec![0.0; self.key_value.len()];
        let mut grad_scores = Vec::new();
        let used = if geometry.drop_256ths > 0 { &self.dropped_probabilities } else { &self.probabilities };
        AttentionBlocks::new(geometry, cls_only).for_each(|block| {
            let range = block.probabilities.clone();
            let grad_out = MatrixView::new(&grad_context[block.query..], block.queries, block.width, hidden);
            let value = MatrixView::new(&self.key_value[block.value..], block.tokens, block.width, 2 * hidden);
            let key = MatrixView::new(&self.key_value[block.key..], block.tokens, block.width, 2 * hidden);
            let query = MatrixView::new(&self.query[block.query..], block.queries, block.width, hidden);
            let p = MatrixView::new(&used[range.clone()], block.queries, block.tokens, block.tokens);
            grow(&mut grad_scores, range.len());
            matmul(&mut grad_scores, block.tokens, false, grad_out, value.transposed());
            matmul(&mut grad_key_value[block.value..], 2 * hidden, false, p.transposed(), grad_out);
            if geometry.drop_256ths > 0 {
                drop_backward(geometry, &mut grad_scores, &self.probability_mask[range.clone()]);
            }
            softmax_backward_rows(&mut grad_scores, &self.probabilities[range], block.tokens, block.scale());
            let grad_scores = MatrixView::new(&grad_scores, block.queries, block.tokens, block.tokens);
            matmul(&mut grad_query[block.query..], hidden, false, grad_scores, key);
            matmul(&mut grad_key_value[block.key..], 2 * hidden, false, grad_scores.transposed(), query);
        });
        (grad_query, grad_key_value)
    }
}

/// Walks the (sequence, head) pairs of a packed batch.
struct AttentionBlocks<'a> {
    geometry: &'a Geometry,
    cls_only: bool,
}

/// Offsets of one sequence's one head.
struct AttentionBlock {
    tokens: usize,
    queries: usize,
    /// Size of a head.
    width: usize,
    query: usize,
    key: usize,
    value: usize,
    probabilities: std::ops::Range<usize>,
}

impl AttentionBlock {
    fn scale(&self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }
}

impl<'a> AttentionBlocks<'a> {
    fn new(geometry: &'a Geometry, cls_only: bool) -> Self {
        AttentionBlocks { geometry, cls_only }
    }

    /// Length of the probabilities of all blocks.
    fn len(&self) -> usize {
        let heads = self.geometry.heads;
        let of = |tokens: usize| tokens * if self.cls_only { 1 } else { tokens };
        self.geometry.cu_seqlens.windows(2).map(|pair| heads * of(pair[1] - pair[0])).sum()
    }

    fn for_each(&self, mut visit: impl FnMut(AttentionBlock)) {
        let hidden = self.geometry.hidden;
        let width = hidden / self.geometry.heads;
        let mut at = 0;
        for (sequence, pair) in self.geometry.cu_seqlens.windows(2).enumerate() {
            let tokens = pair[1] - pair[0];
            let queries = if self.cls_only { 1 } else { tokens };
            let first_query = if self.cls_only { sequence } else { pair[0] };
            for head in 0..self.geometry.heads {
                let key = pair[0] * 2 * hidden + head * width;
                visit(AttentionBlock {
                    tokens,
                    queries,
                    width,
                    query: first_query * hidden + head * width,
                    key,
                    value: key + hidden,
                    probabilities: at..at + queries * tokens,
                });
                at += queries * tokens;
            }
        }
    }
}
