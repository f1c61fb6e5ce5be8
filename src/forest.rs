//! Trees that vote: each asks one fact after the other and ends in a number; the numbers add up.

#![forbid(unsafe_code)]

use safetensors::tensor::{Dtype, SafeTensors};

/// Boosted regression trees.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forest {
    /// The first question of each tree; a tree of a single value has the value's place as [`Question::next`] has it.
    pub roots: Vec<i32>,
    /// Questions of all trees.
    pub questions: Vec<Question>,
    /// Ends of all trees.
    pub values: Vec<f32>,
}

/// One question of a tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Question {
    /// The fact that is asked.
    pub fact: u16,
    /// Up to this value the first way is taken, above it, and for what is no number, the second.
    pub bound: f32,
    /// The next question; below 0 the value at `-1 - next`. A question comes after the one that leads to it.
    pub next: [i32; 2],
}

/// Why a file holds no such model.
#[derive(Debug, thiserror::Error)]
pub enum ForestError {
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

/// The elements of a tensor, each of `N` bytes.
fn elements<const N: usize>(
    tensors: &SafeTensors<'_>,
    name: &'static str,
    dtype: Dtype,
) -> Result<Vec<[u8; N]>, ForestError> {
    let tensor = tensors.tensor(name)?;
    if tensor.dtype() != dtype {
        return Err(ForestError::Tensor { name, expected: "of the type that is written" });
    }
    Ok(tensor.data().as_chunks::<N>().0.to_vec())
}

/// A tensor of 32-bit floats.
///
/// # Errors
/// Where there is none of that name and type.
pub fn floats(tensors: &SafeTensors<'_>, name: &'static str) -> Result<Vec<f32>, ForestError> {
    Ok(elements(tensors, name, Dtype::F32)?.into_iter().map(f32::from_le_bytes).collect())
}

/// The bytes of a file that holds weights and trees.
#[cfg(feature = "train")]
pub fn to_bytes(weights: &[(&'static str, &[f32])], forest: &Forest) -> Vec<u8> {
    let floats = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let integers = |values: &[i32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let questions = &forest.questions;
    let bounds: Vec<f32> = questions.iter().map(|question| question.bound).collect();
    let next: Vec<i32> = questions.iter().flat_map(|question| question.next).collect();
    let asked = questions.iter().flat_map(|question| question.fact.to_le_bytes()).collect();
    let mut parts = vec![
        ("trees.bound", Dtype::F32, vec![bounds.len()], floats(&bounds)),
        ("trees.fact", Dtype::U16, vec![bounds.len()], asked),
        ("trees.next", Dtype::I32, vec![bounds.len(), 2], integers(&next)),
        ("trees.root", Dtype::I32, vec![forest.roots.len()], integers(&forest.roots)),
        ("trees.value", Dtype::F32, vec![forest.values.len()], floats(&forest.values)),
    ];
    parts.extend(weights.iter().map(|(name, values)| (*name, Dtype::F32, vec![values.len()], floats(values))));
    let views = parts.iter().map(|(name, dtype, shape, bytes)| {
        let view = safetensors::tensor::TensorView::new(*dtype, shape.clone(), bytes);
        (*name, view.expect("the bytes were counted; this is a bug"))
    });
    safetensors::serialize(views, None).expect("tensors of known sizes can be written; this is a bug")
}

impl Forest {
    /// The trees of a file, `trees.bound`, `trees.fact`, `trees.next`, `trees.root` and `trees.value`. Whether they lead anywhere is asked by
    /// [`Forest::fault`].
    ///
    /// # Errors
    /// Tensors that are missing, of another type, or do not belong together.
    pub fn from_tensors(tensors: &SafeTensors<'_>) -> Result<Forest, ForestError> {
        let integers = |name| {
            let values = elements(tensors, name, Dtype::I32)?;
            Ok::<Vec<i32>, ForestError>(values.into_iter().map(i32::from_le_bytes).collect())
        };
        let (bounds, next) = (floats(tensors, "trees.bound")?, integers("trees.next")?);
        let asked = elements(tensors, "trees.fact", Dtype::U16)?;
        if asked.len() != bounds.len() || next.len() != 2 * bounds.len() {
            return Err(ForestError::Tensor { name: "trees.next", expected: "two places for each question" });
        }
        let questions = asked.into_iter().zip(bounds).zip(next.chunks_exact(2)).map(|((fact, bound), next)| Question {
            fact: u16::from_le_bytes(fact),
            bound,
            next: [next[0], next[1]],
        });
        let questions = questions.collect();
        Ok(Forest { roots: integers("trees.root")?, questions, values: floats(tensors, "trees.value")? })
    }

    /// The first rule that the trees break, for facts of some width.
    pub fn fault(&self, width: usize) -> Option<&'static str> {
        let place = |next: i32, least: usize| match usize::try_from(next) {
            Ok(question) => (least..self.questions.len()).contains(&question),
            Err(_) => ((-1 - i64::from(next)) as usize) < self.values.len(),
        };
        if !self.roots.iter().all(|&root| place(root, 0)) {
            return Some("a tree begins with a question or a value that is there");
        }
        let sound = |(index, question): (usize, &Question)| {
            usize::from(question.fact) < width && question.next.iter().all(|&next| place(next, index + 1))
        };
        if !self.questions.iter().enumerate().all(sound) {
            return Some("a question leads to a later one or to a value, and asks a fact that is there");
        }
        None
    }

    /// The sum as a probability.
    pub fn probability(&self, facts: &[f32]) -> f32 {
        1.0 / (1.0 + (-self.sum(facts)).exp())
    }

    /// The sum of what the trees say of one row of facts.
    pub fn sum(&self, facts: &[f32]) -> f32 {
        let mut sum = 0.0;
        for &root in &self.roots {
            let mut at = root;
            while let Ok(index) = usize::try_from(at) {
                let question = &self.questions[index];
                // A fact that is no number goes the second way.
                let first = facts[usize::from(question.fact)] <= question.bound;
                at = question.next[usize::from(!first)];
            }
            sum += self.values[(-1 - at) as usize];
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forest() -> Forest {
        let question = |fact, bound, next| Question { fact, bound, next };
        Forest {
            roots: vec![0, -1],
            questions: vec![question(0, 0.5, [-1, 1]), question(1, 2.0, [-2, -3])],
            values: vec![1.0, 10.0, 100.0],
        }
    }

    #[test]
    fn trees_add_up() {
        let forest = forest();
        assert_eq!(forest.fault(2), None);
        assert_eq!(forest.sum(&[0.5, 9.0]), 2.0);
        assert_eq!(forest.sum(&[0.6, 2.0]), 11.0);
        assert_eq!(forest.sum(&[0.6, 2.1]), 101.0);
        assert_eq!(forest.sum(&[f32::NAN, f32::NAN]), 101.0);
    }

    #[test]
    fn trees_that_lead_nowhere_or_in_a_circle_are_seen() {
        assert!(forest().fault(1).is_some());
        for next in [[0, -1], [1, -1], [2, -1], [-1, -4], [i32::MIN, -1]] {
            let mut forest = forest();
            forest.questions[1].next = next;
            assert!(forest.fault(2).is_some(), "{next:?}");
        }
        let broken = Forest { roots: vec![0], ..Forest::default() };
        assert!(broken.fault(2).is_some());
    }
}
