//! The progress bar and the messages that must not tear it.

use super::tell;
use crate::corpus::resolve;
use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::cell::Cell;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What takes no longer than this shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// Where no terminal shows a bar, a line tells how far it is after so long.
const BETWEEN_LINES: Duration = Duration::from_secs(30);

/// Time and bytes so far, shown on standard error: as a bar where that is a terminal that rows do not go to, else as a line every half
/// minute. Nothing is drawn in the first half second, no bar stays at the end.
pub(super) struct Progress {
    bar: ProgressBar,
    started: Instant,
    /// Whether the bar is still to appear.
    awaited: Cell<bool>,
    /// When the last line was told; `None` where none is wanted.
    line: Cell<Option<Instant>>,
    /// Bytes of all inputs; 0 as long as they are not known.
    total_bytes: Arc<AtomicU64>,
    bytes: Cell<u64>,
    skipped: Cell<u64>,
}

impl Progress {
    /// Starts the clock. `total_bytes` is the size of all inputs, where it is known; else they are looked for on a thread of its own.
    /// `shown` is whether anybody wants to see a bar, `quiet` that nobody wants to see anything.
    pub fn start(inputs: &[PathBuf], total_bytes: Option<u64>, shown: bool, quiet: bool) -> Progress {
        // A bar with a visible target would draw itself at once.
        let bar = ProgressBar::with_draw_target(total_bytes, ProgressDrawTarget::hidden());
        let on_terminal = std::io::stderr().is_terminal();
        let total = Arc::new(AtomicU64::new(total_bytes.unwrap_or(0)));
        if total_bytes.is_none() && !quiet {
            count_bytes(inputs.to_vec(), Arc::clone(&total));
        }
        let progress = Progress {
            bar,
            started: Instant::now(),
            awaited: Cell::new(shown && on_terminal),
            line: Cell::new((!quiet && !on_terminal).then(Instant::now)),
            total_bytes: total,
            bytes: Cell::new(0),
            skipped: Cell::new(0),
        };
        progress.style(total_bytes.is_some());
        progress
    }

    fn style(&self, has_total: bool) {
        let style = match has_total {
            true => "{bar:30} {bytes}/{total_bytes} {msg} (done in {eta})",
            false => "{spinner} {bytes} {msg}",
        };
        self.bar.set_style(ProgressStyle::with_template(style).expect("the template is valid; this is a bug"));
    }

    /// Counts what was read before.
    pub fn skip(&self, bytes: u64) {
        self.bytes.set(bytes);
        self.skipped.set(bytes);
        self.bar.inc(bytes);
        self.bar.reset_eta();
    }

    /// Counts what was read, with the number of paragraphs or records so far.
    pub fn advance(&self, bytes: u64, done: u64, noun: &str) {
        if self.elapsed() >= PATIENCE && self.awaited.take() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let total = self.total_bytes.load(Ordering::Relaxed);
        if self.bar.length().is_none() && total > 0 {
            self.bar.set_length(total);
            self.style(true);
        }
        self.bytes.set(self.bytes.get() + bytes);
        self.bar.set_message(format!("{done} {noun}, {:.0}/s", per_second(done, self.elapsed())));
        self.bar.inc(bytes);
        if self.line.get().is_some_and(|last| last.elapsed() >= BETWEEN_LINES) {
            self.line.set(Some(Instant::now()));
            self.tell_line(total, done, noun);
        }
    }

    /// Tells how far it is.
    fn tell_line(&self, total: u64, done: u64, noun: &str) {
        let (read, elapsed) = (self.bytes.get(), self.elapsed());
        let rate = per_second(read - self.skipped.get(), elapsed);
        let left = total.checked_sub(read).filter(|_| total > 0 && rate > 0.0);
        let left = left.and_then(|left| Duration::try_from_secs_f64(left as f64 / rate).ok());
        let of_total = if total > 0 { format!(" of {}", HumanBytes(total)) } else { String::new() };
        let left = left.map_or_else(String::new, |left| format!(", about {} left", HumanDuration(left)));
        tell(format_args!("{}{of_total} read, {done} {noun}{left}", HumanBytes(read)));
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

/// Adds the sizes of all inputs up on a thread of its own: folders can be large. Without a thread nobody knows.
fn count_bytes(inputs: Vec<PathBuf>, total: Arc<AtomicU64>) {
    let count = move || {
        // Where one has no end that is known, nor has the whole.
        let mut sizes = resolve(&inputs).filter_map(Result::ok).map(|source| source.size_bytes);
        let sum = sizes.try_fold(0u64, |sum, size| sum.checked_add(size?));
        total.store(sum.unwrap_or(0), Ordering::Relaxed);
    };
    let _ = std::thread::Builder::new().name("sizes".to_owned()).spawn(count);
}

/// How many a second; 0 before any time has passed.
pub(super) fn per_second(count: u64, elapsed: Duration) -> f64 {
    let seconds = elapsed.as_secs_f64();
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}
