//! A tokenizer by its file, be it WordPiece or another.

#[cfg(feature = "architectures")]
use super::foreign::Foreign;
use super::special::Around;
use super::{TokenizerError, WordPiece};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::fmt;
use std::path::Path;

/// Turns text into token ids, without the tokens that open and close a sequence.
///
/// WordPiece over BERT's normaliser is read by code of this crate. With the feature `architectures` everything else that encoders
/// are trained with (byte-level BPE, Unigram, other normalisers) is read by the crate `tokenizers`. Special tokens that are
/// written out in a text are plain characters under either.
pub struct Tokenizer {
    kind: Kind,
    around: Around,
    pad: Option<u32>,
    vocab_size: usize,
}

#[allow(clippy::large_enum_variant, reason = "a model has one")]
enum Kind {
    WordPiece(WordPiece),
    #[cfg(feature = "architectures")]
    Foreign(Foreign),
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokenizer")
            .field("kind", &self.kind())
            .field("vocab_size", &self.vocab_size)
            .finish_non_exhaustive()
    }
}

impl Tokenizer {
    /// Reads the bytes of a `tokenizer.json`.
    ///
    /// # Errors
    /// [`TokenizerError::Corrupt`] when the bytes are no such file; [`TokenizerError::Unsupported`] when it asks for a part that
    /// is not read; [`TokenizerError::MissingSpecialToken`] without a token that opens or closes sequences or stands for unknown
    /// words; [`TokenizerError::NeedsFeature`] for what this build leaves out.
    pub fn from_bytes(json: &[u8]) -> Result<Tokenizer, TokenizerError> {
        let refused = match WordPiece::from_bytes(json) {
            Ok(ours) => {
                let (around, pad, vocab_size) = (ours.around(), ours.pad(), ours.vocab_size());
                return Ok(Tokenizer { kind: Kind::WordPiece(ours), around, pad, vocab_size });
            }
            Err(refused) => refused,
        };
        let Some(name) = model_name(json) else { return Err(refused) };
        // A part that ours does not have: the other one may have it.
        let is_foreign = name != "WordPiece" || matches!(refused, TokenizerError::Unsupported { .. });
        if is_foreign { Tokenizer::foreign(json, name) } else { Err(refused) }
    }

    #[cfg(feature = "architectures")]
    fn foreign(json: &[u8], _: String) -> Result<Tokenizer, TokenizerError> {
        let foreign = Foreign::from_bytes(json)?;
        let (around, pad, vocab_size) = (foreign.around(), foreign.pad(), foreign.vocab_size());
        Ok(Tokenizer { kind: Kind::Foreign(foreign), around, pad, vocab_size })
    }

    #[cfg(not(feature = "architectures"))]
    fn foreign(_: &[u8], got: String) -> Result<Tokenizer, TokenizerError> {
        Err(TokenizerError::NeedsFeature { got: super::excerpt(&got), feature: "architectures" })
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
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::with_capacity(text.len() / 4);
        self.encode_into(text, &mut ids);
        ids
    }

    /// Like [`encode`](Self::encode), but appends the ids to `ids`.
    pub fn encode_into(&self, text: &str, ids: &mut Vec<u32>) {
        match &self.kind {
            Kind::WordPiece(ours) => ours.encode_into(text, ids),
            #[cfg(feature = "architectures")]
            Kind::Foreign(foreign) => foreign.encode_into(text, ids),
        }
    }

    /// The id of the token that opens every sequence, such as `[CLS]` or `<s>`.
    pub fn cls(&self) -> u32 {
        self.around.first
    }

    /// The id of the token that closes every sequence, such as `[SEP]` or `</s>`.
    pub fn sep(&self) -> u32 {
        self.around.last
    }

    /// The id of `[PAD]` or `<pad>`, where there is one.
    pub fn pad(&self) -> Option<u32> {
        self.pad
    }

    /// One more than the largest id: the rows that a word embedding needs.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// The kind of vocabulary and whose code reads it, such as `BPE (crate tokenizers)`.
    pub(crate) fn kind(&self) -> String {
        match &self.kind {
            Kind::WordPiece(_) => "WordPiece (copydesk's own)".to_owned(),
            #[cfg(feature = "architectures")]
            Kind::Foreign(foreign) => format!("{} (crate tokenizers)", foreign.kind()),
        }
    }
}

/// The field `model.type` of a `tokenizer.json`; old files of WordPiece have none. `None` for bytes that are no such file.
fn model_name(json: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct File {
        model: Model,
    }
    #[derive(Deserialize)]
    struct Model {
        #[serde(rename = "type")]
        kind: Option<String>,
        #[serde(rename = "vocab")]
        _vocab: IgnoredAny,
    }
    let File { model } = serde_json::from_slice(json).ok()?;
    Some(model.kind.unwrap_or_else(|| "WordPiece".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn bpe() -> Value {
        json!({
            "version": "1.0",
            "added_tokens": [],
            "normalizer": null,
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
            "post_processor": {"type": "RobertaProcessing", "cls": ["<s>", 0], "sep": ["</s>", 1],
                               "trim_offsets": true, "add_prefix_space": false},
            "model": {"type": "BPE", "vocab": {"<s>": 0, "</s>": 1, "a": 2, "b": 3, "ab": 4}, "merges": [["a", "b"]]},
        })
    }

    #[cfg(not(feature = "architectures"))]
    #[test]
    fn a_build_without_other_tokenizers_names_the_feature() {
        let error = Tokenizer::from_bytes(bpe().to_string().as_bytes()).unwrap_err();
        assert!(matches!(&error, TokenizerError::NeedsFeature { got, .. } if got == "BPE"), "{error}");
        assert!(error.to_string().contains("feature architectures"), "{error}");
    }

    #[cfg(feature = "architectures")]
    #[test]
    fn what_is_not_wordpiece_is_read_by_the_other_code() {
        let tokenizer = Tokenizer::from_bytes(bpe().to_string().as_bytes()).unwrap();
        assert_eq!(tokenizer.encode("abba"), [4, 3, 2]);
        assert_eq!((tokenizer.cls(), tokenizer.sep(), tokenizer.pad(), tokenizer.vocab_size()), (0, 1, None, 5));
        assert_eq!(tokenizer.kind(), "BPE (crate tokenizers)");
    }

    #[test]
    fn bytes_that_are_no_tokenizer_are_corrupt() {
        for json in ["", "{", "[]", "{\"model\": 3}"] {
            assert!(matches!(Tokenizer::from_bytes(json.as_bytes()), Err(TokenizerError::Corrupt { .. })), "{json}");
        }
        let missing = Tokenizer::from_file(Path::new("no/such/tokenizer.json"));
        assert!(matches!(missing, Err(TokenizerError::Unreadable { .. })));
    }
}
