//! Whether a block belongs to its page's main content.

use super::bag::{BUCKETS, bag, bag_scores};
use super::facts::{facts, width};
use super::reader::Section;
use crate::forest::{Forest, ForestError, floats};
use safetensors::SafeTensors;
use std::sync::OnceLock;

/// The one model that is compiled into the library.
static EMBEDDED: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/content/model.safetensors"));

/// Judges blocks: weights of the names and words around them, and trees over their facts.
#[derive(Clone, Debug, PartialEq)]
pub struct ContentModel {
    /// What each place of the hashed table says, `[BUCKETS]`.
    weights: Vec<f32>,
    forest: Forest,
}

impl ContentModel {
    /// Puts a model together.
    ///
    /// # Errors
    /// What does not fit.
    pub fn new(weights: Vec<f32>, forest: Forest) -> Result<ContentModel, ForestError> {
        if weights.len() != BUCKETS {
            return Err(ForestError::Tensor { name: "bag.weight", expected: "one number for each bucket" });
        }
        match forest.fault(width()) {
            Some(rule) => Err(ForestError::Trees(rule)),
            None => Ok(ContentModel { weights, forest }),
        }
    }

    /// The model that is compiled into the library.
    pub fn embedded() -> &'static ContentModel {
        static MODEL: OnceLock<ContentModel> = OnceLock::new();
        MODEL.get_or_init(|| ContentModel::read(EMBEDDED).expect("the embedded model is sound; this is a bug"))
    }

    /// The probability of each block of a section that it is main content, 0 to 1.
    pub fn content(&self, section: &Section) -> Vec<f32> {
        let scores: Vec<[f32; 2]> =
            (0..section.blocks.len()).map(|index| bag_scores(&self.weights, &bag(section, index))).collect();
        let mut content = Vec::with_capacity(scores.len());
        facts(section, &scores, &mut |row| content.push(self.forest.probability(row)));
        content
    }

    /// Reads a model from the bytes of its file.
    ///
    /// # Errors
    /// Whatever is wrong with the file.
    pub fn read(bytes: &[u8]) -> Result<ContentModel, ForestError> {
        let tensors = SafeTensors::deserialize(bytes)?;
        let weights = floats(&tensors, "bag.weight")?;
        ContentModel::new(weights, Forest::from_tensors(&tensors)?)
    }

    /// The bytes of its file.
    #[cfg(feature = "train")]
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::forest::to_bytes(&[("bag.weight", &self.weights)], &self.forest)
    }
}

/// Probability from which a block is sure to count to the main content, whatever stands beside it.
const SURE: f32 = 0.5;

/// The probability from which blocks of a page count to its main content: where the word F1 that their probabilities promise
/// is highest, but at most [`SURE`]. `blocks` are probabilities and words.
///
/// On a page where little is sure, leaving out costs more than taking in, so the threshold is lower than on others.
pub fn threshold(blocks: impl Iterator<Item = (f32, u32)>) -> f32 {
    let mut blocks: Vec<(f32, f32)> = blocks.map(|(content, words)| (content, words as f32)).collect();
    blocks.sort_by(|a, b| b.0.total_cmp(&a.0));
    let expected: f32 = blocks.iter().map(|(content, words)| content * words).sum();
    let (mut best, mut threshold) = (0.0, SURE);
    let (mut taken, mut right) = (0.0, 0.0);
    for (content, words) in blocks {
        taken += words;
        right += content * words;
        let f1 = 2.0 * right / (taken + expected);
        if f1 > best {
            (best, threshold) = (f1, content);
        }
    }
    threshold.min(SURE)
}
