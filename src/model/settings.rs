//! `copydesk.json`: what a model knows beyond Hugging Face's files.

use super::{ModelError, PageConfig};
use crate::engine::Activation;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Name of the file in a model's folder.
pub(super) const FILE: &str = "copydesk.json";

/// The newest format that is read, and the one that is written.
const FORMAT: u32 = 1;

/// The producer whose files are read.
const PRODUCER: &str = env!("CARGO_PKG_NAME");

/// The content of `copydesk.json`.
///
/// ```json
/// {
///   "format": 1,
///   "producer": {"name": "copydesk", "version": "0.1.0"},
///   "name": "base",
///   "window_tokens": 256,
///   "window_overlap": 32,
///   "temperature": 1.0,
///   "spam_label": "comment_spam",
///   "furniture_label": "other",
///   "spam_threshold": 0.5,
///   "spam_operating_points": [{"lose": 0.001, "threshold": 0.97}, {"lose": 0.005, "threshold": 0.5}],
///   "pooling": "cls",
///   "page": {"width": 128, "heads": 4, "intermediate": 256, "layers": 2, "reach": 16, "distances": 8},
///   "page_temperature": 1.0,
///   "base": "sentence-transformers/all-MiniLM-L6-v2",
///   "created": "2025-01-31",
///   "data": {"train_rows": 1000}
/// }
/// ```
///
/// `format` and `producer` must be there; any other field may be left out and gets its default. Unknown fields are
/// refused: a setting that this version does not know could change what the scores mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Version of this file's format.
    pub format: u32,
    /// Who wrote the folder.
    pub producer: Producer,
    /// The model's name, shown to people.
    pub name: String,
    /// Longest sequence given to the encoder, in tokens, `[CLS]` and `[SEP]` included.
    pub window_tokens: usize,
    /// Tokens that neighbouring windows of a long text share.
    pub window_overlap: usize,
    /// Logits are divided by this before the softmax; fitted on held-out data.
    pub temperature: f32,
    /// The label that `copydesk filter` looks for; see [`Settings::roles`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spam_label: Option<String>,
    /// The label of page furniture, which `--no-other` leaves out; see [`Settings::roles`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub furniture_label: Option<String>,
    /// Probability of the spam label from which `copydesk filter` calls a comment spam.
    pub spam_threshold: f32,
    /// Thresholds for other shares of genuine comments lost, found on held-out data.
    pub spam_operating_points: Vec<OperatingPoint>,
    /// Which vector the classification head reads.
    pub pooling: Pooling,
    /// What follows the layer of [`Pooling::Pooler`], if not tanh: that of a model whose head was not BERT's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pooler_activation: Option<Activation>,
    /// Sizes of the network over a page's paragraphs; its weights stand beside the encoder's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<PageConfig>,
    /// What `temperature` is to logits that the page network corrected.
    pub page_temperature: f32,
    /// The checkpoint that training started from.
    pub base: Option<String>,
    /// Date or time of training.
    pub created: Option<String>,
    /// What the model was trained on; free-form.
    pub data: serde_json::Map<String, serde_json::Value>,
}

/// A threshold of the spam score and what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingPoint {
    /// Share of genuine comments that the threshold lost at most on held-out data.
    pub lose: f64,
    /// Probability of the spam label from which a comment is called spam.
    pub threshold: f32,
}

/// The program that wrote a model's folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Producer {
    /// `copydesk`.
    pub name: String,
    /// The crate's version.
    pub version: String,
}

/// Which vector of a sequence the classification head reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// The last layer's vector of `[CLS]` as it is; what this crate trains.
    Cls,
    /// That vector through BERT's pooler, `tanh(dense(x))`; what `BertForSequenceClassification` trains.
    Pooler,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            format: FORMAT,
            producer: Producer::default(),
            name: "unnamed".to_owned(),
            window_tokens: 256,
            window_overlap: 32,
            temperature: 1.0,
            spam_label: None,
            furniture_label: None,
            spam_threshold: 0.5,
            spam_operating_points: Vec::new(),
            pooling: Pooling::Cls,
            pooler_activation: None,
            page: None,
            page_temperature: 1.0,
            base: None,
            created: None,
            data: serde_json::Map::new(),
        }
    }
}

/// The fields that decide whether the others can be understood.
#[derive(Deserialize)]
struct Header {
    format: u32,
    producer: Producer,
}

impl Settings {
    /// Defaults for a folder without `copydesk.json`: windows as long as most encoders can read, if this one can.
    pub(super) fn for_stranger(name: &str, max_positions: usize) -> Settings {
        const WINDOW_TOKENS: usize = 512;
        Settings { name: name.to_owned(), window_tokens: WINDOW_TOKENS, ..Settings::default() }.fitting(max_positions)
    }

    /// The same with windows that an encoder of so many positions takes.
    pub(crate) fn fitting(self, max_positions: usize) -> Settings {
        let window_tokens = self.window_tokens.min(max_positions);
        let window_overlap = self.window_overlap.min(window_tokens.saturating_sub(2) / 4);
        Settings { window_tokens, window_overlap, ..self }
    }

    /// Reads `copydesk.json`.
    pub(super) fn from_json(json: &[u8]) -> Result<Settings, ModelError> {
        from_our_json(FILE, FORMAT, json)
    }

    /// Checks every value against its range and against the encoder's longest sequence.
    pub(super) fn validate(&self, max_positions: usize) -> Result<(), ModelError> {
        let bad = |field, expected: String, got: &dyn ToString| {
            Err(ModelError::BadSetting { file: FILE, field, expected, got: got.to_string() })
        };
        if self.format != FORMAT {
            return bad("format", FORMAT.to_string(), &self.format);
        }
        if !(3..=max_positions).contains(&self.window_tokens) {
            return bad("window_tokens", format!("3 to {max_positions}"), &self.window_tokens);
        }
        if self.window_overlap >= self.window_tokens - 2 {
            let expected = format!("less than the window's {} tokens of text", self.window_tokens - 2);
            return bad("window_overlap", expected, &self.window_overlap);
        }
        if !(self.temperature.is_normal() && self.temperature > 0.0) {
            return bad("temperature", "a number above 0".to_owned(), &self.temperature);
        }
        if !(self.page_temperature.is_normal() && self.page_temperature > 0.0) {
            return bad("page_temperature", "a number above 0".to_owned(), &self.page_temperature);
        }
        check_spam(FILE, self.spam_threshold, &self.spam_operating_points)
    }
}

impl Default for Producer {
    /// This crate.
    fn default() -> Producer {
        Producer { name: PRODUCER.to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// Reads a JSON file that begins with `format` and `producer`, where both are ours.
pub(super) fn from_our_json<T: DeserializeOwned>(
    file: &'static str,
    newest: u32,
    json: &[u8],
) -> Result<T, ModelError> {
    let corrupt = |error: serde_json::Error| ModelError::CorruptJson { file, reason: error.to_string() };
    let Header { format, producer } = serde_json::from_slice(json).map_err(corrupt)?;
    if producer.name != PRODUCER {
        return Err(ModelError::ForeignProducer { file, expected: PRODUCER, got: producer.name });
    }
    if format > newest {
        let producer = format!("{} {}", producer.name, producer.version);
        return Err(ModelError::FormatTooNew { file, expected: newest, got: format, producer });
    }
    serde_json::from_slice(json).map_err(corrupt)
}

/// Checks that thresholds of the spam score are probabilities.
pub(super) fn check_spam(file: &'static str, threshold: f32, points: &[OperatingPoint]) -> Result<(), ModelError> {
    let bad =
        |field, got: String| Err(ModelError::BadSetting { file, field, expected: "probabilities".to_owned(), got });
    if !(0.0..=1.0).contains(&threshold) {
        return bad("spam_threshold", threshold.to_string());
    }
    match points.iter().find(|point| !((0.0..=1.0).contains(&point.lose) && (0.0..=1.0).contains(&point.threshold))) {
        Some(point) => bad("spam_operating_points", format!("{point:?}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_round_trip_and_missing_fields_get_their_defaults() {
        let mut settings = Settings { name: "tiny".to_owned(), temperature: 1.7, ..Settings::default() };
        settings.data.insert("train_rows".to_owned(), 12.into());
        let json = serde_json::to_vec(&settings).unwrap();
        assert_eq!(Settings::from_json(&json).unwrap(), settings);
        let sparse = Settings::from_json(br#"{"format":1,"producer":{"name":"copydesk","version":"9"}}"#).unwrap();
        assert_eq!((sparse.window_tokens, sparse.window_overlap, sparse.temperature), (256, 32, 1.0));
    }

    #[test]
    fn strangers_later_formats_and_unknown_fields_are_refused() {
        let read = |json: &str| Settings::from_json(json.as_bytes()).unwrap_err();
        let error = read(r#"{"format":2,"producer":{"name":"copydesk","version":"9"},"novelty":1}"#);
        assert!(matches!(error, ModelError::FormatTooNew { expected: 1, got: 2, .. }), "{error}");
        let error = read(r#"{"format":1,"producer":{"name":"other","version":"1"}}"#);
        assert!(matches!(error, ModelError::ForeignProducer { .. }), "{error}");
        for json in [
            r#"{"producer":{"name":"copydesk","version":"1"}}"#,
            r#"{"format":1}"#,
            r#"{"format":1,"producer":{"name":"copydesk","version":"1"},"novelty":1}"#,
            r#"{"format":1,"producer":{"name":"copydesk","version":"1"},"pooling":"mean"}"#,
            "",
        ] {
            assert!(matches!(read(json), ModelError::CorruptJson { file: FILE, .. }), "{json}");
        }
    }

    #[test]
    fn values_outside_their_range_are_refused() {
        let default = Settings::default;
        assert!(default().validate(256).is_ok());
        for (field, settings) in [
            ("format", Settings { format: 0, ..default() }),
            ("window_tokens", Settings { window_tokens: 2, ..default() }),
            ("window_tokens", Settings { window_tokens: 257, ..default() }),
            ("window_overlap", Settings { window_overlap: 254, ..default() }),
            ("temperature", Settings { temperature: 0.0, ..default() }),
            ("temperature", Settings { temperature: f32::NAN, ..default() }),
            ("page_temperature", Settings { page_temperature: -1.0, ..default() }),
            ("spam_threshold", Settings { spam_threshold: 1.5, ..default() }),
        ] {
            let error = settings.validate(256).unwrap_err();
            assert!(matches!(error, ModelError::BadSetting { field: got, .. } if got == field), "{error}");
        }
        let small = Settings::for_stranger("x", 16);
        assert!(small.validate(16).is_ok());
    }
}
