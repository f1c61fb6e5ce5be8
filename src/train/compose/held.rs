//! What no composed row may hold: sites that are left out, and the pages and texts that a model is to be judged on.

use super::source::{AnnotatedParagraph, Region, SitePage};
use super::words::{count, fingerprint};
use std::collections::HashSet;

/// Words from which on two equal texts are the same text and no coincidence.
const TELLING: usize = 5;

/// Words from which on one paragraph tells the page that it stands on.
const TELLING_PAGE: usize = 12;

/// Sites, pages and texts that are kept out.
#[derive(Default)]
pub(super) struct HeldOut {
    sites: Vec<String>,
    texts: HashSet<u64>,
    docs: HashSet<String>,
}

impl HeldOut {
    pub fn new(sites: Vec<String>, rows: &[AnnotatedParagraph]) -> HeldOut {
        let texts = rows.iter().filter(|row| count(&row.text) >= TELLING).map(|row| fingerprint(&row.text)).collect();
        let docs = rows.iter().filter_map(|row| row.doc.clone()).collect();
        HeldOut { sites, texts, docs }
    }

    /// Whether a source is one of the sites, or a part of one: `site_rejected`, `site-title`.
    pub fn site(&self, source: &str) -> bool {
        let rest = |site: &String| source.strip_prefix(site.as_str());
        self.sites.iter().filter_map(rest).any(|rest| rest.is_empty() || rest.starts_with(['_', '-']))
    }

    pub fn text(&self, text: &str) -> bool {
        count(text) >= TELLING && self.texts.contains(&fingerprint(text))
    }

    /// Whether the page is one of those kept out: by its name `site/page`, or because it shares a paragraph with one. Of
    /// comments only the article's tell, for one comment may stand on many pages; `comments_tell` counts them too.
    pub fn page(&self, page: &SitePage, comments_tell: bool) -> bool {
        let tells = |kind| kind == Region::Article || comments_tell;
        self.docs.contains(&format!("{}/{}", page.site, page.page))
            || page.paragraphs.iter().any(|paragraph| {
                tells(paragraph.kind) && count(&paragraph.text) >= TELLING_PAGE && self.text(&paragraph.text)
            })
    }

    /// The rows that may be used: of pages that share a text with what is kept out, none.
    pub fn allowed(&self, rows: Vec<AnnotatedParagraph>) -> Vec<AnnotatedParagraph> {
        let page = |row: &AnnotatedParagraph| Some((row.source.clone(), row.doc.clone()?));
        let shared: HashSet<_> = rows.iter().filter(|row| self.text(&row.text)).filter_map(page).collect();
        let allowed = |row: &AnnotatedParagraph| {
            !row.source.as_ref().is_some_and(|source| self.site(source))
                && !self.text(&row.text)
                && !page(row).is_some_and(|page| shared.contains(&page))
        };
        rows.into_iter().filter(allowed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::PageParagraph;
    use super::super::target::OTHER;
    use super::*;

    fn row(source: &str, doc: &str, text: &str) -> AnnotatedParagraph {
        let (source, doc) = (Some(source.to_owned()), Some(doc.to_owned()));
        AnnotatedParagraph { text: text.to_owned(), source, doc, kind: None, label: OTHER, confidence: Some(3) }
    }

    const LONG: &str = "The ferry to the island will not run on Mondays from the first of March on.";

    #[test]
    fn sites_are_known_with_what_hangs_on_their_names() {
        let held = HeldOut::new(vec!["blog".to_owned()], &[]);
        assert_eq!(
            ["blog", "blog_rejected", "blog-title", "blogs"].map(|name| held.site(name)),
            [true, true, true, false]
        );
    }

    #[test]
    fn a_page_goes_with_one_of_its_paragraphs() {
        let held = HeldOut::new(Vec::new(), &[row("a", "a/1", LONG), row("a", "a/1", "Thanks!")]);
        let kept = held.allowed(vec![row("b", "x", LONG), row("b", "x", "Its neighbour."), row("b", "y", "Thanks!")]);
        assert_eq!(kept.iter().map(|row| row.text.as_str()).collect::<Vec<_>>(), ["Thanks!"]);
        let page = |page: &str, kind| SitePage {
            site: "a".to_owned(),
            page: page.to_owned(),
            title: None,
            paragraphs: vec![PageParagraph { text: LONG.to_uppercase(), kind, gold: None, id: None }],
        };
        assert!(held.page(&page("2", Region::Article), false) && held.page(&page("1", Region::Furniture), false));
        assert!(!held.page(&page("2", Region::Comment), false) && held.page(&page("2", Region::Comment), true));
    }
}
