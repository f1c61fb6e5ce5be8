//! Encoders of other shapes than BERT's, in single precision.
//!
//! [`Encoder`](super::Encoder) does one thing fast: BERT's layers with exact GELU over absolute positions. What differs from that runs
//! here, on the same products of matrices: factorised embeddings (ALBERT, small ELECTRA), other activations, biases by distance
//! (MPNet), disentangled attention (DeBERTa), and rotated positions with normalisation first, gates and sliding windows
//! (ModernBERT). It is written to be read beside the papers, and keeps whole matrices of scores.
//!
//! Products take all tokens of a batch together, and a row of a product does not depend on the others; everything else takes one
//! sequence at a time. So a sequence's vector is the same bits in any batch.

mod attention;
mod forward;
mod positions;

pub use positions::{BUCKETS, Disentangled, Positions};

use super::dense::Dense;
use super::{Activation, EncoderConfig, InstructionSet, LayerNorm, Linear};

/// Which vector stands for a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// The last layer's of the first token.
    First,
    /// The mean of the last layer's.
    Mean,
}

/// What the layers have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneralConfig {
    /// Sizes. `max_positions` is the longest sequence.
    pub sizes: EncoderConfig,
    /// Between the two layers of the feed-forward part.
    pub activation: Activation,
    /// Whether the feed-forward part's first layer has twice `intermediate` outputs, of which the second half multiplies the first.
    pub gated: bool,
    /// Whether each part of a layer normalises what it reads, not what it adds to.
    pub norm_first: bool,
    /// Which vector stands for a sequence.
    pub pool: Pool,
}

/// From ids to the first layer.
#[derive(Debug)]
pub struct GeneralEmbedding {
    /// `[vocab, width]`, where `width` is `hidden` unless there is a projection.
    pub word: Vec<f32>,
    /// `[max_positions, width]`, with the first token type added; empty where positions are not embedded.
    pub position: Vec<f32>,
    /// Over the sum of the two, or over what the projection makes of it where that is as wide as the norm.
    pub norm: LayerNorm,
    /// `[hidden, width]`.
    pub projection: Option<Linear>,
}

/// Weights of one layer, all matrices in single precision.
#[derive(Debug)]
pub struct GeneralLayer {
    /// Queries, keys and values one below the other, `[3 · hidden, hidden]`.
    pub query_key_value: Linear,
    /// `[hidden, hidden]`
    pub attention_output: Linear,
    /// Of attention; `None` where nothing is normalised.
    pub attention_norm: Option<LayerNorm>,
    /// `[intermediate, hidden]`, or twice as many rows if gated.
    pub intermediate: Linear,
    /// `[hidden, intermediate]`
    pub output: Linear,
    /// Of the feed-forward part.
    pub output_norm: LayerNorm,
    /// What attention knows of positions.
    pub positions: Positions,
}

/// Weights of an encoder.
#[derive(Debug)]
pub struct GeneralWeights {
    /// From ids to the first layer.
    pub embedding: GeneralEmbedding,
    /// Each stands for as many passes as `order` names it.
    pub layers: Vec<GeneralLayer>,
    /// The layer of each pass, by its place in `layers`.
    pub order: Vec<usize>,
    /// Over the last layer's vectors.
    pub final_norm: Option<LayerNorm>,
}

/// An encoder ready for use. Immutable: share it between threads.
#[derive(Debug)]
pub struct General {
    config: GeneralConfig,
    word: Vec<f32>,
    position: Vec<f32>,
    width: usize,
    embedding_norm: LayerNorm,
    projection: Option<Dense>,
    layers: Vec<Packed>,
    order: Vec<usize>,
    final_norm: Option<LayerNorm>,
    isa: InstructionSet,
}

/// A layer ready for use.
#[derive(Debug)]
struct Packed {
    query_key_value: Dense,
    attention_output: Dense,
    attention_norm: Option<LayerNorm>,
    intermediate: Dense,
    output: Dense,
    output_norm: LayerNorm,
    positions: Positions,
}

fn dense(layer: &Linear, isa: InstructionSet) -> Dense {
    let (rows, cols) = (layer.weight.rows(), layer.weight.cols());
    let mut weight = vec![0.0; rows * cols];
    weight.chunks_exact_mut(cols).enumerate().for_each(|(row, to)| layer.weight.copy_row(row, to));
    Dense::new(&weight, &layer.bias, isa)
}

impl General {
    /// Packs weights whose shapes are those that the configuration asks for.
    ///
    /// # Panics
    /// Where a matrix has no rows or columns, or `order` names no layer: whoever reads them from a file has checked that.
    pub fn new(config: GeneralConfig, weights: GeneralWeights) -> General {
        let isa = InstructionSet::detect();
        let GeneralWeights { embedding, layers, order, final_norm } = weights;
        assert!(order.iter().all(|&layer| layer < layers.len()), "a pass names a layer that is not there");
        let width = embedding.word.len() / config.sizes.vocab;
        let layers = layers.into_iter().map(|layer| Packed {
            query_key_value: dense(&layer.query_key_value, isa),
            attention_output: dense(&layer.attention_output, isa),
            attention_norm: layer.attention_norm,
            intermediate: dense(&layer.intermediate, isa),
            output: dense(&layer.output, isa),
            output_norm: layer.output_norm,
            positions: layer.positions,
        });
        General {
            word: embedding.word,
            position: embedding.position,
            width,
            embedding_norm: embedding.norm,
            projection: embedding.projection.map(|layer| dense(&layer, isa)),
            layers: layers.collect(),
            order,
            final_norm,
            isa,
            config,
        }
    }

    /// Sizes; `max_positions` is the longest sequence.
    pub fn config(&self) -> &EncoderConfig {
        &self.config.sizes
    }

    /// The instruction set that the weights are packed for.
    pub fn isa(&self) -> InstructionSet {
        self.isa
    }
}
