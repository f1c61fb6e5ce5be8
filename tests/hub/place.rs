//! A hub with a model, a home for what is fetched, and the command between them.

use crate::common::{self, copydesk, stderr, stdout};
use crate::server::{Hub, SIGNATURE};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

pub const REPOSITORY: &str = "some-one/nano";
pub const MODEL: &str = "hf:some-one/nano";
pub const FIRST: &str = "1111111111111111111111111111111111111111";
pub const SECOND: &str = "2222222222222222222222222222222222222222";
pub const PAGE: &str = "data/pages/eel-explainer.txt";
pub const TOKEN: &str = "hf_very_secret";

/// The files that a model of ours has, and one that it does not have.
pub const FILES: [&str; 5] =
    ["config.json", "model.safetensors", "tokenizer.json", "copydesk.json", "tokenizer_config.json"];

/// A hub with a model, and a home for what is fetched.
pub struct Place {
    pub hub: Hub,
    pub home: tempfile::TempDir,
}

pub fn nano(file: &str) -> Vec<u8> {
    fs::read(Path::new("models/nano").join(file)).unwrap()
}

pub fn nano_files() -> Vec<(&'static str, Vec<u8>)> {
    FILES[..4].iter().map(|file| (*file, nano(file))).collect()
}

impl Place {
    /// A hub with the built-in model `nano`.
    pub fn new() -> Place {
        let place = Place::empty();
        place.hub.commit(REPOSITORY, FIRST, &nano_files());
        place
    }

    pub fn empty() -> Place {
        Place { hub: Hub::start(), home: tempfile::tempdir().unwrap() }
    }

    pub fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = copydesk();
        // What the user of this machine has set is not asked.
        for name in ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"] {
            command.env_remove(name);
        }
        for name in ["HF_HUB_OFFLINE", "ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY"] {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        command.env("HF_ENDPOINT", &self.hub.address).env("HF_HOME", self.home.path());
        command.envs(variables.iter().copied()).args(arguments).output().expect("the binary starts")
    }

    pub fn label_with(&self, model: &str, variables: &[(&str, &str)]) -> Output {
        self.run_with(&["label", "-q", "--threads", "1", "--model", model, PAGE], variables)
    }

    pub fn label(&self, model: &str) -> Output {
        self.label_with(model, &[])
    }

    /// The model must be refused with these words.
    pub fn refuses(&self, model: &str, variables: &[(&str, &str)], told: &[&str]) -> String {
        let output = self.label_with(model, variables);
        let error = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{told:?}: {error}");
        assert_eq!(stdout(&output), "");
        assert!(error.starts_with(&format!("copydesk: model {model}: ")), "{error}");
        for told in told {
            assert!(error.contains(told), "expected `{told}`, got: {error}");
        }
        assert!(!error.contains(TOKEN) && !error.contains(SIGNATURE) && !error.contains("panicked"), "{error}");
        error
    }

    /// The repository's folder in the cache.
    pub fn cache(&self) -> PathBuf {
        self.home.path().join("hub/models--some-one--nano")
    }

    /// The names of the contents in the cache, whole or not.
    pub fn blobs(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.cache().join("blobs")) else { return Vec::new() };
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// What the folder of the same files says.
pub fn rows_of_nano() -> String {
    let output = common::run(&["label", "-q", "--threads", "1", "--model", "./models/nano", PAGE]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stdout(&output)
}

pub fn is_answered(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    assert_eq!(stderr(output), "");
    assert_eq!(stdout(output), rows_of_nano());
}
