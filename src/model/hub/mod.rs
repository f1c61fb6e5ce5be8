//! Models of the Hugging Face hub: fetched into the cache that all programs of the hub share, then read as any folder.
//!
//! `fetch` finds the commit that a revision stands for, asks which files it has and how large they are, and only then fetches those
//! that the cache lacks. All files are of that one commit, whatever happens to the branch meanwhile.
//!
//! `name` is what a user writes after `hf:`, `environment` what the hub's own variables say, `client` asks the hub, `store` is the
//! cache, and `transfer` brings one content into it. What the hub and the servers behind it send is hostile until its length and
//! checksum are right; and then it is a model's folder, which is hostile as well.
//!
//! The package hf-hub gives the names in the cache. Its client does not resume safely, checks no checksums, and fails on files that lie
//! behind a content network; so requests are made here.

#[cfg(feature = "hub")]
mod checksum;
#[cfg(feature = "hub")]
mod client;
#[cfg(feature = "hub")]
mod environment;
mod error;
#[cfg(feature = "hub")]
mod fetch;
#[cfg(feature = "hub")]
mod name;
#[cfg(feature = "hub")]
mod store;
#[cfg(feature = "hub")]
mod transfer;

pub use error::HubError;
#[cfg(feature = "hub")]
pub(crate) use fetch::Download;
#[cfg(feature = "hub")]
use fetch::File;
#[cfg(feature = "hub")]
pub(super) use fetch::fetch;
