//! `copydesk label`: a row for every paragraph or record.

use super::closed;
use super::error::CliError;
use super::job::{self, Summary};
use super::output::{Output, Target};
use super::plan::{LabelPlan, RowFormat};
use crate::model::ModelSession;
use crate::pipeline::{Event, Labelled, Part, Tally, Worked};
use crate::report::{ParagraphRow, RecordRow, RowSource, Verdict, VerdictOptions, csv, jsonl};
use std::io::IsTerminal;

/// Carries out a plan.
pub(super) fn run(plan: LabelPlan) -> Result<Tally, CliError> {
    let LabelPlan { reading, model, verdict, format, with_text, with_source, content_only, target } = plan;
    let mut output = Output::open(&target)?;
    if target == Target::StandardOutput {
        closed::watch_reader();
    }
    let (unit, quiet) = (reading.rows.unit, reading.quiet);
    let rows = Rows { verdict, format, with_text, with_source, content_only };
    if format == RowFormat::Csv {
        let mut header = Vec::new();
        csv::push_header(&mut header, unit, model.labels(), with_source, with_text);
        output.write(&header)?;
    }
    // On a terminal the rows themselves show how far it is.
    let bar = target != Target::StandardOutput || !std::io::stdout().is_terminal();
    let labeller = reading.labeller();
    let work = move |session: &mut ModelSession<'_>, chunk, worked: &mut Worked<Vec<u8>>| {
        labeller.label(session, chunk, &mut |event| rows.take(event, worked));
    };
    let done = job::run(reading, &model, bar, work, |rows| output.write(&rows))?;
    if done.tally.done() > 0 || done.tally.failed == 0 {
        output.finish()?;
    }
    if !quiet {
        done.summarise(&Summary { unit, labels: Some(model.labels()), extra: String::new() });
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
}

impl Rows {
    /// Tally what became of an item, and writes the row of a text with an answer.
    fn take(&self, event: Event<'_>, worked: &mut Worked<Vec<u8>>) {
        match event {
            Event::Document => worked.tally.documents += 1,
            Event::Rejected { rejected, .. } => worked.reject(rejected),
            Event::Labelled(labelled) => {
                let Labelled { part, paragraph, text, block, first, language, prediction } = labelled;
                if self.content_only && block.is_some_and(|block| !block.is_content) {
                    return;
                }
                let verdict = Verdict::new(&prediction, language, self.verdict);
                worked.tally.count(verdict.label_id());
                let out = &mut worked.output;
                if let RowFormat::Pretty(style) = self.format {
                    let has_heading = match part {
                        Part::Passage(_) => true,
                        Part::Record { record, .. } => paragraph.is_some() || record.object.is_some(),
                    };
                    if first && has_heading && part.begins_document() {
                        style.push_heading(out, part.doc());
                    }
                    style.push_text(out, text, &verdict);
                    return;
                }
                let source = self.with_source.then(|| RowSource { name: part.source(), line: part.line() });
                match (paragraph, part) {
                    (Some((paragraph, span)), _) => {
                        let row = ParagraphRow {
                            doc: part.doc(),
                            source,
                            paragraph,
                            span,
                            text,
                            content: block.map(|block| block.content),
                            verdict,
                        };
                        match self.format {
                            RowFormat::Csv => csv::push_paragraph(out, &row, self.with_text),
                            _ => jsonl::push_paragraph(out, &row, self.with_text),
                        }
                    }
                    (None, part) => {
                        let object = match part {
                            Part::Record { record, .. } => record.object.as_ref(),
                            Part::Passage(_) => None,
                        };
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
