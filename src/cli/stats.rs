//! `copydesk stats`: what labelled rows say together.

use super::args::StatsArgs;
use super::error::CliError;
use super::job::Tally;
use super::labelled;
use super::output::{Output, Target};
use super::output_columns;
use crate::report::{Stats, StatsOptions, StatsTable};
use std::ops::ControlFlow;

/// Carries out the arguments.
pub(super) fn run(args: StatsArgs) -> Result<Tally, CliError> {
    let StatsArgs { rows, by, json } = args;
    let mut output = Output::open(&Target::StandardOutput)?;
    let mut stats = Stats::new(StatsOptions { by });
    let tally = labelled::read(rows, &mut |row| {
        stats.add(row);
        Ok(ControlFlow::Continue(()))
    })?;
    if tally.done() > 0 || tally.failed == 0 {
        let summary = stats.finish(tally.left_out);
        let text = match json {
            true => serde_json::to_string(&summary).expect("figures can be written as JSON; this is a bug") + "\n",
            false => StatsTable { summary: &summary, columns: output_columns() }.to_string(),
        };
        output.write(text.as_bytes())?;
        output.finish()?;
    }
    Ok(tally)
}
