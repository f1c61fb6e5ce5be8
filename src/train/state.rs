//! What a run carries from step to step: the moving average of the parameters and the figures of its epochs.

use super::TrainError;
use super::network::Network;
use serde::{Deserialize, Serialize};

/// Exponential moving average of all parameters.
#[derive(Clone, Debug)]
pub(super) struct Average {
    pub dense: Vec<f32>,
    pub word: Vec<f32>,
    pub head: Vec<f32>,
    pub page: Vec<f32>,
}

impl Average {
    pub(super) fn of(network: &Network) -> Result<Average, TrainError> {
        Ok(Average {
            dense: network.dense_values()?,
            word: network.word.clone(),
            head: network.head.clone(),
            page: network.page.clone(),
        })
    }

    /// Takes in the network as it stands `since` steps after the last time.
    ///
    /// The share is that of an average corrected for its start: the weights before the first step count for nothing,
    /// so a run that is short beside 1 / (1 − decay) is not held back at its base.
    pub(super) fn follow(&mut self, network: &Network, decay: f32, since: usize) -> Result<(), TrainError> {
        let (decay, updates) = (f64::from(decay), network.updates as f64);
        let share = ((1.0 - decay.powi(since as i32)) / (1.0 - decay.powf(updates))) as f32;
        let dense = network.dense_values()?;
        for (mine, current) in [
            (&mut self.dense, &dense),
            (&mut self.word, &network.word),
            (&mut self.head, &network.head),
            (&mut self.page, &network.page),
        ] {
            for (a, b) in mine.iter_mut().zip(current) {
                *a += share * (b - *a);
            }
        }
        Ok(())
    }

    /// Exchanges the network's parameters with the averaged ones; a second call exchanges them back.
    pub(super) fn swap(&mut self, network: &mut Network) -> Result<(), TrainError> {
        let dense = network.dense_values()?;
        let averaged = std::mem::replace(&mut self.dense, dense);
        let len = averaged.len();
        network.dense.set(&candle_core::Tensor::from_vec(averaged, len, &candle_core::Device::Cpu)?)?;
        std::mem::swap(&mut self.word, &mut network.word);
        std::mem::swap(&mut self.head, &mut network.head);
        std::mem::swap(&mut self.page, &mut network.page);
        Ok(())
    }
}

/// What an epoch came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochFigures {
    /// `weak` or `annotated`.
    pub stage: String,
    /// Epoch of the stage, from 1.
    pub epoch: usize,
    /// Steps over all stages.
    pub steps: usize,
    /// Mean training loss of the epoch.
    pub loss: f64,
    /// Tokens that training passed through in the epoch.
    pub tokens: usize,
    /// Wall-clock seconds of training since the run began or resumed within this epoch.
    pub seconds: f64,
    /// Macro-F1 on the development set, each row read alone.
    pub dev_macro_f1: f64,
    /// The same, each row read beside its neighbours on the page, where a page network is trained.
    #[serde(default)]
    pub dev_macro_f1_on_page: Option<f64>,
    /// Accuracy on the development set, each row read alone.
    pub dev_accuracy: f64,
}

impl EpochFigures {
    /// What decides between epochs: macro-F1, the mean of both ways of reading where there are two.
    pub(super) fn merit(&self) -> f64 {
        self.dev_macro_f1_on_page.map_or(self.dev_macro_f1, |on_page| (self.dev_macro_f1 + on_page) / 2.0)
    }
}

/// Every finished epoch, and the loss so far of the running one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct History {
    pub epochs: Vec<EpochFigures>,
    /// Best merit so far.
    pub best: Option<f64>,
    pub loss_sum: f64,
    pub loss_steps: usize,
    pub tokens: usize,
}
