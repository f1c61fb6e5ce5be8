//! `copydesk filter`: genuine comments to one side, spam to the other.

use super::closed;
use super::error::CliError;
use super::job::{self, Summary};
use super::output::Target;
use super::plan::FilterPlan;
use super::run::{Begun, Routed, Run};
use super::{Outcome, Status, tell};
use crate::corpus::Unit;
use crate::label::LabelId;
use crate::model::ModelSession;
use crate::output::CountedRow;
use crate::pipeline::{Event, Labelled, Part, Tally, Worked};
use crate::report::{RecordRow, Verdict, VerdictOptions, jsonl};
use std::io::IsTerminal;

/// Numbers of the outputs.
const HAM: usize = 0;
const SPAM: usize = 1;

/// Carries out a plan.
pub(super) fn run(plan: FilterPlan) -> Result<Outcome, CliError> {
    let FilterPlan { reading, model, spam_label, threshold, ham, has_spam, run, exit_code } = plan;
    let quiet = reading.quiet;
    let mut run = match Run::begin(run)? {
        Begun::Run(run) => run,
        Begun::Finished(manifest) => {
            if !quiet {
                let records = job::counted(manifest.counts.rows(), "records");
                tell(format_args!("nothing to do: an earlier run separated all {records}"));
            }
            let spam = manifest.counts.reasons.get(SPAM_REASON).copied().unwrap_or(0);
            let status = (exit_code && spam > 0).then_some(Status::SpamFound);
            return Ok(Outcome { tally: super::run::tally_of(&manifest), status });
        }
    };
    if ham == Target::StandardOutput && !has_spam {
        closed::watch_reader();
    }
    let bar = ham != Target::StandardOutput || !std::io::stdout().is_terminal();
    let labeller = reading.labeller();
    let work = move |session: &mut ModelSession<'_>, chunk, worked: &mut Worked<Routed>| {
        labeller.label(session, chunk, &mut |event| separate(event, spam_label, threshold, worked));
    };
    let done = job::run(reading, &model, bar, work, &mut *run)?;
    let Tally { spam, unjudged, .. } = done.tally;
    run.finish(done.tally.done() > 0 || unjudged > 0 || done.tally.failed == 0)?;
    if !quiet {
        let genuine = done.tally.done() - spam;
        let mut extra = format!(": genuine {genuine}, spam {spam} (threshold {threshold})");
        if unjudged > 0 {
            extra += &format!(", not judged and kept with the genuine ones {unjudged}");
        }
        done.summarise(&Summary { unit: Unit::Record, labels: None, extra });
    }
    let status = (exit_code && spam > 0).then_some(Status::SpamFound);
    Ok(Outcome { tally: done.tally, status })
}

/// What the manifest counts spam under.
const SPAM_REASON: &str = "spam";

fn separate(event: Event<'_>, spam_label: LabelId, threshold: f32, worked: &mut Worked<Routed>) {
    match event {
        Event::Document(_) => {}
        Event::Rejected { rejected, object } => {
            // Whoever filters must not lose a comment that nothing was said against.
            if let Some(object) = object {
                let reason = rejected.explanation();
                worked.output.to(HAM).push(|out| jsonl::push_unjudged(out, object, &reason));
                worked.tally.unjudged += 1;
            }
            worked.reject(rejected);
        }
        Event::Labelled(Labelled { part, text, language, prediction, .. }) => {
            // Spam in another language is spam on an English page too: the score is taken as it is, and `lang` tells the rest.
            let options = VerdictOptions { any_language: true, ..VerdictOptions::default() };
            let verdict = Verdict::new(&prediction, language, options);
            worked.tally.count(verdict.label_id());
            let is_spam = verdict.scores.get(spam_label) >= threshold;
            worked.tally.spam += u64::from(is_spam);
            worked.output.counts.count(CountedRow {
                source: part.source(),
                label: verdict.label.as_ref().map(|label| label.as_str()),
                confidence: verdict.confidence,
                lang: verdict.lang,
                reason: is_spam.then_some(SPAM_REASON),
                tokens: verdict.tokens,
                windows: verdict.windows,
            });
            let rows = worked.output.to(if is_spam { SPAM } else { HAM });
            rows.push(|out| match part {
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
            });
        }
    }
}
