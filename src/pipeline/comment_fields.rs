//! Where a record says what is known of a comment.

use crate::comment::Comment;
use crate::corpus::{InputError, Record};
use std::borrow::Cow;

/// Something that a site knows of a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    Text,
    Html,
    Author,
    AuthorUrl,
    Email,
    PageTitle,
    PageText,
    Permalink,
    Ip,
}

/// A fact, what `--map` calls it, and the fields that are looked for, the first that a record has being read. Behind the name of our
/// own stand those of blog systems and of their exports.
struct Known {
    fact: Fact,
    name: &'static str,
    fields: &'static [&'static str],
}

const KNOWN: [Known; 9] = [
    Known {
        fact: Fact::Text,
        name: "text",
        fields: &["text", "comment_content", "comment_text", "comment", "message", "body", "content"],
    },
    Known {
        fact: Fact::Html,
        name: "html",
        fields: &["html", "body_html", "content_html", "message_html", "content.rendered"],
    },
    Known {
        fact: Fact::Author,
        name: "author",
        fields: &["author", "comment_author", "author_name", "author.name", "name", "username"],
    },
    Known {
        fact: Fact::AuthorUrl,
        name: "author_url",
        fields: &["author_url", "comment_author_url", "author.url", "website", "url"],
    },
    Known {
        fact: Fact::Email,
        name: "author_email",
        fields: &["author_email", "email_domain", "comment_author_email", "author.email", "email"],
    },
    Known { fact: Fact::PageTitle, name: "page_title", fields: &["page_title", "post_title", "thread_title"] },
    Known { fact: Fact::PageText, name: "page_text", fields: &["page_text", "post_content"] },
    Known {
        fact: Fact::Permalink,
        name: "permalink",
        fields: &["permalink", "page_url", "page", "comment_post_ID", "post_id", "thread"],
    },
    // Read only where somebody asks for it: an address is a person's, and shared by many.
    Known { fact: Fact::Ip, name: "ip", fields: &[] },
];

/// Which fields of a record hold what is known of a comment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CommentFields {
    /// Fields that were named; nothing else is looked for then.
    named: Vec<(Fact, String)>,
}

impl CommentFields {
    /// Names by which facts are mapped, with commas between them.
    pub fn names() -> String {
        KNOWN.map(|known| known.name).join(", ")
    }

    /// The fact of a name; `email_domain` is one for `author_email`.
    pub fn fact(name: &str) -> Option<Fact> {
        let name = if name == "email_domain" { "author_email" } else { name };
        KNOWN.iter().find(|known| known.name == name).map(|known| known.fact)
    }

    /// Reads a fact from the field of this name, and from no other. A dot leads into an object.
    pub fn name_field(&mut self, fact: Fact, field: impl Into<String>) {
        self.named.retain(|(named, _)| *named != fact);
        self.named.push((fact, field.into()));
    }

    /// Whether a field was named for a fact.
    pub fn is_named(&self, fact: Fact) -> bool {
        self.named.iter().any(|(named, _)| *named == fact)
    }

    /// The text of a comment: where the record has none, or a blank one, its markup.
    ///
    /// # Errors
    /// [`InputError::MissingField`] and [`InputError::FieldNotString`].
    pub fn body<'a>(&self, record: &Record<'a>) -> Result<Cow<'a, str>, InputError> {
        let text = self.text(record)?;
        if let Some(text) = text.as_ref().filter(|text| !text.trim().is_empty()) {
            return Ok(text.clone());
        }
        let html = self.string(Fact::Html, record);
        html.or(text).ok_or_else(|| InputError::MissingField { field: self.first(Fact::Text).to_owned() })
    }

    /// A comment with all that its record says of it.
    pub fn comment(&self, record: &Record<'_>) -> Comment {
        let of = |fact| self.string(fact, record).map(Cow::into_owned);
        let email = self.string(Fact::Email, record);
        Comment {
            text: self.text(record).ok().flatten().unwrap_or_default().into_owned(),
            html: of(Fact::Html),
            author: of(Fact::Author),
            author_url: of(Fact::AuthorUrl),
            email_domain: email.map(|email| Comment::domain_of(&email).to_owned()).filter(|domain| !domain.is_empty()),
            page_title: of(Fact::PageTitle),
            page_text: of(Fact::PageText),
        }
    }

    /// What a record says of a fact; `None` where it says nothing, or what is blank or no text.
    pub fn string<'a>(&self, fact: Fact, record: &Record<'a>) -> Option<Cow<'a, str>> {
        let mut found = self.fields(fact).filter_map(|field| record.name(field));
        found.next().filter(|value| !value.trim().is_empty())
    }

    /// The text, where there is a field for it. What other systems have under one of their names need not be a text.
    fn text<'a>(&self, record: &Record<'a>) -> Result<Option<Cow<'a, str>>, InputError> {
        let first = self.first(Fact::Text);
        if record.value_at(first).is_some_and(|value| value != "null") {
            return record.text(first).map(Some);
        }
        Ok(self.fields(Fact::Text).find_map(|field| record.text(field).ok()))
    }

    fn first(&self, fact: Fact) -> &str {
        self.fields(fact).next().unwrap_or_default()
    }

    fn fields(&self, fact: Fact) -> impl Iterator<Item = &str> {
        let named = self.named.iter().find(|(named, _)| *named == fact).map(|(_, field)| field.as_str());
        let known: &[&str] = match named {
            Some(_) => &[],
            None => KNOWN.iter().find(|known| known.fact == fact).map_or(&[], |known| known.fields),
        };
        named.into_iter().chain(known.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comment(fields: &CommentFields, line: &str) -> Comment {
        fields.comment(&Record::parse(line).unwrap())
    }

    #[test]
    fn our_names_come_before_those_of_other_systems() {
        let fields = CommentFields::default();
        let line = r#"{"comment_content": "theirs", "comment_author": "Ada", "comment_author_email": "ada@mill.example",
            "comment_author_url": " ", "url": "https://mill.example", "post_title": "The mill"}"#;
        let theirs = comment(&fields, line);
        assert_eq!((theirs.text.as_str(), theirs.author.as_deref()), ("theirs", Some("Ada")));
        assert_eq!(
            (theirs.email_domain.as_deref(), theirs.page_title.as_deref()),
            (Some("mill.example"), Some("The mill"))
        );
        // A field that is there and says nothing is not made up for by another.
        assert_eq!(theirs.author_url, None);
        let ours = comment(&fields, r#"{"comment_content": "theirs", "text": "ours", "author": {"name": "Ada"}}"#);
        assert_eq!((ours.text.as_str(), ours.author.as_deref()), ("ours", Some("Ada")));
    }

    #[test]
    fn markup_is_read_where_there_is_no_text() {
        let fields = CommentFields::default();
        let body = |line: &str| fields.body(&Record::parse(line).unwrap()).map(Cow::into_owned);
        assert_eq!(body(r#"{"text": null, "html": "<p>Hello"}"#).unwrap(), "<p>Hello");
        assert_eq!(body(r#"{"text": " ", "html": "<p>Hello"}"#).unwrap(), "<p>Hello");
        assert_eq!(body(r#"{"content": {"rendered": "<p>Hello"}}"#).unwrap(), "<p>Hello");
        assert_eq!(body(r#"{"text": " "}"#).unwrap(), " ");
        assert_eq!(body("{}").unwrap_err().to_string(), "no field `text`");
        assert!(matches!(body(r#"{"text": 5, "html": "x"}"#), Err(InputError::FieldNotString { .. })));
        for line in [r#"{"text": null, "html": "<p>Hello"}"#, r#"{"body": "Hello", "html": "<p>Hello"}"#] {
            assert_eq!(comment(&fields, line).body(), body(line).unwrap());
        }
    }

    #[test]
    fn named_fields_alone_are_read() {
        let mut fields = CommentFields::default();
        fields.name_field(Fact::Text, "data.note");
        fields.name_field(CommentFields::fact("email_domain").unwrap(), "mail");
        let line = r#"{"text": "no", "data": {"note": "yes"}, "email": "a@no.example", "mail": "a@yes.example"}"#;
        let read = comment(&fields, line);
        assert_eq!((read.text.as_str(), read.email_domain.as_deref()), ("yes", Some("yes.example")));
        let error = fields.body(&Record::parse(r#"{"text": "no"}"#).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "no field `data.note`");
        assert_eq!(CommentFields::fact("date"), None);
    }

    #[test]
    fn addresses_of_machines_are_read_only_where_they_are_named() {
        let record = Record::parse(r#"{"ip": "192.0.2.7", "n": 7}"#).unwrap();
        let mut fields = CommentFields::default();
        assert_eq!(fields.string(Fact::Ip, &record), None);
        fields.name_field(Fact::Ip, "ip");
        assert_eq!(fields.string(Fact::Ip, &record).as_deref(), Some("192.0.2.7"));
    }
}
