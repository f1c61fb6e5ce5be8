//! `copydesk content`: the main content of HTML pages as plain text.

use super::error::CliError;
use super::job::Tally;
use super::messages::Messages;
use super::output::Output;
use super::plan::ContentPlan;
use super::progress::Progress;
use super::tell;
use crate::corpus::{ChunkReader, InputError, Item, Passage};
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
    let mut errors = errors.as_ref().map(Output::open).transpose()?;
    let progress = Progress::start(&inputs, sources.total_bytes(), !quiet, quiet);
    let mut messages = Messages::new(errors.is_some(), quiet);
    let mut tally = Tally::default();
    let mut page = Page { plain, ..Page::default() };
    let mut refused: Option<Arc<str>> = None;
    for chunk in ChunkReader::new(sources, options) {
        let mut rejected = Vec::new();
        for item in chunk.items {
            let source = match item {
                Item::Passage(passage) if passage.block(0).is_some() => {
                    page.take(&passage, &mut tally);
                    continue;
                }
                Item::Failed(failure) => {
                    rejected.push(Rejected::from(failure));
                    continue;
                }
                Item::Passage(passage) => passage.source,
                Item::Record(record) => record.source,
            };
            if refused.as_ref() != Some(&source) {
                rejected.push(Rejected::source(&source, InputError::NotHtml));
                refused = Some(source);
            }
        }
        // A page is never in two chunks.
        page.end(&mut tally);
        tally.failed += rejected.len() as u64;
        messages.take_decoded(&chunk.decoded, &progress);
        let rows = messages.take(&rejected, &progress);
        if let Some(errors) = &mut errors {
            errors.write(rows.bytes())?;
        }
        progress.advance(chunk.bytes, tally.done(), "pages");
        output.write(&std::mem::take(&mut page.output))?;
    }
    progress.finish();
    messages.finish();
    if let Some(errors) = errors {
        errors.finish()?;
    }
    if tally.done() > 0 || tally.failed == 0 {
        output.finish()?;
    }
    if !quiet {
        let set_aside = if tally.failed > 0 { format!("; {} set aside", tally.failed) } else { String::new() };
        tell(format_args!("{} pages in {:.1} s{set_aside}", tally.done(), progress.elapsed().as_secs_f64()));
    }
    Ok(tally)
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
        self.doc = Some(Arc::clone(&passage.source));
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
