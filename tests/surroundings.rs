//! Where the command runs: full disks, folders and names that cannot be written, states that were damaged, signals, closed streams,
//! little memory, few descriptors and threads. It ends with a clear line and the right status, and what can be gone on with is.

#![cfg(target_os = "linux")]

mod common;

use common::arg;
use common::bounded::{Ran, has, label, label_pipe, names, number, quoted, shell, wait};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;
use tempfile::TempDir;

const SPACE: &str = "No space left on device";
const GOES_ON: &str = "; the same command with --resume goes on from here";

/// A folder of inputs, two of whose records are bad.
fn corpus(root: &Path) -> PathBuf {
    let inputs = root.join("in");
    fs::create_dir(&inputs).unwrap();
    let rows: String = (0..600)
        .map(|n| format!("{{\"id\": {n}, \"text\": \"Record number {n} says something or other.\"}}\n"))
        .collect();
    fs::write(inputs.join("a.jsonl"), rows).unwrap();
    fs::write(inputs.join("b.txt"), "A paragraph says something else.\n\n".repeat(40)).unwrap();
    fs::write(inputs.join("c.jsonl"), "{\"text\": 3}\nno json\n{\"text\": \"A good record of some words.\"}\n")
        .unwrap();
    inputs
}

/// The inputs that no test changes.
fn inputs() -> &'static Path {
    static INPUTS: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, inputs) = INPUTS.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let inputs = corpus(folder.path());
        (folder, inputs)
    });
    inputs
}

/// The rows of those inputs.
fn whole() -> &'static [u8] {
    static WHOLE: OnceLock<Vec<u8>> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let ran = label(folder.path(), &["-o", "o", arg(inputs())]);
        ran.expect("nothing in the way", 1, "2 set aside");
        fs::read(folder.path().join("o")).unwrap()
    })
}

/// What the shell does: a run with a checkpoint after each chunk. The limit of a file's length is that of the script.
fn in_shell(folder: &Path, script: &str, arguments: &[&str]) -> Ran {
    let arguments: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).collect();
    let script = script.replace("COPYDESK", "\"$0\" label --model fast --threads 2 --checkpoint-seconds 0 \"$@\"");
    shell(folder, &script, &arguments, |_| Ok(()))
}

/// A file system of its own, with little room.
struct Mounted(PathBuf);

impl Mounted {
    /// `None`, and a line that tells of it, where nothing can be mounted.
    fn new(root: &Path, options: &str) -> Option<Mounted> {
        let place = root.join("d");
        fs::create_dir_all(&place).unwrap();
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "none", arg(&place), "-o", options])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !done {
            eprintln!("skipped: this user may not mount a file system");
        }
        done.then_some(Mounted(place))
    }

    fn change(&self, options: &str) {
        let options = format!("remount,{options}");
        assert!(Command::new("mount").args([arg(&self.0), "-o", &options]).status().unwrap().success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l", arg(&self.0)]).status();
    }
}

/// A disk that is full at each stage: nothing is left, or what is left is gone on with to the same bytes.
#[test]
fn a_disk_is_full_at_any_stage() {
    let folder = tempfile::tempdir().unwrap();
    let bad = format!("{}/c.jsonl", arg(inputs()));
    let expected = label(folder.path(), &["-o", "o", &bad]);
    expected.expect("enough room", 1, "2 set aside");
    let expected = fs::read(folder.path().join("o")).unwrap();
    let sizes = (1..8).map(|pages| (format!("size={}k", pages * 4), pages));
    let inodes = (2..10).map(|inodes| (format!("size=1m,nr_inodes={inodes}"), inodes));
    let mut stopped = [0; 2];
    for (options, _) in sizes.chain(inodes) {
        let Some(disk) = Mounted::new(folder.path(), &options) else { return };
        let arguments = ["-o", "d/o", "--errors", "d/e", "--manifest", "--checkpoint-seconds", "0", bad.as_str()];
        let ran = label(folder.path(), &arguments);
        if ran.status == 2 {
            ran.expect(&options, 2, &format!("cannot be written … {SPACE}"));
            disk.change("size=1m,nr_inodes=100");
            let left = names(&disk.0);
            stopped[usize::from(!left.is_empty())] += 1;
            let on = label(folder.path(), &[&arguments[..], &["--resume"]].concat());
            assert!(ran.told.contains(GOES_ON) || left.is_empty(), "{options}: {left:?} {}", ran.told);
            on.expect(&options, 1, "");
        } else {
            ran.expect(&options, 1, "2 set aside");
        }
        assert_eq!(names(&disk.0), ["e", "o", "o.run.json"], "{options}");
        assert!(fs::read(disk.0.join("o")).unwrap() == expected, "{options}");
        assert_eq!(fs::read_to_string(disk.0.join("e")).unwrap().lines().count(), 2, "{options}");
    }
    assert!(stopped[0] > 0 && stopped[1] > 0, "the disk was full before and behind a checkpoint: {stopped:?}");
}

#[test]
fn a_disk_is_full_for_each_kind_of_output() {
    let folder = tempfile::tempdir().unwrap();
    for (name, size, more) in [
        ("o", "48k", &[][..]),
        ("o.csv", "48k", &[]),
        ("o.jsonl.gz", "12k", &[]),
        ("o.jsonl", "48k", &["--split-by", "label"]),
        ("", "48k", &["--output-dir", "d/o"]),
    ] {
        for seconds in ["10", "0"] {
            let Some(disk) = Mounted::new(folder.path(), &format!("size={size}")) else { return };
            let out = format!("d/{name}");
            let mut arguments = vec!["--checkpoint-seconds", seconds, arg(inputs())];
            arguments.extend(more);
            if !name.is_empty() {
                arguments.extend(["-o", out.as_str()]);
            }
            let ran = label(folder.path(), &arguments);
            ran.expect(&format!("{name} {more:?}"), 2, &format!("cannot be written: {SPACE}"));
            assert_eq!(
                ran.told.contains(GOES_ON),
                !left(&disk.0).is_empty(),
                "{name} {more:?} {seconds}: {}",
                ran.told
            );
            disk.change("size=9m");
            arguments.push("--resume");
            label(folder.path(), &arguments).expect(name, 1, "2 set aside");
            if name == "o" {
                assert!(fs::read(disk.0.join("o")).unwrap() == whole());
            }
        }
    }
    let Some(_disk) = Mounted::new(folder.path(), "size=1m,nr_inodes=1") else { return };
    let bad = format!("{}/c.jsonl", arg(inputs()));
    label(folder.path(), &["--errors", "d/e", &bad]).expect("--errors", 2, &format!("d/e: cannot be written: {SPACE}"));
}

/// Hidden folders of unfinished runs.
fn left(folder: &Path) -> Vec<String> {
    let mut left: Vec<String> = names(folder).into_iter().filter(|name| name.starts_with('.')).collect();
    if folder.join("o").is_dir() {
        left.extend(names(&folder.join("o")).into_iter().filter(|name| name.starts_with('.')));
    }
    left
}

#[test]
fn a_file_may_not_grow_any_more() {
    for blocks in [0, 2, 40, 120, 250] {
        let folder = tempfile::tempdir().unwrap();
        let arguments = ["-o", "o", arg(inputs())];
        let ran = in_shell(folder.path(), &format!("ulimit -f {blocks}; COPYDESK"), &arguments);
        ran.expect(&format!("{blocks}"), 2, "cannot be written: File too large");
        assert_eq!(ran.told.contains(GOES_ON), !names(folder.path()).is_empty(), "{}", ran.told);
        label(folder.path(), &[&arguments[..], &["--resume"]].concat()).expect("resume", 1, "2 set aside");
        assert!(fs::read(folder.path().join("o")).unwrap() == whole(), "{blocks}");
    }
    let folder = tempfile::tempdir().unwrap();
    let out = in_shell(folder.path(), "ulimit -f 8; COPYDESK >o", &[arg(inputs())]);
    out.expect("standard output", 2, "standard output: cannot be written: File too large");
    for (to, told) in
        [(">/dev/full", "standard output: cannot be written"), ("-o /dev/full", "/dev/full: cannot be written")]
    {
        in_shell(folder.path(), &format!("COPYDESK {to}"), &[arg(inputs())]).expect(to, 2, &format!("{told}: {SPACE}"));
    }
    in_shell(folder.path(), "COPYDESK --errors /dev/full", &[arg(inputs())]).expect(
        "errors",
        2,
        "/dev/full: cannot be written",
    );
}

/// What cannot be written is told before anything is labelled, and nothing is left.
#[test]
fn outputs_that_cannot_be_are_refused_at_the_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for path in ["dir", "full/a.jsonl", "in", "in/.hidden", "in2"] {
        fs::create_dir_all(root.join(path)).unwrap();
    }
    fs::write(root.join("file"), "old").unwrap();
    for path in ["in/a.jsonl", "in2/a.jsonl", "in/b.txt", "in2/b.txt.jsonl"] {
        fs::write(root.join(path), "{\"text\": \"A good record of some words.\"}\n").unwrap();
    }
    std::os::unix::fs::symlink("loop", root.join("loop")).unwrap();
    std::os::unix::fs::symlink("none/x", root.join("dangling")).unwrap();
    let long = |length: usize| "n".repeat(length);
    let (n255, n256, n250) = (long(255), long(256), long(250));
    let cases: Vec<(Vec<&str>, &str)> = vec![
        (vec!["-o", "none/x.jsonl"], "none/x.jsonl: cannot be written: No such file"),
        (vec!["-o", "dir"], "dir: cannot be written: Is a directory"),
        (vec!["-o", "loop"], "loop: cannot be written: Too many levels"),
        (vec!["-o", "dangling"], "dangling: cannot be written: No such file"),
        (vec!["-o", &n256], "cannot be written: File name too long"),
        (vec!["-o", &n250, "--manifest"], ".run.json: cannot be written: File name too long"),
        (vec!["-o", &n255, "--resume"], ".run.json … File name too long"),
        (vec!["-o", &n255, "--split-by", "label"], "cannot be written: File name too long"),
        (vec!["-o", "/proc/x"], "/proc/x: cannot be written"),
        (vec!["-o", "o", "--errors", "/proc/x"], "/proc/x: cannot be written"),
        (vec!["-o", "o", "--errors", "none/e"], "none/e: cannot be written: No such file"),
        (vec!["--errors", "dir"], "dir: cannot be written: Is a directory"),
        (vec!["-o", "in/a.jsonl"], "in/a.jsonl: would be both read and written"),
        (vec!["--errors", "in/a.jsonl"], "in/a.jsonl: would be both read and written"),
        (vec!["--output-dir", "file"], "file: cannot be written: File exists"),
        (vec!["--output-dir", "/proc/x"], "/proc/x: cannot be written"),
        (vec!["--output-dir", "in"], "in: would be both read and written"),
        (vec!["--output-dir", "in/more"], "in/more: would be both read and written"),
        (vec!["--output-dir", "dir", "in2/a.jsonl"], "dir/a.jsonl: would be written twice"),
        (vec!["--output-dir", "dir", "in2"], "would be written twice"),
        (vec!["--output-dir", "in2", "in2/a.jsonl"], "would be both read and written"),
    ];
    let before = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let inputs = before("in/a.jsonl");
    for (arguments, told) in cases {
        let name = format!("{:?}", arguments.iter().map(|word| &word[..word.len().min(20)]).collect::<Vec<_>>());
        let all: Vec<&str> = arguments.iter().copied().chain(["in"]).collect();
        label(root, &all).expect(&name, 2, told);
        let there = names(root);
        // It is made before it is looked at.
        let _ = fs::remove_dir(root.join("in/more"));
        assert_eq!(there, ["dangling", "dir", "file", "full", "in", "in2", "loop"], "{name}");
        assert!(
            names(&root.join("dir")).is_empty() && before("file") == "old" && before("in/a.jsonl") == inputs,
            "{name}"
        );
    }
    // A folder in the place of an output is met when its input is read.
    label(root, &["--output-dir", "full", "in2"]).expect(
        "a folder in the way",
        2,
        "full/a.jsonl: cannot be written: Is a directory",
    );
    for good in
        [vec!["-o", &n255], vec!["-o", &n250], vec!["--output-dir", "in/.hidden"], vec!["--output-dir", "new/a/b"]]
    {
        let all: Vec<&str> = good.iter().copied().chain(["in"]).collect();
        label(root, &all).expect("a long name, a hidden folder", 0, "2 documents");
    }
}

#[test]
fn a_folder_can_only_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_disk) = Mounted::new(folder.path(), "size=1m,ro") else { return };
    for (arguments, told) in [
        (&["-o", "d/o"][..], "d/o: cannot be written: Read-only file system"),
        (&["-o", "o", "--errors", "d/e"], "d/e: cannot be written: Read-only file system"),
        (&["--output-dir", "d"], "d: cannot be written: Read-only file system"),
        (&["--output-dir", "d/x"], "d/x: cannot be written: Read-only file system"),
    ] {
        let ran = label(folder.path(), &[arguments, &[arg(inputs())]].concat());
        ran.expect(&format!("{arguments:?}"), 2, told);
        assert!(!ran.told.contains("c.jsonl:1"), "it is told before anything is read: {}", ran.told);
        assert_eq!(names(folder.path()), ["d"], "{arguments:?}");
    }
}

/// The hidden folder of a run that was stopped after a checkpoint.
fn interrupted() -> &'static Path {
    static STATE: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, state) = STATE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let ran = in_shell(folder.path(), "ulimit -f 120; COPYDESK", &["-o", "o", arg(inputs())]);
        ran.expect("interrupted", 2, GOES_ON);
        let state = folder.path().join(".o.copydesk");
        assert!(state.join("state.json").exists());
        (folder, state)
    });
    state
}

/// A copy of it, for one test.
fn copied() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join(".o.copydesk");
    fs::create_dir(&state).unwrap();
    for name in names(interrupted()) {
        fs::copy(interrupted().join(&name), state.join(&name)).unwrap();
    }
    (folder, state)
}

fn set_state(state: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    let path = state.join("state.json");
    let mut value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

#[test]
fn a_damaged_state_is_told_and_can_be_dropped() {
    type Damage = fn(&Path);
    let lost = "a file of the unfinished run is missing or damaged; --restart begins again";
    let unread = "o: what an earlier run left in … cannot be read … --restart begins again";
    let cases: [(&str, Damage, &str); 17] = [
        ("empty", |at| fs::write(at.join("state.json"), "").unwrap(), unread),
        (
            "cut",
            |at| fs::write(at.join("state.json"), &fs::read(at.join("state.json")).unwrap()[..300]).unwrap(),
            unread,
        ),
        ("other", |at| fs::write(at.join("state.json"), "{\"a\": 1}").unwrap(), unread),
        ("binary", |at| fs::write(at.join("state.json"), [0xff; 1000]).unwrap(), unread),
        ("deep", |at| fs::write(at.join("state.json"), "[".repeat(100_000)).unwrap(), unread),
        ("negative", |at| set_state(at, |state| state["position"]["items"] = (-1).into()), unread),
        ("without a part", |at| set_state(at, |state| state["tally"] = serde_json::Value::Null), unread),
        (
            "a pipe",
            |at| {
                fs::remove_file(at.join("state.json")).unwrap();
                assert!(Command::new("mkfifo").arg(at.join("state.json")).status().unwrap().success());
            },
            unread,
        ),
        (
            "future version",
            |at| set_state(at, |state| state["identity"]["version"] = "99.0.0".into()),
            "another value of the version of copydesk: \"99.0.0\" … --restart",
        ),
        (
            "other model",
            |at| set_state(at, |state| state["identity"]["model_digest"] = "0".into()),
            "another value of the content of the model … --restart",
        ),
        ("longer", |at| set_state(at, |state| state["outputs"][0]["part_bytes"] = (1u64 << 60).into()), lost),
        ("no outputs", |at| set_state(at, |state| state["outputs"] = serde_json::json!([])), lost),
        ("part missing", |at| fs::remove_file(at.join("2.part")).unwrap(), lost),
        ("part short", |at| fs::write(at.join("2.part"), "x").unwrap(), lost),
        ("log missing", |at| fs::remove_file(at.join("0.part")).unwrap(), lost),
        ("log short", |at| fs::write(at.join("0.part"), "x").unwrap(), lost),
        (
            "log damaged",
            |at| fs::write(at.join("0.part"), vec![b'x'; fs::read(at.join("0.part")).unwrap().len()]).unwrap(),
            lost,
        ),
    ];
    for (name, damage, told) in cases {
        let (folder, state) = copied();
        damage(&state);
        let resume = ["-o", "o", arg(inputs()), "--resume"];
        label(folder.path(), &resume).expect(name, 2, told);
        assert!(!folder.path().join("o").exists(), "{name}");
        if ["a pipe", "log damaged", "deep"].contains(&name) {
            label(folder.path(), &["-o", "o", arg(inputs()), "--restart"]).expect(name, 1, "2 set aside");
            assert_eq!(names(folder.path()), ["o"], "{name}");
            assert!(fs::read(folder.path().join("o")).unwrap() == whole(), "{name}");
        }
    }
    let harmless: [(&str, Damage); 3] = [
        ("a new field", |at| set_state(at, |state| state["more"] = 1.into())),
        ("bytes behind the state", |at| {
            let bytes = [fs::read(at.join("2.part")).unwrap(), b"junk".repeat(999)].concat();
            fs::write(at.join("2.part"), bytes).unwrap();
        }),
        ("no lock", |at| fs::remove_file(at.join("lock")).unwrap()),
    ];
    for (name, change) in harmless {
        let (folder, state) = copied();
        change(&state);
        label(folder.path(), &["-o", "o", arg(inputs()), "--resume"]).expect(name, 1, "going on with o … 2 set aside");
        assert!(fs::read(folder.path().join("o")).unwrap() == whole(), "{name}");
    }
}

#[test]
fn another_run_is_not_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    for (more, told) in [
        (&[][..], "an unfinished run with … add --resume to go on with it, or --restart"),
        (&["--resume", "--with-text"], "another value of --with-text: null, now it is true; --restart begins again"),
        (&["--resume", "--errors", "e"], "another value of --errors"),
        (&["--resume", "--text-field", "x"], "another value of --text-field"),
        (&["--resume", "--region", "comment"], "another value of --region"),
        (&["--resume", "more.txt"], "another value of the list of inputs"),
        (&["--resume", "-"], "--resume: standard input and pipes are gone"),
    ] {
        let (folder, _state) = copied();
        label(folder.path(), &[&["-o", "o", arg(inputs())], more].concat()).expect(&format!("{more:?}"), 2, told);
        assert_eq!(names(folder.path()), [".o.copydesk"]);
    }
    // Inputs that change need a run of their own.
    type Change = fn(&Path);
    let changes: [(&str, Change, &str); 5] = [
        (
            "longer",
            |at| fs::write(at.join("a.jsonl"), fs::read(at.join("a.jsonl")).unwrap().repeat(2)).unwrap(),
            "in/a.jsonl: was 39380 bytes, is 78760 bytes",
        ),
        (
            "newer",
            |at| {
                fs::File::options()
                    .write(true)
                    .open(at.join("a.jsonl"))
                    .unwrap()
                    .set_modified(std::time::UNIX_EPOCH)
                    .unwrap()
            },
            "in/a.jsonl: was written since the run began",
        ),
        ("removed", |at| fs::remove_file(at.join("a.jsonl")).unwrap(), "in/a.jsonl: in/b.txt stands in its place"),
        (
            "one before it",
            |at| fs::write(at.join("A.txt"), "New words.\n").unwrap(),
            "in/a.jsonl: in/A.txt stands in its place",
        ),
        ("all removed", |at| fs::remove_dir_all(at).unwrap(), "in/a.jsonl: "),
    ];
    let inputs = corpus(folder.path());
    for (name, change, told) in changes {
        fs::remove_dir_all(&inputs).unwrap();
        corpus(folder.path());
        in_shell(folder.path(), "ulimit -f 120; COPYDESK", &["-o", "o", "--restart", "in"]).expect(name, 2, GOES_ON);
        change(&inputs);
        label(folder.path(), &["-o", "o", "--resume", "in"]).expect(
            name,
            2,
            &format!("{told} … --restart begins again"),
        );
        fs::create_dir_all(&inputs).unwrap();
    }
}

#[test]
fn a_finished_run_is_finished_while_its_files_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["-o", "o", arg(inputs()), "--resume"];
    let again = |name: &str, status: i32, told: &str| label(folder.path(), &arguments).expect(name, status, told);
    again("first", 1, "2 set aside");
    again("nothing to do", 1, "nothing to do: an earlier run wrote all");
    fs::write(folder.path().join("o"), "short").unwrap();
    again("another output", 2, "o: the run that wrote it is finished, but it has 5 bytes … --restart writes it again");
    fs::remove_file(folder.path().join("o")).unwrap();
    again("no output", 2, "o: the run that wrote it is finished, but it is gone … --restart writes it again");
    fs::write(folder.path().join("o.run.json"), "{}").unwrap();
    again("no manifest", 2, "o.run.json: is no manifest of a run");
    label(folder.path(), &["-o", "o", arg(inputs()), "--restart", "--manifest"]).expect("restart", 1, "2 set aside");
    again("restarted", 1, "nothing to do");
    assert!(fs::read(folder.path().join("o")).unwrap() == whole());
}

#[test]
fn another_process_writes_the_same_output() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = quoted(inputs());
    let script = format!(
        "mkfifo pipe; \"$0\" label --model fast -o o pipe & while [ ! -e .o.copydesk/lock ]; do sleep 0.01; done; sleep 0.2
         for more in '' --resume --restart; do \"$0\" label --model fast -o o {inputs} $more; echo $?; done
         echo 'A paragraph of words.' >pipe; wait; ls -A"
    );
    let ran = shell(folder.path(), &script, &[], |_| Ok(()));
    ran.expect("in use", 0, "copydesk: o: another run is writing it now");
    assert_eq!(String::from_utf8(ran.rows).unwrap(), "2\n2\n2\no\npipe\n", "{}", ran.told);
}

/// Files below a folder, but for manifests, which tell of times.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false if path.ends_with("run.json") || path.to_string_lossy().ends_with(".run.json") => {}
            false => found.push((path.clone(), fs::read(path).unwrap())),
        }
    }
    found.sort();
    found
}

/// Told to end in the middle, once the state is there, and gone on with: the same bytes as of a run that nobody disturbed.
#[test]
fn a_run_that_is_told_to_end_goes_on_to_the_same_bytes() {
    let bytes = |folder: &Path| -> Vec<(PathBuf, Vec<u8>)> {
        let relative = |(path, bytes): (PathBuf, Vec<u8>)| (path.strip_prefix(folder).unwrap().to_owned(), bytes);
        files(folder).into_iter().map(relative).collect()
    };
    for (signal, expected, arguments, state) in [
        ("-TERM", 143, &["-o", "o", "--errors", "e"][..], ".o.copydesk/state.json"),
        ("-INT", 130, &["--output-dir", "out"], "out/.copydesk/state.json"),
        ("-HUP", 129, &["-o", "o.jsonl.zst"], ".o.jsonl.zst.copydesk/state.json"),
        ("-KILL", 137, &["--output-dir", "out"], "out/.copydesk/state.json"),
        ("-KILL", 137, &["-o", "o.jsonl", "--split-by", "label"], ".o.reporting.jsonl.copydesk/state.json"),
    ] {
        let name = format!("{signal} {arguments:?}");
        let (folder, undisturbed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let all = [&["label", "--model", "fast", "--checkpoint-seconds", "0", arg(inputs())], arguments].concat();
        let mut child = common::copydesk()
            .current_dir(folder.path())
            .args(&all)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while !folder.path().join(state).exists() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        let status = number(wait(&mut child, &name));
        // On a busy machine it may be done before the signal comes.
        assert!(status == expected || status == 1, "{name}: {status}");
        let resumed = label(folder.path(), &[&all[3..], &["--resume"]].concat());
        resumed.expect(&name, 1, if status == expected { "2 set aside" } else { "" });
        label(undisturbed.path(), &all[3..]).expect(&name, 1, "2 set aside");
        assert!(bytes(folder.path()) == bytes(undisturbed.path()), "{name}: {:?}", names(folder.path()));
    }
}

#[test]
fn standard_streams_are_closed_or_of_another_kind() {
    let folder = tempfile::tempdir().unwrap();
    let bad = format!("{}/c.jsonl", arg(inputs()));
    for (script, status, rows, told) in [
        ("\"$0\" label --model fast <&-", 2, 0, "standard input: it is closed"),
        ("\"$0\" label --model fast 0>x", 2, 0, "standard input: it is closed, or opened for the other direction"),
        ("\"$0\" label --model fast - <.", 2, 0, "-: cannot be read: Is a directory"),
        ("\"$0\" label --model fast \"$@\" >&-", 2, 0, "standard output: cannot be written: it is closed"),
        (
            "\"$0\" label --model fast \"$@\" 1</dev/null",
            2,
            0,
            "standard output: cannot be written: it is closed, or opened for the other",
        ),
        ("\"$0\" label --model fast \"$@\" 2>&-", 1, 1, ""),
        ("\"$0\" label --model fast \"$@\" 2>/dev/full", 1, 1, ""),
        ("\"$0\" label --model fast \"$@\" -o o <&- >&- 2>&-", 1, 0, ""),
        ("\"$0\" label --model fast \"$@\" \"$@\" \"$@\" | head -1", 0, 1, ""),
        (
            "mkdir gone; cd gone; rmdir ../gone; \"$0\" label --model fast -o o \"$@\"",
            2,
            0,
            "o: cannot be written: No such file",
        ),
        ("env -i \"$0\" label --model fast \"$@\"", 1, 1, "2 set aside"),
        ("TMPDIR=/none \"$0\" label --model fast -o o2 \"$@\"", 1, 0, "2 set aside"),
    ] {
        let ran = shell(folder.path(), script, &[OsStr::new(&bad)], |_| Ok(()));
        ran.expect(script, status, told);
        assert_eq!(ran.lines(), rows, "{script}: {}", ran.told);
    }
}

#[test]
fn a_run_ends_where_too_much_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    for (limit, status, told) in [
        ("0", 2, "more than 0 records or files were set aside, so the run ends here (--max-errors)"),
        ("1", 2, "more than 1 records or files"),
        ("2", 1, "2 set aside"),
    ] {
        let ran = label(folder.path(), &["--max-errors", limit, arg(inputs())]);
        ran.expect(limit, status, told);
    }
    let arguments = ["--max-errors", "0", "-o", "o", arg(inputs())];
    label(folder.path(), &arguments).expect("a file", 2, &format!("(--max-errors){GOES_ON}"));
    let on = ["--max-errors", "9", "-o", "o", arg(inputs()), "--resume"];
    label(folder.path(), &on).expect("with a higher limit", 1, "going on with o … 2 set aside");
    assert!(fs::read(folder.path().join("o")).unwrap() == whole());
    let pipe = label_pipe(folder.path(), &["--max-errors", "3", "-"], std::iter::repeat_n(b"{}\n".to_vec(), 5000));
    pipe.expect("a pipe", 2, "more than 3 records");
}

#[test]
fn descriptors_and_threads_are_few() {
    let folder = tempfile::tempdir().unwrap();
    let mut done = 0;
    for descriptors in 4..16 {
        let script = format!("ulimit -n {descriptors}; COPYDESK");
        let ran = in_shell(folder.path(), &script, &["-o", "o", "--restart", arg(inputs())]);
        assert!(matches!(ran.status, 1 | 2), "{descriptors}: {} {}", ran.status, ran.told);
        let told = if ran.status == 2 { "Too many open files" } else { "2 set aside" };
        ran.expect(&script, ran.status, told);
        if ran.status == 1 {
            assert!(fs::read(folder.path().join("o")).unwrap() == whole(), "{descriptors}");
            done += 1;
        }
    }
    assert!(done >= 4, "16 descriptors are enough");
    if !has("setpriv") || !has("bash") || !is_root() {
        eprintln!("skipped: threads can be counted for another user only");
        return;
    }
    let open: fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs::set_permissions(folder.path(), open.clone()).unwrap();
    fs::set_permissions(inputs().parent().unwrap(), open).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_copydesk"), folder.path().join("copydesk")).unwrap();
    for threads in [0, 2, 4] {
        let script = format!(
            "setpriv --reuid 54321 --clear-groups bash -c 'ulimit -u {threads}; exec ./copydesk label --model fast --threads 4 -o o{threads} {}'",
            arg(inputs())
        );
        shell(folder.path(), &script, &[], |_| Ok(())).expect(&script, 1, "2 set aside");
        assert!(fs::read(folder.path().join(format!("o{threads}"))).unwrap() == whole(), "{threads}");
    }
}

fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&fs::metadata("/proc/self").unwrap()) == 0
}

/// Where memory runs out the process is ended by the allocator; a later run is not hindered by what that leaves.
#[test]
fn memory_runs_out() {
    let folder = tempfile::tempdir().unwrap();
    for kib in [40_000, 90_000, 120_000] {
        let ran =
            in_shell(folder.path(), &format!("ulimit -v {kib}; COPYDESK 2>/dev/null"), &["-o", "o", arg(inputs())]);
        assert!(ran.status != 0 && ran.status != 101, "{kib}: {}", ran.status);
        // It is there whole or not at all.
        assert!(fs::read(folder.path().join("o")).map_or(true, |rows| rows == whole()), "{kib}");
    }
    label(folder.path(), &["-o", "o", arg(inputs()), "--resume"]).expect("enough memory", 1, "");
    assert!(fs::read(folder.path().join("o")).unwrap() == whole());
}
