//! Comparison with the `tokenizers` crate, character by character and text by text.

use super::Tokenizer;
use crate::random::SplitMix64;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::num::NonZero;
use std::ops::RangeInclusive;
use std::sync::Mutex;

/// The embedded model's tokenizer.
const BASE: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/base/tokenizer.json"));

/// Texts compared whenever the tests run; the ignored test compares a million.
const TEXTS: usize = 8_000;

/// A tokenizer beside the whole pipeline of the reference with truncation, padding and special tokens turned off.
struct Pair {
    ours: Tokenizer,
    reference: tokenizers::Tokenizer,
}

impl Pair {
    fn new(json: &[u8]) -> Pair {
        let mut reference = tokenizers::Tokenizer::from_bytes(json).unwrap();
        reference.with_truncation(None).unwrap();
        reference.with_padding(None);
        reference.set_encode_special_tokens(true);
        Pair { ours: Tokenizer::from_bytes(json).unwrap(), reference }
    }

    /// A vocabulary of the special tokens and `entries`.
    fn with_entries(rules: &Value, prefix: &str, max_chars: usize, entries: impl IntoIterator<Item = String>) -> Pair {
        Pair::new(file(rules, prefix, max_chars, entries).to_string().as_bytes())
    }

    /// A vocabulary of single characters, so that no two different texts have the same ids.
    fn of_characters(rules: &Value, characters: impl IntoIterator<Item = char>) -> Pair {
        Pair::new(file_of_characters(rules, characters).to_string().as_bytes())
    }

    fn check(&self, text: &str) {
        let expected = self.reference.encode_fast(text, false).unwrap();
        let got = self.ours.encode(text);
        assert!(got == expected.get_ids(), "{text:?}: expected {:?}, got {got:?}", expected.get_ids());
    }
}

/// A `tokenizer.json` whose vocabulary is the special tokens and `entries`.
fn file(rules: &Value, prefix: &str, max_chars: usize, entries: impl IntoIterator<Item = String>) -> Value {
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"].map(str::to_owned);
    let mut vocab = Map::new();
    for entry in special.into_iter().chain(entries) {
        let id = vocab.len();
        vocab.entry(entry).or_insert(json!(id));
    }
    json!({
        "added_tokens": [],
        "normalizer": rules,
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": prefix,
                  "max_input_chars_per_word": max_chars, "vocab": vocab},
    })
}

fn file_of_characters(rules: &Value, characters: impl IntoIterator<Item = char>) -> Value {
    file(rules, "##", 100, characters.into_iter().flat_map(|c| [c.to_string(), format!("##{c}")]))
}

fn rules(clean_text: bool, chinese: bool, strip_accents: Option<bool>, lowercase: bool) -> Value {
    json!({"type": "BertNormalizer", "clean_text": clean_text, "handle_chinese_chars": chinese,
           "strip_accents": strip_accents, "lowercase": lowercase})
}

/// Every setting of the normaliser, the usual one first.
fn all_rules() -> Vec<Value> {
    let mut all = Vec::new();
    for strip_accents in [None, Some(false), Some(true)] {
        for flags in (0..8).rev() {
            all.push(rules(flags & 1 != 0, flags & 2 != 0, strip_accents, flags & 4 != 0));
        }
    }
    all
}

fn normalizer(rules: &Value) -> tokenizers::NormalizerWrapper {
    serde_json::from_value(rules.clone()).unwrap()
}

/// What `text` may be made of under any setting. Cleaning and spaces around ideographs add no character but the space.
fn characters_of(text: &str) -> BTreeSet<char> {
    let mut characters = BTreeSet::new();
    for (strip_accents, lowercase) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut normalized = tokenizers::NormalizedString::from(text);
        let normalizer = normalizer(&rules(false, false, Some(strip_accents), lowercase));
        tokenizers::Normalizer::normalize(&normalizer, &mut normalized).unwrap();
        characters.extend(normalized.get().chars());
    }
    characters
}

/// Compares every one of some characters, on its own and within a word, under each of some settings.
fn check_some(all_rules: &[Value], some: &[char]) {
    let mut text = String::new();
    for c in some {
        write!(text, " {c} a{c}b").unwrap();
    }
    // One vocabulary for all settings, so that the reference reads it once.
    let mut file = file_of_characters(&all_rules[0], characters_of(&text));
    let mut pair = Pair::new(file.to_string().as_bytes());
    for rules in all_rules {
        file["normalizer"] = rules.clone();
        pair.ours = Tokenizer::from_bytes(file.to_string().as_bytes()).unwrap();
        pair.reference.with_normalizer(Some(normalizer(rules))).unwrap();
        let expected = pair.reference.encode_fast(text.as_str(), false).unwrap();
        if pair.ours.encode(&text) != expected.get_ids() {
            eprintln!("under {rules}");
            for c in some {
                pair.check(&c.to_string());
                pair.check(&format!("a{c}b"));
            }
            panic!("characters from {:?} on differ only together", some[0]);
        }
    }
}

/// Compares the characters of some ranges on all cores.
fn check_characters(all_rules: &[Value], ranges: impl IntoIterator<Item = RangeInclusive<char>>) {
    let characters: Vec<char> = ranges.into_iter().flatten().collect();
    let chunks = Mutex::new(characters.chunks(8192));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(|| {
                loop {
                    let Some(some) = chunks.lock().unwrap().next() else { return };
                    check_some(all_rules, some);
                }
            });
        }
    });
}

#[test]
fn every_kind_of_character_is_treated_as_by_the_reference() {
    // Planes 2 and 3 are ideographs, alike but for those at the end of plane 2.
    let ranges = ['\0'..='\u{207ff}', '\u{2f800}'..='\u{2ffff}', '\u{e0000}'..='\u{e01ff}'];
    check_characters(&all_rules()[..1], ranges);
}

#[test]
#[ignore = "takes a minute of processor time"]
fn every_character_is_treated_as_by_the_reference_under_every_rule() {
    check_characters(&all_rules(), ['\0'..=char::MAX]);
}

/// Blocks that texts are drawn from: Latin to Hebrew, marks that are sorted by their class, Indic and Tibetan, Hangul
/// parts and syllables, punctuation and symbols, Chinese, marks of musical notation, emoji, tags.
const BLOCKS: [(u32, u32); 16] = [
    (0x00, 0x7f),
    (0x80, 0x24f),
    (0x300, 0x36f),
    (0x370, 0x6ff),
    (0x900, 0xfff),
    (0x1100, 0x11ff),
    (0x1ab0, 0x1fff),
    (0x2000, 0x2bff),
    (0x3000, 0x30ff),
    (0x302a, 0x302f),
    (0x4e00, 0x4fff),
    (0xac00, 0xacff),
    (0xf900, 0xfaff),
    (0x1_d15e, 0x1_d1ad),
    (0x1_f300, 0x1_f6ff),
    (0xe_0000, 0xe_007f),
];

/// Random characters and texts.
struct Random(SplitMix64);

impl Random {
    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.0.below(from.len())]
    }

    fn character(&mut self) -> char {
        let (first, last) = match self.0.below(8) {
            0 => (0, char::MAX as u32),
            _ => *self.pick(&BLOCKS),
        };
        char::from_u32(first + self.0.below((last - first + 1) as usize) as u32).unwrap_or('\u{fffd}')
    }

    /// A text of up to twelve parts, of which few look alike.
    fn text(&mut self, words: &[String]) -> String {
        const LITERALS: [&str; 14] = [
            "[SEP]",
            "[CLS]",
            "[MASK]",
            "##ing",
            "\r\n",
            "\t",
            "\u{a0}",
            "\u{200d}",
            "\u{fe0f}",
            "\u{feff}",
            "e\u{301}",
            "\u{212b}",
            "don't",
            "\u{1f469}\u{200d}\u{1f52c}",
        ];
        let mut text = String::new();
        for _ in 0..self.0.below(13) {
            match self.0.below(12) {
                0..=2 => text.push_str(self.pick(words).trim_start_matches("##")),
                3 => text.push_str(&self.pick(words).to_uppercase()),
                4 => (0..self.0.below(6)).for_each(|_| text.push(self.character())),
                5 => (0..self.0.below(4)).for_each(|_| {
                    let (first, last) = *self.pick(&[BLOCKS[2], BLOCKS[4], BLOCKS[9], BLOCKS[13]]);
                    text.extend(char::from_u32(first + self.0.below((last - first + 1) as usize) as u32));
                }),
                6 => text.push_str(LITERALS[self.0.below(LITERALS.len())]),
                7 => (0..self.0.below(20)).for_each(|_| text.push(char::from(b'a' + self.0.below(26) as u8))),
                8 => text.push(char::from(self.0.below(128) as u8)),
                9 if self.0.below(8) == 0 => {
                    let (c, len) = (self.character(), 90 + self.0.below(20));
                    text.extend(std::iter::repeat_n(c, len));
                }
                _ => text.push(' '),
            }
        }
        text
    }
}

/// Compares texts on the embedded vocabulary and, under each setting of the normaliser in turn, on one of characters.
fn check_texts(count: usize, rules: &[Value]) {
    let base = Pair::new(BASE);
    let words: Vec<String> = base.reference.get_vocab(false).into_keys().collect::<BTreeSet<_>>().into_iter().collect();
    let mut random = Random(SplitMix64::new(1));
    let every = count.div_ceil(2 * rules.len());
    for rules in rules {
        let alphabet = BLOCKS.iter().flat_map(|&(first, last)| (first..=last).filter_map(char::from_u32));
        let characters = Pair::of_characters(rules, alphabet);
        for _ in 0..every {
            base.check(&random.text(&words));
            characters.check(&random.text(&words));
        }
    }
}

#[test]
fn varied_texts_get_the_ids_of_the_reference() {
    check_texts(TEXTS, &all_rules()[..2]);
}

#[test]
#[ignore = "takes half a minute of processor time"]
fn a_million_varied_texts_get_the_ids_of_the_reference() {
    check_texts(1_000_000, &all_rules());
}

/// Half a minute rather than half a second tells where time grows faster than the text.
#[test]
fn huge_texts_get_the_ids_of_the_reference() {
    let base = Pair::new(BASE);
    for (part, count) in [
        ("a", 1 << 20),
        ("\u{301}", 1 << 19),
        ("\u{302e}\u{1d165}", 1 << 14),
        ("\u{302e}a", 1 << 14),
        ("\u{4e2d}", 1 << 14),
        ("\u{e9}!", 1 << 14),
        ("\0", 1 << 16),
        ("unbelievablyxyz ", 1 << 13),
    ] {
        base.check(&part.repeat(count));
    }
}

proptest! {
    /// Words of three letters, so that entries, their beginnings and their ends meet; lengths around sixteen bytes.
    #[test]
    fn any_vocabulary_spells_words_as_the_reference_does(
        prefix in prop::sample::select(vec!["##", "", "_", "a"]),
        max_chars in prop::sample::select(vec![0, 3, 20, 100]),
        entries in prop::collection::vec("(##|_|)[ab語]{1,18}|[ab語]", 0..60),
        words in prop::collection::vec("[ab語]{0,40}", 0..20),
        glue in prop::sample::select(vec![" ", "", "!"]),
    ) {
        let rules = rules(true, false, None, true);
        let pair = Pair::with_entries(&rules, prefix, max_chars, entries.iter().cloned());
        pair.check(&words.join(glue));
        pair.check(&entries.join(glue));
    }
}
