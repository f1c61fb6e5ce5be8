//! What a run tells of itself, beside its output.

use super::counts::RunCounts;
use super::format::with_ending;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::io;
use std::path::{Path, PathBuf};

/// A run in `run.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Version of this format.
    pub format: u32,
    /// The program's version.
    pub version: String,
    /// Name of the model.
    pub model: String,
    /// What tells the model from others.
    pub model_digest: String,
    /// Every option that the output depends on.
    pub options: Map<String, Value>,
    /// Which part of the work it was.
    pub shard: Option<ShardOf>,
    /// What was read.
    pub inputs: Vec<InputFile>,
    /// What was written.
    pub outputs: Vec<OutputFile>,
    /// Documents, and records that were split into paragraphs.
    pub documents: u64,
    /// Inputs, records and paragraphs that were set aside.
    pub set_aside: u64,
    /// Counts over the rows.
    pub counts: RunCounts,
    /// Where it ran.
    pub hosts: Vec<Host>,
}

/// A part of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShardOf {
    /// From 0.
    pub index: u64,
    pub of: u64,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InputFile {
    pub name: String,
    /// `null` for what is no file.
    pub bytes: Option<u64>,
    /// Where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sha256: Option<String>,
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OutputFile {
    pub name: String,
    pub bytes: u64,
}

/// A machine and the time that it took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Host {
    pub name: String,
    pub cpu: String,
    pub threads: usize,
    /// Seconds from beginning to end, over all attempts.
    pub seconds: f64,
    /// Seconds in which the reader was busy.
    pub reading: f64,
    /// Seconds in which the working threads were busy, all together.
    pub labelling: f64,
    /// Seconds in which rows were written.
    pub writing: f64,
    /// How often the run was gone on with.
    pub resumed: u64,
}

impl Manifest {
    /// Version of the format.
    pub const FORMAT: u32 = 1;

    /// The name of the manifest of an output file.
    pub fn beside(output: &Path) -> PathBuf {
        with_ending(output, ".run.json")
    }

    /// Reads a stored one.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::InvalidData`] for what is no manifest.
    pub fn read(path: &Path) -> io::Result<Manifest> {
        serde_json::from_slice(&std::fs::read(path)?).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// As it is stored.
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("a manifest can be written as JSON; this is a bug");
        bytes.push(b'\n');
        bytes
    }
}

impl OutputFile {
    /// A file that is there.
    pub fn of(path: &Path) -> OutputFile {
        let bytes = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        OutputFile { name: path.display().to_string(), bytes }
    }
}

impl Host {
    /// This machine, before anything was done.
    pub fn here(threads: usize) -> Host {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let name = read("/proc/sys/kernel/hostname").trim().to_owned();
        let cpu = read("/proc/cpuinfo");
        let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
        let cpu = cpu.trim_start_matches([' ', '\t', ':']).to_owned();
        Host { name, cpu, threads, seconds: 0.0, reading: 0.0, labelling: 0.0, writing: 0.0, resumed: 0 }
    }
}
