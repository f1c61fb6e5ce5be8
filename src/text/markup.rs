//! Tags and marks that tell how a text is to be shown: HTML, BBCode, links of Markdown.
//!
//! They are read as such only where they can hardly be anything else: a tag by its name and form, `[b]` only where there is
//! a `[/b]`. What they enclose stays. Quotation marks stand for tags that say that it is somebody else's words. Of a link
//! the address stays, behind its text.

use std::borrow::Cow;
use std::collections::HashMap;

/// Longest tag that is read as one, in bytes.
const MAX_TAG: usize = 2000;

/// HTML tags inside words and sentences.
const INLINE: &str =
    "a abbr acronym b big cite code del em font i img ins kbd mark s samp small span strike strong sub sup tt u wbr";

/// HTML tags between lines.
const BLOCK: &str = "address article aside br center dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header hr li main \
    nav ol p pre section table tbody td th thead tr ul";

/// HTML tags around somebody else's words.
const QUOTES: &str = "blockquote q";

/// Tags of BBCode that show their content in some way.
const BBCODE: &str =
    "b i u s code center left right justify color size font list li email spoiler sub sup highlight align";

/// What a tag leaves behind.
enum Trace {
    /// Nothing.
    Nothing,
    /// The end of a line.
    Break,
    /// The beginning of somebody else's words.
    OpenQuote,
    /// Their end.
    CloseQuote,
    /// Nothing yet: a link begins, and its address stands behind its text.
    OpenLink(String),
    /// The address of the link that ends.
    CloseLink,
    /// A text in its place.
    Text(String),
}

/// The text without HTML and BBCode tags, comments and CDATA marks, and with the links of Markdown opened.
pub(super) fn without_tags(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '[']) {
        return Cow::Borrowed(text);
    }
    let mut plain = Plain::default();
    let mut bbcode = BbCode::new(text);
    let mut in_cdata = false;
    let last_comment_end = text.rfind("-->").unwrap_or(0);
    let (mut at, mut changed) = (0, false);
    while let Some(offset) = text[at..].find(['<', '[', ']']) {
        let start = at + offset;
        plain.push(&text[at..start]);
        let rest = &text[start..];
        let (trace, length) = if rest.starts_with("<![CDATA[") {
            in_cdata = true;
            (Trace::Nothing, "<![CDATA[".len())
        } else if in_cdata && rest.starts_with("]]>") {
            in_cdata = false;
            (Trace::Nothing, "]]>".len())
        } else if rest.starts_with("<!--") && start < last_comment_end {
            (Trace::Nothing, rest.find("-->").map_or(rest.len(), |end| end + "-->".len()))
        } else if let Some(tag) = html_tag(rest).or_else(|| bbcode.tag(rest)).or_else(|| markdown_link(rest)) {
            tag
        } else {
            plain.push(&rest[..1]);
            at = start + 1;
            continue;
        };
        changed = true;
        at = start + length;
        plain.leave(trace, &text[at..]);
    }
    if !changed {
        return Cow::Borrowed(text);
    }
    plain.push(&text[at..]);
    plain.close_link();
    Cow::Owned(plain.text)
}

/// What was made of the text so far.
#[derive(Default)]
struct Plain {
    text: String,
    /// For each open quotation whether its mark was written.
    quotes: Vec<bool>,
    /// Where the text of the innermost one begins, as long as there is none.
    quote_begins: Option<usize>,
    /// The address of the link that is open.
    link: Option<String>,
}

impl Plain {
    fn push(&mut self, text: &str) {
        let text = if self.quote_begins.is_some() { text.trim_start() } else { text };
        if !text.is_empty() {
            self.text.push_str(text);
            self.quote_begins = None;
        }
    }

    fn close_link(&mut self) {
        if let Some(address) = self.link.take() {
            self.push(" ");
            self.push(&address);
        }
    }

    /// Writes what a tag leaves behind; `after` is what follows it.
    fn leave(&mut self, trace: Trace, after: &str) {
        match trace {
            Trace::Nothing => {}
            Trace::Break => self.push("\n"),
            Trace::OpenLink(address) => {
                self.close_link();
                self.link = Some(address);
            }
            Trace::CloseLink => self.close_link(),
            Trace::Text(text) => {
                // What stands before the text of an image.
                self.text.truncate(self.text.strip_suffix('!').unwrap_or(&self.text).len());
                self.push(&text);
            }
            Trace::OpenQuote => {
                let writes = !after.trim_start().starts_with(is_quotation_mark);
                self.text.push('\n');
                if writes {
                    self.text.push('"');
                }
                self.quotes.push(writes);
                self.quote_begins = Some(self.text.len());
            }
            Trace::CloseQuote => {
                let opened = self.quotes.pop();
                self.text.truncate(self.text.trim_end().len());
                let empty = self.quote_begins.take().is_some();
                if empty && opened == Some(true) {
                    self.text.pop();
                } else if opened.unwrap_or(!self.text.ends_with(is_quotation_mark)) && !self.text.is_empty() {
                    self.text.push('"');
                }
                self.text.push('\n');
            }
        }
    }
}

/// Whether a character begins or ends a quotation.
pub(super) fn is_quotation_mark(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '«' | '»')
}

/// The HTML tag that a text begins with, and its length.
fn html_tag(rest: &str) -> Option<(Trace, usize)> {
    let inner = rest.strip_prefix('<')?;
    let (closes, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
    let name = &inner[..inner.bytes().take_while(u8::is_ascii_alphanumeric).take(MAX_NAME + 1).count()];
    let named = |names: &str| names.split_whitespace().any(|known| name.eq_ignore_ascii_case(known));
    let trace = if named(INLINE) {
        Trace::Nothing
    } else if named(BLOCK) {
        Trace::Break
    } else if named(QUOTES) {
        if closes { Trace::CloseQuote } else { Trace::OpenQuote }
    } else {
        return None;
    };
    let behind = &inner[name.len()..];
    let end = tag_end(behind)?;
    let attributes = behind[..end].strip_suffix('/').unwrap_or(&behind[..end]);
    let begins_apart = attributes.starts_with(|c: char| c.is_whitespace());
    if !(attributes.trim().is_empty() || begins_apart && attributes.contains('=') && !closes) {
        return None;
    }
    let length = rest.len() - behind.len() + end + 1;
    let trace = match attribute(attributes, "href") {
        _ if !name.eq_ignore_ascii_case("a") => trace,
        Some(address) => link_trace(address, &rest[length..], '<'),
        None if closes => Trace::CloseLink,
        None => trace,
    };
    Some((trace, length))
}

/// Longest name of a tag.
const MAX_NAME: usize = 10;

/// Where the `>` stands that ends a tag; `None` where another tag begins before it.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate().take(MAX_TAG) {
        match (byte, quote) {
            (b'>', None) => return Some(at),
            (b'<', None) => return None,
            (b'"' | b'\'', None) => quote = Some(byte),
            (_, Some(open)) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// The value of an attribute.
fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let lower = attributes.to_ascii_lowercase();
    let value = attributes[lower.find(name)? + name.len()..].trim_start().strip_prefix('=')?.trim_start();
    let value = match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].split(quote).next()?,
        _ => value.split(char::is_whitespace).next()?,
    };
    Some(value.trim())
}

/// A link to an address, if it leads to another site and is not the text of the link itself. That text ends where `ends`
/// stands.
fn link_trace(address: &str, after: &str, ends: char) -> Trace {
    let shown = after.split(ends).next().unwrap_or("").trim();
    let stays = is_address(address) && bare(address) != bare(shown);
    if stays { Trace::OpenLink(address.to_owned()) } else { Trace::Nothing }
}

/// Whether an address leads to a site.
fn is_address(address: &str) -> bool {
    let lower = address.get(..8).unwrap_or(address).to_ascii_lowercase();
    ["http://", "https://", "www.", "//"].iter().any(|start| lower.starts_with(start))
}

/// An address without what is often left out where it is shown.
fn bare(address: &str) -> &str {
    let address = address.trim_start_matches("http://").trim_start_matches("https://").trim_start_matches("//");
    address.trim_start_matches("www.").trim_end_matches('/')
}

/// Reads BBCode.
struct BbCode {
    /// The text in small letters.
    lower: String,
    /// Whether there is a closing tag, for those of [`BBCODE`] that were met.
    closed: HashMap<&'static str, bool>,
}

impl BbCode {
    fn new(text: &str) -> BbCode {
        let lower = if text.contains('[') { text.to_ascii_lowercase() } else { String::new() };
        BbCode { lower, closed: HashMap::new() }
    }

    /// The tag that a text begins with, and its length.
    fn tag(&mut self, rest: &str) -> Option<(Trace, usize)> {
        let inner = rest.strip_prefix('[')?;
        let (closes, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
        let name = &inner[..inner.bytes().take_while(u8::is_ascii_alphabetic).take(MAX_NAME + 1).count()];
        let behind = &inner[name.len()..];
        let end = behind.bytes().take(MAX_TAG).position(|byte| matches!(byte, b']' | b'[' | b'\n'))?;
        let (value, has_value) = match behind[..end].strip_prefix('=') {
            Some(value) => (value.trim_matches(['"', '\'']), true),
            None => ("", behind.starts_with(' ') && behind[..end].contains('=')),
        };
        if !behind[end..].starts_with(']') || !(end == 0 || has_value && !closes) {
            return None;
        }
        let length = rest.len() - behind.len() + end + 1;
        let trace = match name.to_ascii_lowercase().as_str() {
            "quote" if closes => Trace::CloseQuote,
            "quote" => Trace::OpenQuote,
            "url" | "link" if has_value => link_trace(value, &rest[length..], '['),
            "url" | "link" if closes => Trace::CloseLink,
            "url" | "link" | "img" => Trace::Nothing,
            name => {
                let name = BBCODE.split_whitespace().find(|known| *known == name)?;
                let closed = *self.closed.entry(name).or_insert_with(|| self.lower.contains(&format!("[/{name}]")));
                if !closed && !has_value {
                    return None;
                }
                Trace::Nothing
            }
        };
        Some((trace, length))
    }
}

/// The link of Markdown that a text begins with, and its length: `[shown](address)`, or with a title behind the address.
fn markdown_link(rest: &str) -> Option<(Trace, usize)> {
    let inner = rest.strip_prefix('[')?;
    let end = inner.bytes().take(MAX_TAG).position(|byte| matches!(byte, b']' | b'['))?;
    let behind = inner[end..].strip_prefix("](")?;
    let close = behind.bytes().take(MAX_TAG).position(|byte| matches!(byte, b')' | b'\n'))?;
    let address = behind[..close].split(' ').next().unwrap_or("");
    if !behind[close..].starts_with(')') || !is_address(address) {
        return None;
    }
    let shown = &inner[..end];
    let text = match link_trace(address, shown, ']') {
        Trace::OpenLink(address) => format!("{shown} {address}"),
        _ => shown.to_owned(),
    };
    Some((Trace::Text(text), rest.len() - behind.len() + close + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        without_tags(text).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn tags_go_and_what_they_enclose_stays() {
        for (text, plain) in [
            ("<p>The <b>council</b> met.</p>", "The council met."),
            ("<div class=\"a > b\"><span style='x'>One</span><br/>two<hr>", "One two"),
            ("<![CDATA[In the box]]>", "In the box"),
            ("In <!-- not --> the box", "In the box"),
            ("[b]Bold[/b] and [I]not[/I], [color=red]red[/color] [size=2]x", "Bold and not, red x"),
        ] {
            assert_eq!(read(text), plain);
        }
    }

    #[test]
    fn what_is_no_tag_stays() {
        for text in [
            "a < b and c > d",
            "I <3 it",
            "Vec<T> and <T>",
            "if a <b && c> d",
            "<script>x",
            "[1] and a[i]",
            "[T]he [b]ut",
            "<!-- open",
            "]]>",
            "<p",
            "f([b])",
            "[quote",
            "<b class>x",
            "[sic]",
            "<user@example.org>",
            "[text](note)",
        ] {
            assert_eq!(read(text), text);
        }
    }

    #[test]
    fn quotation_marks_stand_for_quotes() {
        for (text, plain) in [
            ("[quote=Ben;12]We won.[/quote]No.", "\"We won.\" No."),
            ("[quote] \"We won.\" [/quote] No.", "\"We won.\" No."),
            ("<blockquote>\n<p>We won.</p>\n</blockquote>No.", "\"We won.\" No."),
            ("We won.[/quote] No.", "We won.\" No."),
            ("[quote][/quote]No.", "No."),
            ("[quote name=\"Ben\" post=1]We won.", "\"We won."),
        ] {
            assert_eq!(read(text), plain);
        }
    }

    #[test]
    fn addresses_of_links_stay() {
        for (text, plain) in [
            ("<a rel=nofollow href='http://pills.example/x'>cheap</a> now", "cheap http://pills.example/x now"),
            ("<a href=\"http://a.example/\">a.example</a>", "a.example"),
            ("<a href=\"#note\">1</a>", "1"),
            ("[url=http://pills.example]cheap[/url]", "cheap http://pills.example"),
            ("[url]http://pills.example[/url]", "http://pills.example"),
            ("![A pill](//pills.example/x.png)", "A pill //pills.example/x.png"),
            ("[cheap](https://pills.example \"now\") pills", "cheap https://pills.example pills"),
        ] {
            assert_eq!(read(text), plain);
        }
    }
}
