//! The families of encoders that are read, and what they call their parts.

use super::Fields;
use crate::engine::Activation;
use crate::model::{ModelError, layout};

/// A family, by the field `model_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Family {
    Bert,
    DistilBert,
    Roberta,
    XlmRoberta,
    Camembert,
    Electra,
    Albert,
    Mpnet,
    DebertaV2,
    ModernBert,
}

/// Fields of `config.json` that have other names in some families.
pub(in crate::model) struct Names {
    pub layers: &'static str,
    pub hidden: &'static str,
    pub heads: &'static str,
    pub intermediate: &'static str,
    pub activation: &'static str,
    pub epsilon: &'static str,
}

impl Family {
    const ALL: [Family; 10] = [
        Family::Bert,
        Family::DistilBert,
        Family::Roberta,
        Family::XlmRoberta,
        Family::Camembert,
        Family::Electra,
        Family::Albert,
        Family::Mpnet,
        Family::DebertaV2,
        Family::ModernBert,
    ];

    /// All their names, for messages.
    const LIST: &str =
        "bert, distilbert, roberta, xlm-roberta, camembert, electra, albert, mpnet, deberta-v2 or modernbert";

    /// The name that `config.json` has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Family::Bert => "bert",
            Family::DistilBert => "distilbert",
            Family::Roberta => "roberta",
            Family::XlmRoberta => "xlm-roberta",
            Family::Camembert => "camembert",
            Family::Electra => "electra",
            Family::Albert => "albert",
            Family::Mpnet => "mpnet",
            Family::DebertaV2 => "deberta-v2",
            Family::ModernBert => "modernbert",
        }
    }

    /// The family of a `config.json`.
    pub fn read(fields: &Fields) -> Result<Family, ModelError> {
        let missing =
            || ModelError::CorruptJson { file: layout::FILE, reason: "missing field `model_type`".to_owned() };
        let got = fields.text("model_type")?.ok_or_else(missing)?;
        Family::ALL.into_iter().find(|family| family.name() == got).ok_or(ModelError::UnsupportedArchitecture {
            field: "model_type",
            expected: Family::LIST,
            got,
        })
    }

    pub const fn names(self) -> Names {
        let bert = Names {
            layers: "num_hidden_layers",
            hidden: "hidden_size",
            heads: "num_attention_heads",
            intermediate: "intermediate_size",
            activation: "hidden_act",
            epsilon: "layer_norm_eps",
        };
        match self {
            Family::DistilBert => Names {
                layers: "n_layers",
                hidden: "dim",
                heads: "n_heads",
                intermediate: "hidden_dim",
                activation: "activation",
                epsilon: "layer_norm_eps",
            },
            Family::ModernBert => Names { activation: "hidden_activation", epsilon: "norm_eps", ..bert },
            _ => bert,
        }
    }

    /// What stands before the names of the encoder's tensors where the file has a head as well.
    pub const fn prefix(self) -> &'static str {
        match self {
            Family::Bert => "bert.",
            Family::DistilBert => "distilbert.",
            Family::Roberta | Family::XlmRoberta | Family::Camembert => "roberta.",
            Family::Electra => "electra.",
            Family::Albert => "albert.",
            Family::Mpnet => "mpnet.",
            Family::DebertaV2 => "deberta.",
            Family::ModernBert => "model.",
        }
    }

    /// The table of words, without the prefix.
    pub const fn word_embedding(self) -> &'static str {
        match self {
            Family::ModernBert => "embeddings.tok_embeddings.weight",
            _ => "embeddings.word_embeddings.weight",
        }
    }

    /// Whether the rows of the position table begin with those of no token, of which the padding's is the last.
    pub const fn offsets_positions(self) -> bool {
        matches!(self, Family::Roberta | Family::XlmRoberta | Family::Camembert | Family::Mpnet)
    }

    pub const fn has_token_types(self) -> bool {
        !matches!(self, Family::DistilBert | Family::Mpnet | Family::ModernBert)
    }

    pub const fn default_token_types(self) -> usize {
        match self {
            Family::DebertaV2 => 0,
            _ => 2,
        }
    }

    pub const fn default_epsilon(self) -> f64 {
        match self {
            Family::DebertaV2 => 1e-7,
            Family::ModernBert => 1e-5,
            _ => 1e-12,
        }
    }

    pub const fn default_activation(self) -> Activation {
        match self {
            Family::Albert => Activation::GeluTanh,
            _ => Activation::Gelu,
        }
    }

    /// Whether the word embedding may be narrower than the layers.
    pub const fn is_factorised(self) -> bool {
        matches!(self, Family::Electra | Family::Albert | Family::DebertaV2)
    }

    /// Why no model of the family runs on BERT's engine; `None` where they can.
    pub const fn why_general(self) -> Option<&'static str> {
        match self {
            Family::Albert => Some("its layers share their weights and its embedding is factorised"),
            Family::DebertaV2 => Some("its attention is disentangled"),
            Family::ModernBert => Some("it has rotated positions, gates, sliding windows, and normalises first"),
            _ => None,
        }
    }
}
