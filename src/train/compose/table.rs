//! How many rows were composed, and what was left out and why.

use super::target::best;
use super::{ComposedRow, Part};
use crate::label::LabelSet;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What was left out, by part and reason.
#[derive(Default)]
pub(super) struct LeftOut(BTreeMap<(Part, &'static str), usize>);

impl LeftOut {
    pub fn add(&mut self, part: Part, reason: &'static str, count: usize) {
        *self.0.entry((part, reason)).or_default() += count;
    }
}

/// The table of rows by part and label, and the list of what was left out.
pub(super) fn table(rows: &[ComposedRow], left_out: &LeftOut) -> String {
    let mut counts: BTreeMap<Part, [usize; 5]> = BTreeMap::new();
    for row in rows {
        counts.entry(row.part).or_default()[best(&row.target)] += 1;
    }
    let labels = LabelSet::copydesk();
    let mut table = format!("{:<14}", "part");
    let line = |table: &mut String, name: &str, counts: &[usize; 5]| {
        let _ = write!(table, "{name:<14}");
        for (label, count) in labels.iter().zip(counts) {
            let _ = write!(table, "{count:>width$}", width = label.as_str().len() + 2);
        }
        let _ = writeln!(table, "{:>8}", counts.iter().sum::<usize>());
    };
    for label in labels.iter() {
        let _ = write!(table, "{label:>width$}", width = label.as_str().len() + 2);
    }
    let _ = writeln!(table, "{:>8}", "all");
    let mut all = [0; 5];
    for (part, counts) in &counts {
        line(&mut table, part.as_str(), counts);
        all.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    line(&mut table, "all", &all);
    for ((part, reason), count) in left_out.0.iter().filter(|(_, count)| **count > 0) {
        let _ = writeln!(table, "left out of {}: {count} {reason}", part.as_str());
    }
    table
}
