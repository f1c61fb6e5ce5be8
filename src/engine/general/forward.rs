//! The forward pass.

use super::attention::Attention;
use super::{General, Packed, Pool};
use crate::engine::encoder::{EngineError, check_batch};
use crate::engine::{Activation, LayerNorm};

impl General {
    /// Encodes packed sequences: `ids [tokens]`, of which sequence `i` has `cu_seqlens[i]..cu_seqlens[i + 1]`. Writes a vector
    /// for each sequence to `out [sequences, hidden]`.
    ///
    /// # Errors
    /// Those of [`Encoder::encode`](crate::engine::Encoder::encode).
    pub fn encode(&self, ids: &[u32], cu_seqlens: &[u32], out: &mut [f32]) -> Result<(), EngineError> {
        let sequences = check_batch(&self.config.sizes, ids, cu_seqlens)?;
        let hidden = self.config.sizes.hidden;
        let expected = sequences * hidden;
        if out.len() != expected {
            return Err(EngineError::OutputLength { expected, got: out.len() });
        }
        let mut states = self.embed(ids, cu_seqlens);
        for &layer in &self.order {
            self.layer(&self.layers[layer], &mut states, cu_seqlens);
        }
        if let Some(norm) = &self.final_norm {
            self.normalise(norm, &mut states);
        }
        for (bounds, out) in cu_seqlens.windows(2).zip(out.chunks_exact_mut(hidden)) {
            let states = &states[bounds[0] as usize * hidden..bounds[1] as usize * hidden];
            match self.config.pool {
                Pool::First => out.copy_from_slice(&states[..hidden]),
                Pool::Mean => {
                    out.fill(0.0);
                    for state in states.chunks_exact(hidden) {
                        out.iter_mut().zip(state).for_each(|(sum, value)| *sum += value);
                    }
                    let count = (states.len() / hidden) as f32;
                    out.iter_mut().for_each(|sum| *sum /= count);
                }
            }
        }
        Ok(())
    }

    /// Hidden states before the first layer, `[tokens, hidden]`.
    fn embed(&self, ids: &[u32], cu_seqlens: &[u32]) -> Vec<f32> {
        let width = self.width;
        let mut states = Vec::with_capacity(ids.len() * width);
        for bounds in cu_seqlens.windows(2) {
            for (position, &id) in ids[bounds[0] as usize..bounds[1] as usize].iter().enumerate() {
                let word = &self.word[id as usize * width..][..width];
                match self.position.is_empty() {
                    true => states.extend_from_slice(word),
                    false => {
                        let position = &self.position[position * width..][..width];
                        states.extend(word.iter().zip(position).map(|(word, position)| word + position));
                    }
                }
            }
        }
        // The norm is as wide as what it is for.
        let norm_behind = self.embedding_norm.weight.len() != width;
        if !norm_behind {
            self.normalise(&self.embedding_norm, &mut states);
        }
        if let Some(projection) = &self.projection {
            states = projection.forward(&states);
        }
        if norm_behind {
            self.normalise(&self.embedding_norm, &mut states);
        }
        states
    }

    fn layer(&self, layer: &Packed, states: &mut [f32], cu_seqlens: &[u32]) {
        let (hidden, heads) = (self.config.sizes.hidden, self.config.sizes.heads);
        let norm_first = self.config.norm_first;
        // What a part reads, where that is not the states themselves.
        let normalised = |norm: Option<&LayerNorm>, states: &[f32]| {
            norm.filter(|_| norm_first).map(|norm| {
                let mut copy = states.to_vec();
                self.normalise(norm, &mut copy);
                copy
            })
        };
        let add = |states: &mut [f32], more: &[f32], norm: Option<&LayerNorm>| {
            states.iter_mut().zip(more).for_each(|(state, value)| *state += value);
            if let Some(norm) = norm.filter(|_| !norm_first) {
                self.normalise(norm, states);
            }
        };
        let read = normalised(layer.attention_norm.as_ref(), states);
        let mut query_key_value = layer.query_key_value.forward(read.as_deref().unwrap_or(states));
        let mut context = vec![0.0; states.len()];
        for bounds in cu_seqlens.windows(2) {
            let (first, end) = (bounds[0] as usize, bounds[1] as usize);
            let query_key_value = &mut query_key_value[3 * first * hidden..3 * end * hidden];
            let attention = Attention { query_key_value, hidden, heads, positions: &layer.positions, isa: self.isa };
            attention.run(&mut context[first * hidden..end * hidden]);
        }
        add(states, &layer.attention_output.forward(&context), layer.attention_norm.as_ref());
        let read = normalised(Some(&layer.output_norm), states);
        let mut wide = layer.intermediate.forward(read.as_deref().unwrap_or(states));
        if self.config.gated {
            wide = gate(&wide, self.config.sizes.intermediate, self.config.activation);
        } else {
            self.config.activation.apply(&mut wide);
        }
        add(states, &layer.output.forward(&wide), Some(&layer.output_norm));
    }

    fn normalise(&self, norm: &LayerNorm, rows: &mut [f32]) {
        norm.apply(rows, self.config.sizes.layer_norm_eps);
    }
}

/// The first half of each row, activated, times the second: `[rows, 2 · width]` to `[rows, width]`.
fn gate(rows: &[f32], width: usize, activation: Activation) -> Vec<f32> {
    let halves = rows.chunks_exact(2 * width).map(|row| row.split_at(width));
    halves.flat_map(|(first, second)| first.iter().zip(second).map(|(a, b)| activation.of(*a) * b)).collect()
}
