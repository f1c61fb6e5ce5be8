//! `copydesk label`: a row for every paragraph or record.

use super::closed;
use super::error::CliError;
use super::job::{self, Summary};
use super::output::{Output, Target};
use super::plan::{LabelPlan, RowFormat};
use crate::model::ModelSession;
use crate::pipeline::{Event, Labelled, Part, Tally, Worked};
use crate::query::Expression;
use crate::report::{ParagraphRow, RecordRow, RowFields, RowSource, Verdict, VerdictOptions, csv, jsonl};
use std::io::IsTerminal;

/// Carries out a plan.
pub(super) fn run(plan: LabelPlan) -> Result<Tally, CliError> {
    let LabelPlan { reading, model, verdict, format, with_text, with_source, content_only, filter, target } = plan;
    let mut output = Output::open(&target)?;
    if target == Target::StandardOutput {
        closed::watch_reader();
    }
    let (unit, quiet) = (reading.rows.unit, reading.quiet);
    let rows = Rows { verdict, format, with_text, with_source, content_only, filter };
    if format == RowFormat::Csv {
        let mut header = Vec::new();
        csv::push_header(&mut header, unit, model.labels(), with_source, with_text);
        output.write(&header)?;
    }
    // On a terminal the rows themselves show how far it is.
    let bar = target != Target::StandardOutput || !std::io::stdout().is_terminal();
    let labeller = reading.labeller();
    let work = move |session: &mut ModelSession<'_>, chunk, worked: &mut Worked<Vec<u8>>| {
        let mut awaits_heading = false;
        labeller.label(session, chunk, &mut |event| rows.take(event, &mut awaits_heading, worked));
    };
    let done = job::run(reading, &model, bar, work, |rows| output.write(&rows))?;
    if done.tally.done() > 0 || done.tally.failed == 0 {
        output.finish()?;
    }
    if !quiet {
        let extra = match done.tally.left_out {
            0 => String::new(),
            rows => format!("; {} left out by --where", job::counted(rows, "rows")),
        };
        done.summarise(&Summary { unit, labels: Some(model.labels()), extra });
    }
    Ok(done.tally)
}

/// How rows are written.
struct Rows {
    verdict: VerdictOptions,
    format: RowFormat,
    with_text: bool,
    with_source: bool,
    content_only: bool,
    filter: Option<Expression>,
}

impl Rows {
    /// Tally what became of an item, and writes the row of a text with an answer. `awaits_heading` is whether the document at
    /// hand has no heading yet: what stands under one may be left out.
    fn take(&self, event: Event<'_>, awaits_heading: &mut bool, worked: &mut Worked<Vec<u8>>) {
        match event {
            Event::Document => worked.tally.documents += 1,
            Event::Rejected { rejected, .. } => worked.reject(rejected),
            Event::Labelled(labelled) => {
                let Labelled { part, paragraph, text, block, first, language, prediction } = labelled;
                if first {
                    let has_heading = match part {
                        Part::Passage(_) => true,
                        Part::Record { record, .. } => paragraph.is_some() || record.object.is_some(),
                    };
                    // What went before in a long document may have been left out.
                    *awaits_heading = has_heading && (part.begins_document() || self.filter.is_some());
                }
                if self.content_only && block.is_some_and(|block| !block.is_content) {
                    return;
                }
                let verdict = Verdict::new(&prediction, language, self.verdict);
                let object = match part {
                    Part::Record { record, .. } => record.object.as_ref(),
                    Part::Passage(_) => None,
                };
                let content = block.map(|block| block.content);
                let source = RowSource { name: part.source(), line: part.line() };
                if let Some(filter) = &self.filter {
                    let (doc, paragraph, verdict) = (part.doc(), paragraph.as_ref(), &verdict);
                    if !filter.matches(&RowFields { doc, source, paragraph, text, content, verdict, object }) {
                        worked.tally.left_out += 1;
                        return;
                    }
                }
                worked.tally.count(verdict.label_id());
                let out = &mut worked.output;
                if let RowFormat::Pretty(style) = self.format {
                    if std::mem::take(awaits_heading) {
                        style.push_heading(out, part.doc());
                    }
                    style.push_text(out, text, &verdict);
                    return;
                }
                let source = self.with_source.then_some(source);
                match paragraph {
                    Some((paragraph, span)) => {
                        let row = ParagraphRow { doc: part.doc(), source, paragraph, span, text, content, verdict };
                        match self.format {
                            RowFormat::Csv => csv::push_paragraph(out, &row, self.with_text),
                            _ => jsonl::push_paragraph(out, &row, self.with_text),
                        }
                    }
                    None => {
                        let row = RecordRow { doc: part.doc(), source, text, object, verdict };
                        match self.format {
                            RowFormat::Csv => csv::push_record(out, &row, self.with_text),
                            _ => jsonl::push_record(out, &row),
                        }
                    }
                }
            }
        }
    }
}
