//! A plain forward pass of the encoder in single precision: the reference that says what the numbers are.

use super::{EncoderConfig, EncoderWeights, LayerNorm, Linear, Matrix};

/// Arithmetic of the dense layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Single precision throughout.
    F32,
    /// Weights as 8-bit integers.
    Int8,
}

/// Why an encoder could not be built or run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// Sizes that contradict each other.
    #[error("encoder sizes do not fit together: {reason}")]
    BadConfig {
        /// The rule that was broken.
        reason: String,
    },
    /// A buffer of the wrong length.
    #[error("`{name}` has {got} elements, expected {expected}")]
    WrongLength {
        /// The argument.
        name: &'static str,
        /// Elements it should have.
        expected: usize,
        /// Elements it has.
        got: usize,
    },
    /// A sequence without tokens or longer than the position embedding.
    #[error("a sequence has {got} tokens, expected 1 to {max}")]
    SequenceLength {
        /// Rows of the position embedding.
        max: usize,
        /// Tokens of the sequence.
        got: usize,
    },
    /// An id outside the word embedding.
    #[error("token id {got} is outside the vocabulary of {vocab}")]
    TokenOutOfVocabulary {
        /// Rows of the word embedding.
        vocab: usize,
        /// The id.
        got: u32,
    },
}

/// Buffers that a forward pass reuses from call to call.
#[derive(Debug, Default)]
pub struct Workspace {
    hidden: Vec<f32>,
}

/// A BERT-shaped encoder.
#[derive(Debug)]
pub struct Encoder {
    config: EncoderConfig,
    weights: EncoderWeights,
}

impl Encoder {
    /// Takes the weights of a checkpoint.
    ///
    /// # Errors
    /// [`EngineError::BadConfig`] where sizes contradict each other.
    pub fn new(config: EncoderConfig, weights: EncoderWeights, _: Precision) -> Result<Encoder, EngineError> {
        if config.heads == 0 || !config.hidden.is_multiple_of(config.heads) {
            let reason = format!("{} heads for a width of {}", config.heads, config.hidden);
            return Err(EngineError::BadConfig { reason });
        }
        Ok(Encoder { config, weights })
    }

    /// Buffers for [`Encoder::encode`].
    pub fn workspace(&self) -> Workspace {
        Workspace::default()
    }

    /// Writes the last layer's vector of each sequence's first token into `out`, `[sequences, hidden]`.
    ///
    /// `ids` holds the sequences one after the other, `cu_seqlens` their `sequences + 1` boundaries in it.
    ///
    /// # Errors
    /// [`EngineError`] where the arguments contradict each other or the model.
    pub fn encode(
        &self,
        ids: &[u32],
        cu_seqlens: &[u32],
        workspace: &mut Workspace,
        out: &mut [f32],
    ) -> Result<(), EngineError> {
        let hidden = self.config.hidden;
        let sequences = cu_seqlens.len().saturating_sub(1);
        if out.len() != sequences * hidden {
            return Err(EngineError::WrongLength { name: "out", expected: sequences * hidden, got: out.len() });
        }
        let end = cu_seqlens.last().map_or(0, |&end| end as usize);
        if ids.len() != end {
            return Err(EngineError::WrongLength { name: "ids", expected: end, got: ids.len() });
        }
        for (bounds, row) in cu_seqlens.windows(2).zip(out.chunks_exact_mut(hidden)) {
            self.encode_one(&ids[bounds[0] as usize..bounds[1] as usize], &mut workspace.hidden)?;
            row.copy_from_slice(&workspace.hidden[..hidden]);
        }
        Ok(())
    }

    fn encode_one(&self, ids: &[u32], x: &mut Vec<f32>) -> Result<(), EngineError> {
        let EncoderConfig { hidden, heads, vocab, max_positions, layer_norm_eps: eps, .. } = self.config;
        if ids.is_empty() || ids.len() > max_positions {
            return Err(EngineError::SequenceLength { max: max_positions, got: ids.len() });
        }
        x.clear();
        for (position, &id) in ids.iter().enumerate() {
            if id as usize >= vocab {
                return Err(EngineError::TokenOutOfVocabulary { vocab, got: id });
            }
            x.extend((0..hidden).map(|col| {
                value(&self.weights.word, id as usize, col)
                    + value(&self.weights.position, position, col)
                    + value(&self.weights.token_type, 0, col)
            }));
        }
        normalise(x, &self.weights.norm, eps);
        let width = hidden / heads;
        for layer in &self.weights.layers {
            let (q, k, v) = (linear(x, &layer.query), linear(x, &layer.key), linear(x, &layer.value));
            let mut context = vec![0.0; x.len()];
            for head in 0..heads {
                for token in 0..ids.len() {
                    let at = |t: usize| t * hidden + head * width..t * hidden + (head + 1) * width;
                    let scale = 1.0 / (width as f32).sqrt();
                    let scores: Vec<f32> =
                        (0..ids.len()).map(|other| dot(&q[at(token)], &k[at(other)]) * scale).collect();
                    let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                    let exp: Vec<f32> = scores.iter().map(|score| (score - max).exp()).collect();
                    let sum: f32 = exp.iter().sum();
                    for (other, weight) in exp.iter().enumerate() {
                        for (c, value) in context[at(token)].iter_mut().zip(&v[at(other)]) {
                            *c += weight / sum * value;
                        }
                    }
                }
            }
            add(x, &linear(&context, &layer.attention_output));
            normalise(x, &layer.attention_norm, eps);
            let mut inner = linear(x, &layer.intermediate);
            inner.iter_mut().for_each(|value| *value = gelu(*value));
            add(x, &linear(&inner, &layer.output));
            normalise(x, &layer.output_norm, eps);
        }
        Ok(())
    }
}

fn value(matrix: &Matrix, row: usize, col: usize) -> f32 {
    match matrix {
        Matrix::F32 { cols, data, .. } => data[row * cols + col],
        Matrix::I8 { cols, data, scales, .. } => f32::from(data[row * cols + col]) * scales[row],
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 16];
    let (a_chunks, b_chunks) = (a.chunks_exact(16), b.chunks_exact(16));
    let rest: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..16 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}

fn linear(x: &[f32], layer: &Linear) -> Vec<f32> {
    let (rows, cols) = match layer.weight {
        Matrix::F32 { rows, cols, .. } | Matrix::I8 { rows, cols, .. } => (rows, cols),
    };
    let mut out = vec![0.0; x.len() / cols * rows];
    let mut weights = vec![0.0; cols];
    for row in 0..rows {
        for (col, weight) in weights.iter_mut().enumerate() {
            *weight = value(&layer.weight, row, col);
        }
        for (token, x) in x.chunks_exact(cols).enumerate() {
            out[token * rows + row] = dot(x, &weights) + layer.bias[row];
        }
    }
    out
}

fn add(x: &mut [f32], y: &[f32]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
}

fn normalise(x: &mut [f32], norm: &LayerNorm, eps: f32) {
    for row in x.chunks_exact_mut(norm.weight.len()) {
        let n = row.len() as f32;
        let mean = row.iter().sum::<f32>() / n;
        let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / n;
        let scale = 1.0 / (variance + eps).sqrt();
        for ((x, weight), bias) in row.iter_mut().zip(&norm.weight).zip(&norm.bias) {
            *x = (*x - mean) * scale * weight + bias;
        }
    }
}

/// GELU by the error function in the form of Abramowitz and Stegun 7.1.26, absolute error below 1.5e-7.
fn gelu(x: f32) -> f32 {
    let z = f64::from(x.abs()) * std::f64::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.3275911 * z);
    let poly = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
    let erf = (1.0 - poly * (-z * z).exp()).copysign(f64::from(x));
    (f64::from(x) * 0.5 * (1.0 + erf)) as f32
}
