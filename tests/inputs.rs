//! What `copydesk` makes of inputs of every kind, on the built binary.

mod common;

use common::{arg, copydesk, rows, run, run_with, stderr, stdout};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

const RECORDS: [&str; 5] = ["label", "--quiet", "--unit", "record", "-"];

fn texts(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["text"].as_str().unwrap()).collect()
}

#[test]
fn json_is_read_in_every_arrangement() {
    let one = r#"{"id": 1, "text": "The road is open again."}"#;
    let two = r#"{"id": 2, "text": "What a day that was."}"#;
    let lines = rows(&run_with(&RECORDS, format!("{one}\n{two}\n").as_bytes()), 0);
    let pretty = |text: &str| serde_json::to_string_pretty(&serde_json::from_str::<Value>(text).unwrap()).unwrap();
    for source in [
        format!("[{one}, {two}]"),
        format!("[\n{one},\n{two}\n]\n"),
        format!("{one}{two}"),
        format!("{one},\r\n{two}\r\n"),
        format!("{}\n{}\n", pretty(one), pretty(two)),
        pretty(&format!("[{one}, {two}]")),
    ] {
        assert_eq!(rows(&run_with(&RECORDS, source.as_bytes()), 0), lines, "{source}");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("records.json");
        fs::write(&file, &source).unwrap();
        assert_eq!(rows(&run(&["label", "--quiet", "--unit", "record", arg(&file)]), 0), lines, "{source}");
    }
}

#[test]
fn a_broken_record_costs_itself_and_says_where_it_stood() {
    let source = "[\n  {\"text\": \"One.\"},\n  {\"text\" \"Two.\"},\n  {\"text\": 3},\n  {\"text\": \"Four.\"}\n]\n";
    let output = run_with(&RECORDS, source.as_bytes());
    assert_eq!(texts(&rows(&output, 1)), ["One.", "Four."]);
    let messages = stderr(&output);
    let lines: Vec<&str> = messages.lines().collect();
    assert!(lines[0].starts_with("copydesk: -:3: record 2: invalid JSON: "), "{messages}");
    assert!(lines[1].starts_with("copydesk: -:4: record 3: field `text` must be a string"), "{messages}");
    assert_eq!(lines.len(), 2);
    let cut = run_with(&RECORDS, b"[{\"text\": \"One.\"},\n{\"text\": \"Two.\"}");
    assert_eq!(texts(&rows(&cut, 1)), ["One.", "Two."]);
    assert!(stderr(&cut).contains("is not closed"), "{}", stderr(&cut));
}

#[test]
fn records_are_not_lost_for_what_is_beside_their_text() {
    let input = concat!(
        r#"{"score": NaN, "max": Infinity, "min": -Infinity, "text": "Buy bread, not pills."}"#,
        "\n",
        r#"{"text": "cut off \ud83d"}"#,
        "\n",
    );
    let output = run_with(&["label", "--quiet", "--unit", "record"], input.as_bytes());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let kept = r#"{"score": NaN, "max": Infinity, "min": -Infinity, "text": "Buy bread, not pills.", "label": "#;
    let rows = stdout(&output);
    assert!(rows.starts_with(kept), "{rows}");
    assert!(rows.lines().nth(1).unwrap().starts_with(r#"{"text": "cut off \ud83d", "label": "#), "{rows}");
}

#[test]
fn a_stray_byte_costs_nothing_and_is_told() {
    let source = b"A first paragraph.\n\n\x93Nobody asked us\x94, she said at the caf\xe9.\n\nA last one.\n";
    let output = run_with(&["label", "--with-text", "-"], source);
    let paragraphs = rows(&output, 0);
    assert_eq!(texts(&paragraphs), ["A first paragraph.", "“Nobody asked us”, she said at the café.", "A last one."]);
    for row in &paragraphs {
        let (start, end) = (row["start"].as_u64().unwrap() as usize, row["end"].as_u64().unwrap() as usize);
        let plain: Vec<u8> = source[start..end].iter().copied().filter(u8::is_ascii).collect();
        let decoded: Vec<u8> = row["text"].as_str().unwrap().bytes().filter(u8::is_ascii).collect();
        assert_eq!(plain, decoded, "offsets are those of the source");
    }
    let messages = stderr(&output);
    assert!(messages.contains("-:3: not UTF-8, read as windows-1252"), "{messages}");
    assert!(messages.contains("1 line read as windows-1252"), "{messages}");
    let records = rows(&run_with(&RECORDS, b"{\"text\": \"\x93Quoted\x94\"}\n"), 0);
    assert_eq!(texts(&records), ["“Quoted”"]);
}

#[test]
fn other_encodings_are_read_by_mark_or_by_name() {
    let text = "Caf\u{e9} owners say: \u{201c}enough\u{201d}.\n\nA second paragraph.\n";
    let expected = rows(&run_with(&["label", "--quiet", "--with-text"], text.as_bytes()), 0);
    let utf_16 =
        |bytes: fn(u16) -> [u8; 2]| format!("\u{feff}{text}").encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    for source in [utf_16(u16::to_le_bytes), utf_16(u16::to_be_bytes)] {
        assert_eq!(rows(&run_with(&["label", "--quiet", "--with-text"], &source), 0), expected);
    }
    let latin = b"Caf\xe9 owners say: \x93enough\x94.\n\nA second paragraph.\n";
    let named = ["label", "--quiet", "--with-text", "--encoding", "windows-1252"];
    assert_eq!(rows(&run_with(&named, latin), 0), expected);
    let unmarked = run_with(&["label", "--with-text"], &utf_16(u16::to_le_bytes)[2..]);
    assert_eq!(rows(&unmarked, 0), expected);
    assert!(stderr(&unmarked).contains("-: not UTF-8, read as UTF-16LE"), "{}", stderr(&unmarked));
    assert_eq!(run_with(&["label", "--encoding", "klingon"], b"text").status.code(), Some(2));
}

#[test]
fn what_is_no_text_is_refused_with_the_next_command() {
    let folder = tempfile::tempdir().unwrap();
    let table = "id,author,comment\n1,Ann,\"First line\nand second, of one comment\"\n2,Ben,short\n";
    let feed = "<?xml version=\"1.0\"?>\n<rss version=\"2.0\"><channel/></rss>\n";
    let cases: [(&str, &[u8], &str); 6] = [
        ("feed.xml", feed.as_bytes(), "xml.etree"),
        ("page.txt.lz4", b"\x04\x22\x4d\x18\0\0\0\0", "lz4 -dc"),
        ("utf-32.txt", b"\xff\xfe\0\0A\0\0\0", "iconv -f UTF-32"),
        ("paper.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "pdftotext"),
        (
            "rows.parquet",
            b"PAR1\x15\x04\x15\0",
            if cfg!(feature = "columnar") { "footer" } else { "--features columnar" },
        ),
        ("letter.docx", b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0word/document.xml", "pandoc"),
    ];
    for (name, content, command) in cases {
        let file = folder.path().join(name);
        fs::write(&file, content).unwrap();
        for arguments in [&["label"][..], &["filter"]] {
            let output = run(&[arguments, &[arg(&file)]].concat());
            assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{name}");
            let message = stderr(&output);
            assert!(message.contains(command) && message.contains(name), "{name}: {message}");
        }
        // Without a name the content tells.
        let output = run_with(&["filter"], content);
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(stderr(&output).contains(command), "{name}: {}", stderr(&output));
    }
    let bench = run(&["bench", "--repeats", "1", arg(&folder.path().join("paper.pdf"))]);
    assert!(stderr(&bench).contains("pdftotext"), "{}", stderr(&bench));
    // The advice names the command in use.
    let named = run(&["filter", arg(&folder.path().join("feed.xml"))]);
    assert!(stderr(&named).contains("| copydesk filter --input-format text"), "{}", stderr(&named));
    // What is said to be JSON is refused once.
    for (arguments, advice) in [
        (&["eval", "--data", "-"][..], "named FILE.csv"),
        (&["label", "--input-format", "jsonl"], "--input-format csv"),
    ] {
        let piped = run_with(arguments, table.as_bytes());
        let message = stderr(&piped);
        assert_eq!((piped.status.code(), message.matches(advice).count()), (Some(2), 1), "{message}");
        assert!(!message.contains("invalid JSON"), "{message}");
    }
    let file = folder.path().join("comments.csv");
    fs::write(&file, table).unwrap();
    let forced = run(&["label", "--quiet", "--input-format", "text", arg(&file)]);
    assert_eq!(forced.status.code(), Some(0), "{}", stderr(&forced));
}

#[test]
fn carriage_returns_alone_end_lines() {
    let output = run_with(&["filter", "--quiet", "--threshold", "1"], b"First comment.\rSecond one.\r\rThird.\r");
    assert_eq!(stdout(&output), "First comment.\nSecond one.\nThird.\n");
}

/// A line must come out while the input is still open.
#[test]
fn rows_come_while_input_pauses() {
    for (arguments, line) in [
        (&["filter", "--quiet", "--threshold", "1"][..], "A comment that somebody wrote.\n"),
        (&["label", "--quiet"], "{\"text\": \"A comment that somebody wrote.\"}\n"),
        (&["label", "--quiet", "--unit", "record"], "{\"text\": \"A comment that somebody wrote.\"}\n"),
    ] {
        let mut child = copydesk().args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        for _ in 0..3 {
            input.write_all(line.as_bytes()).unwrap();
            let mut row = String::new();
            // A command that keeps the row makes this wait for ever.
            output.read_line(&mut row).unwrap();
            assert!(row.contains("somebody wrote") || row.contains("\"label\""), "{row}");
        }
        drop(input);
        assert!(child.wait().unwrap().success());
    }
}

#[cfg(unix)]
#[test]
fn nobody_who_reads_ends_the_command_while_input_pauses() {
    let mut child = copydesk().args(["label", "--quiet"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let input = child.stdin.take().unwrap();
    drop(child.stdout.take());
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "it waits for input that nobody wants");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(0));
    drop(input);
}

#[cfg(unix)]
#[test]
fn folders_that_link_to_each_other_are_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let level = |number: u32| folder.path().join(format!("store/{number}"));
    for number in 0..27 {
        fs::create_dir_all(level(number)).unwrap();
        if number > 0 {
            for link in ["x", "y"] {
                std::os::unix::fs::symlink(level(number), level(number - 1).join(link)).unwrap();
            }
        }
    }
    fs::write(level(26).join("page.txt"), "One paragraph.\n").unwrap();
    assert_eq!(rows(&run(&["label", "--quiet", arg(&level(0))]), 0).len(), 1);
}

#[cfg(unix)]
#[test]
fn a_model_folder_with_a_pipe_in_it_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("config.json");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for file in ["config.json", "cascade.json"] {
        let to = folder.path().join(file);
        if to != pipe {
            fs::rename(&pipe, &to).unwrap();
        }
        let output = run_with(&["label", "--model", arg(folder.path())], b"text");
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("expected a file, got a pipe or a device"), "{}", stderr(&output));
    }
}

#[test]
fn records_on_one_line_have_names_of_their_own() {
    let input = b"[{\"text\": \"One.\"}, {\"text\": \"Two.\"}]";
    let docs: Vec<Value> =
        rows(&run_with(&["label", "--quiet"], input), 0).iter().map(|row| row["doc"].clone()).collect();
    assert_eq!(docs, [json!("-:1:1"), json!("-:1:2")]);
}
