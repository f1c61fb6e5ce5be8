//! What is known of one model: what it is, and which engine runs it and why.

use super::printable::{TABLE_COLUMNS, lines_of, printable};
use crate::engine::EncoderConfig;
use crate::model::{Description, Pooling};
use serde::Serialize;
use std::fmt;

/// What `copydesk models show` tells. As JSON it is an object with these fields:
///
/// ```json
/// {"name": "my-model", "architecture": "distilbert", "activation": "gelu",
///  "engine": "BERT's", "why": "it has BERT's layers", "precision": "f32", "instruction_set": "avx512",
///  "layers": 6, "hidden": 768, "heads": 12, "intermediate": 3072, "vocab": 30522, "longest": 512,
///  "window": 512, "overlap": 32, "parameters": 66955010, "stored_as": ["F32"], "weight_bytes": 267832560,
///  "labels": ["NEGATIVE", "POSITIVE"], "spam_label": null, "furniture_label": null, "head": "a layer, then the labels",
///  "page_network": false, "tokenizer": "WordPiece (copydesk's own)", "entries": 30522, "first": 101, "last": 102,
///  "digest": "0123456789abcdef"}
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelCard {
    /// The model's name.
    pub name: String,
    /// `model_type` of its `config.json`.
    pub architecture: &'static str,
    /// The activation between the feed-forward layers.
    pub activation: &'static str,
    /// The engine: `BERT's` or `general`.
    pub engine: &'static str,
    /// Why that engine.
    pub why: String,
    /// The arithmetic: `f32` or `int8`.
    pub precision: &'static str,
    /// What the kernels run on here.
    pub instruction_set: String,
    /// Layers.
    pub layers: usize,
    /// Width.
    pub hidden: usize,
    /// Attention heads.
    pub heads: usize,
    /// Width of the feed-forward part.
    pub intermediate: usize,
    /// Rows of the word embedding.
    pub vocab: usize,
    /// Longest sequence in tokens that the encoder takes.
    pub longest: usize,
    /// Tokens of a window, those that open and close it included.
    pub window: usize,
    /// Tokens that neighbouring windows share.
    pub overlap: usize,
    /// Numbers in the weights.
    pub parameters: u64,
    /// Their types in the file.
    pub stored_as: Vec<String>,
    /// Size of the weights' file.
    pub weight_bytes: u64,
    /// The labels, in the order of the outputs.
    pub labels: Vec<String>,
    /// The label that `filter` looks for.
    pub spam_label: Option<String>,
    /// The label of page furniture.
    pub furniture_label: Option<String>,
    /// What stands above the encoder.
    pub head: &'static str,
    /// Whether paragraphs are read beside their neighbours.
    pub page_network: bool,
    /// The kind of tokenizer, and whose code reads it.
    pub tokenizer: String,
    /// Entries of the vocabulary.
    pub entries: usize,
    /// Id of the token that opens a sequence.
    pub first: u32,
    /// Id of the token that closes it.
    pub last: u32,
    /// What tells the model from others.
    pub digest: String,
}

impl ModelCard {
    /// The card of a model.
    pub fn new(description: &Description) -> ModelCard {
        let Description { classifier, family, activation, why_general, parameters, stored_as, weight_bytes, digest } =
            description;
        let (network, tokenizer, settings) = (classifier.encoder(), classifier.tokenizer(), classifier.settings());
        let &EncoderConfig { layers, hidden, heads, intermediate, vocab, max_positions, .. } = network.config();
        let labels = classifier.labels();
        let role = |label: Option<crate::label::LabelId>| label.map(|label| labels.name(label).to_owned());
        let (engine, why) = match why_general {
            None => ("BERT's", "it has BERT's layers".to_owned()),
            Some(reason) => ("general", reason.clone()),
        };
        ModelCard {
            name: classifier.name().to_owned(),
            architecture: family,
            activation,
            engine,
            why,
            precision: network.precision().as_str(),
            instruction_set: network.isa().to_string(),
            layers,
            hidden,
            heads,
            intermediate,
            vocab,
            longest: max_positions,
            window: settings.window_tokens,
            overlap: settings.window_overlap,
            parameters: *parameters,
            stored_as: stored_as.clone(),
            weight_bytes: *weight_bytes,
            labels: labels.iter().map(ToString::to_string).collect(),
            spam_label: role(classifier.roles().spam),
            furniture_label: role(classifier.roles().furniture),
            head: match settings.pooling {
                Pooling::Cls => "the labels",
                Pooling::Pooler => "a layer, then the labels",
            },
            page_network: classifier.page_reach().is_some(),
            tokenizer: tokenizer.kind(),
            entries: tokenizer.vocab_size(),
            first: tokenizer.cls(),
            last: tokenizer.sep(),
            digest: digest.to_string(),
        }
    }
}

impl fmt::Display for ModelCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let none = || "none".to_owned();
        let lines = [
            ("model", format!("{}, digest {}", self.name, self.digest)),
            ("architecture", format!("{}, activation {}", self.architecture, self.activation)),
            (
                "sizes",
                format!(
                    "{} layers of {} × {}, {} heads, vocabulary of {}, sequences of up to {} tokens",
                    self.layers, self.hidden, self.intermediate, self.heads, self.vocab, self.longest
                ),
            ),
            (
                "weights",
                format!(
                    "{} numbers in {:.1} MB, stored as {}",
                    self.parameters,
                    self.weight_bytes as f64 / 1e6,
                    self.stored_as.join(" and ")
                ),
            ),
            ("engine", format!("{}: {}", self.engine, self.why)),
            ("precision", format!("{} on {}", self.precision, self.instruction_set)),
            ("windows", format!("of {} tokens, neighbours share {}", self.window, self.overlap)),
            (
                "tokenizer",
                format!("{}, {} entries, sequences from {} to {}", self.tokenizer, self.entries, self.first, self.last),
            ),
            ("head", self.head.to_owned()),
            ("labels", format!("{}: {}", self.labels.len(), self.labels.join(", "))),
            ("spam label", self.spam_label.clone().unwrap_or_else(none)),
            ("furniture label", self.furniture_label.clone().unwrap_or_else(none)),
            ("page network", if self.page_network { "yes" } else { "none: each text is read alone" }.to_owned()),
        ];
        for (name, value) in lines {
            let line = format!("{name:<17}{}", printable(&value));
            writeln!(f, "{}", textwrap::fill(&line, lines_of(TABLE_COLUMNS).subsequent_indent("                 ")))?;
        }
        Ok(())
    }
}
