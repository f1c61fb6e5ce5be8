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
    /// Neighbouring tokens that share a hidden state, the sum of their rows of the word table; the first token of a sequence
    /// has one of its own. Hugging Face's models have 1, and their files do not say so.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub tokens_per_state: usize,
}

fn one() -> usize {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_one(number: &usize) -> bool {
    *number == 1
}

impl EncoderConfig {
    /// Hidden states of a sequence of so many tokens.
    pub fn states(&self, tokens: usize) -> usize {
        tokens.min(1) + tokens.saturating_sub(1).div_ceil(self.tokens_per_state)
    }

    /// The hidden state that a token belongs to, by their positions in the sequence.
    pub fn state_of(&self, token: usize) -> usize {
        token.div_ceil(self.tokens_per_state)
    }

    /// Multiply-adds of the linear layers for one hidden state, without any saving:
    /// `layers * (4 hidden² + 2 hidden * intermediate)`.
    pub fn linear_multiply_adds_per_state(&self) -> u64 {
        let (layers, hidden, intermediate) = (self.layers as u64, self.hidden as u64, self.intermediate as u64);
        layers * (4 * hidden * hidden + 2 * hidden * intermediate)
    }

    /// Multiply-adds of a whole sequence of `tokens`, without any saving: linear layers, and the two products of
    /// attention. An operation count as throughput figures use it is twice that.
    pub fn multiply_adds(&self, tokens: usize) -> u64 {
        let states = self.states(tokens) as u64;
        let attention = 2 * self.layers as u64 * self.hidden as u64 * states * states;
        states * self.linear_multiply_adds_per_state() + attention
    }

    /// The multiply-adds of [`multiply_adds`](Self::multiply_adds) that [`Encoder::encode`](super::Encoder::encode) computes:
    /// in the last layer two products with every hidden state per head, and everything else for the first token alone.
    pub fn computed_multiply_adds(&self, tokens: usize) -> u64 {
        let before = EncoderConfig { layers: self.layers.saturating_sub(1), ..self.clone() }.multiply_adds(tokens);
        let (hidden, intermediate, heads) = (self.hidden as u64, self.intermediate as u64, self.heads as u64);
        before + 2 * heads * hidden * self.states(tokens) as u64 + 4 * hidden * hidden + 2 * hidden * intermediate
    }

    /// Numbers in the encoder's weights.
    pub fn parameters(&self) -> u64 {
        let (hidden, intermediate) = (self.hidden as u64, self.intermediate as u64);
        let norm = 2 * hidden;
        let attention = 4 * (hidden * hidden + hidden) + norm;
        let feed_forward = 2 * hidden * intermediate + intermediate + hidden + norm;
        let embeddings = (self.vocab + self.max_positions + self.type_vocab) as u64 * hidden + norm;
        embeddings + self.layers as u64 * (attention + feed_forward)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_and_sizes_of_a_small_encoder() {
        let config = EncoderConfig {
            layers: 3,
            hidden: 2,
            heads: 1,
            intermediate: 5,
            vocab: 7,
            max_positions: 4,
            type_vocab: 1,
            layer_norm_eps: 1e-12,
            tokens_per_state: 1,
        };
        // A layer: 4 · 2² + 2 · 2 · 5 = 36 per token, attention 2 · 2 · tokens².
        assert_eq!(config.multiply_adds(3), 3 * (3 * 36 + 36));
        // The last one: 36 for the first token, 2 · 1 · 2 per token for its one head.
        assert_eq!(config.computed_multiply_adds(3), 2 * (3 * 36 + 36) + 36 + 3 * 4);
        // Two tokens a state: of five tokens the first, two and two.
        let pairs = EncoderConfig { tokens_per_state: 2, ..config.clone() };
        assert_eq!((0..=5).map(|tokens| pairs.states(tokens)).collect::<Vec<_>>(), [0, 1, 2, 2, 3, 3]);
        assert_eq!((0..5).map(|token| pairs.state_of(token)).collect::<Vec<_>>(), [0, 1, 1, 2, 2]);
        assert_eq!(pairs.multiply_adds(5), config.multiply_adds(3));
        assert_eq!(pairs.computed_multiply_adds(5), config.computed_multiply_adds(3));
        // Embeddings 12 rows, with LayerNorm; a layer: 4 · (4 + 2) + 4, and 2 · 10 + 5 + 2 + 4.
        assert_eq!(config.parameters(), 24 + 4 + 3 * (28 + 31));
    }
}
