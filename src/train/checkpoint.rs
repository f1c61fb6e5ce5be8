//! A run's whole state in one file, so that a run that was cut off goes on to the same result.

use super::network::Network;
use super::state::{Average, History};
use super::{TrainError, TrainSettings};
use crate::atomic::AtomicFile;
use crate::label::LabelSet;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

/// Name of the file inside a run's folder.
pub const CHECKPOINT_FILE: &str = "checkpoint.safetensors";

/// What identifies the run and its position, stored as JSON in the file's metadata.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Position {
    pub producer: String,
    /// What is trained.
    pub labels: LabelSet,
    pub settings: TrainSettings,
    /// Digest of the parameters that the run started from, the examples of both stages and those that judge it.
    pub digest: u64,
    /// Steps made over all stages.
    pub steps: usize,
    pub history: History,
}

/// Producer and version; a checkpoint of another version is refused rather than misread.
pub(super) const PRODUCER: &str = concat!("copydesk ", env!("CARGO_PKG_VERSION"), " training checkpoint");

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Writes the state as a file that appears whole, so that a crash leaves the previous checkpoint.
pub(super) fn save(path: &Path, network: &Network, average: &Average, position: &Position) -> Result<(), TrainError> {
    let unwritable = |source| TrainError::Unwritable { path: path.to_owned(), source };
    let dense = network.dense_values()?;
    let mut parts: Vec<(&str, Vec<u8>, usize)> = Vec::new();
    for (name, values) in [
        ("dense", &dense),
        ("dense.first", &network.dense_moments.first),
        ("dense.second", &network.dense_moments.second),
        ("word", &network.word),
        ("word.first", &network.word_moments.first),
        ("word.second", &network.word_moments.second),
        ("head", &network.head),
        ("head.first", &network.head_moments.first),
        ("head.second", &network.head_moments.second),
        ("page", &network.page),
        ("page.first", &network.page_moments.first),
        ("page.second", &network.page_moments.second),
        ("average.page", &average.page),
        ("average.dense", &average.dense),
        ("average.word", &average.word),
        ("average.head", &average.head),
    ] {
        parts.push((name, bytes(values), values.len()));
    }
    let views = parts
        .iter()
        .map(|(name, data, len)| Ok((*name, TensorView::new(Dtype::F32, vec![*len], data)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(|error| unwritable(std::io::Error::other(error)))?;
    let json = serde_json::to_string(position).map_err(|error| unwritable(error.into()))?;
    let metadata = HashMap::from([("position".to_owned(), json)]);
    let file = AtomicFile::create(path).map_err(unwritable)?;
    safetensors::serialize_to_file(views, Some(metadata), file.temporary())
        .map_err(|error| unwritable(std::io::Error::other(error)))?;
    file.commit().map_err(unwritable)
}

/// Restores a state into a network of the same shape; `None` where there is no checkpoint.
pub(super) fn load(
    path: &Path,
    network: &mut Network,
    labels: &LabelSet,
    settings: &TrainSettings,
    digest: u64,
) -> Result<Option<(Position, Average)>, TrainError> {
    let foreign = |reason: String| TrainError::ForeignCheckpoint { path: path.to_owned(), reason };
    let buffer = match std::fs::read(path) {
        Ok(buffer) => buffer,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(TrainError::Unreadable { path: path.to_owned(), source }),
    };
    let (_, metadata) = SafeTensors::read_metadata(&buffer).map_err(|error| foreign(error.to_string()))?;
    let json = metadata.metadata().as_ref().and_then(|map| map.get("position"));
    let json = json.ok_or_else(|| foreign("not a training checkpoint".into()))?;
    let position: Position = serde_json::from_str(json).map_err(|error| foreign(error.to_string()))?;
    if position.producer != PRODUCER {
        return Err(foreign(format!("expected one of `{PRODUCER}`, got `{}`", position.producer)));
    }
    if &position.labels != labels {
        return Err(foreign(format!("it belongs to a run with the labels {}", position.labels.list())));
    }
    if &position.settings != settings {
        return Err(foreign("it belongs to a run with other settings".into()));
    }
    if position.digest != digest {
        return Err(foreign("it belongs to a run with another base or other rows".into()));
    }
    let tensors = SafeTensors::deserialize(&buffer).map_err(|error| foreign(error.to_string()))?;
    let read = |name: &str, len: usize| -> Result<Vec<f32>, TrainError> {
        let view = tensors.tensor(name).map_err(|error| foreign(error.to_string()))?;
        if view.dtype() != Dtype::F32 || view.shape() != [len] {
            return Err(foreign(format!("`{name}`: expected F32 [{len}], got {:?} {:?}", view.dtype(), view.shape())));
        }
        Ok(view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    };
    let (dense, word, head) = (network.layout.len, network.word.len(), network.head.len());
    let page = network.page.len();
    network.dense.set(&candle_core::Tensor::from_vec(read("dense", dense)?, dense, &candle_core::Device::Cpu)?)?;
    network.word = read("word", word)?;
    network.head = read("head", head)?;
    network.page = read("page", page)?;
    for (name, len, moments) in [
        ("dense", dense, &mut network.dense_moments),
        ("word", word, &mut network.word_moments),
        ("head", head, &mut network.head_moments),
        ("page", page, &mut network.page_moments),
    ] {
        moments.first = read(&format!("{name}.first"), len)?;
        moments.second = read(&format!("{name}.second"), len)?;
    }
    network.updates = position.steps;
    let average = Average {
        dense: read("average.dense", dense)?,
        word: read("average.word", word)?,
        head: read("average.head", head)?,
        page: read("average.page", page)?,
    };
    Ok(Some((position, average)))
}
