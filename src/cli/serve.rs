//! `copydesk serve`: the server, and its keys.

use super::args::{KeysCommand, LogArg, ServeArgs, ServeCommand};
use super::error::CliError;
use super::job::Tally;
use super::output::{Output, Target};
use super::{signals, tell};
use crate::comment::CommentModel;
use crate::model::ModelError;
use crate::parallel;
use crate::pipeline::{CommentFilter, Copydesk};
use crate::serve::{KeyFile, Limits, Log, LogLevel, Memory, NoMemory, ServeError, ServeOptions, Server};
use std::sync::Arc;
use std::time::Duration;

/// The shares of genuine comments that may be lost.
const SHARES: [f64; 3] = [0.001, 0.005, 0.01];

/// Carries out the arguments.
pub(super) fn run(args: ServeArgs) -> Result<Tally, CliError> {
    match args.command {
        Some(ServeCommand::Keys(keys)) => manage(keys.command)?,
        None => serve(&args)?,
    }
    Ok(Tally::default())
}

fn serve(args: &ServeArgs) -> Result<(), CliError> {
    let failed = |error: ModelError| match error {
        ModelError::NoRole { model, setting, labels } => {
            CliError::NoRole { model, needed_by: "copydesk serve", setting, labels }
        }
        error => CliError::Model { model: args.model.display().to_string(), error },
    };
    // Texts are shared out among the server's threads, so that one text takes one.
    let builder = Copydesk::builder().model(&args.model).threads(1);
    let desk = builder.clone().build().map_err(failed)?;
    let filter = CommentFilter::new(builder).map_err(failed)?;
    let filter = match threshold(args)? {
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
    let server = Server::start(filter, desk, memory(), &options, log)?;
    signals::let_run_stop();
    tell(format_args!("listening at {}", server.address()));
    let served = server.run(|| signals::asked_to_stop().is_some());
    signals::run_is_done();
    Ok(served?)
}

/// What the server remembers between requests.
fn memory() -> Arc<dyn Memory> {
    Arc::new(NoMemory)
}

fn threshold(args: &ServeArgs) -> Result<Option<f32>, CliError> {
    let Some(lose) = args.lose else { return Ok(args.threshold) };
    let threshold = CommentModel::embedded().threshold(lose);
    threshold.map(Some).ok_or_else(|| CliError::NoOperatingPoint {
        expected: SHARES.map(|share| share.to_string()).join(", "),
        got: lose,
    })
}

fn manage(command: KeysCommand) -> Result<(), CliError> {
    let text = match command {
        KeysCommand::Add { name, keys } => {
            let key = KeyFile::open(&keys).and_then(|mut file| file.add(&name)).map_err(ServeError::from)?;
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
