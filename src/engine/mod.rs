//! The encoder's forward pass over packed sequences.

mod config;
mod weights;

pub use config::EncoderConfig;
pub use weights::{EncoderWeights, LayerNorm, LayerWeights, Linear, Matrix};
