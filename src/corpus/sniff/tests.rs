use super::*;

/// What is decided of some bytes; the same for every beginning of them that decides.
fn decided(bytes: &[u8], name: Option<&str>, lines: bool) -> Result<InputFormat, String> {
    let decide = |length: usize, ended| {
        let decided = decide(Head { bytes: &bytes[..length], ended }, name.map(Path::new), lines);
        decided.map(|decided| decided.map_err(|error| error.to_string()))
    };
    let all = decide(bytes.len(), true).unwrap();
    for length in (0..bytes.len().min(600)).chain([bytes.len()]) {
        if let Some(early) = decide(length, false) {
            assert_eq!(early, all, "{length} bytes of {}", String::from_utf8_lossy(bytes));
        }
    }
    all
}

#[test]
fn the_delimiter_does_not_depend_on_how_much_is_at_hand() {
    for table in [
        "e\"nve\rr \";qu\ttext1\n\tA word",
        "\"a\nb\";c\n1;2\n",
        "name;a,b\n1;2\n",
        "text,a;b\nx,y;z\n",
        "one,two;three\n\"a\nb\",c;d\n\"e\",f;g\n",
        "",
    ] {
        for (format, told) in [(InputFormat::Csv, true), (InputFormat::Csv, false), (InputFormat::Tsv, false)] {
            let at = |length: usize, ended| delimiter(Head { bytes: &table.as_bytes()[..length], ended }, format, told);
            let all = at(table.len(), true);
            assert!(all.is_some(), "{table:?}");
            for length in 0..=table.len() {
                assert!(at(length, false).is_none_or(|early| Some(early) == all), "{length} bytes of {table:?}");
            }
        }
    }
}

fn by_content(text: &str) -> Result<InputFormat, String> {
    let records = decided(text.as_bytes(), None, true);
    assert_eq!(decided(text.as_bytes(), None, false), records, "{text}");
    records
}

#[test]
fn extensions_decide_whatever_their_case() {
    assert_eq!(InputFormat::from_extension(Path::new("a/b.NDJSON")), Some(InputFormat::Jsonl));
    assert_eq!(InputFormat::from_extension(Path::new("b.MD")), Some(InputFormat::Markdown));
    assert_eq!(InputFormat::from_extension(Path::new("b.tab")), Some(InputFormat::Tsv));
    assert_eq!(InputFormat::from_extension(Path::new("b.pdf")), None);
    assert_eq!(InputFormat::from_extension(Path::new("jsonl")), None);
    assert_eq!(decided(b"words", Some("a.json"), false), Ok(InputFormat::Jsonl));
    assert_eq!(decided(b"words", Some("a.CSV"), true), Ok(InputFormat::Csv));
    assert_eq!(decided(b"words", Some("a.eml"), false), Ok(InputFormat::Mail));
    assert_eq!(decided(b"", Some("a.WET"), true), Ok(InputFormat::Warc));
    assert!(decided(b"a\0\n", Some("a.csv"), false).unwrap_err().contains("byte 1 is zero"));
    assert!(decided(b"\x04\x22\x4d\x18", Some("a.jsonl"), true).unwrap_err().contains("lz4 -dc FILE"));
}

#[test]
fn json_is_known_by_an_object() {
    for json in [
        "\u{feff}\n  {\"text\": \"a\"}\n",
        "{\"text\": \n{\"text\": \"b\"}\n",
        "{\n  \"text\": \"a\"\n}\n",
        "[{\"text\": \"a\"}]",
        "[\n  {\n    \"text\": \"a\"\n  }\n]",
        "[\"a\", \"b\"]\n",
        "{\"a\": NaN}{}",
    ] {
        assert_eq!(by_content(json), Ok(InputFormat::Jsonl), "{json}");
    }
    for text in ["{ a brace begins this text\n", "[1, 2]\n{\"text\": \"b\"}\n", "[Music]\n", "[1] A note.\n", "", "["] {
        assert_eq!(by_content(text), Ok(InputFormat::Text), "{text}");
    }
    let long = format!("{{\"text\": \"{}", "x".repeat(HEAD_BYTES));
    for before in ["", "\n", "{broken\n"] {
        assert_eq!(by_content(&format!("{before}{long}")), Ok(InputFormat::Jsonl), "{before:?}");
    }
}

#[test]
fn tables_and_mail_are_known_by_content_and_no_json() {
    let table = "id;text\n1;\"a, b\"\n";
    let mail = "From ann@site.example Mon Jan  1 00:00:00 2024\nSubject: a\n\nHello.\n";
    assert_eq!(by_content(table), Ok(InputFormat::Csv));
    assert_eq!(by_content(mail), Ok(InputFormat::Mail));
    let message = |text: &str| decided(text.as_bytes(), Some("a.jsonl"), true).unwrap_err();
    assert_eq!(message(table), "is a table, not JSON; read it with --input-format csv");
    assert_eq!(message(mail), "is mail, not JSON; read it with --input-format mail");
}

#[test]
fn exports_are_known_by_content_and_then_by_name() {
    let named = |text: &str, name: &str| decided(text.as_bytes(), Some(name), true);
    let wordpress = "<?xml version=\"1.0\"?>\n<rss xmlns:wp=\"http://wordpress.org/export/1.2/\">\n";
    assert_eq!(by_content(wordpress), Ok(InputFormat::Wxr));
    assert_eq!(named(wordpress, "site.xml"), Ok(InputFormat::Wxr));
    assert_eq!(named("<disqus xmlns=\"http://disqus.com\">\n", "a.xml"), Ok(InputFormat::Disqus));
    assert!(named("<?xml version=\"1.0\"?>\n<feed/>\n", "a.xml").unwrap_err().contains("XML"));
    assert_eq!(by_content("-- MySQL dump 10.13  Distrib 8.0.36\n"), Ok(InputFormat::Sql));
    assert_eq!(named("INSERT INTO a VALUES (1);\n", "a.SQL"), Ok(InputFormat::Sql));
    assert_eq!(named("name: Ann\nmessage: Hello\n", "a.yml"), Ok(InputFormat::Yaml));
    assert!(named(wordpress, "a.jsonl").unwrap_err().contains("--input-format wxr"));
}

#[test]
fn one_comment_of_staticman_in_json_is_told_from_records() {
    let comment = "{\"_id\": \"1\", \"name\": \"Ann\", \"message\": \"Hello\"}";
    let named = |text: &str| decided(text.as_bytes(), Some("a.json"), true);
    assert_eq!(named(&format!("{comment}\n")), Ok(InputFormat::Yaml));
    assert_eq!(named(&format!("{comment}\n{comment}\n")), Ok(InputFormat::Jsonl));
    assert_eq!(named(&format!("[{comment}]")), Ok(InputFormat::Jsonl));
    assert_eq!(named("{\"id\": \"1\", \"message\": \"Hello\"}"), Ok(InputFormat::Jsonl));
}

#[test]
fn the_delimiter_is_told_by_the_content_unless_the_user_knows() {
    let delimiter = |text: &str, format, told| {
        delimiter(Head { bytes: text.as_bytes(), ended: true }, format, told).map_or(' ', char::from)
    };
    assert_eq!(delimiter("nr;kommentar\n1;a\n", InputFormat::Csv, false), ';');
    assert_eq!(delimiter("id,text\n1,a\n", InputFormat::Tsv, false), ',');
    assert_eq!(delimiter("id,text\n1,a\n", InputFormat::Tsv, true), '\t');
    assert_eq!(delimiter("\u{feff}id|text\n", InputFormat::Csv, true), '|');
    assert_eq!(delimiter("words", InputFormat::Tsv, false), '\t');
}

#[test]
fn archives_are_known_by_their_first_bytes() {
    for mark in ["WARC/1.0\r\n", "WARC/0.18\nWARC-Type: warcinfo\n"] {
        assert_eq!(by_content(mark), Ok(InputFormat::Warc));
        assert_eq!(decided(mark.as_bytes(), Some("a.txt"), true), Ok(InputFormat::Warc));
    }
    assert_eq!(by_content("WARC/"), Ok(InputFormat::Text));
}

#[test]
fn a_record_is_decided_by_its_first_line() {
    let decide = |bytes: &[u8]| decide(Head { bytes, ended: false }, None, true).map(|decided| decided.is_ok());
    assert_eq!(decide(b"{\"text\": \"a\"}\n"), Some(true));
    assert_eq!(decide(b"A first comment.\n"), Some(true));
    assert_eq!(decide(b"A first comm"), None);
}

#[test]
fn zero_bytes_are_found_near_the_start() {
    assert_eq!(decided(b"ab\0", None, false), Err("is not text: byte 2 is zero".to_owned()));
    let mut tar = [&b"folder/words.txt"[..], &[0; 241], b"ustar\x0000", &[0; 249]].concat();
    assert!(decided(&tar, None, false).unwrap_err().contains("tar -xOf FILE"));
    tar.truncate(200);
    assert_eq!(decided(&tar, None, false), Err("is not text: byte 16 is zero".to_owned()));
}
