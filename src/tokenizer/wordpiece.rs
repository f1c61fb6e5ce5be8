//! The tokenizer itself.

use super::TokenizerError;
use serde::Deserialize;
use std::path::Path;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    Model, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
};

/// Longest word, in characters, that a vocabulary may ask to be cut into pieces. The greedy search is quadratic in
/// a word's length, so a file that asks for more could make one long line take hours.
const MAX_WORD_CHARS: usize = 1000;

/// Turns text into WordPiece ids, without `[CLS]` and `[SEP]`.
#[derive(Debug)]
pub struct Tokenizer {
    normalizer: BertNormalizer,
    model: WordPiece,
    vocab_size: usize,
    cls: u32,
    sep: u32,
    pad: u32,
    json: Vec<u8>,
}

/// The parts of a `tokenizer.json` that decide which ids a text gets.
#[derive(Deserialize)]
struct TokenizerFile {
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
    normalizer: serde_json::Value,
    pre_tokenizer: serde_json::Value,
    model: WordPiece,
}

#[derive(Deserialize)]
struct AddedToken {
    content: String,
    #[serde(default)]
    special: bool,
}

impl Tokenizer {
    /// Reads the bytes of a `tokenizer.json`.
    ///
    /// # Errors
    /// [`TokenizerError::Corrupt`] when the bytes are no such file; [`TokenizerError::Unsupported`] when it asks for
    /// another normaliser or word splitter than BERT's, or adds words that are not special tokens;
    /// [`TokenizerError::MissingSpecialToken`] without `[CLS]`, `[SEP]`, `[PAD]` or the unknown token.
    pub fn from_bytes(json: &[u8]) -> Result<Tokenizer, TokenizerError> {
        let file: TokenizerFile = serde_json::from_slice(json).map_err(corrupt)?;
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
        let model = file.model;
        if model.max_input_chars_per_word > MAX_WORD_CHARS {
            return Err(TokenizerError::Unsupported {
                field: "model.max_input_chars_per_word",
                expected: format!("at most {MAX_WORD_CHARS}"),
                got: model.max_input_chars_per_word.to_string(),
            });
        }
        let id = |token: &str| {
            model.token_to_id(token).ok_or_else(|| TokenizerError::MissingSpecialToken { token: token.to_owned() })
        };
        id(&model.unk_token)?;
        let (cls, sep, pad) = (id("[CLS]")?, id("[SEP]")?, id("[PAD]")?);
        let vocab_size = vocab_size(&model);
        Ok(Tokenizer { normalizer, model, vocab_size, cls, sep, pad, json: json.to_vec() })
    }

    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// [`TokenizerError::Unreadable`], or what [`Tokenizer::from_bytes`] says of the content.
    pub fn from_file(path: &Path) -> Result<Tokenizer, TokenizerError> {
        let json =
            std::fs::read(path).map_err(|source| TokenizerError::Unreadable { path: path.to_owned(), source })?;
        Tokenizer::from_bytes(&json)
    }

    /// The ids of `text` in reading order, however many there are; none for text without a visible character.
    ///
    /// Takes time linear in the text: a word longer than the model's limit (100 characters for BERT) is one unknown
    /// token.
    ///
    /// # Errors
    /// [`TokenizerError::Encode`] if the tokenizer refuses a word.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        let mut normalized = NormalizedString::from(text);
        self.normalizer.normalize(&mut normalized).map_err(encode)?;
        let mut words = PreTokenizedString::from(normalized);
        BertPreTokenizer.pre_tokenize(&mut words).map_err(encode)?;
        let mut ids = Vec::with_capacity(text.len() / 4);
        for (word, _, _) in words.get_splits(OffsetReferential::Normalized, OffsetType::None) {
            ids.extend(self.model.tokenize(word).map_err(encode)?.into_iter().map(|token| token.id));
        }
        Ok(ids)
    }

    /// The id of `[CLS]`, which opens every sequence.
    pub fn cls(&self) -> u32 {
        self.cls
    }

    /// The id of `[SEP]`, which closes every sequence.
    pub fn sep(&self) -> u32 {
        self.sep
    }

    /// The id of `[PAD]`.
    pub fn pad(&self) -> u32 {
        self.pad
    }

    /// One more than the largest id: the rows that a word embedding needs.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// The `tokenizer.json` that this tokenizer was read from.
    pub fn to_json(&self) -> &[u8] {
        &self.json
    }
}

/// One more than the largest id of a vocabulary.
fn vocab_size(model: &WordPiece) -> usize {
    let len = model.get_vocab_size();
    // Vocabularies without gaps are the rule, and asking for the last id spares a copy of every word.
    match u32::try_from(len) {
        Ok(next) if (0..next).all(|id| model.id_to_token(id).is_some()) => len,
        _ => model.get_vocab().values().max().map_or(0, |&id| id as usize + 1),
    }
}

fn require_type(field: &'static str, expected: &str, got: &serde_json::Value) -> Result<(), TokenizerError> {
    match &got["type"] {
        serde_json::Value::String(name) if name == expected => Ok(()),
        other => Err(TokenizerError::Unsupported { field, expected: expected.to_owned(), got: other.to_string() }),
    }
}

fn corrupt(error: serde_json::Error) -> TokenizerError {
    TokenizerError::Corrupt { reason: error.to_string() }
}

fn encode(error: tokenizers::Error) -> TokenizerError {
    TokenizerError::Encode { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
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

    fn build(value: &serde_json::Value) -> Result<Tokenizer, TokenizerError> {
        Tokenizer::from_bytes(value.to_string().as_bytes())
    }

    #[test]
    fn words_are_cut_into_pieces_and_nothing_is_truncated_or_padded() {
        let tokenizer = build(&tiny()).unwrap();
        assert_eq!(tokenizer.encode("The  PRESSroom,\u{a0}Café!").unwrap(), [4, 5, 6, 1, 7, 13]);
        assert_eq!(tokenizer.encode("the the the the the the the the").unwrap().len(), 8);
        assert!(tokenizer.encode("").unwrap().is_empty());
        assert!(tokenizer.encode(" \n\u{3000}\u{200b}").unwrap().is_empty());
        assert_eq!((tokenizer.cls(), tokenizer.sep(), tokenizer.pad(), tokenizer.vocab_size()), (2, 3, 0, 14));
    }

    #[test]
    fn special_tokens_in_a_text_are_text() {
        let tokenizer = build(&tiny()).unwrap();
        assert_eq!(tokenizer.encode("[SEP] the").unwrap(), [8, 10, 9, 4]);
        assert!(!tokenizer.encode("[CLS][SEP][PAD]").unwrap().iter().any(|id| [0, 2, 3].contains(id)));
    }

    #[test]
    fn long_words_and_long_texts_are_encoded_whole() {
        let tokenizer = build(&tiny()).unwrap();
        assert_eq!(tokenizer.encode(&"a".repeat(100)).unwrap().len(), 100);
        assert_eq!(tokenizer.encode(&"a".repeat(101)).unwrap(), [1]);
        assert_eq!(tokenizer.encode(&"a".repeat(100_000)).unwrap(), [1]);
        assert_eq!(tokenizer.encode(&"the press! ".repeat(90_000)).unwrap().len(), 270_000);
        assert_eq!(tokenizer.encode(&"!".repeat(100_000)).unwrap().len(), 100_000);
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
        for token in ["[CLS]", "[SEP]", "[PAD]", "[UNK]"] {
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
        assert!(matches!(Tokenizer::from_bytes(b"{"), Err(TokenizerError::Corrupt { .. })));
        let missing = Tokenizer::from_file(Path::new("no/such/tokenizer.json"));
        assert!(matches!(missing, Err(TokenizerError::Unreadable { .. })));
    }

    proptest! {
        /// The reference is the whole `tokenizers` pipeline with truncation, padding and special tokens turned off.
        #[test]
        fn ids_are_those_of_the_reference_pipeline(text in "(the|press|room|[SEP\\]\\[ !aé中\\n\u{301}\u{0}]|\\PC){0,60}") {
            let mut reference = tokenizers::Tokenizer::from_bytes(tiny().to_string().as_bytes()).unwrap();
            reference.with_truncation(None).unwrap();
            reference.with_padding(None);
            reference.set_encode_special_tokens(true);
            let expected = reference.encode(text.as_str(), false).unwrap();
            prop_assert_eq!(build(&tiny()).unwrap().encode(&text).unwrap(), expected.get_ids());
        }
    }
}
