//! The training loop: stages, epochs, the moving average, the choice of the best epoch.

use super::batches::{deal, epoch_batches};
use super::checkpoint::{self, CHECKPOINT_FILE, PRODUCER, Position};
use super::examples::Example;
use super::network::Network;
use super::optimizer::schedule;
use super::state::{Average, EpochFigures, History};
use super::{TrainError, TrainSettings};
use crate::eval::LabelCounts;
use crate::fnv::{FNV_OFFSET, fnv_step};
use crate::label::{LabelSet, Scores};
use std::path::PathBuf;
use std::time::Instant;

/// Steps between two updates of the moving average, which touches every parameter.
const AVERAGE_EVERY: usize = 16;

/// What the loop tells its caller while it runs.
#[derive(Clone, Debug)]
pub enum Progress {
    /// A step was made.
    Step {
        /// Steps made over all stages, and in all.
        step: usize,
        /// Steps of all stages.
        steps: usize,
        /// Loss of this batch.
        loss: f64,
        /// Tokens of this batch.
        tokens: usize,
    },
    /// An epoch was evaluated.
    Epoch(EpochFigures),
    /// The folder holds this very run's result; nothing is trained.
    Finished,
    /// The folder holds another run's result, which differs in what is named; it is replaced.
    Replaces(String),
    /// A checkpoint was written after this many steps.
    Checkpoint,
    /// The run goes on from a checkpoint after this many steps.
    Resumed(usize),
}

/// One stage: its name, examples, passes and peak learning rate.
pub(super) struct Stage<'a> {
    pub name: &'static str,
    pub examples: &'a [Example],
    pub epochs: usize,
    pub learning_rate: f32,
}

/// Where a run keeps its state.
pub(super) struct RunFiles {
    pub folder: PathBuf,
    /// Steps between checkpoints; 0 writes none.
    pub checkpoint_every: usize,
}

/// FNV-1a over all that a run starts from, the parameters and every example, and over the examples that judge it, so that a
/// checkpoint is not continued as another run.
pub(super) fn digest(network: &Network, stages: &[Stage<'_>], dev: &[Example]) -> Result<u64, TrainError> {
    let mut hash = FNV_OFFSET;
    let mut add = |value: u64| hash = fnv_step(hash, value);
    let dense = network.dense_values()?;
    let parameters = [&dense, &network.word, &network.head, &network.page];
    parameters.into_iter().flatten().for_each(|number| add(u64::from(number.to_bits())));
    for (epochs, examples) in stages.iter().map(|stage| (stage.epochs, stage.examples)).chain([(0, dev)]) {
        add(epochs as u64);
        add(examples.len() as u64);
        for example in examples {
            add(example.label.index() as u64);
            add(example.run as u64);
            example.ids.iter().for_each(|&id| add(u64::from(id)));
            add(example.place.region.map_or(0, |region| region.index() as u64 + 1));
            let numbers = example.target.iter().chain([&example.weight]).chain(&example.place.facts);
            let numbers = numbers.chain(example.vector.iter().flatten());
            numbers.for_each(|number| add(u64::from(number.to_bits())));
        }
    }
    Ok(hash)
}

/// Runs every stage. `keep` is called with the network as it stands whenever an epoch is the best so far on `dev`.
#[allow(clippy::too_many_arguments)]
pub(super) fn run(
    network: &mut Network,
    labels: &LabelSet,
    stages: &[Stage<'_>],
    dev: &[Example],
    settings: &TrainSettings,
    digest: u64,
    files: &RunFiles,
    keep: &mut dyn FnMut(&Network) -> Result<(), TrainError>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<EpochFigures>, TrainError> {
    let checkpoint_path = files.folder.join(CHECKPOINT_FILE);
    let mut history = History::default();
    let mut average = Average::of(network)?;
    if let Some((position, saved)) = checkpoint::load(&checkpoint_path, network, labels, settings, digest)? {
        progress(Progress::Resumed(position.steps));
        (history, average) = (position.history, saved);
    }
    let stage_steps = |stage: &Stage<'_>| stage.epochs * stage.examples.len().div_ceil(settings.batch_size);
    let total: usize = stages.iter().map(stage_steps).sum();
    let mut before = 0;
    // A stage without rows has nothing to judge either.
    for stage in stages.iter().filter(|stage| !stage.examples.is_empty()) {
        let lengths: Vec<usize> = stage.examples.iter().map(|example| example.ids.len()).collect();
        let run_of: Vec<usize> = stage.examples.iter().map(|example| example.run).collect();
        let runs = super::page::runs(&stage.examples.iter().collect::<Vec<_>>());
        let steps_in_stage = stage_steps(stage);
        let per_epoch = stage.examples.len().div_ceil(settings.batch_size);
        for epoch in 0..stage.epochs {
            let first = before + epoch * per_epoch;
            // An epoch that ended before the checkpoint is in the history already; one that ended with it is judged anew.
            if network.updates > first + per_epoch {
                continue;
            }
            let begin = Instant::now();
            let batches = epoch_batches(&lengths, &runs, settings.batch_size, settings.seed, before + epoch);
            for (offset, batch) in batches.iter().enumerate().skip(network.updates - first) {
                let shards: Vec<Vec<&Example>> = deal(batch, &lengths, &run_of, settings.workers)
                    .into_iter()
                    .map(|shard| shard.into_iter().map(|index| &stage.examples[index]).collect())
                    .collect();
                let gradient = network.gradient(&shards, settings)?;
                if !gradient.loss.is_finite() {
                    return Err(TrainError::Diverged { step: network.updates, loss: gradient.loss });
                }
                let share = schedule(epoch * per_epoch + offset, steps_in_stage, settings.warmup);
                network.update(&gradient, stage.learning_rate * share, settings)?;
                if settings.average_decay > 0.0 && network.updates.is_multiple_of(AVERAGE_EVERY) {
                    let since = AVERAGE_EVERY.min(network.updates - first);
                    average.follow(network, settings.average_decay, since)?;
                }
                let tokens: usize = batch.iter().map(|&index| lengths[index]).sum();
                history.loss_sum += gradient.loss;
                history.loss_steps += 1;
                history.tokens += tokens;
                progress(Progress::Step { step: network.updates, steps: total, loss: gradient.loss, tokens });
                if files.checkpoint_every > 0 && network.updates.is_multiple_of(files.checkpoint_every) {
                    let position = Position {
                        producer: PRODUCER.to_owned(),
                        labels: labels.clone(),
                        settings: settings.clone(),
                        digest,
                        steps: network.updates,
                        history: history.clone(),
                    };
                    checkpoint::save(&checkpoint_path, network, &average, &position)?;
                    progress(Progress::Checkpoint);
                }
            }
            let seconds = begin.elapsed().as_secs_f64();
            let averaged = settings.average_decay > 0.0;
            if averaged {
                // The steps after the last multiple, so that an epoch is judged with all of its steps.
                let since = (network.updates % AVERAGE_EVERY).min(per_epoch);
                if since > 0 {
                    average.follow(network, settings.average_decay, since)?;
                }
                average.swap(network)?;
            }
            let (counts, on_page) = judge(network, labels, dev)?;
            let figures = EpochFigures {
                stage: stage.name.to_owned(),
                epoch: epoch + 1,
                steps: network.updates,
                loss: history.loss_sum / history.loss_steps.max(1) as f64,
                tokens: history.tokens,
                seconds,
                dev_macro_f1: counts.macro_f1().unwrap_or(0.0),
                dev_macro_f1_on_page: on_page.map(|counts| counts.macro_f1().unwrap_or(0.0)),
                dev_accuracy: counts.accuracy().unwrap_or(0.0),
            };
            if history.best.is_none_or(|best| figures.merit() > best) {
                history.best = Some(figures.merit());
                keep(network)?;
            }
            if averaged {
                average.swap(network)?;
            }
            history.epochs.push(figures.clone());
            (history.loss_sum, history.loss_steps, history.tokens) = (0.0, 0, 0);
            progress(Progress::Epoch(figures));
        }
        before += steps_in_stage;
    }
    Ok(history.epochs)
}

/// Gold against predicted label on a set: each row read alone, and on its page.
fn judge(
    network: &Network,
    labels: &LabelSet,
    dev: &[Example],
) -> Result<(LabelCounts, Option<LabelCounts>), TrainError> {
    let logits = network.logits(&dev.iter().collect::<Vec<_>>())?;
    let counts = |rows: &[Vec<f32>]| {
        let answers = rows.iter().map(|row| Scores::from_logits(labels, row).best().0);
        LabelCounts::from_pairs(labels.len(), dev.iter().map(|example| example.label).zip(answers))
    };
    Ok((counts(&logits.alone), logits.on_page.as_deref().map(counts)))
}
