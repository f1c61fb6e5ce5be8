//! AdamW over the flat parameters, the word embedding's touched rows and the head.

use super::TrainSettings;
use super::kernels::adamw_update;
use super::parameters::Segment;
use candle_core::{CpuStorage, InplaceOp2, Layout as TensorLayout, Result, bail};
use std::sync::Mutex;

/// First and second moments of a run of parameters.
#[derive(Clone, Debug, Default)]
pub(super) struct Moments {
    pub first: Vec<f32>,
    pub second: Vec<f32>,
}

impl Moments {
    pub fn zeros(len: usize) -> Moments {
        Moments { first: vec![0.0; len], second: vec![0.0; len] }
    }
}

/// What one step applies to every parameter alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// Learning rate of the top layer and the head.
    pub rate: f32,
    pub weight_decay: f32,
    /// Factor on the gradient from clipping.
    pub clip: f32,
    /// 1 − β₁ᵗ and 1 − β₂ᵗ.
    pub correction: [f32; 2],
    pub layer_decay: f32,
    /// Transformer layers.
    pub layers: usize,
}

impl Step {
    pub fn new(settings: &TrainSettings, layers: usize, rate: f32, clip: f32, updates_before: usize) -> Step {
        let t = updates_before as f64 + 1.0;
        let correction = [(1.0 - 0.9f64.powf(t)) as f32, (1.0 - 0.999f64.powf(t)) as f32];
        let TrainSettings { weight_decay, layer_decay, .. } = *settings;
        Step { rate, weight_decay, clip, correction, layer_decay, layers }
    }

    /// Learning rate of a depth: 0 is the embeddings, `layers` the top layer.
    fn rate_at(&self, depth: usize) -> f32 {
        self.rate * self.layer_decay.powi((self.layers - depth) as i32)
    }

    /// Updates a run of parameters of one depth.
    pub fn update(
        &self,
        parameters: &mut [f32],
        gradient: &[f32],
        moments: (&mut [f32], &mut [f32]),
        depth: usize,
        decays: bool,
    ) {
        let decay = if decays { self.weight_decay } else { 0.0 };
        adamw_update(
            parameters,
            gradient,
            moments.0,
            moments.1,
            self.rate_at(depth),
            decay,
            self.clip,
            self.correction,
        );
    }
}

/// The flat vector's update as an in-place operation on its tensor: `parameters ← AdamW(parameters, gradient)`.
pub(super) struct DenseUpdate<'a> {
    pub step: Step,
    pub segments: &'a [Segment],
    pub moments: Mutex<&'a mut Moments>,
    pub threads: usize,
}

impl InplaceOp2 for DenseUpdate<'_> {
    fn name(&self) -> &'static str {
        "copydesk-adamw"
    }

    fn cpu_fwd(
        &self,
        parameters: &mut CpuStorage,
        _: &TensorLayout,
        gradient: &CpuStorage,
        gradient_layout: &TensorLayout,
    ) -> Result<()> {
        let CpuStorage::F32(parameters) = parameters else { bail!("the encoder's parameters must be f32") };
        let Some((start, end)) = gradient_layout.contiguous_offsets() else { bail!("a gradient must be contiguous") };
        let mut gradient = &gradient.as_slice::<f32>()?[start..end];
        let mut moments = self.moments.lock().map_err(|_| candle_core::Error::Msg("an update panicked".into()))?;
        let moments = &mut **moments;
        let (mut first, mut second) = (moments.first.as_mut_slice(), moments.second.as_mut_slice());
        let mut parameters = parameters.as_mut_slice();
        // Whole segments per thread, cut so that each has about the same number of parameters.
        let share = parameters.len().div_ceil(self.threads);
        std::thread::scope(|scope| {
            let mut segments = self.segments;
            while !segments.is_empty() {
                let mut len = 0;
                let count = segments
                    .iter()
                    .take_while(|s| {
                        let more = len < share;
                        if more {
                            len += s.range.len()
                        }
                        more
                    })
                    .count();
                let (mine, others) = segments.split_at(count);
                segments = others;
                let p = parameters.split_off_mut(..len).expect("segments cover the parameters; this is a bug");
                let g = gradient.split_off(..len).expect("gradient and parameters are alike; this is a bug");
                let m = first.split_off_mut(..len).expect("moments and parameters are alike; this is a bug");
                let v = second.split_off_mut(..len).expect("moments and parameters are alike; this is a bug");
                scope.spawn(move || {
                    let base = mine[0].range.start;
                    for segment in mine {
                        let r = segment.range.start - base..segment.range.end - base;
                        let moments = (&mut m[r.clone()], &mut v[r.clone()]);
                        self.step.update(&mut p[r.clone()], &g[r], moments, segment.depth, segment.decays);
                    }
                });
            }
        });
        Ok(())
    }
}

/// Learning rate as a share of its peak: linear warm-up from 0, then linear decay to 0.
pub(super) fn schedule(step: usize, steps: usize, warmup: f32) -> f32 {
    let (step, steps) = (step as f32 + 0.5, steps as f32);
    let rise = steps * warmup;
    if step < rise { step / rise } else { (steps - step) / (steps - rise) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_rises_then_falls() {
        let rates: Vec<f32> = (0..100).map(|step| schedule(step, 100, 0.1)).collect();
        assert!(rates[..10].windows(2).all(|pair| pair[0] < pair[1]));
        assert!(rates[10..].windows(2).all(|pair| pair[0] > pair[1]));
        assert!(rates[0] > 0.0 && rates[99] > 0.0 && rates[99] < 0.01);
    }

    #[test]
    fn a_step_matches_adamw_by_hand() {
        let settings = TrainSettings { weight_decay: 0.1, layer_decay: 0.5, ..TrainSettings::default() };
        let step = Step::new(&settings, 2, 0.01, 1.0, 0);
        let (mut p, mut m, mut v) = ([1.0f32], [0.0f32], [0.0f32]);
        step.update(&mut p, &[0.5], (&mut m, &mut v), 1, true);
        // First step: m̂ = g, v̂ = g², so the move is rate·sign(g); rate is halved one layer below the top.
        assert!((p[0] - (1.0 * (1.0 - 0.005 * 0.1) - 0.005)).abs() < 1e-6, "{}", p[0]);
    }
}
