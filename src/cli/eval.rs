//! `copydesk eval`: the model against labelled data.

use super::error::CliError;
use super::job::{self, Tally, Worked};
use super::output::{Output, Target};
use super::plan::EvalPlan;
use super::records::{PageText, ParsedRecord, parse_records, predict_pages, record_pages};
use crate::corpus::{Chunk, InputError, Record, RecordLine};
use crate::eval::{self, EvalOptions, Evaluation, JudgedRow, Noise, NoiseFigures, SplitMix64, evaluate};
use crate::label::{Label, Scores, annotator_confidence};
use crate::model::{ModelError, ModelSession, Prediction};
use crate::report::{EvalTable, NoiseTable};
use crate::text::{facts, model_text};
use serde::Serialize;
use std::borrow::Cow;
use std::ops::Range;

/// Carries out a plan.
pub(super) fn run(plan: EvalPlan) -> Result<Tally, CliError> {
    let EvalPlan { mut reading, model, data, robustness, json } = plan;
    let judge = Judge { text_field: reading.text_field.clone(), noises: if robustness { &Noise::ALL } else { &[] } };
    let mut rows = Vec::new();
    let mut copies: Vec<(Noise, Vec<Scores>)> = judge.noises.iter().map(|&noise| (noise, Vec::new())).collect();
    let work = |session: &mut ModelSession<'_>, chunk: &Chunk| judge.judge(session, chunk);
    let done = job::run(&mut reading, &model, true, work, |judged: Judged| {
        rows.extend(judged.rows);
        copies.iter_mut().zip(judged.copies).for_each(|((_, all), scores)| all.extend(scores));
        Ok(())
    })?;
    if rows.is_empty() && done.tally.failed > 0 {
        return Ok(done.tally);
    }
    let evaluation = evaluate(&rows, &EvalOptions::default()).map_err(|error| CliError::Evaluation { data, error })?;
    let gold: Vec<Label> = rows.iter().map(|row| row.gold).collect();
    let clean: Vec<Scores> = rows.iter().map(|row| row.scores).collect();
    let noise = eval::robustness(&gold, &clean, &copies);
    write_report(&evaluation, &noise, json)?;
    done.summarise(&reading, "");
    Ok(done.tally)
}

/// Writes figures to standard output, as one JSON object or as tables.
pub(super) fn write_report(evaluation: &Evaluation, robustness: &[NoiseFigures], json: bool) -> Result<(), CliError> {
    let report = if json {
        let report = EvalReport { evaluation, robustness };
        serde_json::to_string(&report).expect("figures can be written as JSON; this is a bug") + "\n"
    } else {
        format!("{}{}", EvalTable(evaluation), NoiseTable(robustness))
    };
    let mut output = Output::open(&Target::StandardOutput)?;
    output.write(report.as_bytes())?;
    output.finish()
}

/// The JSON that the command writes.
#[derive(Serialize)]
struct EvalReport<'a> {
    #[serde(flatten)]
    evaluation: &'a Evaluation,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    robustness: &'a [NoiseFigures],
}

/// A chunk's rows with the model's answers, and its answers for the noisy copies, one list for each kind of noise.
#[derive(Default)]
struct Judged {
    rows: Vec<JudgedRow>,
    copies: Vec<Vec<Scores>>,
}

/// Labels chunks of gold rows.
struct Judge {
    text_field: String,
    noises: &'static [Noise],
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
            confidence: object.value("confidence").and_then(|value| annotator_confidence(value.parse().ok()?)),
            source: object.name("source").map(Cow::into_owned),
            doc: object.name("doc").map(Cow::into_owned),
        };
        Ok(GoldRow { text, judged })
    }
}

impl Judge {
    fn judge(&self, session: &mut ModelSession<'_>, chunk: &Chunk) -> Worked<Judged> {
        let mut worked: Worked<Judged> = Worked::default();
        let rows = parse_records(chunk, &mut worked, |line| GoldRow::parse(line, &self.text_field));
        let pages = record_pages(chunk, rows.iter().map(|(position, _, _)| *position));
        let texts = rows.iter().map(|(_, _, row)| Cow::Borrowed(row.text.as_ref())).collect();
        // Only rows that have an answer in every version are counted, so that the versions can be compared.
        let mut answers = vec![answers(session, texts, &pages)];
        for &noise in self.noises {
            let noisy = rows.iter().map(|(_, line, row)| {
                if !noise.concerns(row.judged.gold) {
                    return Cow::Borrowed(row.text.as_ref());
                }
                Cow::Owned(noise.apply(&row.text, &mut SplitMix64::new(line.line)))
            });
            answers.push(self::answers(session, noisy.collect(), &pages));
        }
        worked.output.copies = vec![Vec::new(); self.noises.len()];
        for (index, (position, line, row)) in rows.iter().enumerate() {
            let scores: Result<Vec<Scores>, &ModelError> =
                answers.iter().map(|answers| answers[index].as_ref().map(|prediction| prediction.scores)).collect();
            match scores {
                Ok(scores) => {
                    let (label, _): (Label, f32) = scores[0].best();
                    worked.tally.count(Some(label));
                    worked.output.rows.push(JudgedRow { scores: scores[0], ..row.judged.clone() });
                    worked.output.copies.iter_mut().zip(&scores[1..]).for_each(|(list, &scores)| list.push(scores));
                }
                Err(error) => worked.fail(*position, format!("{}: {error}", line.place())),
            }
        }
        worked
    }
}

fn answers(
    session: &mut ModelSession<'_>,
    texts: Vec<Cow<'_, str>>,
    pages: &[Range<usize>],
) -> Vec<Result<Prediction, ModelError>> {
    let model_texts: Vec<Cow<'_, str>> = texts.iter().map(|text| model_text(text)).collect();
    let texts: Vec<PageText<'_>> =
        texts.iter().zip(&model_texts).map(|(raw, text)| PageText { text, facts: facts(raw) }).collect();
    predict_pages(session, &texts, pages)
}
