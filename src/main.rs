//! The `copydesk` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    copydesk::cli::main(std::env::args_os())
}
