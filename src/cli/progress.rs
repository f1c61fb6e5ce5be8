//! The progress bar and the messages that must not tear it.

use super::tell;
use crate::corpus::Sources;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Time and bytes so far, shown on standard error where that is a terminal that rows do not go to.
pub(super) struct Progress {
    bar: ProgressBar,
    started: Instant,
}

impl Progress {
    /// Starts the clock; `shown` is whether anybody wants to see it.
    pub fn start(sources: &Sources, shown: bool) -> Progress {
        let bar = ProgressBar::no_length();
        let style = match sources.total_bytes() {
            Some(bytes) => {
                bar.set_length(bytes);
                "{bar:30} {bytes}/{total_bytes} {msg} (done in {eta})"
            }
            None => "{spinner} {bytes} {msg}",
        };
        bar.set_style(ProgressStyle::with_template(style).expect("the template is valid; this is a bug"));
        if !(shown && std::io::stderr().is_terminal()) {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        Progress { bar, started: Instant::now() }
    }

    /// Counts what was read, with the number of paragraphs or records so far.
    pub fn advance(&self, bytes: u64, done: u64, noun: &str) {
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
