//! From a name to a folder with a model's files.

use super::HubError;
use super::client::{Client, Found, Head};
use super::environment::Environment;
use super::name::Name;
use super::store::Store;
use super::transfer;
use crate::model::checkpoint::{
    SETTINGS_LIMIT_BYTES, TOKENIZER_FILE, TOKENIZER_LIMIT_BYTES, WEIGHTS_FILE, WEIGHTS_LIMIT_BYTES,
};
use crate::model::{layout, settings};
use std::path::PathBuf;

/// A file of a model's folder.
pub(super) struct File {
    pub name: &'static str,
    /// Whether there is no model without it.
    pub is_needed: bool,
    /// The largest that is read, and so the largest that is fetched.
    pub most_bytes: u64,
}

impl File {
    /// Refuses a size that no such file has.
    pub fn check(&self, size: Option<u64>) -> Result<(), HubError> {
        match size {
            Some(got) if got > self.most_bytes => {
                Err(HubError::TooLarge { file: self.name, expected: self.most_bytes, got })
            }
            _ => Ok(()),
        }
    }
}

/// What is fetched, in this order: first what tells whether there is a model, last what takes long.
pub(super) static FILES: [File; 5] = [
    File { name: layout::FILE, is_needed: true, most_bytes: SETTINGS_LIMIT_BYTES },
    File { name: WEIGHTS_FILE, is_needed: true, most_bytes: WEIGHTS_LIMIT_BYTES },
    File { name: TOKENIZER_FILE, is_needed: true, most_bytes: TOKENIZER_LIMIT_BYTES },
    File { name: settings::FILE, is_needed: false, most_bytes: SETTINGS_LIMIT_BYTES },
    File { name: "tokenizer_config.json", is_needed: false, most_bytes: TOKENIZER_LIMIT_BYTES },
];

/// Lists weights that are spread over several files.
const INDEX: &str = "model.safetensors.index.json";

/// Weights as PyTorch's pickles, whole and in parts.
const PICKLES: [&str; 2] = ["pytorch_model.bin", "pytorch_model.bin.index.json"];

/// How far a transfer is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Download {
    /// The file in the repository.
    pub file: &'static str,
    /// Bytes that are there.
    pub bytes: u64,
    /// Bytes of the whole file, where they are known.
    pub size: Option<u64>,
}

/// A model's files of one commit.
#[derive(Debug)]
pub(in crate::model) struct Snapshot {
    /// The folder that holds them.
    pub folder: PathBuf,
    /// `OWNER/NAME@COMMIT`: the same for ever.
    pub pinned: String,
    /// The name without its owner.
    pub short: String,
}

/// Brings the model files of a repository into the cache, as far as they are not there. `name` is `OWNER/NAME` or `NAME`, and
/// `@REVISION` may follow. `watch` is told of every piece that comes.
///
/// A commit whose files are all in the cache takes no network. A branch or a tag takes one request, to find out what it stands for.
pub(in crate::model) fn fetch(name: &str, watch: &mut dyn FnMut(Download)) -> Result<Snapshot, HubError> {
    let name = Name::parse(name)?;
    let environment = Environment::read()?;
    let store = Store::new(environment.cache.clone(), &name);
    let known = if name.is_pinned() { Some(name.revision.clone()) } else { store.last_commit() };
    let commit = match known {
        Some(commit) if name.is_pinned() && store.unknown(&commit, &FILES).is_empty() => commit,
        known if environment.offline => cached(&store, &name, known)?,
        known => {
            let client = Client::new(environment.endpoint.clone(), environment.token()?);
            let result = online(&client, &store, &name, watch);
            let is_cached = known.is_some_and(|commit| cached(&store, &name, Some(commit)).is_ok());
            result.map_err(|error| match error {
                HubError::Unreachable { at, reason, .. } if is_cached => {
                    let hint = "; HF_HUB_OFFLINE=1 takes what was fetched before";
                    HubError::Unreachable { at, reason, hint }
                }
                error => error,
            })?
        }
    };
    let pinned = format!("{}@{commit}", name.repository);
    Ok(Snapshot { folder: store.snapshot(&commit), pinned, short: name.short().to_owned() })
}

/// The commit, if the cache has all of it.
fn cached(store: &Store, name: &Name, commit: Option<String>) -> Result<String, HubError> {
    let lacks = match &commit {
        None => format!("revision {}", name.revision),
        Some(commit) => {
            let unknown = store.unknown(commit, &FILES);
            // Nobody knows whether the others exist, and without copydesk.json a model gives other answers.
            let is_whole = store.is_whole(commit);
            let told = |file: &File| match file.is_needed {
                true => file.name.to_owned(),
                false => format!("{} (nor a note that the model has none)", file.name),
            };
            let lacks: Vec<String> = unknown.into_iter().filter(|file| file.is_needed || !is_whole).map(told).collect();
            lacks.join(" and no ")
        }
    };
    match commit {
        Some(commit) if lacks.is_empty() => Ok(commit),
        _ => Err(HubError::NotCached { folder: store.folder().to_owned(), lacks, repository: name.repository.clone() }),
    }
}

/// Asks the hub what the revision stands for, and fetches what the cache lacks of it.
fn online(client: &Client, store: &Store, name: &Name, watch: &mut dyn FnMut(Download)) -> Result<String, HubError> {
    let config = match client.head(name, &name.revision, layout::FILE)? {
        Found::File(head) => head,
        Found::Nothing { of_file: true } => return Err(HubError::NoSuchFile { file: layout::FILE }),
        // Servers that are not quite hubs do not say what is missing.
        Found::Nothing { of_file: false } => return Err(HubError::NoRepository { at: client.at() }),
    };
    let commit = config.commit.clone();
    if name.is_pinned() && commit != name.revision {
        let rule = "it gives another commit than it was asked for";
        return Err(HubError::NoHub { file: layout::FILE, at: client.at(), rule });
    }
    let mut config = Some(config);
    // Everything is known before anything is fetched.
    let mut wanted: Vec<(&'static File, Option<Head>)> = Vec::new();
    for file in store.unknown(&commit, &FILES) {
        let head = match config.take_if(|_| file.name == layout::FILE) {
            Some(head) => Some(head),
            None => head(client, name, &commit, file)?,
        };
        if let Some(head) = &head {
            file.check(head.size)?;
        }
        wanted.push((file, head));
    }
    for (file, head) in &wanted {
        match head {
            Some(head) => {
                transfer::fetch(client, store, name, file, head, watch)?;
                store.link(&commit, file.name, &head.etag)?;
            }
            None => store.note_absent(&commit, file.name)?,
        }
    }
    if !name.is_pinned() {
        store.remember(&commit)?;
    }
    Ok(commit)
}

/// What the hub says of a file of the commit; `None` where one is missing that may be.
fn head(client: &Client, name: &Name, commit: &str, file: &File) -> Result<Option<Head>, HubError> {
    match client.head(name, commit, file.name)? {
        Found::File(head) if head.commit != commit => Err(HubError::NoHub {
            file: file.name,
            at: client.at(),
            rule: "it gives another commit than it was asked for",
        }),
        Found::File(head) => Ok(Some(head)),
        Found::Nothing { .. } if !file.is_needed => Ok(None),
        Found::Nothing { .. } => Err(missing(client, name, commit, file)?),
    }
}

/// What there is in place of a file that every model has.
fn missing(client: &Client, name: &Name, commit: &str, file: &File) -> Result<HubError, HubError> {
    let repository = name.repository.clone();
    if file.name == TOKENIZER_FILE {
        return Ok(HubError::NoTokenizer { repository });
    }
    if file.name == WEIGHTS_FILE {
        if matches!(client.head(name, commit, INDEX)?, Found::File(_)) {
            return Ok(HubError::WeightsInParts { got: INDEX, repository });
        }
        for got in PICKLES {
            if matches!(client.head(name, commit, got)?, Found::File(_)) {
                let page = client.page(name, "/discussions");
                return Ok(HubError::PickledWeights { got, repository, page });
            }
        }
    }
    Ok(HubError::NoSuchFile { file: file.name })
}
