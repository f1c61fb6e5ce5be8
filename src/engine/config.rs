//! The encoder's shape, and the work that the shape implies.

use serde::{Deserialize, Serialize};

/// Shape of a BERT encoder. Field names in files are those of a Hugging Face `config.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncoderConfig {
    /// Transformer layers.
    #[serde(rename = "num_hidden_layers")]
    pub layers: usize,
    /// Width of a token's hidden state.
    #[serde(rename = "hidden_size")]
    pub hidden: usize,
    /// Attention heads; divides `hidden`.
    #[serde(rename = "num_attention_heads")]
    pub heads: usize,
    /// Width of the feed-forward network.
    #[serde(rename = "intermediate_size")]
    pub intermediate: usize,
    /// Rows of the word embedding table.
    #[serde(rename = "vocab_size")]
    pub vocab: usize,
    /// Rows of the position table: the longest sequence in tokens.
    #[serde(rename = "max_position_embeddings")]
    pub max_positions: usize,
    /// Rows of the token type table.
    #[serde(rename = "type_vocab_size")]
    pub type_vocab: usize,
    /// Added to the variance in LayerNorm.
    pub layer_norm_eps: f32,
}

impl EncoderConfig {
    /// Multiply-adds of the linear layers for one token, without any saving: `layers * (4 hidden² + 2 hidden * intermediate)`.
    pub fn linear_multiply_adds_per_token(&self) -> u64 {
        let (layers, hidden, intermediate) = (self.layers as u64, self.hidden as u64, self.intermediate as u64);
        layers * (4 * hidden * hidden + 2 * hidden * intermediate)
    }

    /// Multiply-adds of a whole sequence of `tokens`, without any saving: linear layers, and the two products of
    /// attention. An operation count as throughput figures use it is twice that.
    pub fn multiply_adds(&self, tokens: usize) -> u64 {
        let tokens = tokens as u64;
        let attention = 2 * self.layers as u64 * self.hidden as u64 * tokens * tokens;
        tokens * self.linear_multiply_adds_per_token() + attention
    }
}
