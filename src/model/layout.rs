//! `config.json`: the encoder's sizes and the names of the outputs.

use super::ModelError;
use super::architecture::{Architecture, Fields};
use crate::engine::EncoderConfig;
use crate::label::LabelSet;
use serde_json::{Map, Value, json};

/// The field that says how many rows the table of distances has: MPNet's own, and ours where a model of it is stored.
pub(super) const BUCKETS_FIELD: &str = "relative_attention_num_buckets";

/// Name of the file in a model's folder.
pub(super) const FILE: &str = "config.json";

/// `config.json` as far as it is understood.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) architecture: Architecture,
    pub(super) fields: Fields,
}

impl Layout {
    /// Reads `config.json` and checks what can be checked without the weights.
    pub(super) fn from_json(bytes: &[u8]) -> Result<Layout, ModelError> {
        let fields = Fields::read(bytes)?;
        Ok(Layout { architecture: Architecture::read(&fields)?, fields })
    }
}

/// The `config.json` of a model with these labels, or of a bare encoder.
pub(super) fn to_json(encoder: &EncoderConfig, labels: Option<&LabelSet>, pad: Option<u32>) -> Value {
    let architecture = if labels.is_some() { "BertForSequenceClassification" } else { "BertModel" };
    let mut config = json!({
        "architectures": [architecture],
        "model_type": "bert",
        "hidden_act": "gelu",
        "position_embedding_type": "absolute",
        "pad_token_id": pad,
        "num_hidden_layers": encoder.layers,
        "hidden_size": encoder.hidden,
        "num_attention_heads": encoder.heads,
        "intermediate_size": encoder.intermediate,
        "vocab_size": encoder.vocab,
        "max_position_embeddings": encoder.max_positions,
        "type_vocab_size": encoder.type_vocab,
        "layer_norm_eps": encoder.layer_norm_eps,
        // No meaning once a model is trained, but some readers demand them. The values are BERT's own.
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
    });
    if encoder.tokens_per_state != 1 {
        config["tokens_per_state"] = encoder.tokens_per_state.into();
    }
    if let Some(labels) = labels {
        let id2label: Map<String, Value> =
            labels.iter().enumerate().map(|(id, label)| (id.to_string(), label.as_str().into())).collect();
        let label2id: Map<String, Value> =
            labels.iter().enumerate().map(|(id, label)| (label.to_string(), id.into())).collect();
        config["id2label"] = id2label.into();
        config["label2id"] = label2id.into();
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::LabelSetError;
    use crate::model::architecture::labels;
    use crate::model::fixture;

    fn read(change: impl Fn(&mut Value)) -> Result<Layout, ModelError> {
        let mut config = to_json(&fixture::config(), Some(&LabelSet::copydesk()), Some(0));
        change(&mut config);
        Layout::from_json(config.to_string().as_bytes())
    }

    #[test]
    fn written_configs_are_read_back() {
        let layout = read(|_| ()).unwrap();
        assert_eq!(layout.architecture.encoder, fixture::config());
        assert_eq!(
            read(|config| config["tokens_per_state"] = 3.into()).unwrap().architecture.encoder.tokens_per_state,
            3
        );
        let pairs = EncoderConfig { tokens_per_state: 2, ..fixture::config() };
        let json = to_json(&pairs, None, Some(0)).to_string();
        assert_eq!(Layout::from_json(json.as_bytes()).unwrap().architecture.encoder, pairs);
        assert_eq!(labels(&layout.fields).unwrap(), LabelSet::copydesk());
    }

    #[test]
    fn labels_keep_their_order_and_are_numbered_without_a_gap() {
        let with = |ids: Value| labels(&read(|config| config["id2label"] = ids.clone()).unwrap().fields);
        let numbered = |count: usize| (0..count).map(|id| (id.to_string(), json!(format!("n{id}")))).collect();
        assert_eq!(with(json!({"1": "spam", "0": "ham"})).unwrap(), LabelSet::new(["ham", "spam"]).unwrap());
        assert_eq!(with(numbered(37)).unwrap().len(), 37);
        assert_eq!(with(numbered(1000)).unwrap().len(), 1000);
        for gap in [json!({"0": "ham", "2": "spam"}), json!({"0": "ham", "1": 7})] {
            let error = with(gap).unwrap_err();
            assert!(matches!(error, ModelError::UnnamedOutput { output: 1, outputs: 2 }), "{error}");
        }
        for (wrong, rule) in [
            (numbered(0), LabelSetError::LabelCount { got: 0 }),
            (numbered(1), LabelSetError::LabelCount { got: 1 }),
            (numbered(1001), LabelSetError::LabelCount { got: 1001 }),
            (json!({"0": "ham", "1": "ham"}), LabelSetError::RepeatedName { got: "ham".to_owned() }),
            (json!({"0": "ham", "1": ""}), LabelSetError::EmptyName),
            (json!({"0": "a\n", "1": "b"}), LabelSetError::ControlCharacter { got: "a\n".to_owned() }),
        ] {
            let error = with(wrong).unwrap_err();
            assert!(matches!(&error, ModelError::BadLabels { source } if *source == rule), "{error}");
        }
    }

    #[test]
    fn other_networks_and_impossible_sizes_are_refused() {
        for (field, value) in
            [("model_type", "gpt2"), ("hidden_act", "softmax"), ("position_embedding_type", "relative_key")]
        {
            let error = read(|config| config[field] = value.into()).unwrap_err();
            assert!(
                matches!(&error, ModelError::UnsupportedArchitecture { field: f, got, .. } if *f == field && got == value)
            );
        }
        for (field, value) in [
            ("num_attention_heads", json!(5)),
            ("hidden_size", json!(0)),
            ("tokens_per_state", json!(0)),
            ("num_hidden_layers", json!(u64::MAX)),
            ("layer_norm_eps", json!(-1.0)),
        ] {
            let error = read(|config| config[field] = value.clone()).unwrap_err();
            assert!(matches!(error, ModelError::BadSize { field: f, .. } if f == field), "{error}");
        }
        let error = read(|config| config["vocab_size"] = json!(-1)).unwrap_err();
        assert!(matches!(error, ModelError::CorruptJson { .. }), "{error}");
    }
}
