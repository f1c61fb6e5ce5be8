//! `tokenizer.json`, as far as it decides which ids a text gets.

use super::TokenizerError;
use super::special::{self, Around};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;

/// What a tokenizer is built from; strings without escapes borrow from the file.
#[derive(Debug)]
pub(super) struct Parts<'file> {
    pub normalizer: Normalizer,
    pub entries: Vec<(Cow<'file, str>, u32)>,
    pub unknown: String,
    pub prefix: String,
    pub max_word_chars: usize,
    /// What the file puts around a sequence.
    pub around: Option<Around>,
}

/// What `BertNormalizer` is told to do; the fields bear their names in the file. They mean what they mean in Hugging Face's
/// `tokenizers`, with which the tests compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Normalizer {
    /// Drops control characters, and makes every white space a space.
    pub clean_text: bool,
    /// Makes every Chinese character a word of its own.
    pub handle_chinese_chars: bool,
    /// Drops accents; where the file does not say, as `lowercase`.
    pub strip_accents: Option<bool>,
    /// Makes letters small.
    pub lowercase: bool,
}

#[derive(Deserialize)]
struct File<'file> {
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
    normalizer: serde_json::Value,
    pre_tokenizer: serde_json::Value,
    #[serde(default)]
    post_processor: serde_json::Value,
    #[serde(borrow)]
    model: WordPiece<'file>,
}

#[derive(Deserialize)]
struct AddedToken {
    content: String,
    #[serde(default)]
    special: bool,
}

#[derive(Deserialize)]
struct WordPiece<'file> {
    // Files of old versions have no type.
    #[serde(default, rename = "type")]
    _kind: Kind,
    unk_token: String,
    continuing_subword_prefix: String,
    max_input_chars_per_word: usize,
    #[serde(borrow)]
    vocab: Entries<'file>,
}

/// The one type of model that is read; any other is an error of the parser.
#[derive(Default, Deserialize)]
enum Kind {
    #[default]
    WordPiece,
}

impl<'file> Parts<'file> {
    /// Reads the bytes of a `tokenizer.json`.
    pub fn read(json: &'file [u8]) -> Result<Parts<'file>, TokenizerError> {
        let corrupt = |error: serde_json::Error| TokenizerError::Corrupt { reason: error.to_string() };
        let file: File<'file> = serde_json::from_slice(json).map_err(corrupt)?;
        require_type("pre_tokenizer", "BertPreTokenizer", &file.pre_tokenizer)?;
        require_type("normalizer", "BertNormalizer", &file.normalizer)?;
        let normalizer = serde_json::from_value(file.normalizer).map_err(corrupt)?;
        // An added word that is not special would have to be found in the text before it is split; dropping it
        // would silently give other ids than the model was trained with.
        if let Some(token) = file.added_tokens.iter().find(|token| !token.special) {
            return Err(TokenizerError::Unsupported {
                field: "added_tokens",
                expected: "special tokens only".to_owned(),
                got: format!("`{}`", token.content),
            });
        }
        Ok(Parts {
            normalizer,
            entries: file.model.vocab.0,
            unknown: file.model.unk_token,
            prefix: file.model.continuing_subword_prefix,
            max_word_chars: file.model.max_input_chars_per_word,
            around: special::around(&file.post_processor)?,
        })
    }
}

fn require_type(field: &'static str, expected: &str, got: &serde_json::Value) -> Result<(), TokenizerError> {
    match &got["type"] {
        serde_json::Value::String(name) if name == expected => Ok(()),
        other => Err(TokenizerError::Unsupported { field, expected: expected.to_owned(), got: other.to_string() }),
    }
}

/// Most entries of a vocabulary: four times those of the largest that encoders are trained with.
pub(super) const MAX_ENTRIES: usize = 1 << 20;

/// The vocabulary in the file's order, without a map in between: to build one would take longer than to parse.
pub(super) struct Entries<'file>(pub Vec<(Cow<'file, str>, u32)>);

impl<'de: 'file, 'file> Deserialize<'de> for Entries<'file> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Entries<'file>, D::Error> {
        /// Deserialised on its own a `Cow` is always a copy.
        #[derive(Deserialize)]
        struct Entry<'file>(#[serde(borrow)] Cow<'file, str>);

        struct Map;

        impl<'file> Visitor<'file> for Map {
            type Value = Vec<(Cow<'file, str>, u32)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from tokens to ids")
            }

            fn visit_map<A: MapAccess<'file>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some((Entry(entry), id)) = map.next_entry()? {
                    if entries.len() == MAX_ENTRIES {
                        let reason = format_args!("the vocabulary has more than {MAX_ENTRIES} entries");
                        return Err(serde::de::Error::custom(reason));
                    }
                    entries.push((entry, id));
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_map(Map).map(Entries)
    }
}
