//! Why a model of the hub cannot be had.

use std::path::PathBuf;

/// Why a model of the Hugging Face hub could not be fetched. Each variant is named after the rule that was broken, and each
/// message ends with what to do. No message holds a token, or the part of an address that a token can stand in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The feature `hub` was left out of this build.
    #[error("this build has no access to the Hugging Face hub; build it with the feature hub")]
    NotInThisBuild,
    /// No repository can have this name, or no revision.
    #[error("`{got}` names no model on the hub, expected hf:OWNER/NAME, hf:NAME or hf:OWNER/NAME@REVISION")]
    BadName {
        /// The name without `hf:`.
        got: String,
    },
    /// An environment variable, or the file it names, says something that cannot be used. What it says is not repeated.
    #[error("{variable}: expected {expected}")]
    BadVariable {
        /// The variable.
        variable: &'static str,
        /// What it may say.
        expected: &'static str,
    },
    /// The hub knows no repository of this name.
    #[error("{at} has no such repository, or none with a config.json; check the name")]
    NoRepository {
        /// The hub.
        at: String,
    },
    /// The hub shows the repository to those with a token only, or there is none; it does not tell which.
    #[error(
        "{page} cannot be read without a token: it is private, it is gated, or it does not exist; check the name, then set HF_TOKEN \
         or run `hf auth login`"
    )]
    TokenNeeded {
        /// The repository's page.
        page: String,
    },
    /// The hub does not know the token.
    #[error("{at} refuses the token, which comes from {from}; make a new one in the settings there")]
    TokenRefused {
        /// The hub.
        at: String,
        /// Where the token came from.
        from: String,
    },
    /// The token's owner may not read the repository.
    #[error("the token, which comes from {from}, may not read {page}; ask for access there")]
    NoAccess {
        /// The repository's page.
        page: String,
        /// Where the token came from.
        from: String,
    },
    /// The repository has no such branch, tag or commit.
    #[error("the repository has no revision `{revision}`; {page} lists its branches and tags")]
    NoRevision {
        /// The revision.
        revision: String,
        /// The page with its files.
        page: String,
    },
    /// The repository lacks a file that every model has.
    #[error("the repository has no {file} in its first folder, so it is no model of transformers")]
    NoSuchFile {
        /// The file.
        file: &'static str,
    },
    /// The repository has the older files of a tokenizer only.
    #[error(
        "the repository has no tokenizer.json; make one in Python and name the folder: \
         AutoTokenizer.from_pretrained(\"{repository}\").save_pretrained(DIR)"
    )]
    NoTokenizer {
        /// The repository.
        repository: String,
    },
    /// The weights are stored in a format that can run code.
    #[error(
        "the repository has {got} and no model.safetensors; a pickle can run any code when it is opened, so it is not read. Look at \
         {page} for a pull request with model.safetensors and name it as hf:{repository}@refs/pr/1, or convert the weights where \
         you trust them: AutoModelForSequenceClassification.from_pretrained(\"{repository}\").save_pretrained(DIR)"
    )]
    PickledWeights {
        /// The file.
        got: &'static str,
        /// The repository.
        repository: String,
        /// The page with its pull requests.
        page: String,
    },
    /// The weights are spread over several files.
    #[error(
        "the repository has its weights in several files ({got}), expected one model.safetensors; join them in Python and name the \
         folder: AutoModelForSequenceClassification.from_pretrained(\"{repository}\").save_pretrained(DIR, max_shard_size=\"4GB\")"
    )]
    WeightsInParts {
        /// The file that lists them.
        got: &'static str,
        /// The repository.
        repository: String,
    },
    /// A file is larger than any of its kind; nothing of it was kept.
    #[error("{file}: expected at most {expected} bytes, got {got}; no model that runs here is as large")]
    TooLarge {
        /// The file.
        file: &'static str,
        /// The most that is read, in bytes.
        expected: u64,
        /// What the hub says, or how much came, in bytes.
        got: u64,
    },
    /// Nothing may be fetched, and the cache does not have it all.
    #[error(
        "HF_HUB_OFFLINE is set, and {} has no {lacks}; fetch the model once without HF_HUB_OFFLINE, or with \
         `hf download {repository}`", folder.display()
    )]
    NotCached {
        /// The repository's folder in the cache.
        folder: PathBuf,
        /// What it lacks.
        lacks: String,
        /// The repository.
        repository: String,
    },
    /// No connection, or one that broke before an answer came.
    #[error("{at} cannot be reached: {reason}; check the connection, HF_ENDPOINT and the proxy{hint}")]
    Unreachable {
        /// The address tried, without its path.
        at: String,
        /// What the network said.
        reason: String,
        /// What else helps, with a separator before it.
        hint: &'static str,
    },
    /// The hub or a server that it names refused a file for a reason that may pass.
    #[error("{file}: {at} answers with status {status}; try again later")]
    Refused {
        /// The file.
        file: &'static str,
        /// Who answered.
        at: String,
        /// The status of HTTP.
        status: u16,
    },
    /// An answer that no hub gives.
    #[error("{file}: {at} does not speak as a hub does: {rule}; is HF_ENDPOINT right?")]
    NoHub {
        /// The file.
        file: &'static str,
        /// Who answered.
        at: String,
        /// The rule that it broke.
        rule: &'static str,
    },
    /// A transfer ended early. What came is kept only where its checksum is known, and never used as it is.
    #[error("{file}: the transfer broke off after {got} bytes{}: {reason}; the same command goes on", of(*expected))]
    Truncated {
        /// The file.
        file: &'static str,
        /// Its size in bytes, where the hub told it.
        expected: Option<u64>,
        /// Bytes that are there.
        got: u64,
        /// What the network said.
        reason: String,
    },
    /// A file has another length than the hub says; it was thrown away.
    #[error("{file}: expected {expected} bytes, got {got}; it was not kept, try again")]
    WrongLength {
        /// The file.
        file: &'static str,
        /// Its size by the hub.
        expected: u64,
        /// The size that came, as far as it was read.
        got: u64,
    },
    /// A file has another content than the hub says; it was thrown away.
    #[error("{file}: expected content with {kind} {expected}, got {got}; it was not kept, try again")]
    WrongChecksum {
        /// The file.
        file: &'static str,
        /// Which checksum it is.
        kind: &'static str,
        /// The checksum by the hub.
        expected: String,
        /// The checksum of what came.
        got: String,
    },
    /// The cache cannot be read or written.
    #[error("{}: {source}; HF_HUB_CACHE names another folder for the hub's files", path.display())]
    Cache {
        /// The file or folder in the cache.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

fn of(size: Option<u64>) -> String {
    size.map_or_else(String::new, |size| format!(" of {size}"))
}
