//! What `copydesk` makes of HTML pages, on the built binary and in the library.

mod common;

use common::{arg, rows, run, run_with, stderr, stdout};
use copydesk::{Copydesk, InputFormat, RowOptions, html_content};
use serde_json::Value;
use std::fs;

/// A page as blogs have them, written for this test.
const PAGE: &str = r#"<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>The ferry is back - The Harbour Post</title>
<meta property="og:type" content="article"><style>p { color: red }</style><script>var menu = "<p>no</p>";</script></head>
<body class="single-post has-sidebar">
<header class="site-header"><a href="/" class="logo">The Harbour Post</a>
<nav class="main-nav"><ul><li><a href="/news">News</a></li><li><a href="/sport">Sport</a></li><li><a href="/shop">Shop</a></li>
</ul></nav></header>
<main><article class="post"><header><h1 class="entry-title">The ferry is back</h1></header>
<div class="entry-content">
<p>The ferry between the old harbour and the island sailed again on Saturday, after four months in the yard at Westhaven.</p>
<p>About two hundred people waited at the pier, and the school&rsquo;s brass band played until the last passenger was on
board. The captain, <b>Ida Krog</b>, said that the new engine needs a third less fuel.</p>
<h2>Fares stay as they were</h2>
<p>A return ticket costs nine crowns, as it did last year. Children under six travel free, and bicycles are carried on the lower
deck if there is room for them.</p>
<ul><li>First ferry at six in the morning</li><li>Last ferry at eleven at night</li></ul>
<p>The council will decide in March whether a second boat is to be bought for the summer, when the queues are longest.</p>
</div></article>
<section id="comments" class="comments-area"><h2>2 comments</h2><ol class="comment-list">
<li class="comment"><p>Finally! I have driven round the fjord every day since August and I am sick of it.</p></li>
<li class="comment"><p>Nine crowns is too much for a trip of ten minutes, if you ask me.</p></li></ol></section></main>
<aside class="sidebar"><h3>Most read</h3><ul><li><a href="/1">Bakery closes its doors</a></li><li><a href="/2">New lamps for the
pier</a></li></ul></aside>
<footer class="site-footer"><p>&copy; 2026 The Harbour Post. All rights reserved.</p><a href="/privacy">Privacy</a></footer>
</body></html>
"#;

fn texts(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["text"].as_str().unwrap()).collect()
}

#[test]
fn every_block_gets_a_row_with_its_span() {
    let rows = rows(&run_with(&["label", "--quiet", "--model", "fast", "--with-text"], PAGE.as_bytes()), 0);
    let texts = texts(&rows);
    assert!(texts.contains(&"The ferry is back") && texts.contains(&"Privacy"), "{texts:?}");
    assert!(texts.iter().all(|text| !text.contains("color") && !text.contains("var menu")));
    for (number, row) in rows.iter().enumerate() {
        let (start, end) = (row["start"].as_u64().unwrap() as usize, row["end"].as_u64().unwrap() as usize);
        let (source, text) = (&PAGE[start..end], row["text"].as_str().unwrap());
        assert_eq!(row["paragraph"], number);
        assert_eq!(source.chars().last(), text.chars().last(), "{source}");
        if !source.contains(['<', '&', '\n']) {
            assert_eq!(source, text);
        }
        assert!((0.0..=1.0).contains(&row["content"].as_f64().unwrap()));
    }
    let decoded = texts.iter().find(|text| text.starts_with("About two hundred")).unwrap();
    assert!(decoded.contains("school’s brass band") && decoded.contains("captain, Ida Krog, said"), "{decoded}");
}

#[test]
fn content_only_leaves_menus_and_notices_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ferry.html");
    fs::write(&file, PAGE).unwrap();
    let rows = rows(&run(&["label", "--quiet", "--model", "fast", "--with-text", "--content-only", arg(&file)]), 0);
    let texts = texts(&rows);
    // A headline inside `header` may be missed; the card of the content model says so.
    assert!(texts.contains(&"Fares stay as they were"), "{texts:?}");
    for start in ["The ferry between", "About two hundred", "A return ticket", "The council will"] {
        assert!(texts.iter().any(|text| text.starts_with(start)), "{start}: {texts:?}");
    }
    for unwanted in ["Sport", "Privacy", "Bakery closes its doors", "Most read"] {
        assert!(!texts.contains(&unwanted), "{unwanted}: {texts:?}");
    }
    // The same blocks without a model of labels, from the command and from the library.
    let plain = run(&["content", "--quiet", "--plain", arg(&file)]);
    assert_eq!(plain.status.code(), Some(0), "{}", stderr(&plain));
    assert_eq!(stdout(&plain).trim_end(), texts.join("\n\n"));
    assert_eq!(html_content(PAGE), texts.join("\n\n"));
    let row = common::rows(&run(&["content", "--quiet", arg(&file)]), 0);
    assert_eq!((row.len(), row[0]["text"].as_str().unwrap()), (1, texts.join("\n\n").as_str()));
}

#[test]
fn the_library_answers_as_the_command_does() {
    let desk = Copydesk::builder().model("fast").build().unwrap();
    let blocks = desk.label_html(PAGE).unwrap();
    let rows = rows(&run_with(&["label", "--quiet", "--model", "fast", "--with-text"], PAGE.as_bytes()), 0);
    assert_eq!(blocks.len(), rows.len());
    for (block, row) in blocks.iter().zip(&rows) {
        assert_eq!(
            (block.text.as_str(), block.label.as_str()),
            (row["text"].as_str().unwrap(), row["label"].as_str().unwrap())
        );
        assert_eq!(block.span.start as u64, row["start"].as_u64().unwrap());
        assert!((f64::from(block.confidence) - row["confidence"].as_f64().unwrap()).abs() < 1e-6);
    }
    let options = RowOptions::default().format(InputFormat::Html);
    let streamed: Vec<_> = desk.rows(PAGE.as_bytes(), &options).map(Result::unwrap).collect();
    assert_eq!(streamed.len(), blocks.len());
    assert!(streamed.iter().zip(&blocks).all(|(row, block)| row.content == Some(block.content)));
}

#[test]
fn a_page_that_names_its_encoding_is_read_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("old.htm");
    let page =
        b"<html><head><meta charset=\"iso-8859-2\"></head><body><p>\xa3\xf3d\xbc and Krak\xf3w</p></body></html>";
    fs::write(&file, page).unwrap();
    let rows = rows(&run(&["label", "--quiet", "--model", "fast", "--with-text", arg(&file)]), 0);
    assert_eq!(texts(&rows), ["Łódź and Kraków"]);
}

#[test]
fn a_page_has_no_records_and_a_text_no_main_content() {
    let folder = tempfile::tempdir().unwrap();
    let (page, text) = (folder.path().join("page.html"), folder.path().join("text.txt"));
    fs::write(&page, PAGE).unwrap();
    fs::write(&text, "Just a text.\n").unwrap();
    let output = run(&["filter", arg(&page)]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(stderr(&output).contains("copydesk label"), "{}", stderr(&output));
    let output = run(&["content", arg(&text)]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(stderr(&output).contains("no HTML page"), "{}", stderr(&output));
    let both = run(&["content", "--quiet", arg(&text), arg(&page)]);
    assert_eq!(rows(&both, 1).len(), 1);
}

#[test]
fn a_page_without_end_is_refused_and_a_large_one_read() {
    let folder = tempfile::tempdir().unwrap();
    let (large, endless) = (folder.path().join("large.html"), folder.path().join("endless.html"));
    fs::write(&large, format!("<html>{}", "<div>\n".repeat(1_000_000))).unwrap();
    fs::write(&endless, format!("<html>{}", "<div>\n".repeat(3_000_000))).unwrap();
    let output = run(&["content", "--quiet", arg(&large)]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0), "{}", stderr(&output));
    let output = run(&["content", "--quiet", arg(&endless)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("page longer than"), "{}", stderr(&output));
}
