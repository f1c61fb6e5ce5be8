//! Being told to end: Ctrl-C, `kill`, a terminal that closes.

#[cfg(unix)]
use signal_hook::iterator::Signals;
#[cfg(unix)]
use std::sync::Arc;

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
    let removed = crate::atomic::remove_temporaries();
    let name = WATCHED.iter().find(|(number, _)| *number == signal).map_or("a signal", |(_, name)| name);
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
