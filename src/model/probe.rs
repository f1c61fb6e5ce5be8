//! Models of made-up bytes, for the fuzz tests.

use super::{Classifier, ModelFiles};

/// Reads a model and lets it read a text; returns how many logits it gave, or why there are none.
///
/// # Errors
/// The message of the error.
///
/// # Panics
/// If it breaks a promise: a logit that is no number, or not one for each label.
pub fn try_model(config: &[u8], tokenizer: &[u8], weights: &[u8]) -> Result<usize, String> {
    let files = ModelFiles { name: "probe", config, tokenizer, weights, settings: None };
    let model = Classifier::from_files(files).map_err(|error| error.to_string())?;
    let rows = model.session().logits(&["The council voted.", ""]).map_err(|error| error.to_string())?;
    for row in &rows {
        assert_eq!(row.len(), model.labels().len(), "a logit for each label");
        assert!(row.iter().all(|logit| logit.is_finite()), "{row:?}");
    }
    Ok(rows.iter().map(Vec::len).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_answers_or_is_refused() {
        let file = |name: &str| {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/architectures/distilbert/");
            std::fs::read(format!("{folder}{name}")).unwrap()
        };
        let (config, tokenizer, weights) = (file("config.json"), file("tokenizer.json"), file("model.safetensors"));
        assert_eq!(try_model(&config, &tokenizer, &weights), Ok(12));
        assert!(try_model(b"{}", &tokenizer, &weights).unwrap_err().contains("model_type"));
        assert!(try_model(&config, b"{}", &weights).unwrap_err().contains("tokenizer.json"));
        assert!(try_model(&config, &tokenizer, b"").unwrap_err().contains("safetensors"));
    }
}
