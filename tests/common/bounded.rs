//! Running the built command where it could hang, panic or take all memory.

use super::arg;
use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

/// Time after which a command hangs, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

/// Address space in KiB that a command has, several times what it needs, but less than the giant inputs.
const MEMORY_KIB: u64 = 600_000;

/// What a command did.
pub struct Ran {
    /// 128 and the signal's number, where a signal ended it.
    pub status: i32,
    pub rows: Vec<u8>,
    /// Standard error.
    pub told: String,
}

impl Ran {
    /// How many lines there are on standard output.
    pub fn lines(&self) -> usize {
        self.rows.iter().filter(|&&byte| byte == b'\n').count()
    }

    /// Holds the command to its exit status and to what it must tell; each piece is separated by ` … `.
    pub fn expect(&self, name: &str, status: i32, told: &str) {
        assert!(!self.told.contains("panicked"), "{name}: {}", self.told);
        let control = self.told.chars().find(|sign| sign.is_control() && *sign != '\n');
        assert_eq!(control, None, "{name}: {:?}", self.told);
        assert_eq!(self.status, status, "{name}: {}", self.told);
        for piece in told.split(" … ") {
            assert!(self.told.contains(piece), "{name}: expected `{piece}`, got: {}", self.told);
        }
    }
}

/// Waits for a command, and ends it where it hangs.
pub fn wait(child: &mut Child, name: &str) -> ExitStatus {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if began.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{name}: it hangs");
        }
        sleep(Duration::from_millis(2));
    }
}

/// The number that a shell gives an end.
pub fn number(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128 + signal;
    }
    status.code().unwrap_or(-1)
}

/// Runs a shell's script in a folder with the command as `$0`, its memory bounded; `feed` writes to its standard input.
pub fn shell(
    folder: &Path,
    script: &str,
    arguments: &[&OsStr],
    feed: impl FnOnce(&mut ChildStdin) -> io::Result<()> + Send + 'static,
) -> Ran {
    let script = format!("ulimit -v {MEMORY_KIB}\n{script}");
    let mut child = Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_copydesk")])
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell starts");
    let mut input = child.stdin.take().expect("standard input is a pipe");
    // A command that fails early does not read its input.
    let writer = spawn(move || drop(feed(&mut input)));
    let (mut out, mut error) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let out = spawn(move || {
        let mut bytes = Vec::new();
        out.read_to_end(&mut bytes).map(|_| bytes)
    });
    let error = spawn(move || {
        let mut bytes = Vec::new();
        error.read_to_end(&mut bytes).map(|_| bytes)
    });
    let status = number(wait(&mut child, &format!("{script} {arguments:?}")));
    writer.join().unwrap();
    let (rows, told) = (out.join().unwrap().unwrap(), error.join().unwrap().unwrap());
    Ran { status, rows, told: String::from_utf8(told).expect("messages are UTF-8") }
}

/// Runs `copydesk label` with the small model in a folder.
pub fn label<S: AsRef<OsStr>>(folder: &Path, arguments: &[S]) -> Ran {
    let arguments: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).collect();
    shell(folder, "exec \"$0\" label --model fast --threads 2 \"$@\" </dev/null", &arguments, |_| Ok(()))
}

/// As [`label`], with what `pieces` gives on standard input.
pub fn label_pipe(
    folder: &Path,
    arguments: &[&str],
    pieces: impl IntoIterator<Item = Vec<u8>> + Send + 'static,
) -> Ran {
    let arguments: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).collect();
    shell(folder, "exec \"$0\" label --model fast --threads 2 \"$@\"", &arguments, move |input| {
        pieces.into_iter().try_for_each(|piece| input.write_all(&piece))
    })
}

/// Names of what is in a folder, hidden ones too.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Whether a program is there.
pub fn has(program: &str) -> bool {
    Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// A path as a shell takes it.
pub fn quoted(path: &Path) -> String {
    format!("'{}'", arg(path))
}
