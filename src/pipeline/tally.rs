//! What was done, in numbers.

use crate::corpus::PassedOver;
use crate::label::LabelId;
use serde::{Deserialize, Serialize};

/// Counts over everything that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// Text files, and records that were split into paragraphs.
    pub documents: u64,
    /// Paragraphs or records with each label, up to the last label that one has.
    pub labels: Vec<u64>,
    /// Labelled rows that were read for what is made of them.
    pub rows: u64,
    /// Paragraphs or records whose confidence was too low for a label.
    pub unlabelled: u64,
    /// Paragraphs, records or rows that were asked not to come out.
    pub left_out: u64,
    /// Inputs, records and paragraphs that were set aside.
    pub failed: u64,
    /// Lines that were not UTF-8 and were read as windows-1252.
    pub decoded: u64,
    /// Records that were separated as spam.
    pub spam: u64,
    /// Records that somebody is to look at: neither spam nor plainly genuine.
    #[serde(default)]
    pub review: u64,
    /// Records without a text that can be judged, kept with the genuine ones.
    pub unjudged: u64,
    /// Sources of which all was read in an encoding that nobody named.
    pub guessed: u64,
    /// Records of archives that hold nothing to label.
    pub passed_over: PassedOver,
}

impl Tally {
    /// Paragraphs or records that the model answered for, and rows that were used, those left out included.
    pub fn done(&self) -> u64 {
        self.labels.iter().sum::<u64>() + self.unlabelled + self.left_out + self.rows
    }

    /// Counts a paragraph or a record, with its label or without one.
    pub fn count(&mut self, label: Option<LabelId>) {
        match label {
            Some(label) => self.add_label(label.index(), 1),
            None => self.unlabelled += 1,
        }
    }

    fn add_label(&mut self, label: usize, count: u64) {
        if self.labels.len() <= label {
            self.labels.resize(label + 1, 0);
        }
        self.labels[label] += count;
    }

    /// Adds the counts of another part of the work.
    pub fn add(&mut self, other: &Tally) {
        self.documents += other.documents;
        other.labels.iter().enumerate().for_each(|(label, &count)| self.add_label(label, count));
        self.rows += other.rows;
        self.unlabelled += other.unlabelled;
        self.left_out += other.left_out;
        self.failed += other.failed;
        self.decoded += other.decoded;
        self.spam += other.spam;
        self.review += other.review;
        self.unjudged += other.unjudged;
        self.guessed += other.guessed;
        self.passed_over.add(other.passed_over);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_parts_add_up_whatever_labels_they_saw() {
        let mut sum = Tally::default();
        for labels in [vec![0, 0, 3], vec![1], vec![]] {
            let mut part = Tally { documents: 1, unlabelled: 1, left_out: 2, ..Tally::default() };
            for label in labels {
                part.count(Some(LabelId::at(label)));
            }
            sum.add(&part);
        }
        assert_eq!(
            sum,
            Tally { documents: 3, labels: vec![2, 1, 0, 1], unlabelled: 3, left_out: 6, ..Tally::default() }
        );
        assert_eq!(sum.done(), 13);
    }
}
