//! How many labelled rows it takes to fit settings of a model.

use super::EvalError;
use super::sampling::group_by_page;
use crate::label::LabelId;
use crate::page::PageKey;

/// Fewest rows that settings are fitted on.
pub const LEAST_ROWS: usize = 50;

/// Fewest pages that those rows stand on: two for each of the usual five folds.
pub const LEAST_PAGES: usize = 10;

/// Refuses rows that are too few, or too much alike, to fit anything on.
///
/// `gold` and `pages` are `[rows]`. A row without a page is a page of its own.
///
/// # Errors
///
/// [`EvalError::TooFewRows`], [`EvalError::TooFewPages`], [`EvalError::OneLabel`].
pub fn check_enough(gold: &[LabelId], pages: &[Option<PageKey<&str>>]) -> Result<(), EvalError> {
    if gold.len() < LEAST_ROWS {
        return Err(EvalError::TooFewRows { expected: LEAST_ROWS, got: gold.len() });
    }
    let (_, got) = group_by_page(pages.iter().copied());
    if got < LEAST_PAGES {
        return Err(EvalError::TooFewPages { expected: LEAST_PAGES, got });
    }
    match gold.iter().all(|label| *label == gold[0]) {
        true => Err(EvalError::OneLabel),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::built_in::{OPINION, OTHER};

    #[test]
    fn few_rows_few_pages_and_a_single_label_are_refused() {
        let gold: Vec<LabelId> = (0..60).map(|row| [OTHER, OPINION][row % 2]).collect();
        let names: Vec<String> = (0..60).map(|row| (row / 7).to_string()).collect();
        let alone = [None; 60];
        assert_eq!(check_enough(&gold, &alone), Ok(()));
        assert_eq!(check_enough(&gold[..40], &alone[..40]), Err(EvalError::TooFewRows { expected: 50, got: 40 }));
        let nine: Vec<_> = names.iter().map(|name| PageKey::new(None, Some(name.as_str()))).collect();
        assert_eq!(check_enough(&gold, &nine), Err(EvalError::TooFewPages { expected: 10, got: 9 }));
        // The same names in two sources are twice as many pages.
        let source = |row: usize| Some(["a", "b"][row % 2]);
        let eighteen: Vec<_> = (0..60).map(|row| PageKey::new(source(row), Some(names[row].as_str()))).collect();
        assert_eq!(check_enough(&gold, &eighteen), Ok(()));
        assert_eq!(check_enough(&[OTHER; 60], &alone), Err(EvalError::OneLabel));
    }
}
