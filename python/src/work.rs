//! Work without the interpreter's lock that Ctrl-C ends.

use copydesk::Copydesk;
use pyo3::prelude::*;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How often Python is asked whether a signal came.
const POLL: Duration = Duration::from_millis(50);

/// Bytes of text up to which a call is over before anybody would press a key.
const SHORT_BYTES: usize = 8 * 1024;

/// Does `work` with a desk that is stopped when Python has a signal to handle; the lock is free meanwhile.
///
/// # Errors
/// What the handler of the signal raised, `KeyboardInterrupt` as a rule.
pub fn interruptible<T: Send>(
    py: Python<'_>,
    desk: &Copydesk,
    bytes: usize,
    work: impl FnOnce(&Copydesk) -> T + Send,
) -> PyResult<T> {
    py.detach(|| watched(desk, bytes, work))
}

/// The same where the lock is not held.
pub fn watched<T: Send>(desk: &Copydesk, bytes: usize, work: impl FnOnce(&Copydesk) -> T + Send) -> PyResult<T> {
    if bytes <= SHORT_BYTES || !may_handle_signals() {
        return Ok(work(desk));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let desk = desk.stopped_by(Arc::clone(&stop));
    let (done, is_done) = sync_channel::<()>(0);
    // A thread that does not start drops what it was to do, so the work stays where both can take it.
    let work = Mutex::new(Some(work));
    let take = || work.lock().unwrap_or_else(PoisonError::into_inner).take().map(|work| work(&desk));
    let take = &take;
    let (answer, signal) = thread::scope(|scope| {
        // The sender is dropped when the work is over, also by a panic.
        let worker = thread::Builder::new().spawn_scoped(scope, move || {
            let _done = done;
            take()
        });
        let Ok(worker) = worker else { return (take(), Ok(())) };
        let mut signal = Ok(());
        while signal.is_ok() && matches!(is_done.recv_timeout(POLL), Err(RecvTimeoutError::Timeout)) {
            signal = Python::attach(|py| py.check_signals());
        }
        stop.store(signal.is_err(), Ordering::Relaxed);
        (worker.join().unwrap_or_else(|panic| resume_unwind(panic)), signal)
    });
    signal.map(|()| answer.expect("one of two threads takes the work; this is a bug"))
}

/// Whether this thread is the one on which Python handles signals. No other asks for any: a library that reads a stream on a thread of
/// its own may hold the lock elsewhere until that thread is done.
fn may_handle_signals() -> bool {
    // On Linux a link to `PROCESS/task/THREAD`; elsewhere nothing tells it.
    let Ok(link) = std::fs::read_link("/proc/thread-self") else { return true };
    link.iter().next() == link.iter().next_back()
}
