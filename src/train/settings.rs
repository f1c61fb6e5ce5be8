//! Everything that decides a training run's result.

use super::TrainError;
use crate::label::LabelSet;
use crate::model::PageConfig;
use serde::{Deserialize, Serialize};

/// Settings of a training run; written to `training.json` and compared before a run resumes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainSettings {
    /// Sequences per step.
    pub batch_size: usize,
    /// Data-parallel workers. Each has its own dropout masks, so the number is part of the result.
    pub workers: usize,
    /// Tokens of a text that training sees, with `[CLS]` and `[SEP]`; the rest of a longer text is left out.
    pub max_tokens: usize,
    /// Passes over the weakly labelled data, before the annotated stage begins.
    pub weak_epochs: usize,
    /// Rows drawn from the weakly labelled data, evenly over labels and then over sources; 0 takes all.
    pub weak_rows: usize,
    /// Passes over the annotated data.
    pub epochs: usize,
    /// Peak learning rate of the weak stage.
    pub weak_learning_rate: f32,
    /// Peak learning rate of the annotated stage.
    pub learning_rate: f32,
    /// Factor on the learning rate per layer downwards from the head; 1 gives every layer the same.
    pub layer_decay: f32,
    /// AdamW's weight decay, on matrices only.
    pub weight_decay: f32,
    /// Share of a stage's steps in which the learning rate rises linearly; then it falls linearly to 0.
    pub warmup: f32,
    /// Largest norm of the gradient; that of the page network is clipped apart.
    pub clip_norm: f32,
    /// Probability mass of a target that is spread evenly over all labels.
    pub label_smoothing: f32,
    /// Sizes of the network over a page's paragraphs, trained together with the encoder; null trains none.
    pub page: Option<PageConfig>,
    /// Learning rate of the page network as a multiple of the head's.
    pub page_rate_factor: f32,
    /// Share of the loss that judges rows on their page; the rest judges each read alone. Of no effect without a page
    /// network.
    pub page_share: f32,
    /// Sources of comments. Files seldom keep a thread whole; so their rows are read in invented threads, each of one
    /// source, with the rows of one page beside each other. What such a row loses alone counts in full, whatever
    /// `page_share` is.
    pub thread_sources: Vec<String>,
    /// Share of the invented threads that follow an article of another source, as comments do.
    pub threads_under_pages: f32,
    /// Share of the pages and of the rows without a page whose regions the page network is not told, so that it learns to read
    /// both with and without.
    pub regions_hidden: f32,
    /// Share of the original label in the target of a row that a teacher labelled anew, by original label in output order;
    /// null gives the built-in labels their own shares and any other 0.5.
    pub source_label_share: Option<Vec<f32>>,
    /// Weight of the mean squared difference between the encoder's vector and the teacher's, in rows that have one; 0
    /// leaves the vectors aside. For students whose head is their teacher's.
    pub vector_weight: f32,
    /// Share of the training rows that are read in a copy, by thirds: cut after the first sentence; with digits and signs for
    /// letters; in another typography, which the page network alone can tell (by the length among its facts).
    pub noise: f32,
    /// Dropout probability in 256ths, on embeddings, attention probabilities, both residual branches and the head.
    pub dropout_256ths: u8,
    /// R-Drop: every row is read twice in a step, with dropout masks of its own, and this weighs what the two answers differ
    /// by (half the sum of the Kullback–Leibler divergences in both directions) in the loss; 0 reads once, in half the
    /// time. Needs dropout.
    pub r_drop: f32,
    /// Exponent of the class weights: weight ∝ frequency^-exponent; 0 turns them off, 0.5 is 1/√frequency.
    pub class_weight_exponent: f32,
    /// Weight of rows whose annotator's confidence was 1, 2 and 3; rows without one of these count as 3.
    pub confidence_weights: [f32; 3],
    /// Decay per step of the exponential moving average that is evaluated and saved; 0 turns it off.
    pub average_decay: f32,
    /// Seed of the order of rows, of dropout and of a new head.
    pub seed: u64,
}

impl Default for TrainSettings {
    fn default() -> Self {
        TrainSettings {
            batch_size: 32,
            workers: 2,
            max_tokens: 192,
            weak_epochs: 1,
            weak_rows: 20_000,
            epochs: 3,
            weak_learning_rate: 5e-5,
            learning_rate: 5e-5,
            layer_decay: 0.95,
            weight_decay: 0.01,
            warmup: 0.06,
            clip_norm: 1.0,
            label_smoothing: 0.05,
            page: Some(PageConfig::default()),
            page_rate_factor: 8.0,
            page_share: 0.5,
            thread_sources: Vec::new(),
            threads_under_pages: 0.15,
            regions_hidden: 0.5,
            source_label_share: None,
            vector_weight: 0.0,
            noise: 0.0,
            dropout_256ths: 26,
            r_drop: 0.0,
            class_weight_exponent: 0.5,
            confidence_weights: [0.5, 0.8, 1.0],
            average_decay: 0.998,
            seed: 1,
        }
    }
}

impl TrainSettings {
    /// Names the first setting that makes no sense.
    ///
    /// # Errors
    /// [`TrainError::InvalidSetting`].
    pub fn check(&self) -> Result<(), TrainError> {
        let rules = [
            ("batch_size", self.batch_size >= 1, "at least 1"),
            ("workers", self.workers >= 1, "at least 1"),
            ("max_tokens", self.max_tokens >= 3, "at least 3"),
            ("epochs", self.epochs + self.weak_epochs >= 1, "at least 1 with weak_epochs"),
            ("learning_rate", self.learning_rate > 0.0 && self.learning_rate.is_finite(), "above 0"),
            ("weak_learning_rate", self.weak_learning_rate > 0.0 && self.weak_learning_rate.is_finite(), "above 0"),
            ("weight_decay", self.weight_decay >= 0.0 && self.weight_decay.is_finite(), "0 or above"),
            (
                "class_weight_exponent",
                self.class_weight_exponent >= 0.0 && self.class_weight_exponent.is_finite(),
                "0 or above",
            ),
            (
                "confidence_weights",
                self.confidence_weights.iter().all(|weight| *weight > 0.0 && weight.is_finite()),
                "above 0 each",
            ),
            ("layer_decay", self.layer_decay > 0.0 && self.layer_decay <= 1.0, "above 0 and at most 1"),
            ("label_smoothing", (0.0..1.0).contains(&self.label_smoothing), "from 0 to below 1"),
            (
                "source_label_share",
                self.source_label_share.iter().flatten().all(|share| (0.0..=1.0).contains(share)),
                "from 0 to 1 each",
            ),
            ("page_rate_factor", self.page_rate_factor > 0.0 && self.page_rate_factor.is_finite(), "above 0"),
            ("page_share", (0.0..=1.0).contains(&self.page_share), "from 0 to 1"),
            ("threads_under_pages", (0.0..=1.0).contains(&self.threads_under_pages), "from 0 to 1"),
            ("regions_hidden", (0.0..=1.0).contains(&self.regions_hidden), "from 0 to 1"),
            ("vector_weight", self.vector_weight >= 0.0 && self.vector_weight.is_finite(), "0 or above"),
            (
                "r_drop",
                self.r_drop == 0.0 || self.r_drop > 0.0 && self.r_drop.is_finite() && self.dropout_256ths > 0,
                "0 or above, with dropout_256ths above 0",
            ),
            ("noise", (0.0..=1.0).contains(&self.noise), "from 0 to 1"),
            ("average_decay", (0.0..1.0).contains(&self.average_decay), "from 0 to below 1"),
            ("warmup", (0.0..1.0).contains(&self.warmup), "from 0 to below 1"),
            ("clip_norm", self.clip_norm > 0.0, "above 0"),
        ];
        if let Some((name, _)) = self.page.and_then(|page| page.wrong_size()) {
            return Err(TrainError::InvalidSetting { name, expected: PageConfig::EXPECTED });
        }
        match rules.into_iter().find(|rule| !rule.1) {
            Some((name, _, expected)) => Err(TrainError::InvalidSetting { name, expected }),
            None => Ok(()),
        }
    }

    /// `source_label_share` for labels, `[labels]`.
    ///
    /// # Errors
    /// [`TrainError::InvalidSetting`] unless it is null or there is a share for each label.
    pub(super) fn label_shares(&self, labels: &LabelSet) -> Result<Vec<f32>, TrainError> {
        match &self.source_label_share {
            Some(shares) if shares.len() == labels.len() => Ok(shares.clone()),
            Some(_) => {
                Err(TrainError::InvalidSetting { name: "source_label_share", expected: "a share for each label" })
            }
            None if *labels == LabelSet::copydesk() => Ok(vec![0.3, 0.2, 0.6, 0.5, 0.5]),
            None => Ok(vec![0.5; labels.len()]),
        }
    }

    /// Whether a run with so many rows in its two stages makes a step at all.
    ///
    /// # Errors
    /// [`TrainError::NothingToTrain`].
    pub fn check_rows(&self, weak: usize, annotated: usize) -> Result<(), TrainError> {
        let steps = self.weak_epochs.min(weak) + self.epochs.min(annotated);
        if steps == 0 { Err(TrainError::NothingToTrain) } else { Ok(()) }
    }
}
