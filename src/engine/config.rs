//! Sizes of a BERT-shaped encoder.

use serde::{Deserialize, Serialize};

/// Sizes of a BERT-shaped encoder; the names on the wire are those of a Hugging Face `config.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncoderConfig {
    /// Number of transformer layers.
    #[serde(rename = "num_hidden_layers")]
    pub layers: usize,
    /// Width of a token's vector.
    #[serde(rename = "hidden_size")]
    pub hidden: usize,
    /// Attention heads per layer; divides `hidden`.
    #[serde(rename = "num_attention_heads")]
    pub heads: usize,
    /// Width of the feed-forward layer.
    #[serde(rename = "intermediate_size")]
    pub intermediate: usize,
    /// Rows of the word embedding.
    #[serde(rename = "vocab_size")]
    pub vocab: usize,
    /// Rows of the position embedding: the longest sequence in tokens.
    #[serde(rename = "max_position_embeddings")]
    pub max_positions: usize,
    /// Rows of the token type embedding.
    #[serde(rename = "type_vocab_size")]
    pub type_vocab: usize,
    /// Added to the variance in every layer normalisation.
    pub layer_norm_eps: f32,
}
