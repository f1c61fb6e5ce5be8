//! What `copydesk label` writes of each text with an answer.

use super::run::Routed;
use crate::corpus::{InputError, Record};
use crate::label::LabelSet;
use crate::output::CountedRow;
use crate::pipeline::{Event, Labelled, Part, Rejected, Worked};
use crate::query::Expression;
use crate::report::{
    Attributes, Keep, PageStyle, ParagraphRow, Reasons, RecordRow, RowFields, RowSource, TooLong, Verdict,
    VerdictOptions, csv, jsonl,
};
use crate::text::{CharOffsets, Doubt};
use std::ops::Range;

/// How rows look.
pub(super) enum Look {
    Jsonl,
    Csv,
    Pretty(PageStyle),
    /// A row for each document, with the attributes of this name.
    Attributes(String),
}

/// How rows are written, and which.
pub(super) struct Rows {
    pub labels: LabelSet,
    pub verdict: VerdictOptions,
    pub look: Look,
    pub with_text: bool,
    pub with_source: bool,
    pub content_only: bool,
    pub filter: Option<Expression>,
    pub keep: Option<Keep>,
    /// Whether offsets count code points.
    pub chars: bool,
    /// Whether rows tell neighbours and models where they have an explanation.
    pub all_reasons: bool,
    /// Whether rows have explanations.
    pub explained: bool,
    /// Whether each label has an output of its own, in the order of the labels, and the last those without one.
    pub by_label: bool,
}

/// Writes the rows of a chunk.
pub(super) struct Writer<'rows> {
    rows: &'rows Rows,
    /// Whether the document at hand has no heading yet: what stands under one may be left out.
    awaits_heading: bool,
    /// The fields of the record at hand that its rows repeat.
    kept: Vec<u8>,
    /// The row of the document at hand.
    document: Option<(String, Attributes)>,
}

impl Rows {
    /// The header of an output.
    pub fn header(&self, unit: crate::corpus::Unit) -> Vec<u8> {
        let mut header = Vec::new();
        if let Look::Csv = self.look {
            let kept = self.keep.as_ref().map_or(&[][..], Keep::names);
            csv::push_header(&mut header, unit, &self.labels, self.with_source, kept, self.with_text);
        }
        header
    }

    /// The fields that the rows of a record repeat, as they stand in a row.
    fn kept(&self, keep: &Keep, object: &Record<'_>) -> Result<Vec<u8>, TooLong> {
        match self.look {
            Look::Csv => keep.columns(object).map(|values| csv::fields(&values)),
            _ => keep.json(object, self.explained),
        }
    }

    /// Whether a text has a row if it passes the expression: of HTML pages, what is content.
    fn is_of_page(&self, labelled: &Labelled<'_>) -> bool {
        !(self.content_only && labelled.block.is_some_and(|block| !block.is_content))
    }

    /// Whether the expression holds for a row.
    fn passes(&self, labelled: &Labelled<'_>, verdict: &Verdict) -> bool {
        let Some(filter) = &self.filter else { return true };
        let Labelled { part, paragraph, text, block, .. } = labelled;
        let fields;
        let object = match part {
            Part::Record { record, .. } => record.object.as_ref(),
            Part::Passage(passage) => {
                // What an archive says of its page.
                fields = passage.fields.as_deref().and_then(|fields| Record::parse(fields).ok());
                fields.as_ref()
            }
        };
        let (doc, paragraph) = (part.doc(), paragraph.as_ref());
        let source = RowSource { name: part.source(), line: part.line() };
        let content = block.map(|block| block.content);
        filter.matches(&RowFields { doc, source, paragraph, text, content, verdict, object })
    }

    /// Whether a text gets a row, so that its words are worth looking for.
    pub fn is_wanted(&self, labelled: &Labelled<'_>) -> bool {
        let verdict = || Verdict::new(&labelled.prediction, labelled.language, self.verdict);
        self.is_of_page(labelled) && (self.filter.is_none() || self.passes(labelled, &verdict()))
    }

    /// A writer for a chunk.
    pub fn writer(&self) -> Writer<'_> {
        Writer { rows: self, awaits_heading: false, kept: Vec::new(), document: None }
    }
}

impl Writer<'_> {
    /// Counts what became of an item, and writes the row of a text with an answer.
    pub fn take(&mut self, event: Event<'_>, worked: &mut Worked<Routed>) {
        match event {
            Event::Document(part) => {
                worked.tally.documents += 1;
                self.begin(part, worked);
            }
            Event::Rejected { rejected, object } => {
                // A document that cannot be read has a row too: rows of attributes stand beside those of the documents.
                if rejected.paragraph.is_none() && rejected.line.is_some() {
                    self.begin_document(object.map(id_of).unwrap_or_else(|| "null".to_owned()), worked);
                }
                worked.reject(rejected);
            }
            Event::Labelled(labelled) => self.row(labelled, worked),
        }
    }

    /// Ends what is still open.
    pub fn end(&mut self, worked: &mut Worked<Routed>) {
        if let Some((id, mut attributes)) = self.document.take() {
            worked.output.to(0).push(|out| attributes.end(&id, out));
        }
    }

    fn begin_document(&mut self, id: String, worked: &mut Worked<Routed>) {
        if let Look::Attributes(name) = &self.rows.look {
            self.end(worked);
            self.document = Some((id, Attributes::new(name, &self.rows.labels)));
        }
    }

    fn begin(&mut self, part: &Part<'_>, worked: &mut Worked<Routed>) {
        self.kept.clear();
        let fields;
        let object = match part {
            Part::Record { record, .. } => record.object.as_ref(),
            Part::Passage(passage) => {
                if let Look::Attributes(_) = self.rows.look {
                    worked.reject(Rejected::source(&passage.source, InputError::NoRecords));
                    return;
                }
                // What an archive says of its page.
                fields = passage.fields.as_deref().and_then(|fields| Record::parse(fields).ok());
                fields.as_ref()
            }
        };
        let Some(object) = object else { return };
        self.begin_document(id_of(object), worked);
        let Some(keep) = &self.rows.keep else { return };
        match self.rows.kept(keep, object) {
            Ok(kept) => self.kept = kept,
            Err(_) => worked.reject(match part {
                Part::Record { record, .. } => Rejected::record(record.line, InputError::KeptTooLong),
                Part::Passage(passage) => {
                    Rejected { line: passage.record, ..Rejected::source(&passage.source, InputError::KeptTooLong) }
                }
            }),
        }
    }

    fn row(&mut self, labelled: Labelled<'_>, worked: &mut Worked<Routed>) {
        let rows = self.rows;
        if labelled.first {
            let has_heading = match labelled.part {
                Part::Passage(_) => true,
                Part::Record { record, .. } => labelled.paragraph.is_some() || record.object.is_some(),
            };
            // What went before in a long document may have been left out.
            self.awaits_heading = has_heading && (labelled.part.begins_document() || rows.filter.is_some());
        }
        if !rows.is_of_page(&labelled) {
            return;
        }
        let verdict = Verdict::new(&labelled.prediction, labelled.language, rows.verdict);
        if !rows.passes(&labelled, &verdict) {
            worked.tally.left_out += 1;
            worked.output.counts.left_out += 1;
            return;
        }
        let Labelled { part, paragraph, text, block, explanation, .. } = labelled;
        let object = match part {
            Part::Record { record, .. } => record.object.as_ref(),
            Part::Passage(_) => None,
        };
        let content = block.map(|block| block.content);
        let source = RowSource { name: part.source(), line: part.line() };
        let reasons = explanation.as_ref();
        let reasons = reasons.map(|explanation| Reasons { explanation, all: rows.all_reasons, chars: rows.chars });
        worked.tally.count(verdict.label_id());
        worked.output.counts.count(CountedRow {
            source: part.source(),
            label: verdict.label.as_ref().map(|label| label.as_str()),
            confidence: verdict.confidence,
            lang: verdict.lang,
            reason: verdict.doubt.map(Doubt::as_str),
            tokens: verdict.tokens,
            windows: verdict.windows,
        });
        let output = match (rows.by_label, verdict.label_id()) {
            (false, _) => 0,
            (true, Some(label)) => label.index(),
            (true, None) => rows.labels.len(),
        };
        let out = worked.output.to(output);
        let paragraph = paragraph.map(|(number, span)| match rows.chars {
            true => (number, labelled.chars.clone().unwrap_or(span)),
            false => (number, span),
        });
        match (&rows.look, paragraph) {
            (Look::Pretty(style), _) => out.push(|out| {
                if std::mem::take(&mut self.awaits_heading) {
                    style.push_heading(out, part.doc());
                }
                style.push_text(out, text, &verdict, reasons);
            }),
            (Look::Attributes(_), paragraph) => {
                let span = match (paragraph, labelled.chars) {
                    (_, Some(chars)) => chars,
                    (Some((_, span)), None) => span,
                    (None, None) => chars_of(text),
                };
                if let (Some((_, attributes)), Some(label)) = (&mut self.document, verdict.label_id()) {
                    attributes.push(label, span, verdict.confidence);
                }
            }
            (look, Some((paragraph, span))) => {
                let source = rows.with_source.then_some(source);
                let row = ParagraphRow { doc: part.doc(), source, paragraph, span, text, content, verdict, reasons };
                out.push(|out| match look {
                    Look::Csv => csv::push_paragraph(out, &row, &self.kept, rows.with_text),
                    _ => jsonl::push_paragraph(out, &row, &self.kept, rows.with_text),
                });
            }
            (look, None) => {
                let source = rows.with_source.then_some(source);
                let row = RecordRow { doc: part.doc(), source, text, object, verdict, reasons };
                out.push(|out| match look {
                    Look::Csv => csv::push_record(out, &row, &self.kept, rows.with_text),
                    _ => jsonl::push_record(out, &row),
                });
            }
        }
    }
}

/// The id of a record as JSON; `null` where it has none.
fn id_of(object: &Record<'_>) -> String {
    object.value("id").unwrap_or("null").to_owned()
}

fn chars_of(text: &str) -> Range<u64> {
    CharOffsets::new(text).range(0..text.len())
}
