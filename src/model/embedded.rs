//! The models that are compiled into the library.

use super::ModelFiles;

/// A network that is compiled into the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EmbeddedModel {
    /// The one that judges best.
    Base,
    /// A small one that learned from it, several times as fast.
    Fast,
    /// A tiny one, several times as fast again.
    Nano,
}

/// Name of the embedded cascade of [`EmbeddedModel::Fast`] and [`EmbeddedModel::Base`].
pub const EMBEDDED_CASCADE: &str = "auto";

/// Size of its `cascade.json`.
pub const EMBEDDED_CASCADE_BYTES: u64 =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/auto/cascade.json")).len() as u64;

/// The settings of the embedded cascade.
pub(super) static CASCADE: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/auto/cascade.json"));

/// The four files of a folder of `models/`.
macro_rules! files {
    ($name:literal) => {
        ModelFiles {
            name: $name,
            config: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/", $name, "/config.json")),
            tokenizer: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/", $name, "/tokenizer.json")),
            weights: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/", $name, "/model.safetensors")),
            settings: Some(include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/", $name, "/copydesk.json"))),
        }
    };
}

// Statics, because a static stands in the program once. A constant or a function would be copied into every unit of code
// that uses it, and the weights with it.
static BASE: ModelFiles<'static> = files!("base");
static FAST: ModelFiles<'static> = files!("fast");
static NANO: ModelFiles<'static> = files!("nano");

impl EmbeddedModel {
    /// Every embedded network.
    pub const ALL: [EmbeddedModel; 3] = [EmbeddedModel::Base, EmbeddedModel::Fast, EmbeddedModel::Nano];

    /// The name by which it is asked for.
    pub const fn as_str(self) -> &'static str {
        match self {
            EmbeddedModel::Base => "base",
            EmbeddedModel::Fast => "fast",
            EmbeddedModel::Nano => "nano",
        }
    }

    /// The network of a name.
    pub fn from_name(name: &str) -> Option<EmbeddedModel> {
        EmbeddedModel::ALL.into_iter().find(|model| model.as_str() == name)
    }

    /// Its files where they lie in the program; nothing is parsed before it is asked for.
    pub fn files(self) -> ModelFiles<'static> {
        match self {
            EmbeddedModel::Base => BASE,
            EmbeddedModel::Fast => FAST,
            EmbeddedModel::Nano => NANO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Settings;

    #[test]
    fn every_network_is_found_by_its_own_name() {
        for model in EmbeddedModel::ALL {
            assert_eq!(EmbeddedModel::from_name(model.as_str()), Some(model));
            assert_eq!(model.files().name, model.as_str());
            assert_eq!(Settings::from_json(model.files().settings.unwrap()).unwrap().name, model.as_str());
        }
        assert_eq!(EmbeddedModel::from_name(EMBEDDED_CASCADE), None);
    }
}
