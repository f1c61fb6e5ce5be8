//! The parts of the loss, in tensors that candle differentiates.

use super::examples::Example;
use candle_core::{D, Device, Result, Tensor};

/// From differentiable parts: candle's fused operation has no backward pass.
pub(super) fn log_softmax(logits: &Tensor) -> Result<Tensor> {
    let shifted = logits.broadcast_sub(&logits.max_keepdim(D::Minus1)?.detach())?;
    shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(D::Minus1)?.log()?)
}

/// What weighs a shard's rows, which may be there in several copies with dropout masks of their own.
pub(super) struct Targets {
    /// Target times the row's share of the batch's weight, `[copies · rows, labels]`.
    targets: Tensor,
    /// The share alone, `[rows, 1]`.
    shares: Tensor,
    copies: usize,
}

impl Targets {
    /// Of the rows of one copy, with so many labels; `total_weight` is the whole batch's, of one copy too, and `part` what
    /// counts of a row.
    pub fn new(
        rows: &[&Example],
        labels: usize,
        copies: usize,
        total_weight: f32,
        part: impl Fn(&Example) -> f32,
    ) -> Result<Targets> {
        let share = |example: &Example| part(example) * example.weight / total_weight;
        let targets: Vec<f32> = (0..copies)
            .flat_map(|_| rows)
            .flat_map(|example| {
                let share = share(example);
                example.target.iter().map(move |target| target * share / copies as f32)
            })
            .collect();
        let shares: Vec<f32> = rows.iter().map(|example| share(example)).collect();
        Ok(Targets {
            targets: Tensor::from_vec(targets, (copies * rows.len(), labels), &Device::Cpu)?,
            shares: Tensor::from_vec(shares, (rows.len(), 1), &Device::Cpu)?,
            copies,
        })
    }

    /// The weighted cross-entropy of logits `[copies · rows, labels]`, and `disagreement` times what the first two
    /// copies' answers differ by: half the sum of the Kullback–Leibler divergences in both directions, as in R-Drop
    /// (Liang et al. 2021).
    pub fn loss(&self, logits: &Tensor, disagreement: f32) -> Result<Tensor> {
        let log_probabilities = log_softmax(logits)?;
        let loss = (&self.targets * &log_probabilities)?.sum_all()?.neg()?;
        if self.copies < 2 {
            return Ok(loss);
        }
        let rows = self.shares.dims()[0];
        let (first, second) = (log_probabilities.narrow(0, 0, rows)?, log_probabilities.narrow(0, rows, rows)?);
        let divergence = ((first.exp()? - second.exp()?)? * (first - second)?)?;
        let divergence = divergence.broadcast_mul(&self.shares)?.sum_all()?;
        loss + (divergence * (0.5 * f64::from(disagreement)))?
    }
}

/// The weighted mean over the batch of `|vector − teacher's vector|² / hidden`, for vectors `[copies · rows, hidden]`;
/// `None` where no row of the shard has a teacher's vector.
pub(super) fn vector_difference(examples: &[&Example], vectors: &Tensor, total_weight: f32) -> Result<Option<Tensor>> {
    if examples.iter().all(|example| example.vector.is_none()) {
        return Ok(None);
    }
    let hidden = vectors.dim(1)?;
    let mut targets = vec![0.0; examples.len() * hidden];
    let mut weights = vec![0.0; examples.len()];
    for ((example, target), weight) in examples.iter().zip(targets.chunks_exact_mut(hidden)).zip(&mut weights) {
        if let Some(vector) = &example.vector {
            target.copy_from_slice(vector);
            *weight = example.weight / total_weight / hidden as f32;
        }
    }
    let targets = Tensor::from_vec(targets, vectors.shape(), vectors.device())?;
    let weights = Tensor::from_vec(weights, (examples.len(), 1), vectors.device())?;
    Ok(Some((vectors - targets)?.sqr()?.broadcast_mul(&weights)?.sum_all()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::built_in::OTHER;
    use crate::model::page::Place;

    fn example(target: [f32; 5], weight: f32) -> Example {
        Example {
            ids: Vec::new(),
            label: OTHER,
            target: target.to_vec(),
            weight,
            place: Place { facts: Default::default(), region: None },
            run: 0,
            in_thread: false,
            vector: None,
        }
    }

    fn loss(copies: usize, logits: &[f32], disagreement: f32) -> f32 {
        let examples = [example([0.0, 0.0, 0.0, 0.0, 1.0], 1.0), example([0.2; 5], 3.0)];
        let targets = Targets::new(&examples.iter().collect::<Vec<_>>(), 5, copies, 4.0, |_| 1.0).unwrap();
        let logits = Tensor::from_slice(logits, (copies * 2, 5), &Device::Cpu).unwrap();
        targets.loss(&logits, disagreement).unwrap().to_scalar().unwrap()
    }

    #[test]
    fn copies_that_agree_cost_what_one_costs() {
        let logits = [0.3, -1.0, 2.0, 0.0, 0.5, 1.0, 1.0, -2.0, 0.0, 0.1];
        let one = loss(1, &logits, 5.0);
        assert!((loss(2, &logits.repeat(2), 5.0) - one).abs() < 1e-6);
    }

    #[test]
    fn disagreement_is_the_weighted_mean_divergence_of_both_directions() {
        let uniform = [0.0; 5];
        // 1/2, and 1/8 for each of the other four.
        let sharp = [4f32.ln(), 0.0, 0.0, 0.0, 0.0];
        let logits = [uniform, uniform, sharp, uniform].concat();
        let divergence = |p: [f32; 5], q: [f32; 5]| -> f32 { p.iter().zip(q).map(|(p, q)| p * (p / q).ln()).sum() };
        let (p, q) = ([0.2; 5], [0.5, 0.125, 0.125, 0.125, 0.125]);
        let expected = (divergence(p, q) + divergence(q, p)) / 2.0 * 0.25;
        let got = loss(2, &logits, 1.0) - loss(2, &logits, 0.0);
        assert!((got - expected).abs() < 1e-6, "{got} and {expected}");
    }
}
