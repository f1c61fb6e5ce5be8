//! Where `copydesk` writes, and what it leaves behind, on the built binary.

mod common;

use common::{arg, copydesk, run, stderr, stdout};
use std::fs;
use std::process::{Command, Stdio};

const PAGE: &str = "data/pages/bus-lanes-op-ed.txt";
const COMMENTS: &str = "data/comments.jsonl";

#[test]
fn one_file_under_two_names_is_not_written_twice() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir(root.join("out")).unwrap();
    let pairs = [("out/n", "out/../out/n"), ("x", "./x"), ("out/n", "out/./n")];
    for (ham, spam) in pairs {
        let (ham, spam) = (root.join(ham), format!("{}/{spam}", root.display()));
        let output = run(&["filter", "--ham", arg(&ham), "--spam", &spam, COMMENTS]);
        assert_eq!(output.status.code(), Some(2), "{spam}");
        assert!(stderr(&output).contains("would be written twice"), "{}", stderr(&output));
        assert!(!ham.exists());
    }
    let mut relative = copydesk();
    relative.current_dir(root).args(["filter", "--ham", "x", "--spam"]).arg(root.join("x")).arg("-");
    let output = relative.stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[cfg(unix)]
#[test]
fn links_and_hard_links_are_the_file_they_lead_to() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::os::unix::fs::symlink("real", root.join("link")).unwrap();
    let twice = run(&["filter", "--ham", arg(&root.join("real")), "--spam", arg(&root.join("link")), COMMENTS]);
    assert!(stderr(&twice).contains("would be written twice"), "{}", stderr(&twice));
    fs::copy(COMMENTS, root.join("in.jsonl")).unwrap();
    fs::hard_link(root.join("in.jsonl"), root.join("same.jsonl")).unwrap();
    let read = run(&["filter", "--ham", arg(&root.join("same.jsonl")), arg(&root.join("in.jsonl"))]);
    assert_eq!(read.status.code(), Some(2));
    assert!(stderr(&read).contains("would be both read and written"), "{}", stderr(&read));
    assert_eq!(fs::read(root.join("in.jsonl")).unwrap(), fs::read(COMMENTS).unwrap());
}

/// Runs a shell with the command as `$0`, in a folder of its own, and gives what is in `file` afterwards.
#[cfg(target_os = "linux")]
fn shell(script: &str, file: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("page.txt"), "A single paragraph of words.\n").unwrap();
    let status = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_copydesk")])
        .current_dir(folder.path())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    (status.code(), fs::read_to_string(folder.path().join(file)).unwrap_or_default())
}

#[cfg(target_os = "linux")]
#[test]
fn descriptors_are_written_in_place() {
    for name in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"] {
        let script =
            format!("ln -s /dev/stdout link; {{ echo before; \"$0\" label -q page.txt -o {name}; echo after; }} > log");
        let (status, log) = shell(&script, "log");
        let lines: Vec<&str> = log.lines().collect();
        assert_eq!(
            (status, lines.len(), lines[0], lines[lines.len() - 1]),
            (Some(0), 3, "before", "after"),
            "{name}: {log}"
        );
    }
    let (status, log) =
        shell("{ echo before >&3; \"$0\" label -q page.txt -o /dev/fd/3; echo after >&3; } 3> log", "log");
    assert_eq!((status, log.lines().count(), log.starts_with("before\n{")), (Some(0), 3, true), "{log}");
    assert_eq!(shell("\"$0\" label -q page.txt -o /dev/fd/7", "log").0, Some(2));
}

#[cfg(target_os = "linux")]
#[test]
fn a_descriptor_of_a_file_is_that_file() {
    let (status, rows) = shell("\"$0\" filter -q --ham /dev/fd/3 --spam rows page.txt 3>rows", "rows");
    assert_eq!((status, rows.as_str()), (Some(2), ""));
    let (status, page) = shell("\"$0\" label -q -o /dev/fd/3 page.txt 3>>page.txt", "page.txt");
    assert_eq!((status, page.lines().count()), (Some(2), 1));
    // One file behind two descriptors is written in turn.
    assert_eq!(shell("\"$0\" filter -q --spam /dev/stderr page.txt >log 2>&1", "log"), {
        (Some(0), "A single paragraph of words.\n".to_owned())
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_closed_input_and_a_closed_output_are_status_2() {
    let (status, message) = shell("\"$0\" label -q <&- 2>log", "log");
    assert_eq!(status, Some(2));
    assert!(message.contains("standard input: it is closed"), "{message}");
    assert_eq!(shell("\"$0\" label -q page.txt <&-", "log").0, Some(0));
    for asked in ["--help", "--version", "label --help", "models"] {
        assert_eq!(shell(&format!("\"$0\" {asked} >/dev/full"), "log").0, Some(2), "{asked}");
        assert_eq!(shell(&format!("\"$0\" {asked} >&-"), "log").0, Some(2), "{asked}");
    }
}

/// Each would wait for the end of the input, which does not come.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_the_command_while_input_is_open() {
    let input = "{ head -c 40000 /dev/zero | tr '\\0' 'a' | fold -w 40; sleep 20; }";
    for limited in [
        "\"$0\" filter -q --model fast >/dev/full",
        "\"$0\" filter -q --model fast --ham /dev/full",
        "ulimit -f 1; \"$0\" filter -q --model fast --ham rows",
    ] {
        let started = std::time::Instant::now();
        let script = format!(
            "mkfifo pipe; {input} >pipe & ({limited}) <pipe 2>log; status=$?; kill $!; ls -A >rows; exit $status"
        );
        let (status, files) = shell(&script, "rows");
        assert_eq!((status, files.contains(".copydesk")), (Some(2), false), "{limited}: {files}");
        assert!(started.elapsed().as_secs() < 15, "{limited}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_takes_nothing_is_status_2() {
    assert_eq!(shell("\"$0\" label -q page.txt >&-", "log").0, Some(2));
    assert_eq!(shell("\"$0\" label -q page.txt > /dev/full", "log").0, Some(2));
    assert_eq!(shell("\"$0\" label -q page.txt -o /dev/full", "log").0, Some(2));
    assert_eq!(shell("\"$0\" label -q page.txt > /dev/null", "log").0, Some(0));
    // As Python opens it for a command whose output nobody wants.
    assert_eq!(shell("\"$0\" label -q page.txt 1<> /dev/null", "log").0, Some(0));
    let (status, rows) = shell("\"$0\" label -q page.txt -o rows >&-", "rows");
    assert_eq!((status, rows.lines().count()), (Some(0), 1));
}

#[test]
fn the_name_of_a_file_promises_its_format() {
    let folder = tempfile::tempdir().unwrap();
    let label = |name: &str, more: &[&str]| {
        let file = folder.path().join(name);
        let output = run(&[&["label", "--quiet", "-o", arg(&file), PAGE], more].concat());
        (output.status.code(), fs::read_to_string(file).unwrap_or_default(), stderr(&output))
    };
    assert!(label("rows.csv", &[]).1.starts_with("doc,paragraph,"));
    for name in ["rows.jsonl", "rows.ndjson", "rows.json", "rows", "rows.txt"] {
        assert!(label(name, &[]).1.starts_with("{\"doc\": "), "{name}");
    }
    for name in ["rows.orc", "rows.jsonl.lz4", "rows.xlsx", "rows.tsv"] {
        let (status, content, message) = label(name, &[]);
        assert_eq!((status, content.as_str()), (Some(2), ""), "{name}");
        assert!(message.contains(name) && message.contains("JSON Lines or CSV"), "{message}");
    }
    assert_eq!(label("rows.tsv", &["--output-format", "csv"]).0, Some(0));
    for name in ["rows.csv.gz", "rows.jsonl.zst", "rows.bz2", "rows.xz"] {
        let file = folder.path().join(name);
        assert_eq!(run(&["label", "--quiet", "-o", arg(&file), PAGE]).status.code(), Some(0), "{name}");
        let plain =
            run(&["label", "--quiet", "--output-format", if name.contains("csv") { "csv" } else { "jsonl" }, PAGE]);
        let read = run(&["head", "--quiet", "-n", "100000", arg(&file)]);
        let rows = stdout(&plain).lines().count() - usize::from(name.contains("csv"));
        assert_eq!(stdout(&read).lines().count(), rows, "{name}: {}", stderr(&read));
    }
    let table = label("rows.parquet", &[]);
    match cfg!(feature = "columnar") {
        true => assert_eq!(table.0, Some(0), "{}", table.2),
        false => assert!(table.0 == Some(2) && table.2.contains("--features columnar"), "{}", table.2),
    }
    let ham = run(&["filter", "--ham", arg(&folder.path().join("ham.csv")), COMMENTS]);
    assert_eq!(ham.status.code(), Some(2), "{}", stderr(&ham));
}

#[cfg(unix)]
fn end_by(signal: &str, wait_ms: u64) -> (Option<i32>, usize, String) {
    use std::io::{Read, Write};
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.jsonl");
    let mut child = copydesk()
        .args(["label", "--quiet", "-o", arg(&file), "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    // The command may be gone before it has read anything.
    let _ = input.write_all(b"{\"text\": \"A record that is labelled while more are waited for.\"}\n");
    std::thread::sleep(std::time::Duration::from_millis(wait_ms));
    Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    let status = child.wait().unwrap();
    let mut message = String::new();
    child.stderr.take().unwrap().read_to_string(&mut message).unwrap();
    drop(input);
    (status.code(), fs::read_dir(folder.path()).unwrap().count(), message)
}

#[cfg(unix)]
#[test]
fn being_told_to_end_leaves_no_file() {
    // A test that was itself started with `nohup` or in the background passes on that it ignores some signals.
    let ignored = |number: u32| {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0").trim().to_owned();
        u64::from_str_radix(&mask, 16).unwrap() >> (number - 1) & 1 == 1
    };
    let signals = [("-TERM", 15, 143), ("-INT", 2, 130), ("-HUP", 1, 129)];
    for (signal, _, expected) in signals.into_iter().filter(|(_, number, _)| !ignored(*number)) {
        let (status, files, message) = end_by(signal, 400);
        assert_eq!((status, files), (Some(expected), 0), "{message}");
        assert!(message.contains("ended by SIG"), "{message}");
    }
    // At any moment, the very first included, when the signal still has its usual effect.
    for round in 0..10 {
        assert_eq!(end_by("-TERM", round * 7).1, 0, "{round}");
    }
}

/// `cargo test --test outputs -- --ignored`
#[cfg(unix)]
#[test]
#[ignore = "takes half a minute"]
fn a_hundred_ends_leave_no_file() {
    for round in 0..100 {
        assert_eq!(end_by("-TERM", round * 37 % 300).1, 0, "{round}");
    }
}
