//! What can be told of a web address by its form.

/// The parts of an address that say something, in lower case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Address {
    /// Name of the host, without `www.`.
    pub host: String,
    /// Whether it began with `www.`.
    pub www: bool,
    /// Whether the address is `https`.
    pub secure: bool,
    /// What follows the host up to the query, without the slashes at both ends.
    pub path: String,
    /// Whether there is a query.
    pub query: bool,
}

/// Longest part that is looked at, in bytes.
const LIMIT: usize = 300;

impl Address {
    /// Reads an address with or without its scheme; `None` where no host can be seen.
    pub fn parse(address: &str) -> Option<Address> {
        let address = address.trim();
        let secure = starts_with(address, "https://");
        let rest = match address.split_once("://") {
            Some((scheme, rest)) if scheme.len() <= 6 => rest,
            _ => address.trim_start_matches('/'),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, rest) = rest.split_at(end);
        let host = host.rsplit('@').next().unwrap_or(host);
        let host = host.split(':').next().unwrap_or(host).trim_end_matches('.');
        if !host.contains('.') || host.len() > LIMIT || host.contains(char::is_whitespace) {
            return None;
        }
        let host = host.to_lowercase();
        let www = host.starts_with("www.");
        let host = host.strip_prefix("www.").map_or(host.clone(), str::to_owned);
        let (path, query) = match rest.find(['?', '#']) {
            Some(at) => (&rest[..at], rest[at..].starts_with('?')),
            None => (rest, false),
        };
        let path: String = path.trim_matches('/').chars().take(LIMIT).collect::<String>().to_lowercase();
        Some(Address { host, www, secure, path, query })
    }

    /// The last part of the host's name.
    pub fn ending(&self) -> &str {
        self.host.rsplit('.').next().unwrap_or_default()
    }

    /// The name without the ending and without the part that names a country's kind of site, such as `co` in `co.uk`.
    pub fn name(&self) -> &str {
        let mut name = self.host.rsplit_once('.').map_or("", |(name, _)| name);
        if self.ending().len() == 2
            && let Some((rest, "co" | "com" | "org" | "net" | "ac" | "gov" | "edu" | "or" | "ne")) =
                name.rsplit_once('.')
        {
            name = rest;
        }
        name
    }

    /// Parts of the host's name before its own name: 1 for `blog.example.com`.
    pub fn levels(&self) -> usize {
        self.name().matches('.').count()
    }

    /// Parts of the path.
    pub fn depth(&self) -> usize {
        self.path.split('/').filter(|part| !part.is_empty()).count()
    }

    /// The kind of its ending: 0 education and government, 1 `org`, 2 a country, 3 `com` and `net`, 4 others, 5 one that is cheap and
    /// much used for advertising.
    pub fn ending_kind(&self) -> u8 {
        match self.ending() {
            "edu" | "gov" | "mil" | "int" => 0,
            "org" => 1,
            "com" | "net" => 3,
            "info" | "biz" | "xyz" | "top" | "club" | "online" | "site" | "icu" | "shop" | "store" | "win" | "bid"
            | "loan" | "vip" | "live" | "life" | "fun" | "space" | "website" | "link" | "click" | "pw" | "tk"
            | "ml" | "ga" | "cf" | "gq" | "ws" | "cc" | "su" | "ru" | "cn" | "ua" | "pro" | "mobi" | "today"
            | "world" | "buzz" | "cam" | "casino" | "bet" | "poker" => 5,
            ending if ending.len() == 2 => 2,
            _ => 4,
        }
    }

    /// Whether anybody can put pages there without paying.
    pub fn is_free_host(&self) -> bool {
        ends_with_any(&self.host, FREE_HOSTS)
    }

    /// Whether the address hides where it leads.
    pub fn is_shortener(&self) -> bool {
        SHORTENERS.contains(&self.host.as_str())
    }

    /// Whether the host is one that everybody links to.
    pub fn is_well_known(&self) -> bool {
        ends_with_any(&self.host, WELL_KNOWN)
    }

    /// Whether the path looks like the page of somebody's account.
    pub fn is_profile(&self) -> bool {
        self.path.split('/').any(|part| {
            matches!(part, "user" | "users" | "member" | "members" | "profile" | "profiles" | "u" | "author")
                || part.starts_with("profile")
                || part.starts_with("member")
        })
    }

    /// The words of the host's own name and, where `whole`, of the path.
    pub fn words(&self, whole: bool) -> impl Iterator<Item = &str> {
        let path = if whole { self.path.as_str() } else { "" };
        self.name().split(is_no_letter).chain(path.split(is_no_letter)).filter(|word| word.len() > 2)
    }
}

fn is_no_letter(c: char) -> bool {
    !c.is_alphabetic()
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn ends_with_any(host: &str, hosts: &[&str]) -> bool {
    hosts.iter().any(|known| host.strip_suffix(known).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

/// Hosts of pages and blogs for everybody.
const FREE_HOSTS: &[&str] = &[
    "blogspot.com",
    "wordpress.com",
    "weebly.com",
    "tumblr.com",
    "livejournal.com",
    "wixsite.com",
    "wix.com",
    "webs.com",
    "jimdo.com",
    "over-blog.com",
    "blog.com",
    "blogger.com",
    "angelfire.com",
    "tripod.com",
    "geocities.com",
    "yolasite.com",
    "webnode.com",
    "sites.google.com",
    "squidoo.com",
    "hubpages.com",
    "typepad.com",
    "blogs.com",
    "ning.com",
    "xanga.com",
    "ucoz.com",
    "ucoz.ru",
    "narod.ru",
    "altervista.org",
    "000webhostapp.com",
    "github.io",
    "medium.com",
    "posterous.com",
    "freeblog.com",
    "page.tl",
];

/// Hosts of short addresses.
const SHORTENERS: &[&str] = &[
    "bit.ly",
    "goo.gl",
    "tinyurl.com",
    "t.co",
    "ow.ly",
    "is.gd",
    "cutt.ly",
    "rb.gy",
    "shorturl.at",
    "adf.ly",
    "tiny.cc",
    "v.gd",
    "t.me",
    "wa.me",
    "rebrand.ly",
    "u.to",
    "clck.ru",
    "s.id",
    "j.mp",
    "po.st",
    "q.gs",
];

/// Hosts that genuine comments link to.
const WELL_KNOWN: &[&str] = &[
    "github.com",
    "wikipedia.org",
    "stackoverflow.com",
    "stackexchange.com",
    "microsoft.com",
    "google.com",
    "youtube.com",
    "youtu.be",
    "twitter.com",
    "x.com",
    "facebook.com",
    "linkedin.com",
    "reddit.com",
    "amazon.com",
    "apple.com",
    "mozilla.org",
    "w3.org",
    "codeplex.com",
    "msdn.com",
    "bbc.co.uk",
    "nytimes.com",
    "theguardian.com",
    "archive.org",
    "gist.github.com",
    "flickr.com",
    "imgur.com",
    "vimeo.com",
    "about.me",
    "gravatar.com",
    "disqus.com",
    "myopenid.com",
];

/// Domains of e-mail addresses that anybody can have.
const FREE_MAIL: &[&str] = &[
    "gmail.com",
    "googlemail.com",
    "yahoo.com",
    "yahoo.co.uk",
    "yahoo.fr",
    "ymail.com",
    "hotmail.com",
    "hotmail.co.uk",
    "live.com",
    "msn.com",
    "outlook.com",
    "aol.com",
    "mail.ru",
    "yandex.ru",
    "gmx.de",
    "gmx.com",
    "gmx.net",
    "web.de",
    "icloud.com",
    "me.com",
    "mac.com",
    "mail.com",
    "inbox.com",
    "comcast.net",
    "verizon.net",
    "btinternet.com",
    "protonmail.com",
    "fastmail.com",
    "fastmail.fm",
];

/// Whether anybody can have an address there.
pub fn is_free_mail(domain: &str) -> bool {
    FREE_MAIL.contains(&domain.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_addresses() {
        let address = Address::parse("https://www.Cheap-Pills.co.uk/Buy/Now/?id=3#top").unwrap();
        assert_eq!((address.host.as_str(), address.www, address.secure), ("cheap-pills.co.uk", true, true));
        assert_eq!((address.path.as_str(), address.query, address.depth()), ("buy/now", true, 2));
        assert_eq!((address.name(), address.levels(), address.ending_kind()), ("cheap-pills", 0, 2));
        assert_eq!(address.words(true).collect::<Vec<_>>(), ["cheap", "pills", "buy", "now"]);
        let address = Address::parse("news.blogspot.com").unwrap();
        assert!(address.is_free_host() && !address.is_well_known() && address.levels() == 1);
        assert!(Address::parse("http://forum.example/members/jo").unwrap().is_profile());
        assert!(!Address::parse("http://notgithub.com").unwrap().is_well_known());
    }

    #[test]
    fn what_is_no_address() {
        for text in ["", "http://", "localhost", "see you.", "a b.example"] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }
}
