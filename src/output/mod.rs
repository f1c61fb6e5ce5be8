//! Where rows go: files that grow as rows come, that survive a crash half made, and that appear under their names whole.
//!
//! A [`Staged`] output grows in a hidden folder beside its place. A [`Journal`] stores how far everything has come, so that a
//! later run goes on from there to the same bytes. [`RunCounts`] are what a run's manifest tells.

#![forbid(unsafe_code)]

mod counts;
mod format;
mod journal;
mod manifest;
mod rows;
mod staged;
mod table;

pub(crate) use counts::{CountedRow, RunCounts};
pub(crate) use format::{OutputFormat, RowFormat, with_ending, with_suffix};
pub(crate) use journal::{Journal, JournalError};
pub(crate) use manifest::{Host, InputFile, Manifest, OutputFile, ShardOf};
pub(crate) use rows::RowBlock;
pub(crate) use staged::{Staged, StagedState};
pub(crate) use table::{Columns, Table};
