//! The model that is compiled into the library.

use super::ModelFiles;

/// The files of the embedded model; nothing is parsed before it is asked for.
pub(super) const FILES: ModelFiles<'static> = ModelFiles {
    name: "base",
    config: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/base/config.json")),
    tokenizer: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/base/tokenizer.json")),
    weights: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/base/model.safetensors")),
    settings: Some(include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/base/copydesk.json"))),
};
