//! The encoder: checked, packed weights and the entry points.

use super::config::EncoderConfig;
use super::distance;
use super::forward::{F32, Forward, Int8, Output};
use super::kernels::gemm_f32::PackedF32;
use super::kernels::gemm_i8::{MAX_DEPTH, PackedI8};
use super::kernels::isa::{Token, dispatch};
use super::kernels::lanes::blocks_needed;
use super::kernels::{DistanceBias, InstructionSet, LANES};
use super::pack::{self, Embedding, FirstToken, Layer, Shape};
use super::weights::{EncoderWeights, LayerNorm, Linear, Matrix, all_finite};
use super::workspace::Workspace;
use std::fmt;

/// Arithmetic of the matrix products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Single precision throughout.
    F32,
    /// int8 weights per output, u8 activations quantised per token, exact i32 sums; the rest in f32.
    Int8,
}

impl Precision {
    /// The name used on the command line and in reports: `f32` or `int8`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::Int8 => "int8",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why an encoder could not be built, or a batch not be encoded.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A size in the configuration is zero, does not divide, or is too large.
    #[error("config: {rule}, got {got}")]
    Config {
        /// The rule that was broken.
        rule: &'static str,
        /// The offending size.
        got: usize,
    },
    /// A LayerNorm epsilon that is negative or not a number.
    #[error("config: layer_norm_eps must be a number not below 0, got {got}")]
    Epsilon {
        /// The value.
        got: f32,
    },
    /// Weights do not have the shape that the configuration asks for.
    #[error("{name}: expected shape {expected:?}, got {got:?}")]
    Shape {
        /// Which weights, such as `layers.0.query.weight`.
        name: String,
        /// Shape by the configuration.
        expected: Vec<usize>,
        /// Shape as given.
        got: Vec<usize>,
    },
    /// Weights that hold infinities or NaN, or an int8 step of -128.
    #[error("{name}: holds values that are not finite, or int8 steps below -127")]
    NotFinite {
        /// Which weights.
        name: String,
    },
    /// The CPU lacks an instruction set that was asked for.
    #[error("instruction set {isa} is not available on this CPU")]
    InstructionSet {
        /// The instruction set.
        isa: InstructionSet,
    },
    /// `cu_seqlens` does not start with 0, falls, or does not end with the number of ids.
    #[error("cu_seqlens[{index}] is {got}, expected {expected}")]
    SequenceBounds {
        /// Position in `cu_seqlens`.
        index: usize,
        /// What it was to be.
        expected: String,
        /// What it is.
        got: u32,
    },
    /// A sequence is empty or longer than the position table.
    #[error("sequence {sequence} has {got} tokens, expected 1 to {max}")]
    SequenceLength {
        /// Which sequence.
        sequence: usize,
        /// The longest allowed.
        max: usize,
        /// Its tokens.
        got: usize,
    },
    /// A token id outside of the vocabulary.
    #[error("token {position} has id {got}, the vocabulary has {vocab}")]
    TokenId {
        /// Position in `ids`.
        position: usize,
        /// Entries in the vocabulary.
        vocab: usize,
        /// The id.
        got: u32,
    },
    /// The output slice has the wrong length.
    #[error("output has room for {got} values, expected {expected}")]
    OutputLength {
        /// Rows times hidden width.
        expected: usize,
        /// Length of the slice.
        got: usize,
    },
}

#[derive(Clone, Debug)]
enum Layers {
    F32(Vec<Layer<PackedF32>>, FirstToken<PackedF32>),
    Int8(Vec<Layer<PackedI8>>, FirstToken<PackedI8>),
}

/// A BERT encoder with weights packed for one instruction set. Immutable: share it between threads, give each a
/// [`Workspace`].
#[derive(Clone)]
pub struct Encoder {
    config: EncoderConfig,
    shape: Shape,
    precision: Precision,
    isa: InstructionSet,
    token: Token,
    embedding: Embedding,
    /// `[heads, 2 * max_positions - 1]`, see [`DistanceBias`].
    distances: Option<Vec<f32>>,
    layers: Layers,
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder")
            .field("config", &self.config)
            .field("precision", &self.precision)
            .field("isa", &self.isa)
            .finish_non_exhaustive()
    }
}

impl Encoder {
    /// Checks every shape and packs the weights for the best instruction set of this CPU.
    ///
    /// # Errors
    /// Where the configuration makes no sense, weights do not fit it, or hold values that are not finite.
    pub fn new(config: EncoderConfig, weights: EncoderWeights, precision: Precision) -> Result<Encoder, EngineError> {
        Self::with_isa(config, weights, precision, InstructionSet::detect())
    }

    /// Like [`new`](Self::new), for a given instruction set.
    ///
    /// # Errors
    /// Those of [`new`](Self::new), and [`EngineError::InstructionSet`] where this CPU lacks it.
    pub fn with_isa(
        config: EncoderConfig,
        weights: EncoderWeights,
        precision: Precision,
        isa: InstructionSet,
    ) -> Result<Encoder, EngineError> {
        let token = isa.token().ok_or(EngineError::InstructionSet { isa })?;
        check_config(&config)?;
        check_weights(&config, &weights)?;
        let shape = Shape::new(&config);
        let layers = match precision {
            Precision::F32 => Layers::F32(
                pack::layers(&config, &shape, &weights, token),
                pack::first_token(&config, &shape, &weights, token),
            ),
            Precision::Int8 => Layers::Int8(
                pack::layers(&config, &shape, &weights, token),
                pack::first_token(&config, &shape, &weights, token),
            ),
        };
        let EncoderWeights { word, position, token_type, norm, distances, .. } = weights;
        let distances = distances.map(|table| distance::biases(&table, config.max_positions - 1));
        let embedding = pack::embedding(&config, word, &position, &token_type, &norm);
        Ok(Encoder { config, shape, precision, isa, token, embedding, distances, layers })
    }

    /// The shape.
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    /// The arithmetic.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// The instruction set that the weights are packed for.
    pub fn isa(&self) -> InstructionSet {
        self.isa
    }

    /// Buffers for one thread.
    pub fn workspace(&self) -> Workspace {
        Workspace::default()
    }

    /// Encodes packed sequences: `ids [tokens]`, of which sequence `i` has `cu_seqlens[i]..cu_seqlens[i + 1]`. Writes the
    /// last layer's vector of each sequence's first token to `out [sequences, hidden]`.
    ///
    /// What only other tokens' last vectors need is not computed.
    ///
    /// # Errors
    /// [`EngineError::SequenceBounds`], [`EngineError::SequenceLength`], [`EngineError::TokenId`],
    /// [`EngineError::OutputLength`]; `out` is then untouched.
    pub fn encode(
        &self,
        ids: &[u32],
        cu_seqlens: &[u32],
        workspace: &mut Workspace,
        out: &mut [f32],
    ) -> Result<(), EngineError> {
        let sequences = check_batch(&self.config, ids, cu_seqlens)?;
        self.run(ids, cu_seqlens, Output::First, sequences, workspace, out)
    }

    /// Like [`encode`](Self::encode), with all vectors of the last layer in `out [states, hidden]`: those of all tokens, or where
    /// several tokens share a hidden state, as many as [`EncoderConfig::states`] says of each sequence.
    ///
    /// # Errors
    /// Those of [`encode`](Self::encode).
    pub fn encode_tokens(
        &self,
        ids: &[u32],
        cu_seqlens: &[u32],
        workspace: &mut Workspace,
        out: &mut [f32],
    ) -> Result<(), EngineError> {
        check_batch(&self.config, ids, cu_seqlens)?;
        let states = cu_seqlens.windows(2).map(|pair| self.config.states((pair[1] - pair[0]) as usize)).sum();
        self.run(ids, cu_seqlens, Output::All, states, workspace, out)
    }

    fn run(
        &self,
        ids: &[u32],
        token_starts: &[u32],
        output: Output,
        rows: usize,
        workspace: &mut Workspace,
        out: &mut [f32],
    ) -> Result<(), EngineError> {
        let expected = rows * self.config.hidden;
        if out.len() != expected {
            return Err(EngineError::OutputLength { expected, got: out.len() });
        }
        if ids.is_empty() {
            return Ok(());
        }
        let Encoder { shape, embedding, .. } = self;
        let reach = self.config.max_positions - 1;
        let bias = self.distances.as_deref().map(|table| DistanceBias { table, reach });
        let tokens_per_state = self.config.tokens_per_state;
        let mut state_starts = std::mem::take(&mut workspace.state_starts);
        let cu_seqlens = match tokens_per_state {
            1 => token_starts,
            _ => {
                self.start_states(token_starts, &mut state_starts);
                &state_starts
            }
        };
        match &self.layers {
            Layers::F32(layers, first_token) => {
                let forward = Forward::<F32> {
                    shape,
                    embedding,
                    bias,
                    layers,
                    first_token,
                    ids,
                    token_starts,
                    cu_seqlens,
                    tokens_per_state,
                    output,
                    workspace,
                    out,
                };
                dispatch(self.token, forward);
            }
            Layers::Int8(layers, first_token) => {
                let forward = Forward::<Int8> {
                    shape,
                    embedding,
                    bias,
                    layers,
                    first_token,
                    ids,
                    token_starts,
                    cu_seqlens,
                    tokens_per_state,
                    output,
                    workspace,
                    out,
                };
                dispatch(self.token, forward);
            }
        }
        workspace.state_starts = state_starts;
        Ok(())
    }

    /// Where the hidden states of each sequence begin, and the end of the last.
    fn start_states(&self, token_starts: &[u32], state_starts: &mut Vec<u32>) {
        state_starts.clear();
        state_starts.push(0);
        let mut end = 0;
        state_starts.extend(token_starts.windows(2).map(|pair| {
            // No more than there are tokens, which u32 counts.
            end += self.config.states((pair[1] - pair[0]) as usize) as u32;
            end
        }));
    }
}

/// The number of sequences, where the batch is well formed.
pub(super) fn check_batch(config: &EncoderConfig, ids: &[u32], cu_seqlens: &[u32]) -> Result<usize, EngineError> {
    let bounds = |index, expected: String| {
        let got = cu_seqlens.get(index).copied().unwrap_or_default();
        Err(EngineError::SequenceBounds { index, expected, got })
    };
    let (Some(&first), Some(&last)) = (cu_seqlens.first(), cu_seqlens.last()) else {
        return bounds(0, "to exist".to_owned());
    };
    if first != 0 {
        return bounds(0, "0".to_owned());
    }
    for (sequence, pair) in cu_seqlens.windows(2).enumerate() {
        if pair[1] < pair[0] {
            return bounds(sequence + 1, format!("at least {}", pair[0]));
        }
        let (got, max) = ((pair[1] - pair[0]) as usize, config.max_positions);
        if got == 0 || got > max {
            return Err(EngineError::SequenceLength { sequence, max, got });
        }
    }
    if last as usize != ids.len() {
        return bounds(cu_seqlens.len() - 1, format!("{}, the number of ids", ids.len()));
    }
    let vocab = config.vocab;
    if let Some(position) = ids.iter().position(|&id| id as usize >= vocab) {
        return Err(EngineError::TokenId { position, vocab, got: ids[position] });
    }
    Ok(cu_seqlens.len() - 1)
}

fn check_config(config: &EncoderConfig) -> Result<(), EngineError> {
    let rule = |holds: bool, rule, got| if holds { Ok(()) } else { Err(EngineError::Config { rule, got }) };
    rule(config.layers > 0, "layers must be at least 1", config.layers)?;
    rule(config.hidden > 0, "hidden must be at least 1", config.hidden)?;
    rule(config.heads > 0, "heads must be at least 1", config.heads)?;
    rule(config.hidden.is_multiple_of(config.heads), "heads must divide hidden", config.heads)?;
    rule(config.intermediate > 0, "intermediate must be at least 1", config.intermediate)?;
    rule(config.vocab > 0, "vocab must be at least 1", config.vocab)?;
    rule(config.max_positions > 0, "max_positions must be at least 1", config.max_positions)?;
    rule(config.type_vocab > 0, "type_vocab must be at least 1", config.type_vocab)?;
    rule(config.tokens_per_state > 0, "tokens_per_state must be at least 1", config.tokens_per_state)?;
    // Beyond, int8 sums could leave i32. Heads are padded, so their total is checked as well.
    let depth = |width: usize| blocks_needed(width).saturating_mul(LANES);
    let attention = depth(config.hidden / config.heads).saturating_mul(config.heads);
    rule(depth(config.hidden) <= MAX_DEPTH, "hidden must be at most 66,304", config.hidden)?;
    rule(attention <= MAX_DEPTH, "padded heads must be at most 66,304 wide together", attention)?;
    rule(depth(config.intermediate) <= MAX_DEPTH, "intermediate must be at most 66,304", config.intermediate)?;
    rule(depth(config.max_positions) <= MAX_DEPTH, "max_positions must be at most 66,304", config.max_positions)?;
    if !(config.layer_norm_eps >= 0.0 && config.layer_norm_eps.is_finite()) {
        return Err(EngineError::Epsilon { got: config.layer_norm_eps });
    }
    Ok(())
}

fn check_weights(config: &EncoderConfig, weights: &EncoderWeights) -> Result<(), EngineError> {
    let &EncoderConfig { hidden, intermediate, .. } = config;
    check_matrix("word", &weights.word, config.vocab, hidden)?;
    check_matrix("position", &weights.position, config.max_positions, hidden)?;
    check_matrix("token_type", &weights.token_type, config.type_vocab, hidden)?;
    check_norm("norm", &weights.norm, hidden)?;
    if let Some(distances) = &weights.distances {
        let buckets = distances.rows();
        if buckets < 4 || !buckets.is_multiple_of(2) {
            return Err(EngineError::Config { rule: "buckets of distances must be even, at least 4", got: buckets });
        }
        check_matrix("distances", distances, buckets, config.heads)?;
    }
    if weights.layers.len() != config.layers {
        return Err(EngineError::Shape {
            name: "layers".to_owned(),
            expected: vec![config.layers],
            got: vec![weights.layers.len()],
        });
    }
    for (index, layer) in weights.layers.iter().enumerate() {
        let linears = [
            ("query", &layer.query, hidden, hidden),
            ("key", &layer.key, hidden, hidden),
            ("value", &layer.value, hidden, hidden),
            ("attention_output", &layer.attention_output, hidden, hidden),
            ("intermediate", &layer.intermediate, intermediate, hidden),
            ("output", &layer.output, hidden, intermediate),
        ];
        for (name, Linear { weight, bias }, rows, cols) in linears {
            check_matrix(&format!("layers.{index}.{name}.weight"), weight, rows, cols)?;
            check_vector(format!("layers.{index}.{name}.bias"), bias, rows)?;
        }
        check_norm(&format!("layers.{index}.attention_norm"), &layer.attention_norm, hidden)?;
        check_norm(&format!("layers.{index}.output_norm"), &layer.output_norm, hidden)?;
    }
    Ok(())
}

fn check_matrix(name: &str, matrix: &Matrix, rows: usize, cols: usize) -> Result<(), EngineError> {
    if (matrix.rows(), matrix.cols()) != (rows, cols) || !matrix.is_consistent() {
        let mut got = vec![matrix.rows(), matrix.cols()];
        if !matrix.is_consistent() {
            got.push(0);
        }
        return Err(EngineError::Shape { name: name.to_owned(), expected: vec![rows, cols], got });
    }
    if matrix.is_finite() { Ok(()) } else { Err(EngineError::NotFinite { name: name.to_owned() }) }
}

fn check_vector(name: String, values: &[f32], length: usize) -> Result<(), EngineError> {
    if values.len() != length {
        return Err(EngineError::Shape { name, expected: vec![length], got: vec![values.len()] });
    }
    if all_finite(values) { Ok(()) } else { Err(EngineError::NotFinite { name }) }
}

fn check_norm(name: &str, norm: &LayerNorm, hidden: usize) -> Result<(), EngineError> {
    check_vector(format!("{name}.weight"), &norm.weight, hidden)?;
    check_vector(format!("{name}.bias"), &norm.bias, hidden)
}
