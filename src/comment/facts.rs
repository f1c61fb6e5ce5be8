//! What is counted about a comment: one row of numbers for the trees.

use super::Comment;
use super::address::{Address, is_free_mail};
use super::links::{Link, links};
use super::subject::words;
use crate::text::{Doubt, language, model_text};
use std::collections::HashSet;

/// Stands for a fact that is not known. All others are greater.
pub const MISSING: f32 = -100.0;

/// Where facts come from. What is not there is [`MISSING`] in all facts of its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The text.
    Text,
    /// The links in it.
    Links,
    /// Links and marks that only markup shows.
    Markup,
    /// The author's name.
    Author,
    /// The author's link.
    AuthorUrl,
    /// The domain of the author's address.
    Email,
    /// The page's title and text.
    Page,
}

/// Sources that a site may not have; training hides each of them at random.
pub const MASKED: [Source; 5] = [Source::Markup, Source::Author, Source::AuthorUrl, Source::Email, Source::Page];

/// Facts with their names and sources, in the order in which they are told.
#[derive(Debug, Default)]
pub struct Facts {
    /// The values.
    pub values: Vec<f32>,
    /// Name and source of each.
    pub names: Vec<(&'static str, Source)>,
}

impl Facts {
    /// Hides what comes from a source among values of these facts.
    pub fn hide(&self, source: Source, values: &mut [f32]) {
        for (value, &(_, of)) in values.iter_mut().zip(&self.names) {
            if of == source {
                *value = MISSING;
            }
        }
    }

    fn add(&mut self, source: Source, known: bool, facts: &[(&'static str, f32)]) {
        for &(name, value) in facts {
            self.names.push((name, source));
            self.values.push(if known { value } else { MISSING });
        }
    }
}

/// Position of the fact that the text model gives.
pub const TEXT_ODDS: usize = 0;

/// What other parts say of a comment before its facts are counted.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    /// Log-odds of spam by the text model.
    pub text: f32,
    /// Logarithms of its probabilities of `reporting`, `opinion`, `quotation` and `other`; [`MISSING`] for a model with other labels.
    pub others: [f32; 4],
    /// Log-odds by the words of the text.
    pub words: f32,
    /// Log-odds by the author's name.
    pub name: f32,
}

/// Counts.
pub fn facts(comment: &Comment, heard: &Heard) -> Facts {
    let mut facts = Facts::default();
    let body = comment.body();
    let markup = comment.html.as_deref().filter(|html| has_tags(html)).unwrap_or(body);
    let plain = model_text(body);
    let found = links(markup);
    let [reporting, opinion, quotation, other] = heard.others;
    facts.add(
        Source::Text,
        true,
        &[
            ("text model", heard.text),
            ("words", heard.words),
            ("reporting", reporting),
            ("opinion", opinion),
            ("quotation", quotation),
            ("other", other),
        ],
    );
    let lower = plain.to_lowercase();
    let words: Vec<&str> = words(&lower).collect();
    let own: HashSet<&str> = words.iter().copied().filter(|word| word.chars().count() > 3).collect();
    text_facts(&mut facts, body, &plain, &words);
    link_facts(&mut facts, markup, &found, &own);
    markup_facts(&mut facts, markup, &found, &own, has_tags(markup) || markup.contains("[url"));
    author_facts(&mut facts, comment, heard.name, &own);
    author_url_facts(&mut facts, comment, &found, &own);
    email_facts(&mut facts, comment, &own);
    page_facts(&mut facts, comment, &own, &lower);
    facts
}

/// Whether there is a tag besides those that only part paragraphs: importers put those in and take them out.
fn has_tags(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        let name: String = text[at + 1..].chars().take_while(char::is_ascii_alphanumeric).take(12).collect();
        matches!(
            name.to_ascii_lowercase().as_str(),
            "a" | "b"
                | "i"
                | "strong"
                | "em"
                | "h1"
                | "h2"
                | "h3"
                | "img"
                | "ul"
                | "ol"
                | "li"
                | "blockquote"
                | "code"
                | "pre"
                | "u"
        )
    })
}

fn log(count: usize) -> f32 {
    ((count + 1) as f32).ln()
}

fn share(part: usize, whole: usize) -> f32 {
    part as f32 / whole.max(1) as f32
}

fn flag(condition: bool) -> f32 {
    f32::from(u8::from(condition))
}

fn text_facts(facts: &mut Facts, body: &str, plain: &str, words: &[&str]) {
    let count = |test: fn(char) -> bool| plain.chars().filter(|&c| test(c)).count();
    let characters = plain.chars().count();
    let letters = count(char::is_alphabetic);
    let different: HashSet<&&str> = words.iter().collect();
    let language = language(plain, body);
    let english = match (language.doubt, language.code) {
        (None, Some("en")) => 2.0,
        (Some(Doubt::NotEnglish | Doubt::NotReadable), _) => 0.0,
        _ => 1.0,
    };
    let first_person =
        words.iter().filter(|word| matches!(**word, "i" | "my" | "me" | "we" | "our" | "im" | "ve")).count();
    let second_person = words.iter().filter(|word| matches!(**word, "you" | "your" | "yours")).count();
    let digits_in_a_row = body.split(|c: char| !(c.is_ascii_digit() || " -().+".contains(c)));
    let phone = digits_in_a_row.map(|run| run.chars().filter(char::is_ascii_digit).count()).max().unwrap_or(0);
    facts.add(
        Source::Text,
        true,
        &[
            ("characters", log(characters)),
            ("word count", log(words.len())),
            ("capitals", share(count(char::is_uppercase), letters)),
            ("digits", share(count(|c| c.is_ascii_digit()), characters)),
            ("other scripts", share(count(|c| c.is_alphabetic() && !c.is_ascii()), letters)),
            ("exclamations", count(|c| c == '!').min(6) as f32),
            ("questions", count(|c| c == '?').min(4) as f32),
            ("money", flag(plain.contains(['$', '€', '£']))),
            ("longest number", (phone as f32).min(16.0)),
            ("lines", log(body.trim().matches('\n').count())),
            ("word length", share(letters, words.len()).min(30.0)),
            ("different words", share(different.len(), words.len())),
            ("small first letter", flag(plain.trim_start().starts_with(char::is_lowercase))),
            ("ends a sentence", flag(plain.trim_end().ends_with(['.', '!', '?', ')']))),
            ("English", english),
            ("first person", share(first_person, words.len())),
            ("second person", share(second_person, words.len())),
            ("commas", share(count(|c| c == ','), words.len())),
            ("marks that are no words", share(count(|c| !c.is_alphanumeric() && !c.is_whitespace()), characters)),
            ("mail address", flag(has_mail_address(body))),
            ("apostrophes", share(count(|c| c == '\'' || c == '’'), words.len())),
            ("space before a mark", flag(plain.contains(" ,") || plain.contains(" .") || plain.contains(" !"))),
        ],
    );
}

fn has_mail_address(text: &str) -> bool {
    text.match_indices('@').any(|(at, _)| {
        let before = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == ']');
        let domain =
            text[at + 1..].split(|c: char| !(c.is_alphanumeric() || c == '.' || c == '-')).next().unwrap_or_default();
        before && domain.trim_matches('.').contains('.')
    })
}

fn link_facts(facts: &mut Facts, markup: &str, found: &[Link<'_>], own: &HashSet<&str>) {
    let hosts: HashSet<&str> = found.iter().map(|link| link.address.host.as_str()).collect();
    let any = |test: fn(&Address) -> bool| flag(found.iter().any(|link| test(&link.address)));
    let most = |count: fn(&Address) -> usize| found.iter().map(|link| count(&link.address)).max().unwrap_or(0) as f32;
    let covered: usize = found.iter().map(|link| link.end - link.start).sum();
    let end = markup.trim_end().len();
    let overlap = found.iter().flat_map(|link| link.address.words(true)).any(|word| own.contains(word));
    facts.add(
        Source::Links,
        true,
        &[
            ("links", (found.len() as f32).min(20.0)),
            ("bare links", (found.iter().filter(|link| link.anchor.is_none()).count() as f32).min(20.0)),
            ("hosts", (hosts.len() as f32).min(12.0)),
            ("share of links", share(covered, markup.len())),
            ("ends with a link", flag(found.last().is_some_and(|link| link.end + 8 >= end))),
            ("begins with a link", flag(found.first().is_some_and(|link| link.start < 8))),
            ("digits in a host", most(|address| address.host.bytes().filter(u8::is_ascii_digit).count()).min(8.0)),
            ("hyphens in a host", most(|address| address.host.matches('-').count()).min(6.0)),
            ("kind of ending", most(|address| usize::from(address.ending_kind()) + 1)),
            ("free host", any(Address::is_free_host)),
            ("short address", any(Address::is_shortener)),
            ("well-known host", any(Address::is_well_known)),
            ("unknown host", flag(found.iter().any(|link| !link.address.is_well_known()))),
            ("profile", any(Address::is_profile)),
            ("levels of a host", most(Address::levels).min(4.0)),
            ("depth of a path", most(Address::depth).min(8.0)),
            ("length of a path", log(most(|address| address.path.len()) as usize)),
            ("hyphens in a path", most(|address| address.path.matches('-').count()).min(10.0)),
            ("query", any(|address| address.query)),
            ("front page", any(|address| address.path.is_empty() && !address.query)),
            ("length of a host", most(|address| address.host.len()).min(60.0)),
            ("words of addresses in the text", flag(overlap)),
        ],
    );
}

fn markup_facts(facts: &mut Facts, markup: &str, found: &[Link<'_>], own: &HashSet<&str>, known: bool) {
    let anchors: Vec<&str> = found.iter().filter_map(|link| link.anchor).collect();
    let words: Vec<String> =
        anchors.iter().flat_map(|anchor| anchor.split_whitespace()).map(str::to_lowercase).collect();
    let in_address = found.iter().filter(|link| {
        let anchor = link.anchor.unwrap_or_default().to_lowercase();
        link.address.words(true).any(|word| anchor.contains(word))
    });
    let small = anchors.iter().filter(|anchor| anchor.starts_with(char::is_lowercase)).count();
    let addresses = anchors.iter().filter(|anchor| Address::parse(anchor).is_some()).count();
    facts.add(
        Source::Markup,
        known,
        &[
            ("anchors", (anchors.len() as f32).min(20.0)),
            ("words of anchors", share(words.len(), anchors.len()).min(15.0)),
            ("share of anchors", share(anchors.iter().map(|anchor| anchor.len()).sum(), markup.len())),
            ("anchors that name their address", share(in_address.count(), anchors.len())),
            ("anchors in small letters", share(small, anchors.len())),
            ("anchors that are addresses", share(addresses, anchors.len())),
            ("anchor words elsewhere", flag(words.iter().any(|word| own.contains(word.as_str())))),
            ("BBCode", flag(markup.contains("[url") || markup.contains("[URL"))),
            ("no follow", flag(markup.contains("nofollow"))),
        ],
    );
}

fn author_facts(facts: &mut Facts, comment: &Comment, heard: f32, own: &HashSet<&str>) {
    let name = comment.author.as_deref().map_or("", str::trim);
    let lower = name.to_lowercase();
    let words: Vec<&str> = words(&lower).collect();
    let capital = name.split_whitespace().filter(|word| word.starts_with(char::is_uppercase)).count();
    let letters = name.chars().filter(|c| c.is_alphabetic()).count();
    let joined =
        name.as_bytes().windows(2).filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()).count();
    let vowels = lower.chars().filter(|c| "aeiouy".contains(*c)).count();
    let title = comment.page_title.as_deref().unwrap_or_default().to_lowercase();
    facts.add(
        Source::Author,
        !name.is_empty(),
        &[
            ("author's name", heard),
            ("length of the name", log(name.chars().count())),
            ("words of the name", (words.len() as f32).min(12.0)),
            ("digits in the name", (name.bytes().filter(u8::is_ascii_digit).count() as f32).min(8.0)),
            ("capital words of the name", share(capital, words.len())),
            ("capitals in the name", share(name.chars().filter(|c| c.is_uppercase()).count(), letters)),
            ("words joined in the name", joined as f32),
            ("vowels in the name", share(vowels, letters)),
            (
                "name in another script",
                share(name.chars().filter(|c| c.is_alphabetic() && !c.is_ascii()).count(), letters),
            ),
            (
                "address as the name",
                flag(name.contains("://") || name.contains("www.") || name.contains(".com") || name.contains("<a")),
            ),
            (
                "marks in the name",
                share(name.chars().filter(|c| !c.is_alphanumeric() && *c != ' ').count(), name.chars().count()),
            ),
            (
                "words of the name in the text",
                share(words.iter().filter(|word| own.contains(**word)).count(), words.len()),
            ),
            (
                "words of the name in the title",
                share(words.iter().filter(|word| word.len() > 3 && title.contains(**word)).count(), words.len()),
            ),
        ],
    );
}

fn author_url_facts(facts: &mut Facts, comment: &Comment, found: &[Link<'_>], own: &HashSet<&str>) {
    let address = comment.author_url.as_deref().and_then(Address::parse);
    let known = address.is_some();
    let address = address.unwrap_or_default();
    let name = comment.author.as_deref().unwrap_or_default().to_lowercase();
    let squeezed: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
    let host: String = address.name().chars().filter(|c| c.is_alphanumeric()).collect();
    let parts: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 2).collect();
    let in_host = parts.iter().filter(|word| host.contains(**word)).count();
    facts.add(
        Source::AuthorUrl,
        known,
        &[
            ("kind of the link's ending", f32::from(address.ending_kind())),
            ("hyphens of the link's host", (address.host.matches('-').count() as f32).min(6.0)),
            ("digits of the link's host", (address.host.bytes().filter(u8::is_ascii_digit).count() as f32).min(8.0)),
            ("length of the link's host", (address.host.len() as f32).min(60.0)),
            ("levels of the link's host", (address.levels() as f32).min(4.0)),
            ("depth of the link", (address.depth() as f32).min(8.0)),
            ("length of the link's path", log(address.path.len())),
            ("hyphens of the link's path", (address.path.matches('-').count() as f32).min(10.0)),
            ("digits of the link's path", (address.path.bytes().filter(u8::is_ascii_digit).count() as f32).min(10.0)),
            ("the link has a query", flag(address.query)),
            (
                "the link is a file",
                flag(
                    address.path.ends_with(".html") || address.path.ends_with(".htm") || address.path.ends_with(".php"),
                ),
            ),
            ("the link begins with www", flag(address.www)),
            ("the link is secure", flag(address.secure)),
            ("the link's host is free", flag(address.is_free_host())),
            ("the link's host is well known", flag(address.is_well_known())),
            ("the link is short", flag(address.is_shortener())),
            ("the link is a profile", flag(address.is_profile())),
            ("the link stands in the text", flag(found.iter().any(|link| link.address.host == address.host))),
            ("words of the link in the text", flag(address.words(true).any(|word| own.contains(word)))),
            ("the name is the link", flag(!squeezed.is_empty() && (host == squeezed || host.contains(&squeezed)))),
            ("words of the name in the link", share(in_host, parts.len())),
        ],
    );
}

fn email_facts(facts: &mut Facts, comment: &Comment, own: &HashSet<&str>) {
    let domain = comment.email_domain.as_deref().map(Comment::domain_of).and_then(Address::parse);
    let known = domain.is_some();
    let domain = domain.unwrap_or_default();
    let link = comment.author_url.as_deref().and_then(Address::parse);
    let same = match &link {
        Some(link) => flag(link.host == domain.host || link.host.ends_with(&format!(".{}", domain.host))),
        None => MISSING,
    };
    facts.add(
        Source::Email,
        known,
        &[
            ("free mail", flag(is_free_mail(&domain.host))),
            ("kind of the domain's ending", f32::from(domain.ending_kind())),
            ("length of the domain", (domain.host.len() as f32).min(50.0)),
            ("digits of the domain", (domain.host.bytes().filter(u8::is_ascii_digit).count() as f32).min(8.0)),
            ("hyphens of the domain", (domain.host.matches('-').count() as f32).min(6.0)),
            ("levels of the domain", (domain.levels() as f32).min(4.0)),
            ("the domain is that of the link", same),
            ("words of the domain in the text", flag(domain.words(false).any(|word| own.contains(word)))),
        ],
    );
}

fn page_facts(facts: &mut Facts, comment: &Comment, own: &HashSet<&str>, lower: &str) {
    let title = comment.page_title.as_deref().map_or("", str::trim).to_lowercase();
    let page = comment.page_text.as_deref().unwrap_or_default().to_lowercase();
    let long = |text: &str| -> HashSet<String> {
        words(text).filter(|word| word.chars().count() > 3).map(str::to_owned).collect()
    };
    let title_words = long(&title);
    let shared = title_words.iter().filter(|word| own.contains(word.as_str())).count();
    let in_page = match page.is_empty() {
        true => MISSING,
        false => {
            let page = long(&page);
            share(own.iter().filter(|word| page.contains(**word)).count(), own.len())
        }
    };
    facts.add(
        Source::Page,
        !title.is_empty() || !page.is_empty(),
        &[
            ("words of the title", shared as f32),
            ("share of the title's words", share(shared, title_words.len())),
            ("the whole title", flag(title.len() > 8 && lower.contains(&title))),
            ("share of its words on the page", in_page),
        ],
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEARD: Heard = Heard { text: 0.0, others: [-1.0; 4], words: 0.0, name: 0.0 };

    fn fact(comment: &Comment, name: &str) -> f32 {
        let facts = facts(comment, &HEARD);
        facts.values[facts.names.iter().position(|fact| fact.0 == name).expect("there is such a fact")]
    }

    #[test]
    fn every_fact_has_its_own_name_and_what_is_not_there_is_missing() {
        let facts = facts(&Comment::new("Hello"), &HEARD);
        let names: HashSet<&str> = facts.names.iter().map(|fact| fact.0).collect();
        assert_eq!(names.len(), facts.values.len());
        for ((name, source), value) in facts.names.iter().zip(&facts.values) {
            let known = matches!(source, Source::Text | Source::Links);
            assert_eq!(*value != MISSING, known, "{name}");
            assert!(value.is_finite(), "{name}");
        }
    }

    #[test]
    fn tags_that_only_part_paragraphs_are_no_markup() {
        let with = |html: &str| Comment { html: Some(html.to_owned()), ..Comment::new("Hello there") };
        assert_eq!(fact(&with("<p>Hello there</p>"), "anchors"), MISSING);
        assert_eq!(fact(&with("<a href='http://a.example'>Hello</a> there"), "anchors"), 1.0);
    }

    #[test]
    fn what_links_names_and_pages_have_in_common_is_seen() {
        let comment = Comment {
            author: Some("Red Shoes".to_owned()),
            author_url: Some("http://red-shoes.example/".to_owned()),
            email_domain: Some("red-shoes.example".to_owned()),
            page_title: Some("Shoes for the winter".to_owned()),
            ..Comment::new("These shoes keep out the winter")
        };
        assert_eq!(fact(&comment, "words of the name in the link"), 1.0);
        assert_eq!(fact(&comment, "the domain is that of the link"), 1.0);
        assert_eq!(fact(&comment, "words of the title"), 2.0);
        assert_eq!(fact(&comment, "words of the name in the text"), 0.5);
    }
}
