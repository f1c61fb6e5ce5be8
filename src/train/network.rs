//! The trained quantities and one data-parallel gradient over them.

use super::encoder_op::{Activations, EncoderOp};
use super::examples::Example;
use super::kernels::{add_assign, square_sum};
use super::layer::Geometry;
use super::loss::{Targets, vector_difference};
use super::optimizer::{DenseUpdate, Moments, Step};
use super::parameters::Layout;
use super::{TrainError, TrainSettings, page};
use crate::engine::{EncoderConfig, EncoderWeights};
use crate::model::PageWeights;
use crate::model::page::{PageLayout, PageNetwork};
use crate::random::SplitMix64;
use candle_core::{Device, Tensor, Var};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Encoder and head with the optimiser's moments.
pub(super) struct Network {
    pub config: EncoderConfig,
    pub layout: Arc<Layout>,
    /// Everything but word embedding and head, `[parameters]`.
    pub dense: Var,
    pub dense_moments: Moments,
    /// Word embedding, `[vocab, hidden]`.
    pub word: Vec<f32>,
    pub word_moments: Moments,
    /// Number of labels.
    pub labels: usize,
    /// Head: weight `[labels, hidden]`, then bias `[labels]`.
    pub head: Vec<f32>,
    pub head_moments: Moments,
    /// Where the page network's parameters lie; `None` where there is none to train.
    pub page_layout: Option<PageLayout>,
    /// The page network's flat parameters.
    pub page: Vec<f32>,
    pub page_moments: Moments,
    /// Updates made so far.
    pub updates: usize,
    activations: Vec<Arc<Mutex<Activations>>>,
}

/// The gradient of one batch.
pub(super) struct Gradient {
    /// `[parameters]`.
    dense: Tensor,
    /// Ids of the rows of `word`, ascending.
    pub word_ids: Vec<u32>,
    /// `[word_ids, hidden]`.
    pub word: Vec<f32>,
    /// Weight `[labels, hidden]`, then bias.
    pub head: Vec<f32>,
    /// The page network's flat parameters.
    pub page: Vec<f32>,
    /// Weighted mean loss of the batch.
    pub loss: f64,
}

#[cfg(test)]
impl Gradient {
    pub fn dense_values(&self) -> candle_core::Result<Vec<f32>> {
        values(&self.dense)
    }
}

/// One worker's part of a batch.
struct ShardGradient {
    dense: Tensor,
    word: Tensor,
    head_weight: Tensor,
    head_bias: Tensor,
    page: Option<Tensor>,
    loss: f64,
}

fn values(tensor: &Tensor) -> candle_core::Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1::<f32>()
}

impl Network {
    /// A network for so many labels that starts from a checkpoint's encoder, and from its head or a new one (normal,
    /// σ = 0.02).
    pub fn new(
        config: EncoderConfig,
        weights: &EncoderWeights,
        labels: usize,
        head: Option<Vec<f32>>,
        settings: &TrainSettings,
    ) -> Result<Network, TrainError> {
        super::parameters::check_trainable(weights)?;
        let layout = Arc::new(Layout::new(&config));
        let dense = Var::from_vec(layout.flatten(&config, weights), layout.len, &Device::Cpu)?;
        let word = super::parameters::to_f32(&weights.word);
        let head = head.unwrap_or_else(|| new_head(config.hidden, labels, settings.seed));
        let page_layout = settings.page.map(|sizes| PageLayout::new(sizes, config.hidden, labels));
        let page = page_layout.as_ref().map_or_else(Vec::new, |layout| page::new_parameters(layout, settings.seed));
        Ok(Network {
            labels,
            dense_moments: Moments::zeros(layout.len),
            word_moments: Moments::zeros(word.len()),
            head_moments: Moments::zeros(head.len()),
            page_moments: Moments::zeros(page.len()),
            activations: (0..settings.workers).map(|_| Arc::default()).collect(),
            updates: 0,
            config,
            layout,
            dense,
            word,
            head,
            page_layout,
            page,
        })
    }

    /// The flat parameters' values.
    pub fn dense_values(&self) -> Result<Vec<f32>, TrainError> {
        Ok(values(self.dense.as_tensor())?)
    }

    /// Logits without dropout, in the order given.
    pub fn logits(&self, examples: &[&Example]) -> Result<Logits, TrainError> {
        let (vectors, alone) = self.vectors(examples)?;
        let network = match &self.page_layout {
            Some(layout) => {
                let weights = PageWeights { config: layout.config, values: self.page.clone() };
                PageNetwork::new(weights, self.config.hidden, self.labels)?
            }
            None => return Ok(Logits { alone, on_page: None }),
        };
        let mut on_page = alone.clone();
        for run in page::runs(examples) {
            let places: Vec<_> = examples[run.clone()].iter().map(|example| example.place).collect();
            let hidden = self.config.hidden;
            let corrections = network.corrections(&vectors[run.start * hidden..run.end * hidden], &places);
            for (row, correction) in on_page[run].iter_mut().zip(corrections.chunks_exact(self.labels)) {
                row.iter_mut().zip(correction).for_each(|(logit, value)| *logit += value);
            }
        }
        Ok(Logits { alone, on_page: Some(on_page) })
    }

    /// Vectors `[examples, hidden]` and logits of each example read alone.
    pub(super) fn vectors(&self, examples: &[&Example]) -> Result<(Vec<f32>, Vec<Vec<f32>>), TrainError> {
        let hidden = self.config.hidden;
        let mut order: Vec<usize> = (0..examples.len()).collect();
        order.sort_by_key(|&index| examples[index].ids.len());
        let mut logits = vec![Vec::new(); examples.len()];
        let mut all_vectors = vec![0.0; examples.len() * hidden];
        let batches: Vec<&[usize]> = order.chunks(32).collect();
        let parts = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..self.activations.len())
                .map(|worker| {
                    let batches = &batches;
                    scope.spawn(move || -> Result<_, TrainError> {
                        let mut rows = Vec::new();
                        for batch in batches.iter().skip(worker).step_by(self.activations.len()) {
                            let shard: Vec<&Example> = batch.iter().map(|&index| examples[index]).collect();
                            let (ids, rows_of) = unique_words(&shard);
                            let word = self.word_rows(&ids)?;
                            let vectors =
                                self.encode(&shard, &rows_of, &word, 0, 0, worker, self.dense.as_detached_tensor())?;
                            let (weight, bias) = self.head_tensors()?;
                            let out = vectors.matmul(&weight.t()?)?.broadcast_add(&bias)?.to_vec2::<f32>()?;
                            rows.extend(batch.iter().copied().zip(vectors.to_vec2::<f32>()?.into_iter().zip(out)));
                        }
                        Ok(rows)
                    })
                })
                .collect();
            workers
                .into_iter()
                .map(|worker| worker.join().expect("a worker panicked; this is a bug"))
                .collect::<Vec<_>>()
        });
        for part in parts {
            for (index, (vector, row)) in part? {
                logits[index] = row;
                all_vectors[index * hidden..][..hidden].copy_from_slice(&vector);
            }
        }
        Ok((all_vectors, logits))
    }

    /// The gradient of the weighted mean cross-entropy over a batch whose shards the workers take, summed in the order
    /// of the shards.
    pub fn gradient(&self, shards: &[Vec<&Example>], settings: &TrainSettings) -> Result<Gradient, TrainError> {
        let all: Vec<&Example> = shards.concat();
        let total_weight: f32 = all.iter().map(|example| example.weight).sum();
        let (word_ids, rows_of) = unique_words(&all);
        let word = Var::from_tensor(&self.word_rows(&word_ids)?)?;
        let parts = std::thread::scope(|scope| {
            let workers: Vec<_> = shards
                .iter()
                .enumerate()
                .map(|(worker, shard)| {
                    let (rows_of, word) = (&rows_of, &word);
                    scope.spawn(move || self.shard_gradient(shard, rows_of, word, total_weight, worker, settings))
                })
                .collect();
            workers
                .into_iter()
                .map(|worker| worker.join().expect("a worker panicked; this is a bug"))
                .collect::<Vec<_>>()
        });
        let mut sum: Option<Gradient> = None;
        for part in parts {
            let part = part?;
            let word = values(&part.word)?;
            let head = [values(&part.head_weight)?, values(&part.head_bias)?].concat();
            let page = part.page.as_ref().map_or(Ok(Vec::new()), values)?;
            match &mut sum {
                None => {
                    let (dense, loss) = (part.dense, part.loss);
                    sum = Some(Gradient { dense, word_ids: Vec::new(), word, head, page, loss });
                }
                Some(sum) => {
                    sum.dense = (&sum.dense + &part.dense)?;
                    add_assign(&mut sum.word, &word);
                    add_assign(&mut sum.head, &head);
                    add_assign(&mut sum.page, &page);
                    sum.loss += part.loss;
                }
            }
        }
        let mut sum = sum.ok_or_else(|| candle_core::Error::Msg("a batch without rows; this is a bug".into()))?;
        sum.word_ids = word_ids;
        Ok(sum)
    }

    fn shard_gradient(
        &self,
        shard: &[&Example],
        rows_of: &HashMap<u32, u32>,
        word: &Var,
        total_weight: f32,
        worker: usize,
        settings: &TrainSettings,
    ) -> Result<ShardGradient, TrainError> {
        let drop = settings.dropout_256ths;
        let random =
            SplitMix64::new(settings.seed ^ (self.updates as u64) << 20 ^ (worker as u64 + 1) << 52).next_u64();
        // Two copies of every row, each with dropout masks of its own, where their answers are to agree.
        let copies = if settings.r_drop > 0.0 { 2 } else { 1 };
        let rows = shard.len();
        let shard_copies = shard.repeat(copies);
        let encoded = self.encode(
            &shard_copies,
            rows_of,
            word.as_tensor(),
            drop,
            random,
            worker,
            self.dense.as_tensor().clone(),
        )?;
        let (weight, bias) = self.head_tensors()?;
        let (weight, bias) = (Var::from_tensor(&weight)?, Var::from_tensor(&bias)?);
        let vectors = page::dropout(&encoded, drop, || !random)?;
        let logits = vectors.matmul(&weight.as_tensor().t()?)?.broadcast_add(bias.as_tensor())?;
        let page_share = if self.page_layout.is_some() { settings.page_share } else { 0.0 };
        // What a thread says is an extra: a comment that stands alone in the file is learnt alone as if there were none.
        let alone = |example: &Example| if example.in_thread { 1.0 } else { 1.0 - page_share };
        let mut loss = Targets::new(shard, self.labels, copies, total_weight, alone)?.loss(&logits, settings.r_drop)?;
        let page = match &self.page_layout {
            Some(layout) => Some((layout, Var::from_slice(&self.page, self.page.len(), &Device::Cpu)?)),
            None => None,
        };
        if let Some((layout, parameters)) = &page {
            let corrections = |copy: usize| {
                let pass = page::PagePass {
                    layout,
                    parameters: parameters.as_tensor(),
                    examples: shard,
                    drop_256ths: drop,
                    random: SplitMix64::new(random.rotate_left(17 + copy as u32)),
                };
                pass.corrections(&vectors.narrow(0, copy * rows, rows)?)
            };
            let corrections = (0..copies).map(corrections).collect::<Result<Vec<_>, _>>()?;
            let on_page = (&logits + Tensor::cat(&corrections, 0)?)?;
            let targets = Targets::new(shard, self.labels, copies, total_weight, |_| page_share)?;
            loss = (loss + targets.loss(&on_page, settings.r_drop)?)?;
        }
        if settings.vector_weight > 0.0
            && let Some(difference) = vector_difference(&shard_copies, &encoded, total_weight * copies as f32)?
        {
            loss = (loss + (difference * f64::from(settings.vector_weight))?)?;
        }
        let mut gradients = loss.backward()?;
        let mut take = |var: &Var| {
            gradients
                .remove(var)
                .ok_or_else(|| candle_core::Error::Msg("a parameter has no gradient; this is a bug".into()))
        };
        Ok(ShardGradient {
            dense: take(&self.dense)?,
            word: take(word)?,
            head_weight: take(&weight)?,
            head_bias: take(&bias)?,
            page: page.as_ref().map(|(_, parameters)| take(parameters)).transpose()?,
            loss: f64::from(loss.to_scalar::<f32>()?),
        })
    }

    #[allow(clippy::too_many_arguments)]
    fn encode(
        &self,
        shard: &[&Example],
        rows_of: &HashMap<u32, u32>,
        word: &Tensor,
        drop_256ths: u8,
        random: u64,
        worker: usize,
        dense: Tensor,
    ) -> Result<Tensor, TrainError> {
        let mut cu_seqlens = vec![0];
        let mut words = Vec::new();
        let mut end = 0;
        for example in shard {
            let tokens = example.ids.iter().enumerate();
            words.extend(tokens.map(|(token, id)| (rows_of[id], end + self.config.state_of(token))));
            end += self.config.states(example.ids.len());
            cu_seqlens.push(end);
        }
        let op = EncoderOp {
            layout: self.layout.clone(),
            geometry: Geometry {
                hidden: self.config.hidden,
                heads: self.config.heads,
                intermediate: self.config.intermediate,
                eps: self.config.layer_norm_eps,
                cu_seqlens,
                drop_256ths,
            },
            words,
            random,
            activations: self.activations[worker].clone(),
        };
        Ok(dense.apply_op2(word, op)?)
    }

    fn word_rows(&self, ids: &[u32]) -> Result<Tensor, TrainError> {
        let hidden = self.config.hidden;
        let rows: Vec<f32> = ids.iter().flat_map(|&id| &self.word[id as usize * hidden..][..hidden]).copied().collect();
        Ok(Tensor::from_vec(rows, (ids.len(), hidden), &Device::Cpu)?)
    }

    fn head_tensors(&self) -> Result<(Tensor, Tensor), TrainError> {
        let (weight, bias) = self.head.split_at(self.labels * self.config.hidden);
        let weight = Tensor::from_slice(weight, (self.labels, self.config.hidden), &Device::Cpu)?;
        Ok((weight, Tensor::from_slice(bias, self.labels, &Device::Cpu)?))
    }

    /// Clips the gradient to `settings.clip_norm`, the page network's apart, and makes one AdamW step.
    pub fn update(&mut self, gradient: &Gradient, rate: f32, settings: &TrainSettings) -> Result<(), TrainError> {
        let dense_squares = {
            let (storage, _) = gradient.dense.storage_and_layout();
            match &*storage {
                candle_core::Storage::Cpu(storage) => square_sum(storage.as_slice::<f32>()?),
                _ => square_sum(&values(&gradient.dense)?),
            }
        };
        let norm = (dense_squares + square_sum(&gradient.word) + square_sum(&gradient.head)).sqrt();
        let page_norm = square_sum(&gradient.page).sqrt();
        let clip = (f64::from(settings.clip_norm) / norm).min(1.0) as f32;
        let layers = self.config.layers;
        let step = Step::new(settings, layers, rate, clip, self.updates);
        let update = DenseUpdate {
            step,
            segments: &self.layout.segments,
            moments: Mutex::new(&mut self.dense_moments),
            threads: settings.workers,
        };
        self.dense.as_tensor().inplace_op2(&gradient.dense, &update)?;
        let hidden = self.config.hidden;
        for (&id, grad) in gradient.word_ids.iter().zip(gradient.word.chunks_exact(hidden)) {
            let row = id as usize * hidden..(id as usize + 1) * hidden;
            let moments = (&mut self.word_moments.first[row.clone()], &mut self.word_moments.second[row.clone()]);
            step.update(&mut self.word[row], grad, moments, 0, true);
        }
        let bias_from = self.labels * hidden;
        for (range, decays) in [(0..bias_from, true), (bias_from..self.head.len(), false)] {
            let moments = (&mut self.head_moments.first[range.clone()], &mut self.head_moments.second[range.clone()]);
            step.update(&mut self.head[range.clone()], &gradient.head[range], moments, layers, decays);
        }
        // The page network is new and small: a higher rate of its own, and its gradient clipped apart, so that neither
        // part's size decides how far the other moves.
        let page_clip = (f64::from(settings.clip_norm) / page_norm.max(f64::MIN_POSITIVE)).min(1.0) as f32;
        let page_step = Step::new(settings, layers, rate * settings.page_rate_factor, page_clip, self.updates);
        if let Some(layout) = &self.page_layout {
            for part in &layout.parts {
                let range = part.range.clone();
                let moments =
                    (&mut self.page_moments.first[range.clone()], &mut self.page_moments.second[range.clone()]);
                let decays = part.shape.len() == 2;
                page_step.update(&mut self.page[range.clone()], &gradient.page[range], moments, layers, decays);
            }
        }
        self.updates += 1;
        Ok(())
    }
}

/// What the network says of examples, `[examples, labels]` each.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Logits {
    /// Each example read alone.
    pub alone: Vec<Vec<f32>>,
    /// Each example read beside its page's others, where there is a page network.
    pub on_page: Option<Vec<Vec<f32>>>,
}

/// The distinct ids of a batch, ascending, and each one's row.
fn unique_words(examples: &[&Example]) -> (Vec<u32>, HashMap<u32, u32>) {
    let mut ids: Vec<u32> = examples.iter().flat_map(|example| &example.ids).copied().collect();
    ids.sort_unstable();
    ids.dedup();
    let rows = ids.iter().zip(0..).map(|(&id, row)| (id, row)).collect();
    (ids, rows)
}

/// A head drawn from a normal distribution with σ = 0.02 (Box and Muller's transform), biases 0.
fn new_head(hidden: usize, labels: usize, seed: u64) -> Vec<f32> {
    let mut random = SplitMix64::new(seed ^ 0x4ead);
    let mut uniform = || random.unit_f64();
    let mut head: Vec<f32> = (0..labels * hidden)
        .map(|_| {
            let radius = (-2.0 * (1.0 - uniform()).ln()).sqrt();
            (0.02 * radius * (2.0 * std::f64::consts::PI * uniform()).cos()) as f32
        })
        .collect();
    head.resize((hidden + 1) * labels, 0.0);
    head
}
