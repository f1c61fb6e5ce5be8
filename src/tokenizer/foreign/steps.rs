//! Normalisers and word splitters: those that encoders use, and that take linear time.

use super::{charsmap, unsupported};
use crate::tokenizer::TokenizerError;
use serde_json::Value;

/// Most steps of a normaliser or word splitter.
const MAX_STEPS: usize = 16;

/// Times that a normaliser may lengthen a text.
pub const MAX_GROWTH: usize = 64;

/// Patterns that take linear time. Others are refused: the engine behind them steps back, which can take time without end.
const PATTERNS: [&str; 5] = [" {2,}", " +", "\\s+", "\\s", "\\n"];

/// Holds the patterns of a step to those that are known; returns its fewest bytes.
fn check_pattern(field: &'static str, pattern: &Value) -> Result<usize, TokenizerError> {
    if let Some(text) = pattern["String"].as_str() {
        return if text.is_empty() { Err(unsupported(field, "a pattern", "none")) } else { Ok(text.len()) };
    }
    match pattern["Regex"].as_str() {
        Some(known) if PATTERNS.contains(&known) => Ok(1),
        _ => Err(unsupported(field, format!("a text, or one of the patterns {PATTERNS:?}"), &pattern.to_string())),
    }
}

fn count_step(field: &'static str, steps: &mut usize) -> Result<(), TokenizerError> {
    *steps += 1;
    if *steps > MAX_STEPS { Err(unsupported(field, format!("at most {MAX_STEPS} steps"), "more")) } else { Ok(()) }
}

/// Checks a normaliser, and says how many times as long it can make a text.
pub fn check_normalizer(step: &Value, steps: &mut usize) -> Result<usize, TokenizerError> {
    const FIELD: &str = "normalizer";
    if step.is_null() {
        return Ok(1);
    }
    count_step(FIELD, steps)?;
    match step["type"].as_str() {
        Some("BertNormalizer" | "Strip" | "StripAccents" | "NFC" | "NFD" | "NFKC" | "NFKD" | "Lowercase" | "Nmt") => {
            Ok(1)
        }
        Some("ByteLevel") => Ok(2),
        Some("Precompiled") => match charsmap::check(step["precompiled_charsmap"].as_str().unwrap_or_default()) {
            Ok(()) => Ok(1),
            Err(reason) => Err(unsupported("normalizer.precompiled_charsmap", "a sound map of characters", reason)),
        },
        Some("Replace") => {
            let fewest = check_pattern("normalizer.pattern", &step["pattern"])?;
            Ok(step["content"].as_str().map_or(0, str::len).div_ceil(fewest).max(1))
        }
        Some("Prepend") => match step["prepend"].as_str().map_or(0, str::len) {
            0..=MAX_GROWTH => Ok(1),
            long => Err(unsupported(FIELD, format!("at most {MAX_GROWTH} bytes in front"), &long.to_string())),
        },
        Some("Sequence") => {
            let list = step["normalizers"].as_array().map_or(&[][..], Vec::as_slice);
            list.iter().try_fold(1usize, |growth, step| Ok(growth.saturating_mul(check_normalizer(step, steps)?)))
        }
        _ => Err(unsupported(FIELD, "a normaliser that encoders use", &step["type"].to_string())),
    }
}

/// Checks a word splitter.
pub fn check_pre_tokenizer(step: &Value, steps: &mut usize) -> Result<(), TokenizerError> {
    const FIELD: &str = "pre_tokenizer";
    if step.is_null() {
        return Ok(());
    }
    count_step(FIELD, steps)?;
    match step["type"].as_str() {
        Some(
            "BertPreTokenizer" | "ByteLevel" | "Metaspace" | "Whitespace" | "WhitespaceSplit" | "Punctuation"
            | "Digits" | "CharDelimiterSplit",
        ) => Ok(()),
        Some("Split") => check_pattern("pre_tokenizer.pattern", &step["pattern"]).map(|_| ()),
        Some("Sequence") => {
            let list = step["pretokenizers"].as_array().map_or(&[][..], Vec::as_slice);
            list.iter().try_for_each(|step| check_pre_tokenizer(step, steps))
        }
        _ => Err(unsupported(FIELD, "a word splitter that encoders use", &step["type"].to_string())),
    }
}
