//! The classification head: a sequence's vector to one logit for each label.

use super::ModelError;
use super::tensors::Tensors;
use super::tensors::dequantise;
use crate::engine::{Linear, Matrix};
use crate::label::LabelSet;

/// The layers above the encoder.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// `[hidden, hidden]`, followed by tanh; only in models trained with [`Pooling::Pooler`](super::Pooling::Pooler).
    pub pooler: Option<Linear>,
    /// What the outputs stand for.
    pub labels: LabelSet,
    /// `[labels, hidden]`.
    pub weight: Matrix,
    /// `[labels]`.
    pub bias: Vec<f32>,
}

impl Head {
    /// Reads the head, whose rows stand for `labels`.
    pub(super) fn read(
        tensors: &Tensors<'_>,
        labels: LabelSet,
        hidden: usize,
        with_pooler: bool,
    ) -> Result<Head, ModelError> {
        let pooler = match with_pooler {
            true => Some(tensors.linear(&tensors.encoder_name("pooler.dense"), hidden, hidden)?),
            false => None,
        };
        let rows = labels.len();
        let data = values(&tensors.matrix("classifier.weight", rows, hidden)?);
        let bias = tensors.vector("classifier.bias", rows)?;
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
    pooler: Option<(Vec<f32>, Vec<f32>)>,
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Output {
    /// Checks the shapes of a head for an encoder of width `hidden`.
    pub(super) fn new(head: &Head, hidden: usize) -> Result<Output, ModelError> {
        let pooler = head.pooler.as_ref().map(|layer| {
            check("pooler.dense", &layer.weight, &layer.bias, hidden, hidden)?;
            Ok::<_, ModelError>((values(&layer.weight), layer.bias.clone()))
        });
        check("classifier", &head.weight, &head.bias, head.labels.len(), hidden)?;
        Ok(Output { hidden, pooler: pooler.transpose()?, weight: values(&head.weight), bias: head.bias.clone() })
    }

    /// The logits `[labels]` of one sequence's vector `[hidden]`.
    pub(super) fn logits(&self, vector: &[f32]) -> Vec<f32> {
        let pooled: Vec<f32>;
        let features = match &self.pooler {
            Some((weight, bias)) => {
                let rows = weight.chunks_exact(self.hidden).zip(bias);
                pooled = rows.map(|(row, bias)| (dot(row, vector) + bias).tanh()).collect();
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

/// A dot product that adds in the same order on every machine: eight lanes, then the lanes from first to last.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_lanes, a_rest) = a.as_chunks::<8>();
    let (b_lanes, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0f32; 8];
    for (x, y) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let rest = a_rest.iter().zip(b_rest).map(|(x, y)| x * y);
    sums.into_iter().chain(rest).fold(0.0, |sum, value| sum + value)
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
        head.pooler = Some(Linear { weight, bias: vec![0.25; hidden] });
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
