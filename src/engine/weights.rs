//! Weights as checkpoints store them.

/// A weight matrix in `[out, in]` row-major order, as checkpoints store it.
#[derive(Clone, Debug, PartialEq)]
pub enum Matrix {
    /// Single precision.
    F32 {
        /// Outputs (or table entries).
        rows: usize,
        /// Inputs (or width).
        cols: usize,
        /// `[rows, cols]`
        data: Vec<f32>,
    },
    /// Symmetric int8 with a scale per row: `value = data * scale`.
    I8 {
        /// Outputs (or table entries).
        rows: usize,
        /// Inputs (or width).
        cols: usize,
        /// `[rows, cols]`, each in `-127..=127`
        data: Vec<i8>,
        /// `[rows]`
        scales: Vec<f32>,
    },
}

impl Matrix {
    /// Rows.
    pub fn rows(&self) -> usize {
        match self {
            Matrix::F32 { rows, .. } | Matrix::I8 { rows, .. } => *rows,
        }
    }

    /// Columns.
    pub fn cols(&self) -> usize {
        match self {
            Matrix::F32 { cols, .. } | Matrix::I8 { cols, .. } => *cols,
        }
    }

    /// Writes a row's values to `to`, which is `cols` long.
    ///
    /// # Panics
    /// Where `row` is not below `rows`, or `to` has another length.
    pub fn copy_row(&self, row: usize, to: &mut [f32]) {
        match self {
            Matrix::F32 { cols, data, .. } => to.copy_from_slice(&data[row * cols..(row + 1) * cols]),
            Matrix::I8 { cols, data, scales, .. } => {
                assert_eq!(to.len(), *cols, "row length");
                for (to, &value) in to.iter_mut().zip(&data[row * cols..(row + 1) * cols]) {
                    *to = f32::from(value) * scales[row];
                }
            }
        }
    }

    /// Writes a row's steps to `to`, which is `cols` long, and returns the value of a step.
    ///
    /// f32 rows are rounded so that the largest magnitude becomes 127.
    ///
    /// # Panics
    /// Where `row` is not below `rows`, or `to` has another length.
    pub fn quantise_row(&self, row: usize, to: &mut [i8]) -> f32 {
        match self {
            Matrix::F32 { cols, data, .. } => {
                let values = &data[row * cols..(row + 1) * cols];
                assert_eq!(to.len(), values.len(), "row length");
                let limit = values.iter().fold(0.0f32, |limit, value| limit.max(value.abs()));
                let inverse = if limit > 0.0 { 127.0 / limit } else { 0.0 };
                for (to, value) in to.iter_mut().zip(values) {
                    *to = (value * inverse).round_ties_even() as i8;
                }
                limit / 127.0
            }
            Matrix::I8 { cols, data, scales, .. } => {
                to.copy_from_slice(&data[row * cols..(row + 1) * cols]);
                scales[row]
            }
        }
    }

    /// Whether the data is as long as rows and columns say.
    pub(super) fn is_consistent(&self) -> bool {
        match self {
            Matrix::F32 { rows, cols, data } => rows.checked_mul(*cols) == Some(data.len()),
            Matrix::I8 { rows, cols, data, scales } => {
                rows.checked_mul(*cols) == Some(data.len()) && scales.len() == *rows
            }
        }
    }

    /// Whether every value is a number, and int8 steps are in `-127..=127`.
    pub(super) fn is_finite(&self) -> bool {
        match self {
            Matrix::F32 { data, .. } => all_finite(data),
            Matrix::I8 { data, scales, .. } => all_finite(scales) && !has_lowest_step(data),
        }
    }
}

pub(super) fn all_finite(values: &[f32]) -> bool {
    // Without early exit, so that the loop vectorises: this runs over whole checkpoints at start-up.
    values.iter().fold(true, |finite, value| finite & value.is_finite())
}

/// Whether there is a -128, which kernels do not take.
pub(crate) fn has_lowest_step(data: &[i8]) -> bool {
    data.iter().fold(false, |found, &step| found | (step == i8::MIN))
}

/// A linear layer: `weight · x + bias`.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// `[out, in]`
    pub weight: Matrix,
    /// `[out]`
    pub bias: Vec<f32>,
}

/// Weight and bias of a LayerNorm.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerNorm {
    /// `[hidden]`
    pub weight: Vec<f32>,
    /// `[hidden]`
    pub bias: Vec<f32>,
}

impl LayerNorm {
    /// Normalises rows `[rows, hidden]` in place.
    pub(crate) fn apply(&self, rows: &mut [f32], epsilon: f32) {
        let width = self.weight.len();
        let sum = |values: &mut dyn Iterator<Item = f32>| values.map(f64::from).sum::<f64>();
        for row in rows.chunks_exact_mut(width) {
            let mean = (sum(&mut row.iter().copied()) / width as f64) as f32;
            row.iter_mut().for_each(|value| *value -= mean);
            let variance = (sum(&mut row.iter().map(|value| value * value)) / width as f64) as f32;
            let factor = 1.0 / (variance + epsilon).sqrt();
            let parts = self.weight.iter().zip(&self.bias);
            row.iter_mut().zip(parts).for_each(|(value, (weight, bias))| *value = *value * factor * weight + bias);
        }
    }
}

/// Weights of one transformer layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerWeights {
    /// `[hidden, hidden]`
    pub query: Linear,
    /// `[hidden, hidden]`
    pub key: Linear,
    /// `[hidden, hidden]`
    pub value: Linear,
    /// `[hidden, hidden]`
    pub attention_output: Linear,
    /// After attention and its residual.
    pub attention_norm: LayerNorm,
    /// `[intermediate, hidden]`
    pub intermediate: Linear,
    /// `[hidden, intermediate]`
    pub output: Linear,
    /// After the feed-forward network and its residual.
    pub output_norm: LayerNorm,
}

/// Weights of a whole encoder.
#[derive(Clone, Debug, PartialEq)]
pub struct EncoderWeights {
    /// `[vocab, hidden]`
    pub word: Matrix,
    /// `[max_positions, hidden]`
    pub position: Matrix,
    /// `[type_vocab, hidden]`
    pub token_type: Matrix,
    /// Over the sum of the three.
    pub norm: LayerNorm,
    /// `[buckets, heads]`: what every layer's attention adds to scores by the distance of two tokens, in MPNet.
    pub distances: Option<Matrix>,
    /// One per layer.
    pub layers: Vec<LayerWeights>,
}
