//! The built command as its users start it: end to end with reading, splitting, labelling and writing; from the start of the
//! process to the first label; and peak memory, which must not grow with the input.
//!
//! `cargo bench --bench process`. Peak memory is read from `/proc` and therefore only told on Linux.

use copydesk::internals::sample_texts;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Starts of the process, and passes over the pages.
const STARTS: usize = 30;
const PASSES: usize = 5;

/// The file for which peak memory is told, and for how long it is read. Memory is at its peak once every thread has had a
/// chunk of full size, which takes seconds; all of the file would take hours.
const LARGE_BYTES: usize = 1 << 30;
const LARGE_TIME: Duration = Duration::from_secs(20);

fn label(file: &Path, threads: usize) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_copydesk"));
    command.args(["label", "--quiet", "--threads", &threads.to_string()]).arg(file).stdout(Stdio::piped());
    command
}

/// Writes pages of `bytes` or a little more: the sample's paragraphs, separated by blank lines.
fn write_pages(file: &Path, bytes: usize) {
    let page = sample_texts().join("\n\n") + "\n\n";
    let mut writer = BufWriter::new(File::create(file).expect("a file in the temporary folder"));
    for _ in 0..bytes.div_ceil(page.len()) {
        writer.write_all(page.as_bytes()).expect("room in the temporary folder");
    }
    writer.flush().expect("room in the temporary folder");
}

fn spread(name: &str, unit: &str, mut figures: Vec<f64>) {
    figures.sort_by(f64::total_cmp);
    let (median, min, max) = (figures[figures.len() / 2], figures[0], figures[figures.len() - 1]);
    println!("{name:<44}{median:>10.1} {unit} (median of {}; {min:.1} to {max:.1})", figures.len());
}

/// Milliseconds from the start of the process to its first row.
fn start_up(file: &Path) -> f64 {
    let start = Instant::now();
    let mut child = label(file, 2).spawn().expect("the command starts");
    let mut row = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut row).expect("a row");
    let elapsed = start.elapsed();
    assert!(row.contains("\"label\""), "{row}");
    child.wait().expect("the command ends");
    elapsed.as_secs_f64() * 1e3
}

/// Paragraphs per second of a whole run, the start of the process included.
fn end_to_end(file: &Path, threads: usize) -> f64 {
    let start = Instant::now();
    let output = label(file, threads).output().expect("the command runs");
    let rows = output.stdout.iter().filter(|&&byte| byte == b'\n').count();
    assert!(output.status.success() && rows > 0);
    rows as f64 / start.elapsed().as_secs_f64()
}

/// The largest resident set that a process has had so far, in MiB.
fn peak_memory(child: &Child) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

/// Peak memory within `time` of work on a file.
fn peak_memory_of(file: &Path, threads: usize, time: Duration) -> Option<f64> {
    let mut child = label(file, threads).stdout(Stdio::null()).spawn().expect("the command starts");
    let start = Instant::now();
    let mut peak = None;
    while start.elapsed() < time && child.try_wait().expect("a child of ours").is_none() {
        peak = peak_memory(&child).or(peak);
        std::thread::sleep(Duration::from_millis(20));
    }
    // Where it has ended there is nothing to stop.
    let _ = child.kill();
    child.wait().expect("a child of ours");
    peak
}

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name);
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());

    let short = path("short.txt");
    std::fs::write(&short, "The council voted on Monday to close the road.\n").expect("a file in the temporary folder");
    spread("process start to first label", "ms", (0..STARTS).map(|_| start_up(&short)).collect());

    let pages = path("pages.txt");
    write_pages(&pages, 1);
    for threads in [1, cores] {
        let rates = (0..PASSES).map(|_| end_to_end(&pages, threads)).collect();
        spread(&format!("end to end, {threads} threads"), "paragraphs/s", rates);
    }

    let large = path("large.txt");
    write_pages(&large, LARGE_BYTES);
    for (name, file) in [("half a megabyte", &pages), ("1 GiB", &large)] {
        if let Some(peak) = peak_memory_of(file, cores, LARGE_TIME) {
            println!("{:<44}{peak:>10.1} MiB", format!("peak memory on {name}, {cores} threads"));
        }
    }
}
