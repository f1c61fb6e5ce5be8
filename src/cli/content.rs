//! `copydesk content`: the main content of HTML pages as plain text.

use super::error::CliError;
use super::job::{Tally, passed_over};
use super::messages::{ErrorFile, Messages};
use super::output::Output;
use super::plan::ContentPlan;
use super::progress::Progress;
use super::tell;
use crate::corpus::{ChunkReader, InputError, Item, Passage, RecordLine};
use crate::pipeline::Rejected;
use serde::Serialize;
use std::sync::Arc;

/// A page.
#[derive(Serialize)]
struct Row<'a> {
    doc: &'a str,
    text: &'a str,
}

/// Carries out a plan.
pub(super) fn run(plan: ContentPlan) -> Result<Tally, CliError> {
    let ContentPlan { sources, inputs, options, plain, quiet, errors, target } = plan;
    let mut output = Output::open(&target)?;
    let mut errors = ErrorFile::open(errors.as_ref())?;
    let progress = Progress::start(&inputs, sources.total_bytes(), !quiet, quiet);
    let mut messages = Messages::new(errors.is_wanted(), quiet);
    let mut tally = Tally::default();
    let mut page = Page { plain, ..Page::default() };
    let mut source = Source::default();
    for chunk in ChunkReader::new(sources, options) {
        let mut rejected = Vec::new();
        for item in chunk.items {
            match item {
                Item::Passage(passage) if passage.block(0).is_some() => {
                    rejected.extend(source.go_on(&passage.source));
                    source.has_pages = true;
                    page.take(&passage, &mut tally);
                }
                Item::Failed(failure) => rejected.push(Rejected::from(failure)),
                Item::Passage(Passage { source: name, .. }) | Item::Record(RecordLine { source: name, .. }) => {
                    rejected.extend(source.go_on(&name));
                    source.has_others = true;
                }
            }
        }
        // A page is never in two chunks.
        page.end(&mut tally);
        tally.failed += rejected.len() as u64;
        tally.passed_over.add(chunk.passed_over);
        messages.take_decoded(&chunk.decoded, &progress);
        errors.write(&messages.take(&rejected, &progress))?;
        progress.advance(chunk.raw_bytes, tally.done(), "pages");
        output.write(&std::mem::take(&mut page.output))?;
    }
    let rejected = Vec::from_iter(source.end());
    tally.failed += rejected.len() as u64;
    errors.write(&messages.take(&rejected, &progress))?;
    progress.finish();
    messages.finish();
    errors.finish()?;
    if tally.done() > 0 || tally.failed == 0 {
        output.finish()?;
    }
    if !quiet {
        let set_aside = if tally.failed > 0 { format!("; {} set aside", tally.failed) } else { String::new() };
        let seconds = progress.elapsed().as_secs_f64();
        tell(format_args!("{} pages in {seconds:.1} s{set_aside}{}", tally.done(), passed_over(&tally)));
    }
    Ok(tally)
}

/// The source that is being read.
#[derive(Default)]
struct Source {
    name: Option<Arc<str>>,
    has_pages: bool,
    /// Whether it holds something besides pages, as an archive may.
    has_others: bool,
}

impl Source {
    /// Goes on with the source of this name; gives what is wrong with the one before it.
    fn go_on(&mut self, name: &Arc<str>) -> Option<Rejected> {
        if self.name.as_ref() == Some(name) {
            return None;
        }
        std::mem::replace(self, Source { name: Some(Arc::clone(name)), ..Source::default() }).end()
    }

    /// What is wrong with the source that was read, if it had no pages.
    fn end(self) -> Option<Rejected> {
        let name = self.name.filter(|_| self.has_others && !self.has_pages)?;
        Some(Rejected::source(&name, InputError::NotHtml))
    }
}

/// The page that is being put together, and what was written before it.
#[derive(Default)]
struct Page {
    plain: bool,
    doc: Option<Arc<str>>,
    text: String,
    output: Vec<u8>,
}

impl Page {
    fn take(&mut self, passage: &Passage, tally: &mut Tally) {
        if passage.first_paragraph == 0 {
            self.end(tally);
        }
        self.doc = Some(Arc::clone(passage.doc.as_ref().unwrap_or(&passage.source)));
        for (index, span) in passage.paragraphs.iter().enumerate() {
            if passage.block(index).is_some_and(|block| block.is_content) {
                if !self.text.is_empty() {
                    self.text.push_str("\n\n");
                }
                self.text.push_str(&passage.text[span.clone()]);
            }
        }
    }

    fn end(&mut self, tally: &mut Tally) {
        let Some(doc) = self.doc.take() else { return };
        let text = std::mem::take(&mut self.text);
        if self.plain {
            if tally.rows > 0 {
                self.output.push(b'\n');
            }
            self.output.extend_from_slice(text.as_bytes());
        } else {
            let row = Row { doc: &doc, text: &text };
            serde_json::to_writer(&mut self.output, &row).expect("a row can be written to memory; this is a bug");
        }
        self.output.push(b'\n');
        tally.documents += 1;
        tally.rows += 1;
    }
}
