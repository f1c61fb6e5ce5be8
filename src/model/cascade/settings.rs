//! `cascade.json`: when the small model's answer is taken, and what becomes of the two models' answers otherwise.

use crate::eval::Ask;
use crate::label::LabelSet;
use crate::model::settings::{check_spam, from_our_json};
use crate::model::{Digest, ModelError, OperatingPoint, Producer};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::path::Path;

/// Name of the file in a cascade's folder.
pub(in crate::model) const FILE: &str = "cascade.json";

/// The newest format that is read, and the one that is written. Format 1 had no `ask`.
const FORMAT: u32 = 2;

/// The content of `cascade.json`.
///
/// ```json
/// {
///   "format": 2,
///   "producer": {"name": "copydesk", "version": "0.1.0"},
///   "name": "auto",
///   "small": {"name": "fast", "digest": "0123456789abcdef"},
///   "large": {"name": "base", "digest": "fedcba9876543210"},
///   "threshold": 0.9,
///   "ask": [{"label": "comment_spam", "from": 0.02}],
///   "alone": {"small": 0.4, "large": 0.7},
///   "on_page": {"small": 0.5, "large": 0.6},
///   "spam_threshold": 0.5,
///   "spam_operating_points": [{"lose": 0.001, "threshold": 0.97}],
///   "created": "2025-01-31",
///   "data": {"development": {"rows": 1000}}
/// }
/// ```
///
/// Only `ask`, `spam_operating_points`, `created` and `data` may be left out. Unknown fields are refused, as in
/// [`Settings`](crate::model::Settings).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CascadeSettings {
    /// Version of this file's format.
    pub format: u32,
    /// Who wrote the file.
    pub producer: Producer,
    /// The cascade's name, shown to people.
    pub name: String,
    /// The model that reads every paragraph.
    pub small: Member,
    /// The model that reads those of which the small one is not sure.
    pub large: Member,
    /// The small model's answer is taken from this confidence on: 0 takes every answer, but for `ask`.
    pub threshold: f32,
    /// Labels that the small model must not hide: where it gives one of them at least such a probability, the large model is
    /// asked, however sure the small one is of another.
    #[serde(default)]
    pub ask: Vec<AskLabel>,
    /// Weights of the two models' logits for a paragraph without neighbours.
    pub alone: Mixture,
    /// The same where the small model has read the paragraph beside its neighbours.
    pub on_page: Mixture,
    /// Probability of the spam label from which `copydesk filter` calls a comment spam.
    pub spam_threshold: f32,
    /// Thresholds for other shares of genuine comments lost, found on held-out data.
    #[serde(default)]
    pub spam_operating_points: Vec<OperatingPoint>,
    /// Date or time of the choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// What the cascade was chosen on; free-form.
    #[serde(default)]
    pub data: serde_json::Map<String, serde_json::Value>,
}

/// A model of a cascade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Name of the folder beside the cascade's that holds it, or of an embedded model.
    pub name: String,
    /// The very model that the numbers were chosen for.
    pub digest: Digest,
}

/// From which of the small model's probabilities of a label on the large model is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskLabel {
    /// Name of one of the models' labels.
    pub label: String,
    /// The probability.
    pub from: f32,
}

/// Weights of two models' logits, fitted so that the softmax of their sum gives probabilities that mean what they say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mixture {
    /// Factor on the small model's logits.
    pub small: f32,
    /// Factor on the large model's logits, which read the paragraph alone.
    pub large: f32,
}

impl CascadeSettings {
    /// Settings of the current format for two models, that take every answer of the small one.
    pub fn new(name: String, small: Member, large: Member) -> CascadeSettings {
        let mixture = Mixture { small: 0.5, large: 0.5 };
        CascadeSettings {
            format: FORMAT,
            producer: Producer::default(),
            name,
            small,
            large,
            threshold: 0.0,
            ask: Vec::new(),
            alone: mixture,
            on_page: mixture,
            spam_threshold: 0.5,
            spam_operating_points: Vec::new(),
            created: None,
            data: serde_json::Map::new(),
        }
    }

    /// Reads and checks `cascade.json`.
    pub(super) fn from_json(json: &[u8]) -> Result<CascadeSettings, ModelError> {
        let settings: CascadeSettings = from_our_json(FILE, FORMAT, json)?;
        settings.validate()?;
        Ok(settings)
    }

    /// Checks every value against its range.
    fn validate(&self) -> Result<(), ModelError> {
        let rule = |holds: bool, field, expected: &str, got: String| match holds {
            true => Ok(()),
            false => Err(ModelError::BadSetting { file: FILE, field, expected: expected.to_owned(), got }),
        };
        rule((1..=FORMAT).contains(&self.format), "format", "1 or 2", self.format.to_string())?;
        for (field, Member { name, .. }) in [("small.name", &self.small), ("large.name", &self.large)] {
            // It becomes part of a path.
            let plain = Path::new(name).file_name() == Some(OsStr::new(name));
            rule(plain, field, "the name of a folder", format!("`{name}`"))?;
        }
        rule((0.0..=1.0).contains(&self.threshold), "threshold", "a probability", self.threshold.to_string())?;
        for AskLabel { label, from } in &self.ask {
            rule((0.0..=1.0).contains(from), "ask", "probabilities", format!("{from} for `{label}`"))?;
        }
        for (field, mixture) in [("alone", self.alone), ("on_page", self.on_page)] {
            let usable = |weight: f32| weight.is_finite() && weight.abs() <= 1000.0;
            let both = usable(mixture.small) && usable(mixture.large);
            rule(both, field, "weights of -1000 to 1000", format!("{mixture:?}"))?;
        }
        check_spam(FILE, self.spam_threshold, &self.spam_operating_points)
    }

    /// The labels that the small model must not hide, among those of the models.
    pub(super) fn asks(&self, labels: &LabelSet) -> Result<Vec<Ask>, ModelError> {
        let ask = |AskLabel { label, from }: &AskLabel| match labels.id(label) {
            Some(label) => Ok(Ask { label, from: *from }),
            None => {
                let expected = format!("the models' labels: {}", labels.list());
                Err(ModelError::BadSetting { file: FILE, field: "ask", expected, got: format!("`{label}`") })
            }
        };
        self.ask.iter().map(ask).collect()
    }

    /// Writes `cascade.json` into `dir`, which is created if absent.
    ///
    /// # Errors
    /// [`ModelError::Unwritable`], and [`ModelError::BadSetting`] for settings that could not be read again.
    pub fn save(&self, dir: &Path) -> Result<(), ModelError> {
        self.validate()?;
        let json = crate::model::save::pretty(FILE, self)?;
        std::fs::create_dir_all(dir).map_err(|source| ModelError::Unwritable { path: dir.to_owned(), source })?;
        crate::model::save::write(&dir.join(FILE), &json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut serde_json::Value);

    fn settings() -> CascadeSettings {
        let member = |name: &str| Member { name: name.to_owned(), digest: "0123456789abcdef".parse().unwrap() };
        CascadeSettings::new("auto".to_owned(), member("fast"), member("base"))
    }

    fn read(change: impl Fn(&mut serde_json::Value)) -> Result<CascadeSettings, ModelError> {
        let mut value = serde_json::to_value(settings()).unwrap();
        change(&mut value);
        CascadeSettings::from_json(value.to_string().as_bytes())
    }

    #[test]
    fn settings_round_trip_through_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = settings();
        settings.alone = Mixture { small: 0.1, large: 0.9 };
        settings.ask = vec![AskLabel { label: "comment_spam".to_owned(), from: 0.02 }];
        settings.data.insert("rows".to_owned(), 7.into());
        settings.save(&dir.path().join("new")).unwrap();
        let json = std::fs::read(dir.path().join("new").join(FILE)).unwrap();
        assert_eq!(CascadeSettings::from_json(&json).unwrap(), settings);
        settings.threshold = 1.5;
        let refused = settings.save(dir.path());
        assert!(matches!(refused, Err(ModelError::BadSetting { file: FILE, field: "threshold", .. })));
    }

    #[test]
    fn files_of_the_first_format_are_read_and_ask_for_no_labels_sake() {
        let old = read(|json| {
            json["format"] = 1.into();
            json.as_object_mut().unwrap().remove("ask");
        });
        let settings = old.unwrap();
        assert_eq!((settings.format, settings.ask), (1, Vec::new()));
    }

    #[test]
    fn labels_to_ask_about_are_labels_of_the_models() {
        let with =
            |label: &str| CascadeSettings { ask: vec![AskLabel { label: label.to_owned(), from: 0.25 }], ..settings() };
        let labels = LabelSet::copydesk();
        let asks = with("quotation").asks(&labels).unwrap();
        assert_eq!(asks, [Ask { label: labels.id("quotation").unwrap(), from: 0.25 }]);
        let error = with("junk").asks(&labels).unwrap_err();
        assert!(matches!(&error, ModelError::BadSetting { field: "ask", got, .. } if got == "`junk`"), "{error}");
    }

    #[test]
    fn strangers_and_nonsense_are_refused() {
        let error = read(|json| json["producer"]["name"] = "other".into()).unwrap_err();
        assert!(matches!(error, ModelError::ForeignProducer { file: FILE, .. }), "{error}");
        let error = read(|json| json["format"] = 3.into()).unwrap_err();
        assert!(matches!(error, ModelError::FormatTooNew { file: FILE, got: 3, .. }), "{error}");
        for change in [
            (|json| json["novelty"] = 1.into()) as Change,
            |json| json["small"]["digest"] = "12".into(),
            |json| json["alone"]["medium"] = 1.into(),
            |json| drop(json.as_object_mut().unwrap().remove("threshold")),
        ] {
            let error = read(change).unwrap_err();
            assert!(matches!(error, ModelError::CorruptJson { file: FILE, .. }), "{error}");
        }
        let bad: [(&str, Change); 7] = [
            ("format", |json| json["format"] = 0.into()),
            ("large.name", |json| json["large"]["name"] = "../base".into()),
            ("small.name", |json| json["small"]["name"] = "".into()),
            ("threshold", |json| json["threshold"] = (-0.1).into()),
            ("ask", |json| json["ask"] = serde_json::json!([{"label": "other", "from": 1.5}])),
            ("on_page", |json| json["on_page"]["large"] = 1e9.into()),
            ("spam_threshold", |json| json["spam_threshold"] = 2.into()),
        ];
        for (field, change) in bad {
            let error = read(change).unwrap_err();
            assert!(matches!(error, ModelError::BadSetting { file: FILE, field: got, .. } if got == field), "{error}");
        }
    }
}
