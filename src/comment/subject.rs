//! A comment and what a site knows about it.

/// A comment as a site has it. Everything but the text may be missing; what is missing says nothing.
///
/// ```
/// let comment = copydesk::Comment {
///     author: Some("Cheap Loans Online".to_owned()),
///     author_url: Some("https://cheap-loans.example/apply".to_owned()),
///     ..copydesk::Comment::new("Great post, I will be back!")
/// };
/// assert_eq!(comment.text, "Great post, I will be back!");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comment {
    /// What it says, as plain text or with markup. Where it is empty, `html` is read.
    pub text: String,
    /// What it says with its markup.
    pub html: Option<String>,
    /// The name that its author gives.
    pub author: Option<String>,
    /// The author's link.
    pub author_url: Option<String>,
    /// What follows the `@` in the author's address.
    pub email_domain: Option<String>,
    /// Title of the page that it stands under.
    pub page_title: Option<String>,
    /// Text of that page, or its beginning.
    pub page_text: Option<String>,
}

impl Comment {
    /// A comment of which nothing is known but its text.
    pub fn new(text: impl Into<String>) -> Comment {
        Comment { text: text.into(), ..Comment::default() }
    }

    /// What is read: the text, or the markup where there is no text.
    pub fn body(&self) -> &str {
        match &self.html {
            Some(html) if self.text.trim().is_empty() => html,
            _ => &self.text,
        }
    }

    /// The domain of an e-mail address; the whole where it has no `@`.
    pub fn domain_of(address: &str) -> &str {
        address.rsplit_once('@').map_or(address, |(_, domain)| domain).trim()
    }
}

/// Words of a text: runs of letters and digits.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_markup_is_read_where_there_is_no_text() {
        let comment = Comment { html: Some("<p>Hello".to_owned()), ..Comment::new(" ") };
        assert_eq!(comment.body(), "<p>Hello");
        let comment = Comment { html: Some("<p>Hello".to_owned()), ..Comment::new("Hello") };
        assert_eq!(comment.body(), "Hello");
    }

    #[test]
    fn domains_of_addresses() {
        assert_eq!(Comment::domain_of("a@b.example "), "b.example");
        assert_eq!(Comment::domain_of("b.example"), "b.example");
    }
}
