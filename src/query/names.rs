//! Names of fields, and which are nearly those that every row has.

use super::error::BrokenRule;

/// Fields of a row, beside `scores.LABEL`; all other names are looked up in the record that the row was made of.
pub(crate) const ROW_FIELDS: [&str; 14] = [
    "doc",
    "file",
    "line",
    "paragraph",
    "start",
    "end",
    "label",
    "confidence",
    "tokens",
    "windows",
    "lang",
    "reason",
    "content",
    "text",
];

/// What stands before the label in the name of its score.
const SCORES: &str = "scores";

/// Letters from which on a name is long enough that two wrong letters are a slip and not another word.
const LONG: usize = 8;

/// Letters from which on a letter too many or too few is a slip: `link` is another word than `line`.
const MIDDLING: usize = 5;

/// The label in the name of a score.
pub(super) fn score_label(name: &str) -> Option<&str> {
    name.strip_prefix(SCORES)?.strip_prefix('.')
}

/// Whether a name is that of a row's own field.
pub(super) fn is_row_field(name: &str) -> bool {
    ROW_FIELDS.contains(&name) || score_label(name).is_some()
}

/// Refuses a name that is most likely a slip.
pub(super) fn check(name: &str) -> Result<(), BrokenRule> {
    if name == SCORES {
        return Err(BrokenRule::ScoresAlone);
    }
    if is_row_field(name) {
        return Ok(());
    }
    let expected = match name.split_once('.') {
        None => ROW_FIELDS.iter().find(|field| is_slip(name, field)).map(|field| (*field).to_owned()),
        Some((first, label)) => is_slip(first, SCORES).then(|| format!("{SCORES}.{label}")),
    };
    match expected {
        Some(expected) => Err(BrokenRule::MisspelledField { expected, got: name.to_owned() }),
        None => Ok(()),
    }
}

/// Whether `name` was most likely meant to be `field`. Fields of other people's records must not be taken for slips, such as
/// `stars` for `start`, so of short names only letters in another order or another case count.
fn is_slip(name: &str, field: &str) -> bool {
    if name.eq_ignore_ascii_case(field) {
        return true;
    }
    let (got, expected): (Vec<char>, Vec<char>) = (name.chars().collect(), field.chars().collect());
    if got.len().abs_diff(expected.len()) > 2 {
        return false;
    }
    let swapped = got.len() == expected.len() && {
        let differ: Vec<usize> = (0..got.len()).filter(|&at| got[at] != expected[at]).collect();
        matches!(differ[..], [first, second] if second == first + 1
            && got[first] == expected[second] && got[second] == expected[first])
    };
    let edits = edits(&got, &expected);
    swapped
        || (expected.len() >= MIDDLING && edits == 1 && got.len() != expected.len())
        || (expected.len() >= LONG && edits <= 2)
}

/// Letters to be put in, taken away or replaced to make one word of the other (Levenshtein).
fn edits(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, a) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_told_from_other_words() {
        let meant = |name: &str| match check(name) {
            Err(BrokenRule::MisspelledField { expected, .. }) => Some(expected),
            _ => None,
        };
        for (slip, field) in [
            ("confidance", "confidence"),
            ("confidnce", "confidence"),
            ("lable", "label"),
            ("labels", "label"),
            ("Label", "label"),
            ("flie", "file"),
            ("window", "windows"),
            ("pargraph", "paragraph"),
            ("score.opinion", "scores.opinion"),
        ] {
            assert_eq!(meant(slip).as_deref(), Some(field), "{slip}");
        }
        for name in ["stars", "link", "season", "context", "title", "meta.lable", "like", "é", "scores.opinion", "url"]
        {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        assert_eq!(check("scores"), Err(BrokenRule::ScoresAlone));
    }
}
