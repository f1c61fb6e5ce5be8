//! `copydesk join`: labels that were passed on without their texts, brought together with the texts.

use super::args::JoinArgs;
use super::error::CliError;
use super::job::Tally;
use super::output::{Output, Target};
use super::tell;
use super::train::read_rows;
use crate::label::Label;
use crate::train::{GivenLabels, LabelledRow, read_labels, read_texts, take_labels};
use serde::Serialize;

/// A row as `copydesk train` reads it.
#[derive(Serialize)]
struct Row<'a> {
    text: &'a str,
    label: &'a Label,
    confidence: Option<u8>,
    source: Option<&'a str>,
    doc: Option<&'a str>,
}

/// Carries out the arguments.
pub(super) fn run(args: JoinArgs) -> Result<Tally, CliError> {
    let mut tally = Tally::default();
    let mut given: GivenLabels = read_rows(&args.labels, read_labels, &mut tally)?.into_iter().collect();
    let labels = given.len();
    let mut output = Output::open(&Target::new(args.out))?;
    for path in &args.texts {
        let rows =
            take_labels(read_rows(std::slice::from_ref(path), |path| read_texts(path, None), &mut tally)?, &mut given);
        tell(format_args!("{}: texts of {} labels", path.display(), rows.len()));
        let mut lines = Vec::new();
        tally.rows += rows.len() as u64;
        for LabelledRow { text, label, confidence, source, doc, .. } in &rows {
            let Some(label) = label else { continue };
            let (source, doc) = (source.as_deref(), doc.as_deref());
            let row = Row { text, label, confidence: *confidence, source, doc };
            serde_json::to_writer(&mut lines, &row).expect("a row can be written to memory; this is a bug");
            lines.push(b'\n');
        }
        output.write(&lines)?;
    }
    if !given.is_empty() {
        tell(format_args!("{} of {labels} labels found no text", given.len()));
    }
    output.finish()?;
    Ok(tally)
}
