//! Rows as people wrote them: comments, pages with their discussions, annotated discussions. The targets join what a person
//! or a site said with what a teacher says.

use super::held::HeldOut;
use super::source::{AnnotatedParagraph, Comment, Moderation, Region, SitePage};
use super::target::{self, COMMENT_SPAM, OTHER, Target};
use super::words::{count, fingerprint, mixed, opening};
use super::{ComposedRow, LeftOut, Part, Settings};
use crate::train::LabelledRow;
use crate::train::given::{GivenLabel, GivenLabels, key_of};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Most comments of one site and decision that begin with the same twelve words.
const SAME_OPENING: usize = 2;

/// Fewest and most rows of an article, so that the discussion begins at another place of the page each time.
const ARTICLE: std::ops::RangeInclusive<usize> = 4..=20;

/// Most rows of a discussion.
const DISCUSSION: usize = 40;

/// Words from which on furniture may be no furniture: some pages have the end of a comment there.
const LONG_FURNITURE: usize = 12;

/// What a row's target is made of.
pub(super) enum Basis {
    /// Nothing of a teacher's.
    Fixed(Target),
    /// A published comment.
    Published,
    Teacher,
    Annotated {
        label: usize,
        confidence: Option<u8>,
    },
    /// As likely furniture as what the teacher says.
    LongFurniture,
}

/// A row that waits for its teacher's scores.
pub(super) struct Draft {
    pub row: ComposedRow,
    pub basis: Basis,
    /// The page that the teacher reads the row on; `None` where it reads the text alone.
    read_on: Option<String>,
}

impl Draft {
    /// The row as the teacher reads it.
    pub fn to_teach(&self) -> Option<LabelledRow> {
        // On an annotated page the sure rows are read as well: they are neighbours of the others.
        if matches!(self.basis, Basis::Fixed(_)) && self.read_on.is_none() {
            return None;
        }
        Some(LabelledRow::unlabelled(self.row.text.clone(), self.row.source.clone(), self.read_on.clone()))
    }

    /// The finished row, by what the teacher said.
    pub fn finish(self, teacher: Option<Target>) -> ComposedRow {
        let said = || teacher.expect("all drafts but fixed ones were taught; this is a bug");
        let target = match self.basis {
            Basis::Fixed(target) => target,
            Basis::Published => target::genuine(said(), &self.row.text),
            Basis::Teacher => said(),
            Basis::Annotated { label, confidence } => target::annotated(label, confidence, said()),
            Basis::LongFurniture => target::blend(target::mostly(OTHER, 0.95), 0.5, said()),
        };
        ComposedRow { target, ..self.row }
    }
}

fn judged(gold: Option<Moderation>) -> Basis {
    match gold {
        Some(Moderation::Spam) => Basis::Fixed(target::mostly(COMMENT_SPAM, 0.96)),
        Some(Moderation::Ham) => Basis::Published,
        None => Basis::Teacher,
    }
}

fn draft(text: &str, source: &str, doc: Option<&str>, region: Option<Region>, part: Part, basis: Basis) -> Draft {
    let row = ComposedRow {
        text: text.to_owned(),
        target: [0.2; 5],
        source: Some(source.to_owned()),
        doc: doc.map(str::to_owned),
        region,
        part,
    };
    Draft { row, basis, read_on: None }
}

/// Single comments, so many of each site and decision, chosen by a number that follows from the comment itself: what other
/// sites there are changes nothing. None stands on a page that is used, or in `taken`.
pub(super) fn comments(
    comments: &[Comment],
    held: &HeldOut,
    taken: &Taken,
    settings: &Settings,
    left_out: &mut LeftOut,
) -> Vec<Draft> {
    let mut groups: BTreeMap<(&str, Moderation), Vec<(u64, &Comment)>> = BTreeMap::new();
    for comment in comments {
        let reason = match comment.gold {
            _ if held.site(&comment.site) => "of a site that is left out",
            _ if held.text(&comment.text) => "a text that is kept out",
            None => "without a decision",
            _ if comment.text.trim().is_empty() => "empty",
            _ if taken.has(comment) => "stands on a page that is used",
            Some(gold) => {
                let order = mixed(settings.seed, &comment.id);
                groups.entry((&comment.site, gold)).or_default().push((order, comment));
                continue;
            }
        };
        left_out.add(Part::Comments, reason, 1);
    }
    let mut drafts = Vec::new();
    for ((site, gold), mut group) in groups {
        group.sort_by_key(|&(order, comment)| (order, &comment.id));
        let most = match gold {
            Moderation::Spam => settings.spam_per_site,
            Moderation::Ham => settings.ham_per_site,
        };
        let (mut openings, mut seen) = (HashMap::new(), HashSet::new());
        let mut chosen = 0;
        for (_, comment) in group {
            let copies: &mut usize = openings.entry(opening(&comment.text)).or_default();
            *copies += 1;
            // Very short comments begin alike by chance.
            let alike = *copies > SAME_OPENING && count(&comment.text) >= 6;
            if alike || !seen.insert(fingerprint(&comment.text)) {
                left_out.add(Part::Comments, "like another one", 1);
            } else if chosen == most {
                left_out.add(Part::Comments, "more than a site may have", 1);
            } else {
                chosen += 1;
                let region = Some(Region::Comment);
                drafts.push(draft(&comment.text, site, None, region, Part::Comments, judged(comment.gold)));
            }
        }
    }
    drafts
}

/// Comments that stand on pages, so that they are not used a second time.
#[derive(Default)]
pub(super) struct Taken {
    ids: HashSet<String>,
    texts: HashSet<u64>,
}

impl Taken {
    fn has(&self, comment: &Comment) -> bool {
        self.ids.contains(&comment.id) || self.texts.contains(&fingerprint(&comment.text))
    }
}

/// The annotated rows of whole pages.
pub(super) fn threads(
    rows: &[AnnotatedParagraph],
    held: &HeldOut,
    taken: &mut Taken,
    left_out: &mut LeftOut,
) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for row in rows {
        let source = row.source.as_deref().unwrap_or("threads");
        if held.site(source) || held.text(&row.text) {
            left_out.add(Part::Threads, "of a site or page that is kept out", 1);
            continue;
        }
        if count(&row.text) >= 5 {
            taken.texts.insert(fingerprint(&row.text));
        }
        let basis = Basis::Annotated { label: row.label, confidence: row.confidence };
        let mut draft = draft(&row.text, source, row.doc.as_deref(), row.kind, Part::Threads, basis);
        draft.read_on = row.doc.clone();
        drafts.push(draft);
    }
    drafts
}

/// Pages in page order: the first rows of the article and a run of the discussion below it. Where `labels` say something of a
/// page, its article goes to the last row that has one.
#[allow(clippy::too_many_arguments)]
pub(super) fn pages(
    pages: &[SitePage],
    labels: &GivenLabels,
    held: &HeldOut,
    annotated: &HeldOut,
    titles: &HashSet<(String, u64)>,
    settings: &Settings,
    taken: &mut Taken,
    left_out: &mut LeftOut,
) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for page in pages {
        let title = page.title.as_deref().map(|title| (page.site.clone(), fingerprint(title)));
        let reason = if held.site(&page.site) {
            Some("pages of a site that is left out")
        } else if held.page(page, true) {
            Some("pages that are kept out")
        } else if annotated.page(page, false) || title.is_some_and(|title| titles.contains(&title)) {
            Some("pages that are annotated")
        } else {
            None
        };
        if let Some(reason) = reason {
            left_out.add(Part::Pages, reason, 1);
            continue;
        }
        let name = format!("{}/{}", page.site, page.page);
        let given = |text: &str| {
            let GivenLabel { label, confidence } = labels.get(&key_of(Some(&page.site), Some(&name), text))?;
            Some(Basis::Annotated { label: target::position(label.as_str())?, confidence: *confidence })
        };
        let last_given =
            page.paragraphs.iter().rposition(|row| row.kind == Region::Article && given(&row.text).is_some());
        if !labels.is_empty() && last_given.is_none() {
            left_out.add(Part::Pages, "pages without labels", 1);
            continue;
        }
        let order = mixed(settings.seed, &name);
        let begin = page.paragraphs.iter().position(|paragraph| paragraph.kind == Region::Comment);
        let (article, discussion) = page.paragraphs.split_at(begin.unwrap_or(page.paragraphs.len()));
        let most = ARTICLE.start() + (order % (ARTICLE.end() - ARTICLE.start() + 1) as u64) as usize;
        let most = last_given.map_or(most, |last| last + 1);
        let article = &article[..article.len().min(most)];
        let spare = discussion.len().saturating_sub(DISCUSSION);
        let skipped = ((order >> 32) % (spare as u64 + 1)) as usize;
        let discussion = &discussion[skipped..discussion.len().min(skipped + DISCUSSION)];
        left_out.add(Part::Pages, "rows of long pages", page.paragraphs.len() - article.len() - discussion.len());
        taken.ids.extend(page.paragraphs.iter().filter_map(|paragraph| paragraph.id.clone()));
        for paragraph in article.iter().chain(discussion) {
            if paragraph.text.trim().is_empty() || held.text(&paragraph.text) {
                left_out.add(Part::Pages, "rows that are empty or kept out", 1);
                continue;
            }
            let unlabelled = || match paragraph.kind {
                Region::Article => Basis::Teacher,
                Region::Comment => judged(paragraph.gold),
                Region::Furniture if count(&paragraph.text) > LONG_FURNITURE => Basis::LongFurniture,
                Region::Furniture => Basis::Fixed(target::mostly(OTHER, 0.95)),
            };
            let basis = given(&paragraph.text).unwrap_or_else(unlabelled);
            let mut draft = draft(&paragraph.text, &page.site, Some(&name), Some(paragraph.kind), Part::Pages, basis);
            draft.read_on = (paragraph.kind == Region::Article).then(|| name.clone());
            drafts.push(draft);
        }
    }
    drafts
}
