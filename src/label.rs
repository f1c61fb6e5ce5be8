//! Labels and the probabilities given to them.
//!
//! Which labels there are is the model's affair: a [`LabelSet`] is read from its `config.json`. A [`LabelId`] is a
//! position in such a set, a [`Label`] a name.

#![forbid(unsafe_code)]

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

/// The fewest and the most labels that a set may have.
pub const LABEL_COUNTS: std::ops::RangeInclusive<usize> = 2..=1000;

/// Name of the built-in models' label for spam.
pub const COMMENT_SPAM: &str = "comment_spam";

/// Name of the built-in models' label for page furniture.
pub const OTHER: &str = "other";

/// Name of the built-in models' label for a writer's own view; in files of comments it marks the genuine ones.
pub const OPINION: &str = "opinion";

/// Probability that no label of a text exceeds which is not English or cannot be read.
pub(crate) const MOST_IN_DOUBT: f32 = 0.5;

/// Labels that a message lists before it cuts the list.
const MOST_LISTED: usize = 10;

/// The name of a label: not empty, without control characters. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(Arc<str>);

impl Label {
    /// A label of that name.
    ///
    /// # Errors
    /// [`LabelSetError::EmptyName`] and [`LabelSetError::ControlCharacter`].
    pub fn new(name: &str) -> Result<Label, LabelSetError> {
        if name.trim().is_empty() {
            return Err(LabelSetError::EmptyName);
        }
        if name.chars().any(char::is_control) {
            return Err(LabelSetError::ControlCharacter { got: name.to_owned() });
        }
        Ok(Label(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl AsRef<str> for Label {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Label {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for Label {
    fn eq(&self, name: &str) -> bool {
        self.as_str() == name
    }
}

impl PartialEq<&str> for Label {
    fn eq(&self, name: &&str) -> bool {
        self.as_str() == *name
    }
}

impl Serialize for Label {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Label, D::Error> {
        Label::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Position of a label in its set and in every row of logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LabelId(u16);

impl LabelId {
    /// The position, below the number of labels.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The label at a position, which must be below the number of labels and so fits 16 bits.
    pub(crate) const fn at(index: usize) -> LabelId {
        LabelId(index as u16)
    }
}

/// The labels of a model, in the order of its outputs: 2 to 1,000 names that differ. Cheap to clone.
///
/// Two sets are equal if they have the same names in the same order.
#[derive(Clone)]
pub struct LabelSet(Arc<Names>);

struct Names {
    labels: Vec<Label>,
    ids: HashMap<Label, LabelId>,
}

/// Why names are no set of labels.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelSetError {
    /// There are too few or too many.
    #[error("expected {} to {} labels, got {got}", LABEL_COUNTS.start(), LABEL_COUNTS.end())]
    LabelCount {
        /// How many there are.
        got: usize,
    },
    /// A name has no characters but spaces.
    #[error("expected a name for every label, got an empty one")]
    EmptyName,
    /// A name could steer a terminal.
    #[error("expected names without control characters, got {got:?}")]
    ControlCharacter {
        /// The name.
        got: String,
    },
    /// Two labels have one name.
    #[error("expected names that differ, got `{got}` twice")]
    RepeatedName {
        /// The name.
        got: String,
    },
}

/// A name that is none of a set's labels.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown label `{got}`, expected one of: {expected}")]
pub struct UnknownLabel {
    /// The labels there are, the first of them if they are many.
    pub expected: String,
    /// The name as it was given.
    pub got: String,
}

impl LabelSet {
    /// The labels of these names, in this order.
    ///
    /// # Errors
    /// [`LabelSetError`], named after the broken rule.
    pub fn new<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Result<LabelSet, LabelSetError> {
        let labels = names.into_iter().map(|name| Label::new(name.as_ref())).collect::<Result<Vec<_>, _>>()?;
        if !LABEL_COUNTS.contains(&labels.len()) {
            return Err(LabelSetError::LabelCount { got: labels.len() });
        }
        let mut ids = HashMap::with_capacity(labels.len());
        for (index, label) in labels.iter().enumerate() {
            if ids.insert(label.clone(), LabelId::at(index)).is_some() {
                return Err(LabelSetError::RepeatedName { got: label.to_string() });
            }
        }
        Ok(LabelSet(Arc::new(Names { labels, ids })))
    }

    /// The labels of the built-in models, in the order of their outputs:
    ///
    /// | name | what a paragraph does in its page |
    /// |---|---|
    /// | `reporting` | an account of events or facts, told in the writer's own words without arguing for a view |
    /// | `opinion` | the writer's own view: evaluation, argument, advice, a reader's reaction |
    /// | `comment_spam` | text placed to promote, sell or draw clicks, unrelated to the page it stands on |
    /// | `quotation` | more than half of the words are somebody else's, reproduced verbatim |
    /// | `other` | none of the four: bylines, captions, navigation, notices, headlines |
    pub fn copydesk() -> LabelSet {
        static BUILT_IN: LazyLock<LabelSet> = LazyLock::new(|| {
            LabelSet::new(["reporting", OPINION, COMMENT_SPAM, "quotation", OTHER])
                .expect("the built-in names differ; this is a bug")
        });
        BUILT_IN.clone()
    }

    /// Number of labels, the width of every row of logits: `[paragraphs, labels]`.
    #[allow(clippy::len_without_is_empty, reason = "no set is empty")]
    pub fn len(&self) -> usize {
        self.0.labels.len()
    }

    /// The labels in output order.
    pub fn iter(&self) -> std::slice::Iter<'_, Label> {
        self.0.labels.iter()
    }

    /// Their positions in output order.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = LabelId> + use<> {
        (0..self.len()).map(LabelId::at)
    }

    /// The name of a label.
    ///
    /// # Panics
    /// If `id` is a position of a larger set.
    pub fn name(&self, id: LabelId) -> &str {
        self.0.labels[id.index()].as_str()
    }

    /// A label.
    ///
    /// # Panics
    /// If `id` is a position of a larger set.
    pub fn label(&self, id: LabelId) -> Label {
        self.0.labels[id.index()].clone()
    }

    /// The position of a name; `None` if no label has it.
    pub fn id(&self, name: &str) -> Option<LabelId> {
        self.0.ids.get(name).copied()
    }

    /// The position of a name.
    ///
    /// # Errors
    /// [`UnknownLabel`] if no label has it.
    pub fn require(&self, name: &str) -> Result<LabelId, UnknownLabel> {
        self.id(name).ok_or_else(|| UnknownLabel { expected: self.list(), got: name.to_owned() })
    }

    /// The names for a message, cut where they are many.
    pub fn list(&self) -> String {
        let names: Vec<&str> = self.iter().take(MOST_LISTED).map(Label::as_str).collect();
        let all = names.join(", ");
        if self.len() > MOST_LISTED { format!("{all}, … ({} in all)", self.len()) } else { all }
    }

    /// For each of these labels its position in `other`; `None` unless both sets have the same names.
    pub fn positions_in(&self, other: &LabelSet) -> Option<Vec<LabelId>> {
        if self.len() != other.len() {
            return None;
        }
        self.iter().map(|label| other.id(label.as_str())).collect()
    }
}

impl PartialEq for LabelSet {
    fn eq(&self, other: &LabelSet) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.labels == other.0.labels
    }
}

impl Eq for LabelSet {}

impl fmt::Debug for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'set> IntoIterator for &'set LabelSet {
    type Item = &'set Label;
    type IntoIter = std::slice::Iter<'set, Label>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Serialize for LabelSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl<'de> Deserialize<'de> for LabelSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<LabelSet, D::Error> {
        LabelSet::new(Vec::<String>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A probability for every label of a set, in its order; together they are 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    labels: LabelSet,
    values: Box<[f32]>,
}

impl Scores {
    /// Scores with these probabilities, in the order of `labels`.
    ///
    /// # Panics
    /// Unless there are as many values as labels.
    pub fn new(labels: &LabelSet, values: impl Into<Box<[f32]>>) -> Scores {
        let (labels, values) = (labels.clone(), values.into());
        assert_eq!(values.len(), labels.len(), "there must be as many scores as labels");
        Scores { labels, values }
    }

    /// Softmax of one row of logits, computed in f64 so that the result depends on nothing but the row.
    ///
    /// # Panics
    /// Unless there are as many logits as labels.
    pub fn from_logits(labels: &LabelSet, logits: &[f32]) -> Scores {
        Scores::new(labels, softmax(logits.iter().copied()))
    }

    /// Softmax of `logits / temperature`, as [`Scores::from_logits`].
    ///
    /// # Panics
    /// Unless there are as many logits as labels.
    pub fn at_temperature(labels: &LabelSet, logits: &[f32], temperature: f32) -> Scores {
        Scores::new(labels, softmax(logits.iter().map(|logit| logit / temperature)))
    }

    /// Softmax of a weighted sum of two rows of logits, as [`Scores::from_logits`].
    ///
    /// # Panics
    /// Unless each row has as many logits as there are labels.
    pub fn from_mixture(labels: &LabelSet, [first, second]: [&[f32]; 2], weights: [f32; 2]) -> Scores {
        assert_eq!(first.len(), second.len(), "both rows must have a logit for each label");
        let mixed = first.iter().zip(second).map(|(first, second)| weights[0] * first + weights[1] * second);
        Scores::new(labels, softmax(mixed))
    }

    /// The same with these probabilities for some of the labels; the others share what is left, in proportion.
    ///
    /// # Panics
    /// If a label is beyond the scores.
    pub(crate) fn with(&self, fixed: &[(LabelId, f32)]) -> Scores {
        let is_fixed = |index: usize| fixed.iter().any(|(label, _)| label.index() == index);
        let sum = |values: &mut dyn Iterator<Item = f32>| values.map(f64::from).sum::<f64>();
        let left = (1.0 - sum(&mut fixed.iter().map(|(_, value)| *value))).max(0.0);
        let others: Vec<usize> = (0..self.values.len()).filter(|&index| !is_fixed(index)).collect();
        let total = sum(&mut others.iter().map(|&index| self.values[index]));
        let mut values = self.values.clone();
        for &index in &others {
            let share = if total > 0.0 { f64::from(self.values[index]) / total } else { 1.0 / others.len() as f64 };
            values[index] = (share * left) as f32;
        }
        fixed.iter().for_each(|(label, value)| values[label.index()] = *value);
        Scores { labels: self.labels.clone(), values }
    }

    /// The labels that the probabilities are of.
    pub fn labels(&self) -> &LabelSet {
        &self.labels
    }

    /// The probabilities, in the order of the labels.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The most probable label and its probability; the first of equals.
    pub fn best(&self) -> (LabelId, f32) {
        best_of(&self.values)
    }

    /// The name of the most probable label and its probability; the first of equals.
    pub fn best_label(&self) -> (Label, f32) {
        let (best, probability) = self.best();
        (self.labels.label(best), probability)
    }

    /// The probability of one label.
    ///
    /// # Panics
    /// If `label` is a position of a larger set.
    pub fn get(&self, label: LabelId) -> f32 {
        self.values[label.index()]
    }

    /// The probability of the label of a name; `None` if there is none.
    pub fn of(&self, name: &str) -> Option<f32> {
        self.labels.id(name).map(|label| self.get(label))
    }

    /// Every label with its probability, in the order of the labels.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Label, f32)> {
        self.labels.iter().zip(self.values.iter().copied())
    }

    /// Leaves a label out: its probability becomes 0 and the remaining ones are scaled to sum to 1.
    ///
    /// Where the others have no mass at all, they get equal shares.
    ///
    /// # Panics
    /// If `label` is a position of a larger set.
    pub fn without(&self, label: LabelId) -> Scores {
        let mut values = self.values.clone();
        values[label.index()] = 0.0;
        let sum: f32 = values.iter().sum();
        if sum > 0.0 {
            values.iter_mut().for_each(|score| *score /= sum);
        } else {
            let share = 1.0 / (values.len() - 1) as f32;
            values.fill(share);
            values[label.index()] = 0.0;
        }
        Scores { labels: self.labels.clone(), values }
    }

    /// The probabilities of a text that the model cannot know: drawn towards equal shares until none exceeds
    /// [`MOST_IN_DOUBT`], or all are equal. Their order stays.
    pub(crate) fn in_doubt(&self) -> Scores {
        let share = 1.0 / self.values.len() as f32;
        let highest = best_of(&self.values).1;
        if highest <= MOST_IN_DOUBT {
            return self.clone();
        }
        let kept = ((MOST_IN_DOUBT - share) / (highest - share)).max(0.0);
        let values = self.values.iter().map(|score| share + (score - share) * kept).collect();
        Scores { labels: self.labels.clone(), values }
    }
}

/// The largest of some scores or logits and its position; the first of equals.
///
/// # Panics
/// If there are none.
pub(crate) fn best_of(values: &[f32]) -> (LabelId, f32) {
    let mut best = (0, values[0]);
    for (index, &value) in values.iter().enumerate().skip(1) {
        if value > best.1 {
            best = (index, value);
        }
    }
    (LabelId::at(best.0), best.1)
}

fn softmax(logits: impl Iterator<Item = f32> + Clone) -> Vec<f32> {
    let max = logits.clone().fold(f32::NEG_INFINITY, f32::max);
    let exp: Vec<f64> = logits.map(|logit| f64::from(logit - max).exp()).collect();
    let sum: f64 = exp.iter().sum();
    exp.into_iter().map(|value| (value / sum) as f32).collect()
}

/// How sure an annotator was, 1 a coin toss, 2 leaning, 3 sure; `None` for any other number. Other people's `confidence` may
/// be a probability, which says nothing on this scale.
pub fn annotator_confidence(value: f64) -> Option<u8> {
    [1, 2, 3].into_iter().find(|&confidence| f64::from(confidence) == value)
}

/// Positions of the built-in labels, for tests.
#[cfg(test)]
pub(crate) mod built_in {
    use super::LabelId;

    pub(crate) const REPORTING: LabelId = LabelId::at(0);
    pub(crate) const OPINION: LabelId = LabelId::at(1);
    pub(crate) const COMMENT_SPAM: LabelId = LabelId::at(2);
    pub(crate) const QUOTATION: LabelId = LabelId::at(3);
    pub(crate) const OTHER: LabelId = LabelId::at(4);
    pub(crate) const ALL: [LabelId; 5] = [REPORTING, OPINION, COMMENT_SPAM, QUOTATION, OTHER];

    /// Scores of the built-in labels.
    pub(crate) fn scores(values: [f32; 5]) -> super::Scores {
        super::Scores::new(&super::LabelSet::copydesk(), values)
    }
}

#[cfg(test)]
mod tests;
