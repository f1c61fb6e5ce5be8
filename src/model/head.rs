//! The classification head: a sequence's vector to one logit for each label.

use super::ModelError;
use super::tensors::Tensors;
use super::tensors::dequantise;
use crate::engine::{Activation, LayerNorm, Linear, Matrix, dot};
use crate::label::LabelSet;

/// The layers above the encoder.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// The layer that a sequence's vector goes through first; only in models trained with
    /// [`Pooling::Pooler`](super::Pooling::Pooler).
    pub pooler: Option<Pooler>,
    /// What the outputs stand for.
    pub labels: LabelSet,
    /// `[labels, hidden]`.
    pub weight: Matrix,
    /// `[labels]`.
    pub bias: Vec<f32>,
}

/// A layer between the encoder and the one that gives the logits.
#[derive(Clone, Debug, PartialEq)]
pub struct Pooler {
    /// `[hidden, hidden]`.
    pub linear: Linear,
    /// Of what the layer gives.
    pub activation: Activation,
    /// Over the activated values, with its epsilon; ModernBERT has it.
    pub norm: Option<(LayerNorm, f32)>,
}

impl Head {
    /// Reads the head, whose rows stand for `labels`, from the tensor `output`.
    pub(super) fn read(
        tensors: &Tensors<'_>,
        labels: LabelSet,
        hidden: usize,
        pooler: Option<Pooler>,
        output: &str,
    ) -> Result<Head, ModelError> {
        let rows = labels.len();
        let data = values(&tensors.matrix(&format!("{output}.weight"), rows, hidden)?);
        let bias = tensors.vector(&format!("{output}.bias"), rows)?;
        Ok(Head { pooler, labels, weight: Matrix::F32 { rows, cols: hidden, data }, bias })
    }
}

/// A matrix's values in single precision, row-major.
pub(super) fn values(matrix: &Matrix) -> Vec<f32> {
    match matrix {
        Matrix::F32 { data, .. } => data.clone(),
        Matrix::I8 { cols, data, scales, .. } => dequantise(data, scales, *cols),
    }
}

/// A head made ready for use: everything in single precision, because its cost is nothing beside the encoder's.
#[derive(Debug)]
pub(super) struct Output {
    hidden: usize,
    pooler: Option<Inner>,
    weight: Vec<f32>,
    bias: Vec<f32>,
}

/// [`Pooler`] ready for use.
#[derive(Debug)]
struct Inner {
    weight: Vec<f32>,
    bias: Vec<f32>,
    activation: Activation,
    norm: Option<(LayerNorm, f32)>,
}

impl Output {
    /// Checks the shapes of a head for an encoder of width `hidden`.
    pub(super) fn new(head: &Head, hidden: usize) -> Result<Output, ModelError> {
        let pooler = head.pooler.as_ref().map(|Pooler { linear, activation, norm }| {
            check("pooler.dense", &linear.weight, &linear.bias, hidden, hidden)?;
            let (weight, bias) = (values(&linear.weight), linear.bias.clone());
            Ok::<_, ModelError>(Inner { weight, bias, activation: *activation, norm: norm.clone() })
        });
        check("classifier", &head.weight, &head.bias, head.labels.len(), hidden)?;
        Ok(Output { hidden, pooler: pooler.transpose()?, weight: values(&head.weight), bias: head.bias.clone() })
    }

    /// The logits `[labels]` of one sequence's vector `[hidden]`.
    pub(super) fn logits(&self, vector: &[f32]) -> Vec<f32> {
        let pooled: Vec<f32>;
        let features = match &self.pooler {
            Some(Inner { weight, bias, activation, norm }) => {
                let rows = weight.chunks_exact(self.hidden).zip(bias);
                let mut values: Vec<f32> = rows.map(|(row, bias)| activation.of(dot(row, vector) + bias)).collect();
                if let Some((norm, epsilon)) = norm {
                    norm.apply(&mut values, *epsilon);
                }
                pooled = values;
                &pooled
            }
            None => vector,
        };
        let mut logits = self.bias.clone();
        for (logit, row) in logits.iter_mut().zip(self.weight.chunks_exact(self.hidden)) {
            *logit += dot(row, features);
        }
        logits
    }
}

fn check(name: &str, weight: &Matrix, bias: &[f32], rows: usize, cols: usize) -> Result<(), ModelError> {
    let (got, len) = match weight {
        Matrix::F32 { rows, cols, data } => ([*rows, *cols], data.len()),
        Matrix::I8 { rows, cols, data, .. } => ([*rows, *cols], data.len()),
    };
    if got != [rows, cols] || len != rows * cols {
        let (expected, got) = (vec![rows, cols], got.to_vec());
        return Err(ModelError::WrongShape { name: format!("{name}.weight"), expected, got });
    }
    if bias.len() != rows {
        let (expected, got) = (vec![rows], vec![bias.len()]);
        return Err(ModelError::WrongShape { name: format!("{name}.bias"), expected, got });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_are_the_rows_products_with_the_pooled_vector() {
        let hidden = 11;
        let labels = LabelSet::new(["a", "b", "c", "d", "e"]).unwrap();
        let data: Vec<f32> = (0..labels.len() * hidden).map(|i| (i as f32).sin()).collect();
        let vector: Vec<f32> = (0..hidden).map(|i| (i as f32).cos()).collect();
        let bias = vec![0.5, 0.0, -0.5, 1.0, 2.0];
        let weight = Matrix::F32 { rows: labels.len(), cols: hidden, data: data.clone() };
        let mut head = Head { pooler: None, labels: labels.clone(), weight, bias: bias.clone() };
        let plain = Output::new(&head, hidden).unwrap().logits(&vector);
        let mut identity = vec![0.0; hidden * hidden];
        (0..hidden).for_each(|i| identity[i * hidden + i] = 1.0);
        let weight = Matrix::F32 { rows: hidden, cols: hidden, data: identity };
        let linear = Linear { weight, bias: vec![0.25; hidden] };
        head.pooler = Some(Pooler { linear, activation: Activation::Tanh, norm: None });
        let pooled = Output::new(&head, hidden).unwrap().logits(&vector);
        for label in labels.ids() {
            let row = &data[label.index() * hidden..][..hidden];
            let expected: f32 = row.iter().zip(&vector).map(|(w, x)| w * x).sum::<f32>() + bias[label.index()];
            assert!((plain[label.index()] - expected).abs() < 1e-5);
            let expected: f32 =
                row.iter().zip(&vector).map(|(w, x)| w * (x + 0.25).tanh()).sum::<f32>() + bias[label.index()];
            assert!((pooled[label.index()] - expected).abs() < 1e-5);
        }
        assert!(matches!(Output::new(&head, 12), Err(ModelError::WrongShape { .. })));
        head.bias.pop();
        assert!(matches!(Output::new(&head, hidden), Err(ModelError::WrongShape { .. })));
    }
}
