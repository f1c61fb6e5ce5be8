//! An encoder's weights as checkpoints store them, before a kernel packs them.

/// A weight matrix `[rows, cols]`, row-major; a linear layer's is `[out, in]`.
#[derive(Clone, Debug, PartialEq)]
pub enum Matrix {
    /// Full precision.
    F32 {
        /// Output features, or embedding rows.
        rows: usize,
        /// Input features, or embedding width.
        cols: usize,
        /// `rows * cols` values.
        data: Vec<f32>,
    },
    /// Symmetric 8-bit integers with one scale per row: `value = data * scale`.
    I8 {
        /// Output features, or embedding rows.
        rows: usize,
        /// Input features, or embedding width.
        cols: usize,
        /// `rows * cols` values in `-127..=127`.
        data: Vec<i8>,
        /// One factor per row.
        scales: Vec<f32>,
    },
}

/// A dense layer: `y = x · weightᵀ + bias`.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// `[out, in]`.
    pub weight: Matrix,
    /// `[out]`.
    pub bias: Vec<f32>,
}

/// Scale and shift of a layer normalisation, `[hidden]` each.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerNorm {
    /// Scale, γ.
    pub weight: Vec<f32>,
    /// Shift, β.
    pub bias: Vec<f32>,
}

/// One transformer layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerWeights {
    /// `[hidden, hidden]`.
    pub query: Linear,
    /// `[hidden, hidden]`.
    pub key: Linear,
    /// `[hidden, hidden]`.
    pub value: Linear,
    /// `[hidden, hidden]`.
    pub attention_output: Linear,
    /// Normalisation after the attention's residual sum.
    pub attention_norm: LayerNorm,
    /// `[intermediate, hidden]`.
    pub intermediate: Linear,
    /// `[hidden, intermediate]`.
    pub output: Linear,
    /// Normalisation after the feed-forward residual sum.
    pub output_norm: LayerNorm,
}

/// Everything below the classification head.
#[derive(Clone, Debug, PartialEq)]
pub struct EncoderWeights {
    /// Word embedding `[vocab, hidden]`.
    pub word: Matrix,
    /// Position embedding `[max_positions, hidden]`.
    pub position: Matrix,
    /// Token type embedding `[type_vocab, hidden]`.
    pub token_type: Matrix,
    /// Normalisation of the embedding sum.
    pub norm: LayerNorm,
    /// One entry per transformer layer.
    pub layers: Vec<LayerWeights>,
}
