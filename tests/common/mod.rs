//! Running the built command.

#![allow(dead_code, reason = "each test file uses some of it")]

pub mod bounded;
pub mod pack;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The built binary, in the repository's root.
pub fn copydesk() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_copydesk"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// Runs the command with `input` on standard input.
pub fn run_with(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = copydesk()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A command that fails early does not read its input.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().expect("the binary ends");
    writer.join().expect("writing does not panic");
    output
}

/// Runs the command without input.
pub fn run(arguments: &[&str]) -> Output {
    run_with(arguments, b"")
}

/// Runs the command with nobody at the other end of its standard output.
pub fn run_unread(arguments: &[&str]) -> Output {
    let mut child =
        copydesk().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    drop(child.stdout.take());
    child.wait_with_output().expect("the binary ends")
}

/// Standard output as text.
pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("standard output is UTF-8")
}

/// Standard error as text.
pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("standard error is UTF-8")
}

/// The rows on standard output; the command must have ended with `status`.
pub fn rows(output: &Output, status: i32) -> Vec<serde_json::Value> {
    assert_eq!(output.status.code(), Some(status), "{}", stderr(output));
    stdout(output).lines().map(|line| serde_json::from_str(line).expect("a row is JSON")).collect()
}

/// A path as an argument.
pub fn arg(path: &Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}
