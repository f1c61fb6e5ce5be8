//! Accuracy for each value of a field of the rows.

use super::JudgedRow;
use super::bootstrap::{BootstrapOptions, Estimate, Totals, Units, estimate};
use super::evaluation::outcomes;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The accuracy for each value of one field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct FieldAccuracy {
    /// The field.
    pub field: String,
    /// Each value by itself, the one with most rows first.
    pub groups: Vec<GroupAccuracy>,
}

/// The accuracy on the rows that have one value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct GroupAccuracy {
    /// The value; `null` for rows without the field.
    pub value: Option<String>,
    /// Rows that have the value.
    pub rows: u64,
    /// What the bootstrap drew from. With few units the interval says little.
    pub units: u64,
    /// Share of rows whose most probable label is the gold label.
    pub accuracy: Estimate,
}

/// Measures the rows of each value of `field`. `values` holds the value of each row, in the order of `rows`.
///
/// # Panics
///
/// If there are more or fewer values than rows.
pub fn accuracy_by(
    field: &str,
    values: &[Option<&str>],
    rows: &[JudgedRow],
    bootstrap: &BootstrapOptions,
) -> FieldAccuracy {
    assert_eq!(values.len(), rows.len(), "each row must have one value");
    let mut groups: HashMap<Option<&str>, Vec<&JudgedRow>> = HashMap::new();
    for (&value, row) in values.iter().zip(rows) {
        groups.entry(value).or_default().push(row);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_unstable_by(|left, right| right.1.len().cmp(&left.1.len()).then(left.0.cmp(&right.0)));
    let groups = groups.into_iter().filter_map(|(value, rows)| GroupAccuracy::of(value, &rows, bootstrap));
    FieldAccuracy { field: field.to_owned(), groups: groups.collect() }
}

impl GroupAccuracy {
    /// `None` without rows.
    fn of(value: Option<&str>, rows: &[&JudgedRow], bootstrap: &BootstrapOptions) -> Option<GroupAccuracy> {
        let labels = rows.first()?.scores.labels().len();
        let units = Units::new(labels, &outcomes(rows), bootstrap.resampling);
        let estimates = estimate(&units, bootstrap, &[&|totals: &Totals| totals.counts.accuracy()]);
        Some(GroupAccuracy {
            value: value.map(str::to_owned),
            rows: rows.len() as u64,
            units: units.len() as u64,
            accuracy: estimates[0]?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::{EvalOptions, evaluate};
    use crate::label::built_in::{OPINION, OTHER, scores};

    fn row(right: bool, doc: usize) -> JudgedRow {
        JudgedRow {
            gold: if right { OPINION } else { OTHER },
            scores: scores([0.1, 0.6, 0.1, 0.1, 0.1]),
            confidence: None,
            source: None,
            doc: Some(doc.to_string()),
        }
    }

    #[test]
    fn each_value_is_measured_by_itself() {
        let rows: Vec<JudgedRow> = (0..40).map(|index| row(index % 4 > 0, index / 2)).collect();
        let values: Vec<Option<&str>> = (0..40)
            .map(|index| match index {
                0..10 => Some("verse"),
                10..30 => Some("thread"),
                30..38 => None,
                _ => Some("alone"),
            })
            .collect();
        let by = accuracy_by("kind", &values, &rows, &BootstrapOptions::default());
        assert_eq!(by.field, "kind");
        let seen: Vec<_> = by
            .groups
            .iter()
            .map(|group| (group.value.as_deref(), group.rows, group.units, group.accuracy.value))
            .collect();
        let expected = [
            (Some("thread"), 20, 10, 0.75),
            (Some("verse"), 10, 5, 0.7),
            (None, 8, 4, 0.75),
            (Some("alone"), 2, 1, 1.0),
        ];
        assert_eq!(seen, expected);
        let thread = by.groups[0].accuracy;
        assert!(thread.low.unwrap() < 0.75 && thread.high.unwrap() > 0.75, "{thread:?}");
        assert_eq!(by.groups[3].accuracy.low, None, "one page gives no interval");
    }

    #[test]
    fn one_value_for_all_rows_gives_the_figures_of_all_rows() {
        let rows: Vec<JudgedRow> = (0..60).map(|index| row(index % 3 > 0, index / 4)).collect();
        let evaluation = evaluate(&rows, &EvalOptions::default()).unwrap();
        let by = accuracy_by("part", &vec![Some("held"); 60], &rows, &evaluation.bootstrap);
        assert_eq!(by.groups.len(), 1);
        assert_eq!((by.groups[0].accuracy, by.groups[0].units), (evaluation.all.accuracy, evaluation.all.units));
    }
}
