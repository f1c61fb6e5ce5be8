//! Being told to end: Ctrl-C, `kill`, a terminal that closes.

#[cfg(unix)]
use signal_hook::iterator::Signals;
#[cfg(unix)]
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
#[cfg(unix)]
use std::time::{Duration, Instant};

/// The signal that asked the process to end; 0 for none.
static ASKED: AtomicI32 = AtomicI32::new(0);

/// Whether a run would store how far it is, if it were asked to end.
static CAN_STOP: AtomicBool = AtomicBool::new(false);

/// Whether all is done, so that nothing is left to be ended.
static DONE: AtomicBool = AtomicBool::new(false);

/// How long a run may take to finish what it is at.
#[cfg(unix)]
const PATIENCE: Duration = Duration::from_secs(60);

/// From now on a run looks at [`asked_to_stop`] between chunks.
pub(super) fn let_run_stop() {
    CAN_STOP.store(true, Ordering::SeqCst);
}

/// The run has written everything: whoever asks it to end now gets what it did.
pub(super) fn run_is_done() {
    DONE.store(true, Ordering::SeqCst);
}

/// The signal that asked the process to end.
pub(super) fn asked_to_stop() -> Option<i32> {
    Some(ASKED.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
}

/// Name of a signal that ends the process.
pub(super) fn signal_name(signal: i32) -> &'static str {
    #[cfg(unix)]
    if let Some((_, name)) = WATCHED.iter().find(|(number, _)| *number == signal) {
        return name;
    }
    let _ = signal;
    "a signal"
}

/// Removes temporary files when the process is told to end, says so, and ends with 128 plus the signal's number, as shells
/// count it.
pub(super) fn watch() {
    #[cfg(unix)]
    {
        // A file that grows beyond its limit is then an error of the write, and no end without a word.
        let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
        let (ready, is_ready) = std::sync::mpsc::channel();
        // Registered in the thread: where none can be started, signals keep their usual effect.
        let started = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let wanted = WATCHED.iter().map(|(signal, _)| *signal).filter(|signal| !is_ignored(*signal));
            let signals = Signals::new(wanted);
            let _ = ready.send(());
            if let Ok(signals) = signals {
                wait(signals);
            }
        });
        if started.is_ok() {
            // No file is begun before the watch has. If the thread ended, there is nothing to wait for.
            let _ = is_ready.recv();
        }
    }
}

#[cfg(unix)]
const WATCHED: [(i32, &str); 3] = [
    (signal_hook::consts::SIGINT, "SIGINT"),
    (signal_hook::consts::SIGTERM, "SIGTERM"),
    (signal_hook::consts::SIGHUP, "SIGHUP"),
];

#[cfg(unix)]
fn wait(mut signals: Signals) {
    let Some(signal) = signals.forever().next() else { return };
    ASKED.store(signal, Ordering::SeqCst);
    if CAN_STOP.load(Ordering::SeqCst) {
        super::tell(format_args!("{} came: finishing what is in work; once more ends at once", signal_name(signal)));
        // The run ends the process when it is done. One that cannot, or a second signal, ends it here.
        let since = Instant::now();
        while since.elapsed() < PATIENCE && signals.pending().next().is_none() {
            if DONE.load(Ordering::SeqCst) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    let removed = crate::atomic::remove_temporaries();
    let name = signal_name(signal);
    let rest = if removed > 0 { ": what was to be written is not, the unfinished file is removed" } else { "" };
    super::tell(format_args!("ended by {name}{rest}"));
    std::process::exit(128 + signal);
}

/// Whether whoever started the process does not want it to end by this signal, as `nohup` does.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}
