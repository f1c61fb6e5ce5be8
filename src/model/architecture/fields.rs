//! The fields of a `config.json`; one that is `null` is absent.

use crate::engine::Activation;
use crate::model::{ModelError, layout};
use serde_json::{Map, Value};

/// A `config.json`.
#[derive(Debug)]
pub(in crate::model) struct Fields(Map<String, Value>);

impl Fields {
    pub fn read(bytes: &[u8]) -> Result<Fields, ModelError> {
        let fields = serde_json::from_slice(bytes)
            .map_err(|error| ModelError::CorruptJson { file: layout::FILE, reason: error.to_string() })?;
        Ok(Fields(fields))
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn wrong(name: &str, expected: &str, got: &Value) -> ModelError {
        let got: String = got.to_string().chars().take(80).collect();
        ModelError::CorruptJson { file: layout::FILE, reason: format!("`{name}` must be {expected}, got {got}") }
    }

    /// A number that counts something.
    pub fn size(&self, name: &str) -> Result<Option<usize>, ModelError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let size = value.as_u64().and_then(|size| usize::try_from(size).ok());
        size.map(Some).ok_or_else(|| Fields::wrong(name, "a whole number from 0 on", value))
    }

    pub fn required(&self, name: &'static str) -> Result<usize, ModelError> {
        let missing = || ModelError::CorruptJson { file: layout::FILE, reason: format!("missing field `{name}`") };
        self.size(name)?.ok_or_else(missing)
    }

    pub fn number(&self, name: &str) -> Result<Option<f64>, ModelError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.as_f64().map(Some).ok_or_else(|| Fields::wrong(name, "a number", value))
    }

    pub fn text(&self, name: &str) -> Result<Option<String>, ModelError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.as_str().map(|text| Some(text.to_owned())).ok_or_else(|| Fields::wrong(name, "a text", value))
    }

    pub fn truth(&self, name: &str) -> Result<Option<bool>, ModelError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| Fields::wrong(name, "true or false", value))
    }

    pub fn activation(&self, field: &'static str, default: Activation) -> Result<Activation, ModelError> {
        let Some(name) = self.text(field)? else { return Ok(default) };
        Activation::from_name(&name).ok_or(ModelError::UnsupportedArchitecture {
            field,
            expected: Activation::NAMES,
            got: name,
        })
    }
}
