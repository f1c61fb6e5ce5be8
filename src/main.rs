//! The `copydesk` command.

use std::process::ExitCode;

/// Runs before Rust's runtime, which opens `/dev/null` in the place of a closed standard stream: afterwards nothing tells the
/// two apart, and rows would be lost, or none read, with exit status 0.
#[cfg(unix)]
#[allow(
    unsafe_code,
    reason = "whoever runs before the runtime must say so; two system calls and two atomics need none of it"
)]
mod before_main {
    ctor::declarative::ctor! {
        #[ctor(unsafe)]
        fn look_at_standard_streams() {
            if rustix::io::fcntl_getfd(rustix::stdio::stdin()).is_err() {
                copydesk::cli::note_closed_input();
            }
            if rustix::io::fcntl_getfd(rustix::stdio::stdout()).is_err() {
                copydesk::cli::note_closed_output();
            }
        }
    }
}

fn main() -> ExitCode {
    copydesk::cli::main(std::env::args_os())
}
