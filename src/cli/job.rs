//! What every command does with a stream of chunks: messages, counts, progress, output in order.

use super::error::CliError;
use super::messages::Messages;
use super::plan::Reading;
use super::progress::{Progress, per_second};
use super::tell;
use crate::corpus::{Chunk, DecodedPart, Position, Unit};
use crate::label::LabelSet;
use crate::model::{Model, ModelSession};
use crate::output::RowBlock;
pub(super) use crate::pipeline::Tally;
use crate::pipeline::{Input, Worked, start};
use std::sync::Arc;

/// Labels whose counts the summary tells, those of 0 included.
const MOST_LISTED: usize = 10;

/// The keys that end what is typed in a terminal.
pub(super) const END_OF_INPUT: &str = if cfg!(windows) { "Ctrl-Z and Enter" } else { "Ctrl-D" };

/// A finished job.
pub(super) struct Done {
    pub tally: Tally,
    progress: Progress,
}

/// Whoever takes what the threads make of the input, in its order.
pub(super) trait Taker<O> {
    /// Where reading begins.
    fn begins_at(&self) -> Position {
        Position::default()
    }

    /// Whether chunks are to end with their sources.
    fn by_source(&self) -> bool {
        false
    }

    /// What was counted before this job.
    fn earlier(&self) -> Tally {
        Tally::default()
    }

    /// Bytes of the sources that were read before this job.
    fn skipped_bytes(&self) -> u64 {
        0
    }

    /// Whether rows of what was set aside are wanted.
    fn wants_errors(&self) -> bool;

    /// Takes what was made of a chunk, with rows of what was set aside; `tally` is the count so far, this chunk's in it.
    fn take(&mut self, worked: Worked<O>, errors: RowBlock, tally: &Tally) -> Result<(), CliError>;
}

/// Hands what was made of each chunk to a closure; what was set aside is only told.
pub(super) struct Each<F>(pub F);

impl<O, F: FnMut(O) -> Result<(), CliError>> Taker<O> for Each<F> {
    fn wants_errors(&self) -> bool {
        false
    }

    fn take(&mut self, worked: Worked<O>, _: RowBlock, _: &Tally) -> Result<(), CliError> {
        (self.0)(worked.output)
    }
}

/// Reads everything, lets `work` label each chunk on some thread, and hands the results to `taker` in input order.
///
/// `bar` is whether a progress bar would be in nobody's way.
pub(super) fn run<O: Default + Send + 'static>(
    reading: Reading,
    model: &Arc<Model>,
    bar: bool,
    work: impl Fn(&mut ModelSession<'_>, Chunk, &mut Worked<O>) + Send + Sync + 'static,
    taker: &mut impl Taker<O>,
) -> Result<Done, CliError> {
    let Reading { sources, inputs, rows, choice, threads, quiet, typed } = reading;
    if typed && !quiet {
        tell(format_args!("waiting for text from the keyboard; end it with {END_OF_INPUT}"));
    }
    let progress = Progress::start(&inputs, sources.total_bytes(), bar && !quiet, quiet);
    progress.skip(taker.skipped_bytes());
    let noun = noun(rows.unit);
    let (from, by_source) = (taker.begins_at(), taker.by_source());
    let input = Input { sources, options: rows.read(), page_field: rows.page_field, choice, from, by_source };
    let mut messages = Messages::new(taker.wants_errors(), quiet);
    let mut tally = taker.earlier();
    for worked in start(model, threads, input, work) {
        messages.take_decoded(&worked.decoded, &progress);
        for decoded in &worked.decoded {
            match decoded.part {
                DecodedPart::Lines { count, .. } => tally.decoded += count,
                DecodedPart::Whole { .. } => tally.guessed += 1,
            }
        }
        let errors = messages.take(&worked.rejected, &progress);
        tally.add(&worked.tally);
        progress.advance(worked.raw_bytes, tally.done(), noun);
        taker.take(worked, errors, &tally)?;
    }
    progress.finish();
    messages.finish();
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
        if self.tally.guessed > 0 {
            line += &format!("; {} read in another encoding", counted(self.tally.guessed, "sources"));
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
pub(super) fn counted(count: u64, plural: &str) -> String {
    let noun = if count == 1 { plural.trim_end_matches('s') } else { plural };
    format!("{count} {noun}")
}
