//! What a run is to do, decided before it begins.

use super::by_source::PathRule;
use super::sinks::OutputPlan;
use crate::atomic::place;
use crate::cli::error::CliError;
use crate::cli::target::Target;
use crate::corpus::{Shard, Sources, resolve};
use crate::output::{Journal, Manifest};
use serde_json::{Map, Value};
use std::path::PathBuf;
use std::time::Duration;

/// What is written, from what, and how the run can be gone on with.
pub(in crate::cli) struct RunPlan {
    pub outputs: Outputs,
    /// The file of what was set aside; at most one.
    pub errors: Vec<OutputPlan>,
    /// Inputs as given.
    pub inputs: Vec<PathBuf>,
    pub threads: usize,
    pub quiet: bool,
    pub resume: bool,
    pub restart: bool,
    /// Whether every input can be read again.
    pub can_resume: bool,
    pub between_checkpoints: Duration,
    pub manifest: bool,
    pub hash_inputs: bool,
    pub max_errors: Option<u64>,
    pub shard: Option<Shard>,
    pub model: String,
    /// What tells the model from others; empty where no output is a file.
    pub model_digest: String,
    /// Every option that the output depends on.
    pub options: Map<String, Value>,
}

/// Where rows go.
pub(in crate::cli) enum Outputs {
    /// To the same outputs, whatever they come from.
    Together(Vec<OutputPlan>),
    /// To one output for each source.
    BySource(PathRule),
}

/// Where a run keeps what it needs.
pub(in crate::cli) struct Home {
    /// Folder of the unfinished run.
    pub folder: PathBuf,
    pub manifest: PathBuf,
}

impl RunPlan {
    /// Whether an output is a file, so that there is something to go on with.
    pub fn has_files(&self) -> bool {
        match &self.outputs {
            Outputs::BySource(_) => true,
            Outputs::Together(outputs) => outputs.iter().chain(&self.errors).any(|output| output.file().is_some()),
        }
    }

    /// `None` where no output is a file.
    pub fn home(&self) -> Result<Option<Home>, CliError> {
        let unwritable = |path: &PathBuf, error| CliError::Unwritable { path: path.clone(), error };
        match &self.outputs {
            Outputs::BySource(rule) => {
                let dir = rule.dir();
                std::fs::create_dir_all(&dir).map_err(|error| unwritable(&dir, error))?;
                Ok(Some(Home { folder: dir.join(".copydesk"), manifest: dir.join("run.json") }))
            }
            Outputs::Together(outputs) => {
                let files = outputs.iter().chain(&self.errors).filter_map(OutputPlan::file);
                let Some(path) = files.into_iter().next() else { return Ok(None) };
                let place = place(path).map_err(|error| unwritable(&path.to_owned(), error))?;
                Ok(Some(Home { folder: Journal::folder_of(&place), manifest: Manifest::beside(path) }))
            }
        }
    }

    /// The sources of the run, once more from the first.
    pub fn walk(&self) -> Sources {
        let sources = resolve(&self.inputs);
        match self.shard {
            Some(shard) => sources.part(&self.inputs, shard, matches!(self.outputs, Outputs::BySource(_))),
            None => sources,
        }
    }

    /// The name of the run in messages: that of its first output that is a file.
    pub fn name(&self) -> PathBuf {
        match &self.outputs {
            Outputs::Together(outputs) => {
                let file = outputs.iter().chain(&self.errors).find_map(OutputPlan::file).map(std::path::Path::to_owned);
                file.unwrap_or_else(|| Target::StandardOutput.name())
            }
            Outputs::BySource(rule) => rule.dir(),
        }
    }
}
