//! Where a model comes from.

use super::checkpoint::Folder;
use super::{Checkpoint, Classifier, Digest, EmbeddedModel, ModelError, ModelFiles};
use std::path::{Path, PathBuf};

/// A network that is compiled in, or one in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelSource {
    /// Compiled into the library.
    Embedded(EmbeddedModel),
    /// A folder on disk.
    Folder(PathBuf),
}

impl ModelSource {
    /// The embedded network of that name, else the folder. A folder with the name of an embedded network can be given with
    /// a path separator: `./base`.
    pub fn new(name: &Path) -> ModelSource {
        match name.to_str().and_then(EmbeddedModel::from_name) {
            Some(model) => ModelSource::Embedded(model),
            None => ModelSource::Folder(name.to_owned()),
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_embedded_name_wins_unless_it_is_written_as_a_path() {
        let source = |name: &str| ModelSource::new(Path::new(name));
        assert_eq!(source("fast"), ModelSource::Embedded(EmbeddedModel::Fast));
        for folder in ["./fast", "fast/", "models/fast", "other"] {
            assert_eq!(source(folder), ModelSource::Folder(folder.into()));
        }
    }
}
