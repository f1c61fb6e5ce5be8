//! The encoder's forward pass over packed sequences.
//!
//! Tokens of many sequences stand in one `[tokens, hidden]` matrix, with `cu_seqlens` telling where each begins: there is no
//! padding between sequences, and a row's result depends on its own sequence alone, bit by bit.
//!
//! [`general`] runs the encoders that are built otherwise.
//!
//! [`Encoder`] is immutable and shared by threads; each thread brings a [`Workspace`]. `docs/inference.md` tells how it
//! works and what each step buys.

mod activation;
pub(crate) mod ceiling;
mod config;
mod dense;
mod distance;
mod encoder;
mod forward;
pub(crate) mod general;
pub(crate) mod kernels;
mod pack;
mod weights;
mod workspace;

#[cfg(test)]
mod tests;

pub use activation::Activation;
pub use config::EncoderConfig;
pub(crate) use dense::{Dense, dot};
pub use encoder::{Encoder, EngineError, Precision};
pub use kernels::InstructionSet;
pub(crate) use weights::has_lowest_step;
pub use weights::{EncoderWeights, LayerNorm, LayerWeights, Linear, Matrix};
pub use workspace::Workspace;
