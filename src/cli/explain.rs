//! `copydesk explain`: the words that labels rest on, for a person or as JSON.

use super::args::{
    ExplainArgs, InputArgs, InputFormatArg, LabelArgs, OutputArgs, OutputFormatArg, PartArgs, RunArgs, UnitArg,
};
use super::error::CliError;
use super::job::Tally;
use super::{label, plan};
use crate::corpus::Sources;
use crate::pipeline::NEIGHBOURS;
use std::ffi::OsString;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// Carries out the arguments: what `copydesk label` does, with all that is known of why.
pub(super) fn run(args: ExplainArgs) -> Result<Tally, CliError> {
    let ExplainArgs { input, words, json, input_format, text_field, region, model, color } = args;
    let (inputs, text) = match input {
        None => (Vec::new(), None),
        Some(input) => {
            let text = typed_text(&input)?;
            (vec![PathBuf::from(input)], text)
        }
    };
    let input_format = match (&text, input_format) {
        (Some(_), InputFormatArg::Auto) => InputFormatArg::Text,
        _ => input_format,
    };
    let mut plan = plan::label(LabelArgs {
        input: InputArgs::new(inputs, input_format, text_field),
        unit: UnitArg::Paragraph,
        paragraphs: None,
        page_field: None,
        region,
        model,
        min_confidence: 0.0,
        no_other: false,
        any_language: false,
        output: None,
        output_format: Some(if json { OutputFormatArg::Jsonl } else { OutputFormatArg::Pretty }),
        with_text: true,
        explain: Some(words),
        content_only: false,
        filter: None,
        with_source: false,
        outputs: OutputArgs::default(),
        run: RunArgs::default(),
        part: PartArgs::default(),
        color,
    })?;
    plan.rows.all_reasons = true;
    plan.question = plan.question.map(|question| crate::explain::Question { neighbours: NEIGHBOURS, ..question });
    if let Some(text) = text {
        plan.reading.sources = Sources::of_reader(Cursor::new(text));
    }
    label::run(plan)
}

/// A text that was given in place of a name; `None` for the name of a file, or of standard input.
fn typed_text(input: &OsString) -> Result<Option<String>, CliError> {
    let path = Path::new(input);
    if input == "-" || path.exists() {
        return Ok(None);
    }
    match input.to_str().filter(|text| text.trim().contains(char::is_whitespace)) {
        Some(text) => Ok(Some(text.to_owned())),
        None => Err(CliError::NoFileAndNoText { path: path.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_a_text_if_it_has_a_blank() {
        let of = |input: &str| typed_text(&OsString::from(input));
        assert_eq!(of("Cargo.toml").unwrap(), None);
        assert_eq!(of("-").unwrap(), None);
        assert_eq!(of("Buy now").unwrap().as_deref(), Some("Buy now"));
        assert!(matches!(of("no-such-file.txt"), Err(CliError::NoFileAndNoText { .. })));
        assert!(matches!(of("https://example.org/page"), Err(CliError::NoFileAndNoText { .. })));
    }
}
