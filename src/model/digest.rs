//! A number that tells models apart.

use super::{ModelError, ModelFiles, Settings};
use crate::fnv::{FNV_OFFSET, fnv_step};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Tells whether two models give the same answers: made of `config.json`, `tokenizer.json`, `model.safetensors` and those
/// settings of `copydesk.json` on which answers depend. Written as sixteen hexadecimal digits.
///
/// It guards against mix-ups, not against malice: FNV-1a over words of eight bytes in four lanes, so that a file of 24 MB
/// costs two milliseconds and not thirty. One changed word always changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest(u64);

fn of_bytes(state: u64, bytes: &[u8]) -> u64 {
    let mut lanes = [0, 1, 2, 3].map(|lane| fnv_step(state, lane));
    let (blocks, rest) = bytes.as_chunks::<32>();
    for block in blocks {
        let (words, _) = block.as_chunks::<8>();
        for (lane, word) in lanes.iter_mut().zip(words) {
            *lane = fnv_step(*lane, u64::from_le_bytes(*word));
        }
    }
    let state = lanes.into_iter().fold(state, fnv_step);
    let state = rest.iter().fold(state, |state, &byte| fnv_step(state, byte.into()));
    fnv_step(state, bytes.len() as u64)
}

impl Digest {
    /// The digest of a model's files.
    pub(super) fn of(files: ModelFiles<'_>) -> Result<Digest, ModelError> {
        let settings = files.settings.map(Settings::from_json).transpose()?;
        let mut state = [files.config, files.tokenizer, files.weights].into_iter().fold(FNV_OFFSET, of_bytes);
        // What else stands in the file, such as figures and dates, changes no answer.
        if let Some(settings) = settings {
            let Settings { window_tokens, window_overlap, temperature, page_temperature, pooling, page, .. } = settings;
            let numbers =
                [window_tokens, window_overlap, temperature.to_bits() as usize, page_temperature.to_bits() as usize];
            state = numbers.into_iter().fold(state, |state, number| fnv_step(state, number as u64));
            // Models of version 0.1, whose networks know no regions, keep their digest: pairs were made of them.
            let networks = format!("{pooling:?} {page:?}").replace(", regions: false", "");
            state = of_bytes(state, networks.as_bytes());
            // Those of BERT's own head likewise.
            if let Some(activation) = settings.pooler_activation {
                state = of_bytes(state, activation.name().as_bytes());
            }
        }
        Ok(Digest(state))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A text that is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{got}` is no digest, expected sixteen hexadecimal digits")]
pub struct NoDigest {
    /// The text.
    pub got: String,
}

impl FromStr for Digest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Digest, NoDigest> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u64::from_str_radix(text, 16) {
            Ok(number) if digits => Ok(Digest(number)),
            _ => Err(NoDigest { got: text.to_owned() }),
        }
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files<'data>(weights: &'data [u8], settings: Option<&'data [u8]>) -> ModelFiles<'data> {
        ModelFiles { name: "x", config: b"{}", tokenizer: b"[]", weights, settings }
    }

    #[test]
    fn every_byte_and_the_length_count() {
        let bytes: Vec<u8> = (0..131).map(|index| (index * 37 % 251) as u8).collect();
        let original = Digest::of(files(&bytes, None)).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 0x80;
            assert_ne!(Digest::of(files(&changed, None)).unwrap(), original, "byte {index}");
            assert_ne!(Digest::of(files(&bytes[..index], None)).unwrap(), original, "length {index}");
        }
        // Bytes that move from one file to the next do not stay unseen.
        let moved = ModelFiles { tokenizer: b"", weights: b"[]a", ..files(b"", None) };
        assert_ne!(Digest::of(moved).unwrap(), Digest::of(files(b"a", None)).unwrap());
    }

    #[test]
    fn settings_count_where_they_change_answers() {
        let of = |extra: &str| {
            let json = format!(r#"{{"format": 1, "producer": {{"name": "copydesk", "version": "1"}}{extra}}}"#);
            Digest::of(files(b"weights", Some(json.as_bytes()))).unwrap()
        };
        let plain = of("");
        for extra in [r#", "temperature": 1.5"#, r#", "page_temperature": 1.5"#, r#", "window_overlap": 3"#] {
            assert_ne!(of(extra), plain, "{extra}");
        }
        assert_eq!(of(r#", "created": "today", "data": {"rows": 3}"#), plain);
    }

    #[test]
    fn digests_are_written_and_read() {
        let digest = Digest(0x00ab_cdef_0123_4567);
        assert_eq!(digest.to_string(), "00abcdef01234567");
        assert_eq!("00abcdef01234567".parse(), Ok(digest));
        for wrong in ["", "abcdef01234567", "00abcdef0123456x", "+0abcdef01234567"] {
            assert_eq!(wrong.parse::<Digest>(), Err(NoDigest { got: wrong.to_owned() }));
        }
    }
}
