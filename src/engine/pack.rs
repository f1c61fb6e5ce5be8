//! From checkpoint order to kernel order. Widths are padded with zeros to whole vectors, each attention head on its own,
//! so that no kernel has a tail: padding stays zero through every layer.

use super::config::EncoderConfig;
use super::kernels::gemm_f32::PackedF32;
use super::kernels::gemm_i8::{PackedI8, fit_pairs};
use super::kernels::isa::{Dispatched, Token, dispatch};
use super::kernels::lanes::blocks_needed;
use super::kernels::rows::Norm;
use super::kernels::{LANES, Lanes, Simd, flatten_mut};
use super::weights::{EncoderWeights, LayerNorm, LayerWeights, Linear, Matrix};
use crate::parallel;
use std::ops::Range;

/// Padded widths, in vectors of sixteen.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// Vectors in a hidden state.
    pub hidden_blocks: usize,
    /// Vectors in a head.
    pub head_blocks: usize,
    /// Attention heads.
    pub heads: usize,
    /// Vectors in the intermediate state.
    pub intermediate_blocks: usize,
    /// Values in a head, without padding.
    pub head_width: usize,
}

impl Shape {
    pub fn new(config: &EncoderConfig) -> Shape {
        let head_width = config.hidden / config.heads;
        Shape {
            hidden_blocks: blocks_needed(config.hidden),
            head_blocks: blocks_needed(head_width),
            heads: config.heads,
            intermediate_blocks: blocks_needed(config.intermediate),
            head_width,
        }
    }

    /// Vectors in all heads.
    pub fn attention_blocks(&self) -> usize {
        self.heads * self.head_blocks
    }

    /// What scores are multiplied by: softmax runs on powers of two.
    pub fn attention_scale(&self) -> f32 {
        std::f32::consts::LOG2_E / (self.head_width as f32).sqrt()
    }

    /// Where values of contiguous heads go: pairs of a range in the checkpoint and a start in the padded row.
    fn head_segments(&self) -> Vec<(Range<usize>, usize)> {
        (0..self.heads)
            .map(|head| (head * self.head_width..(head + 1) * self.head_width, head * self.head_blocks * LANES))
            .collect()
    }
}

/// Weights of one layer in kernel order.
#[derive(Clone, Debug)]
pub(super) struct Layer<P> {
    pub query: P,
    /// Keys in the first half of the columns, values in the second.
    pub key_value: P,
    pub attention_output: P,
    pub attention_norm: Norm,
    pub intermediate: P,
    pub output: P,
    pub output_norm: Norm,
}

/// Weights of the last layer's attention as the first token of a sequence needs them; see
/// [`attention_first`](super::kernels::attention_first).
#[derive(Clone, Debug)]
pub(super) struct FirstToken<P> {
    /// What queries are multiplied by before they meet `keys`, `[heads * head_blocks]`: the weights' own scales, and what
    /// makes scores logarithms to base 2.
    pub query_scales: Vec<Lanes>,
    /// Per head the transposed key matrix: from `head_blocks` vectors to `hidden_blocks`.
    pub keys: Vec<P>,
    /// Per head the value matrix, from `hidden_blocks` vectors to `head_blocks`.
    pub values: Vec<P>,
}

/// The embedding tables: words as they came, positions padded with the first token type added.
#[derive(Clone, Debug)]
pub(super) struct Embedding {
    pub word: Matrix,
    /// `[max_positions, hidden_blocks]`
    pub position: Vec<Lanes>,
    pub norm: Norm,
}

/// A packed matrix that is filled one output at a time.
pub(super) trait Packed: Sized {
    /// All zero, for `blocks` vectors of outputs over `depth` inputs.
    fn zero(blocks: usize, depth: usize) -> Self;
    /// From `head_blocks` vectors to `hidden_blocks`: row `rows.start + k` of a linear layer becomes input `k`. Returns what the
    /// inputs must be multiplied by, and leaves the bias aside.
    fn transposed<S: Simd>(linear: &Linear, rows: Range<usize>, shape: &Shape) -> (Self, Vec<f32>);
    /// Fills padded column `column` with row `row` of a linear layer; `segments` say where inputs go.
    fn set<S: Simd>(
        &mut self,
        column: usize,
        linear: &Linear,
        row: usize,
        segments: &[(Range<usize>, usize)],
        line: &mut Line,
    );
}

/// Buffers for one row while packing.
#[derive(Default)]
pub(super) struct Line {
    values: Vec<f32>,
    steps: Vec<i8>,
    padded_values: Vec<f32>,
    padded_steps: Vec<i8>,
}

fn scatter<T: Copy + Default>(from: &[T], segments: &[(Range<usize>, usize)], depth: usize, to: &mut Vec<T>) {
    to.clear();
    to.resize(depth, T::default());
    for (range, start) in segments {
        to[*start..start + range.len()].copy_from_slice(&from[range.clone()]);
    }
}

/// Column `column` of a row-major matrix of `width` columns.
fn copy_column<T: Copy>(matrix: &[T], width: usize, column: usize, to: &mut Vec<T>) {
    to.clear();
    to.extend(matrix.iter().skip(column).step_by(width));
}

impl Packed for PackedF32 {
    fn zero(blocks: usize, depth: usize) -> PackedF32 {
        PackedF32::zero(blocks * LANES, depth)
    }

    fn transposed<S: Simd>(linear: &Linear, rows: Range<usize>, shape: &Shape) -> (PackedF32, Vec<f32>) {
        let mut packed = PackedF32::zero(shape.hidden_blocks * LANES, shape.head_blocks * LANES);
        let width = linear.weight.cols();
        let mut values = vec![0.0; rows.len() * width];
        for (row, to) in rows.clone().zip(values.chunks_exact_mut(width)) {
            linear.weight.copy_row(row, to);
        }
        let mut line = Vec::with_capacity(rows.len());
        for column in 0..width {
            copy_column(&values, width, column, &mut line);
            packed.set_column(S::PANEL, column, &line, 0.0);
        }
        (packed, vec![1.0; rows.len()])
    }

    fn set<S: Simd>(
        &mut self,
        column: usize,
        linear: &Linear,
        row: usize,
        segments: &[(Range<usize>, usize)],
        line: &mut Line,
    ) {
        line.values.resize(linear.weight.cols(), 0.0);
        linear.weight.copy_row(row, &mut line.values);
        scatter(&line.values, segments, self.depth, &mut line.padded_values);
        self.set_column(S::PANEL, column, &line.padded_values, linear.bias[row]);
    }
}

impl Packed for PackedI8 {
    fn zero(blocks: usize, depth: usize) -> PackedI8 {
        PackedI8::zero(blocks * LANES, depth)
    }

    fn transposed<S: Simd>(linear: &Linear, rows: Range<usize>, shape: &Shape) -> (PackedI8, Vec<f32>) {
        let mut packed = PackedI8::zero(shape.hidden_blocks * LANES, shape.head_blocks * LANES);
        let width = linear.weight.cols();
        let mut steps = vec![0; rows.len() * width];
        // A scale belongs to a row, which is an input here: it moves to the other side of the product.
        let scales =
            rows.clone().zip(steps.chunks_exact_mut(width)).map(|(row, to)| linear.weight.quantise_row(row, to));
        let scales = scales.collect();
        let mut line = Vec::with_capacity(rows.len());
        for column in 0..width {
            copy_column(&steps, width, column, &mut line);
            let scale = fit_pairs(&mut line);
            packed.set_column(S::PANEL, column, &line, scale, 0.0);
        }
        (packed, scales)
    }

    fn set<S: Simd>(
        &mut self,
        column: usize,
        linear: &Linear,
        row: usize,
        segments: &[(Range<usize>, usize)],
        line: &mut Line,
    ) {
        line.steps.resize(linear.weight.cols(), 0);
        let scale = linear.weight.quantise_row(row, &mut line.steps);
        scatter(&line.steps, segments, self.groups * 4, &mut line.padded_steps);
        let scale = scale * fit_pairs(&mut line.padded_steps);
        self.set_column(S::PANEL, column, &line.padded_steps, scale, linear.bias[row]);
    }
}

fn padded(values: &[f32], blocks: usize) -> Vec<Lanes> {
    let mut lanes = vec![Lanes::ZERO; blocks];
    flatten_mut(&mut lanes)[..values.len()].copy_from_slice(values);
    lanes
}

fn norm(norm: &LayerNorm, config: &EncoderConfig) -> Norm {
    let blocks = blocks_needed(config.hidden);
    Norm {
        weight: padded(&norm.weight, blocks),
        bias: padded(&norm.bias, blocks),
        width: config.hidden,
        epsilon: config.layer_norm_eps,
    }
}

struct PackLayer<'a, P> {
    config: &'a EncoderConfig,
    shape: &'a Shape,
    weights: &'a LayerWeights,
    packed: std::marker::PhantomData<P>,
}

impl<P: Packed> Dispatched for PackLayer<'_, P> {
    type Output = Layer<P>;

    fn run<S: Simd>(self, _: S) -> Layer<P> {
        let PackLayer { config, shape, weights, .. } = self;
        let hidden = [(0..config.hidden, 0)];
        let intermediate = [(0..config.intermediate, 0)];
        let heads = shape.head_segments();
        let hidden_depth = shape.hidden_blocks * LANES;
        let attention = shape.attention_blocks();
        let mut line = Line::default();
        let mut fill = |packed: &mut P,
                        first: usize,
                        linear: &Linear,
                        outputs: &[(Range<usize>, usize)],
                        inputs: &[(Range<usize>, usize)]| {
            for (range, start) in outputs {
                for (row, column) in range.clone().zip(first + start..) {
                    packed.set::<S>(column, linear, row, inputs, &mut line);
                }
            }
        };
        let mut query = P::zero(attention, hidden_depth);
        fill(&mut query, 0, &weights.query, &heads, &hidden);
        let mut key_value = P::zero(2 * attention, hidden_depth);
        fill(&mut key_value, 0, &weights.key, &heads, &hidden);
        fill(&mut key_value, attention * LANES, &weights.value, &heads, &hidden);
        let mut attention_output = P::zero(shape.hidden_blocks, attention * LANES);
        fill(&mut attention_output, 0, &weights.attention_output, &hidden, &heads);
        let mut first = P::zero(shape.intermediate_blocks, hidden_depth);
        fill(&mut first, 0, &weights.intermediate, &intermediate, &hidden);
        let mut second = P::zero(shape.hidden_blocks, shape.intermediate_blocks * LANES);
        fill(&mut second, 0, &weights.output, &hidden, &intermediate);
        Layer {
            query,
            key_value,
            attention_output,
            attention_norm: norm(&weights.attention_norm, config),
            intermediate: first,
            output: second,
            output_norm: norm(&weights.output_norm, config),
        }
    }
}

struct PackFirstToken<'a, P> {
    config: &'a EncoderConfig,
    shape: &'a Shape,
    weights: &'a LayerWeights,
    packed: std::marker::PhantomData<P>,
}

impl<P: Packed> Dispatched for PackFirstToken<'_, P> {
    type Output = FirstToken<P>;

    fn run<S: Simd>(self, _: S) -> FirstToken<P> {
        let PackFirstToken { config, shape, weights, .. } = self;
        let hidden = [(0..config.hidden, 0)];
        let mut query_scales = vec![Lanes::ZERO; shape.attention_blocks()];
        let mut line = Line::default();
        let (mut keys, mut values) = (Vec::with_capacity(shape.heads), Vec::with_capacity(shape.heads));
        for (rows, start) in shape.head_segments() {
            let (key, scales) = P::transposed::<S>(&weights.key, rows.clone(), shape);
            for (to, scale) in flatten_mut(&mut query_scales)[start..].iter_mut().zip(scales) {
                *to = scale * shape.attention_scale();
            }
            keys.push(key);
            let mut value = P::zero(shape.head_blocks, shape.hidden_blocks * LANES);
            for (column, row) in rows.enumerate() {
                value.set::<S>(column, &weights.value, row, &hidden, &mut line);
            }
            values.push(value);
        }
        FirstToken { query_scales, keys, values }
    }
}

/// Packs the last layer's attention for first tokens. Shapes were checked.
pub(super) fn first_token<P: Packed>(
    config: &EncoderConfig,
    shape: &Shape,
    weights: &EncoderWeights,
    token: Token,
) -> FirstToken<P> {
    let weights = weights.layers.last().expect("an encoder has layers; this is a bug");
    dispatch(token, PackFirstToken { config, shape, weights, packed: std::marker::PhantomData })
}

/// Packs the layers for the instruction set of `token`, each on its own thread. Shapes were checked.
pub(super) fn layers<P: Packed + Send>(
    config: &EncoderConfig,
    shape: &Shape,
    weights: &EncoderWeights,
    token: Token,
) -> Vec<Layer<P>> {
    parallel::map(weights.layers.len(), |layer| {
        let weights = &weights.layers[layer];
        dispatch(token, PackLayer { config, shape, weights, packed: std::marker::PhantomData })
    })
}

/// Takes the word table as it is and folds the first token type into the positions. Shapes were checked.
pub(super) fn embedding(
    config: &EncoderConfig,
    word: Matrix,
    position: &Matrix,
    token_type: &Matrix,
    weights: &LayerNorm,
) -> Embedding {
    let blocks = blocks_needed(config.hidden);
    let mut positions = vec![Lanes::ZERO; config.max_positions * blocks];
    let mut row = vec![0.0; config.hidden];
    let mut first_type = vec![0.0; config.hidden];
    token_type.copy_row(0, &mut first_type);
    for (index, to) in positions.chunks_exact_mut(blocks).enumerate() {
        position.copy_row(index, &mut row);
        for ((to, value), added) in flatten_mut(to).iter_mut().zip(&row).zip(&first_type) {
            *to = value + added;
        }
    }
    Embedding { word, position: positions, norm: norm(weights, config) }
}
