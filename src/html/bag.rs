//! What is hashed of a block: the names of the elements around it, and its words.

use super::reader::Section;
use super::words::{hash, words};
use crate::text::character_ceiling;

/// Places in the table of weights.
pub const BUCKETS: usize = 1 << 14;

/// Elements outwards whose names count.
const LEVELS: usize = 8;

/// Words at a text's beginning and end that count.
const FIRST_WORDS: usize = 12;
const LAST_WORDS: usize = 3;

/// Longest word that is told from others, in bytes.
const WORD_BYTES: usize = 40;

/// Where a block's names lead in the table, and where its words do.
#[derive(Clone, Debug, Default)]
pub struct Bag {
    pub names: Vec<u16>,
    pub words: Vec<u16>,
}

impl Bag {
    /// What each weight counts: a bag with many entries says no more than one with few.
    pub fn scale(&self) -> f32 {
        3.0 / ((self.names.len() + self.words.len()) as f32).max(1.0).sqrt()
    }
}

/// What the names and the words of a bag say, as parts of a logit.
pub fn bag_scores(weights: &[f32], bag: &Bag) -> [f32; 2] {
    let sum = |places: &[u16]| places.iter().map(|&place| weights[usize::from(place)]).sum::<f32>() * bag.scale();
    [sum(&bag.names), sum(&bag.words)]
}

fn bucket(hash: u64) -> u16 {
    (hash % BUCKETS as u64) as u16
}

/// The bag of block `index`.
pub fn bag(section: &Section, index: usize) -> Bag {
    let block = &section.blocks[index];
    let mut bag = Bag::default();
    let mut node = block.node;
    for level in 0..LEVELS {
        let at = &section.nodes[node as usize];
        // The innermost two say more than the same names far outside.
        let seed = 16 + level.min(2) as u64;
        bag.names.extend(at.names.iter().map(|&name| bucket(hash(seed, &name.to_le_bytes()))));
        if at.parent == node {
            break;
        }
        node = at.parent;
    }
    bag.names.sort_unstable();
    bag.names.dedup();
    let lower: Vec<String> = {
        let mut all = words(&block.text).filter(|word| word.len() <= WORD_BYTES);
        all.by_ref().take(FIRST_WORDS).map(str::to_lowercase).collect()
    };
    let mut previous = String::new();
    for (number, word) in lower.iter().enumerate() {
        bag.words.push(bucket(hash(32, word.as_bytes())));
        if number < 4 {
            bag.words.push(bucket(hash(33, format!("{previous} {word}").as_bytes())));
            previous.clone_from(word);
        }
    }
    if block.words as usize > FIRST_WORDS {
        let tail = block.text.len().saturating_sub(WORD_BYTES * LAST_WORDS);
        let tail = &block.text[character_ceiling(&block.text, tail)..];
        let last: Vec<&str> = words(tail).collect();
        for word in last.iter().rev().take(LAST_WORDS) {
            bag.words.push(bucket(hash(34, word.to_lowercase().as_bytes())));
        }
    } else if block.words <= 4 {
        bag.words.push(bucket(hash(35, block.text.to_lowercase().as_bytes())));
    }
    bag.words.push(bucket(hash(36, &[block.words.min(40).ilog2_or_zero()])));
    bag.words.sort_unstable();
    bag.words.dedup();
    bag
}

trait Log {
    fn ilog2_or_zero(self) -> u8;
}

impl Log for u32 {
    fn ilog2_or_zero(self) -> u8 {
        self.checked_ilog2().map_or(0, |log| log as u8 + 1)
    }
}
