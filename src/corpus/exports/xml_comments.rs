//! The comments in the exports of WordPress (WXR) and of Disqus.

use super::object::{CommentObject, wordpress_comment};
use super::pages::{Page, Pages};
use super::xml_fields::XmlFields;
use super::xml_scan::{Passed, Tag, XmlScan};
use crate::corpus::error::InputError;
use crate::corpus::feed::Window;
use crate::corpus::lines::{LINE_LIMIT_BYTES, Next};
use crate::corpus::records::{Content, Found, RecordReader};
use crate::corpus::stray::decode_line;
use std::borrow::Cow;
use std::io;
use std::time::Duration;

/// Whose export it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::corpus) enum XmlExport {
    /// Posts, each with its comments in it.
    WordPress,
    /// Threads, and behind them the posts that name their threads.
    Disqus,
}

/// An element that is read as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Title,
    Link,
    Thread,
    Comment,
}

impl XmlExport {
    fn element(self, name: &[u8]) -> Option<Element> {
        match (self, name) {
            (XmlExport::WordPress, b"title") => Some(Element::Title),
            (XmlExport::WordPress, b"link") => Some(Element::Link),
            (XmlExport::WordPress, b"wp:comment") => Some(Element::Comment),
            (XmlExport::Disqus, b"thread") => Some(Element::Thread),
            (XmlExport::Disqus, b"post") => Some(Element::Comment),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            XmlExport::WordPress => "WordPress",
            XmlExport::Disqus => "Disqus",
        }
    }
}

/// Reads comments. One that is broken is set aside; the next begins at its tag. Entities that the file defines are never looked up.
pub(in crate::corpus) struct XmlComments {
    export: XmlExport,
    scan: XmlScan,
    limit_bytes: usize,
    /// The element that is being kept, with its name, the line on which it begins, and how often elements of its name were opened in it.
    element: Option<(Element, Vec<u8>, u64, u32)>,
    /// What is kept of it was longer than the limit.
    too_long: bool,
    /// The page that the comments at hand belong to.
    page: Page,
    pages: Pages,
    /// Whether the last tag of the document came.
    closed: bool,
    over: bool,
}

impl XmlComments {
    pub fn new(window: Window, export: XmlExport) -> XmlComments {
        XmlComments {
            export,
            scan: XmlScan::new(window),
            limit_bytes: LINE_LIMIT_BYTES,
            element: None,
            too_long: false,
            page: Page::default(),
            pages: Pages::default(),
            closed: false,
            over: false,
        }
    }

    /// Goes on past a tag; gives what that ends.
    fn pass(&mut self, tag: Tag) -> Option<Found> {
        let line = self.scan.tag_line();
        match tag {
            Tag::Start(name) => {
                let inner = match &mut self.element {
                    Some((_, open, _, depth)) if *open == name && name != b"wp:comment" => {
                        *depth += 1;
                        true
                    }
                    Some((Element::Comment | Element::Thread, ..)) => name != b"wp:comment" && name != b"item",
                    _ => false,
                };
                if inner {
                    return None;
                }
                let broken = self.break_off();
                if name == b"item" {
                    self.page = Page::default();
                }
                match self.export.element(&name) {
                    Some(element) => {
                        self.scan.keep();
                        self.element = Some((element, name, line, 0));
                    }
                    None => self.scan.leave(),
                }
                broken
            }
            Tag::End(name) => {
                self.closed |= matches!(&name[..], b"rss" | b"disqus");
                match &mut self.element {
                    Some((_, open, _, depth)) if *open == name && *depth > 0 => {
                        *depth -= 1;
                        None
                    }
                    Some((_, open, _, _)) if *open == name => self.take(),
                    Some(_) if matches!(&name[..], b"item" | b"channel" | b"rss" | b"disqus") => {
                        self.scan.leave();
                        self.break_off()
                    }
                    _ => None,
                }
            }
            Tag::Empty => None,
        }
    }

    /// Leaves an element that has no end.
    fn break_off(&mut self) -> Option<Found> {
        let (element, _, line, _) = self.element.take()?;
        let too_long = std::mem::take(&mut self.too_long);
        let content = match too_long {
            true => InputError::RecordTooLong { limit_bytes: self.limit_bytes },
            false => self.broken("it is not closed".to_owned()),
        };
        (element == Element::Comment).then_some(Found { line, record: None, content: Err(content) })
    }

    fn broken(&self, reason: String) -> InputError {
        InputError::BrokenComment { export: self.export.name(), reason }
    }

    /// Reads the element that ends here.
    fn take(&mut self) -> Option<Found> {
        let (element, _, line, _) = self.element.take()?;
        let fields = if std::mem::take(&mut self.too_long) {
            Err(InputError::RecordTooLong { limit_bytes: self.limit_bytes })
        } else {
            let text = decode_line(self.scan.kept()).map_err(|at| InputError::InvalidUtf8 { byte: at + 1 });
            text.and_then(|text| XmlFields::parse(&text).map_err(|reason| self.broken(reason)))
        };
        self.scan.leave();
        let own = |fields: Result<XmlFields, InputError>| Some(fields.ok()?.get("")?.as_bytes().to_vec());
        match element {
            Element::Title => self.page.title = own(fields),
            Element::Link => self.page.link = own(fields),
            Element::Thread => {
                if let Ok(XmlFields { own_id: Some(id), .. }) = &fields
                    && let Ok(fields) = &fields
                {
                    let field = |name: &str| fields.get(name).map(|text| text.as_bytes().to_vec());
                    self.pages.insert(id.clone().into_bytes(), Page { title: field("title"), link: field("link") });
                }
            }
            Element::Comment => {
                let content = fields.and_then(|fields| match self.export {
                    XmlExport::WordPress => {
                        let field =
                            |name: &str| fields.get(&format!("wp:{name}")).map(|text| Cow::Borrowed(text.as_bytes()));
                        let comment = wordpress_comment(field, Some(&self.page));
                        comment.ok_or_else(|| no_field("wp:comment_content"))
                    }
                    XmlExport::Disqus => disqus(&fields, &self.pages),
                });
                return Some(Found { line, record: None, content: content.map(Content::Object) });
            }
        }
        None
    }
}

impl RecordReader for XmlComments {
    fn next(&mut self, patience: Option<Duration>) -> io::Result<Next<Found>> {
        while !self.over {
            let found = match self.scan.next(patience)? {
                Passed::Tag(tag) => {
                    self.too_long |= self.element.is_some() && self.scan.kept().len() > self.limit_bytes;
                    self.pass(tag)
                }
                Passed::Piece => None,
                Passed::Pause => return Ok(Next::Pause),
                Passed::End => {
                    self.over = true;
                    let broken = self.break_off();
                    self.scan.leave_all();
                    if broken.is_none() && self.closed {
                        return Ok(Next::End);
                    }
                    let line = self.scan.tag_line();
                    let cut = Found {
                        line,
                        record: None,
                        content: Err(InputError::CutExport { export: self.export.name() }),
                    };
                    return Ok(Next::Item(broken.unwrap_or(cut)));
                }
            };
            if let Some(found) = found {
                return Ok(Next::Item(found));
            }
            if self.element.is_some() && self.scan.kept().len() > self.limit_bytes {
                self.too_long = true;
                self.scan.leave();
            }
        }
        Ok(Next::End)
    }

    fn consumed(&self) -> u64 {
        self.scan.consumed()
    }

    fn line(&self) -> u64 {
        self.scan.tag_line()
    }
}

fn disqus(fields: &XmlFields, pages: &Pages) -> Result<Vec<u8>, InputError> {
    let field = |name: &str| fields.get(name);
    let content = field("message").ok_or_else(|| no_field("message"))?;
    let page = field("thread@id").and_then(|id| pages.get(id.as_bytes()));
    let is = |name: &str| field(name) == Some("true");
    let status = match () {
        () if is("isSpam") => Some("spam"),
        () if is("isDeleted") => Some("deleted"),
        () if field("isApproved") == Some("false") => Some("pending"),
        () => field("isSpam").or(field("isDeleted")).map(|_| "approved"),
    };
    let mut object = CommentObject::new();
    object.push("id", fields.own_id.as_deref());
    object.push_content(content);
    object.push("author", field("author/name"));
    object.push("author_url", field("author/link").or(field("author/url")));
    object.push("author_email", field("author/email"));
    object.push("page_title", page.and_then(|page| page.title.as_ref()));
    object.push("permalink", page.and_then(|page| page.link.as_ref()));
    object.push("date", field("createdAt"));
    object.push("ip", field("ipAddress"));
    object.push("status", status);
    object.push("kind", Some("comment"));
    object.push("parent", field("parent@id"));
    for name in ["isDeleted", "isSpam"] {
        if let Some(value @ ("true" | "false")) = field(name) {
            object.push_json(name, value.as_bytes());
        }
    }
    Ok(object.finish())
}

fn no_field(field: &str) -> InputError {
    InputError::MissingField { field: field.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::records::found_in_pieces;
    use serde_json::{Value, json};

    /// What comes of an export: lines, and objects or messages.
    fn read_with(export: XmlExport, text: &str, limit_bytes: usize) -> Vec<(u64, Value)> {
        found_in_pieces(text.as_bytes(), |window| XmlComments { limit_bytes, ..XmlComments::new(window, export) })
    }

    fn comment(id: u32, content: &str) -> String {
        format!(
            "<wp:comment>\n<wp:comment_id>{id}</wp:comment_id>\n<wp:comment_author><![CDATA[Ann & Co]]></wp:comment_author>\
             <wp:comment_author_url>https://ann.example/?a=1&amp;b=2</wp:comment_author_url>\
             <wp:comment_approved><![CDATA[0]]></wp:comment_approved><wp:comment_type></wp:comment_type>\
             <wp:comment_content><![CDATA[{content}]]></wp:comment_content>\
             <wp:commentmeta><wp:meta_key>k</wp:meta_key></wp:commentmeta></wp:comment>\n"
        )
    }

    fn export(items: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<rss xmlns:wp=\"http://wordpress.org/export/1.2/\"><channel><title>Site</title>\n\
             {items}</channel></rss>"
        )
    }

    #[test]
    fn comments_come_with_the_title_and_link_of_their_post() {
        let items = format!(
            "<item><title><![CDATA[Bread]]></title><link>https://b.example/bread/</link>\n\
             <content:encoded><![CDATA[A post with <wp:comment>]]></content:encoded>\n{}{}</item>\n<item>{}</item>",
            comment(1, "It <b>rose</b>."),
            comment(2, "Mine did not"),
            comment(3, "c")
        );
        let found = read_with(XmlExport::WordPress, &export(&items), 9999);
        assert_eq!(
            found[0],
            (
                5,
                json!({"id": "1", "text": "It <b>rose</b>.", "html": "It <b>rose</b>.", "author": "Ann & Co",
                    "author_url": "https://ann.example/?a=1&b=2", "page_title": "Bread", "permalink": "https://b.example/bread/",
                    "status": "pending", "kind": "comment"})
            )
        );
        assert_eq!(found[1].1["text"], "Mine did not");
        assert_eq!((found.len(), found[2].1.get("page_title")), (3, None));
    }

    #[test]
    fn what_is_broken_or_too_long_costs_itself() {
        let open = comment(1, "a").replace("</wp:comment>", "");
        let crossed = comment(2, "b").replace("</wp:comment_author>", "</x>");
        let items = format!(
            "<item>{open}{}{crossed}{}{}</item>",
            comment(3, "c"),
            comment(4, &"d ".repeat(999)),
            comment(5, "e")
        );
        let found = read_with(XmlExport::WordPress, &export(&items), 900);
        let texts: Vec<_> =
            found.iter().map(|(_, value)| value.get("text").unwrap_or(value).as_str().unwrap()).collect();
        assert_eq!(texts[0], "a comment of the WordPress export cannot be read: it is not closed");
        assert_eq!(texts[1], "c");
        assert!(texts[2].contains("cannot be read"), "{}", texts[2]);
        assert_eq!(texts[3..], ["record longer than 900 bytes", "e"]);
    }

    #[test]
    fn a_cut_export_says_so() {
        let whole = export(&format!("<item>{}</item>", comment(1, "a")));
        assert_eq!(read_with(XmlExport::WordPress, &whole, 9999).len(), 1);
        let cut = read_with(XmlExport::WordPress, &whole[..whole.len() - 20], 9999);
        assert!(cut[1].1.as_str().unwrap().contains("ends before its last tag"), "{cut:?}");
        let cut = read_with(XmlExport::WordPress, &whole[..whole.find("<wp:commentmeta").unwrap()], 9999);
        assert!(cut[0].1.as_str().unwrap().contains("not closed"), "{cut:?}");
    }

    #[test]
    fn entities_of_the_file_stay_names() {
        let bomb = "<?xml version=\"1.0\"?><!DOCTYPE d [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">\n\
                    <!ENTITY x SYSTEM \"file:///etc/hostname\">]>\n<disqus><post d:id='1'><message>&b; &x;</message></post></disqus>";
        let found = read_with(XmlExport::Disqus, bomb, 9999);
        assert_eq!(found, [(3, json!({"id": "1", "text": "&b; &x;", "kind": "comment"}))]);
    }

    #[test]
    fn posts_of_disqus_find_their_threads() {
        let text = "<?xml version=\"1.0\"?>\n<disqus xmlns=\"http://disqus.com\" xmlns:dsq=\"http://disqus.com/x\">\n\
            <category dsq:id=\"4\"><title>General</title></category>\n\
            <thread dsq:id=\"70\"><id>bread</id><link>https://b.example/bread</link><title>Bread</title><author><name>Owner</name></author>\
            </thread>\n\
            <post dsq:id=\"900\"><id/><message><![CDATA[<p>Nice &amp; warm</p>]]></message><createdAt>2020-01-02T03:04:05Z</createdAt>\
            <isDeleted>true</isDeleted><isSpam>true</isSpam><author><name>Ben</name><isAnonymous>false</isAnonymous></author>\
            <thread dsq:id=\"70\"/><parent dsq:id=\"899\"/></post>\n\
            <post dsq:id=\"901\"><message>plain</message><isDeleted>false</isDeleted><isSpam>false</isSpam><thread dsq:id=\"71\"/></post>\n\
            </disqus>\n";
        let found = read_with(XmlExport::Disqus, text, 9999);
        assert_eq!(
            found,
            [
                (
                    5,
                    json!({"id": "900", "text": "<p>Nice &amp; warm</p>", "html": "<p>Nice &amp; warm</p>", "author": "Ben",
                        "page_title": "Bread", "permalink": "https://b.example/bread", "date": "2020-01-02T03:04:05Z",
                        "status": "spam", "kind": "comment", "parent": "899", "isDeleted": true, "isSpam": true})
                ),
                (
                    6,
                    json!({"id": "901", "text": "plain", "status": "approved", "kind": "comment", "isDeleted": false,
                        "isSpam": false})
                ),
            ]
        );
    }
}
