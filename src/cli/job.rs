//! What every command does: chunks to workers, results in order, messages, counts.

use super::error::CliError;
use super::plan::Reading;
use super::progress::{Progress, per_second};
use super::tell;
use crate::corpus::{Chunk, ChunkReader, PageChunks, Unit, ordered};
use crate::label::{LABEL_COUNT, Label};
use crate::model::{Model, ModelSession};

/// Counts over a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Text files, and records that were split into paragraphs.
    pub documents: u64,
    /// Paragraphs or records with each label.
    pub labels: [u64; LABEL_COUNT],
    /// Paragraphs or records whose confidence was too low for a label.
    pub unlabelled: u64,
    /// Inputs that were set aside.
    pub failed: u64,
    /// Lines that were not UTF-8 and were read as windows-1252.
    pub decoded: u64,
}

impl Tally {
    /// Counts a paragraph or a record.
    pub fn count(&mut self, label: Option<Label>) {
        match label {
            Some(label) => self.labels[label.index()] += 1,
            None => self.unlabelled += 1,
        }
    }

    /// Paragraphs or records that the model answered for.
    pub fn done(&self) -> u64 {
        self.labels.iter().sum::<u64>() + self.unlabelled
    }

    fn add(&mut self, other: &Tally) {
        self.documents += other.documents;
        self.labels.iter_mut().zip(other.labels).for_each(|(sum, count)| *sum += count);
        self.unlabelled += other.unlabelled;
        self.failed += other.failed;
        self.decoded += other.decoded;
    }
}

/// What became of a chunk.
#[derive(Default)]
pub(super) struct Worked<O> {
    pub output: O,
    pub tally: Tally,
    /// Messages with the position in the chunk of the item that each is about.
    failures: Vec<(usize, String)>,
}

impl<O> Worked<O> {
    /// Sets an item of the chunk aside.
    pub fn fail(&mut self, item: usize, message: String) {
        self.tally.failed += 1;
        self.failures.push((item, message));
    }
}

/// A finished job.
pub(super) struct Done {
    pub tally: Tally,
    progress: Progress,
}

/// Reads everything, lets `work` label each chunk on some thread, and hands its output to `write` in input order.
///
/// `bar` is whether a progress bar would be in nobody's way.
pub(super) fn run<O: Send>(
    reading: &mut Reading,
    model: &Model,
    bar: bool,
    work: impl Fn(&mut ModelSession<'_>, &Chunk) -> Worked<O> + Sync,
    mut write: impl FnMut(O) -> Result<(), CliError>,
) -> Result<Done, CliError> {
    let sources = std::mem::take(&mut reading.sources);
    let progress = Progress::start(&sources, bar && !reading.quiet);
    let noun = noun(reading.options.unit);
    let chunks = ChunkReader::new(sources, reading.options);
    let chunks: Box<dyn Iterator<Item = Chunk> + Send> = match &reading.page_field {
        Some(field) => Box::new(PageChunks::new(chunks, field.clone())),
        None => Box::new(chunks),
    };
    let work = &work;
    let workers = (0..reading.threads)
        .map(|_| {
            let mut session = model.session();
            move |chunk: Chunk| (work(&mut session, &chunk), chunk.bytes, chunk.decoded)
        })
        .collect();
    let mut tally = Tally::default();
    let mut decoded_source = None;
    let outcome = ordered(chunks, workers, |(mut worked, bytes, decoded)| {
        for lines in decoded {
            if decoded_source.as_ref() != Some(&lines.source) {
                progress.tell_failure(&lines.to_string());
            }
            tally.decoded += lines.lines;
            decoded_source = Some(lines.source);
        }
        worked.failures.sort_by_key(|(item, _)| *item);
        for (_, message) in &worked.failures {
            progress.tell_failure(message);
        }
        tally.add(&worked.tally);
        progress.advance(bytes, tally.done(), noun);
        write(worked.output)
    });
    progress.finish();
    outcome.map(|()| Done { tally, progress })
}

impl Done {
    /// Tells in one line what was done, unless nobody wants to know; `extra` goes before the failures.
    pub fn summarise(&self, reading: &Reading, extra: &str) {
        if reading.quiet {
            return;
        }
        let Tally { documents, labels, unlabelled, failed, decoded } = self.tally;
        let elapsed = self.progress.elapsed();
        let done = self.tally.done();
        let mut line = match reading.options.unit {
            Unit::Paragraph => format!("{}, ", counted(documents, "documents")),
            Unit::Record => String::new(),
        };
        let unit = noun(reading.options.unit);
        let rate = per_second(done, elapsed);
        line += &format!("{} in {:.1} s ({rate:.0}/s)", counted(done, unit), elapsed.as_secs_f64());
        let counts: Vec<_> = Label::ALL.iter().zip(labels).map(|(label, count)| format!("{label} {count}")).collect();
        line += &format!(": {}", counts.join(", "));
        if unlabelled > 0 {
            line += &format!(", no label {unlabelled}");
        }
        line += extra;
        if failed > 0 {
            line += &format!("; {failed} set aside");
        }
        if decoded > 0 {
            line += &format!("; {} read as windows-1252", counted(decoded, "lines"));
        }
        tell(format_args!("{line}"));
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
