//! Whether a block belongs to its page's main content.

use super::bag::{BUCKETS, bag, bag_scores};
use super::facts::{facts, width};
use super::forest::{Forest, Question};
use super::reader::Section;
use safetensors::tensor::{Dtype, SafeTensors};
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

/// Why a file holds no such model.
#[derive(Debug, thiserror::Error)]
pub enum ContentModelError {
    /// It is no file of tensors.
    #[error("cannot be read as safetensors: {0}")]
    Tensors(#[from] safetensors::SafeTensorError),
    /// A tensor has another size or type.
    #[error("`{name}` must be {expected}")]
    Tensor {
        /// The tensor.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// The trees lead nowhere.
    #[error("{0}: that does not hold")]
    Trees(&'static str),
}

impl ContentModel {
    /// Puts a model together.
    ///
    /// # Errors
    /// What does not fit.
    pub fn new(weights: Vec<f32>, forest: Forest) -> Result<ContentModel, ContentModelError> {
        if weights.len() != BUCKETS {
            return Err(ContentModelError::Tensor { name: "bag.weight", expected: "one number for each bucket" });
        }
        match forest.fault(width()) {
            Some(rule) => Err(ContentModelError::Trees(rule)),
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
    pub fn read(bytes: &[u8]) -> Result<ContentModel, ContentModelError> {
        let tensors = SafeTensors::deserialize(bytes)?;
        let numbers = |name, dtype, size: usize| {
            let tensor = tensors.tensor(name)?;
            if tensor.dtype() != dtype {
                return Err(ContentModelError::Tensor { name, expected: "of the type that is written" });
            }
            Ok(tensor.data().chunks_exact(size).map(<[u8]>::to_vec).collect::<Vec<_>>())
        };
        let four = |bytes: &Vec<u8>| [bytes[0], bytes[1], bytes[2], bytes[3]];
        let floats = |name| {
            let values = numbers(name, Dtype::F32, 4)?;
            Ok::<_, ContentModelError>(values.iter().map(|bytes| f32::from_le_bytes(four(bytes))).collect::<Vec<_>>())
        };
        let integers = |name| {
            let values = numbers(name, Dtype::I32, 4)?;
            Ok::<_, ContentModelError>(values.iter().map(|bytes| i32::from_le_bytes(four(bytes))).collect::<Vec<_>>())
        };
        let (bounds, next) = (floats("trees.bound")?, integers("trees.next")?);
        let asked: Vec<u16> = {
            let values = numbers("trees.fact", Dtype::U16, 2)?;
            values.iter().map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]])).collect()
        };
        if asked.len() != bounds.len() || next.len() != 2 * bounds.len() {
            return Err(ContentModelError::Tensor { name: "trees.next", expected: "two places for each question" });
        }
        let questions = asked.iter().zip(bounds).zip(next.chunks_exact(2));
        let questions =
            questions.map(|((&fact, bound), next)| Question { fact, bound, next: [next[0], next[1]] }).collect();
        let forest = Forest { roots: integers("trees.root")?, questions, values: floats("trees.value")? };
        ContentModel::new(floats("bag.weight")?, forest)
    }

    /// The bytes of its file.
    #[cfg(feature = "train")]
    pub fn to_bytes(&self) -> Vec<u8> {
        let floats = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let integers = |values: &[i32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let questions = &self.forest.questions;
        let bounds: Vec<f32> = questions.iter().map(|question| question.bound).collect();
        let next: Vec<i32> = questions.iter().flat_map(|question| question.next).collect();
        let asked = questions.iter().flat_map(|question| question.fact.to_le_bytes()).collect();
        let parts = [
            ("bag.weight", Dtype::F32, vec![BUCKETS], floats(&self.weights)),
            ("trees.bound", Dtype::F32, vec![bounds.len()], floats(&bounds)),
            ("trees.fact", Dtype::U16, vec![bounds.len()], asked),
            ("trees.next", Dtype::I32, vec![bounds.len(), 2], integers(&next)),
            ("trees.root", Dtype::I32, vec![self.forest.roots.len()], integers(&self.forest.roots)),
            ("trees.value", Dtype::F32, vec![self.forest.values.len()], floats(&self.forest.values)),
        ];
        let views = parts.iter().map(|(name, dtype, shape, bytes)| {
            let view = safetensors::tensor::TensorView::new(*dtype, shape.clone(), bytes);
            (*name, view.expect("the bytes were counted; this is a bug"))
        });
        safetensors::serialize(views, None).expect("tensors of known sizes can be written; this is a bug")
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
