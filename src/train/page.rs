//! The page network in differentiable tensors, beside the encoder in the same step.

use super::examples::Example;
use crate::model::page::{DenseSlot, NORM_EPS, NormSlot, PageLayout};
use crate::random::SplitMix64;
use candle_core::{D, Device, Result, Tensor};
use std::ops::Range;

/// Logarithm of the weight of a paragraph that is out of sight.
const MASKED: f32 = -1e9;

/// New parameters: matrices uniform with the variance 1 / inputs, LayerNorm at identity, and nothing said yet: the last
/// layer is 0, so that training starts from the encoder's own logits. The columns of facts and regions in the first matrix
/// count as a matrix of their own: a dozen small numbers would drown among the hundreds of the encoder's vector.
pub(super) fn new_parameters(layout: &PageLayout, seed: u64) -> Vec<f32> {
    let mut random = SplitMix64::new(seed ^ 0x0009_a6e0);
    let mut values = vec![0.0; layout.len];
    for part in &layout.parts {
        let slot = &mut values[part.range.clone()];
        if part.name.contains("LayerNorm.weight") {
            slot.fill(1.0);
        } else if let [_, inputs] = *part.shape.as_slice()
            && part.name.ends_with("weight")
            && !part.name.contains("classifier")
        {
            let limit = |inputs: usize| (3.0 / inputs as f64).sqrt();
            let extra = layout.config.extra_inputs();
            let facts_from = if part.range.start == layout.input.weight.start { inputs - extra } else { inputs };
            for (index, value) in slot.iter_mut().enumerate() {
                let unit = random.unit_f64();
                let limit = if index % inputs < facts_from { limit(inputs) } else { limit(extra) };
                *value = ((2.0 * unit - 1.0) * limit) as f32;
            }
        }
    }
    values
}

/// The ranges of neighbouring examples that belong to one page.
pub(super) fn runs(examples: &[&Example]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for index in 0..examples.len() {
        match runs.last_mut() {
            Some(run) if examples[run.start].run == examples[index].run => run.end = index + 1,
            _ => runs.push(index..index + 1),
        }
    }
    runs
}

/// A tensor under a new mask, its seed drawn where one is needed.
pub(super) fn dropout(x: &Tensor, drop_256ths: u8, seed: impl FnOnce() -> u64) -> Result<Tensor> {
    if drop_256ths == 0 {
        return Ok(x.clone());
    }
    let mut mask = vec![0; x.elem_count()];
    super::kernels::fill_dropout_mask(&mut mask, drop_256ths, &mut SplitMix64::new(seed()));
    let scale = 256.0 / (256.0 - f32::from(drop_256ths));
    let mask: Vec<f32> = mask.into_iter().map(|keep| f32::from(keep) * scale).collect();
    x * Tensor::from_vec(mask, x.shape(), &Device::Cpu)?
}

/// One shard's pass through the page network.
pub(super) struct PagePass<'a> {
    pub layout: &'a PageLayout,
    /// Flat parameters, `[len]`.
    pub parameters: &'a Tensor,
    pub examples: &'a [&'a Example],
    /// Dropout probability in 256ths, on the inputs and both residual branches.
    pub drop_256ths: u8,
    pub random: SplitMix64,
}

impl PagePass<'_> {
    /// Corrections `[examples, labels]` from the encoder's vectors `[examples, hidden]`; 0 for pages of one row whose region
    /// is unknown.
    pub fn corrections(mut self, vectors: &Tensor) -> Result<Tensor> {
        let count = self.examples.len();
        let config = self.layout.config;
        let mut extra = Vec::with_capacity(count * config.extra_inputs());
        for example in self.examples {
            extra.extend_from_slice(&example.place.facts);
            if config.regions {
                extra.extend_from_slice(&example.place.region_inputs());
            }
        }
        let facts = Tensor::from_vec(extra, (count, config.extra_inputs()), &Device::Cpu)?;
        let inputs = self.dropout(&Tensor::cat(&[vectors, &facts], 1)?)?;
        let mut x = self.dense(&self.layout.input, &inputs)?;
        let (mask, distances, alone) = self.sight()?;
        let layout = self.layout;
        for slots in &layout.layers {
            let normed = self.norm(&slots.attention_norm, &x)?;
            let qkv = self.dense(&slots.query_key_value, &normed)?;
            let width = layout.config.width;
            let size = width / layout.config.heads;
            let bias = self.part(&slots.distance_bias, &[layout.config.heads, 2 * layout.config.distances + 1])?;
            let mut contexts = Vec::with_capacity(layout.config.heads);
            for head in 0..layout.config.heads {
                let part = |which: usize| qkv.narrow(1, which * width + head * size, size)?.contiguous();
                let scores = (part(0)?.matmul(&part(1)?.t()?)? / (size as f64).sqrt())?;
                let near =
                    bias.narrow(0, head, 1)?.flatten_all()?.index_select(&distances, 0)?.reshape((count, count))?;
                let scores = (scores + near)?.broadcast_add(&mask)?;
                let exp = scores.broadcast_sub(&scores.max_keepdim(D::Minus1)?.detach())?.exp()?;
                contexts.push(exp.broadcast_div(&exp.sum_keepdim(D::Minus1)?)?.matmul(&part(2)?)?);
            }
            let attended = self.dense(&slots.attention_output, &Tensor::cat(&contexts, 1)?)?;
            x = (x + self.dropout(&attended)?)?;
            let normed = self.norm(&slots.output_norm, &x)?;
            let wide = self.dense(&slots.intermediate, &normed)?.relu()?;
            let out = self.dense(&slots.output, &wide)?;
            x = (x + self.dropout(&out)?)?;
        }
        let corrections = self.dense(&layout.head, &self.norm(&layout.norm, &x)?)?;
        corrections.broadcast_mul(&alone)
    }

    /// The attention mask `[n, n]`, the index of each pair's distance bias `[n · n]`, and 0 for rows without neighbours
    /// and region `[n, 1]`.
    fn sight(&self) -> Result<(Tensor, Tensor, Tensor)> {
        let count = self.examples.len();
        let mut mask = vec![MASKED; count * count];
        let mut distances = vec![0u32; count * count];
        let mut alone = vec![1.0f32; count];
        for run in runs(self.examples) {
            let told = self.layout.config.regions && self.examples[run.start].place.region.is_some();
            if run.len() == 1 && !told {
                alone[run.start] = 0.0;
            }
            for from in run.clone() {
                for to in run.clone() {
                    if let Some(distance) = self.layout.distance(from, to) {
                        mask[from * count + to] = 0.0;
                        distances[from * count + to] = distance as u32;
                    }
                }
            }
        }
        Ok((
            Tensor::from_vec(mask, (count, count), &Device::Cpu)?,
            Tensor::from_vec(distances, count * count, &Device::Cpu)?,
            Tensor::from_vec(alone, (count, 1), &Device::Cpu)?,
        ))
    }

    fn part(&self, range: &Range<usize>, shape: &[usize]) -> Result<Tensor> {
        self.parameters.narrow(0, range.start, range.len())?.reshape(shape)
    }

    fn dense(&self, slot: &DenseSlot, x: &Tensor) -> Result<Tensor> {
        let outputs = slot.bias.len();
        let weight = self.part(&slot.weight, &[outputs, slot.weight.len() / outputs])?;
        x.matmul(&weight.t()?)?.broadcast_add(&self.part(&slot.bias, &[outputs])?)
    }

    fn norm(&self, slot: &NormSlot, x: &Tensor) -> Result<Tensor> {
        let width = slot.weight.len();
        let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let deviation = (centred.sqr()?.mean_keepdim(D::Minus1)? + f64::from(NORM_EPS))?.sqrt()?;
        let scaled = centred.broadcast_div(&deviation)?.broadcast_mul(&self.part(&slot.weight, &[width])?)?;
        scaled.broadcast_add(&self.part(&slot.bias, &[width])?)
    }

    fn dropout(&mut self, x: &Tensor) -> Result<Tensor> {
        dropout(x, self.drop_256ths, || self.random.next_u64())
    }
}
