//! Command line: raw arguments ([`args`]), the resolved plan, its execution.
//!
//! | exit status | meaning |
//! |---|---|
//! | 0 | everything was done; so is it if the reader of standard output went away |
//! | 1 | some records or files could not be used and were set aside with a message |
//! | 3 | `filter --exit-code` met spam, and all went well otherwise |
//! | 2 | nothing could be done: wrong usage, no usable model, an output that cannot be written, no usable record |
//! | 129, 130, 143 | ended by SIGHUP, SIGINT, SIGTERM; files that were being written are as they were before, and `--resume` goes on |

#![forbid(unsafe_code)]

pub mod args;
pub mod bench;
#[cfg(feature = "train")]
mod calibration;
#[cfg(feature = "train")]
pub mod cascade;
mod closed;
#[cfg(feature = "train")]
mod compose;
mod content;
#[cfg(feature = "train")]
pub mod cross_eval;
#[cfg(feature = "train")]
pub mod distill;
mod error;
mod eval;
mod explain;
mod filter;
mod head;
#[cfg(feature = "hub")]
mod hub;
mod job;
#[cfg(feature = "train")]
pub mod join;
mod label;
mod label_rows;
mod labelled;
mod merge;
mod messages;
mod models;
mod options;
mod output;
#[cfg(feature = "train")]
pub mod pack;
mod part;
mod plan;
mod progress;
mod quantize;
mod run;
#[cfg(feature = "serve")]
mod serve;
mod signals;
mod stats;
mod target;
#[cfg(feature = "train")]
pub mod train;
#[cfg(feature = "train")]
mod train_comments;
#[cfg(feature = "train")]
mod train_content;

pub use self::closed::{note_closed_input, note_closed_output};

use self::args::{Args, Command};
use self::error::CliError;
use self::job::Tally;
use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use console::Term;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::OnceLock;

/// How a command went that could be carried out.
struct Outcome {
    tally: Tally,
    /// What a script is to know beside success and failure.
    status: Option<Status>,
}

/// An exit status that a command gives on request.
#[derive(Clone, Copy)]
enum Status {
    /// `copydesk filter --exit-code` met spam.
    SpamFound = 3,
}

impl From<Tally> for Outcome {
    fn from(tally: Tally) -> Outcome {
        Outcome { tally, status: None }
    }
}

/// How the command in use is called by one that hands it its input.
static COMMAND: OnceLock<&str> = OnceLock::new();

/// Runs the command given by `arguments`, the program's own name first, and says how it went.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    ExitCode::from(status_of(arguments))
}

/// As [`main`], with the exit status as a number, for those who have a `main` of their own: Python's module, for one.
pub fn status_of(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    #[cfg_attr(not(feature = "hub"), expect(unused_mut, reason = "names of models on the hub are replaced"))]
    let mut args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(error) => {
            let asked = !error.use_stderr();
            let printed = match error.print() {
                Ok(()) if asked && closed::was_closed_at_start() => Err(closed::error()),
                printed => printed,
            };
            if let Err(error) = printed.and_then(|()| std::io::stdout().flush())
                && asked
                && error.kind() != std::io::ErrorKind::BrokenPipe
            {
                tell(format_args!("{}", CliError::Unwritable { path: "standard output".into(), error }));
                return 2;
            }
            if let Some(hint) = missing_feature(&error) {
                tell(format_args!("{hint}"));
            }
            return if asked { 0 } else { 2 };
        }
    };
    signals::watch();
    // Whoever asks twice in one process keeps the first name.
    if let Some(command) = args.command.as_input() {
        let _ = COMMAND.set(command);
    }
    #[cfg(feature = "hub")]
    if let Err(error) = hub::pin(&mut args.command) {
        return exit_status(&Err(error));
    }
    let outcome = match args.command {
        Command::Label(args) => plan::label(args).and_then(label::run).map(Outcome::from),
        Command::Explain(args) => explain::run(args).map(Outcome::from),
        Command::Content(args) => plan::content(args).and_then(content::run).map(Outcome::from),
        Command::Filter(args) => filter::run(args),
        Command::Head(args) => head::run(args).map(Outcome::from),
        Command::Stats(args) => stats::run(args).map(Outcome::from),
        Command::Merge(args) => merge::run(args).map(Outcome::from),
        Command::Eval(args) => plan::eval(args).and_then(eval::run).map(Outcome::from),
        Command::Bench(args) => bench::run(args).map(Outcome::from),
        Command::Models(args) => models::run(args).map(Outcome::from),
        Command::Quantize(args) => quantize::run(args).map(Outcome::from),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::run(args).map(Outcome::from),
        #[cfg(feature = "train")]
        Command::Train(args) => train::run(args).map(Outcome::from),
        #[cfg(feature = "train")]
        Command::CrossEval(args) => cross_eval::run(args).map(Outcome::from),
        #[cfg(feature = "train")]
        Command::Distill(args) => distill::run(args).map(Outcome::from),
        #[cfg(feature = "train")]
        Command::Join(args) => join::run(args).map(Outcome::from),
        #[cfg(feature = "train")]
        Command::TrainComments(args) => train_comments::run(args).map(Outcome::from),
        #[cfg(feature = "train")]
        Command::TrainContent(args) => train_content::run(args).map(Outcome::from),
        #[cfg(feature = "train")]
        Command::Compose(args) => compose::run(args).map(Outcome::from),
        #[cfg(feature = "train")]
        Command::Pack(args) => pack::run(args).map(Outcome::from),
        #[cfg(feature = "train")]
        Command::Cascade(args) => cascade::run(args).map(Outcome::from),
    };
    exit_status(&outcome)
}

/// What to do where a command is asked for that this build does not have.
fn missing_feature(error: &clap::Error) -> Option<String> {
    const OF_TRAINING: [&str; 8] =
        ["train", "train-content", "distill", "join", "compose", "cross-eval", "pack", "cascade"];
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let ContextValue::String(name) = error.get(ContextKind::InvalidSubcommand)? else { return None };
    let feature = match name.as_str() {
        "serve" if cfg!(not(feature = "serve")) => "serve",
        name if cfg!(not(feature = "train")) && OF_TRAINING.contains(&name) => "train",
        _ => return None,
    };
    Some(format!(
        "`{name}` needs the feature {feature}: cargo install --path . --features {feature}, or cargo run --release --features {feature} -- {name}"
    ))
}

fn exit_status(outcome: &Result<Outcome, CliError>) -> u8 {
    match outcome {
        Ok(Outcome { tally, status }) if tally.failed == 0 => status.map_or(0, |status| status as u8),
        Ok(Outcome { tally, .. }) if tally.done() > 0 => 1,
        Ok(_) => 2,
        Err(CliError::ClosedPipe) => 0,
        Err(CliError::Where(error)) => {
            tell(format_args!("--where: {}", error.rule));
            show(&error.excerpt());
            2
        }
        Err(error @ CliError::Stopped { signal, .. }) => {
            tell(format_args!("{error}"));
            u8::try_from(128 + signal).unwrap_or(2)
        }
        Err(error) => {
            tell(format_args!("{error}"));
            2
        }
    }
}

/// A message in which advice names the command in use in place of "copydesk …".
fn advised(message: &str, command: Option<&str>) -> String {
    match command {
        // These read labelled rows, always JSON.
        Some("eval --data -") => {
            let message = message.replace("read it with --input-format csv", "give it as a file named FILE.csv");
            message.replace(" --input-format jsonl", "").replace("copydesk …", "copydesk eval --data -")
        }
        Some(command) => message.replace("copydesk …", &format!("copydesk {command}")),
        None => message.to_owned(),
    }
}

/// A message on standard error, after the program's name. What inputs say of themselves may be in it: no control character
/// of theirs reaches the terminal.
fn tell(message: std::fmt::Arguments<'_>) {
    let message = crate::report::printable(&advised(&format!("copydesk: {message}"), COMMAND.get().copied()));
    let message = match terminal_columns() {
        Some(columns) => wrapped(&message, columns),
        None => message,
    };
    // Where standard error is closed the exit status still tells.
    let _ = writeln!(std::io::stderr(), "{message}");
}

/// Lines on standard error below a message, as they are: carets stand under what they mean only where no line is broken.
fn show(lines: &str) {
    for line in lines.lines() {
        let _ = writeln!(std::io::stderr(), "{}", crate::report::printable(line));
    }
}

/// Width of the terminal that standard output goes to; 80 where it goes elsewhere.
fn output_columns() -> usize {
    Term::stdout().size_checked().map_or(80, |(_, columns)| usize::from(columns))
}

/// Width of the terminal that standard error goes to; `None` where it goes elsewhere: a message is then one line.
fn terminal_columns() -> Option<usize> {
    let (_, columns) = Term::stderr().size_checked().filter(|_| std::io::stderr().is_terminal())?;
    (columns > 0).then_some(columns.into())
}

/// A message broken between words. A longer word, such as the path of a file, stays whole, so that it can be copied.
fn wrapped(message: &str, columns: usize) -> String {
    let options = textwrap::Options::new(columns)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .break_words(false)
        .subsequent_indent("  ");
    textwrap::fill(message, options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_break_between_words_and_paths_stay_whole() {
        let message = "copydesk: a/folder/with/a/long/name/rows.jsonl:7: no field `text` in this record";
        assert_eq!(
            wrapped(message, 30),
            "copydesk:\n  a/folder/with/a/long/name/rows.jsonl:7:\n  no field `text` in this\n  record"
        );
        assert_eq!(wrapped(message, 200), message);
    }

    #[test]
    fn a_command_of_training_names_its_feature() {
        let hint = |name: &str| {
            let error = Args::try_parse_from(["copydesk", name, "--unknown-option"]).unwrap_err();
            missing_feature(&error)
        };
        for name in ["train", "distill", "join", "compose", "cross-eval", "pack", "cascade"] {
            let named =
                hint(name).is_some_and(|hint| hint.contains("--features train") && hint.contains(&format!("`{name}`")));
            assert_eq!(named, cfg!(not(feature = "train")), "{name}");
        }
        assert_eq!(hint("serve").is_some(), cfg!(not(feature = "serve")));
        assert_eq!(hint("trains"), None);
        assert_eq!(hint("label"), None);
    }
}
