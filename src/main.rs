//! The `copydesk` command.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    copydesk::cli::main(std::env::args_os())
}
