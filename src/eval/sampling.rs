//! The grouping of rows into units that are drawn together.

use crate::page::PageKey;
use std::collections::HashMap;

/// For every row, the number of the unit it belongs to, and how many units there are.
///
/// Rows of the same page share a unit; a row without a page is a unit of its own. Units are numbered in
/// the order in which they first appear.
pub(crate) fn group_by_page<'a>(pages: impl Iterator<Item = Option<PageKey<&'a str>>>) -> (Vec<usize>, usize) {
    let mut numbers: HashMap<PageKey<&str>, usize> = HashMap::new();
    let mut units = 0;
    let assigned = pages
        .map(|page| {
            let number = match page {
                Some(page) => *numbers.entry(page).or_insert(units),
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
    fn rows_without_a_page_stand_alone() {
        let pages = [Some("a"), None, Some("b"), Some("a"), None].map(|doc| PageKey::new(None, doc));
        assert_eq!(group_by_page(pages.into_iter()), (vec![0, 1, 2, 0, 3], 4));
        assert_eq!(group_by_page(std::iter::empty()), (vec![], 0));
    }

    #[test]
    fn pages_of_two_sources_with_one_name_are_two_units() {
        let pages = ["a", "b", "a"].map(|source| PageKey::new(Some(source), Some("1")));
        assert_eq!(group_by_page(pages.into_iter()), (vec![0, 1, 0], 2));
    }
}
