//! `copydesk head`: some labelled rows as lines to read.

use super::args::HeadArgs;
use super::error::CliError;
use super::job::Tally;
use super::labelled;
use super::output::{Output, Target};
use super::{closed, output_columns};
use crate::report::{HeadLine, LabelledRow, Reservoir};
use std::ops::ControlFlow;

/// Carries out the arguments.
pub(super) fn run(args: HeadArgs) -> Result<Tally, CliError> {
    let HeadArgs { rows, number, sample, seed } = args;
    let mut output = Output::open(&Target::StandardOutput)?;
    closed::watch_reader();
    let columns = output_columns();
    let line = |row: &LabelledRow<'_>| format!("{}\n", HeadLine { row, columns });
    let tally = match sample {
        Some(size) => {
            let mut sample = Reservoir::new(size, seed);
            let tally = labelled::read(rows, &mut |row| {
                sample.offer(|| line(row));
                Ok(ControlFlow::Continue(()))
            })?;
            sample.finish().try_for_each(|line| output.write(line.as_bytes()))?;
            tally
        }
        None => {
            let mut left = number;
            labelled::read(rows, &mut |row| {
                if left > 0 {
                    output.write(line(row).as_bytes())?;
                    left -= 1;
                }
                Ok(if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            })?
        }
    };
    output.finish()?;
    Ok(tally)
}
