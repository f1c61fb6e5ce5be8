use super::*;

/// What is said of a text; the same for every beginning that decides.
fn name(text: &str) -> Option<&'static str> {
    let all = recognise(text.as_bytes(), true).unwrap();
    for length in 0..=text.len() {
        if let Some(early) = recognise(&text.as_bytes()[..length], false) {
            assert_eq!(early, all, "{length} bytes of {text}");
        }
    }
    match all? {
        Shape::Foreign(format) => Some(format.name),
        Shape::Export(format) => Some(format.name()),
        Shape::Mail => Some("mail"),
        Shape::Table { delimiter: b',' } => Some("commas"),
        Shape::Table { delimiter: b';' } => Some("semicolons"),
        Shape::Table { delimiter: b'\t' } => Some("tabs"),
        Shape::Table { delimiter: b'|' } => Some("bars"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn tables_are_known_and_prose_is_not() {
    for table in [
        "id,author,text\n1,Ann,\"Well, yes\"\n",
        "id,text\n1,\"First line\nand second, of one field\"\n2,short\n",
        "\"comment\",\"label\"\n\"Nice, thanks\",ham\n",
        ",text,label\n0,fine,ham\n",
        "one,two,three\n1,2,3\n4,5,6\n",
        "2020-01-01,\"Great post, thanks\",Ann\n2020-01-02,\"So, so\",Ben\n2020-01-03,\"No, no\",Cy\n",
    ] {
        assert_eq!(name(table), Some("commas"), "{table}");
    }
    for column in ["comment\n\"First line\nand second\"\n\"short\"\n", "text\r\n\"One, two\"\r\n"] {
        assert_eq!(name(column), Some("commas"), "{column}");
    }
    assert_eq!(name("Größe,Ort,Kommentar\n1,Köln,\"Erste Zeile\nund zweite\"\n2,Ulm,kurz\n"), Some("commas"));
    assert_eq!(name("id|author|comment\n1|Ann|First line\n"), Some("bars"));
    assert_eq!(name("name\tcomment\nAnn\tWell\n"), Some("tabs"));
    assert_eq!(name("name;comment\nAnn;\"Well; yes\"\n"), Some("semicolons"));
    assert_eq!(name("sep=;\r\nAnn;words\r\n"), Some("semicolons"));
    for (first, delimiter) in [
        ("a;b,c;d", b';'),
        ("\"a;b;c\",d", b','),
        ("\"a\"\";;\"\n;\",d", b','),
        ("a\"b\n;\"", b','),
        ("a", b','),
        ("a|b\n;;;", b'|'),
    ] {
        assert_eq!(likely_delimiter(first.as_bytes(), true), Some(delimiter), "{first}");
    }
    for prose in [
        "Well, yes.\nNo, no.\nSo, so.\n",
        "Red, white, blue\nOne, two, three\nUp, down, left\n",
        "He came, saw, won.\n\nThen, he left, tired, sad.\n",
        "\"No,\" he said, \"never.\"\n\"Yes,\" she said, \"always.\"\n",
        "Dear all,\nthank you,\nAnn\n",
        "1,000 people came,\n2,000 left,\n3,000 stayed,\n",
        "Great,really great\nFine,just fine\n",
        "comment\nA comment.\n",
        "Comment:\n\"No,\" he said.\n",
        "a | b\n- | -\n1 | 2\n",
        "12\nTwelve of them came.\n",
        "A line without any.\n",
        "",
    ] {
        assert_eq!(name(prose), None, "{prose}");
    }
}

#[test]
fn markup_is_known_by_its_structure() {
    for html in [
        "<!DOCTYPE html>\n<html lang=en>",
        "\n<HTML><body>",
        "<div class=a><ul><li>One</li>\n<li>Two</li><li>Three</li></ul>\n</div>\n",
    ] {
        assert_eq!(name(html), Some(ForeignFormat::HTML.name), "{html}");
    }
    assert_eq!(name("<?xml version=\"1.0\"?>\n<tei><p>Text</p></tei>\n"), Some("XML"));
    let export = "<?xml version=\"1.0\"?>\n<rss xmlns:wp=\"http://wordpress.org/export/1.2/\">\n";
    assert_eq!(name(export), Some("a WordPress export"));
    assert_eq!(name("<?xml version=\"1.0\"?>\n<disqus xmlns=\"http://disqus.com\">\n"), Some("a Disqus export"));
    assert_eq!(name("-- MariaDB dump 10.19  Distrib 10.11\n"), Some("an SQL dump"));
    assert_eq!(name("-- My dump of words\n"), None);
    for text in
        ["<p>A comment with markup.</p>\n<p>Another.</p>\n", "<b>Bold</b> words.\n", "<3 this song\n", "< 5 of them\n"]
    {
        assert_eq!(name(text), None, "{text}");
    }
}

#[test]
fn mail_is_known_by_its_headers() {
    let headers = "Message-ID: <1@site.example>\nDate: Mon, 1 Jan 2024\nFrom: Ann\nSubject: Hello\n\nHello.\n";
    assert_eq!(name(headers), Some("mail"));
    let mailbox = format!("From ann@site.example Mon Jan  1 00:00:00 2024\n{headers}");
    assert_eq!(name(&mailbox), Some("mail"));
    for text in [
        "From the beginning it was clear.\nIt was: not.\n",
        "From my notes:\nSubject: a word\n",
        "From 12:30 on it rained.\nIt was: not.\n",
        "Subject: a word about cats\nFrom: me\n\nText.\n",
        "Note: this\n",
    ] {
        assert_eq!(name(text), None, "{text}");
    }
}

#[test]
fn yaml_is_no_front_matter() {
    assert_eq!(name("---\n- id: 1\n  text: Hello\n- id: 2\n  text: There\n"), Some("YAML"));
    assert_eq!(name("- id: 1\n  text: Hello\n"), Some("YAML"));
    assert_eq!(name("comments:\n  - id: 1\n    text: Hello\n"), Some("YAML"));
    assert_eq!(name("Shopping:\n- bread\n- cheese\n"), None);
    assert_eq!(name("1\n00:00:01,000 --> 00:00:02,000\nHello\n"), Some("subtitles"));
    for text in [
        "---\ntitle: A page\n---\n\nText.\n",
        "---\n\nA text after a rule.\n",
        "- One item\n- Another\n",
        "- Note: this\n- That\n",
    ] {
        assert_eq!(name(text), None, "{text}");
    }
}
