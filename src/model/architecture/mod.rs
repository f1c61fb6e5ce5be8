//! Encoders by their `config.json`: which family, which sizes, which engine.
//!
//! Hugging Face's classifiers differ in the names of sizes and tensors more than in mathematics. [`Architecture::read`] makes one
//! description of any `config.json`, [`bert`] reads the weights of those that are BERT by other names, and [`general`] those that
//! are not.
//!
//! | `model_type` | engine |
//! |---|---|
//! | `bert`, `distilbert`, `roberta`, `xlm-roberta`, `camembert`, `electra`, `mpnet` | BERT's, [`Encoder`](crate::engine::Encoder), unless the activation is another or the embedding narrower |
//! | `albert`, `deberta-v2` (version 3 too), `modernbert` | [`General`](crate::engine::general::General), in single precision |

pub(super) mod bert;
mod family;
mod fields;
pub(super) mod general;
mod head;

pub(super) use family::Family;
pub(super) use fields::Fields;
pub(super) use head::check_task;
#[cfg(test)]
pub(super) use head::labels;

use super::{ModelError, layout};
use crate::engine::general::BUCKETS;
use crate::engine::{Activation, EncoderConfig};

/// What a `config.json` says of an encoder.
#[derive(Clone, Debug)]
pub(super) struct Architecture {
    pub family: Family,
    /// Sizes; `max_positions` is the longest sequence.
    pub encoder: EncoderConfig,
    pub activation: Activation,
    /// Rows of the position table before that of a sequence's first token.
    pub first_position: usize,
    /// Width of the word embedding.
    pub embedding: usize,
    /// Rows of the table by which attention knows distances, where it does.
    pub buckets: Option<usize>,
    /// Why BERT's engine cannot run it; `None` where it can.
    pub general: Option<String>,
}

impl Architecture {
    /// Reads `config.json` and checks what can be checked without the weights.
    pub fn read(fields: &Fields) -> Result<Architecture, ModelError> {
        if fields.has("auto_map") {
            return Err(ModelError::CustomCode);
        }
        let family = Family::read(fields)?;
        let (field, expected) = ("position_embedding_type", "absolute");
        if let Some(got) = fields.text(field)?.filter(|got| got != expected) {
            return Err(ModelError::UnsupportedArchitecture { field, expected, got });
        }
        if fields.truth("is_decoder")?.unwrap_or(false) {
            return Err(ModelError::UnsupportedArchitecture {
                field: "is_decoder",
                expected: "false",
                got: "true".to_owned(),
            });
        }
        let names = family.names();
        let hidden = fields.required(names.hidden)?;
        let first_position = match family.offsets_positions() {
            // The tables of these begin behind the padding's row.
            true => fields.size("pad_token_id")?.unwrap_or(1).saturating_add(1),
            false => 0,
        };
        let rows = fields.required("max_position_embeddings")?;
        let encoder = EncoderConfig {
            layers: fields.required(names.layers)?,
            hidden,
            heads: fields.required(names.heads)?,
            intermediate: fields.required(names.intermediate)?,
            vocab: fields.required("vocab_size")?,
            max_positions: rows.saturating_sub(first_position),
            // Token types are not told apart here, but their first row is added to every position.
            type_vocab: match family.has_token_types() {
                true => fields.size("type_vocab_size")?.unwrap_or(family.default_token_types()),
                false => 1,
            },
            layer_norm_eps: fields.number(names.epsilon)?.unwrap_or(family.default_epsilon()) as f32,
            tokens_per_state: match family {
                Family::Bert => fields.size("tokens_per_state")?.unwrap_or(1),
                _ => 1,
            },
        };
        let activation = fields.activation(names.activation, family.default_activation())?;
        let embedding = fields.size("embedding_size")?.filter(|_| family.is_factorised()).unwrap_or(hidden);
        let buckets = fields.size(layout::BUCKETS_FIELD)?;
        let buckets = match family {
            Family::Mpnet => buckets.or(Some(BUCKETS)),
            // A model of MPNet's that was stored here.
            Family::Bert => buckets,
            _ => None,
        };
        let general = None;
        let mut architecture =
            Architecture { family, encoder, activation, first_position, embedding, buckets, general };
        architecture.check()?;
        architecture.general = architecture.why_general();
        Ok(architecture)
    }

    fn why_general(&self) -> Option<String> {
        if let Some(reason) = self.family.why_general() {
            return Some(reason.to_owned());
        }
        if self.activation != Activation::Gelu {
            return Some(format!("its activation is {}, BERT's engine has exact gelu", self.activation.name()));
        }
        let (embedding, hidden) = (self.embedding, self.encoder.hidden);
        (embedding != hidden)
            .then(|| format!("its embedding has {embedding} values a token and is projected to {hidden}"))
    }

    fn check(&self) -> Result<(), ModelError> {
        let (config, names) = (&self.encoder, self.family.names());
        let mut sizes = vec![
            (names.layers, config.layers),
            (names.hidden, config.hidden),
            (names.heads, config.heads),
            (names.intermediate, config.intermediate),
            ("vocab_size", config.vocab),
            ("max_position_embeddings", config.max_positions),
            ("tokens_per_state", config.tokens_per_state),
            ("embedding_size", self.embedding),
        ];
        if self.family != Family::DebertaV2 {
            sizes.push(("type_vocab_size", config.type_vocab));
        }
        for (field, got) in sizes {
            // The upper bound keeps every product of two sizes within 64 bits.
            if got == 0 || u32::try_from(got).is_err() {
                return Err(ModelError::BadSize { field, expected: "1 to 2^32 - 1".to_owned(), got: got.to_string() });
            }
        }
        if let Some(got) = self.buckets.filter(|&buckets| buckets != BUCKETS) {
            let expected = BUCKETS.to_string();
            return Err(ModelError::BadSize { field: layout::BUCKETS_FIELD, expected, got: got.to_string() });
        }
        if !config.hidden.is_multiple_of(config.heads) {
            let expected = format!("a divisor of the hidden size {}", config.hidden);
            return Err(ModelError::BadSize { field: names.heads, expected, got: config.heads.to_string() });
        }
        if !(config.layer_norm_eps > 0.0 && config.layer_norm_eps < 1.0) {
            let (expected, got) = ("between 0 and 1".to_owned(), config.layer_norm_eps.to_string());
            return Err(ModelError::BadSize { field: names.epsilon, expected, got });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Encoder, Precision, Workspace};
    use crate::model::checkpoint;
    use crate::model::layout::Layout;
    use std::path::Path;

    /// What runs on BERT's engine runs on the general one as well, which shares no code with it but the products and MPNet's buckets: the two must
    /// say the same.
    #[test]
    fn both_engines_give_the_same_vectors() {
        for folder in ["bert", "distilbert", "electra", "mpnet", "roberta", "xlm-roberta", "camembert"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/architectures").join(folder);
            let file = |name: &str| std::fs::read(folder.join(name)).unwrap();
            let (config, weights) = (file("config.json"), file("model.safetensors"));
            let layout = Layout::from_json(&config).unwrap();
            let architecture = &layout.architecture;
            assert_eq!(architecture.general, None, "{}", folder.display());
            let tensors = checkpoint::tensors(&weights, &layout).unwrap();
            let general = general::read(&tensors, architecture, &layout.fields).unwrap();
            let bert = bert::weights(&tensors, architecture).unwrap();
            let encoder = Encoder::new(architecture.encoder.clone(), bert, Precision::F32).unwrap();
            let ids: Vec<u32> = (0..90).map(|index| index * 37 % 200).collect();
            let bounds = [0, 1, 3, 20, 90];
            let (mut one, mut other) = (vec![0.0; 4 * 32], vec![0.0; 4 * 32]);
            encoder.encode(&ids, &bounds, &mut Workspace::default(), &mut one).unwrap();
            general.encode(&ids, &bounds, &mut other).unwrap();
            for (a, b) in one.iter().zip(&other) {
                assert!((a - b).abs() < 1e-4, "{}: {one:?} and {other:?}", folder.display());
            }
            assert!(general.encode(&ids, &[0, 90, 90], &mut other).is_err(), "an empty sequence");
            assert!(general.encode(&[9999], &[0, 1], &mut other[..32]).is_err(), "an id of no word");
        }
    }
}
