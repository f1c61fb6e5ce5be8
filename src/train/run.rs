//! A whole training run: base checkpoint and rows in, model folder out.

use super::data::LabelledRow;
use super::draw::draw_evenly;
use super::examples::examples;
use super::network::Network;
use super::state::EpochFigures;
use super::trainer::{self, Progress, RunFiles, Stage};
use super::{TrainError, TrainSettings, parameters};
use crate::engine::Matrix;
use crate::label::LabelSet;
use crate::model::{Checkpoint, Head, PageWeights, Settings, Storage};
use crate::tokenizer::Tokenizer;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The rows of a run.
#[derive(Debug)]
pub struct TrainData {
    /// What is trained, in the order of the model's outputs. Every row has one of these labels.
    pub labels: LabelSet,
    /// Weakly labelled rows for the first stage; may be empty.
    pub weak: Vec<LabelledRow>,
    /// Annotated rows for the second stage.
    pub annotated: Vec<LabelledRow>,
    /// Rows that choose the best epoch and are never trained on.
    pub dev: Vec<LabelledRow>,
}

/// Where a run writes, and how.
#[derive(Clone, Debug)]
pub struct TrainTarget<'a> {
    /// The model's folder; its checkpoint lies beside the model's files.
    pub folder: &'a Path,
    /// Steps between checkpoints; 0 writes none.
    pub checkpoint_every: usize,
    /// How the weights are stored.
    pub storage: Storage,
    /// The model's name and window settings.
    pub settings: Settings,
}

/// What a run came to; written as `training.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainReport {
    /// Every setting.
    pub settings: TrainSettings,
    /// Rows of the weak stage after drawing, of the annotated stage and of the development set.
    pub rows: [usize; 3],
    /// Figures of every epoch, in order.
    pub epochs: Vec<EpochFigures>,
    /// Position in `epochs` of the one that was kept.
    pub best_epoch: usize,
    /// What the run was made of; absent in files of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_of: Option<RunIdentity>,
}

/// What a run was made of beside its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunIdentity {
    /// The labels, in the order of the outputs.
    pub labels: LabelSet,
    /// Digest of the base and of all rows, sixteen hexadecimal digits.
    pub digest: String,
    /// What the model's `copydesk.json` says.
    pub model: Settings,
    /// How the weights are stored.
    pub storage: String,
}

impl TrainReport {
    /// What differs between a finished run and one with these settings made of `made_of`; empty where it is the same run.
    fn differences(&self, settings: &TrainSettings, made_of: &RunIdentity) -> Vec<String> {
        let fields = |settings: &TrainSettings| {
            let value = serde_json::to_value(settings).expect("settings can be written as JSON; this is a bug");
            value.as_object().cloned().unwrap_or_default()
        };
        let (before, now) = (fields(&self.settings), fields(settings));
        let mut names: Vec<String> = now.keys().filter(|name| before.get(*name) != now.get(*name)).cloned().collect();
        match &self.made_of {
            None => names.push("a version that did not note its rows".to_owned()),
            Some(before) => {
                let rules = [
                    (before.labels != made_of.labels, "the labels"),
                    (before.digest != made_of.digest, "the base or the rows"),
                    (before.model != made_of.model, "the model's name, base, roles or sources left out"),
                    (before.storage != made_of.storage, "the storage"),
                ];
                names.extend(rules.into_iter().filter(|rule| rule.0).map(|rule| rule.1.to_owned()));
            }
        }
        names
    }
}

/// Trains `base`, from its head and its page network if it has them and from new ones if not, and keeps the epoch that is
/// best on the development rows in `target.folder`.
///
/// # Errors
/// Any [`TrainError`]. After an error the folder holds the best model and the last checkpoint so far.
pub fn train(
    base: &Checkpoint,
    data: TrainData,
    settings: &TrainSettings,
    target: &TrainTarget<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<TrainReport, TrainError> {
    settings.check()?;
    let labels = &data.labels;
    target.settings.roles(labels)?;
    check_labels(labels, [&data.weak, &data.annotated, &data.dev].into_iter().flatten())?;
    let label_shares = settings.label_shares(labels)?;
    let max_tokens = settings.max_tokens.min(base.config.max_positions);
    let source_label_share = Some(label_shares.clone());
    let settings = &TrainSettings { max_tokens, source_label_share, ..settings.clone() };
    let tokenizer = Tokenizer::from_bytes(&base.tokenizer)?;
    let weak_rows = if settings.weak_epochs == 0 { Vec::new() } else { data.weak };
    let hidden = base.config.hidden;
    let mut vectors = weak_rows.iter().chain(&data.annotated).filter_map(|row| row.vector.as_ref());
    if let Some(vector) = vectors.find(|vector| vector.len() != hidden) {
        return Err(TrainError::VectorLength { expected: hidden, got: vector.len() });
    }
    let weak_rows = draw_evenly(weak_rows, labels, settings.weak_rows, settings.seed);
    let weak = examples(&weak_rows, labels, &tokenizer, settings, &label_shares);
    let annotated = examples(&data.annotated, labels, &tokenizer, settings, &label_shares);
    settings.check_rows(weak.len(), annotated.len())?;
    let as_they_are = TrainSettings { noise: 0.0, thread_sources: Vec::new(), ..settings.clone() };
    let dev = examples(&data.dev, labels, &tokenizer, &as_they_are, &label_shares);
    // A head over a pooler reads other vectors than the ones trained here.
    let head = base.head.as_ref().filter(|head| head.pooler.is_none());
    if let Some(head) = head.filter(|head| head.labels != *labels) {
        return Err(TrainError::OtherLabels { expected: labels.clone(), got: head.labels.clone() });
    }
    let head = head.map(|head| [parameters::to_f32(&head.weight), head.bias.clone()].concat());
    let mut network = Network::new(base.config.clone(), &base.weights, labels.len(), head, settings)?;
    if let (Some(page), Some(layout)) = (&base.page, &network.page_layout)
        && let Some(values) = page.fitted_to(layout.config, hidden, labels.len())
    {
        network.page = values;
    }
    let stages = [
        Stage {
            name: "weak",
            examples: &weak,
            epochs: settings.weak_epochs,
            learning_rate: settings.weak_learning_rate,
        },
        Stage {
            name: "annotated",
            examples: &annotated,
            epochs: settings.epochs,
            learning_rate: settings.learning_rate,
        },
    ];
    let digest = trainer::digest(&network, &stages, &dev)?;
    std::fs::create_dir_all(target.folder)
        .map_err(|source| TrainError::Unwritable { path: target.folder.to_owned(), source })?;
    let made_of = RunIdentity {
        labels: labels.clone(),
        digest: format!("{:016x}", digest),
        model: target.settings.clone(),
        storage: format!("{:?}", target.storage).to_lowercase(),
    };
    let path = target.folder.join("training.json");
    if let Some(finished) = finished(&path) {
        let differences = finished.differences(settings, &made_of);
        if differences.is_empty() && Checkpoint::load(target.folder).is_ok() {
            progress(Progress::Finished);
            return Ok(finished);
        }
        progress(Progress::Replaces(differences.join(", ")));
    }
    let files = RunFiles { folder: target.folder.to_owned(), checkpoint_every: target.checkpoint_every };
    let mut keep = |network: &Network| -> Result<(), TrainError> {
        // From here on the folder holds no finished run: one that is cut off must not look like it.
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(TrainError::Unwritable { path: path.clone(), source });
            }
            _ => {}
        }
        let dense = network.dense_values()?;
        let (weight, bias) = network.head.split_at(labels.len() * network.config.hidden);
        let trained = Checkpoint {
            config: network.config.clone(),
            weights: network.layout.unflatten(&network.config, &dense, &network.word),
            head: Some(Head {
                pooler: None,
                labels: labels.clone(),
                weight: Matrix::F32 { rows: labels.len(), cols: network.config.hidden, data: weight.to_vec() },
                bias: bias.to_vec(),
            }),
            page: network
                .page_layout
                .as_ref()
                .map(|layout| PageWeights { config: layout.config, values: network.page.clone() }),
            tokenizer: base.tokenizer.clone(),
            settings: target.settings.clone(),
        };
        Ok(trained.save(target.folder, target.storage)?)
    };
    let epochs = trainer::run(&mut network, labels, &stages, &dev, settings, digest, &files, &mut keep, progress)?;
    let best_epoch = (0..epochs.len())
        .reduce(|best, next| if epochs[next].merit() > epochs[best].merit() { next } else { best })
        .unwrap_or(0);
    let rows = [weak.len(), annotated.len(), dev.len()];
    let report = TrainReport { settings: settings.clone(), rows, epochs, best_epoch, made_of: Some(made_of) };
    let json = serde_json::to_vec_pretty(&report).map_err(std::io::Error::from);
    json.and_then(|json| crate::atomic::write(&path, &json))
        .map_err(|source| TrainError::Unwritable { path, source })?;
    Ok(report)
}

/// The report of a run that came to its end in a folder; a file that is none counts for nothing.
fn finished(path: &Path) -> Option<TrainReport> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// Refuses a row without one of the labels, and scores of other ones.
fn check_labels<'a>(labels: &LabelSet, rows: impl Iterator<Item = &'a LabelledRow>) -> Result<(), TrainError> {
    for row in rows {
        let label = row.label.as_ref().ok_or_else(|| TrainError::NoLabel { text: row.text.clone() })?;
        labels.require(label.as_str())?;
        if let Some(scores) = row.scores.as_ref().filter(|scores| scores.labels() != labels) {
            return Err(TrainError::OtherLabels { expected: labels.clone(), got: scores.labels().clone() });
        }
    }
    Ok(())
}
