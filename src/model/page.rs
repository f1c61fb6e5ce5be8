//! The page network: a small transformer over the vectors of a page's paragraphs.
//!
//! A heading, a teaser or a pasted document is known by where it stands. The encoder reads each paragraph alone; this
//! network reads its vector beside those of up to [`PageConfig::reach`] paragraphs before and after it and corrects the
//! logits. It costs about a thousandth of the encoder's work. A paragraph without neighbours keeps its own logits.

use super::ModelError;
use super::settings;
use super::tensors::Tensors;
use crate::engine::{Dense, InstructionSet};
use crate::text::FACT_COUNT;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Sizes of a page network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageConfig {
    /// Width of the network.
    pub width: usize,
    /// Attention heads; a divisor of `width`.
    pub heads: usize,
    /// Width of the feed-forward part.
    pub intermediate: usize,
    /// Layers.
    pub layers: usize,
    /// Paragraphs before and after that a paragraph attends to.
    pub reach: usize,
    /// Distances that have a bias of their own; larger ones share the last.
    pub distances: usize,
}

impl Default for PageConfig {
    fn default() -> Self {
        PageConfig { width: 128, heads: 4, intermediate: 256, layers: 2, reach: 16, distances: 8 }
    }
}

impl PageConfig {
    /// What every size must be.
    pub(crate) const EXPECTED: &str = "a size that fits the others, 1 to a few thousand";

    /// The first size that no network can have, with its value.
    pub(crate) fn wrong_size(self) -> Option<(&'static str, usize)> {
        let rules = [
            ("page.width", self.width, (1..=4096).contains(&self.width)),
            ("page.heads", self.heads, self.heads >= 1 && self.width.is_multiple_of(self.heads)),
            ("page.intermediate", self.intermediate, (1..=16384).contains(&self.intermediate)),
            ("page.layers", self.layers, (1..=64).contains(&self.layers)),
            ("page.reach", self.reach, (1..=4096).contains(&self.reach)),
            ("page.distances", self.distances, (1..=4096).contains(&self.distances)),
        ];
        rules.into_iter().find(|rule| !rule.2).map(|(name, got, _)| (name, got))
    }
}

/// A named part of the flat parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Name in the weights' file.
    pub name: String,
    /// Shape, row-major.
    pub shape: Vec<usize>,
    /// Where it lies.
    pub range: Range<usize>,
}

/// A dense layer: weight `[outputs, inputs]`, bias `[outputs]`.
#[derive(Clone, Debug)]
pub(crate) struct DenseSlot {
    pub weight: Range<usize>,
    pub bias: Range<usize>,
}

/// A LayerNorm's scale and shift.
#[derive(Clone, Debug)]
pub(crate) struct NormSlot {
    pub weight: Range<usize>,
    pub bias: Range<usize>,
}

/// One layer's parts.
#[derive(Clone, Debug)]
pub(crate) struct LayerSlots {
    pub attention_norm: NormSlot,
    /// Queries, keys, values: `[3 · width, width]`.
    pub query_key_value: DenseSlot,
    /// `[heads, 2 · distances + 1]`.
    pub distance_bias: Range<usize>,
    pub attention_output: DenseSlot,
    pub output_norm: NormSlot,
    pub intermediate: DenseSlot,
    pub output: DenseSlot,
}

/// Where everything lies in the flat parameters.
#[derive(Clone, Debug)]
pub(crate) struct PageLayout {
    pub config: PageConfig,
    pub hidden: usize,
    pub input: DenseSlot,
    pub layers: Vec<LayerSlots>,
    pub norm: NormSlot,
    pub head: DenseSlot,
    pub parts: Vec<Part>,
    pub len: usize,
}

impl PageLayout {
    /// The layout for an encoder of width `hidden` and a number of labels.
    pub fn new(config: PageConfig, hidden: usize, labels: usize) -> PageLayout {
        let mut parts = Parts::default();
        let width = config.width;
        let input = parts.dense("page.input", width, hidden + FACT_COUNT);
        let layers = (0..config.layers)
            .map(|index| {
                let name = |part: &str| format!("page.layer.{index}.{part}");
                LayerSlots {
                    attention_norm: parts.norm(&name("attention.LayerNorm"), width),
                    query_key_value: parts.dense(&name("attention.query_key_value"), 3 * width, width),
                    distance_bias: parts
                        .part(name("attention.distance_bias"), vec![config.heads, 2 * config.distances + 1]),
                    attention_output: parts.dense(&name("attention.output"), width, width),
                    output_norm: parts.norm(&name("output.LayerNorm"), width),
                    intermediate: parts.dense(&name("intermediate"), config.intermediate, width),
                    output: parts.dense(&name("output"), width, config.intermediate),
                }
            })
            .collect();
        let norm = parts.norm("page.LayerNorm", width);
        let head = parts.dense("page.classifier", labels, width);
        PageLayout { config, hidden, input, layers, norm, head, parts: parts.list, len: parts.len }
    }

    /// Which distance bias holds for a paragraph `from` that attends to `to`; `None` out of reach.
    pub fn distance(&self, from: usize, to: usize) -> Option<usize> {
        let distances = self.config.distances;
        let apart = from.abs_diff(to);
        (apart <= self.config.reach).then(|| match to >= from {
            true => distances + apart.min(distances),
            false => distances - apart.min(distances),
        })
    }
}

#[derive(Default)]
struct Parts {
    list: Vec<Part>,
    len: usize,
}

impl Parts {
    fn part(&mut self, name: String, shape: Vec<usize>) -> Range<usize> {
        let range = self.len..self.len + shape.iter().product::<usize>();
        self.len = range.end;
        self.list.push(Part { name, shape, range: range.clone() });
        range
    }

    fn dense(&mut self, name: &str, outputs: usize, inputs: usize) -> DenseSlot {
        let weight = self.part(format!("{name}.weight"), vec![outputs, inputs]);
        let bias = self.part(format!("{name}.bias"), vec![outputs]);
        DenseSlot { weight, bias }
    }

    fn norm(&mut self, name: &str, width: usize) -> NormSlot {
        let weight = self.part(format!("{name}.weight"), vec![width]);
        NormSlot { weight, bias: self.part(format!("{name}.bias"), vec![width]) }
    }
}

/// Variance below which LayerNorm does not divide by its root.
pub(crate) const NORM_EPS: f32 = 1e-5;

/// The weights of a page network.
#[derive(Clone, Debug, PartialEq)]
pub struct PageWeights {
    /// Sizes.
    pub config: PageConfig,
    /// All parameters, one part after the other in the order in which the weights' file names them.
    pub values: Vec<f32>,
}

impl PageWeights {
    /// Reads the parts that `config` asks for.
    pub(super) fn read(
        tensors: &Tensors<'_>,
        config: PageConfig,
        hidden: usize,
        labels: usize,
    ) -> Result<PageWeights, ModelError> {
        check(config)?;
        let layout = PageLayout::new(config, hidden, labels);
        // Not with room for what the sizes promise: the file may not hold it.
        let mut values = Vec::new();
        for part in &layout.parts {
            values.extend(tensors.values(&part.name, &part.shape)?);
        }
        Ok(PageWeights { config, values })
    }
}

/// Sizes are read from a file: they must make sense before anything is allocated for them.
fn check(config: PageConfig) -> Result<(), ModelError> {
    let Some((field, got)) = config.wrong_size() else { return Ok(()) };
    let expected = PageConfig::EXPECTED.to_owned();
    Err(ModelError::BadSetting { file: settings::FILE, field, expected, got: got.to_string() })
}

/// A page network made ready for use.
#[derive(Debug)]
pub(crate) struct PageNetwork {
    layout: PageLayout,
    values: Vec<f32>,
    input: Dense,
    layers: Vec<DenseLayers>,
    head: Dense,
}

/// The matrices of one layer, packed.
#[derive(Debug)]
struct DenseLayers {
    query_key_value: Dense,
    attention_output: Dense,
    intermediate: Dense,
    output: Dense,
}

impl PageNetwork {
    /// Checks the number of parameters for an encoder of width `hidden` and a number of labels.
    pub fn new(weights: PageWeights, hidden: usize, labels: usize) -> Result<PageNetwork, ModelError> {
        check(weights.config)?;
        let layout = PageLayout::new(weights.config, hidden, labels);
        if weights.values.len() != layout.len {
            let (expected, got) = (vec![layout.len], vec![weights.values.len()]);
            return Err(ModelError::WrongShape { name: "page".to_owned(), expected, got });
        }
        let values = weights.values;
        let instruction_set = InstructionSet::detect();
        let dense =
            |slot: &DenseSlot| Dense::new(&values[slot.weight.clone()], &values[slot.bias.clone()], instruction_set);
        let layers = layout.layers.iter().map(|slots| DenseLayers {
            query_key_value: dense(&slots.query_key_value),
            attention_output: dense(&slots.attention_output),
            intermediate: dense(&slots.intermediate),
            output: dense(&slots.output),
        });
        let (input, layers, head) = (dense(&layout.input), layers.collect(), dense(&layout.head));
        Ok(PageNetwork { layout, values, input, layers, head })
    }

    /// Corrections `[paragraphs, labels]` to add to the logits of one page's paragraphs, in reading order.
    ///
    /// `vectors` is `[paragraphs, hidden]`. The correction of a paragraph alone on its page is 0.
    pub fn corrections(&self, vectors: &[f32], facts: &[[f32; FACT_COUNT]]) -> Vec<f32> {
        let (hidden, width) = (self.layout.hidden, self.layout.config.width);
        let count = facts.len();
        if count < 2 {
            return vec![0.0; count * self.layout.head.bias.len()];
        }
        let inputs: Vec<f32> = vectors
            .chunks_exact(hidden)
            .zip(facts)
            .flat_map(|(vector, facts)| vector.iter().chain(facts))
            .copied()
            .collect();
        let mut x = self.input.forward(&inputs);
        for (slots, dense) in self.layout.layers.iter().zip(&self.layers) {
            let normed = self.norm(&slots.attention_norm, &x);
            let context = self.attention(slots, &dense.query_key_value.forward(&normed));
            add(&mut x, &dense.attention_output.forward(&context));
            let normed = self.norm(&slots.output_norm, &x);
            let mut wide = dense.intermediate.forward(&normed);
            wide.iter_mut().for_each(|value| *value = value.max(0.0));
            add(&mut x, &dense.output.forward(&wide));
        }
        debug_assert_eq!(x.len(), count * width);
        self.head.forward(&self.norm(&self.layout.norm, &x))
    }

    fn norm(&self, slot: &NormSlot, x: &[f32]) -> Vec<f32> {
        let (weight, bias) = (&self.values[slot.weight.clone()], &self.values[slot.bias.clone()]);
        let width = weight.len();
        let mut out = Vec::with_capacity(x.len());
        for row in x.chunks_exact(width) {
            let mean = row.iter().sum::<f32>() / width as f32;
            let variance = row.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>() / width as f32;
            let scale = 1.0 / (variance + NORM_EPS).sqrt();
            out.extend(row.iter().zip(weight).zip(bias).map(|((value, w), b)| (value - mean) * scale * w + b));
        }
        out
    }

    /// Queries, keys and values `[rows, 3 · width]` to contexts `[rows, width]`.
    fn attention(&self, slots: &LayerSlots, qkv: &[f32]) -> Vec<f32> {
        let PageConfig { width, heads, reach, .. } = self.layout.config;
        let size = width / heads;
        let bias = &self.values[slots.distance_bias.clone()];
        let biases = bias.len() / heads;
        let rows: Vec<&[f32]> = qkv.chunks_exact(3 * width).collect();
        let mut out = vec![0.0; rows.len() * width];
        let mut weights = Vec::new();
        for (from, context) in out.chunks_exact_mut(width).enumerate() {
            let near = from.saturating_sub(reach)..(from + reach + 1).min(rows.len());
            for (head, context) in context.chunks_exact_mut(size).enumerate() {
                let part = |row: usize, which: usize| &rows[row][which * width + head * size..][..size];
                weights.clear();
                weights.extend(near.clone().map(|to| {
                    let distance = self.layout.distance(from, to).unwrap_or(0);
                    super::head::dot(part(from, 0), part(to, 1)) / (size as f32).sqrt() + bias[head * biases + distance]
                }));
                let max = weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                weights.iter_mut().for_each(|weight| *weight = (*weight - max).exp());
                let sum: f32 = weights.iter().sum();
                for (&weight, to) in weights.iter().zip(near.clone()) {
                    for (value, part) in context.iter_mut().zip(part(to, 2)) {
                        *value += weight / sum * part;
                    }
                }
            }
        }
        out
    }
}

fn add(x: &mut [f32], other: &[f32]) {
    x.iter_mut().zip(other).for_each(|(a, b)| *a += b);
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: usize = 3;

    fn network(reach: usize) -> PageNetwork {
        let config = PageConfig { width: 8, heads: 2, intermediate: 12, layers: 2, reach, distances: 3 };
        let len = PageLayout::new(config, 6, LABELS).len;
        let values = (0..len).map(|i| (i as f32 * 1.7).sin() * 0.4).collect();
        PageNetwork::new(PageWeights { config, values }, 6, LABELS).unwrap()
    }

    fn page(count: usize) -> (Vec<f32>, Vec<[f32; FACT_COUNT]>) {
        let vectors = (0..count * 6).map(|i| (i as f32 * 0.9).cos()).collect();
        (vectors, (0..count).map(|i| [i as f32 / 10.0; FACT_COUNT]).collect())
    }

    #[test]
    fn a_paragraph_alone_keeps_its_logits() {
        let (vectors, facts) = page(1);
        assert_eq!(network(4).corrections(&vectors, &facts), [0.0; LABELS]);
        assert!(network(4).corrections(&[], &[]).is_empty());
    }

    #[test]
    fn only_paragraphs_within_reach_of_all_layers_count() {
        let network = network(2);
        let (mut vectors, facts) = page(12);
        let before = network.corrections(&vectors, &facts);
        vectors[..6].fill(3.0);
        let after = network.corrections(&vectors, &facts);
        assert_ne!(before[4 * LABELS..5 * LABELS], after[4 * LABELS..5 * LABELS]);
        assert_eq!(before[5 * LABELS..], after[5 * LABELS..]);
    }

    #[test]
    fn the_order_of_paragraphs_matters() {
        let network = network(4);
        let (mut vectors, facts) = page(3);
        let before = network.corrections(&vectors, &facts);
        for i in 0..6 {
            vectors.swap(i, 12 + i);
        }
        let after = network.corrections(&vectors, &facts);
        assert_ne!(before[LABELS..2 * LABELS], after[LABELS..2 * LABELS]);
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        let config = PageConfig { heads: 3, ..PageConfig::default() };
        let refused = PageNetwork::new(PageWeights { config, values: Vec::new() }, 6, LABELS);
        assert!(matches!(refused, Err(ModelError::BadSetting { field: "page.heads", .. })));
        let refused = PageNetwork::new(PageWeights { config: PageConfig::default(), values: vec![0.0] }, 6, LABELS);
        assert!(matches!(refused, Err(ModelError::WrongShape { .. })));
    }
}
