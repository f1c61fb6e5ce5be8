//! What `copydesk` makes of web archives (WARC), on the built binary.

mod common;

use common::pack::gzip;
use common::{arg, rows, run, run_with, stderr, stdout};
use serde_json::Value;
use std::fs;

const ARTICLE: &str = "<!DOCTYPE html><html><head><title>The pier</title></head><body><nav><ul><li><a href=/>Home</a></li>\
    <li><a href=/sport>Sport</a></li></ul></nav><article><h1>The pier is open</h1><p>The new pier at the old harbour opened on \
    Saturday, and some three hundred people came to see the first boat leave for the island.</p><p>It cost the town four \
    million crowns, a third less than the council had expected two years ago.</p></article></body></html>";

fn record(kind: &str, url: &str, content_type: &str, content: &[u8]) -> Vec<u8> {
    let header = format!(
        "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:id-of-{url}>\r\nWARC-Target-URI: {url}\r\n\
        WARC-Date: 2026-03-01T12:00:00Z\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        content.len()
    );
    [header.as_bytes(), content, b"\r\n\r\n"].concat()
}

fn info() -> Vec<u8> {
    record("warcinfo", "info", "application/warc-fields", b"software: by hand\r\n")
}

fn answer(url: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let content = [format!("HTTP/1.1 200 OK\r\n{headers}\r\n").as_bytes(), body].concat();
    record("response", url, "application/http; msgtype=response", &content)
}

fn chunked(bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for chunk in bytes.chunks(100) {
        body.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        body.extend(chunk);
        body.extend(b"\r\n");
    }
    body.extend(b"0\r\n\r\n");
    body
}

/// The records of an archive, each for itself.
fn records_of(archive: &[u8]) -> Vec<Vec<u8>> {
    let mark = b"WARC/1.0\r\n";
    let starts = (0..archive.len()).filter(|&at| archive[at..].starts_with(mark));
    let mut bounds: Vec<usize> = starts.collect();
    bounds.push(archive.len());
    bounds.windows(2).map(|bound| archive[bound[0]..bound[1]].to_vec()).collect()
}

fn label(more: &[&str], source: &[u8]) -> std::process::Output {
    run_with(&[&["label", "--model", "fast"], more].concat(), source)
}

fn texts(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["text"].as_str().unwrap()).collect()
}

#[test]
fn texts_of_an_archive_are_records() {
    let source = [
        info(),
        record(
            "conversion",
            "http://a.example/1",
            "text/plain",
            "One text.\n\nWith two paragraphs – so far.\n".as_bytes(),
        ),
        record("conversion", "http://a.example/2", "text/plain", b"Another text.\n"),
    ]
    .concat();
    let output = label(&["--with-text"], &source);
    assert!(stderr(&output).contains("; 1 record passed over: 1 of another kind"), "{}", stderr(&output));
    let paragraphs = rows(&output, 0);
    assert_eq!(texts(&paragraphs), ["One text.", "With two paragraphs – so far.", "Another text."]);
    assert_eq!(paragraphs[1]["doc"], "id-of-http://a.example/1");
    let records = rows(&label(&["--unit", "record", "--quiet"], &source), 0);
    assert_eq!(records.len(), 2);
    assert_eq!((&records[1]["url"], &records[1]["text"]), (&"http://a.example/2".into(), &"Another text.\n".into()));
}

#[test]
fn pages_of_an_archive_are_read_as_pages() {
    let packed = "Content-Type: text/html; charset=utf-8\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n";
    let source = [
        info(),
        record("request", "http://a.example/pier", "application/http; msgtype=request", b"GET /pier HTTP/1.1\r\n\r\n"),
        answer("http://a.example/pier", packed, &chunked(&gzip(ARTICLE.as_bytes()))),
        answer("http://a.example/old", "Content-Type: text/html; charset=iso-8859-2\r\n", b"<p>\xa3\xf3d\xbc"),
        answer("http://a.example/robots.txt", "Content-Type: text/plain\r\n", b"Disallow: /private"),
    ]
    .concat();
    let folder = tempfile::tempdir().unwrap();
    let (archive, page) = (folder.path().join("crawl.warc"), folder.path().join("pier.html"));
    fs::write(&archive, &source).unwrap();
    fs::write(&page, ARTICLE).unwrap();
    let options = ["label", "--quiet", "--model", "fast", "--with-text", "--with-source"];
    let archived = rows(&run(&[&options[..], &[arg(&archive)]].concat()), 0);
    let alone = rows(&run(&[&options[..], &[arg(&page)]].concat()), 0);
    let (pier, others) = archived.split_at(alone.len());
    for (archived, alone) in pier.iter().zip(&alone) {
        for field in ["paragraph", "start", "end", "text", "content", "scores"] {
            assert_eq!(archived[field], alone[field]);
        }
        assert_eq!(archived["doc"], "http://a.example/pier");
        assert_eq!((&archived["file"], &archived["line"]), (&arg(&archive).into(), &3.into()));
    }
    assert_eq!(texts(others), ["Łódź", "Disallow: /private"]);
    assert_eq!((&others[0]["paragraph"], &others[0]["doc"]), (&0.into(), &"http://a.example/old".into()));

    let options = ["label", "--quiet", "--model", "fast", "--keep-fields", "url,status"];
    let kept = rows(&run(&[&options[..], &[arg(&archive)]].concat()), 0);
    assert_eq!((&kept[0]["url"], &kept[0]["status"]), (&"http://a.example/pier".into(), &200.into()));
    // As such archives are stored: each record compressed for itself, a page that is no UTF-8 near the beginning.
    let packed = folder.path().join("crawl.warc.gz");
    let members: Vec<u8> = records_of(&source).into_iter().flat_map(|record| gzip(&record)).collect();
    fs::write(&packed, members).unwrap();
    let options = ["label", "--quiet", "--model", "fast", "--with-text"];
    let unpacked = rows(&run(&[&options[..], &[arg(&packed)]].concat()), 0);
    assert_eq!(texts(&unpacked), texts(&archived));

    // The same text from every command that wants a page as a whole.
    let content = rows(&run(&["content", "--quiet", arg(&page)]), 0);
    let contents = rows(&run(&["content", "--quiet", arg(&archive)]), 0);
    assert_eq!(contents.len(), 2);
    assert_eq!((&contents[0]["doc"], &contents[0]["text"]), (&"http://a.example/pier".into(), &content[0]["text"]));
    let records = rows(&run(&["label", "--quiet", "--model", "fast", "--unit", "record", arg(&archive)]), 0);
    assert_eq!(records[0]["text"], content[0]["text"]);
    assert_eq!((&records[0]["status"], &records[0]["id"]), (&200.into(), &"id-of-http://a.example/pier".into()));
    let kept = rows(&run(&["filter", "--quiet", "--model", "fast", arg(&archive)]), 0);
    assert_eq!(kept[0]["url"], "http://a.example/pier");
}

#[test]
fn what_is_wrong_with_a_record_costs_no_other() {
    let text = |name: &str| record("conversion", name, "text/plain", format!("The text {name}.").as_bytes());
    let with_length = |name: &str, length: &str| {
        let record = String::from_utf8(text(name)).unwrap();
        record.replace("Content-Length: 11", &format!("Content-Length: {length}")).into_bytes()
    };
    let brotli = answer("http://a.example/br", "Content-Type: text/html\r\nContent-Encoding: br\r\n", b"\x8b\x02\x80");
    let source = [
        &text("a")[..],
        &with_length("b", "5"),
        &text("c"),
        &with_length("d", "70"),
        &text("e"),
        &with_length("f", "many"),
        b"no record\r\n",
        &text("g"),
        &brotli,
        &text("h")[..100],
    ]
    .concat();
    let output = label(&["--quiet", "--with-text"], &source);
    let told = stderr(&output);
    assert_eq!(texts(&rows(&output, 1)), ["The text a.", "The text c.", "The text e.", "The text g."], "{told}");
    for message in [
        "-:2: Content-Length is 5, but the next record, or the end, comes after 11 bytes",
        "-:4: Content-Length is 70, but the next record, or the end, comes after 11 bytes",
        "-:6: Content-Length must be a number of bytes, got `many`",
        "-:8: the body is compressed with `br`; gzip and deflate are read",
        "-:9: the header is not closed by a blank line",
    ] {
        assert!(told.contains(message), "{message}: {told}");
    }
    assert_eq!(told.lines().count(), 5, "{told}");
}

#[test]
fn an_archive_is_read_as_what_it_is() {
    let source = record("conversion", "a", "text/plain", b"A text.");
    let output = label(&["--quiet", "--encoding", "koi8-r"], &source);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(stderr(&output).contains("leave --encoding out"), "{}", stderr(&output));
    let named = rows(&label(&["--quiet", "--input-format", "warc"], &[b"\r\n", &source[..]].concat()), 0);
    assert_eq!(named.len(), 1);
    let output = run_with(&["content", "--quiet"], &source);
    assert_eq!((output.status.code(), stdout(&output)), (Some(2), String::new()));
    assert!(stderr(&output).contains("no HTML page"), "{}", stderr(&output));
}
