//! What is known of a model, for those who ask.

use super::checkpoint;
use super::layout::Layout;
use super::{Classifier, Digest, ModelError, ModelSource};

/// A classifier with what its files say beyond what it needs.
#[derive(Debug)]
pub struct Description {
    /// The model itself.
    pub classifier: Classifier,
    /// The family of its encoder, `model_type` in `config.json`.
    pub family: &'static str,
    /// The activation between the two layers of the feed-forward part.
    pub activation: &'static str,
    /// Why BERT's engine does not run it; `None` where it does.
    pub why_general: Option<String>,
    /// Numbers in `model.safetensors`, without scales.
    pub parameters: u64,
    /// Their types, such as `F32`.
    pub stored_as: Vec<String>,
    /// Size of `model.safetensors`.
    pub weight_bytes: u64,
    /// What tells the model from others.
    pub digest: Digest,
}

impl ModelSource {
    /// Reads a classifier and what its files say.
    ///
    /// # Errors
    /// Those of [`ModelSource::classifier`].
    pub fn describe(&self) -> Result<Description, ModelError> {
        self.with_files(|files| {
            let layout = Layout::from_json(files.config)?;
            let (parameters, stored_as) = checkpoint::tensors(files.weights, &layout)?.numbers();
            Ok(Description {
                classifier: Classifier::from_files(files)?,
                family: layout.architecture.family.name(),
                activation: layout.architecture.activation.name(),
                why_general: layout.architecture.general,
                parameters,
                stored_as,
                weight_bytes: files.weights.len() as u64,
                digest: Digest::of(files)?,
            })
        })
    }

    /// Size of its `model.safetensors`.
    ///
    /// # Errors
    /// [`ModelError`]s about files that are absent.
    pub(crate) fn weight_bytes(&self) -> Result<u64, ModelError> {
        self.with_files(|files| Ok(files.weights.len() as u64))
    }
}
