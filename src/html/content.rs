//! Whether a block belongs to its page's main content.

use super::bag::{BUCKETS, bag, bag_scores};
use super::context::{CONTEXT, Context};
use super::facts::{facts, width};
use super::forest::{Forest, Question};
use super::reader::Section;
use safetensors::tensor::{Dtype, SafeTensors};
use std::sync::OnceLock;

/// The one model that is compiled into the library.
static EMBEDDED: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/content/model.safetensors"));

/// Names of the tensors of both rounds of trees.
const FIRST: [&str; 5] = ["first.bound", "first.fact", "first.next", "first.root", "first.value"];
const SECOND: [&str; 5] = ["second.bound", "second.fact", "second.next", "second.root", "second.value"];

/// Judges blocks: weights of the names and words around them, and trees over their facts.
#[derive(Clone, Debug, PartialEq)]
pub struct ContentModel {
    /// What each place of the hashed table says, `[BUCKETS]`.
    weights: Vec<f32>,
    /// Judges by the facts alone.
    first: Forest,
    /// Judges again, knowing what the first said of the blocks around.
    second: Forest,
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
    pub fn new(weights: Vec<f32>, first: Forest, second: Forest) -> Result<ContentModel, ContentModelError> {
        if weights.len() != BUCKETS {
            return Err(ContentModelError::Tensor { name: "bag.weight", expected: "one number for each bucket" });
        }
        match first.fault(width()).or(second.fault(width() + CONTEXT)) {
            Some(rule) => Err(ContentModelError::Trees(rule)),
            None => Ok(ContentModel { weights, first, second }),
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
        let (mut first, mut rows) = (Vec::with_capacity(scores.len()), Vec::new());
        facts(section, &scores, &mut |row| {
            first.push(self.first.probability(row));
            rows.extend_from_slice(row);
        });
        let context = Context::new(section, &first);
        let mut row = Vec::new();
        let judge = |(index, facts): (usize, &[f32])| {
            row.clear();
            row.extend_from_slice(facts);
            context.push(index, &mut row);
            self.second.probability(&row)
        };
        rows.chunks_exact(width()).enumerate().map(judge).collect()
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
        let forest = |names: [&'static str; 5]| {
            let (bounds, next) = (floats(names[0])?, integers(names[2])?);
            let facts: Vec<u16> = {
                let values = numbers(names[1], Dtype::U16, 2)?;
                values.iter().map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]])).collect()
            };
            if facts.len() != bounds.len() || next.len() != 2 * bounds.len() {
                return Err(ContentModelError::Tensor { name: names[2], expected: "two places for each question" });
            }
            let questions = facts.iter().zip(bounds).zip(next.chunks_exact(2));
            let questions =
                questions.map(|((&fact, bound), next)| Question { fact, bound, next: [next[0], next[1]] }).collect();
            Ok(Forest { roots: integers(names[3])?, questions, values: floats(names[4])? })
        };
        ContentModel::new(floats("bag.weight")?, forest(FIRST)?, forest(SECOND)?)
    }

    /// The bytes of its file.
    #[cfg(any(test, feature = "train"))]
    pub fn to_bytes(&self) -> Vec<u8> {
        let floats = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let integers = |values: &[i32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let mut parts = vec![("bag.weight", Dtype::F32, vec![BUCKETS], floats(&self.weights))];
        for (names, forest) in [(FIRST, &self.first), (SECOND, &self.second)] {
            let questions = &forest.questions;
            let bounds: Vec<f32> = questions.iter().map(|question| question.bound).collect();
            let next: Vec<i32> = questions.iter().flat_map(|question| question.next).collect();
            let facts = questions.iter().flat_map(|question| question.fact.to_le_bytes()).collect();
            parts.extend([
                (names[0], Dtype::F32, vec![bounds.len()], floats(&bounds)),
                (names[1], Dtype::U16, vec![bounds.len()], facts),
                (names[2], Dtype::I32, vec![bounds.len(), 2], integers(&next)),
                (names[3], Dtype::I32, vec![forest.roots.len()], integers(&forest.roots)),
                (names[4], Dtype::F32, vec![forest.values.len()], floats(&forest.values)),
            ]);
        }
        let views = parts.iter().map(|(name, dtype, shape, bytes)| {
            let view = safetensors::tensor::TensorView::new(*dtype, shape.clone(), bytes);
            (*name, view.expect("the bytes were counted; this is a bug"))
        });
        safetensors::serialize(views, None).expect("tensors of known sizes can be written; this is a bug")
    }
}
