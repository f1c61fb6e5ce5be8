//! Parts of the input: a sample of it, and everything read but not labelled.

use super::error::CliError;
use super::job::{Tally, counted};
use super::messages::Messages;
use super::plan::Reading;
use super::progress::Progress;
use super::tell;
use crate::corpus::{Choice, ChunkReader, Item, RecordLine, Sources, Unit};
use crate::pipeline::{NoText, ParsedRecord, Rejected, RowOptions};
use crate::random::SplitMix64;
use crate::text::split_with;
use indicatif::HumanBytes;
use std::collections::BTreeSet;

/// `size` documents and records of all that `sources` hold, drawn at random by `seed`; all where there are no more. Everything is read
/// to count them.
pub(super) fn sample(reading: &Reading, sources: Sources, size: u64, seed: u64) -> Choice {
    let mut documents: usize = 0;
    for chunk in ChunkReader::new(sources, reading.rows.read()) {
        documents += chunk.items.iter().filter(|item| item.begins_document()).count();
    }
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    Choice::These(draw(documents, size, seed).into_iter().map(|number| number as u64).collect())
}

/// `size` of the numbers below `count`, in order, each set of them as likely as any other (Floyd's algorithm: Bentley and Floyd,
/// "A sample of brilliance", 1987).
fn draw(count: usize, size: usize, seed: u64) -> Vec<usize> {
    let mut random = SplitMix64::new(seed);
    let mut drawn = BTreeSet::new();
    for top in count.saturating_sub(size)..count {
        let number = random.below(top + 1);
        if !drawn.insert(number) {
            drawn.insert(top);
        }
    }
    drawn.into_iter().collect()
}

/// Reads everything and tells what there is.
pub(super) fn dry_run(reading: Reading, sources: Sources) -> Result<Tally, CliError> {
    let Reading { rows, choice, inputs, quiet, .. } = reading;
    let progress = Progress::start(&inputs, sources.total_bytes(), !quiet, quiet);
    let mut messages = Messages::new(false, quiet);
    let (mut tally, mut bytes, mut files) = (Tally::default(), 0, 0);
    for chunk in ChunkReader::new(sources, rows.read()).choose(choice) {
        let mut rejected = Vec::new();
        files += chunk.opened.len() as u64;
        for item in chunk.items {
            match item {
                Item::Failed(failure) => rejected.push(Rejected::from(failure)),
                Item::Passage(passage) => {
                    tally.documents += u64::from(passage.first_paragraph == 0);
                    tally.rows += passage.paragraphs.len() as u64;
                }
                Item::Record(line) => match paragraphs(&line, &rows) {
                    Ok(paragraphs) => {
                        tally.documents += 1;
                        tally.rows += paragraphs;
                    }
                    Err(error) => rejected.push(*error),
                },
            }
        }
        tally.failed += rejected.len() as u64;
        tally.passed_over.add(chunk.passed_over);
        bytes += chunk.raw_bytes;
        messages.take_decoded(&chunk.decoded, &progress);
        messages.take(&rejected, &progress);
        progress.advance(chunk.raw_bytes, tally.rows, "paragraphs");
    }
    progress.finish();
    messages.finish();
    let seconds = progress.elapsed().as_secs_f64();
    let texts = match rows.unit {
        Unit::Paragraph => format!("{}, {}", counted(tally.documents, "documents"), counted(tally.rows, "paragraphs")),
        Unit::Record => counted(tally.rows, "records"),
    };
    let set_aside = if tally.failed > 0 { format!("; {} would be set aside", tally.failed) } else { String::new() };
    let size = HumanBytes(bytes);
    tell(format_args!("read {size} of {} in {seconds:.1} s: {texts}{set_aside}", counted(files, "sources")));
    Ok(tally)
}

/// Texts of a record that would get a label.
fn paragraphs(line: &RecordLine, rows: &RowOptions) -> Result<u64, Box<Rejected>> {
    let rejected = |no_text: Box<NoText<'_>>| Box::new(Rejected::record(line, no_text.error));
    let record = ParsedRecord::parse(line, &rows.text_field).map_err(rejected)?;
    Ok(match rows.unit {
        Unit::Paragraph => split_with(&record.text, rows.paragraphs).len() as u64,
        Unit::Record => 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_its_size_and_depends_on_the_seed() {
        let sample = draw(1000, 50, 1);
        assert_eq!(sample.len(), 50);
        assert!(sample.is_sorted() && sample.last() < Some(&1000));
        assert_ne!(sample, draw(1000, 50, 2));
        assert_eq!(sample, draw(1000, 50, 1));
        assert_eq!(draw(3, 50, 1), [0, 1, 2]);
        assert!(draw(0, 5, 1).is_empty());
        // Each number is drawn about as often as any other.
        let mut times = [0; 10];
        (0..2000).flat_map(|seed| draw(10, 3, seed)).for_each(|number| times[number] += 1);
        assert!(times.iter().all(|&times| (500..700).contains(&times)), "{times:?}");
    }
}
