//! Tokenizers other than WordPiece over BERT's normaliser, by the crate `tokenizers`.
//!
//! That crate trusts its files. A file from elsewhere is read here first: the parts are those that encoders use, no pattern is run
//! that could take time without end, no replacement makes a long text of a short one, and every merge gives an entry of the
//! vocabulary. The post-processor, truncation and padding take no part: windows and packed sequences take their place.

mod bounded;
mod charsmap;
mod steps;

use self::bounded::{Bounded, Merge, Values};
use self::steps::{MAX_GROWTH, check_normalizer, check_pre_tokenizer};
use super::file::{Entries, MAX_ENTRIES};
use super::special::{self, Around};
use super::{TokenizerError, excerpt};
use ahash::AHashMap;
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use tokenizers::models::bpe::BPE;
use tokenizers::models::unigram::Unigram;
use tokenizers::models::wordlevel::WordLevel;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::{AddedToken, ModelWrapper, NormalizerWrapper, PreTokenizerWrapper, Tokenizer};

/// Longest entry of a vocabulary, in bytes: looking for entries in a text takes time in proportion to it.
const MAX_ENTRY_BYTES: usize = 1024;

/// Most bytes of a vocabulary for Unigram, whose tree has a node for each.
const MAX_UNIGRAM_BYTES: usize = 10 << 20;

/// Most tokens beside the vocabulary.
const MAX_ADDED: usize = 10_000;

/// A tokenizer of the crate `tokenizers`.
pub(super) struct Foreign {
    inner: Tokenizer,
    kind: &'static str,
    around: Around,
    pad: Option<u32>,
    unknown: Option<u32>,
    vocab_size: usize,
}

/// The file as it is read first: nothing but what kind of vocabulary it has, and that its parts are small.
#[derive(Deserialize)]
struct Outline {
    #[serde(default, rename = "normalizer")]
    _normalizer: Values,
    #[serde(default, rename = "pre_tokenizer")]
    _pre_tokenizer: Values,
    #[serde(default, rename = "post_processor")]
    _post_processor: Values,
    model: Named,
}

/// The file with its vocabulary, of which the outline has told the kind.
#[derive(Deserialize)]
struct File<M> {
    #[serde(default)]
    added_tokens: Bounded<Added, MAX_ADDED>,
    #[serde(default)]
    normalizer: Value,
    #[serde(default)]
    pre_tokenizer: Value,
    #[serde(default)]
    post_processor: Value,
    model: M,
}

impl<M> File<M> {
    /// The same with another vocabulary.
    fn with<N>(self, read: impl FnOnce(M) -> Result<N, TokenizerError>) -> Result<File<N>, TokenizerError> {
        let File { added_tokens, normalizer, pre_tokenizer, post_processor, model } = self;
        Ok(File { added_tokens, normalizer, pre_tokenizer, post_processor, model: read(model)? })
    }
}

#[derive(Deserialize)]
struct Added {
    id: u32,
    content: String,
    #[serde(default)]
    single_word: bool,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
    #[serde(default)]
    normalized: bool,
    #[serde(default)]
    special: bool,
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Bpe<'file> {
    #[serde(borrow)]
    vocab: Entries<'file>,
    #[serde(default)]
    merges: Bounded<Merge, MAX_ENTRIES>,
    dropout: Option<f32>,
    unk_token: Option<String>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
    #[serde(default)]
    fuse_unk: bool,
    #[serde(default)]
    byte_fallback: bool,
    #[serde(default)]
    ignore_merges: bool,
}

#[derive(Deserialize)]
struct UnigramPart {
    vocab: Bounded<(String, f64), MAX_ENTRIES>,
    unk_id: Option<usize>,
    #[serde(default)]
    byte_fallback: bool,
}

#[derive(Deserialize)]
struct Words<'file> {
    #[serde(borrow)]
    vocab: Entries<'file>,
    unk_token: String,
    #[serde(default)]
    continuing_subword_prefix: String,
    #[serde(default)]
    max_input_chars_per_word: usize,
}

fn corrupt(error: impl fmt::Display) -> TokenizerError {
    TokenizerError::Corrupt { reason: error.to_string() }
}

fn unsupported(field: &'static str, expected: impl Into<String>, got: &str) -> TokenizerError {
    TokenizerError::Unsupported { field, expected: expected.into(), got: excerpt(got) }
}

impl Foreign {
    /// Reads the bytes of a `tokenizer.json`.
    pub fn from_bytes(json: &[u8]) -> Result<Foreign, TokenizerError> {
        let Outline { model: Named { kind }, .. } = serde_json::from_slice(json).map_err(corrupt)?;
        let file = match kind.as_deref().unwrap_or("WordPiece") {
            "BPE" => serde_json::from_slice::<File<Bpe<'_>>>(json).map_err(corrupt)?.with(bpe)?,
            "Unigram" => serde_json::from_slice::<File<UnigramPart>>(json).map_err(corrupt)?.with(unigram)?,
            "WordPiece" => {
                serde_json::from_slice::<File<Words<'_>>>(json).map_err(corrupt)?.with(|part| words(part, true))?
            }
            "WordLevel" => {
                serde_json::from_slice::<File<Words<'_>>>(json).map_err(corrupt)?.with(|part| words(part, false))?
            }
            other => return Err(unsupported("model.type", "BPE, Unigram, WordLevel or WordPiece", other)),
        };
        let File { added_tokens, normalizer, pre_tokenizer, post_processor, model } = file;
        let Vocabulary { model, kind, mut ids, unknown } = model;
        let mut steps = 0;
        if check_normalizer(&normalizer, &mut steps)? > MAX_GROWTH {
            let expected = format!("replacements that lengthen a text {MAX_GROWTH} times at most");
            return Err(unsupported("normalizer", expected, &normalizer.to_string()));
        }
        check_pre_tokenizer(&pre_tokenizer, &mut steps)?;
        let around = special::around(&post_processor)?;
        let mut inner = Tokenizer::new(model);
        if !normalizer.is_null() {
            let normalizer: NormalizerWrapper = serde_json::from_str(&normalizer.to_string()).map_err(corrupt)?;
            inner.with_normalizer(Some(normalizer)).map_err(corrupt)?;
        }
        if !pre_tokenizer.is_null() {
            let splitter: PreTokenizerWrapper = serde_json::from_str(&pre_tokenizer.to_string()).map_err(corrupt)?;
            inner.with_pre_tokenizer(Some(splitter));
        }
        let added = add(&mut inner, added_tokens.0, &mut ids)?;
        let specials: Vec<&str> =
            added.iter().filter(|token| token.special).map(|token| token.content.as_str()).collect();
        if let ModelWrapper::Unigram(spelled) = inner.get_model() {
            let unspelled = without(spelled, &specials, unknown)?;
            inner.with_model(unspelled);
        }
        inner.set_encode_special_tokens(true);
        let around = match around {
            Some(around) => around,
            None => {
                let any = |names: [&str; 2]| {
                    let found = names.iter().find_map(|&name| ids.get(name).copied());
                    found.ok_or_else(|| TokenizerError::MissingSpecialToken { token: names.join("` or `") })
                };
                Around { first: any(special::FIRST)?, last: any(special::LAST)? }
            }
        };
        let vocab_size = ids.values().chain([&around.first, &around.last]).max().map_or(0, |&id| id as usize + 1);
        let pad = ["[PAD]", "<pad>"].iter().find_map(|&name| ids.get(name).copied());
        let foreign = Foreign { inner, kind, around, pad, unknown, vocab_size };
        for special in specials {
            let mut spelled = Vec::new();
            foreign.encode_into(special, &mut spelled);
            if spelled.contains(&around.first) || spelled.contains(&around.last) {
                return Err(unsupported("added_tokens", "special tokens that a text cannot spell", special));
            }
        }
        Ok(foreign)
    }

    /// Appends the ids of `text`. A text that the crate refuses, which none should be, is one unknown token.
    pub fn encode_into(&self, text: &str, ids: &mut Vec<u32>) {
        match self.inner.encode_fast(text, false) {
            Ok(encoding) => ids.extend_from_slice(encoding.get_ids()),
            Err(_) => ids.extend(self.unknown),
        }
    }

    pub fn around(&self) -> Around {
        self.around
    }

    pub fn pad(&self) -> Option<u32> {
        self.pad
    }

    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    pub fn kind(&self) -> &'static str {
        self.kind
    }
}

/// A vocabulary ready for use, and its entries.
struct Vocabulary {
    model: ModelWrapper,
    kind: &'static str,
    ids: HashMap<String, u32>,
    unknown: Option<u32>,
}

/// Entries by their names, if each is short enough.
fn by_name(entries: Vec<(Cow<'_, str>, u32)>) -> Result<HashMap<String, u32>, TokenizerError> {
    if let Some((long, _)) = entries.iter().find(|(entry, _)| entry.len() > MAX_ENTRY_BYTES) {
        return Err(unsupported("model.vocab", format!("entries of at most {MAX_ENTRY_BYTES} bytes"), long));
    }
    Ok(entries.into_iter().map(|(entry, id)| (entry.into_owned(), id)).collect())
}

fn bpe(part: Bpe<'_>) -> Result<Vocabulary, TokenizerError> {
    let ids = by_name(part.vocab.0)?;
    if let Some(dropout) = part.dropout.filter(|dropout| *dropout != 0.0) {
        // The same text would get other ids each time.
        return Err(unsupported("model.dropout", "none", &dropout.to_string()));
    }
    let prefix = part.continuing_subword_prefix.unwrap_or_default();
    for Merge(first, second) in &part.merges.0 {
        let merged = second.strip_prefix(prefix.as_str()).map(|second| format!("{first}{second}"));
        let known = |entry: &String| ids.contains_key(entry);
        if !(known(first) && known(second) && merged.as_ref().is_some_and(known)) {
            let got = format!("{first} {second}");
            return Err(unsupported("model.merges", "entries that give an entry", &got));
        }
    }
    let unknown = match &part.unk_token {
        None => None,
        Some(token) => {
            let missing = || TokenizerError::MissingSpecialToken { token: excerpt(token) };
            Some(*ids.get(token).ok_or_else(missing)?)
        }
    };
    let entries: AHashMap<String, u32> = ids.iter().map(|(entry, &id)| (entry.clone(), id)).collect();
    let merges = part.merges.0.into_iter().map(|Merge(first, second)| (first, second)).collect();
    let mut builder = BPE::builder()
        .vocab_and_merges(entries, merges)
        .fuse_unk(part.fuse_unk)
        .byte_fallback(part.byte_fallback)
        .ignore_merges(part.ignore_merges);
    if let Some(token) = part.unk_token {
        builder = builder.unk_token(token);
    }
    if !prefix.is_empty() {
        builder = builder.continuing_subword_prefix(prefix);
    }
    if let Some(suffix) = part.end_of_word_suffix.filter(|suffix| !suffix.is_empty()) {
        builder = builder.end_of_word_suffix(suffix);
    }
    let model = builder.build().map_err(corrupt)?.into();
    Ok(Vocabulary { model, kind: "BPE", ids, unknown })
}

fn unigram(part: UnigramPart) -> Result<Vocabulary, TokenizerError> {
    let entries = part.vocab.0;
    let total: usize = entries.iter().map(|(entry, _)| entry.len()).sum();
    let longest = entries.iter().map(|(entry, _)| entry.len()).max().unwrap_or(0);
    if total > MAX_UNIGRAM_BYTES || longest > MAX_ENTRY_BYTES {
        let expected = format!("{MAX_UNIGRAM_BYTES} bytes together, {MAX_ENTRY_BYTES} an entry at most");
        return Err(unsupported("model.vocab", expected, &format!("{total} bytes, up to {longest} an entry")));
    }
    // Without an unknown token some texts have no ids.
    let unknown = part.unk_id.filter(|&id| id < entries.len());
    let Some(unknown) = unknown else {
        return Err(unsupported("model.unk_id", "the number of an entry", &format!("{:?}", part.unk_id)));
    };
    let ids = (0u32..).zip(&entries).map(|(id, (entry, _))| (entry.clone(), id)).collect();
    let model = Unigram::from(entries, Some(unknown), part.byte_fallback).map_err(corrupt)?.into();
    Ok(Vocabulary { model, kind: "Unigram", ids, unknown: u32::try_from(unknown).ok() })
}

fn words(part: Words<'_>, pieces: bool) -> Result<Vocabulary, TokenizerError> {
    let ids = by_name(part.vocab.0)?;
    let missing = || TokenizerError::MissingSpecialToken { token: excerpt(&part.unk_token) };
    let unknown = Some(*ids.get(&part.unk_token).ok_or_else(missing)?);
    let entries: AHashMap<String, u32> = ids.iter().map(|(entry, &id)| (entry.clone(), id)).collect();
    if !pieces {
        let model = WordLevel::builder().vocab(entries).unk_token(part.unk_token).build().map_err(corrupt)?.into();
        return Ok(Vocabulary { model, kind: "WordLevel", ids, unknown });
    }
    // Cutting a word into pieces takes time in proportion to its length squared.
    if part.max_input_chars_per_word > MAX_ENTRY_BYTES {
        let got = part.max_input_chars_per_word.to_string();
        return Err(unsupported("model.max_input_chars_per_word", format!("at most {MAX_ENTRY_BYTES}"), &got));
    }
    let builder = WordPiece::builder()
        .vocab(entries)
        .unk_token(part.unk_token)
        .continuing_subword_prefix(part.continuing_subword_prefix)
        .max_input_chars_per_word(part.max_input_chars_per_word);
    let model = builder.build().map_err(corrupt)?.into();
    Ok(Vocabulary { model, kind: "WordPiece", ids, unknown })
}

/// Adds the tokens beside the vocabulary, which must get the ids that the file says.
fn add(
    inner: &mut Tokenizer,
    mut added: Vec<Added>,
    ids: &mut HashMap<String, u32>,
) -> Result<Vec<Added>, TokenizerError> {
    added.sort_by_key(|token| token.id);
    if let Some(long) = added.iter().find(|token| token.content.len() > MAX_ENTRY_BYTES || token.content.is_empty()) {
        let expected = format!("tokens of 1 to {MAX_ENTRY_BYTES} bytes");
        return Err(unsupported("added_tokens", expected, &long.content));
    }
    let tokens = added.iter().map(|token| {
        AddedToken::from(token.content.clone(), token.special)
            .single_word(token.single_word)
            .lstrip(token.lstrip)
            .rstrip(token.rstrip)
            .normalized(token.normalized)
    });
    inner.add_tokens(tokens.collect::<Vec<_>>()).map_err(corrupt)?;
    for token in &added {
        if inner.token_to_id(&token.content) != Some(token.id) {
            let got = format!("{} for `{}`", token.id, token.content);
            return Err(unsupported("added_tokens", "ids of the vocabulary, or those that follow it", &got));
        }
        ids.insert(token.content.clone(), token.id);
    }
    Ok(added)
}

/// The vocabulary with other names for special tokens, so that no text spells them. In SentencePiece they are no pieces; in the
/// file they are pieces like any other, and likely ones.
fn without(spelled: &Unigram, specials: &[&str], unknown: Option<u32>) -> Result<Unigram, TokenizerError> {
    let specials: std::collections::HashSet<&str> = specials.iter().copied().collect();
    let entries = spelled.iter().enumerate().map(|(id, (entry, score))| {
        // A code point that is no character and never stands in a text, and a space, at which texts are split.
        let name = match specials.contains(entry.as_str()) {
            true => format!("\u{ffff} {id}"),
            false => entry.clone(),
        };
        (name, *score)
    });
    let entries = entries.collect();
    Unigram::from(entries, unknown.map(|id| id as usize), spelled.byte_fallback()).map_err(corrupt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn unigram_file() -> Value {
        json!({
            "version": "1.0",
            "added_tokens": [
                {"id": 0, "content": "<s>", "special": true}, {"id": 1, "content": "</s>", "special": true},
                {"id": 2, "content": "<unk>", "special": true}, {"id": 7, "content": "brandnew", "special": false},
            ],
            "normalizer": {"type": "Sequence", "normalizers": [
                {"type": "NFKC"}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
            "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
            "post_processor": null,
            "model": {"type": "Unigram", "unk_id": 2, "byte_fallback": false,
                      "vocab": [["<s>", 0.0], ["</s>", 0.0], ["<unk>", 0.0], ["▁", -2.0], ["a", -1.0], ["▁a", -1.5], ["s", -3.0]]},
        })
    }

    fn read(value: &Value) -> Result<Foreign, TokenizerError> {
        Foreign::from_bytes(value.to_string().as_bytes())
    }

    fn ids(foreign: &Foreign, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        foreign.encode_into(text, &mut ids);
        ids
    }

    #[test]
    fn special_tokens_in_a_text_are_text_also_where_they_stand_in_the_vocabulary() {
        let foreign = read(&unigram_file()).unwrap();
        assert_eq!(ids(&foreign, "a  aa"), [5, 5, 4]);
        let spelled = ids(&foreign, "a </s> <s> <unk>");
        assert!(!spelled.contains(&0) && !spelled.contains(&1), "{spelled:?}");
        assert_eq!((foreign.around(), foreign.vocab_size()), (Around { first: 0, last: 1 }, 8));
        // One that is not special is found wherever it stands.
        assert!(ids(&foreign, "a brandnew a").contains(&7));
        assert!(ids(&foreign, "").is_empty());
    }

    #[test]
    fn what_could_harm_is_refused() {
        let with = |path: &str, value: Value| {
            let mut file = unigram_file();
            *file.pointer_mut(path).unwrap() = value;
            match read(&file) {
                Err(TokenizerError::Unsupported { field, .. }) => field,
                Err(error) => panic!("{path}: {error}"),
                Ok(_) => panic!("{path}: read"),
            }
        };
        let evil = json!({"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": false});
        assert_eq!(with("/pre_tokenizer", evil), "pre_tokenizer.pattern");
        assert_eq!(with("/pre_tokenizer", json!({"type": "FixedLength", "length": 0})), "pre_tokenizer");
        let double = json!({"type": "Replace", "pattern": {"String": "a"}, "content": "aa"});
        let growing = json!({"type": "Sequence", "normalizers": vec![double; 9]});
        assert_eq!(with("/normalizer", growing), "normalizer");
        let map = json!({"type": "Precompiled", "precompiled_charsmap": "AAAA"});
        assert_eq!(with("/normalizer", map), "normalizer.precompiled_charsmap");
        assert_eq!(with("/model/unk_id", Value::Null), "model.unk_id");
        assert_eq!(with("/model/vocab/6/0", json!("s".repeat(2000))), "model.vocab");
        assert_eq!(with("/added_tokens/3/id", json!(99)), "added_tokens");
        assert_eq!(with("/model", json!({"type": "Novelty"})), "model.type");
    }

    #[test]
    fn merges_must_give_entries_and_nothing_is_left_to_chance() {
        let file = |model: Value| {
            json!({"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
                   "post_processor": {"type": "BertProcessing", "cls": ["a", 0], "sep": ["b", 1]}, "model": model})
        };
        let vocab = json!({"a": 0, "b": 1, "ab": 2});
        let spaced = read(&file(json!({"type": "BPE", "vocab": vocab, "merges": ["a b"]}))).unwrap();
        assert_eq!(ids(&spaced, "abab"), [2, 2]);
        for merges in [json!([["ab", "ab"]]), json!([["x", "b"]]), json!([["a", "b", "c"]]), json!(["ab"])] {
            let model = json!({"type": "BPE", "vocab": vocab, "merges": merges});
            assert!(read(&file(model.clone())).is_err(), "{model}");
        }
        // The prefix is longer than what it should stand before.
        let model = json!({"type": "BPE", "vocab": vocab, "merges": [["a", "b"]], "continuing_subword_prefix": "###"});
        assert!(read(&file(model)).is_err());
        let model = json!({"type": "BPE", "vocab": vocab, "merges": [], "dropout": 0.5});
        assert!(matches!(read(&file(model)), Err(TokenizerError::Unsupported { field: "model.dropout", .. })));
    }
}
