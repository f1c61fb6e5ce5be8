//! `copydesk filter`: genuine comments to one side, spam to the other.

use super::closed;
use super::error::CliError;
use super::job::{self, Tally, Worked};
use super::output::{Output, Target};
use super::plan::FilterPlan;
use super::records::{ParsedRecord, parse_records, predict};
use crate::corpus::{Chunk, InputError};
use crate::label::Label;
use crate::model::ModelSession;
use crate::report::{RecordRow, Verdict, VerdictOptions, jsonl};
use crate::text::model_text;
use std::io::IsTerminal;

/// The comments of a chunk, separated.
#[derive(Default)]
struct Separated {
    ham: Vec<u8>,
    spam: Vec<u8>,
    spam_records: u64,
}

/// Carries out a plan.
pub(super) fn run(plan: FilterPlan) -> Result<Tally, CliError> {
    let FilterPlan { mut reading, model, threshold, ham, spam } = plan;
    let mut ham_output = Output::open(&ham)?;
    let mut spam_output = spam.as_ref().map(Output::open).transpose()?;
    if ham == Target::StandardOutput && spam.is_none() {
        closed::watch_reader();
    }
    let mut spam_records = 0;
    let mut ham_closed = false;
    let text_field = reading.text_field.clone();
    let bar = ham != Target::StandardOutput || !std::io::stdout().is_terminal();
    let work = |session: &mut ModelSession<'_>, chunk: &Chunk| separate(session, chunk, &text_field, threshold);
    let done = job::run(&mut reading, &model, bar, work, |separated: Separated| {
        spam_records += separated.spam_records;
        if let Some(output) = &mut spam_output {
            output.write(&separated.spam)?;
        }
        match ham_output.write(&separated.ham) {
            // Nobody reads the genuine comments any more; whoever named a file for the others still wants it whole.
            Err(CliError::ClosedPipe) if spam_output.is_some() => {
                ham_closed = true;
                Ok(())
            }
            written => written,
        }
    })?;
    if done.tally.done() > 0 || done.tally.failed == 0 {
        if let Some(output) = spam_output {
            output.finish()?;
        }
        if !ham_closed {
            ham_output.finish()?;
        }
    }
    let genuine = done.tally.done() - spam_records;
    done.summarise(&reading, &format!("; genuine {genuine}, spam {spam_records} (threshold {threshold})"));
    Ok(done.tally)
}

fn separate(session: &mut ModelSession<'_>, chunk: &Chunk, text_field: &str, threshold: f32) -> Worked<Separated> {
    let mut worked: Worked<Separated> = Worked::default();
    let records = parse_records(chunk, &mut worked, |line| {
        let record = ParsedRecord::parse(line, text_field)?;
        let text = model_text(&record.text).into_owned();
        if text.is_empty() { Err(InputError::BlankText) } else { Ok((record, text)) }
    });
    let texts: Vec<&str> = records.iter().map(|(_, _, (_, text))| text.as_str()).collect();
    for ((position, _, (record, _)), prediction) in records.iter().zip(predict(session, &texts)) {
        let prediction = match prediction {
            Ok(prediction) => prediction,
            Err(error) => {
                worked.fail(*position, format!("{}: {error}", record.doc()));
                continue;
            }
        };
        let verdict = Verdict::new(&prediction, VerdictOptions::default());
        worked.tally.count(verdict.label);
        let is_spam = prediction.scores.get(Label::CommentSpam) >= threshold;
        worked.output.spam_records += u64::from(is_spam);
        let out = if is_spam { &mut worked.output.spam } else { &mut worked.output.ham };
        match &record.object {
            Some(object) => {
                let row = RecordRow { doc: &record.doc(), text: &record.text, object: Some(object), verdict };
                jsonl::push_record(out, &row);
            }
            None => {
                out.extend_from_slice(record.line.text.as_bytes());
                out.push(b'\n');
            }
        }
    }
    worked
}
