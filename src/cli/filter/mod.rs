//! `copydesk filter`: genuine comments to one side, spam to the other.

mod copies;
mod judge;
mod plan;
mod profile;
mod rows;
mod tune;

use self::judge::Judge;
use self::plan::{FilterPlan, Judging};
use self::rows::{SPAM_REASON, Separator};
use super::args::FilterArgs;
use super::closed;
use super::error::CliError;
use super::job::{self, Summary, counted};
use super::run::{Begun, Routed, Run};
use super::{Outcome, Status, tell};
use crate::corpus::Unit;
use crate::model::{Model, ModelSession};
use crate::pipeline::{Tally, Worked};
use std::io::IsTerminal;
use std::sync::Arc;

/// Carries out the command.
pub(super) fn run(args: FilterArgs) -> Result<Outcome, CliError> {
    match args.tune.clone() {
        Some(data) => plan::tune(args, data).and_then(tune::run).map(Outcome::from),
        None => plan::filter(args).and_then(separate),
    }
}

fn separate(plan: FilterPlan) -> Result<Outcome, CliError> {
    let FilterPlan { reading, judging, cuts, route, looks, run, exit_code, with_scores, .. } = plan;
    let quiet = reading.quiet;
    let mut run = match Run::begin(run)? {
        Begun::Run(run) => run,
        Begun::Finished(manifest) => {
            if !quiet {
                let records = counted(manifest.counts.rows(), "records");
                tell(format_args!("nothing to do: an earlier run separated all {records}"));
            }
            let spam = manifest.counts.reasons.get(SPAM_REASON).copied().unwrap_or(0);
            let status = (exit_code && spam > 0).then_some(Status::SpamFound);
            return Ok(Outcome { tally: super::run::tally_of(&manifest), status });
        }
    };
    if plan.only_standard_output {
        closed::watch_reader();
    }
    let (model, judge) = judging.ready(cuts.spam)?;
    let repeated = judge.copies.as_ref().map_or(0, |copies| copies.repeated());
    let bar = !plan.to_standard_output || !std::io::stdout().is_terminal();
    let labeller = reading.labeller();
    let separator = Separator { judge, cuts, route, looks, with_scores };
    let work = move |session: &mut ModelSession<'_>, chunk, worked: &mut Worked<Routed>| {
        labeller.label(session, chunk, &mut |event| separator.take(event, worked));
    };
    let done = job::run(reading, &model, bar, work, &mut *run)?;
    let Tally { spam, review, unjudged, .. } = done.tally;
    run.finish(done.tally.done() > 0 || unjudged > 0 || done.tally.failed == 0)?;
    if !quiet {
        let genuine = done.tally.done() - spam - review;
        let mut extra = format!(": genuine {genuine}, spam {spam}");
        if route.review.is_some() && route.review != route.ham {
            extra += &format!(", to look at {review}");
        }
        extra += &format!(" (threshold {})", cuts.spam);
        if repeated > 0 {
            extra += &format!(", {} in three copies or more", counted(repeated as u64, "texts"));
        }
        if unjudged > 0 {
            extra += &format!(", not judged and kept with the genuine ones {unjudged}");
        }
        done.summarise(&Summary { unit: Unit::Record, labels: None, extra });
    }
    let status = (exit_code && spam > 0).then_some(Status::SpamFound);
    Ok(Outcome { tally: done.tally, status })
}

impl Judging {
    /// Looks for copies where that is wanted; `threshold` is the score from which a comment is spam.
    fn ready(self, threshold: f32) -> Result<(Arc<Model>, Judge), CliError> {
        let Judging { model, mut judge, search, .. } = self;
        if let Some(search) = search {
            let copies = search.run(&model, &judge, threshold)?;
            judge.copies = Some(Arc::new(copies));
        }
        Ok((model, judge))
    }
}
