//! The `copydesk` command.

#![forbid(unsafe_code)]

use std::process::ExitCode;

#[cfg(unix)]
ctor::declarative::ctor! {
    /// Runs before Rust's runtime, which replaces a closed standard output by `/dev/null`.
    #[ctor(unsafe)]
    fn look_at_standard_output() {
        if rustix::io::fcntl_getfd(rustix::stdio::stdout()).is_err() {
            copydesk::cli::note_closed_output();
        }
    }
}

fn main() -> ExitCode {
    copydesk::cli::main(std::env::args_os())
}
