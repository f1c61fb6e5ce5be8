//! Where each weight stands in the trainer's one flat parameter vector.
//!
//! Everything but the word embedding and the head lies in a single `[parameters]` vector: one gradient tensor, one
//! optimiser pass, one sum over the workers. The word embedding stays apart, since a step touches few of its rows.

use super::TrainError;
use crate::engine::{EncoderConfig, EncoderWeights, LayerNorm, LayerWeights, Linear, Matrix};
use std::ops::Range;

/// A dense layer inside the flat vector.
#[derive(Clone, Debug)]
pub(super) struct LinearSlot {
    /// `[out, in]`.
    pub weight: Range<usize>,
    /// `[out]`.
    pub bias: Range<usize>,
}

/// A layer normalisation inside the flat vector.
#[derive(Clone, Debug)]
pub(super) struct NormSlot {
    pub weight: Range<usize>,
    pub bias: Range<usize>,
}

/// One transformer layer inside the flat vector.
#[derive(Clone, Debug)]
pub(super) struct LayerSlots {
    pub query: LinearSlot,
    /// Key above value: `[2 * hidden, hidden]`.
    pub key_value: LinearSlot,
    pub attention_output: LinearSlot,
    pub attention_norm: NormSlot,
    pub intermediate: LinearSlot,
    pub output: LinearSlot,
    pub output_norm: NormSlot,
}

/// The whole layout.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Position embedding with token type 0 added, `[max_positions, hidden]`.
    pub position: Range<usize>,
    pub norm: NormSlot,
    pub layers: Vec<LayerSlots>,
    /// Length of the flat vector.
    pub len: usize,
    /// Every parameter, first to last, with the layer that it belongs to and whether weight decay applies to it.
    pub segments: Vec<Segment>,
}

/// A run of parameters with one learning rate and one weight decay.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub range: Range<usize>,
    /// Biases and normalisations do not decay.
    pub decays: bool,
    /// 0 for the embeddings, 1 for the first layer, …
    pub depth: usize,
}

struct Cursor {
    at: usize,
    depth: usize,
    segments: Vec<Segment>,
}

impl Cursor {
    fn take(&mut self, len: usize, decays: bool) -> Range<usize> {
        let range = self.at..self.at + len;
        self.at = range.end;
        self.segments.push(Segment { range: range.clone(), decays, depth: self.depth });
        range
    }

    fn linear(&mut self, out: usize, input: usize) -> LinearSlot {
        LinearSlot { weight: self.take(out * input, true), bias: self.take(out, false) }
    }

    fn norm(&mut self, hidden: usize) -> NormSlot {
        NormSlot { weight: self.take(hidden, false), bias: self.take(hidden, false) }
    }
}

impl Layout {
    pub fn new(config: &EncoderConfig) -> Layout {
        let (hidden, wide) = (config.hidden, config.intermediate);
        let mut cursor = Cursor { at: 0, depth: 0, segments: Vec::new() };
        let position = cursor.take(config.max_positions * hidden, true);
        let norm = cursor.norm(hidden);
        let mut layers = Vec::with_capacity(config.layers);
        for depth in 1..=config.layers {
            cursor.depth = depth;
            layers.push(LayerSlots {
                query: cursor.linear(hidden, hidden),
                key_value: cursor.linear(2 * hidden, hidden),
                attention_output: cursor.linear(hidden, hidden),
                attention_norm: cursor.norm(hidden),
                intermediate: cursor.linear(wide, hidden),
                output: cursor.linear(hidden, wide),
                output_norm: cursor.norm(hidden),
            });
        }
        Layout { position, norm, layers, len: cursor.at, segments: cursor.segments }
    }

    /// The flat vector of a checkpoint. Token type 0, the only one a single text uses, is added to every position.
    pub fn flatten(&self, config: &EncoderConfig, weights: &EncoderWeights) -> Vec<f32> {
        let mut flat = vec![0.0; self.len];
        let position = to_f32(&weights.position);
        let token_type = to_f32(&weights.token_type);
        for (out, row) in flat[self.position.clone()].chunks_mut(config.hidden).zip(position.chunks(config.hidden)) {
            for ((out, p), t) in out.iter_mut().zip(row).zip(&token_type) {
                *out = p + t;
            }
        }
        let mut put = |range: &Range<usize>, values: &[f32]| flat[range.clone()].copy_from_slice(values);
        put(&self.norm.weight, &weights.norm.weight);
        put(&self.norm.bias, &weights.norm.bias);
        for (slots, layer) in self.layers.iter().zip(&weights.layers) {
            for (slot, linear) in [
                (&slots.query, &layer.query),
                (&slots.attention_output, &layer.attention_output),
                (&slots.intermediate, &layer.intermediate),
                (&slots.output, &layer.output),
            ] {
                put(&slot.weight, &to_f32(&linear.weight));
                put(&slot.bias, &linear.bias);
            }
            put(&slots.key_value.weight, &[to_f32(&layer.key.weight), to_f32(&layer.value.weight)].concat());
            put(&slots.key_value.bias, &[layer.key.bias.as_slice(), &layer.value.bias].concat());
            for (slot, norm) in
                [(&slots.attention_norm, &layer.attention_norm), (&slots.output_norm, &layer.output_norm)]
            {
                put(&slot.weight, &norm.weight);
                put(&slot.bias, &norm.bias);
            }
        }
        flat
    }

    /// The inverse of [`Layout::flatten`]: the positions keep token type 0, whose own table becomes zero.
    pub fn unflatten(&self, config: &EncoderConfig, flat: &[f32], word: &[f32]) -> EncoderWeights {
        let hidden = config.hidden;
        let matrix = |range: Range<usize>, cols: usize| Matrix::F32 {
            rows: range.len() / cols,
            cols,
            data: flat[range].to_vec(),
        };
        let linear = |slot: &LinearSlot, cols: usize| Linear {
            weight: matrix(slot.weight.clone(), cols),
            bias: flat[slot.bias.clone()].to_vec(),
        };
        let half = |slot: &LinearSlot, second: bool| {
            let (w, b) = (slot.weight.len() / 2, slot.bias.len() / 2);
            let pick = |range: &Range<usize>, len: usize| {
                let start = range.start + usize::from(second) * len;
                start..start + len
            };
            linear(&LinearSlot { weight: pick(&slot.weight, w), bias: pick(&slot.bias, b) }, hidden)
        };
        let norm = |slot: &NormSlot| LayerNorm {
            weight: flat[slot.weight.clone()].to_vec(),
            bias: flat[slot.bias.clone()].to_vec(),
        };
        EncoderWeights {
            word: Matrix::F32 { rows: word.len() / hidden, cols: hidden, data: word.to_vec() },
            position: matrix(self.position.clone(), hidden),
            token_type: Matrix::F32 {
                rows: config.type_vocab,
                cols: hidden,
                data: vec![0.0; config.type_vocab * hidden],
            },
            norm: norm(&self.norm),
            distances: None,
            layers: self
                .layers
                .iter()
                .map(|slots| LayerWeights {
                    query: linear(&slots.query, hidden),
                    key: half(&slots.key_value, false),
                    value: half(&slots.key_value, true),
                    attention_output: linear(&slots.attention_output, hidden),
                    attention_norm: norm(&slots.attention_norm),
                    intermediate: linear(&slots.intermediate, hidden),
                    output: linear(&slots.output, config.intermediate),
                    output_norm: norm(&slots.output_norm),
                })
                .collect(),
        }
    }
}

/// Refuses weights that the forward pass of training would take for others.
pub(super) fn check_trainable(weights: &EncoderWeights) -> Result<(), TrainError> {
    if weights.distances.is_some() { Err(TrainError::DistancesAreNotTrained) } else { Ok(()) }
}

/// A matrix's values in full precision.
pub(super) fn to_f32(matrix: &Matrix) -> Vec<f32> {
    match matrix {
        Matrix::F32 { data, .. } => data.clone(),
        Matrix::I8 { cols, data, scales, .. } => data
            .chunks(*cols)
            .zip(scales)
            .flat_map(|(row, scale)| row.iter().map(move |&value| f32::from(value) * scale))
            .collect(),
    }
}
