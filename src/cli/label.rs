//! `copydesk label`: a row for every paragraph or record.

use super::closed;
use super::error::CliError;
use super::job::{self, Summary};
use super::output::Target;
use super::part;
use super::plan::LabelPlan;
use super::run::{Begun, Routed, Run};
use super::tell;
use crate::model::ModelSession;
use crate::pipeline::{Labelled, Labeller, Tally, Worked};
use std::io::IsTerminal;

/// Carries out a plan.
pub(super) fn run(plan: LabelPlan) -> Result<Tally, CliError> {
    if plan.dry_run {
        return part::dry_run(plan.reading, plan.run.walk());
    }
    let LabelPlan { reading, model, rows, question, run, target, .. } = plan;
    let (unit, quiet) = (reading.rows.unit, reading.quiet);
    let mut run = match Run::begin(run)? {
        Begun::Run(run) => run,
        Begun::Finished(manifest) => {
            if !quiet {
                let rows = manifest.counts.rows();
                tell(format_args!("nothing to do: an earlier run wrote all {}", job::counted(rows, "rows")));
            }
            return Ok(super::run::tally_of(&manifest));
        }
    };
    let to_standard_output = target == Some(Target::StandardOutput);
    if to_standard_output {
        closed::watch_reader();
    }
    // On a terminal the rows themselves show how far it is.
    let bar = !to_standard_output || !std::io::stdout().is_terminal();
    let labeller = Labeller { question, ..reading.labeller() };
    let work = move |session: &mut ModelSession<'_>, chunk, worked: &mut Worked<Routed>| {
        let mut writer = rows.writer();
        let wanted = |labelled: &Labelled<'_>| rows.is_wanted(labelled);
        labeller.label_wanted(session, chunk, &wanted, &mut |event| writer.take(event, worked));
        writer.end(worked);
    };
    let done = job::run(reading, &model, bar, work, &mut *run)?;
    run.finish(done.tally.done() > 0 || done.tally.failed == 0)?;
    if !quiet {
        let extra = match done.tally.left_out {
            0 => String::new(),
            rows => format!("; {} left out by --where", job::counted(rows, "rows")),
        };
        done.summarise(&Summary { unit, labels: Some(model.labels()), extra });
    }
    Ok(done.tally)
}
