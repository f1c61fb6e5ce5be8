use super::*;
use crate::corpus::feed::Feed;
use crate::corpus::records::found_in_pieces;
use serde_json::{Value as Json, json};

/// What comes of a dump: lines, and objects or messages; the same however its bytes come.
fn read_with(text: &[u8], limit_bytes: usize) -> Vec<(u64, Json)> {
    found_in_pieces(text, |window| SqlComments { limit_bytes, ..SqlComments::new(window) })
}

fn texts(text: &str, limit_bytes: usize) -> Vec<String> {
    let found = read_with(text.as_bytes(), limit_bytes).into_iter();
    found.map(|(_, value)| value.get("text").unwrap_or(&value).as_str().unwrap().to_owned()).collect()
}

const TABLES: &str = "-- MySQL dump 10.13\n-- it's a dump\n/*!40101 SET NAMES utf8mb4 */;\n\
        DROP TABLE IF EXISTS `blog_posts`;\nCREATE TABLE `blog_posts` (\n  `ID` bigint(20) unsigned NOT NULL,\n\
        `post_title` text COLLATE utf8 NOT NULL DEFAULT '),(',\n  `guid` varchar(255),\n  PRIMARY KEY (`ID`),\n\
        KEY `a` (`post_title`(191))\n) ENGINE=InnoDB;\n\
        INSERT INTO `blog_posts` VALUES (3,'It\\'s \\\"bread\\\"','https://b.example/?p=3'),(4,'x','y');\n\
        CREATE TABLE `blog_comments` (`comment_ID` int, `comment_post_ID` int, `comment_author` text, `comment_content` text,\n\
        `comment_approved` varchar(20), `comment_type` varchar(20), UNIQUE KEY `c` (`comment_ID`));\n";

#[test]
fn rows_come_with_the_title_and_address_of_their_post() {
    let dump = format!(
        "{TABLES}LOCK TABLES `blog_comments` WRITE;\nINSERT INTO `blog_comments` VALUES\n\
             (7,3,'Ann; (Co)','One\\r\\n<b>two</b>','1',''),\n(8,5,NULL,'it''s','spam','pingback');\nUNLOCK TABLES;\n-- done"
    );
    let found = read_with(dump.as_bytes(), 9999);
    let line = dump.lines().position(|line| line.starts_with("(7")).unwrap() as u64 + 1;
    assert_eq!(
        found,
        [
            (
                line,
                json!({"id": "7", "text": "One\r\n<b>two</b>", "html": "One\r\n<b>two</b>", "author": "Ann; (Co)",
                        "page_title": "It's \"bread\"", "permalink": "https://b.example/?p=3", "status": "approved",
                        "kind": "comment"})
            ),
            (line + 1, json!({"id": "8", "text": "it's", "status": "spam", "kind": "pingback"})),
        ]
    );
}

#[test]
fn columns_are_named_by_the_statement_or_known() {
    let named = "-- phpMyAdmin SQL Dump\nINSERT INTO wp_comments (`comment_content`, comment_ID) VALUES ('a (b', 1)\n, ('c', 2);";
    assert_eq!(texts(named, 999), ["a (b", "c"]);
    let known = "INSERT IGNORE INTO `wp_2_comments` VALUES (1,2,'Ann','a@b.example','','192.0.2.1','2020-01-01 00:00:00',\
            '0000-00-00 00:00:00',0x4869,0,'0','agent','',0,0);";
    let (_, value) = &read_with(known.as_bytes(), 999)[0];
    assert_eq!(
        value,
        &json!({"id": "1", "text": "Hi", "author": "Ann", "author_url": "", "author_email": "a@b.example",
                "date": "2020-01-01 00:00:00", "ip": "192.0.2.1", "status": "pending", "kind": "comment", "parent": "0"})
    );
}

#[test]
fn other_tables_and_statements_are_passed_over() {
    let dump = format!(
        "{TABLES}INSERT INTO `log` VALUES ('INSERT INTO `blog_comments` VALUES (1,');\n\
             INSERT INTO blog_comments SELECT (1);\n\
             INSERT INTO `blog_commentmeta` VALUES (1,2);\nINSERT INTO `blog_comments` VALUES (1,1,'','kept','1','')\n\
             ON DUPLICATE KEY UPDATE comment_ID=VALUES(comment_ID);"
    );
    assert_eq!(texts(&dump, 9999), ["kept"]);
    assert!(texts("CREATE TABLE `users` (`id` int);", 99)[0].starts_with("holds no comments that are known"));
    assert!(texts("", 99)[0].starts_with("holds no comments"));
}

#[test]
fn what_is_broken_or_too_long_costs_itself() {
    let long = "d ".repeat(400);
    let dump = format!(
        "{TABLES}INSERT INTO `blog_comments` VALUES (1,1,'','a','1',''),(2,2),(3,1,'','{long}','1',''),(4,1,'','b','1','');\n\
             INSERT INTO `blog_comments` VALUES (5,1,'','open;\nINSERT INTO `blog_comments` VALUES (6,1,'','c','1','');\n"
    );
    let found = texts(&dump, 600);
    assert_eq!(found[0], "a");
    assert_eq!(found[1], "expected 6 fields, got 2");
    assert_eq!(found[2], "record longer than 600 bytes");
    assert_eq!(found[3], "b");
    assert_eq!(found.last().unwrap(), "c");
}

#[test]
fn a_cut_dump_says_so() {
    let dump = format!("{TABLES}INSERT INTO `blog_comments` VALUES (1,1,'','a','1',''),(2,1,'','cut here");
    let found = texts(&dump, 9999);
    assert_eq!(found[0], "a");
    assert!(found[1].contains("export ends before its last"), "{found:?}");
    assert_eq!(found.len(), 2);
    let between = &dump[..dump.rfind(",(2").unwrap()];
    assert!(texts(between, 9999)[1].contains("export ends before its last"));
}

#[test]
fn old_code_pages_come_through() {
    let dump = b"INSERT INTO wp_comments (comment_ID, comment_content) VALUES (1, 'caf\xe9');";
    let mut comments = SqlComments::new(Window::new(Feed::of(io::Cursor::new(dump.to_vec()))));
    let Next::Item(Found { content: Ok(Content::Object(object)), .. }) = comments.next(None).unwrap() else { panic!() };
    assert_eq!(object, b"{\"id\": \"1\", \"text\": \"caf\xe9\"}");
}
