//! Chunks to threads, results in order: what every command and every reader of rows does.

use super::ordered::Ordered;
use super::rejected::Rejected;
use super::tally::Tally;
use crate::corpus::{Choice, Chunk, ChunkReader, Decoded, Opened, PageChunks, Position, ReadOptions, Sources};
use crate::model::{Model, ModelSession};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is read, and how.
pub(crate) struct Input {
    /// Where it stands.
    pub sources: Sources,
    /// How it is read.
    pub options: ReadOptions,
    /// Field whose value neighbouring records of one page share.
    pub page_field: Option<String>,
    /// Which documents and records are wanted.
    pub choice: Choice,
    /// Where an earlier run stopped.
    pub from: Position,
    /// Whether chunks end with their sources.
    pub by_source: bool,
}

/// What became of a chunk.
#[derive(Debug, Default)]
pub(crate) struct Worked<O> {
    /// What was made of it.
    pub output: O,
    /// In numbers.
    pub tally: Tally,
    /// What got no answer, in input order.
    pub rejected: Vec<Rejected>,
    /// Bytes of the sources that were read for it, before they were decompressed.
    pub raw_bytes: u64,
    /// Lines in it that were not UTF-8 and were read all the same, by source.
    pub decoded: Vec<Decoded>,
    /// The number of each item's source.
    pub ordinals: Vec<u64>,
    /// Sources that were opened for it.
    pub opened: Vec<Opened>,
    /// The number of the source that ends with it, where chunks end with their sources.
    pub ended: Option<u64>,
    /// Time that reading the chunk took.
    pub reading: Duration,
    /// Time that a thread worked on it.
    pub working: Duration,
}

impl<O> Worked<O> {
    /// Sets something aside.
    pub fn reject(&mut self, rejected: Rejected) {
        self.tally.failed += 1;
        self.rejected.push(rejected);
    }
}

/// Reads everything and lets `work` treat each chunk on one of `threads` threads; the results come in input order.
pub(crate) fn start<O: Default + Send + 'static>(
    model: &Arc<Model>,
    threads: usize,
    input: Input,
    work: impl Fn(&mut ModelSession<'_>, Chunk, &mut Worked<O>) + Send + Sync + 'static,
) -> Ordered<Worked<O>> {
    let chunks = ChunkReader::new(input.sources, input.options).choose(input.choice).going_on_at(input.from);
    let chunks = if input.by_source { chunks.by_source() } else { chunks };
    let chunks: Box<dyn Iterator<Item = Chunk> + Send> = match input.page_field {
        Some(field) => Box::new(PageChunks::new(chunks, field)),
        None => Box::new(chunks),
    };
    let model = Arc::clone(model);
    Ordered::start(chunks, threads, move |next, give| {
        let mut session = model.session();
        session.set_helpers(threads);
        while let Some(mut chunk) = next() {
            let began = Instant::now();
            let mut worked = Worked {
                raw_bytes: chunk.raw_bytes,
                decoded: std::mem::take(&mut chunk.decoded),
                ordinals: std::mem::take(&mut chunk.ordinals),
                opened: std::mem::take(&mut chunk.opened),
                ended: chunk.ended,
                reading: chunk.reading,
                ..Worked::default()
            };
            worked.tally.passed_over = chunk.passed_over;
            work(&mut session, chunk, &mut worked);
            worked.working = began.elapsed();
            give(worked);
        }
    })
}
