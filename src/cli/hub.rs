//! Models of the Hugging Face hub that a command names: fetched before it begins, and then the same whatever happens there.

use super::args::{Command, ModelName};
use super::error::CliError;
use super::tell;
use crate::model::{Download, ModelSource};
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What takes no longer than this shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// Where no terminal shows a bar, a line tells how far it is after so long.
const BETWEEN_LINES: Duration = Duration::from_secs(30);

/// Fetches the models that the arguments name on the hub, and puts names with their commits in place of the names. A command that
/// opens a model twice, for its answers and for its digest, then has one model, and all that it stores tells which.
pub(super) fn pin(command: &mut Command) -> Result<(), CliError> {
    let (names, quiet) = command.models();
    let mut pinned: BTreeMap<PathBuf, Option<String>> = BTreeMap::new();
    for mut name in names {
        let given = name.get();
        if !pinned.contains_key(&given) {
            let mut display = Display::new(quiet);
            let result = ModelSource::new(&given).pin(&mut |download| display.show(download));
            display.finish();
            let model = given.display().to_string();
            pinned.insert(given.clone(), result.map_err(|error| CliError::Model { model, error })?);
        }
        if let Some(Some(full)) = pinned.get(&given) {
            name.set(full);
        }
    }
    Ok(())
}

impl ModelName<'_> {
    fn get(&self) -> PathBuf {
        match self {
            ModelName::Path(path) => (*path).clone(),
            ModelName::Text(text) => PathBuf::from(text.as_str()),
        }
    }

    fn set(&mut self, name: &str) {
        match self {
            ModelName::Path(path) => **path = name.into(),
            ModelName::Text(text) => **text = name.to_owned(),
        }
    }
}

/// How far a transfer is, on standard error: a bar where that is a terminal, else a line every half minute.
struct Display {
    bar: ProgressBar,
    began: Instant,
    on_terminal: bool,
    quiet: bool,
    line: Instant,
    file: Option<&'static str>,
}

impl Display {
    fn new(quiet: bool) -> Display {
        // A bar with a visible target would draw itself at once.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let now = Instant::now();
        Display { bar, began: now, on_terminal: std::io::stderr().is_terminal(), quiet, line: now, file: None }
    }

    fn show(&mut self, Download { file, bytes, size }: Download) {
        if self.quiet {
            return;
        }
        if self.on_terminal {
            self.draw(file, bytes, size);
        } else if self.line.elapsed() >= BETWEEN_LINES {
            self.line = Instant::now();
            let of_size = size.map_or_else(String::new, |size| format!(" of {}", HumanBytes(size)));
            tell(format_args!("{file}: {}{of_size} fetched", HumanBytes(bytes)));
        }
    }

    fn draw(&mut self, file: &'static str, bytes: u64, size: Option<u64>) {
        if self.bar.is_hidden() && self.began.elapsed() >= PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        if self.file != Some(file) {
            self.file = Some(file);
            let style = match size {
                Some(_) => "{bar:30} {bytes}/{total_bytes} {msg} ({bytes_per_sec}, done in {eta})",
                None => "{spinner} {bytes} {msg} ({bytes_per_sec})",
            };
            self.bar.set_style(ProgressStyle::with_template(style).expect("the template is valid; this is a bug"));
            self.bar.set_message(file);
            // What an earlier transfer left says nothing about this one's speed.
            self.bar.set_position(bytes);
            self.bar.reset_eta();
        }
        if let Some(size) = size {
            self.bar.set_length(size);
        }
        self.bar.set_position(bytes);
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
