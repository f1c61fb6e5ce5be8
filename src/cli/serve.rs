//! `copydesk serve`: the server, and its keys.

use super::args::{AdaptArgs, KeysCommand, LogArg, ServeArgs, ServeCommand};
use super::error::CliError;
use super::job::Tally;
use super::output::{Output, Target};
use super::plan::comment_threshold;
use super::{signals, tell};
use crate::comment::Comment;
use crate::feedback::{FeedbackError, FeedbackStore, now};
use crate::model::ModelError;
use crate::parallel;
use crate::pipeline::{CommentFilter, Copydesk};
use crate::serve::{KeyFile, Limits, Log, LogLevel, Memory, ServeError, ServeOptions, Server};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

/// Carries out the arguments.
pub(super) fn run(args: ServeArgs) -> Result<Tally, CliError> {
    match args.command {
        Some(ServeCommand::Keys(keys)) => manage(keys.command)?,
        Some(ServeCommand::Export(args)) => export(&args.store)?,
        Some(ServeCommand::Adapt(args)) => adapt(&args)?,
        None => serve(&args)?,
    }
    Ok(Tally::default())
}

fn serve(args: &ServeArgs) -> Result<(), CliError> {
    let failed = |error| no_model(&args.model, error);
    // Texts are shared out among the server's threads, so that one text takes one.
    let desk = Copydesk::builder().model(&args.model).threads(1).build().map_err(failed)?;
    let filter = CommentFilter::over(&desk).map_err(failed)?;
    let filter = match threshold(args.lose, args.threshold)? {
        Some(threshold) => filter.threshold(threshold),
        None => filter,
    };
    let options = ServeOptions {
        address: args.listen.clone(),
        keys: args.keys.clone(),
        no_keys: args.no_keys,
        threads: args.threads.unwrap_or_else(parallel::cores),
        limits: Limits {
            body_bytes: args.max_body,
            connections: args.max_connections,
            requests: args.max_requests,
            requests_per_key: args.max_requests_per_key,
            queue: args.max_queue,
            batch: args.max_batch,
            answer: Duration::from_secs(args.timeout),
        },
        discard: args.discard,
    };
    let level = match args.log {
        LogArg::None => LogLevel::None,
        LogArg::Errors => LogLevel::Errors,
        LogArg::Requests => LogLevel::Requests,
    };
    let log = Log::new(level, |line| tell(format_args!("{line}")));
    let store = args.store.as_deref().map(FeedbackStore::open).transpose()?;
    let memory = Memory::new(store.map(|store| store.keep(args.keep)));
    let server = Server::start(filter, desk, memory, &options, log)?;
    signals::let_run_stop();
    tell(format_args!("listening at {}", server.address()));
    let served = server.run(|| signals::asked_to_stop().is_some());
    signals::run_is_done();
    Ok(served?)
}

/// A store that is there: a mistyped name is not to become an empty one.
fn existing(path: &Path) -> Result<FeedbackStore, CliError> {
    match std::fs::metadata(path) {
        Ok(_) => Ok(FeedbackStore::open(path)?),
        Err(source) => Err(FeedbackError::Open { path: path.to_owned(), source }.into()),
    }
}

/// An output that the store can write to, with what went wrong there in our words.
struct Exported {
    output: Output,
    failed: Option<CliError>,
}

impl Write for Exported {
    fn write(&mut self, rows: &[u8]) -> io::Result<usize> {
        match self.output.write(rows) {
            Ok(()) => Ok(rows.len()),
            Err(error) => {
                self.failed = Some(error);
                Err(io::Error::other("the output failed"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn export(store: &Path) -> Result<(), CliError> {
    let store = existing(store)?;
    let mut exported = Exported { output: Output::open(&Target::StandardOutput)?, failed: None };
    let written = store.export(&mut BufWriter::with_capacity(64 * 1024, &mut exported));
    if let Some(error) = exported.failed {
        return Err(error);
    }
    written?;
    exported.output.finish()
}

fn adapt(args: &AdaptArgs) -> Result<(), CliError> {
    let store = existing(&args.store)?;
    if args.forget {
        return Ok(store.forget_adaptations()?);
    }
    let filter =
        CommentFilter::new(Copydesk::builder().model(&args.model)).map_err(|error| no_model(&args.model, error))?;
    let threshold = threshold(args.lose, args.threshold)?.unwrap_or(filter.spam_threshold());
    let score = |comments: &[Comment]| {
        let judged = filter.judge(comments).into_iter();
        judged.map(|judgement| judgement.map_or(f32::NAN, |judgement| judgement.score)).collect()
    };
    let adaptation = store.adapt(threshold, now(), score)?;
    if let Some(refusal) = adaptation.refused {
        tell(format_args!("nothing was changed: {refusal}"));
    }
    let mut text = serde_json::to_vec(&adaptation).expect("figures can be written as JSON; this is a bug");
    text.push(b'\n');
    let mut output = Output::open(&Target::StandardOutput)?;
    output.write(&text)?;
    output.finish()?;
    Ok(())
}

fn no_model(model: &Path, error: ModelError) -> CliError {
    match error {
        ModelError::NoRole { model, setting, labels } => {
            CliError::NoRole { model, needed_by: "copydesk serve", setting, labels }
        }
        error => CliError::Model { model: model.display().to_string(), error },
    }
}

fn threshold(lose: Option<f64>, threshold: Option<f32>) -> Result<Option<f32>, CliError> {
    lose.map_or(Ok(threshold), |lose| comment_threshold(lose).map(Some))
}

fn manage(command: KeysCommand) -> Result<(), CliError> {
    let text = match command {
        KeysCommand::Add { name, keys, long } => {
            let key = KeyFile::open(&keys).and_then(|mut file| file.add(&name, long)).map_err(ServeError::from)?;
            format!("{key}\n")
        }
        KeysCommand::List { keys } => {
            let file = KeyFile::open(&keys).map_err(ServeError::from)?;
            file.names().map(|name| format!("{name}\n")).collect()
        }
        KeysCommand::Revoke { name, keys } => {
            KeyFile::open(&keys).and_then(|mut file| file.revoke(&name)).map_err(ServeError::from)?;
            return Ok(());
        }
    };
    let mut output = Output::open(&Target::StandardOutput)?;
    output.write(text.as_bytes())?;
    output.finish()?;
    Ok(())
}
