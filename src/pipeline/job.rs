//! Chunks to threads, results in order: what every command and every reader of rows does.

use super::ordered::Ordered;
use super::rejected::Rejected;
use super::tally::Tally;
use crate::corpus::{Chunk, ChunkReader, Decoded, PageChunks, ReadOptions, Sources};
use crate::model::{Model, ModelSession};
use std::sync::Arc;

/// What is read, and how.
pub(crate) struct Input {
    /// Where it stands.
    pub sources: Sources,
    /// How it is read.
    pub options: ReadOptions,
    /// Field whose value neighbouring records of one page share.
    pub page_field: Option<String>,
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
    /// Bytes of the sources that went into the chunk.
    pub bytes: u64,
    /// Lines in it that were not UTF-8 and were read all the same, by source.
    pub decoded: Vec<Decoded>,
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
    let chunks = ChunkReader::new(input.sources, input.options);
    let chunks: Box<dyn Iterator<Item = Chunk> + Send> = match input.page_field {
        Some(field) => Box::new(PageChunks::new(chunks, field)),
        None => Box::new(chunks),
    };
    let model = Arc::clone(model);
    Ordered::start(chunks, threads, move |next, give| {
        let mut session = model.session();
        session.set_helpers(threads);
        while let Some(mut chunk) = next() {
            let decoded = std::mem::take(&mut chunk.decoded);
            let mut worked = Worked { bytes: chunk.bytes, decoded, ..Worked::default() };
            work(&mut session, chunk, &mut worked);
            give(worked);
        }
    })
}
