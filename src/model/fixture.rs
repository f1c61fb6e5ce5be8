//! A tiny random model for tests.

use super::page::PageLayout;
use super::{Checkpoint, Head, PageConfig, PageWeights, Settings};
use crate::engine::{EncoderConfig, EncoderWeights, LayerNorm, LayerWeights, Linear, Matrix};
use crate::label::LabelSet;
use crate::random::SplitMix64;
use serde_json::json;

const WORDS: [&str; 20] = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[", "]", ".", "the", "council", "voted", "on", "plan", "i", "think", "they",
    "buy", "cheap", "##s", "sep", "cls",
];

/// Position of a word in the vocabulary.
pub(crate) fn id(word: &str) -> usize {
    WORDS.iter().position(|known| *known == word).unwrap()
}

/// The checkpoint with a small page network of arbitrary weights.
pub(crate) fn with_page(mut checkpoint: Checkpoint) -> Checkpoint {
    let sizes = PageConfig { width: 8, heads: 2, intermediate: 8, layers: 1, reach: 4, distances: 2, regions: true };
    let labels = checkpoint.head.as_ref().map_or(0, |head| head.labels.len());
    let len = PageLayout::new(sizes, checkpoint.config.hidden, labels).len;
    let values = (0..len).map(|index| (index as f32).sin() * 0.3).collect();
    checkpoint.page = Some(PageWeights { config: sizes, values });
    checkpoint
}

/// Two layers of width 32, 24 positions.
pub(crate) fn config() -> EncoderConfig {
    EncoderConfig {
        layers: 2,
        hidden: 32,
        heads: 4,
        intermediate: 64,
        vocab: WORDS.len() + 2,
        max_positions: 24,
        type_vocab: 2,
        layer_norm_eps: 1e-12,
        tokens_per_state: 1,
    }
}

/// The `tokenizer.json` of a vocabulary of twenty words.
pub(crate) fn tokenizer() -> Vec<u8> {
    let vocab: serde_json::Map<_, _> =
        WORDS.iter().enumerate().map(|(id, word)| ((*word).to_owned(), id.into())).collect();
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [],
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                       "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": null,
        "decoder": null,
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": vocab},
    })
    .to_string()
    .into_bytes()
}

/// Random weights.
pub(crate) struct Random(SplitMix64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(SplitMix64::new(seed))
    }

    /// A number in `-1.0..1.0`.
    fn next(&mut self) -> f32 {
        2.0 * self.0.unit() - 1.0
    }

    fn vector(&mut self, len: usize, around: f32) -> Vec<f32> {
        (0..len).map(|_| around + 0.2 * self.next()).collect()
    }

    fn matrix(&mut self, rows: usize, cols: usize) -> Matrix {
        Matrix::F32 { rows, cols, data: (0..rows * cols).map(|_| 0.3 * self.next()).collect() }
    }

    fn linear(&mut self, rows: usize, cols: usize) -> Linear {
        Linear { weight: self.matrix(rows, cols), bias: self.vector(rows, 0.0) }
    }

    fn norm(&mut self, len: usize) -> LayerNorm {
        LayerNorm { weight: self.vector(len, 1.0), bias: self.vector(len, 0.0) }
    }

    /// A head for vectors of width `hidden`.
    pub(crate) fn head(&mut self, labels: LabelSet, hidden: usize) -> Head {
        let (weight, bias) = (self.matrix(labels.len(), hidden), self.vector(labels.len(), 0.0));
        Head { pooler: None, labels, weight, bias }
    }
}

/// A model with random weights and the built-in labels: windows of 8 tokens of text that share 2.
pub(crate) fn checkpoint(seed: u64) -> Checkpoint {
    checkpoint_of(seed, LabelSet::copydesk())
}

/// The same with `count` labels of its own: `label 0`, `label 1` and so on.
pub(crate) fn checkpoint_of_count(seed: u64, count: usize) -> Checkpoint {
    checkpoint_of(seed, LabelSet::new((0..count).map(|number| format!("label {number}"))).unwrap())
}

fn checkpoint_of(seed: u64, labels: LabelSet) -> Checkpoint {
    let mut random = Random::new(seed);
    let EncoderConfig { hidden, intermediate, .. } = config();
    let layers = (0..config().layers)
        .map(|_| LayerWeights {
            query: random.linear(hidden, hidden),
            key: random.linear(hidden, hidden),
            value: random.linear(hidden, hidden),
            attention_output: random.linear(hidden, hidden),
            attention_norm: random.norm(hidden),
            intermediate: random.linear(intermediate, hidden),
            output: random.linear(hidden, intermediate),
            output_norm: random.norm(hidden),
        })
        .collect();
    let weights = EncoderWeights {
        word: random.matrix(config().vocab, hidden),
        position: random.matrix(config().max_positions, hidden),
        token_type: random.matrix(config().type_vocab, hidden),
        norm: random.norm(hidden),
        distances: None,
        layers,
    };
    Checkpoint {
        config: config(),
        weights,
        head: Some(random.head(labels, hidden)),
        page: None,
        tokenizer: tokenizer(),
        settings: Settings { name: "tiny".to_owned(), window_tokens: 10, window_overlap: 2, ..Settings::default() },
    }
}
