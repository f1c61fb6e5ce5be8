//! `copydesk eval`: the model against labelled data.

use super::error::CliError;
use super::job::{self, Tally, Worked};
use super::output::{Output, Target};
use super::plan::EvalPlan;
use super::records::{ParsedRecord, parse_records, predict};
use crate::corpus::{Chunk, InputError, Record, RecordLine};
use crate::eval::{EvalOptions, JudgedRow, evaluate};
use crate::label::{Label, Scores};
use crate::model::Session;
use crate::report::EvalTable;
use crate::text::model_text;
use std::borrow::Cow;

/// Carries out a plan.
pub(super) fn run(plan: EvalPlan) -> Result<Tally, CliError> {
    let EvalPlan { mut reading, classifier, data, json } = plan;
    let text_field = reading.text_field.clone();
    let mut rows = Vec::new();
    let work = |session: &mut Session<'_>, chunk: &Chunk| judge(session, chunk, &text_field);
    let done = job::run(&mut reading, &classifier, true, work, |judged: Vec<JudgedRow>| {
        rows.extend(judged);
        Ok(())
    })?;
    if rows.is_empty() && done.tally.failed > 0 {
        return Ok(done.tally);
    }
    let evaluation = evaluate(&rows, &EvalOptions::default()).map_err(|error| CliError::Evaluation { data, error })?;
    let report = if json {
        let object = serde_json::to_string(&evaluation).expect("figures can be written as JSON; this is a bug");
        object + "\n"
    } else {
        EvalTable(&evaluation).to_string()
    };
    let mut output = Output::open(&Target::StandardOutput)?;
    output.write(report.as_bytes())?;
    output.finish()?;
    done.summarise(&reading, "");
    Ok(done.tally)
}

/// A labelled row without the model's answer.
struct GoldRow<'chunk> {
    text: Cow<'chunk, str>,
    judged: JudgedRow,
}

impl<'chunk> GoldRow<'chunk> {
    fn parse(line: &'chunk RecordLine, text_field: &str) -> Result<GoldRow<'chunk>, InputError> {
        let ParsedRecord { object, text, .. } = ParsedRecord::parse(line, text_field)?;
        let object = match object {
            Some(object) => object,
            None => Record::parse(&line.text)?,
        };
        if model_text(&text).is_empty() {
            return Err(InputError::BlankText);
        }
        let judged = JudgedRow {
            gold: object.text("label")?.parse()?,
            scores: Scores([0.0; 5]),
            // Other people's `confidence` may be a probability; it says nothing on the scale of 1 to 3.
            confidence: object.value("confidence").and_then(|value| value.parse().ok()),
            source: object.name("source").map(Cow::into_owned),
            doc: object.name("doc").map(Cow::into_owned),
        };
        Ok(GoldRow { text, judged })
    }
}

fn judge(session: &mut Session<'_>, chunk: &Chunk, text_field: &str) -> Worked<Vec<JudgedRow>> {
    let mut worked: Worked<Vec<JudgedRow>> = Worked::default();
    let rows = parse_records(chunk, &mut worked, |line| GoldRow::parse(line, text_field));
    let texts: Vec<Cow<'_, str>> = rows.iter().map(|(_, _, row)| model_text(&row.text)).collect();
    let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
    let predictions = predict(session, &texts);
    for ((position, line, row), prediction) in rows.iter().zip(predictions) {
        match prediction {
            Ok(prediction) => {
                let (label, _): (Label, f32) = prediction.scores.best();
                worked.tally.count(Some(label));
                worked.output.push(JudgedRow { scores: prediction.scores, ..row.judged.clone() });
            }
            Err(error) => worked.fail(*position, format!("{}:{}: {error}", line.source, line.line)),
        }
    }
    worked
}
