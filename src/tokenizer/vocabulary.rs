//! The words and pieces of a vocabulary, found by their bytes.

use std::borrow::Cow;
use std::collections::HashMap;

/// Longest entry, in bytes, that the table holds: what fits two machine words. Few vocabularies have many longer ones.
const SHORT: usize = 16;

/// Slots that a lookup reads at most. Entries that find no slot among so many, a handful of a hundred thousand, stand in a
/// map beside the table: a vocabulary whose entries were chosen to meet in one slot costs a map, not quadratic time.
const MAX_PROBES: usize = 32;

/// Zero bytes that must follow a word given to [`Vocabulary::encode_word`], so that sixteen can be read at its end.
pub(super) const PADDING: usize = SHORT;

/// Where in a word an entry may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At its start.
    Start,
    /// After another piece; such entries are written with a prefix, `##` in BERT's vocabularies.
    Continuation,
}

/// The first bytes of an entry, zeros after its end, the first byte lowest.
pub(super) type Key = u128;

/// One place of the table; `shape` is 0 where it is free.
#[derive(Clone, Copy, Default)]
struct Slot {
    /// The key's halves: a `u128` would pad the slot from 24 to 32 bytes.
    key: [u64; 2],
    /// [`shape`] of the entry.
    shape: u32,
    id: u32,
}

/// Entries by place and bytes. An open-addressing table with the keys inside its slots: most lookups read one cache
/// line, and to build it is to write 24 bytes per entry.
pub(super) struct Vocabulary {
    /// A power of two of slots, at least half of them free.
    slots: Vec<Slot>,
    /// Entries that found no slot near their own, by key and [`shape`]. The map's hash is seeded at random, and no id
    /// depends on it.
    crowded_out: HashMap<(Key, u32), u32>,
    /// Entries of more than [`SHORT`] bytes, by [`Place`].
    long: [HashMap<Box<[u8]>, u32>; 2],
    /// Bytes of the longest entry, by [`Place`].
    longest: [usize; 2],
    unknown: u32,
    max_word_chars: usize,
}

impl Vocabulary {
    /// Takes the entries of a vocabulary. Of two that are equal the last holds.
    ///
    /// `unknown` is the id of words that cannot be put together from entries, or have more than `max_word_chars`
    /// characters.
    pub fn new(entries: &[(Cow<'_, str>, u32)], prefix: &str, unknown: u32, max_word_chars: usize) -> Vocabulary {
        // Behind punctuation an entry can only continue a word; behind any other prefix it may also start one.
        let places = if prefix.starts_with(|c: char| c.is_ascii_punctuation()) { 1 } else { 2 };
        let slots = (2 * places * entries.len()).next_power_of_two().max(2);
        let mut vocabulary = Vocabulary {
            slots: vec![Slot::default(); slots],
            crowded_out: HashMap::new(),
            long: [HashMap::new(), HashMap::new()],
            longest: [0; 2],
            unknown,
            max_word_chars,
        };
        for (entry, id) in entries {
            let bytes = entry.as_bytes();
            if let Some(piece) = bytes.strip_prefix(prefix.as_bytes()) {
                vocabulary.insert(Place::Continuation, piece, *id);
            }
            // A word that starts with punctuation is that one character.
            if !(bytes.len() > 1 && bytes[0].is_ascii_punctuation()) {
                vocabulary.insert(Place::Start, bytes, *id);
            }
        }
        vocabulary
    }

    fn insert(&mut self, place: Place, entry: &[u8], id: u32) {
        if entry.is_empty() {
            return;
        }
        let longest = &mut self.longest[place as usize];
        *longest = entry.len().max(*longest);
        if entry.len() > SHORT {
            self.long[place as usize].insert(entry.into(), id);
            return;
        }
        let mut padded = [0; SHORT];
        padded[..entry.len()].copy_from_slice(entry);
        let key = Key::from_le_bytes(padded);
        let shape = shape(place, entry.len());
        match self.probe(key, shape) {
            Some(index) => self.slots[index] = Slot { key: halves(key), shape, id },
            None => _ = self.crowded_out.insert((key, shape), id),
        }
    }

    /// The slot of an entry, or the free one where it would stand; `None` where others hold all the slots that are read.
    /// As slots are never freed, an entry that once found none finds none ever after.
    fn probe(&self, key: Key, shape: u32) -> Option<usize> {
        let key = halves(key);
        let mask = self.slots.len() - 1;
        let first = hash(key, shape);
        for probe in 0..MAX_PROBES {
            let index = first.wrapping_add(probe) & mask;
            let slot = &self.slots[index];
            if slot.shape == 0 || (slot.shape == shape && slot.key == key) {
                return Some(index);
            }
        }
        None
    }

    /// The id of an entry of `len` bytes, 1 to 16, whose key is `key`.
    #[inline]
    pub fn find(&self, place: Place, key: Key, len: usize) -> Option<u32> {
        let shape = shape(place, len);
        let Some(index) = self.probe(key, shape) else { return self.crowded_out.get(&(key, shape)).copied() };
        let slot = &self.slots[index];
        (slot.shape != 0).then_some(slot.id)
    }

    /// The id of words that the vocabulary cannot spell.
    pub fn unknown(&self) -> u32 {
        self.unknown
    }

    /// Most characters that a word may have before it counts as unknown.
    pub fn max_word_chars(&self) -> usize {
        self.max_word_chars
    }

    /// Appends the ids of a word's pieces, the longest entry first at each step, or the one unknown id.
    ///
    /// The word is the first `len` bytes of `padded`, followed by at least [`PADDING`] others, whichever they are.
    pub fn encode_word(&self, padded: &[u8], len: usize, ids: &mut Vec<u32>) {
        let first = ids.len();
        let (mut start, mut place) = (0, Place::Start);
        while start < len {
            let Some((id, taken)) = self.longest_match(place, &padded[start..], len - start) else {
                ids.truncate(first);
                ids.push(self.unknown);
                return;
            };
            ids.push(id);
            start += taken;
            place = Place::Continuation;
        }
    }

    /// The longest entry that starts `rest`, whose first `len` bytes are left of the word, with its length.
    fn longest_match(&self, place: Place, rest: &[u8], len: usize) -> Option<(u32, usize)> {
        let most = len.min(self.longest[place as usize]);
        for taken in (SHORT + 1..=most).rev() {
            if let Some(&id) = self.long[place as usize].get(&rest[..taken]) {
                return Some((id, taken));
            }
        }
        // A key that ends within a character is no entry's, for entries are whole characters.
        let key = first_key(rest);
        (1..=most.min(SHORT)).rev().find_map(|taken| {
            let id = self.find(place, key & mask(taken), taken)?;
            Some((id, taken))
        })
    }
}

/// Place and length, never 0.
fn shape(place: Place, len: usize) -> u32 {
    len as u32 * 2 + place as u32
}

fn halves(key: Key) -> [u64; 2] {
    [key as u64, (key >> 64) as u64]
}

/// The key of the first sixteen of at least as many bytes.
#[inline]
pub(super) fn first_key(bytes: &[u8]) -> Key {
    let (first, _) = bytes.split_first_chunk().expect("sixteen bytes were promised, this is a bug");
    Key::from_le_bytes(*first)
}

/// The bits of a key's first `len` bytes, 1 to 16.
#[inline]
pub(super) fn mask(len: usize) -> Key {
    Key::MAX >> (8 * (SHORT - len))
}

/// Digits of the golden ratio and of pi: odd, and without a pattern that text could share.
const FACTORS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0x2436_8e95_24b0_4ad5];

/// Both halves of two products: a multiplication carries upwards only, so the upper half is folded onto the lower.
#[inline]
fn hash(key: [u64; 2], shape: u32) -> usize {
    let mixed = (key[0] ^ u64::from(shape)).wrapping_mul(FACTORS[0]) ^ key[1];
    let product = u128::from(mixed) * u128::from(FACTORS[1]);
    (product ^ (product >> 64)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    const UNKNOWN: u32 = u32::MAX;

    /// Entries of sixteen letters and signs that all have one hash: of each, the second half makes up for the first.
    fn colliding(count: usize) -> Vec<String> {
        let mut random = SplitMix64::new(1);
        let mut entries = Vec::new();
        while entries.len() < count {
            let letters: [u8; 8] = std::array::from_fn(|_| b'a' + random.below(26) as u8);
            let mixed = (u64::from_le_bytes(letters) ^ u64::from(shape(Place::Start, SHORT))).wrapping_mul(FACTORS[0]);
            let rest = mixed.to_le_bytes();
            if rest.iter().all(|byte| byte.is_ascii_graphic()) {
                entries.push(String::from_utf8([letters, rest].concat()).unwrap());
            }
        }
        entries
    }

    fn vocabulary(entries: &[String]) -> Vocabulary {
        let entries: Vec<_> = entries.iter().zip(0..).map(|(entry, id)| (Cow::Borrowed(entry.as_str()), id)).collect();
        Vocabulary::new(&entries, "##", UNKNOWN, 100)
    }

    fn ids(vocabulary: &Vocabulary, word: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        vocabulary.encode_word(&[word.as_bytes(), &[0; PADDING]].concat(), word.len(), &mut ids);
        ids
    }

    #[test]
    fn entries_made_to_collide_cost_no_more_than_others() {
        let entries = colliding(3000);
        let vocabulary = vocabulary(&entries);
        let hashes = entries.iter().map(|entry| {
            let key = first_key(entry.as_bytes());
            hash(halves(key), shape(Place::Start, SHORT))
        });
        assert!(hashes.collect::<std::collections::HashSet<_>>().len() == 1, "the entries were to collide");
        assert_eq!(vocabulary.crowded_out.len(), entries.len() - MAX_PROBES);
        for (entry, id) in entries.iter().zip(0..) {
            assert_eq!(ids(&vocabulary, entry), [id]);
        }
        assert_eq!(ids(&vocabulary, &colliding(3001)[3000]), [UNKNOWN]);
    }

    #[test]
    fn of_equal_entries_the_last_holds_wherever_it_stands() {
        let mut entries = colliding(2 * MAX_PROBES);
        entries.extend(entries.clone());
        let vocabulary = vocabulary(&entries);
        assert_eq!(vocabulary.crowded_out.len(), MAX_PROBES);
        for (entry, id) in entries[2 * MAX_PROBES..].iter().zip(2 * MAX_PROBES as u32..) {
            assert_eq!(ids(&vocabulary, entry), [id]);
        }
    }
}
