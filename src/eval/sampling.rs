//! The grouping of rows into units that are drawn together.

use std::collections::HashMap;

/// For every row, the number of the unit it belongs to, and how many units there are.
///
/// Rows that name the same document share a unit; a row without a document is a unit of its own. Units are numbered in
/// the order in which they first appear.
pub(crate) fn group_by_document<'a>(documents: impl Iterator<Item = Option<&'a str>>) -> (Vec<usize>, usize) {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut units = 0;
    let assigned = documents
        .map(|document| {
            let number = match document {
                Some(document) => *numbers.entry(document).or_insert(units),
                None => units,
            };
            units = units.max(number + 1);
            number
        })
        .collect();
    (assigned, units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_a_document_stand_alone() {
        let documents = [Some("a"), None, Some("b"), Some("a"), None];
        assert_eq!(group_by_document(documents.into_iter()), (vec![0, 1, 2, 0, 3], 4));
        assert_eq!(group_by_document(std::iter::empty()), (vec![], 0));
    }
}
