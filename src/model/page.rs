//! The page network: a small transformer over the vectors of a page's paragraphs.
//!
//! A heading, a teaser or a pasted document is known by where it stands. The encoder reads each paragraph alone; this
//! network reads its vector beside those of up to [`PageConfig::reach`] paragraphs before and after it and corrects the
//! logits. It costs about a thousandth of the encoder's work. Where it is known in which [`Region`] of the page a paragraph
//! stands, the network is told. A paragraph without neighbours whose region is unknown keeps its own logits.

use super::ModelError;
use super::settings;
use super::tensors::Tensors;
use crate::engine::{Dense, InstructionSet, dot};
use crate::page::Region;
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
    /// Whether the network can be told a paragraph's region. Files of version 0.1 say nothing about it: theirs cannot.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub regions: bool,
}

impl Default for PageConfig {
    fn default() -> Self {
        PageConfig { width: 128, heads: 4, intermediate: 256, layers: 2, reach: 16, distances: 8, regions: true }
    }
}

impl PageConfig {
    /// Counted facts and flags beside the encoder's vector in the network's input.
    pub(crate) fn extra_inputs(self) -> usize {
        FACT_COUNT + if self.regions { Region::COUNT } else { 0 }
    }

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
        let input = parts.dense("page.input", width, hidden + config.extra_inputs());
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

/// What the network is told about a paragraph beside its vector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    /// Counted facts.
    pub facts: [f32; FACT_COUNT],
    /// Where it stands on its page, if that is known.
    pub region: Option<Region>,
}

impl Place {
    /// 1 for the region of the paragraph and 0 for the others; all 0 where it is unknown.
    pub fn region_inputs(&self) -> [f32; Region::COUNT] {
        let mut inputs = [0.0; Region::COUNT];
        if let Some(region) = self.region {
            inputs[region.index()] = 1.0;
        }
        inputs
    }
}

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

    /// The weights of a network of other sizes that says the same: these, where the only difference is that `config` can be
    /// told regions. That network ignores them until it is trained.
    #[cfg(feature = "train")]
    pub(crate) fn fitted_to(&self, config: PageConfig, hidden: usize, labels: usize) -> Option<Vec<f32>> {
        if self.config == config {
            return (self.values.len() == PageLayout::new(config, hidden, labels).len).then(|| self.values.clone());
        }
        if (PageConfig { regions: true, ..self.config }) != config {
            return None;
        }
        let (before, layout) = (PageLayout::new(self.config, hidden, labels), PageLayout::new(config, hidden, labels));
        if self.values.len() != before.len {
            return None;
        }
        let mut values = Vec::with_capacity(layout.len);
        for row in self.values[before.input.weight.clone()].chunks_exact(hidden + self.config.extra_inputs()) {
            values.extend_from_slice(row);
            values.extend_from_slice(&[0.0; Region::COUNT]);
        }
        values.extend_from_slice(&self.values[before.input.weight.end..]);
        (values.len() == layout.len).then_some(values)
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

    /// Whether the network has something to say about a page: it has several paragraphs, or the region of its only one is
    /// known.
    pub fn reads(&self, places: &[Place]) -> bool {
        match places {
            [] => false,
            [only] => self.layout.config.regions && only.region.is_some(),
            _ => true,
        }
    }

    /// Paragraphs before and after that a paragraph attends to.
    pub fn reach(&self) -> usize {
        self.layout.config.reach
    }

    /// The paragraphs of a page of `count` that what is said of one of them can depend on, also where one of these is left out.
    pub fn near(&self, paragraph: usize, count: usize) -> Range<usize> {
        let reach = self.layout.config.reach * self.layout.config.layers + 1;
        paragraph.saturating_sub(reach)..(paragraph + reach + 1).min(count)
    }

    /// Corrections `[paragraphs, labels]` to add to the logits of one page's paragraphs, in reading order.
    ///
    /// `vectors` is `[paragraphs, hidden]`. The corrections of a page that the network does not [read](PageNetwork::reads)
    /// are 0.
    pub fn corrections(&self, vectors: &[f32], places: &[Place]) -> Vec<f32> {
        let PageConfig { width, regions, .. } = self.layout.config;
        let count = places.len();
        if !self.reads(places) {
            return vec![0.0; count * self.layout.head.bias.len()];
        }
        let mut inputs = Vec::with_capacity(count * (self.layout.hidden + self.layout.config.extra_inputs()));
        for (vector, place) in vectors.chunks_exact(self.layout.hidden).zip(places) {
            inputs.extend_from_slice(vector);
            inputs.extend_from_slice(&place.facts);
            if regions {
                inputs.extend_from_slice(&place.region_inputs());
            }
        }
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
                    dot(part(from, 0), part(to, 1)) / (size as f32).sqrt() + bias[head * biases + distance]
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
        let config = PageConfig { width: 8, heads: 2, intermediate: 12, layers: 2, reach, distances: 3, regions: true };
        let len = PageLayout::new(config, 6, LABELS).len;
        let values = (0..len).map(|i| (i as f32 * 1.7).sin() * 0.4).collect();
        PageNetwork::new(PageWeights { config, values }, 6, LABELS).unwrap()
    }

    fn page(count: usize) -> (Vec<f32>, Vec<Place>) {
        let vectors = (0..count * 6).map(|i| (i as f32 * 0.9).cos()).collect();
        (vectors, (0..count).map(|i| Place { facts: [i as f32 / 10.0; FACT_COUNT], region: None }).collect())
    }

    #[test]
    fn a_paragraph_alone_keeps_its_logits() {
        let (vectors, facts) = page(1);
        assert_eq!(network(4).corrections(&vectors, &facts), [0.0; LABELS]);
        assert!(network(4).corrections(&[], &[]).is_empty());
    }

    #[test]
    fn a_known_region_counts_also_for_a_paragraph_alone() {
        let (vectors, mut places) = page(1);
        let mut said = vec![vec![0.0; LABELS]];
        for region in [Region::Article, Region::Comment, Region::Furniture] {
            places[0].region = Some(region);
            said.push(network(4).corrections(&vectors, &places));
        }
        for index in 1..said.len() {
            assert!(said[..index].iter().all(|before| *before != said[index]), "{said:?}");
        }
    }

    #[cfg(feature = "train")]
    #[test]
    fn a_network_that_learns_regions_starts_from_what_it_said_before() {
        let config = PageConfig { regions: false, ..network(4).layout.config };
        let len = PageLayout::new(config, 6, LABELS).len;
        let before = PageWeights { config, values: (0..len).map(|i| (i as f32 * 1.3).sin()).collect() };
        let after = PageConfig { regions: true, ..config };
        let values = before.fitted_to(after, 6, LABELS).unwrap();
        let networks = [before.clone(), PageWeights { config: after, values }]
            .map(|weights| PageNetwork::new(weights, 6, LABELS).unwrap());
        let (vectors, mut places) = page(3);
        let said = networks[0].corrections(&vectors, &places);
        places[1].region = Some(Region::Comment);
        assert_eq!(networks[1].corrections(&vectors, &places), said);
        assert!(before.fitted_to(PageConfig { width: 16, ..after }, 6, LABELS).is_none());
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
