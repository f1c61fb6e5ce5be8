//! `config.json`: the encoder's sizes and the names of the outputs.

use super::ModelError;
use crate::engine::EncoderConfig;
use crate::label::LabelSet;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Name of the file in a model's folder.
pub(super) const FILE: &str = "config.json";

/// `config.json` as far as it is understood.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) encoder: EncoderConfig,
    id2label: Map<String, Value>,
}

#[derive(Deserialize)]
struct ConfigFile {
    model_type: String,
    #[serde(default = "gelu")]
    hidden_act: String,
    #[serde(default = "absolute")]
    position_embedding_type: String,
    #[serde(default)]
    id2label: Map<String, Value>,
    #[serde(flatten)]
    encoder: EncoderConfig,
}

fn gelu() -> String {
    "gelu".to_owned()
}

fn absolute() -> String {
    "absolute".to_owned()
}

impl Layout {
    /// Reads `config.json` and checks what can be checked without the weights.
    pub(super) fn from_json(bytes: &[u8]) -> Result<Layout, ModelError> {
        let file: ConfigFile = serde_json::from_slice(bytes)
            .map_err(|error| ModelError::CorruptJson { file: FILE, reason: error.to_string() })?;
        for (field, expected, got) in [
            ("model_type", "bert", file.model_type),
            ("hidden_act", "gelu", file.hidden_act),
            ("position_embedding_type", "absolute", file.position_embedding_type),
        ] {
            if got != expected {
                return Err(ModelError::UnsupportedArchitecture { field, expected, got });
            }
        }
        check_sizes(&file.encoder)?;
        Ok(Layout { encoder: file.encoder, id2label: file.id2label })
    }

    /// The label of each output row, from `id2label`.
    ///
    /// The ids must be the numbers from 0 on, without a gap.
    pub(super) fn labels(&self) -> Result<LabelSet, ModelError> {
        let outputs = self.id2label.len();
        let names = (0..outputs).map(|id| {
            let name = self.id2label.get(&id.to_string()).and_then(Value::as_str);
            name.ok_or(ModelError::UnnamedOutput { output: id, outputs })
        });
        Ok(LabelSet::new(names.collect::<Result<Vec<&str>, _>>()?)?)
    }
}

fn check_sizes(config: &EncoderConfig) -> Result<(), ModelError> {
    for (field, got) in [
        ("num_hidden_layers", config.layers),
        ("hidden_size", config.hidden),
        ("num_attention_heads", config.heads),
        ("intermediate_size", config.intermediate),
        ("vocab_size", config.vocab),
        ("max_position_embeddings", config.max_positions),
        ("type_vocab_size", config.type_vocab),
        ("tokens_per_state", config.tokens_per_state),
    ] {
        // The upper bound keeps every product of two sizes within 64 bits.
        if got == 0 || u32::try_from(got).is_err() {
            return Err(ModelError::BadSize { field, expected: "1 to 2^32 - 1".to_owned(), got: got.to_string() });
        }
    }
    if !config.hidden.is_multiple_of(config.heads) {
        let expected = format!("a divisor of the hidden size {}", config.hidden);
        return Err(ModelError::BadSize { field: "num_attention_heads", expected, got: config.heads.to_string() });
    }
    if !(config.layer_norm_eps > 0.0 && config.layer_norm_eps < 1.0) {
        let (expected, got) = ("between 0 and 1".to_owned(), config.layer_norm_eps.to_string());
        return Err(ModelError::BadSize { field: "layer_norm_eps", expected, got });
    }
    Ok(())
}

/// The `config.json` of a model with these labels, or of a bare encoder.
pub(super) fn to_json(encoder: &EncoderConfig, labels: Option<&LabelSet>, pad: u32) -> Value {
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
    use crate::model::fixture;

    fn read(change: impl Fn(&mut Value)) -> Result<Layout, ModelError> {
        let mut config = to_json(&fixture::config(), Some(&LabelSet::copydesk()), 0);
        change(&mut config);
        Layout::from_json(config.to_string().as_bytes())
    }

    #[test]
    fn written_configs_are_read_back() {
        let layout = read(|_| ()).unwrap();
        assert_eq!(layout.encoder, fixture::config());
        assert_eq!(read(|config| config["tokens_per_state"] = 3.into()).unwrap().encoder.tokens_per_state, 3);
        let pairs = EncoderConfig { tokens_per_state: 2, ..fixture::config() };
        let json = to_json(&pairs, None, 0).to_string();
        assert_eq!(Layout::from_json(json.as_bytes()).unwrap().encoder, pairs);
        assert_eq!(layout.labels().unwrap(), LabelSet::copydesk());
    }

    #[test]
    fn labels_keep_their_order_and_are_numbered_without_a_gap() {
        let with = |ids: Value| read(|config| config["id2label"] = ids.clone()).unwrap().labels();
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
            [("model_type", "roberta"), ("hidden_act", "gelu_new"), ("position_embedding_type", "relative_key")]
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
