//! Models from the Hugging Face hub.

use super::checkpoint::{TOKENIZER_FILE, WEIGHTS_FILE};
use hf_hub::api::sync::{Api, ApiError};
use std::path::PathBuf;

/// Brings the files of a model repository such as `sentence-transformers/all-MiniLM-L6-v2` into the hub's own cache and
/// returns their folder. Files that are there already are not fetched again.
///
/// # Errors
/// Whatever the hub's client says: no network, no such repository, a file that it lacks.
pub fn fetch(repository: &str) -> Result<PathBuf, ApiError> {
    let repository = Api::new()?.model(repository.to_owned());
    repository.get(TOKENIZER_FILE)?;
    repository.get(WEIGHTS_FILE)?;
    // Only models that were trained here have it.
    let _ = repository.get(super::settings::FILE);
    let config = repository.get("config.json")?;
    Ok(config.parent().map(PathBuf::from).unwrap_or_default())
}
