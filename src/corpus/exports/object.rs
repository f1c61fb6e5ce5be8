//! The object of a comment.

use super::pages::Page;
use crate::corpus::json_object::{JsonObject, quoted};
use std::borrow::Cow;

/// A comment's object, to which fields are added one by one.
pub(super) struct CommentObject(JsonObject);

impl CommentObject {
    pub fn new() -> CommentObject {
        CommentObject(JsonObject::new())
    }

    /// Adds a field that the source has.
    pub fn push(&mut self, name: &str, value: Option<impl AsRef<[u8]>>) {
        if let Some(value) = value {
            self.0.push(&quoted(name.as_bytes()), value.as_ref());
        }
    }

    /// Adds a field with a value that is JSON.
    pub fn push_json(&mut self, name: &str, value: &[u8]) {
        self.0.push_json(&quoted(name.as_bytes()), value);
    }

    /// Adds what the comment says: as `text`, and once more as `html` where it holds tags.
    pub fn push_content(&mut self, content: impl AsRef<[u8]>) {
        let content = content.as_ref();
        self.push("text", Some(content));
        if has_tags(content) {
            self.push("html", Some(content));
        }
    }

    pub fn finish(self) -> Vec<u8> {
        self.0.finish()
    }
}

/// Whether a text holds a tag: `<b>`, `</p>`, `<a href=…>`.
pub(super) fn has_tags(text: &[u8]) -> bool {
    memchr::memchr_iter(b'<', text).any(|at| {
        let name = text[at + 1..].strip_prefix(b"/").unwrap_or(&text[at + 1..]);
        let letters = name.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let begins = name.first().is_some_and(u8::is_ascii_alphabetic);
        let after = name.get(letters);
        begins
            && match after {
                Some(b'>') => true,
                Some(b' ' | b'/' | b'\n' | b'\r' | b'\t') => memchr::memchr(b'>', &name[letters..]).is_some(),
                _ => false,
            }
    })
}

/// A comment of WordPress's by the columns of its table, which its export names after them; `None` where it says nothing.
pub(super) fn wordpress_comment<'a>(
    value: impl Fn(&str) -> Option<Cow<'a, [u8]>>,
    page: Option<&Page>,
) -> Option<Vec<u8>> {
    let content = value("comment_content")?;
    // What was never set is all zeros.
    let in_utc = value("comment_date_gmt").filter(|date| !date.starts_with(b"0000"));
    let mut object = CommentObject::new();
    object.push("id", value("comment_id"));
    object.push_content(content);
    object.push("author", value("comment_author"));
    object.push("author_url", value("comment_author_url"));
    object.push("author_email", value("comment_author_email"));
    object.push("page_title", page.and_then(|page| page.title.as_ref()));
    object.push("permalink", page.and_then(|page| page.link.as_ref()));
    object.push("date", in_utc.or_else(|| value("comment_date")));
    object.push("ip", value("comment_author_IP"));
    object.push("status", value("comment_approved").as_deref().map(wordpress_status));
    object.push("kind", value("comment_type").as_deref().map(wordpress_kind));
    object.push("parent", value("comment_parent"));
    Some(object.finish())
}

/// WordPress's `comment_approved` in words.
fn wordpress_status(approved: &[u8]) -> &[u8] {
    match approved {
        b"1" => b"approved",
        b"0" => b"pending",
        other => other,
    }
}

/// WordPress's `comment_type`, which is empty for comments in versions before 5.5.
fn wordpress_kind(kind: &[u8]) -> &[u8] {
    if kind.is_empty() { b"comment" } else { kind }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_told_from_signs() {
        for text in ["<b>x", "a</p>", "<a href='x'>y", "<br/>", "<h1\n>"] {
            assert!(has_tags(text.as_bytes()), "{text}");
        }
        for text in ["", "<", "a < b > c", "I <3 you", "<a href=", "<a@b.example>", "</>"] {
            assert!(!has_tags(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn markup_is_given_once_more() {
        let object = |content: &str| {
            let mut object = CommentObject::new();
            object.push_content(content);
            object.push("ip", None::<&str>);
            object.push_json("n", b"7");
            String::from_utf8(object.finish()).unwrap()
        };
        assert_eq!(object("a \"b\""), r#"{"text": "a \"b\"", "n": 7}"#);
        assert_eq!(object("<i>a</i>"), r#"{"text": "<i>a</i>", "html": "<i>a</i>", "n": 7}"#);
    }
}
