//! The progress bar and the messages that must not tear it.

use super::tell;
use crate::corpus::Sources;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::cell::Cell;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// What takes no longer than this shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// Time and bytes so far, shown on standard error where that is a terminal that rows do not go to. Nothing is
/// drawn in the first half second, nothing stays at the end.
pub(super) struct Progress {
    bar: ProgressBar,
    started: Instant,
    /// Whether the bar is still to appear.
    awaited: Cell<bool>,
}

impl Progress {
    /// Starts the clock; `shown` is whether anybody wants to see it.
    pub fn start(sources: &Sources, shown: bool) -> Progress {
        let total_bytes = sources.total_bytes();
        // A bar with a visible target would draw itself at once.
        let bar = ProgressBar::with_draw_target(total_bytes, ProgressDrawTarget::hidden());
        let style = match total_bytes {
            Some(_) => "{bar:30} {bytes}/{total_bytes} {msg} (done in {eta})",
            None => "{spinner} {bytes} {msg}",
        };
        bar.set_style(ProgressStyle::with_template(style).expect("the template is valid; this is a bug"));
        let awaited = Cell::new(shown && std::io::stderr().is_terminal());
        Progress { bar, started: Instant::now(), awaited }
    }

    /// Counts what was read, with the number of paragraphs or records so far.
    pub fn advance(&self, bytes: u64, done: u64, noun: &str) {
        if self.elapsed() >= PATIENCE && self.awaited.take() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_message(format!("{done} {noun}, {:.0}/s", per_second(done, self.elapsed())));
        self.bar.inc(bytes);
    }

    /// Tells of an input that was set aside.
    pub fn tell_failure(&self, message: &str) {
        self.bar.suspend(|| tell(format_args!("{message}")));
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// How many a second; 0 before any time has passed.
pub(super) fn per_second(count: u64, elapsed: Duration) -> f64 {
    let seconds = elapsed.as_secs_f64();
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}
