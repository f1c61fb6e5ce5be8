//! Command line: raw arguments ([`args`]), the resolved plan, its execution.
//!
//! | exit status | meaning |
//! |---|---|
//! | 0 | everything was done; so is it if the reader of standard output went away |
//! | 1 | some records or files could not be used and were set aside with a message |
//! | 2 | nothing could be done: wrong usage, no usable model, an output that cannot be written, no usable record |
//! | 129, 130, 143 | ended by SIGHUP, SIGINT, SIGTERM; files that were being written are as they were before |

pub mod args;
pub mod bench;
#[cfg(feature = "train")]
mod calibration;
#[cfg(feature = "train")]
pub mod cascade;
mod closed;
#[cfg(feature = "train")]
pub mod cross_eval;
#[cfg(feature = "train")]
pub mod distill;
mod error;
mod eval;
mod filter;
mod job;
#[cfg(feature = "train")]
pub mod join;
mod label;
mod models;
mod output;
#[cfg(feature = "train")]
pub mod pack;
mod plan;
mod progress;
mod records;
mod signals;
mod target;
#[cfg(feature = "train")]
pub mod train;

pub use self::closed::note_closed_output;

use self::args::{Args, Command};
use self::error::CliError;
use self::job::Tally;
use clap::Parser;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// Runs the command given by `arguments`, the program's own name first, and says how it went.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(error) => {
            // Where the help cannot be printed there is nobody to tell.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    signals::watch();
    let outcome = match args.command {
        Command::Label(args) => plan::label(args).and_then(label::run),
        Command::Filter(args) => plan::filter(args).and_then(filter::run),
        Command::Eval(args) => plan::eval(args).and_then(eval::run),
        Command::Bench(args) => bench::run(args),
        Command::Models(args) => models::run(args),
        #[cfg(feature = "train")]
        Command::Train(args) => train::run(args),
        #[cfg(feature = "train")]
        Command::CrossEval(args) => cross_eval::run(args),
        #[cfg(feature = "train")]
        Command::Distill(args) => distill::run(args),
        #[cfg(feature = "train")]
        Command::Join(args) => join::run(args),
        #[cfg(feature = "train")]
        Command::Pack(args) => pack::run(args),
        #[cfg(feature = "train")]
        Command::Cascade(args) => cascade::run(args),
    };
    ExitCode::from(exit_status(&outcome))
}

fn exit_status(outcome: &Result<Tally, CliError>) -> u8 {
    match outcome {
        Ok(tally) if tally.failed == 0 => 0,
        Ok(tally) if tally.done() > 0 => 1,
        Ok(_) => 2,
        Err(CliError::ClosedPipe) => 0,
        Err(error) => {
            tell(format_args!("{error}"));
            2
        }
    }
}

/// One line on standard error, after the program's name. What inputs say of themselves may be in it: no control character
/// of theirs reaches the terminal.
fn tell(message: std::fmt::Arguments<'_>) {
    let message = crate::report::printable(&message.to_string());
    // Where standard error is closed the exit status still tells.
    let _ = writeln!(std::io::stderr(), "copydesk: {message}");
}
