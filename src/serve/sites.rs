//! What each site asked for, by month.

use crate::feedback::month;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Sites that are counted apart; the rest is counted together.
const SITES: usize = 1_000;

/// Bytes of a site's name.
const NAME_BYTES: usize = 200;

/// Under which the sites above the limit are counted.
const OTHERS: &str = "other sites";

/// Month, name of the key, site.
type Place = (String, Arc<str>, String);

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    calls: u64,
    spam: u64,
    ham: u64,
    missed_spam: u64,
    false_positives: u64,
}

/// Something to count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Event {
    Verdict { spam: bool },
    Feedback { spam: bool },
}

/// Counts since the server started, in bounded memory.
#[derive(Debug, Default)]
pub(super) struct Sites(Mutex<BTreeMap<Place, Counts>>);

impl Sites {
    /// Counts what was asked under the address of a blog; `time` is in seconds since 1970-01-01.
    pub fn count(&self, key: &Arc<str>, blog: &str, time: i64, event: Event) {
        let mut sites = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (month(time), Arc::clone(key), site(blog));
        let place = if sites.len() < SITES || sites.contains_key(&place) {
            place
        } else {
            (place.0, place.1, OTHERS.to_owned())
        };
        let counts = sites.entry(place).or_default();
        counts.calls += 1;
        match event {
            Event::Verdict { spam: true } => counts.spam += 1,
            Event::Verdict { spam: false } => counts.ham += 1,
            Event::Feedback { spam: true } => counts.missed_spam += 1,
            Event::Feedback { spam: false } => counts.false_positives += 1,
        }
    }

    /// What `key-sites` answers of a key: its sites of a month, those that asked most first.
    pub fn page(&self, key: &str, wanted: Option<&str>, time: i64, (offset, limit): (usize, usize)) -> Value {
        let wanted = wanted.map_or_else(|| month(time), str::to_owned);
        let sites = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_key = sites.iter().filter(|((month, name, _), _)| *month == wanted && &**name == key);
        let mut rows: Vec<(&str, Counts)> = of_key.map(|((_, _, site), counts)| (site.as_str(), *counts)).collect();
        rows.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.calls));
        let total = rows.len();
        let row = |(site, counts): &(&str, Counts)| {
            json!({
                "site": site,
                "api_calls": counts.calls.to_string(),
                "spam": counts.spam.to_string(),
                "ham": counts.ham.to_string(),
                "missed_spam": counts.missed_spam.to_string(),
                "false_positives": counts.false_positives.to_string(),
                "is_revoked": false,
            })
        };
        let mut page = Map::new();
        page.insert(wanted, rows.iter().skip(offset).take(limit).map(row).collect());
        page.insert("limit".to_owned(), limit.into());
        page.insert("offset".to_owned(), offset.into());
        page.insert("total".to_owned(), total.into());
        Value::Object(page)
    }

    /// Calls of a key in the month of `time`.
    pub fn calls(&self, key: &str, time: i64) -> u64 {
        let month = month(time);
        let sites = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_key = sites.iter().filter(|((of, name, _), _)| *of == month && &**name == key);
        of_key.map(|(_, counts)| counts.calls).sum()
    }
}

/// The host of a blog's address, or the address where it has none.
fn site(blog: &str) -> String {
    let blog = blog.trim();
    let rest = blog.split_once("://").map_or(blog, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = if host.is_empty() { blog } else { host };
    super::form::cut(host, NAME_BYTES).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_of_times() {
        for (time, expected) in
            [(0, "1970-01"), (951_782_400, "2000-02"), (951_868_800, "2000-03"), (1_796_083_199, "2026-11")]
        {
            assert_eq!(month(time), expected, "{time}");
        }
    }

    #[test]
    fn sites_are_counted_by_key_and_month() {
        let (sites, key): (_, Arc<str>) = (Sites::default(), "blog".into());
        sites.count(&key, "https://One.example/path", 0, Event::Verdict { spam: true });
        sites.count(&key, "http://one.example", 0, Event::Feedback { spam: false });
        sites.count(&key, "two.example", 0, Event::Verdict { spam: false });
        let page = sites.page("blog", None, 0, (0, 1));
        assert_eq!(page["1970-01"][0]["site"], "one.example");
        assert_eq!(page["1970-01"][0]["api_calls"], "2");
        assert_eq!(page["1970-01"][0]["false_positives"], "1");
        assert_eq!((page["total"].as_u64(), page["1970-01"].as_array().map(Vec::len)), (Some(2), Some(1)));
        assert_eq!((sites.calls("blog", 0), sites.calls("other", 0), sites.calls("blog", 40 * 86_400)), (3, 0, 0));
    }

    #[test]
    fn memory_does_not_grow_with_the_sites() {
        let (sites, key): (_, Arc<str>) = (Sites::default(), "blog".into());
        for number in 0..SITES + 50 {
            sites.count(&key, &format!("s{number}.example"), 0, Event::Verdict { spam: false });
        }
        assert_eq!(sites.0.lock().unwrap().len(), SITES + 1);
        assert_eq!(sites.calls("blog", 0), SITES as u64 + 50);
    }
}
