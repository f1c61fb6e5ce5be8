//! The tokenizer itself.

use super::TokenizerError;
use super::characters::{Action, Class, Rules};
use super::file::Parts;
use super::special::{Around, FIRST, LAST};
use super::vocabulary::{PADDING, Place, Vocabulary, first_key, mask};
use std::fmt;
use std::sync::OnceLock;

/// Longest word, in characters, that a vocabulary may ask to be cut into pieces. The greedy search is quadratic in
/// a word's length, so a file that asks for more could make one long line take hours.
const MAX_WORD_CHARS: usize = 1000;

/// Characters whose actions are worked out together.
const PAGE: usize = 128;

/// Turns text into WordPiece ids, without `[CLS]` and `[SEP]`.
pub(super) struct WordPiece {
    rules: Rules,
    vocabulary: Vocabulary,
    /// What each ASCII character does.
    ascii: [Action; PAGE],
    /// `ascii` in one byte each, for runs of letters.
    ascii_classes: [AsciiClass; PAGE],
    /// The same for all of Unicode, each page worked out when a text first asks for it.
    pages: Box<[OnceLock<Box<[Action; PAGE]>>]>,
    vocab_size: usize,
    around: Around,
    pad: Option<u32>,
}

/// What must be known of an ASCII character to find the ends of words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AsciiClass {
    Letter,
    /// Ends the word, whatever else it does.
    Boundary,
    /// Is dropped, so that a word may go on behind it.
    Dropped,
}

impl fmt::Debug for WordPiece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WordPiece")
            .field("rules", &self.rules)
            .field("vocab_size", &self.vocab_size)
            .finish_non_exhaustive()
    }
}

impl WordPiece {
    /// Reads the bytes of a `tokenizer.json`.
    ///
    /// # Errors
    /// [`TokenizerError::Corrupt`] when the bytes are no such file; [`TokenizerError::Unsupported`] when it asks for
    /// another normaliser or word splitter than BERT's, or adds words that are not special tokens;
    /// [`TokenizerError::MissingSpecialToken`] without the unknown token, or without `[CLS]` and `[SEP]` where the file does
    /// not say what stands around a sequence.
    pub fn from_bytes(json: &[u8]) -> Result<WordPiece, TokenizerError> {
        WordPiece::build(&Parts::read(json)?)
    }

    fn build(parts: &Parts<'_>) -> Result<WordPiece, TokenizerError> {
        let Parts { normalizer, entries, unknown, prefix, max_word_chars, around } = parts;
        if *max_word_chars > MAX_WORD_CHARS {
            return Err(TokenizerError::Unsupported {
                field: "model.max_input_chars_per_word",
                expected: format!("at most {MAX_WORD_CHARS}"),
                got: max_word_chars.to_string(),
            });
        }
        let find = |token: &str| entries.iter().rev().find(|(entry, _)| entry == token).map(|&(_, id)| id);
        let id =
            |token: &str| find(token).ok_or_else(|| TokenizerError::MissingSpecialToken { token: token.to_owned() });
        let unknown = id(unknown)?;
        let around = match around {
            Some(around) => *around,
            None => Around { first: id(FIRST[0])?, last: id(LAST[0])? },
        };
        let pad = find("[PAD]").or_else(|| find("<pad>"));
        let ids = entries.iter().map(|&(_, id)| id).chain([around.first, around.last]);
        let vocab_size = ids.map(|id| id as usize + 1).max().unwrap_or(0);
        let vocabulary = Vocabulary::new(entries, prefix, unknown, *max_word_chars);
        let rules = Rules::new(*normalizer);
        let ascii = page(0, &rules, &vocabulary);
        let ascii_classes = ascii.map(|action| match action {
            Action::Extend { .. } => AsciiClass::Letter,
            Action::Drop => AsciiClass::Dropped,
            Action::End | Action::Alone(_) | Action::Irregular => AsciiClass::Boundary,
        });
        let pages = (0..=char::MAX as usize / PAGE).map(|_| OnceLock::new()).collect();
        Ok(WordPiece { rules, vocabulary, ascii, ascii_classes, pages, vocab_size, around, pad })
    }

    /// Appends the ids of `text` in reading order, however many there are; none for text without a visible character.
    ///
    /// Takes time linear in the text: a word longer than the model's limit (100 characters for BERT) is one unknown
    /// token.
    pub fn encode_into(&self, text: &str, ids: &mut Vec<u32>) {
        let bytes = text.as_bytes();
        let mut scan = Scan { tokenizer: self, word: Word::new(self.vocabulary.max_word_chars()), ids };
        let mut position = 0;
        while let Some(&byte) = bytes.get(position) {
            if !byte.is_ascii() {
                position = scan.beyond_ascii(text, position);
            } else if self.ascii_classes[usize::from(byte)] == AsciiClass::Letter {
                position = scan.letters(bytes, position);
            } else {
                scan.act(self.ascii[usize::from(byte)]);
                position += 1;
            }
        }
        scan.end_word();
    }

    /// What `c` does to the word before it.
    fn action(&self, c: char) -> Action {
        let c = c as usize;
        let first = c / PAGE * PAGE;
        self.pages[c / PAGE].get_or_init(|| Box::new(page(first, &self.rules, &self.vocabulary)))[c % PAGE]
    }

    /// The tokens that open and close every sequence.
    pub fn around(&self) -> Around {
        self.around
    }

    /// The id of `[PAD]` or `<pad>`, where there is one.
    pub fn pad(&self) -> Option<u32> {
        self.pad
    }

    /// One more than the largest id: the rows that a word embedding needs.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }
}

/// The actions of the characters from `first` on. Surrogates, which no text holds, are dropped.
fn page(first: usize, rules: &Rules, vocabulary: &Vocabulary) -> [Action; PAGE] {
    let alone = |letter: &str| {
        let mut word = Word::new(vocabulary.max_word_chars());
        let mut ids = Vec::new();
        word.extend(letter.as_bytes(), 1);
        word.end(vocabulary, &mut ids);
        ids[0]
    };
    std::array::from_fn(|offset| match char::from_u32((first + offset) as u32) {
        Some(c) => Action::of(c, rules, alone),
        None => Action::Drop,
    })
}

/// A word that is being read, normalised.
struct Word {
    /// The word's bytes, then at least [`PADDING`] others.
    bytes: Vec<u8>,
    len: usize,
    chars: usize,
    max_chars: usize,
}

impl Word {
    fn new(max_chars: usize) -> Word {
        // No character takes more than four bytes.
        Word { bytes: vec![0; 4 * max_chars + PADDING], len: 0, chars: 0, max_chars }
    }

    /// Adds `chars` characters. Those of a word that is too long are only counted.
    fn extend(&mut self, bytes: &[u8], chars: usize) {
        self.chars += chars;
        if self.chars <= self.max_chars {
            self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
            self.len += bytes.len();
        }
    }

    /// Appends the ids of the word, and starts another. There need not be a word.
    fn end(&mut self, vocabulary: &Vocabulary, ids: &mut Vec<u32>) {
        match self.chars {
            0 => {}
            chars if chars > self.max_chars => ids.push(vocabulary.unknown()),
            _ => vocabulary.encode_word(&self.bytes, self.len, ids),
        }
        (self.len, self.chars) = (0, 0);
    }
}

/// A text on its way to ids.
struct Scan<'a> {
    tokenizer: &'a WordPiece,
    word: Word,
    ids: &'a mut Vec<u32>,
}

impl Scan<'_> {
    fn end_word(&mut self) {
        self.word.end(&self.tokenizer.vocabulary, self.ids);
    }

    /// Does what a regular character does.
    fn act(&mut self, action: Action) {
        match action {
            Action::Drop | Action::Irregular => {}
            Action::End => self.end_word(),
            Action::Alone(id) => {
                self.end_word();
                self.ids.push(id);
            }
            Action::Extend { len, chars, bytes } => self.word.extend(&bytes[..usize::from(len)], usize::from(chars)),
        }
    }

    /// Reads a run of ASCII letters, the first at `start`, and returns its end.
    fn letters(&mut self, text: &[u8], start: usize) -> usize {
        let WordPiece { ascii_classes, rules, vocabulary, .. } = self.tokenizer;
        let class = |byte: u8| ascii_classes.get(usize::from(byte)).copied();
        let rest = &text[start..];
        let len = rest.iter().position(|&byte| class(byte) != Some(AsciiClass::Letter)).unwrap_or(rest.len());
        let is_whole =
            self.word.chars == 0 && rest.get(len).is_none_or(|&next| class(next) == Some(AsciiClass::Boundary));
        // Most words stand in the vocabulary as they are: those need no buffer.
        if is_whole && len <= PADDING.min(vocabulary.max_word_chars()) && rest.len() >= PADDING {
            let key = first_key(rest) & mask(len);
            let key = if rules.lowercase() { lower(key) } else { key };
            if let Some(id) = vocabulary.find(Place::Start, key, len) {
                self.ids.push(id);
                return start + len;
            }
        }
        let used = self.word.len;
        self.word.extend(&rest[..len], len);
        if rules.lowercase() {
            self.word.bytes[used..self.word.len].make_ascii_lowercase();
        }
        start + len
    }

    /// Reads the character at `start`, or as many as may change places with it, and returns their end.
    fn beyond_ascii(&mut self, text: &str, start: usize) -> usize {
        let rest = &text[start..];
        let Some(c) = rest.chars().next() else { return text.len() };
        match self.tokenizer.action(c) {
            Action::Irregular => start + self.irregular(rest),
            action => {
                self.act(action);
                start + c.len_utf8()
            }
        }
    }

    /// Reads characters by the rules themselves, from an irregular one on, until none waits for its place any more.
    /// Returns their length in bytes.
    fn irregular(&mut self, text: &str) -> usize {
        let rules = self.tokenizer.rules;
        // Characters with a combining class above 0, which are sorted by it once one of class 0 follows.
        let mut waiting: Vec<(u8, char)> = Vec::new();
        for (position, c) in text.char_indices() {
            if position > 0 && waiting.is_empty() {
                return position;
            }
            let Some(c) = rules.clean(c) else { continue };
            let isolated = rules.is_isolated(c);
            if isolated {
                self.release(&mut waiting);
                self.end_word();
            }
            rules.decompose(c, |combining_class, part, stays| {
                if combining_class == 0 {
                    self.release(&mut waiting);
                }
                match combining_class {
                    _ if !stays => {}
                    0 => self.letter(part),
                    _ => waiting.push((combining_class, part)),
                }
            });
            if isolated {
                self.release(&mut waiting);
                self.end_word();
            }
        }
        self.release(&mut waiting);
        text.len()
    }

    fn release(&mut self, waiting: &mut Vec<(u8, char)>) {
        waiting.sort_by_key(|&(combining_class, _)| combining_class);
        waiting.drain(..).for_each(|(_, c)| self.letter(c));
    }

    /// Adds a decomposed character by its class.
    fn letter(&mut self, c: char) {
        let rules = self.tokenizer.rules;
        rules.lower(c, |c| {
            let class = Class::of(c);
            if class != Class::Letter {
                self.end_word();
            }
            if class != Class::Space {
                self.word.extend(c.encode_utf8(&mut [0; 4]).as_bytes(), 1);
            }
            if class == Class::Alone {
                self.end_word();
            }
        });
    }
}

/// The lower case of sixteen ASCII characters.
fn lower(key: u128) -> u128 {
    const ONES: u128 = u128::MAX / 0xff;
    // ASCII leaves the top bit of each byte free: adding sets it from 'A' on, and from the byte behind 'Z' on.
    let from_a = key + ONES * u128::from(0x80 - b'A');
    let behind_z = key + ONES * u128::from(0x80 - (b'Z' + 1));
    key | ((from_a & !behind_z & (ONES * 0x80)) >> 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tiny() -> serde_json::Value {
        json!({
            "version": "1.0",
            "truncation": {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0},
            "padding": {"strategy": {"Fixed": 12}, "direction": "Right", "pad_to_multiple_of": null,
                        "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"},
            "added_tokens": [
                {"id": 2, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false,
                 "normalized": false, "special": true},
                {"id": 3, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false,
                 "normalized": false, "special": true}],
            "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                           "strip_accents": null, "lowercase": true},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": null,
            "decoder": null,
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                      "max_input_chars_per_word": 100,
                      "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "the": 4, "press": 5, "##room": 6,
                                "cafe": 7, "[": 8, "]": 9, "sep": 10, "a": 11, "##a": 12, "!": 13}},
        })
    }

    impl WordPiece {
        fn encode(&self, text: &str) -> Vec<u32> {
            let mut ids = Vec::new();
            self.encode_into(text, &mut ids);
            ids
        }
    }

    fn build(value: &serde_json::Value) -> Result<WordPiece, TokenizerError> {
        WordPiece::from_bytes(value.to_string().as_bytes())
    }

    #[test]
    fn words_are_cut_into_pieces_and_nothing_is_truncated_or_padded() {
        let tokenizer = build(&tiny()).unwrap();
        assert_eq!(tokenizer.encode("The  PRESSroom,\u{a0}Café!"), [4, 5, 6, 1, 7, 13]);
        assert_eq!(tokenizer.encode("the the the the the the the the").len(), 8);
        assert!(tokenizer.encode("").is_empty());
        assert!(tokenizer.encode(" \n\u{3000}\u{200b}").is_empty());
        assert_eq!(
            (tokenizer.around(), tokenizer.pad(), tokenizer.vocab_size()),
            (Around { first: 2, last: 3 }, Some(0), 14)
        );
    }

    #[test]
    fn special_tokens_in_a_text_are_text() {
        let tokenizer = build(&tiny()).unwrap();
        assert_eq!(tokenizer.encode("[SEP] the"), [8, 10, 9, 4]);
        assert!(!tokenizer.encode("[CLS][SEP][PAD]").iter().any(|id| [0, 2, 3].contains(id)));
    }

    #[test]
    fn long_words_and_long_texts_are_encoded_whole() {
        let tokenizer = build(&tiny()).unwrap();
        assert_eq!(tokenizer.encode(&"a".repeat(100)).len(), 100);
        assert_eq!(tokenizer.encode(&"a".repeat(101)), [1]);
        assert_eq!(tokenizer.encode(&"a".repeat(100_000)), [1]);
        assert_eq!(tokenizer.encode(&"the press! ".repeat(90_000)).len(), 270_000);
        assert_eq!(tokenizer.encode(&"!".repeat(100_000)).len(), 100_000);
    }

    #[test]
    fn gaps_in_the_vocabulary_count_towards_its_size() {
        let mut value = tiny();
        value["model"]["vocab"]["late"] = json!(4000);
        assert_eq!(build(&value).unwrap().vocab_size(), 4001);
    }

    #[test]
    fn every_broken_rule_has_its_error() {
        let broken = |change: &dyn Fn(&mut serde_json::Value)| {
            let mut value = tiny();
            change(&mut value);
            build(&value).unwrap_err()
        };
        for token in ["[CLS]", "[SEP]", "[UNK]"] {
            let error = broken(&|value| {
                value["model"]["vocab"].as_object_mut().unwrap().remove(token);
            });
            assert!(matches!(error, TokenizerError::MissingSpecialToken { token: got } if got == token));
        }
        let error = broken(&|value| value["model"]["type"] = json!("BPE"));
        assert!(matches!(error, TokenizerError::Corrupt { .. }), "{error}");
        let error = broken(&|value| value["normalizer"] = json!({"type": "Lowercase"}));
        assert!(matches!(error, TokenizerError::Unsupported { field: "normalizer", .. }), "{error}");
        let error = broken(&|value| value["pre_tokenizer"] = json!(null));
        assert!(matches!(error, TokenizerError::Unsupported { field: "pre_tokenizer", .. }), "{error}");
        let error = broken(&|value| value["added_tokens"][0]["special"] = json!(false));
        assert!(matches!(error, TokenizerError::Unsupported { field: "added_tokens", .. }), "{error}");
        let error = broken(&|value| value["model"]["max_input_chars_per_word"] = json!(1_000_000));
        assert!(matches!(error, TokenizerError::Unsupported { .. }), "{error}");
        assert!(matches!(WordPiece::from_bytes(b"{"), Err(TokenizerError::Corrupt { .. })));
    }
}
