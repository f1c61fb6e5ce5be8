//! The whole encoder as one candle operation with a hand-written backward pass.
//!
//! candle's own graph would pad the batch, keep every intermediate tensor and materialise transposed copies going back.
//! Here a batch of packed sequences is one node of the graph: `(parameters, word rows) → CLS vectors`; the head, the loss
//! and anything else above it stay ordinary candle tensors with automatic differentiation.

use super::kernels::{add_assign, layer_norm_forward};
use super::layer::{Geometry, LayerState, drop_backward, drop_forward, norm_backward};
use super::parameters::Layout;
use crate::random::SplitMix64;
use candle_core::{CpuStorage, CustomOp2, Layout as TensorLayout, Result, Shape, Tensor, bail};
use std::sync::{Arc, Mutex, MutexGuard};

/// Buffers that one worker reuses from batch to batch.
#[derive(Debug, Default)]
pub(super) struct Activations {
    layers: Vec<LayerState>,
    normalized: Vec<f32>,
    reciprocal_std: Vec<f32>,
    mask: Vec<u8>,
}

/// A batch and what to do with it. Inputs: the flat parameters `[parameters]` and the word embedding's rows that the
/// batch uses, `[rows, hidden]`. Output: the last layer's first vector of every sequence, `[sequences, hidden]`.
pub(super) struct EncoderOp {
    pub layout: Arc<Layout>,
    pub geometry: Geometry,
    /// For every token its row in the second input, and the hidden state that it belongs to, `[tokens]`.
    pub words: Vec<(u32, usize)>,
    /// Seed of this batch's dropout masks.
    pub random: u64,
    pub activations: Arc<Mutex<Activations>>,
}

impl EncoderOp {
    fn activations(&self) -> Result<MutexGuard<'_, Activations>> {
        self.activations.lock().map_err(|_| candle_core::Error::Msg("a worker panicked in this batch".into()))
    }

    fn forward(&self, parameters: &[f32], word: &[f32]) -> Result<Vec<f32>> {
        let (hidden, geometry) = (self.geometry.hidden, &self.geometry);
        let mut state = self.activations()?;
        let state = &mut *state;
        let mut random = SplitMix64::new(self.random);
        state.layers.resize_with(self.layout.layers.len(), LayerState::default);

        let position = &parameters[self.layout.position.clone()];
        state.normalized.clear();
        state.normalized.reserve(geometry.states() * hidden);
        for pair in geometry.cu_seqlens.windows(2) {
            state.normalized.extend_from_slice(&position[..(pair[1] - pair[0]) * hidden]);
        }
        for &(row, place) in &self.words {
            add_assign(&mut state.normalized[place * hidden..][..hidden], &word[row as usize * hidden..][..hidden]);
        }
        let mut x = vec![0.0; state.normalized.len()];
        state.reciprocal_std.resize(geometry.states(), 0.0);
        layer_norm_forward(
            &mut state.normalized,
            &parameters[self.layout.norm.weight.clone()],
            &parameters[self.layout.norm.bias.clone()],
            geometry.eps,
            &mut state.reciprocal_std,
            &mut x,
        );
        drop_forward(geometry, &mut x, &mut state.mask, &mut random);
        let last = self.layout.layers.len() - 1;
        for (index, (layer, slots)) in state.layers.iter_mut().zip(&self.layout.layers).enumerate() {
            x = layer.forward(&x, geometry, parameters, slots, index == last, &mut random);
        }
        Ok(x)
    }

    fn backward(&self, parameters: &[f32], word_len: usize, grad: Vec<f32>) -> Result<(Vec<f32>, Vec<f32>)> {
        let (hidden, geometry) = (self.geometry.hidden, &self.geometry);
        let mut state = self.activations()?;
        let mut gradient = vec![0.0; self.layout.len];
        let mut grad = grad;
        let last = self.layout.layers.len() - 1;
        for (index, (layer, slots)) in state.layers.iter_mut().zip(&self.layout.layers).enumerate().rev() {
            grad = layer.backward(grad, geometry, parameters, &mut gradient, slots, index == last);
        }
        drop_backward(geometry, &mut grad, &state.mask);
        norm_backward(
            &mut grad,
            &state.normalized,
            &state.reciprocal_std,
            parameters,
            &mut gradient,
            &self.layout.norm,
        );
        let mut grad_word = vec![0.0; word_len];
        let grad_position = &mut gradient[self.layout.position.clone()];
        for pair in geometry.cu_seqlens.windows(2) {
            let states = &grad[pair[0] * hidden..pair[1] * hidden];
            add_assign(&mut grad_position[..states.len()], states);
        }
        for &(row, place) in &self.words {
            add_assign(&mut grad_word[row as usize * hidden..][..hidden], &grad[place * hidden..][..hidden]);
        }
        Ok((gradient, grad_word))
    }
}

fn contiguous<'a>(storage: &'a CpuStorage, layout: &TensorLayout) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("the encoder operation takes contiguous tensors, got strides {:?}", layout.stride())
    };
    Ok(&storage.as_slice::<f32>()?[start..end])
}

impl CustomOp2 for EncoderOp {
    fn name(&self) -> &'static str {
        "copydesk-encoder"
    }

    fn cpu_fwd(
        &self,
        parameters: &CpuStorage,
        parameter_layout: &TensorLayout,
        word: &CpuStorage,
        word_layout: &TensorLayout,
    ) -> Result<(CpuStorage, Shape)> {
        let parameters = contiguous(parameters, parameter_layout)?;
        if parameters.len() != self.layout.len {
            bail!("expected {} encoder parameters, got {}", self.layout.len, parameters.len())
        }
        let out = self.forward(parameters, contiguous(word, word_layout)?)?;
        Ok((CpuStorage::F32(out), Shape::from((self.geometry.sequences(), self.geometry.hidden))))
    }

    fn bwd(
        &self,
        parameters: &Tensor,
        word: &Tensor,
        _out: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.flatten_all()?.to_vec1::<f32>()?;
        let (storage, layout) = parameters.storage_and_layout();
        let candle_core::Storage::Cpu(storage) = &*storage else { bail!("the encoder operation runs on the CPU only") };
        let (gradient, grad_word) = self.backward(contiguous(storage, layout)?, word.elem_count(), grad)?;
        let gradient = Tensor::from_vec(gradient, parameters.shape(), parameters.device())?;
        let grad_word = Tensor::from_vec(grad_word, word.shape(), word.device())?;
        Ok((Some(gradient), Some(grad_word)))
    }
}
