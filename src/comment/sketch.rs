//! Copies that differ in a few words, found by MinHash (Broder, 1997) over groups of three words.

use super::subject::words;
use crate::fnv::{FNV_OFFSET, fnv_bytes, fnv_step};
use crate::random::SplitMix64;
use crate::text::model_text;

/// Numbers in a sketch.
const NUMBERS: usize = 32;

/// Numbers in a band: two texts that share three quarters of their word groups share a band of eight in nineteen of twenty
/// cases, two that share a quarter in one of thirty.
const BAND: usize = 4;

/// Words in a group.
const GROUP: usize = 3;

/// A short summary of a text by which near copies are found.
///
/// Letter case, punctuation and markup do not count. Texts of fewer than [`Sketch::LEAST_WORDS`] words have none: many
/// people write the same five words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sketch([u32; NUMBERS]);

impl Sketch {
    /// Words that a text must have.
    pub const LEAST_WORDS: usize = 6;

    /// The share of equal numbers from which two texts count as copies.
    pub const COPY: f32 = 0.6;

    /// The sketch of a text.
    pub fn of(text: &str) -> Option<Sketch> {
        let text = model_text(text).to_lowercase();
        let words: Vec<u64> = words(&text).map(|word| fnv_bytes(FNV_OFFSET, word.as_bytes())).collect();
        if words.len() < Sketch::LEAST_WORDS {
            return None;
        }
        let mut numbers = [u32::MAX; NUMBERS];
        for group in words.windows(GROUP) {
            let mut stirred = SplitMix64::new(group.iter().fold(FNV_OFFSET, |state, word| fnv_step(state, *word)));
            for pair in numbers.chunks_exact_mut(2) {
                let drawn = stirred.next_u64();
                pair[0] = pair[0].min(drawn as u32);
                pair[1] = pair[1].min((drawn >> 32) as u32);
            }
        }
        Some(Sketch(numbers))
    }

    /// About the share of word groups that two texts have in common, 0 to 1.
    pub fn similarity(&self, other: &Sketch) -> f32 {
        self.0.iter().zip(&other.0).filter(|(a, b)| a == b).count() as f32 / NUMBERS as f32
    }

    /// Keys for a table: near copies nearly always share at least one.
    pub fn bands(&self) -> [u64; NUMBERS / BAND] {
        let mut bands = [0; NUMBERS / BAND];
        for (number, (band, part)) in bands.iter_mut().zip(self.0.chunks_exact(BAND)).enumerate() {
            *band = part.iter().fold(FNV_OFFSET ^ number as u64, |state, &number| fnv_step(state, number.into()));
        }
        bands
    }
}

/// For files.
#[cfg(any(test, feature = "serve"))]
impl Sketch {
    /// Bytes of a stored sketch.
    pub const BYTES: usize = 4 * NUMBERS;

    /// For a file.
    pub fn to_bytes(self) -> [u8; Sketch::BYTES] {
        let mut bytes = [0; Sketch::BYTES];
        for (bytes, number) in bytes.chunks_exact_mut(4).zip(self.0) {
            bytes.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    /// From a file; `None` for another number of bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Sketch> {
        let bytes: &[u8; Sketch::BYTES] = bytes.try_into().ok()?;
        let mut numbers = [0; NUMBERS];
        for (number, bytes) in numbers.iter_mut().zip(bytes.chunks_exact(4)) {
            *number = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        Some(Sketch(numbers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "My cousin earned seven thousand last month on her laptop from home, and all she did was follow the \
                         steps on this page, so have a look before they close the offer to new members";

    #[test]
    fn copies_with_other_words_are_near_and_share_a_band() {
        let first = Sketch::of(OFFER).unwrap();
        let second = Sketch::of(&format!("<p>{}!!!", OFFER.replace("cousin", "sister").to_uppercase())).unwrap();
        assert!(first.similarity(&second) >= Sketch::COPY, "{}", first.similarity(&second));
        assert!(first.bands().iter().any(|band| second.bands().contains(band)));
    }

    #[test]
    fn other_texts_are_far() {
        let other = "I have lived beside the station for thirty years and the last trains were never this loud before";
        let (first, second) = (Sketch::of(OFFER).unwrap(), Sketch::of(other).unwrap());
        assert!(first.similarity(&second) < 0.2);
        assert!(first.bands().iter().all(|band| !second.bands().contains(band)));
    }

    #[test]
    fn short_texts_have_none_and_stored_ones_come_back() {
        assert_eq!(Sketch::of("Thank you for this post!"), None);
        let sketch = Sketch::of(OFFER).unwrap();
        assert_eq!(Sketch::from_bytes(&sketch.to_bytes()), Some(sketch));
        assert_eq!(Sketch::from_bytes(&[0; 3]), None);
    }
}
