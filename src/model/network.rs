//! An encoder by the engine that runs it.

use crate::engine::general::General;
use crate::engine::{Encoder, EncoderConfig, EngineError, InstructionSet, Precision, Workspace};

/// The encoder of a [`Classifier`](super::Classifier).
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a model has one")]
pub enum Network {
    /// BERT's layers, in single precision or 8-bit integers.
    Bert(Encoder),
    /// Other layers, in single precision.
    #[doc(hidden)]
    General(General),
}

impl Network {
    /// Sizes.
    pub fn config(&self) -> &EncoderConfig {
        match self {
            Network::Bert(encoder) => encoder.config(),
            Network::General(general) => general.config(),
        }
    }

    /// The arithmetic.
    pub fn precision(&self) -> Precision {
        match self {
            Network::Bert(encoder) => encoder.precision(),
            Network::General(_) => Precision::F32,
        }
    }

    /// The instruction set that it runs on.
    pub fn isa(&self) -> InstructionSet {
        match self {
            Network::Bert(encoder) => encoder.isa(),
            Network::General(general) => general.isa(),
        }
    }

    /// BERT's encoder, if it is one.
    pub fn bert(&self) -> Option<&Encoder> {
        match self {
            Network::Bert(encoder) => Some(encoder),
            Network::General(_) => None,
        }
    }

    /// Encodes packed sequences as [`Encoder::encode`] does.
    ///
    /// # Errors
    /// Those of [`Encoder::encode`].
    pub(super) fn encode(
        &self,
        ids: &[u32],
        cu_seqlens: &[u32],
        workspace: &mut Workspace,
        out: &mut [f32],
    ) -> Result<(), EngineError> {
        match self {
            Network::Bert(encoder) => encoder.encode(ids, cu_seqlens, workspace, out),
            Network::General(general) => general.encode(ids, cu_seqlens, out),
        }
    }
}
