//! The blocks of a page with what is judged of them.

use super::content::{ContentModel, threshold};
use super::reader::{Block, read};
use super::tag::hint;
use crate::page::Region;
use encoding_rs::Encoding;
use std::ops::Range;

/// A block of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct ContentBlock {
    /// From the first byte of the text in the source to behind its last; tags may stand between.
    pub span: Range<usize>,
    /// The text, references decoded and blanks put together; in `pre` as it stands.
    pub text: String,
    /// The probability that it belongs to the page's main content, 0 to 1.
    pub content: f32,
    /// Whether it counts to the main content.
    pub is_content: bool,
    /// Where it stands, as far as tags tell it.
    pub region: Option<Region>,
}

/// Hands on the blocks of a page, in order.
pub fn blocks(source: &str, take: &mut dyn FnMut(ContentBlock)) {
    let model = ContentModel::embedded();
    read(source, &mut |section| {
        let judged = model.content(&section);
        let threshold = threshold(judged.iter().zip(&section.blocks).map(|(content, block)| (*content, block.words)));
        for (block, content) in section.blocks.into_iter().zip(judged) {
            let region = block.region(content);
            let Block { span, text, .. } = block;
            take(ContentBlock { span, text, content, is_content: content >= threshold, region });
        }
    });
}

/// The main content of an HTML page as plain text, a blank line between two blocks; empty if the page has none.
///
/// No model of labels takes part. It is what `copydesk content` prints.
///
/// ```
/// let page = "<nav><a href=/>Home</a></nav><article><h1>New bakery</h1><p>The bakery at the corner of the market opened \
///     on Monday, and people waited in line from six in the morning.</p></article>";
/// assert!(copydesk::html_content(page).contains("people waited in line"));
/// ```
pub fn html_content(source: &str) -> String {
    let mut text = String::new();
    blocks(source, &mut |block| {
        if block.is_content {
            if !text.is_empty() {
                text.push_str("\n\n");
            }
            text.push_str(&block.text);
        }
    });
    text
}

impl Block {
    /// Where the block stands, as far as its tags and the judgement of its content tell it.
    pub fn region(&self, content: f32) -> Option<Region> {
        const AROUND: u64 = hint::NAV | hint::FOOTER | hint::HEADER | hint::ASIDE | hint::DIALOG;
        if self.inside & hint::COMMENTS != 0 {
            Some(Region::Comment)
        } else if content >= 0.5 {
            Some(Region::Article)
        } else if self.inside & AROUND != 0 {
            Some(Region::Furniture)
        } else {
            None
        }
    }
}

/// The encoding that a page names in its first bytes, by `meta`.
///
/// As browsers do it, a page that can be read so far is not UTF-16, whatever it says.
pub fn declared_encoding(head: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let mut rest = head.as_str();
    while let Some(start) = rest.find("<meta") {
        rest = &rest[start + "<meta".len()..];
        let tag = &rest[..rest.find('>').unwrap_or(rest.len())];
        let Some(at) = tag.find("charset") else { continue };
        let value = tag[at + "charset".len()..].trim_start().strip_prefix('=').unwrap_or_default();
        let value = value.trim_start().trim_start_matches(['"', '\'']);
        let end = value.find(|c: char| c.is_whitespace() || "\"';/>".contains(c)).unwrap_or(value.len());
        let encoding = Encoding::for_label(&value.as_bytes()[..end])?;
        return Some(encoding.output_encoding());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_names_its_encoding() {
        let name = |head: &str| declared_encoding(head.as_bytes()).map(Encoding::name);
        assert_eq!(name("<!doctype html><META Charset = 'iso-8859-1' />"), Some("windows-1252"));
        let old = "<meta name=a><meta http-equiv=Content-Type content=\"text/html; charset=Shift_JIS\">";
        assert_eq!(name(old), Some("Shift_JIS"));
        assert_eq!(name("<meta charset=utf-16>"), Some("UTF-8"));
        assert_eq!(name("<meta charset=nonsense><p>charset=koi8-r"), None);
        assert_eq!(name("<meta charset"), None);
    }
}
