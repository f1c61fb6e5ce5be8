//! The links of a comment: tags of HTML and BBCode, links of Markdown, and bare addresses.

use super::address::Address;

/// Links of one comment that are looked at.
const MOST_LINKS: usize = 200;

/// Longest tag, and longest text of a link, in bytes.
const LONGEST: usize = 1000;

/// A link.
#[derive(Clone, Debug, PartialEq)]
pub struct Link<'a> {
    /// Where it leads.
    pub address: Address,
    /// The text between the tags; `None` for a bare address.
    pub anchor: Option<&'a str>,
    /// Its bytes, tags included.
    pub start: usize,
    /// The end of its bytes.
    pub end: usize,
}

/// All links, in their order.
pub fn links(text: &str) -> Vec<Link<'_>> {
    let mut links = Vec::new();
    let mut at = 0;
    while links.len() < MOST_LINKS {
        let Some(offset) = text[at..].find(['<', '[', 'h', 'H', 'w', 'W', ']']) else { break };
        let start = at + offset;
        let rest = &text[start..];
        let found = match rest.as_bytes()[0] {
            b'<' => tag(rest, "<a", '>', "href", "</a"),
            b'[' => tag(rest, "[url", ']', "", "[/url").or_else(|| tag(rest, "[link", ']', "", "[/link")),
            b']' => markdown(text, start),
            _ if begins_word(text, start) => bare(rest),
            _ => None,
        };
        match found {
            Some((address, anchor, length)) => {
                links.push(Link { address, anchor, start, end: start + length });
                at = start + length;
            }
            // One of the bytes looked for: each is a character.
            None => at = start + 1,
        }
    }
    links
}

type Found<'a> = Option<(Address, Option<&'a str>, usize)>;

/// `<a href="…">text</a>`, `[url=…]text[/url]`, `[url]…[/url]`.
fn tag<'a>(rest: &'a str, name: &str, close: char, attribute: &str, end: &str) -> Found<'a> {
    if !prefix(rest, name) || rest[name.len()..].starts_with(char::is_alphanumeric) {
        return None;
    }
    let window = &rest[..crate::text::character_floor(rest, LONGEST)];
    let close_at = window.find(close)?;
    let inside = &window[name.len()..close_at];
    let value = match attribute {
        "" => inside.trim_start().strip_prefix('=').map(str::trim),
        attribute => {
            let at = find_ignoring_case(inside, attribute)?;
            Some(inside[at + attribute.len()..].trim_start().strip_prefix('=')?.trim_start())
        }
    };
    let body_at = close_at + 1;
    let body = &rest[body_at..crate::text::character_floor(rest, body_at + LONGEST)];
    let (anchor, length) = match find_ignoring_case(body, end) {
        Some(at) => {
            let after = body[at..].find(['>', ']']).map_or(at + end.len(), |end| at + end + 1);
            (&body[..at], body_at + after)
        }
        None => ("", body_at),
    };
    let value = match value {
        Some(value) => match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value[1..].split(quote).next().unwrap_or_default(),
            _ => value.split([' ', '\t', '\n', '>']).next().unwrap_or_default(),
        },
        None => anchor,
    };
    Some((Address::parse(value)?, Some(anchor), length))
}

/// `[text](address)`, from the `]`.
fn markdown(text: &str, at: usize) -> Found<'_> {
    let rest = text[at..].strip_prefix("](")?;
    let end = rest.find([')', ' ', '\n'])?;
    let open = text[..at].rfind('[')?;
    let anchor = &text[open + 1..at];
    (anchor.len() <= LONGEST && rest[end..].starts_with(')'))
        .then(|| Some((Address::parse(&rest[..end])?, Some(anchor), end + 3)))?
}

/// `http://…` or `www.…`.
fn bare(rest: &str) -> Found<'_> {
    if !["http://", "https://", "www."].iter().any(|start| prefix(rest, start)) {
        return None;
    }
    let end =
        rest.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '[' | ']' | '|')).unwrap_or(rest.len());
    let end = rest[..end].trim_end_matches(['.', ',', ')', ';', ':', '!', '?', '\'', '*']).len();
    Some((Address::parse(&rest[..end])?, None, end))
}

fn begins_word(text: &str, at: usize) -> bool {
    !text[..at].chars().next_back().is_some_and(char::is_alphanumeric)
}

fn prefix(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start))
}

fn find_ignoring_case(text: &str, what: &str) -> Option<usize> {
    text.as_bytes().windows(what.len()).position(|window| window.eq_ignore_ascii_case(what.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(text: &str) -> Vec<(String, Option<&str>)> {
        links(text).into_iter().map(|link| (link.address.host, link.anchor)).collect()
    }

    #[test]
    fn every_way_to_write_a_link() {
        let text = "See <A class=x HREF='http://one.example/a'>this</a>, [url=http://two.example]that[/url], \
                    [URL]http://three.example[/URL], [more](https://four.example/b) and (www.five.example).";
        let expected = [
            ("one.example", Some("this")),
            ("two.example", Some("that")),
            ("three.example", Some("http://three.example")),
            ("four.example", Some("more")),
            ("five.example", None),
        ];
        assert_eq!(hosts(text), expected.map(|(host, anchor)| (host.to_owned(), anchor)));
    }

    #[test]
    fn what_is_no_link() {
        for text in [
            "<abbr>how</abbr>",
            "a < b",
            "[1] whale",
            "xhttp://a.example",
            "http://",
            "<a name=x>here</a>",
            "](",
            "<a href=",
        ] {
            assert_eq!(hosts(text), [], "{text}");
        }
    }

    #[test]
    fn thousands_of_links_and_open_tags_end() {
        assert_eq!(links(&"http://a.example ".repeat(5000)).len(), MOST_LINKS);
        assert!(links(&"<a href=\"é".repeat(5000)).is_empty());
        assert!(links(&"[url".repeat(5000)).is_empty());
    }
}
