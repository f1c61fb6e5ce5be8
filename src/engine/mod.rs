//! The encoder's forward pass over packed sequences.

mod config;
mod encoder;
mod weights;

pub use config::EncoderConfig;
pub use encoder::{Encoder, EngineError, Precision, Workspace};
pub use weights::{EncoderWeights, LayerNorm, LayerWeights, Linear, Matrix};
