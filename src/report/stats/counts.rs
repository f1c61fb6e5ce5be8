//! Counting in bounded memory.

use serde::Serialize;
use std::collections::{BTreeSet, HashMap};

/// Longest name that is told from others, in bytes.
const NAME_LIMIT_BYTES: usize = 256;

/// Names that are shown, the most frequent ones.
const MOST_SHOWN: usize = 20;

/// How often each of some names comes, exact as long as there are few of them.
///
/// The summary of Misra and Gries: where there are more names than twice the capacity, all counts are lowered until at most
/// that many are left. Then each count is too low, by at most `rows / capacity`, and no name that is more frequent is lost.
#[derive(Clone, Debug)]
pub(super) struct Frequent {
    capacity: usize,
    counts: HashMap<String, u64>,
    named: u64,
    without: u64,
    too_low: u64,
}

/// Rows by the values of something, the most frequent values first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ByValue {
    /// At most 20 values.
    pub values: Vec<ValueCount>,
    /// Rows with another value.
    pub others: u64,
    /// Rows without one.
    pub without: u64,
    /// By how much the rows of each value may be counted too low; 0 where they are exact.
    pub too_low_by_at_most: u64,
}

/// A value and its rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValueCount {
    /// The value, cut where it is very long.
    pub value: String,
    /// How many rows have it.
    pub rows: u64,
}

impl Frequent {
    /// Counts at most twice `capacity` names at a time.
    pub fn new(capacity: usize) -> Frequent {
        Frequent { capacity, counts: HashMap::new(), named: 0, without: 0, too_low: 0 }
    }

    /// Counts a row.
    pub fn add(&mut self, name: Option<&str>) {
        let Some(name) = name else {
            self.without += 1;
            return;
        };
        self.named += 1;
        let name = start_of(name, NAME_LIMIT_BYTES);
        if let Some(count) = self.counts.get_mut(name) {
            *count += 1;
            return;
        }
        if self.counts.len() >= 2 * self.capacity {
            self.lower();
        }
        self.counts.insert(name.to_owned(), 1);
    }

    fn lower(&mut self) {
        let mut counts: Vec<u64> = self.counts.values().copied().collect();
        counts.sort_unstable_by(|one, other| other.cmp(one));
        let by = counts[self.capacity];
        self.too_low += by;
        self.counts.retain(|_, count| {
            *count = count.saturating_sub(by);
            *count > 0
        });
    }

    /// The most frequent names, names of one count in the order of the alphabet.
    pub fn finish(&self) -> ByValue {
        let mut values: Vec<(&String, u64)> = self.counts.iter().map(|(name, count)| (name, *count)).collect();
        values.sort_unstable_by(|(one, rows), (other, more)| more.cmp(rows).then_with(|| one.cmp(other)));
        values.truncate(MOST_SHOWN);
        let shown: u64 = values.iter().map(|(_, rows)| rows).sum();
        ByValue {
            values: values.into_iter().map(|(value, rows)| ValueCount { value: value.clone(), rows }).collect(),
            others: self.named - shown,
            without: self.without,
            too_low_by_at_most: self.too_low,
        }
    }
}

/// How many different things there are, exact up to a size.
///
/// Keeps the smallest hashes; where the largest of them stands tells how many there are in all (Bar-Yossef and others, 2002),
/// with a standard error of one in the square root of the size.
#[derive(Clone, Debug)]
pub(super) struct Distinct {
    size: usize,
    smallest: BTreeSet<u64>,
    last: Option<u64>,
}

impl Distinct {
    /// Keeps so many hashes.
    pub fn new(size: usize) -> Distinct {
        Distinct { size, smallest: BTreeSet::new(), last: None }
    }

    /// Adds a thing by its hash.
    pub fn add(&mut self, hash: u64) {
        // Rows of one document stand together.
        if self.last.replace(hash) == Some(hash) {
            return;
        }
        let full = self.smallest.len() >= self.size;
        if full && self.smallest.last().is_some_and(|largest| hash >= *largest) {
            return;
        }
        if self.smallest.insert(hash) && full {
            self.smallest.pop_last();
        }
    }

    /// How many there are, and whether that is exact.
    pub fn count(&self) -> (u64, bool) {
        let kept = self.smallest.len();
        match self.smallest.last() {
            Some(largest) if kept >= self.size && kept > 1 => {
                let share = (*largest as f64 + 1.0) / (u64::MAX as f64 + 1.0);
                (((kept - 1) as f64 / share).round() as u64, false)
            }
            _ => (kept as u64, true),
        }
    }
}

/// The items with the smallest keys, each key once.
#[derive(Clone, Debug)]
pub(super) struct Smallest<K, T> {
    size: usize,
    items: Vec<(K, T)>,
}

impl<K: Ord, T> Smallest<K, T> {
    /// Keeps so many items.
    pub fn new(size: usize) -> Smallest<K, T> {
        Smallest { size, items: Vec::with_capacity(size + 1) }
    }

    /// Takes an item, which is made if it is kept.
    pub fn offer(&mut self, key: K, make: impl FnOnce() -> T) {
        if let Err(place) = self.items.binary_search_by(|(other, _)| other.cmp(&key))
            && place < self.size
        {
            self.items.insert(place, (key, make()));
            self.items.truncate(self.size);
        }
    }

    /// The items in the order of their keys.
    pub fn finish(self) -> Vec<T> {
        self.items.into_iter().map(|(_, item)| item).collect()
    }
}

/// At most so many bytes from the start of a text, whole characters.
pub(super) fn start_of(text: &str, limit_bytes: usize) -> &str {
    let mut end = text.len().min(limit_bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    #[test]
    fn few_names_are_counted_exactly() {
        let mut counts = Frequent::new(4);
        for name in [Some("b"), Some("a"), None, Some("b"), Some("c"), None, Some("a"), Some(&*"é".repeat(200))] {
            counts.add(name);
        }
        let ByValue { values, others, without, too_low_by_at_most } = counts.finish();
        let values: Vec<(&str, u64)> = values.iter().map(|value| (value.value.as_str(), value.rows)).collect();
        assert_eq!(values, [("a", 2), ("b", 2), ("c", 1), (&*"é".repeat(128), 1)]);
        assert_eq!((others, without, too_low_by_at_most), (0, 2, 0));
    }

    #[test]
    fn of_many_names_the_frequent_ones_are_found_and_the_error_is_told() {
        let mut random = SplitMix64::new(1);
        let mut rows: Vec<String> = (0..20_000).map(|number| format!("rare {number}")).collect();
        for (name, count) in [("a", 3_000), ("b", 2_000), ("c", 1_000)] {
            rows.extend((0..count).map(|_| name.to_owned()));
        }
        random.shuffle(&mut rows);
        let mut counts = Frequent::new(50);
        rows.iter().for_each(|name| counts.add(Some(name)));
        assert!(counts.counts.len() <= 100);
        let ByValue { values, others, too_low_by_at_most, .. } = counts.finish();
        assert!((1..=26_000 / 50).contains(&too_low_by_at_most), "{too_low_by_at_most}");
        for (value, (name, rows)) in values.iter().zip([("a", 3_000), ("b", 2_000), ("c", 1_000)]) {
            assert_eq!(value.value, name);
            assert!(value.rows <= rows && value.rows + too_low_by_at_most >= rows, "{value:?}");
        }
        assert_eq!(values.iter().map(|value| value.rows).sum::<u64>() + others, 26_000);
    }

    #[test]
    fn different_things_are_counted_exactly_and_then_nearly() {
        let hash = |number: u64| SplitMix64::new(number).next_u64();
        let mut distinct = Distinct::new(1_024);
        for number in (0..1_000).chain(0..1_000) {
            distinct.add(hash(number));
        }
        assert_eq!(distinct.count(), (1_000, true));
        (0..100_000).for_each(|number| distinct.add(hash(number)));
        let (count, exact) = distinct.count();
        assert!(!exact && (85_000..115_000).contains(&count), "{count}");
        assert_eq!(distinct.smallest.len(), 1_024);
    }

    #[test]
    fn the_smallest_keys_stay_whatever_the_order() {
        let kept = |keys: &[u32]| {
            let mut smallest = Smallest::new(3);
            keys.iter().for_each(|key| smallest.offer(*key, || key * 10));
            smallest.finish()
        };
        assert_eq!(kept(&[5, 1, 9, 1, 3, 2]), [10, 20, 30]);
        assert_eq!(kept(&[9, 3, 2, 5, 1]), [10, 20, 30]);
        assert_eq!(kept(&[2]), [20]);
    }
}
