//! What a comment leaves that another can be compared with.

use crate::comment::{self, Comment, Sketch};
use crate::text::model_text;
use sha2::{Digest, Sha256};

/// Hosts that are kept of one comment: a comment with more links says no more about its author.
const HOSTS: usize = 16;

/// Longest host name, by the rules of the domain name system.
const HOST_BYTES: usize = 253;

/// Longest name of an author that is compared, in characters.
const NAME_CHARACTERS: usize = 100;

/// Hosts that everybody links to, with their subdomains. A decision on a comment that links there says nothing about the next.
const WELL_KNOWN: &[&str] = &[
    "amazon.com",
    "apple.com",
    "archive.org",
    "bbc.co.uk",
    "bbc.com",
    "bit.ly",
    "bsky.app",
    "cnn.com",
    "doi.org",
    "ebay.com",
    "facebook.com",
    "flickr.com",
    "github.com",
    "gitlab.com",
    "gmail.com",
    "goo.gl",
    "google.com",
    "gravatar.com",
    "guardian.co.uk",
    "hotmail.com",
    "imgur.com",
    "instagram.com",
    "linkedin.com",
    "live.com",
    "mastodon.social",
    "nytimes.com",
    "outlook.com",
    "pinterest.com",
    "reddit.com",
    "soundcloud.com",
    "spotify.com",
    "stackoverflow.com",
    "t.co",
    "t.me",
    "theguardian.com",
    "tiktok.com",
    "tinyurl.com",
    "twitter.com",
    "vimeo.com",
    "washingtonpost.com",
    "whatsapp.com",
    "wikimedia.org",
    "wikipedia.org",
    "x.com",
    "yahoo.com",
    "youtu.be",
    "youtube.com",
];

/// What the same text, near copies, the same author and the same links are found by.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Traces {
    /// Hash of the words, without letter case, punctuation and markup.
    pub words: [u8; 32],
    /// The same for texts long enough for a sketch. Of shorter ones it holds author and links as well: what is said of one
    /// person's "Thank you!" is not said of another's.
    pub subject: [u8; 32],
    /// For near copies; none of a short text.
    pub sketch: Option<Sketch>,
    /// Name and e-mail domain together, where both are known.
    pub author: Option<String>,
    /// Hosts of its links, the author's among them, sorted, without the well-known.
    pub hosts: Vec<String>,
}

impl Traces {
    /// Of a comment; `None` where it has no text.
    pub fn of(comment: &Comment) -> Option<Traces> {
        let body = comment.body();
        if body.trim().is_empty() {
            return None;
        }
        let words = words_of(body);
        let (author, hosts) = (author(comment), hosts(comment));
        let sketch = Sketch::of(body);
        let subject = match sketch {
            Some(_) => words,
            None => {
                let mut hash = Sha256::new_with_prefix(words);
                // The name alone where there is no e-mail domain: it only tells apart here, and proves nothing.
                hash.update(author.clone().or_else(|| comment.author.as_deref().map(name)).unwrap_or_default());
                for host in &hosts {
                    hash.update([0]);
                    hash.update(host);
                }
                hash.finalize().into()
            }
        };
        Some(Traces { words, subject, sketch, author, hosts })
    }

    /// Whether it links to a host that the other does not link to.
    pub fn links_beyond(&self, hosts: &[&str]) -> bool {
        self.hosts.iter().any(|host| !hosts.contains(&host.as_str()))
    }
}

/// Hash of the words in their order; of a text without words, of its characters.
fn words_of(body: &str) -> [u8; 32] {
    let text = model_text(body).to_lowercase();
    let mut hash = Sha256::new();
    let mut any = false;
    for word in comment::words(&text) {
        hash.update(word);
        hash.update(b" ");
        any = true;
    }
    if !any {
        hash.update(b"\n");
        hash.update(body.trim());
    }
    hash.finalize().into()
}

/// A name with single spaces, in small letters, of bounded length.
fn name(author: &str) -> String {
    let words: Vec<&str> = author.split_whitespace().collect();
    words.join(" ").to_lowercase().chars().take(NAME_CHARACTERS).collect()
}

fn author(comment: &Comment) -> Option<String> {
    let name = name(comment.author.as_deref()?);
    let domain = Comment::domain_of(comment.email_domain.as_deref()?).to_lowercase();
    (!name.is_empty() && !domain.is_empty() && domain.len() <= HOST_BYTES).then(|| format!("{name}\n{domain}"))
}

fn hosts(comment: &Comment) -> Vec<String> {
    let mut hosts = Vec::new();
    let mut add = |address: &str| {
        if let Some(host) = host(address)
            && !well_known(&host)
            && hosts.len() < HOSTS
            && !hosts.contains(&host)
        {
            hosts.push(host);
        }
    };
    if let Some(url) = &comment.author_url {
        let url = url.trim();
        add(url.split_once("://").map_or(url.trim_start_matches("//"), |(_, rest)| rest));
    }
    // Where there is a text beside the markup, the links may stand in the markup alone.
    for part in [&comment.text, comment.html.as_deref().unwrap_or_default()] {
        for (start, scheme) in part.match_indices("://") {
            add(&part[start + scheme.len()..]);
        }
        for (start, _) in part.match_indices("www.") {
            if !part[..start].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '@')) {
                add(&part[start..]);
            }
        }
    }
    hosts.sort();
    hosts
}

/// The host at the beginning of an address without its scheme, in small letters, without `www.`, user and port.
fn host(address: &str) -> Option<String> {
    let end = address
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '@' | '%' | '[' | ']')))
        .unwrap_or(address.len());
    let authority = &address[..end];
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = authority.split([':', '[', ']']).next().unwrap_or_default().trim_matches('.').to_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    let fits = host.contains('.') && host.len() <= HOST_BYTES && !host.contains("..");
    fits.then(|| host.to_owned())
}

fn well_known(host: &str) -> bool {
    WELL_KNOWN
        .iter()
        .any(|known| host.strip_suffix(known).is_some_and(|before| before.is_empty() || before.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_case_and_punctuation_do_not_change_a_text() {
        let plain = Traces::of(&Comment::new("The bridge, they say, is closed until May.")).unwrap();
        let other = Traces::of(&Comment::new("<p>the BRIDGE they say is closed until May!!</p>")).unwrap();
        assert_eq!((plain.words, plain.subject), (other.words, other.subject));
        let longer = Traces::of(&Comment::new("The bridge, they say, is closed until May. Really.")).unwrap();
        assert_ne!(plain.words, longer.words);
    }

    #[test]
    fn a_short_text_is_told_apart_by_its_author_and_links() {
        let of = |author: &str, url: Option<&str>| {
            let comment = Comment {
                author: Some(author.to_owned()),
                author_url: url.map(str::to_owned),
                ..Comment::new("Thank you!")
            };
            Traces::of(&comment).unwrap()
        };
        let (ann, bob, linked) = (of("Ann", None), of("Bob", None), of("Ann", Some("https://loans.example/")));
        assert_eq!(ann.words, bob.words);
        assert!(ann.subject != bob.subject && ann.subject != linked.subject);
        assert_eq!(ann, of(" ann ", None));
        assert!(linked.links_beyond(&[]) && !linked.links_beyond(&["loans.example"]));
    }

    #[test]
    fn blank_comments_leave_nothing_and_signs_alone_do() {
        assert_eq!(Traces::of(&Comment::new(" \n")), None);
        let (hearts, stars) = (Traces::of(&Comment::new("❤❤")).unwrap(), Traces::of(&Comment::new("★★")).unwrap());
        assert_ne!(hearts.words, stars.words);
    }

    #[test]
    fn hosts_of_all_links_without_the_well_known() {
        let comment = Comment {
            author_url: Some("HTTP://user:pw@WWW.Cheap-Loans.example:8080/apply".to_owned()),
            ..Comment::new(
                "<a href='https://en.wikipedia.org/wiki/Loan'>see</a> [url=http://pills.example]x[/url] www.shoes.example, \
                 https://www.pills.example/ and http://localhost/ and http://notyoutube.com https://m.youtube.com/x",
            )
        };
        assert_eq!(
            Traces::of(&comment).unwrap().hosts,
            ["cheap-loans.example", "notyoutube.com", "pills.example", "shoes.example"]
        );
        let bare = Comment { author_url: Some("my-blog.example/about".to_owned()), ..Comment::new("Hello") };
        assert_eq!(Traces::of(&bare).unwrap().hosts, ["my-blog.example"]);
    }

    #[test]
    fn an_author_is_a_name_with_a_domain() {
        let of = |author: &str, domain: &str| {
            let comment = Comment {
                author: Some(author.to_owned()),
                email_domain: Some(domain.to_owned()),
                ..Comment::new("Hello there")
            };
            Traces::of(&comment).unwrap().author
        };
        assert_eq!(of("Jo  Miller", "jo@Post.example"), of("jo miller", "post.example"));
        assert_eq!(of("Jo", ""), None);
        assert_eq!(of(" ", "post.example"), None);
    }

    #[test]
    fn many_links_are_bounded() {
        let text: String = (0..100).map(|number| format!("http://h{number}.example/ ")).collect();
        assert_eq!(Traces::of(&Comment::new(text)).unwrap().hosts.len(), HOSTS);
    }
}
