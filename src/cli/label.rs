//! `copydesk label`: a row for every paragraph or record.

use super::closed;
use super::error::CliError;
use super::job::{self, Tally, Worked};
use super::output::{Output, Target};
use super::plan::{LabelPlan, RowFormat};
use super::records::{PageText, ParsedRecord, predict_pages, record_pages};
use crate::corpus::{Chunk, InputError, Item, Passage, Unit, page_ranges};
use crate::model::ModelSession;
use crate::report::{ParagraphRow, RecordRow, Verdict, VerdictOptions, csv, jsonl};
use crate::text::{facts, model_text, split};
use std::borrow::Cow;
use std::io::IsTerminal;
use std::ops::Range;

/// Carries out a plan.
pub(super) fn run(plan: LabelPlan) -> Result<Tally, CliError> {
    let LabelPlan { mut reading, model, verdict, format, with_text, target } = plan;
    let mut output = Output::open(&target)?;
    if target == Target::StandardOutput {
        closed::watch_reader();
    }
    let unit = reading.options.unit;
    if format == RowFormat::Csv {
        let mut header = Vec::new();
        csv::push_header(&mut header, unit, with_text);
        output.write(&header)?;
    }
    let text_field = reading.text_field.clone();
    let labeller = Labeller { unit, text_field, verdict, format, with_text };
    // On a terminal the rows themselves show how far it is.
    let bar = target != Target::StandardOutput || !std::io::stdout().is_terminal();
    let work = |session: &mut ModelSession<'_>, chunk: &Chunk| labeller.label(session, chunk);
    let done = job::run(&mut reading, &model, bar, work, |rows| output.write(&rows))?;
    if done.tally.done() > 0 || done.tally.failed == 0 {
        output.finish()?;
    }
    done.summarise(&reading, "");
    Ok(done.tally)
}

/// Turns chunks into rows.
struct Labeller {
    unit: Unit,
    text_field: String,
    verdict: VerdictOptions,
    format: RowFormat,
    with_text: bool,
}

/// A document or a record of a chunk.
enum Part<'chunk> {
    Passage(&'chunk Passage),
    Record(ParsedRecord<'chunk>),
}

/// A text that gets a row.
struct Entry<'part> {
    /// Position of its item in the chunk.
    item: usize,
    part: &'part Part<'part>,
    /// As it stands in its source.
    text: &'part str,
    /// As the model sees it.
    model_text: Cow<'part, str>,
    /// Number and span of a paragraph; `None` for a whole record.
    paragraph: Option<(u64, Range<u64>)>,
}

impl Labeller {
    fn label(&self, session: &mut ModelSession<'_>, chunk: &Chunk) -> Worked<Vec<u8>> {
        let mut worked = Worked::default();
        let parts = self.parts(chunk, &mut worked);
        let mut entries = Vec::new();
        for (item, part) in &parts {
            self.push_entries(*item, part, &mut entries);
        }
        let texts: Vec<PageText<'_>> =
            entries.iter().map(|entry| PageText { text: &entry.model_text, facts: facts(entry.text) }).collect();
        let pages = self.pages(chunk, &entries);
        let mut previous_item = None;
        for (entry, prediction) in entries.iter().zip(predict_pages(session, &texts, &pages)) {
            match prediction {
                Ok(prediction) => {
                    let verdict = Verdict::new(&prediction, self.verdict);
                    worked.tally.count(verdict.label);
                    let first = previous_item.replace(entry.item) != Some(entry.item);
                    self.push_row(&mut worked.output, entry, verdict, first);
                }
                Err(error) => {
                    let message = match &entry.paragraph {
                        Some((paragraph, _)) => format!("{}: paragraph {paragraph}: {error}", entry.part.doc()),
                        None => format!("{}: {error}", entry.part.doc()),
                    };
                    worked.fail(entry.item, message);
                }
            }
        }
        worked
    }

    /// The entries that stand on one page: the paragraphs of a text, or records that name the same page.
    fn pages(&self, chunk: &Chunk, entries: &[Entry<'_>]) -> Vec<Range<usize>> {
        let items = entries.iter().map(|entry| entry.item);
        match self.unit {
            Unit::Paragraph => page_ranges(&items.map(Some).collect::<Vec<_>>()),
            Unit::Record => record_pages(chunk, items),
        }
    }

    /// The usable items of a chunk with their positions.
    fn parts<'chunk>(&self, chunk: &'chunk Chunk, worked: &mut Worked<Vec<u8>>) -> Vec<(usize, Part<'chunk>)> {
        let mut parts = Vec::with_capacity(chunk.items.len());
        for (position, item) in chunk.items.iter().enumerate() {
            match item {
                Item::Failed(failure) => worked.fail(position, failure.to_string()),
                Item::Passage(passage) => {
                    worked.tally.documents += u64::from(passage.first_paragraph == 0);
                    parts.push((position, Part::Passage(passage)));
                }
                Item::Record(line) => {
                    let record = ParsedRecord::parse(line, &self.text_field).and_then(|record| {
                        let blank = self.unit == Unit::Record && model_text(&record.text).is_empty();
                        if blank { Err(InputError::BlankText) } else { Ok(record) }
                    });
                    match record {
                        Ok(record) => {
                            worked.tally.documents += 1;
                            parts.push((position, Part::Record(record)));
                        }
                        Err(error) => {
                            worked.fail(position, line.failed(error).to_string());
                        }
                    }
                }
            }
        }
        parts
    }

    fn push_entries<'part>(&self, item: usize, part: &'part Part<'part>, entries: &mut Vec<Entry<'part>>) {
        match part {
            Part::Passage(passage) => {
                for (number, span) in (passage.first_paragraph..).zip(&passage.paragraphs) {
                    let text = &passage.text[span.clone()];
                    let span = passage.source_span(span.clone());
                    let paragraph = Some((number, span));
                    entries.push(Entry { item, part, text, model_text: model_text(text), paragraph });
                }
            }
            Part::Record(record) if self.unit == Unit::Paragraph => {
                for (number, paragraph) in (0..).zip(split(&record.text)) {
                    let text = &record.text[paragraph.span.clone()];
                    let span = paragraph.span.start as u64..paragraph.span.end as u64;
                    entries.push(Entry {
                        item,
                        part,
                        text,
                        model_text: paragraph.text,
                        paragraph: Some((number, span)),
                    });
                }
            }
            Part::Record(record) => {
                let text = record.text.as_ref();
                entries.push(Entry { item, part, text, model_text: model_text(text), paragraph: None });
            }
        }
    }

    /// Appends a row; `first` is whether it is its item's first.
    fn push_row(&self, out: &mut Vec<u8>, entry: &Entry<'_>, verdict: Verdict, first: bool) {
        let doc = entry.part.doc();
        if let RowFormat::Pretty(style) = self.format {
            let begins = match entry.part {
                Part::Passage(passage) => first && passage.first_paragraph == 0,
                Part::Record(record) => first && (entry.paragraph.is_some() || record.object.is_some()),
            };
            if begins {
                style.push_heading(out, &doc);
            }
            style.push_text(out, entry.text, &verdict);
            return;
        }
        match (&entry.paragraph, entry.part) {
            (None, Part::Record(record)) => {
                let row = RecordRow { doc: &doc, text: entry.text, object: record.object.as_ref(), verdict };
                match self.format {
                    RowFormat::Csv => csv::push_record(out, &row, self.with_text),
                    _ => jsonl::push_record(out, &row),
                }
            }
            (paragraph, _) => {
                let (paragraph, span) = paragraph.clone().expect("only records have no number; this is a bug");
                let row = ParagraphRow { doc: &doc, paragraph, span, text: entry.text, verdict };
                match self.format {
                    RowFormat::Csv => csv::push_paragraph(out, &row, self.with_text),
                    _ => jsonl::push_paragraph(out, &row, self.with_text),
                }
            }
        }
    }
}

impl Part<'_> {
    fn doc(&self) -> Cow<'_, str> {
        match self {
            Part::Passage(passage) => Cow::Borrowed(&passage.source),
            Part::Record(record) => Cow::Owned(record.doc()),
        }
    }
}
