//! Where a model comes from.

use super::checkpoint::Folder;
use super::{Checkpoint, Classifier, Digest, EmbeddedModel, ModelError, ModelFiles};
#[cfg(feature = "hub")]
use super::{Download, hub};
use std::path::{Path, PathBuf};

/// Begins the name of a model on the Hugging Face hub.
const HUB: &str = "hf:";

/// A network that is compiled in, in a folder, or on the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelSource {
    /// Compiled into the library.
    Embedded(EmbeddedModel),
    /// A folder on disk.
    Folder(PathBuf),
    /// A repository of the Hugging Face hub, `OWNER/NAME` or `OWNER/NAME@REVISION`; read with the feature `hub` alone.
    Hub(String),
}

impl ModelSource {
    /// The embedded network of that name, or the repository behind `hf:`, else the folder. A folder with the name of an
    /// embedded network can be given with a path separator: `./base`.
    pub fn new(name: impl AsRef<Path>) -> ModelSource {
        let name = name.as_ref();
        let text = name.to_str();
        if let Some(model) = text.and_then(EmbeddedModel::from_name) {
            return ModelSource::Embedded(model);
        }
        match text.and_then(|text| text.strip_prefix(HUB)) {
            Some(repository) => ModelSource::Hub(repository.to_owned()),
            None => ModelSource::Folder(name.to_owned()),
        }
    }

    /// Fetches a network of the hub, if it is not there, and gives the name that means its present commit for ever:
    /// `hf:OWNER/NAME@COMMIT`. `None` for others. `watch` is told how far each file is.
    ///
    /// # Errors
    /// [`ModelError::Hub`].
    #[cfg(feature = "hub")]
    pub(crate) fn pin(&self, watch: &mut dyn FnMut(Download)) -> Result<Option<String>, ModelError> {
        match self {
            ModelSource::Hub(name) => Ok(Some(format!("{HUB}{}", hub::fetch(name, watch)?.pinned))),
            _ => Ok(None),
        }
    }

    /// The network ready to label.
    ///
    /// # Errors
    /// Those of [`Classifier::from_dir`].
    pub fn classifier(&self) -> Result<Classifier, ModelError> {
        self.with_files(Classifier::from_files)
    }

    /// What its files say.
    ///
    /// # Errors
    /// Those of [`Checkpoint::load`].
    pub fn checkpoint(&self) -> Result<Checkpoint, ModelError> {
        self.with_files(Checkpoint::load_bytes)
    }

    /// What its files say, as a base for training: a head is left aside, whatever its labels.
    ///
    /// # Errors
    /// Those of [`Checkpoint::load`].
    pub fn base(&self) -> Result<Checkpoint, ModelError> {
        self.with_files(Checkpoint::load_base_bytes)
    }

    /// What tells it from others.
    ///
    /// # Errors
    /// [`ModelError`]s about files that are absent or settings that cannot be read.
    pub fn digest(&self) -> Result<Digest, ModelError> {
        self.with_files(Digest::of)
    }

    /// Reads the files once, for whatever is to be made of them.
    pub(super) fn with_files<T>(
        &self,
        read: impl FnOnce(ModelFiles<'_>) -> Result<T, ModelError>,
    ) -> Result<T, ModelError> {
        match self {
            ModelSource::Embedded(model) => read(model.files()),
            ModelSource::Folder(dir) => Folder::read(dir)?.with_files(read),
            ModelSource::Hub(name) => read_from_hub(name, read),
        }
    }
}

/// Reads a network of the hub from the cache, where it is brought to if it is not there.
#[cfg(feature = "hub")]
fn read_from_hub<T>(name: &str, read: impl FnOnce(ModelFiles<'_>) -> Result<T, ModelError>) -> Result<T, ModelError> {
    let snapshot = hub::fetch(name, &mut |_| ())?;
    // The folder is called like the commit, which tells people nothing.
    Folder::read(&snapshot.folder)?.with_files(|files| read(ModelFiles { name: &snapshot.short, ..files }))
}

#[cfg(not(feature = "hub"))]
fn read_from_hub<T>(_name: &str, _read: impl FnOnce(ModelFiles<'_>) -> Result<T, ModelError>) -> Result<T, ModelError> {
    Err(super::HubError::NotInThisBuild.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_embedded_name_wins_unless_it_is_written_as_a_path() {
        let source = |name: &str| ModelSource::new(name);
        assert_eq!(source("fast"), ModelSource::Embedded(EmbeddedModel::Fast));
        for folder in ["./fast", "fast/", "models/fast", "other"] {
            assert_eq!(source(folder), ModelSource::Folder(folder.into()));
        }
        assert_eq!(source("hf:some/model"), ModelSource::Hub("some/model".to_owned()));
    }

    #[cfg(not(feature = "hub"))]
    #[test]
    fn a_build_without_the_hub_says_so() {
        let error = ModelSource::new("hf:some/model").classifier().unwrap_err();
        assert!(error.to_string().contains("feature hub"), "{error}");
    }
}
