//! Compressed inputs, over the built binary: the same rows as of what they hold.

mod common;

use common::pack::{bzip2, gzip, xz, zstd};
use common::{arg, rows, run, run_with, stderr, stdout};
use std::fs;

const TEXT: &str = "The council voted 7 to 2 on Monday.\n\nFinally! About time they listened to us.\n";
const JSON: &str =
    "{\"id\": 1, \"text\": \"Nobody asked us.\"}\n{\"id\": 2, \"text\": \"The bridge opened in May.\"}\n";

type Pack = fn(&[u8]) -> Vec<u8>;

const PACKERS: [(&str, Pack); 4] = [("gz", gzip), ("zst", zstd), ("bz2", bzip2), ("xz", xz)];

/// The rows of a file, whose name in them is that of the plain one.
fn rows_of(name: &str, content: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    fs::write(&file, content).unwrap();
    let output = run(&["label", "--quiet", "--with-text", arg(&file)]);
    assert_eq!(output.status.code(), Some(0), "{name}: {}", stderr(&output));
    stdout(&output).replace(arg(&file), "FILE")
}

#[test]
fn a_compressed_file_gives_the_rows_of_what_it_holds() {
    for (plain_name, plain) in [("a.txt", TEXT), ("rows.jsonl", JSON), ("page.html", "<p>One.</p><p>Two words.</p>")] {
        let expected = rows_of(plain_name, plain.as_bytes());
        for (extension, pack) in PACKERS {
            let name = format!("{plain_name}.{extension}");
            assert_eq!(rows_of(&name, &pack(plain.as_bytes())), expected, "{name}");
        }
        // Twice; without the name; and called so without being it.
        assert_eq!(rows_of(&format!("{plain_name}.gz.zst"), &zstd(&gzip(plain.as_bytes()))), expected);
        assert_eq!(rows_of(plain_name, &xz(plain.as_bytes())), expected);
        assert_eq!(rows_of(&format!("{plain_name}.gz"), plain.as_bytes()), expected);
    }
}

#[test]
fn files_joined_by_cat_are_read_through_a_pipe() {
    let (first, second) = TEXT.split_at(TEXT.find("Finally").unwrap());
    let expected = stdout(&run_with(&["label", "--quiet"], TEXT.as_bytes()));
    for (extension, pack) in PACKERS {
        let joined = [pack(first.as_bytes()), pack(b""), pack(second.as_bytes())].concat();
        assert_eq!(stdout(&run_with(&["label", "--quiet"], &joined)), expected, "{extension}");
    }
}

#[test]
fn what_stands_before_a_fault_is_labelled() {
    for (extension, pack) in PACKERS {
        let whole = pack(TEXT.as_bytes());
        let cases = [
            ([&whole[..], &whole[..9]].concat(), "end in the middle"),
            ([&whole[..], b"more"].concat(), "stands something else"),
        ];
        for (source, message) in cases {
            let output = run_with(&["label", "--with-text"], &source);
            let told = stderr(&output);
            assert!(told.contains("cannot be read: ") && told.contains(message), "{extension}: {told}");
            assert_ne!(output.status.code(), Some(0), "{extension}");
            assert_eq!(stdout(&output).lines().count(), 2, "{extension}: {told}");
        }
    }
    let deep = run_with(&["label"], &gzip(&gzip(&gzip(TEXT.as_bytes()))));
    assert!(stderr(&deep).contains("compressed more than twice"), "{}", stderr(&deep));
}

#[test]
fn an_archive_in_a_compressed_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.tgz");
    let header = [&b"words.txt"[..], &[0; 248], b"ustar\x0000", &[0; 247]].concat();
    fs::write(&file, gzip(&[&header, TEXT.as_bytes()].concat())).unwrap();
    let output = run(&["label", arg(&file)]);
    assert!(stderr(&output).contains("a tar archive") && stderr(&output).contains("tar -xOf"), "{}", stderr(&output));
}

#[test]
fn an_old_encoding_is_guessed_and_told() {
    let text = "Вчера городской совет решил построить новую библиотеку.\n\nМногие жители довольны.\n";
    let (old, ..) = encoding_rs::WINDOWS_1251.encode(text);
    let expected = rows(&run_with(&["label", "--quiet", "--with-text"], text.as_bytes()), 0);
    for source in [old.to_vec(), gzip(&old)] {
        let output = run_with(&["label", "--with-text"], &source);
        assert_eq!(rows(&output, 0), expected);
        let told = stderr(&output);
        assert!(told.contains("-: not UTF-8, read as windows-1251 (--encoding names another)"), "{told}");
        assert!(told.contains("1 source read in another encoding"), "{told}");
    }
}
