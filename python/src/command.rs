//! The command itself.

use copydesk::cli;
use pyo3::prelude::*;
use std::ffi::OsString;
use std::io::Write;

/// Runs the `copydesk` command with these arguments, the program's name first, and gives its exit status.
///
/// `closed` says whether standard input and standard output were closed when the process began: Python knows it.
#[pyfunction]
pub fn run_command(py: Python<'_>, arguments: Vec<OsString>, closed: (bool, bool)) -> u8 {
    if closed.0 {
        cli::note_closed_input();
    }
    if closed.1 {
        cli::note_closed_output();
    }
    py.detach(|| {
        let status = cli::status_of(arguments);
        // Rust's own `main` would do this; whether it can be written was told by the command.
        let _ = std::io::stdout().flush();
        status
    })
}
