//! `copydesk filter`: genuine comments to one side, spam to the other.

use super::closed;
use super::error::CliError;
use super::job::{self, Summary};
use super::output::{Output, Target};
use super::plan::FilterPlan;
use super::{Outcome, Status};
use crate::corpus::Unit;
use crate::label::LabelId;
use crate::model::ModelSession;
use crate::pipeline::{Event, Labelled, Part, Worked};
use crate::report::{RecordRow, Verdict, VerdictOptions, jsonl};
use std::io::IsTerminal;

/// The comments of a chunk, separated.
#[derive(Default)]
struct Separated {
    ham: Vec<u8>,
    spam: Vec<u8>,
    spam_records: u64,
    /// Records without a text that can be judged; they stand with the genuine ones.
    unjudged: u64,
}

/// Carries out a plan.
pub(super) fn run(plan: FilterPlan) -> Result<Outcome, CliError> {
    let FilterPlan { reading, model, spam_label, threshold, ham, spam, exit_code } = plan;
    let mut ham_output = Output::open(&ham)?;
    let mut spam_output = spam.as_ref().map(Output::open).transpose()?;
    if ham == Target::StandardOutput && spam.is_none() {
        closed::watch_reader();
    }
    let quiet = reading.quiet;
    let (mut spam_records, mut unjudged, mut ham_closed) = (0, 0, false);
    let bar = ham != Target::StandardOutput || !std::io::stdout().is_terminal();
    let labeller = reading.labeller();
    let work = move |session: &mut ModelSession<'_>, chunk, worked: &mut Worked<Separated>| {
        labeller.label(session, chunk, &mut |event| separate(event, spam_label, threshold, worked));
    };
    let done = job::run(reading, &model, bar, work, |separated| {
        spam_records += separated.spam_records;
        unjudged += separated.unjudged;
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
    if done.tally.done() > 0 || unjudged > 0 || done.tally.failed == 0 {
        if let Some(output) = spam_output {
            output.finish()?;
        }
        if !ham_closed {
            ham_output.finish()?;
        }
    }
    if !quiet {
        let genuine = done.tally.done() - spam_records;
        let mut extra = format!(": genuine {genuine}, spam {spam_records} (threshold {threshold})");
        if unjudged > 0 {
            extra += &format!(", not judged and kept with the genuine ones {unjudged}");
        }
        done.summarise(&Summary { unit: Unit::Record, labels: None, extra });
    }
    let status = (exit_code && spam_records > 0).then_some(Status::SpamFound);
    Ok(Outcome { tally: done.tally, status })
}

fn separate(event: Event<'_>, spam_label: LabelId, threshold: f32, worked: &mut Worked<Separated>) {
    match event {
        Event::Document => {}
        Event::Rejected { rejected, object } => {
            // Whoever filters must not lose a comment that nothing was said against.
            if let Some(object) = object {
                jsonl::push_unjudged(&mut worked.output.ham, object, &rejected.explanation());
                worked.output.unjudged += 1;
            }
            worked.reject(rejected);
        }
        Event::Labelled(Labelled { part, text, language, prediction, .. }) => {
            // Spam in another language is spam on an English page too: the score is taken as it is, and `lang` tells the rest.
            let options = VerdictOptions { any_language: true, ..VerdictOptions::default() };
            let verdict = Verdict::new(&prediction, language, options);
            worked.tally.count(verdict.label_id());
            let is_spam = verdict.scores.get(spam_label) >= threshold;
            worked.output.spam_records += u64::from(is_spam);
            let out = if is_spam { &mut worked.output.spam } else { &mut worked.output.ham };
            match part {
                Part::Record { record, doc, .. } => match &record.object {
                    Some(object) => {
                        let row = RecordRow { doc, source: None, text, object: Some(object), verdict };
                        jsonl::push_record(out, &row);
                    }
                    None => {
                        out.extend_from_slice(record.line.text.as_bytes());
                        out.push(b'\n');
                    }
                },
                Part::Passage(_) => unreachable!("sources are read as records; this is a bug"),
            }
        }
    }
}
