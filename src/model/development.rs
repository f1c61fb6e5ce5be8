//! Figures that are stored with a model.

use crate::eval::Estimate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Figures that `copydesk pack` and `copydesk cascade` store with a model, in the field [`Development::FIELD`] of its `data`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct Development {
    /// Held-out rows that they were counted on; temperatures and thresholds were fitted on the same rows.
    pub rows: u64,
    /// Macro-F1, every row read alone.
    pub macro_f1: Estimate,
    /// Macro-F1, every row read beside the others of its page.
    pub macro_f1_on_page: Estimate,
    /// Of a cascade: what its large model was asked on the rows' pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
}

/// Shares of what there was to read, `0.0..=1.0`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
pub struct Asked {
    /// Of the rows.
    pub rows: f64,
    /// Of the large model's tokens.
    pub tokens: f64,
}

impl Development {
    /// Name of the field.
    pub const FIELD: &str = "development";

    /// The figures stored with a model; `None` where it was packed without rows.
    pub fn of(data: &Map<String, Value>) -> Option<Development> {
        Development::deserialize(data.get(Development::FIELD)?).ok()
    }

    /// As they are stored.
    #[cfg(any(test, feature = "train"))]
    pub fn to_value(self) -> Value {
        serde_json::to_value(self).expect("figures can be written as JSON; this is a bug")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_stored_and_found() {
        let estimate = |value| Estimate { value, low: Some(value - 0.01), high: None };
        let development = Development {
            rows: 7,
            macro_f1: estimate(0.5),
            macro_f1_on_page: estimate(0.6),
            asked: Some(Asked { rows: 0.25, tokens: 0.5 }),
        };
        let mut data = Map::new();
        assert_eq!(Development::of(&data), None);
        data.insert(Development::FIELD.to_owned(), development.to_value());
        assert_eq!(Development::of(&data), Some(development));
        data.insert(Development::FIELD.to_owned(), "free text".into());
        assert_eq!(Development::of(&data), None);
    }
}
