//! What blogs export, on the built binary.

mod common;

use common::{arg, rows, run_with, stderr};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const RECORDS: [&str; 4] = ["label", "--quiet", "--unit", "record"];

/// The records of an input, without what a label adds to them.
fn read(arguments: &[&str], input: &[u8], status: i32) -> (Vec<Value>, String) {
    let output = run_with(&[&RECORDS[..], arguments].concat(), input);
    let mut rows = rows(&output, status);
    for row in &mut rows {
        assert!(row["label"].is_string(), "{row}");
        row.as_object_mut().unwrap().retain(|name, _| FIELDS.contains(&name.as_str()));
    }
    (rows, stderr(&output))
}

/// What a comment of any export may have.
const FIELDS: [&str; 15] = [
    "id",
    "text",
    "html",
    "author",
    "author_url",
    "author_email",
    "page_title",
    "permalink",
    "date",
    "ip",
    "status",
    "kind",
    "parent",
    "isDeleted",
    "isSpam",
];

fn texts(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["text"].as_str().unwrap()).collect()
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn wordpress_comment(id: u32, status: &str, content: &str) -> String {
    format!(
        "\t\t<wp:comment>\n\t\t\t<wp:comment_id>{id}</wp:comment_id>\n\
         \t\t\t<wp:comment_author><![CDATA[Ann Baker]]></wp:comment_author>\n\
         \t\t\t<wp:comment_author_email><![CDATA[ann@site.example]]></wp:comment_author_email>\n\
         \t\t\t<wp:comment_author_url>https://ann.example/?a=1&amp;b=2</wp:comment_author_url>\n\
         \t\t\t<wp:comment_author_IP><![CDATA[192.0.2.7]]></wp:comment_author_IP>\n\
         \t\t\t<wp:comment_date><![CDATA[2023-05-06 09:08:09]]></wp:comment_date>\n\
         \t\t\t<wp:comment_date_gmt><![CDATA[2023-05-06 07:08:09]]></wp:comment_date_gmt>\n\
         \t\t\t<wp:comment_content><![CDATA[{content}]]></wp:comment_content>\n\
         \t\t\t<wp:comment_approved><![CDATA[{status}]]></wp:comment_approved>\n\
         \t\t\t<wp:comment_type><![CDATA[comment]]></wp:comment_type>\n\
         \t\t\t<wp:comment_parent>0</wp:comment_parent>\n\t\t\t<wp:comment_user_id>0</wp:comment_user_id>\n\
         \t\t\t<wp:commentmeta>\n\t\t\t<wp:meta_key><![CDATA[note]]></wp:meta_key>\n\
         \t\t\t<wp:meta_value><![CDATA[<wp:comment>]]></wp:meta_value>\n\t\t\t</wp:commentmeta>\n\t\t</wp:comment>\n"
    )
}

fn wordpress(items: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<!-- generator=\"WordPress/6.1\" created=\"2023-05-07 10:00\" -->\n\
         <rss version=\"2.0\"\n\txmlns:content=\"http://purl.org/rss/1.0/modules/content/\"\n\
         \txmlns:wp=\"http://wordpress.org/export/1.2/\"\n>\n<channel>\n\t<title>Our bread</title>\n\
         \t<link>https://bread.example</link>\n{items}</channel>\n</rss>\n"
    )
}

fn item(title: &str, comments: &str) -> String {
    format!(
        "\t<item>\n\t\t<title><![CDATA[{title}]]></title>\n\t\t<link>https://bread.example/{title}/</link>\n\
         \t\t<content:encoded><![CDATA[<p>Text of a page.</p>]]></content:encoded>\n{comments}\t</item>\n"
    )
}

#[test]
fn comments_of_a_wordpress_export_are_records() {
    let export = wordpress(
        &(item("rye", &wordpress_comment(4, "1", "My loaf <em>rose</em> well."))
            + &item("spelt", "")
            + &item("oats", &wordpress_comment(5, "trash", "Nobody asked ]]]]><![CDATA[> us."))),
    );
    let expected = [
        json!({"id": "4", "text": "My loaf <em>rose</em> well.", "html": "My loaf <em>rose</em> well.",
            "author": "Ann Baker", "author_url": "https://ann.example/?a=1&b=2", "author_email": "ann@site.example",
            "page_title": "rye", "permalink": "https://bread.example/rye/", "date": "2023-05-06 07:08:09",
            "ip": "192.0.2.7", "status": "approved", "kind": "comment", "parent": "0"}),
        json!({"id": "5", "text": "Nobody asked ]]> us.", "author": "Ann Baker",
            "author_url": "https://ann.example/?a=1&b=2", "author_email": "ann@site.example", "page_title": "oats",
            "permalink": "https://bread.example/oats/", "date": "2023-05-06 07:08:09", "ip": "192.0.2.7",
            "status": "trash", "kind": "comment", "parent": "0"}),
    ];
    assert_eq!(read(&[], export.as_bytes(), 0).0, expected);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "site.xml", &export);
    assert_eq!(read(&[arg(&folder.path().join("site.xml"))], b"", 0).0, expected);
    // A name may say less than the content, or something else.
    write(folder.path(), "site.txt", &export);
    assert_eq!(read(&[arg(&folder.path().join("site.txt"))], b"", 0).0, expected);
    let forced = format!("<!-- {} -->{export}", "a remark ".repeat(9999));
    assert_eq!(read(&["--input-format", "wxr"], forced.as_bytes(), 0).0, expected);
}

#[test]
fn a_broken_comment_costs_itself() {
    let crossed = wordpress_comment(2, "1", "crossed").replace("</wp:comment_author>", "</b>");
    let open = wordpress_comment(3, "1", "open").replace("</wp:comment>", "");
    let export = wordpress(&item(
        "rye",
        &[&wordpress_comment(1, "1", "one"), &crossed, &open, &wordpress_comment(4, "1", "four")]
            .map(String::as_str)
            .concat(),
    ));
    let (records, told) = read(&[], export.as_bytes(), 1);
    assert_eq!(texts(&records), ["one", "four"]);
    assert_eq!(told.matches("a comment of the WordPress export cannot be read").count(), 2, "{told}");
    // Wherever an export was cut, the comments before that are there, and that it was cut is told.
    for share in [30, 50, 70, 90] {
        let (records, told) =
            read(&[], &export.as_bytes()[..export.len() * share / 100], if share == 30 { 2 } else { 1 });
        assert!(texts(&records).iter().eq(["one", "four"][..records.len()].iter()), "{share}: {records:?}");
        assert!(told.contains("not closed") || told.contains("export it again"), "{share}: {told}");
    }
}

#[test]
fn hostile_xml_is_bounded() {
    let mut bomb = "<?xml version=\"1.0\"?>\n<!DOCTYPE disqus [<!ENTITY a0 \"ha\">".to_owned();
    for level in 1..40 {
        bomb += &format!("<!ENTITY a{level} \"{}\">", format!("&a{};", level - 1).repeat(10));
    }
    bomb += "<!ENTITY file SYSTEM \"file:///etc/hostname\">]>\n<disqus xmlns=\"http://disqus.com\">\
        <post><message>words &a39; &file;</message></post></disqus>";
    assert_eq!(texts(&read(&["--input-format", "disqus"], bomb.as_bytes(), 0).0), ["words &a39; &file;"]);
    let deep = format!("{}{}", "<a>".repeat(200_000), "</a>".repeat(200_000));
    let comment = wordpress_comment(1, "1", "one");
    let within = wordpress_comment(2, "1", "two").replace("<wp:commentmeta>", &format!("{deep}<wp:commentmeta>"));
    let export = wordpress(&item("rye", &format!("{deep}{comment}{within}")));
    let (records, told) = read(&[], export.as_bytes(), 1);
    assert_eq!(texts(&records), ["one"]);
    assert!(told.contains("nested more than"), "{told}");
}

const DISQUS: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
    <disqus xmlns=\"http://disqus.com\" xmlns:dsq=\"http://disqus.com/disqus-internals\">\n\
    <category dsq:id=\"1\"><forum>bread</forum><title>General</title><isDefault>true</isDefault></category>\n\
    <thread dsq:id=\"70\">\n<id>rye</id>\n<link>https://bread.example/rye</link>\n<title>Rye &amp; oats</title>\n<message/>\n\
    <author><name>Owner</name></author>\n<isClosed>false</isClosed>\n<isDeleted>false</isDeleted>\n</thread>\n\
    <post dsq:id=\"901\">\n<id/>\n<message><![CDATA[<p>It rose well.</p>]]></message>\n<createdAt>2020-01-02T03:04:05Z</createdAt>\n\
    <isDeleted>false</isDeleted>\n<isSpam>false</isSpam>\n\
    <author><name>Ben</name><isAnonymous>false</isAnonymous><username>ben</username></author>\n<thread dsq:id=\"70\"/>\n</post>\n\
    <post dsq:id=\"902\">\n<id/>\n<message>Gone.</message>\n<isDeleted>true</isDeleted>\n<isSpam>false</isSpam>\n<thread dsq:id=\"70\"/>\n\
    <parent dsq:id=\"901\"/>\n</post>\n\
    <post dsq:id=\"903\">\n<id/>\n<message>Cheap pills.</message>\n<isDeleted>true</isDeleted>\n<isSpam>true</isSpam>\n\
    <thread dsq:id=\"99\"/>\n</post>\n</disqus>\n";

#[test]
fn posts_of_a_disqus_export_are_records() {
    let expected = [
        json!({"id": "901", "text": "<p>It rose well.</p>", "html": "<p>It rose well.</p>", "author": "Ben",
            "page_title": "Rye & oats", "permalink": "https://bread.example/rye", "date": "2020-01-02T03:04:05Z",
            "status": "approved", "kind": "comment", "isDeleted": false, "isSpam": false}),
        json!({"id": "902", "text": "Gone.", "page_title": "Rye & oats", "permalink": "https://bread.example/rye",
            "status": "deleted", "kind": "comment", "parent": "901", "isDeleted": true, "isSpam": false}),
        json!({"id": "903", "text": "Cheap pills.", "status": "spam", "kind": "comment", "isDeleted": true, "isSpam": true}),
    ];
    assert_eq!(read(&[], DISQUS.as_bytes(), 0).0, expected);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "disqus.xml", DISQUS);
    assert_eq!(read(&[arg(&folder.path().join("disqus.xml"))], b"", 0).0, expected);
}

fn sql_row(id: u32, content: &str) -> String {
    format!(
        "({id},7,'Ann \\'A\\' Baker','ann@site.example','https://ann.example/','192.0.2.7','2023-05-06 09:08:09',\
         '2023-05-06 07:08:09','{content}',0,'spam','Browser (X; Y)','comment',0,0)"
    )
}

#[test]
fn rows_of_a_wordpress_dump_are_records() {
    let dump = format!(
        "-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)\n--\n-- Host: localhost\n\
         DROP TABLE IF EXISTS `blog_posts`;\nCREATE TABLE `blog_posts` (\n  `ID` bigint(20) unsigned NOT NULL AUTO_INCREMENT,\n\
         `post_title` text NOT NULL,\n  `guid` varchar(255) NOT NULL DEFAULT '',\n  PRIMARY KEY (`ID`)\n) ENGINE=InnoDB;\n\
         INSERT INTO `blog_posts` VALUES\n(7,'Rye; it\\'s \"good\"','https://bread.example/?p=7');\n\
         LOCK TABLES `blog_comments` WRITE;\nINSERT INTO `blog_comments` VALUES\n{},\n{};\nUNLOCK TABLES;\n",
        sql_row(1, "One\\r\\n<b>two</b>; it''s (so"),
        sql_row(2, "\\\"No,\\\" she said.\\\\")
    );
    let (records, _) = read(&[], dump.as_bytes(), 0);
    assert_eq!(
        records[0],
        json!({"id": "1", "text": "One\r\n<b>two</b>; it's (so", "html": "One\r\n<b>two</b>; it's (so",
            "author": "Ann 'A' Baker", "author_url": "https://ann.example/", "author_email": "ann@site.example",
            "page_title": "Rye; it's \"good\"", "permalink": "https://bread.example/?p=7", "date": "2023-05-06 07:08:09",
            "ip": "192.0.2.7", "status": "spam", "kind": "comment", "parent": "0"})
    );
    assert_eq!(texts(&records)[1], "\"No,\" she said.\\");
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "blog.sql", &dump);
    assert_eq!(read(&[arg(&folder.path().join("blog.sql"))], b"", 0).0, records);
    let admin = "-- phpMyAdmin SQL Dump\n-- version 5.2.1\n\nINSERT INTO `x9_comments` (`comment_ID`, `comment_content`) VALUES\n\
         (1, 'one'),\n(2, 'two');\n";
    assert_eq!(texts(&read(&[], admin.as_bytes(), 0).0), ["one", "two"]);
    // A dump that holds none, and one of which the end is missing.
    let (_, told) = read(&["--input-format", "sql"], b"CREATE TABLE `users` (`id` int);\n", 2);
    assert!(told.contains("WordPress's table of comments"), "{told}");
    let (records, told) = read(&[], &dump.as_bytes()[..dump.len() - 60], 1);
    assert_eq!((records.len(), told.contains("export it again")), (1, true), "{told}");
}

#[test]
fn a_row_of_many_mebibytes_is_read_value_by_value() {
    let columns = "(`ID`, `post_content`, `post_title`, `guid`)";
    let mut dump = format!("-- MySQL dump 10.13\nINSERT INTO `wp_posts` {columns} VALUES ");
    let long = "word (;) ".repeat(100_000);
    for number in 0..24 {
        dump += &format!("({number},'{long}','Page {number}','https://bread.example/?p={number}'),");
    }
    dump.pop();
    dump += ";\nINSERT INTO `wp_comments` VALUES ";
    for number in 0..9 {
        dump += &format!("{},", sql_row(number, "short"));
    }
    // One comment beyond the limit among them.
    dump += &sql_row(9, &"word ".repeat(4_000_000));
    dump += &format!(",{};\n", sql_row(10, "last"));
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "wide.sql", &dump);
    let (records, told) = read(&["--model", "fast", arg(&folder.path().join("wide.sql"))], b"", 1);
    assert_eq!((records.len(), &records[9]["text"]), (10, &json!("last")));
    assert!(records.iter().all(|record| record["page_title"] == "Page 7"), "{records:?}");
    assert_eq!(told.matches("record longer than").count(), 1, "{told}");
}

#[test]
fn files_of_comments_in_yaml_are_records() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "rye/entry1.yml",
        "_id: 5a0b\n_parent: rye\nname: Ann\nemail: 0bc83cb571cd1c50ba6f3e8a78ef1346\nurl: 'https://ann.example'\n\
         message: \"It <b>rose</b>.\\n\\nWell.\"\ndate: '2020-01-02T03:04:05.000Z'\n",
    );
    write(
        folder.path(),
        "rye/entry2.yaml",
        "---\n- id: 007\n  author: Ben\n  text: >\n    Mine\n    did not.\n- text: [broken\n- text: last\n",
    );
    write(folder.path(), "spelt/entry3.json", "{\"_id\": \"6\", \"name\": \"Cy\", \"message\": \"Nor mine.\"}");
    let (records, told) = read(&[arg(folder.path())], b"", 1);
    assert_eq!(texts(&records), ["It <b>rose</b>.\n\nWell.", "Mine did not.\n", "last", "Nor mine."]);
    assert_eq!(
        records[0],
        json!({"id": "5a0b", "text": "It <b>rose</b>.\n\nWell.", "html": "It <b>rose</b>.\n\nWell.", "author": "Ann",
            "author_url": "https://ann.example", "date": "2020-01-02T03:04:05.000Z", "parent": "rye"})
    );
    assert_eq!((&records[1]["id"], &records[3]["author"]), (&json!("007"), &json!("Cy")));
    assert!(told.contains("entry2.yaml:7: record 2: a comment of the YAML export cannot be read"), "{told}");
    let piped = read(&[], b"- id: 1\n  text: one\n- id: 2\n  text: two\n", 0).0;
    assert_eq!(texts(&piped), ["one", "two"]);
}

#[test]
fn hostile_yaml_is_bounded() {
    let mut bomb = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..30 {
        bomb += &format!("a{level}: &a{level} [{}]\n", [&*format!("*a{}", level - 1); 9].join(", "));
    }
    for (text, expected) in
        [(bomb, "more than"), ("[".repeat(200_000), "limit"), ("- ".repeat(100_000), "cannot be read")]
    {
        let (_, told) = read(&["--input-format", "yaml"], text.as_bytes(), 2);
        assert!(told.contains(expected), "{told}");
    }
    let (records, _) = read(&["--input-format", "yaml"], b"- text: 'open\n- text: two\n- \"\n- text: three\n", 1);
    assert_eq!(texts(&records), ["two", "three"]);
}
