//! What was done, in numbers.

use std::collections::BTreeMap;

/// Counts over everything that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Text files, and records that were split into paragraphs.
    pub documents: u64,
    /// Paragraphs or records with each label, by the label's index.
    pub labels: Vec<u64>,
    /// Paragraphs or records whose confidence was too low for a label.
    pub unlabelled: u64,
    /// Inputs, records and paragraphs that got no answer, by kind.
    pub rejected: BTreeMap<&'static str, u64>,
}

impl Counts {
    /// Paragraphs or records that the model answered for.
    pub fn done(&self) -> u64 {
        self.labels.iter().sum::<u64>() + self.unlabelled
    }

    /// Inputs, records and paragraphs that got no answer.
    pub fn failed(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// Counts a paragraph or a record with the label of an index, or one without a label.
    pub fn count(&mut self, label: Option<usize>) {
        match label {
            Some(label) => {
                self.labels.resize(self.labels.len().max(label + 1), 0);
                self.labels[label] += 1;
            }
            None => self.unlabelled += 1,
        }
    }

    /// Counts something that got no answer.
    pub fn reject(&mut self, kind: &'static str) {
        *self.rejected.entry(kind).or_default() += 1;
    }

    /// Adds the counts of another part of the work.
    pub fn add(&mut self, other: &Counts) {
        self.documents += other.documents;
        self.labels.resize(self.labels.len().max(other.labels.len()), 0);
        self.labels.iter_mut().zip(&other.labels).for_each(|(sum, count)| *sum += count);
        self.unlabelled += other.unlabelled;
        for (kind, count) in &other.rejected {
            *self.rejected.entry(kind).or_default() += count;
        }
    }
}
