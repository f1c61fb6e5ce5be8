//! A standard output that nobody reads, and a standard input that nobody opened.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether standard output was closed when the process began.
static CLOSED_AT_START: AtomicBool = AtomicBool::new(false);

/// Whether standard input was closed when the process began.
static INPUT_CLOSED_AT_START: AtomicBool = AtomicBool::new(false);

/// Whether everything was written.
static ALL_WRITTEN: AtomicBool = AtomicBool::new(false);

/// To be called before `main`, where standard output is found closed.
///
/// Rust's runtime opens `/dev/null` in place of standard streams that are closed, so that a later file does not take their
/// number. After that nothing tells it from a user's `/dev/null`: Python's `subprocess.DEVNULL` is opened in the same mode.
pub fn note_closed_output() {
    CLOSED_AT_START.store(true, Ordering::Relaxed);
}

/// As [`note_closed_output`], of standard input, which would look empty.
pub fn note_closed_input() {
    INPUT_CLOSED_AT_START.store(true, Ordering::Relaxed);
}

/// Whether there is no standard input to read.
pub(super) fn is_input_closed() -> bool {
    INPUT_CLOSED_AT_START.load(Ordering::Relaxed) || is_only_opened_to(Way::Write)
}

/// Whether what is written to standard output is lost.
pub(super) fn was_closed_at_start() -> bool {
    CLOSED_AT_START.load(Ordering::Relaxed) || is_only_opened_to(Way::Read)
}

#[derive(Clone, Copy)]
enum Way {
    Read,
    Write,
}

/// Whether standard output can only be read, or standard input only written. Rust's standard streams say nothing then: rows would be
/// lost, or none read.
#[cfg(unix)]
fn is_only_opened_to(way: Way) -> bool {
    use rustix::fs::{OFlags, fcntl_getfl};
    let (stream, wrong) = match way {
        Way::Read => (rustix::stdio::stdout(), OFlags::RDONLY),
        Way::Write => (rustix::stdio::stdin(), OFlags::WRONLY),
    };
    fcntl_getfl(stream).is_ok_and(|flags| flags & OFlags::RWMODE == wrong)
}

#[cfg(not(unix))]
fn is_only_opened_to(_: Way) -> bool {
    false
}

/// What a write to it would have said.
pub(super) fn error() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "it is closed, or opened for the other direction")
}

/// Tells the watcher that nothing more will be written: it leaves the end to others.
pub(super) fn all_written() {
    ALL_WRITTEN.store(true, Ordering::Relaxed);
}

/// Ends the process, with success and without a word, once the reader of standard output has gone.
///
/// A write would tell, but while input pauses nothing is written. Start it only where nobody wants anything but standard
/// output: where another file is written too, that one is still wanted whole.
pub(super) fn watch_reader() {
    #[cfg(unix)]
    if has_reader() {
        // Without a thread the next write tells.
        let _ = std::thread::Builder::new().name("reader-watch".to_owned()).spawn(wait_for_reader);
    }
}

/// Whether standard output is a pipe or a socket.
#[cfg(unix)]
fn has_reader() -> bool {
    use rustix::fs::FileType;
    let kind = rustix::fs::fstat(rustix::stdio::stdout()).map(|stat| FileType::from_raw_mode(stat.st_mode));
    matches!(kind, Ok(FileType::Fifo | FileType::Socket))
}

#[cfg(unix)]
fn wait_for_reader() {
    use rustix::event::{PollFd, PollFlags, poll};
    use std::time::Duration;
    /// Time for a write to find out by itself, and for a command that is all but done to end as it would have.
    const GRACE: Duration = Duration::from_millis(200);
    let stdout = rustix::stdio::stdout();
    // Asks for nothing: that the other end is gone is told in any case.
    let mut descriptors = [PollFd::new(&stdout, PollFlags::empty())];
    loop {
        match poll(&mut descriptors, None) {
            Ok(_) => break,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
    std::thread::sleep(GRACE);
    if !ALL_WRITTEN.load(Ordering::Relaxed) {
        crate::atomic::remove_temporaries();
        std::process::exit(0);
    }
}
