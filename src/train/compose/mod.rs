//! Rows to train on, composed: comments with their site's decision, pages with their discussions, and texts that are joined
//! or wrapped so that their label follows from their parts.
//!
//! Each row has a target of its own, probabilities of the built-in labels. It joins what people said (a moderator, an
//! annotator, the counting rule of the guideline) with what a teacher says of the text. The rows follow from the inputs, the
//! teacher and the seed.

mod held;
mod names;
mod pool;
mod quotes;
mod real;
mod source;
mod table;
mod tails;
mod target;
mod words;
mod wrappers;

pub(crate) use source::{AnnotatedParagraph, Comment, SitePage, read_annotated, read_comments, read_pages};

use self::held::HeldOut;
use self::pool::{Pools, Published, rejected};
use self::real::{Basis, Draft, Taken};
use self::source::Region;
use self::table::LeftOut;
use self::target::{Target, best, of_scores};
use super::{GivenLabels, TrainError, teach};
use crate::label::LabelSet;
use crate::model::Classifier;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::collections::HashSet;

/// Characters of a text of several pieces, at most: about 235 tokens, some less than the 256 that the shipped models read at
/// once.
const MIXED_CHARACTERS: usize = 987;

/// What rows are composed from.
#[derive(Default)]
pub(crate) struct ComposeData {
    pub comments: Vec<Comment>,
    pub pages: Vec<SitePage>,
    /// What an annotator said of rows of `pages`. If there is any, only pages with such rows are used.
    pub labels: GivenLabels,
    /// Annotated pages with their discussions.
    pub threads: Vec<AnnotatedParagraph>,
    /// Annotated rows to make mixed texts of.
    pub rows: Vec<AnnotatedParagraph>,
    /// Sites that are left out.
    pub leave_out: Vec<String>,
    /// Rows whose texts and pages are left out.
    pub without: Vec<AnnotatedParagraph>,
}

/// How many rows are composed.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub seed: u64,
    /// Most rejected comments of one site.
    pub spam_per_site: usize,
    /// Most published comments of one site.
    pub ham_per_site: usize,
    /// Texts of a quote and own words.
    pub quotes: usize,
    /// Comments with a piece of spam, and as many with a genuine piece.
    pub tails: usize,
    /// Wrapped texts.
    pub wrapped: usize,
    /// Threads for the teacher.
    pub threads: usize,
}

/// The kinds of composed rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    Comments,
    Pages,
    Threads,
    QuoteAnswer,
    SpamTail,
    Wrapper,
}

impl Part {
    fn as_str(self) -> &'static str {
        match self {
            Part::Comments => "comments",
            Part::Pages => "pages",
            Part::Threads => "threads",
            Part::QuoteAnswer => "quote_answer",
            Part::SpamTail => "spam_tail",
            Part::Wrapper => "wrapper",
        }
    }
}

/// A composed row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ComposedRow {
    text: String,
    target: Target,
    source: Option<String>,
    doc: Option<String>,
    region: Option<Region>,
    part: Part,
}

impl ComposedRow {
    /// A text that stands on no page.
    fn mixed(text: String, target: Target, region: Option<Region>, part: Part) -> ComposedRow {
        ComposedRow { text, target, source: Some(format!("composed-{}", part.as_str())), doc: None, region, part }
    }
}

impl Serialize for ComposedRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let labels = LabelSet::copydesk();
        // Four decimals: the rounded scores still sum to 1 within what is read as probabilities.
        let rounded = |score: f32| (f64::from(score) * 1e4).round() / 1e4;
        let scores: serde_json::Map<String, serde_json::Value> = labels
            .iter()
            .zip(self.target)
            .map(|(label, score)| (label.as_str().to_owned(), rounded(score).into()))
            .collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("text", &self.text)?;
        map.serialize_entry(
            "label",
            labels.iter().nth(best(&self.target)).expect("a target has five labels; this is a bug"),
        )?;
        map.serialize_entry("scores", &scores)?;
        map.serialize_entry("source", &self.source)?;
        map.serialize_entry("doc", &self.doc)?;
        if let Some(region) = self.region {
            map.serialize_entry("region", &region)?;
        }
        map.serialize_entry("part", &self.part)?;
        map.end()
    }
}

/// Composed rows and what is to be told of them.
pub(crate) struct Composed {
    pub rows: Vec<ComposedRow>,
    /// Rows by part and label, and what was left out and why.
    pub table: String,
}

/// Composes rows.
///
/// # Errors
/// As [`teach`].
pub(crate) fn compose(data: ComposeData, settings: &Settings, teacher: &Classifier) -> Result<Composed, TrainError> {
    let ComposeData { comments, pages, labels, threads, rows, leave_out, without } = data;
    let mut left_out = LeftOut::default();
    let held = HeldOut::new(leave_out.clone(), &without);
    let annotated = HeldOut::new(Vec::new(), &threads);
    let titles: HashSet<(String, u64)> = threads
        .iter()
        .filter(|row| row.kind == Some(Region::Furniture))
        .filter_map(|row| Some((row.source.clone()?, words::fingerprint(&row.text))))
        .collect();
    let mut taken = Taken::default();
    let of_threads = real::threads(&threads, &held, &mut taken, &mut left_out);
    let of_pages = real::pages(&pages, &labels, &held, &annotated, &titles, settings, &mut taken, &mut left_out);
    let mut drafts = real::comments(&comments, &held, &taken, settings, &mut left_out);
    drafts.extend(of_pages);
    drafts.extend(of_threads);
    let said = ask(&drafts, settings, teacher)?;
    let used: Vec<&Comment> = rejected(&comments)
        .into_iter()
        .filter(|comment| !held.site(&comment.site) && !held.text(&comment.text))
        .collect();
    let count = rows.len();
    let rows = held.allowed(rows);
    left_out.add(Part::Wrapper, "rows of sites, pages or texts that are kept out", count - rows.len());
    let published: Vec<Published<'_>> = drafts
        .iter()
        .zip(&said)
        .filter(|(draft, _)| matches!(draft.basis, Basis::Published))
        .filter_map(|(draft, teacher)| {
            let (site, text) = (draft.row.source.as_deref()?, draft.row.text.as_str());
            let teacher = (*teacher)?;
            Some(Published { site, text, teacher, target: target::genuine(teacher, text) })
        })
        .collect();
    let pools = Pools::new(&rows, &published, &used);
    let mut mixed = quotes::compose(&pools, settings);
    mixed.extend(tails::compose(&pools, settings));
    // A trainer cuts a longer text, and might cut off the piece that its label rests on.
    let made = mixed.len();
    mixed.retain(|row| row.text.chars().count() <= MIXED_CHARACTERS);
    left_out.add(Part::SpamTail, "longer than a trainer reads", made - mixed.len());
    mixed.extend(wrappers::compose(&pools, settings));
    let mut composed: Vec<ComposedRow> =
        drafts.into_iter().zip(said).map(|(draft, teacher)| draft.finish(teacher)).collect();
    composed.extend(mixed.into_iter().filter(|row| !held.text(&row.text)));
    let table = table::table(&composed, &left_out);
    Ok(Composed { rows: composed, table })
}

/// What the teacher says of the drafts that need it.
fn ask(drafts: &[Draft], settings: &Settings, teacher: &Classifier) -> Result<Vec<Option<Target>>, TrainError> {
    let (places, mut rows): (Vec<usize>, Vec<_>) =
        drafts.iter().enumerate().filter_map(|(place, draft)| Some((place, draft.to_teach()?))).unzip();
    teach(&mut rows, &[teacher], &LabelSet::copydesk(), false, settings.threads)?;
    let mut said = vec![None; drafts.len()];
    for (place, row) in places.into_iter().zip(rows) {
        said[place] = row.scores.as_ref().map(of_scores);
    }
    Ok(said)
}

#[cfg(test)]
mod tests;
