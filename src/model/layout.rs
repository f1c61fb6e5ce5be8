//! `config.json`: the encoder's sizes and the names of the outputs.

use super::ModelError;
use crate::engine::EncoderConfig;
use crate::label::{LABEL_COUNT, Label};
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
    pub(super) fn labels(&self) -> Result<[Label; LABEL_COUNT], ModelError> {
        let names: Vec<String> = (0..self.id2label.len())
            .map(|id| match self.id2label.get(&id.to_string()) {
                Some(Value::String(name)) => name.clone(),
                Some(other) => other.to_string(),
                None => "(none)".to_owned(),
            })
            .collect();
        let labels: Vec<Label> = names.iter().filter_map(|name| name.parse().ok()).collect();
        match <[Label; LABEL_COUNT]>::try_from(labels) {
            Ok(labels) if names.len() == LABEL_COUNT && Label::ALL.iter().all(|label| labels.contains(label)) => {
                Ok(labels)
            }
            _ => Err(ModelError::UnknownLabels { got: names }),
        }
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

/// The `config.json` of a model with our labels, or of a bare encoder.
pub(super) fn to_json(encoder: &EncoderConfig, has_head: bool, pad: u32) -> Value {
    let architecture = if has_head { "BertForSequenceClassification" } else { "BertModel" };
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
    if has_head {
        let id2label: Map<String, Value> =
            Label::ALL.iter().map(|label| (label.index().to_string(), label.as_str().into())).collect();
        let label2id: Map<String, Value> =
            Label::ALL.iter().map(|label| (label.as_str().to_owned(), label.index().into())).collect();
        config["id2label"] = id2label.into();
        config["label2id"] = label2id.into();
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture;

    fn read(change: impl Fn(&mut Value)) -> Result<Layout, ModelError> {
        let mut config = to_json(&fixture::config(), true, 0);
        change(&mut config);
        Layout::from_json(config.to_string().as_bytes())
    }

    #[test]
    fn written_configs_are_read_back() {
        let layout = read(|_| ()).unwrap();
        assert_eq!(layout.encoder, fixture::config());
        assert_eq!(layout.labels().unwrap(), Label::ALL);
    }

    #[test]
    fn labels_may_stand_in_any_order_but_must_be_the_five() {
        let order = ["other", "quotation", "reporting", "comment_spam", "opinion"];
        let with = |names: &[&str]| {
            let ids: Map<String, Value> =
                names.iter().enumerate().map(|(id, name)| (id.to_string(), (*name).into())).collect();
            read(|config| config["id2label"] = ids.clone().into()).unwrap().labels()
        };
        assert_eq!(with(&order).unwrap().map(Label::as_str), order);
        for names in [&order[..4], &["LABEL_0", "LABEL_1"], &[], &["other"; 5]] {
            let error = with(names).unwrap_err();
            assert!(matches!(&error, ModelError::UnknownLabels { got } if got == names), "{error}");
        }
        let gap = read(|config| config["id2label"] = json!({"7": "other"})).unwrap().labels();
        assert!(matches!(gap, Err(ModelError::UnknownLabels { .. })));
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
