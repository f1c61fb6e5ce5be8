//! What every command does with a stream of chunks: messages, counts, progress, output in order.

use super::error::CliError;
use super::messages::Messages;
use super::plan::Reading;
use super::progress::{Progress, per_second};
use super::tell;
use crate::corpus::{Chunk, Position, Unit};
use crate::label::LabelSet;
use crate::model::{Model, ModelSession};
pub(super) use crate::pipeline::Tally;
use crate::pipeline::{Input, Worked, start};
use std::sync::Arc;

/// Labels whose counts the summary tells, those of 0 included.
const MOST_LISTED: usize = 10;

/// The keys that end what is typed in a terminal.
const END_OF_INPUT: &str = if cfg!(windows) { "Ctrl-Z and Enter" } else { "Ctrl-D" };

/// A finished job.
pub(super) struct Done {
    pub tally: Tally,
    progress: Progress,
}

/// Reads everything, lets `work` label each chunk on some thread, and hands its output to `write` in input order.
///
/// `bar` is whether a progress bar would be in nobody's way.
pub(super) fn run<O: Default + Send + 'static>(
    reading: Reading,
    model: &Arc<Model>,
    bar: bool,
    work: impl Fn(&mut ModelSession<'_>, Chunk, &mut Worked<O>) + Send + Sync + 'static,
    mut write: impl FnMut(O) -> Result<(), CliError>,
) -> Result<Done, CliError> {
    let Reading { sources, rows, threads, quiet, errors, typed } = reading;
    if typed && !quiet {
        tell(format_args!("waiting for text from the keyboard; end it with {END_OF_INPUT}"));
    }
    let progress = Progress::start(&sources, bar && !quiet);
    let noun = noun(rows.unit);
    let input = Input {
        sources,
        options: rows.read(),
        page_field: rows.page_field,
        from: Position::default(),
        by_source: false,
    };
    let mut messages = Messages::new(errors.as_ref(), quiet)?;
    let mut tally = Tally::default();
    for worked in start(model, threads, input, work) {
        messages.take_decoded(&worked.decoded, &progress);
        tally.decoded += worked.decoded.iter().map(|decoded| decoded.lines).sum::<u64>();
        messages.take(&worked.rejected, &progress)?;
        tally.add(&worked.tally);
        progress.advance(worked.bytes, tally.done(), noun);
        write(worked.output)?;
    }
    progress.finish();
    messages.finish()?;
    Ok(Done { tally, progress })
}

/// What a command says at its end.
pub(super) struct Summary<'a> {
    pub unit: Unit,
    /// The labels that are counted; `None` where the counts of labels say nothing.
    pub labels: Option<&'a LabelSet>,
    /// What more there is to say.
    pub extra: String,
}

impl Done {
    /// Tells in one line what was done.
    pub fn summarise(&self, summary: &Summary<'_>) {
        let Tally { documents, labels, unlabelled, .. } = &self.tally;
        let elapsed = self.progress.elapsed();
        let done = self.tally.done();
        let mut line = match summary.unit {
            Unit::Paragraph => format!("{}, ", counted(*documents, "documents")),
            Unit::Record => String::new(),
        };
        let rate = per_second(done, elapsed);
        line += &format!("{} in {:.1} s ({rate:.0}/s)", counted(done, noun(summary.unit)), elapsed.as_secs_f64());
        if let Some(set) = summary.labels {
            // Of few labels the absent ones are told too; of many it would be a long list of nothing.
            let all = set.len() <= MOST_LISTED;
            let counts = set.iter().zip(labels.iter().copied().chain(std::iter::repeat(0)));
            let counts: Vec<_> = counts
                .filter(|(_, count)| all || *count > 0)
                .map(|(label, count)| format!("{label} {count}"))
                .collect();
            line += &format!(": {}", counts.join(", "));
        }
        if *unlabelled > 0 {
            line += &format!(", no label {unlabelled}");
        }
        line += &summary.extra;
        let failed = self.tally.failed;
        if failed > 0 {
            line += &format!("; {failed} set aside");
        }
        if self.tally.decoded > 0 {
            line += &format!("; {} read as windows-1252", counted(self.tally.decoded, "lines"));
        }
        line += &passed_over(&self.tally);
        tell(format_args!("{line}"));
    }
}

/// What a summary says of records that hold nothing to label; nothing where there are none.
pub(super) fn passed_over(tally: &Tally) -> String {
    match tally.passed_over.total() {
        0 => String::new(),
        total => format!("; {} passed over: {}", counted(total, "records"), tally.passed_over),
    }
}

fn noun(unit: Unit) -> &'static str {
    match unit {
        Unit::Paragraph => "paragraphs",
        Unit::Record => "records",
    }
}

/// A number with its noun, given in the plural.
fn counted(count: u64, plural: &str) -> String {
    let noun = if count == 1 { plural.trim_end_matches('s') } else { plural };
    format!("{count} {noun}")
}
