//! What commands do that read labelled rows: inputs, messages, counts, `--where`.

use super::args::LabelledArgs;
use super::error::CliError;
use super::job::{END_OF_INPUT, Tally};
use super::messages::{ErrorFile, Messages};
use super::plan;
use super::progress::Progress;
use super::target::{self, Target};
use super::tell;
use crate::corpus::{ChunkReader, InputError, InputFormat, Item, RecordLine, Unit};
use crate::pipeline::Rejected;
use crate::query::Expression;
use crate::report::LabelledRow;
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Reads labelled rows and hands each that is asked for to `take`, until that has enough.
pub(super) fn read(
    args: LabelledArgs,
    take: &mut dyn FnMut(&LabelledRow<'_>) -> Result<ControlFlow<()>, CliError>,
) -> Result<Tally, CliError> {
    let LabelledArgs { input, filter, label, quiet } = args;
    let filter = Filter { label, expression: filter.as_deref().map(plan::expression).transpose()? };
    let errors = input.errors.clone().map(|path| Target::new(Some(path)));
    let (sources, options) = plan::sources(&input, Unit::Record)?;
    let sources = sources.except(target::check(&input.inputs, &errors.iter().collect::<Vec<_>>())?);
    if input.inputs.is_empty() && std::io::stdin().is_terminal() && !quiet {
        tell(format_args!("waiting for labelled rows from the keyboard; end them with {END_OF_INPUT}"));
    }
    let mut errors = ErrorFile::open(errors.as_ref())?;
    let progress = Progress::start(&input.inputs, sources.total_bytes(), !quiet, quiet);
    let mut messages = Messages::new(errors.is_wanted(), quiet);
    let mut tally = Tally::default();
    let mut source = Source::default();
    let mut enough = false;
    for chunk in ChunkReader::new(sources, options) {
        let mut rejected = Vec::new();
        for item in chunk.items {
            let line = match item {
                Item::Record(line) => line,
                Item::Passage(passage) => {
                    source.enter(&passage.source);
                    rejected.extend(source.refuse().map(|refused| *refused));
                    continue;
                }
                Item::Failed(failure) => {
                    rejected.push(Rejected::from(failure));
                    continue;
                }
            };
            match source.row(&line, &input.text_field) {
                Ok(row) if filter.matches(&row) => {
                    tally.rows += 1;
                    if take(&row)?.is_break() {
                        enough = true;
                        break;
                    }
                }
                Ok(_) => tally.left_out += 1,
                Err(refused) => rejected.extend(refused.map(|refused| *refused)),
            }
        }
        tally.failed += rejected.len() as u64;
        messages.take_decoded(&chunk.decoded, &progress);
        errors.write(&messages.take(&rejected, &progress))?;
        progress.advance(chunk.raw_bytes, tally.done(), "rows");
        if enough {
            break;
        }
    }
    progress.finish();
    messages.finish();
    errors.finish()?;
    if tally.rows == 0 && tally.left_out > 0 && !quiet {
        tell(format_args!("{}", filter.nothing_met(tally.left_out)));
    }
    Ok(tally)
}

/// Which rows are asked for.
struct Filter {
    label: Option<String>,
    expression: Option<Expression>,
}

impl Filter {
    fn matches(&self, row: &LabelledRow<'_>) -> bool {
        self.label.as_deref().is_none_or(|label| row.label().as_deref() == Some(label))
            && self.expression.as_ref().is_none_or(|expression| expression.matches(row))
    }

    /// What to say where no row was asked for.
    fn nothing_met(&self, rows: u64) -> String {
        let mut message = match &self.label {
            Some(label) if self.expression.is_none() => format!("none of {rows} rows has the label `{label}`"),
            _ => format!("none of {rows} rows meets the condition"),
        };
        let names = self.expression.as_ref().map_or(&[][..], Expression::input_fields);
        if !names.is_empty() {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            message += &format!("; it names fields that not every row has: {}", names.join(", "));
        }
        message
    }
}

/// The source at hand. One that begins with what is no labelled row holds none: that is told once.
#[derive(Default)]
struct Source {
    name: Option<Arc<str>>,
    has_rows: bool,
    refused: bool,
}

impl Source {
    fn enter(&mut self, name: &Arc<str>) {
        if self.name.as_ref() != Some(name) {
            *self = Source { name: Some(Arc::clone(name)), ..Source::default() };
        }
    }

    /// Sets the whole source aside, the first time.
    fn refuse(&mut self) -> Option<Box<Rejected>> {
        let name = self.name.as_ref().filter(|_| !self.refused)?;
        self.refused = true;
        Some(Box::new(Rejected::source(name, InputError::NotLabelled)))
    }

    /// The row of a record; else what there is to tell, if it was not told before.
    fn row<'a>(&mut self, line: &'a RecordLine, text_field: &'a str) -> Result<LabelledRow<'a>, Option<Box<Rejected>>> {
        self.enter(&line.source);
        if self.refused || matches!(line.format, InputFormat::Text | InputFormat::Markdown | InputFormat::Html) {
            return Err(self.refuse());
        }
        match LabelledRow::parse(&line.text, text_field) {
            Ok(row) => {
                self.has_rows = true;
                Ok(row)
            }
            Err(InputError::MissingField { .. }) if !self.has_rows => Err(self.refuse()),
            Err(error) => Err(Some(Box::new(Rejected::record(line, error)))),
        }
    }
}
