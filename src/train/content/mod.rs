//! Training of what tells a page's main content from its furniture.
//!
//! Pages come with their content as text. Each block's target is how much of it stands there ([`align`]). Two models are fitted
//! one on the other: weights of names and words ([`linear`]), then trees over facts in which those weights' scores count
//! ([`boost()`]). The scores that the trees learn from come from weights that never saw the site, as they will later be.

mod align;

use super::boost::{Binned, TreeSettings, boost};
use super::data::{ReadRows, read_rows};
use super::error::TrainError;
use super::linear::{self, BagSettings, Bagged};
use crate::forest::{Forest, ForestError};
use crate::html::{BUCKETS, Bag, ContentModel, Section, bag, bag_scores, facts, read, threshold};
use crate::random::SplitMix64;
use align::{lower_words, targets, word_f1};

use serde::{Deserialize, Serialize};
use std::path::Path;

/// Parts of the sites; each is judged by what the others taught.
const FOLDS: usize = 5;

/// Reads pages with their content, JSON Lines with `url`, `page_type`, `html` and `main_content`.
///
/// # Errors
/// [`TrainError::Unreadable`], and [`TrainError::NoRows`] where no line is usable. A bad line is no error: it is listed.
pub fn read_marked(path: &Path) -> Result<ReadRows<MarkedPage>, TrainError> {
    #[derive(Deserialize)]
    struct Row {
        #[serde(default)]
        url: String,
        #[serde(default)]
        page_type: String,
        html: String,
        main_content: Option<String>,
    }
    read_rows(path, |line| {
        let Row { url, page_type, html, main_content } = serde_json::from_slice(line)?;
        Ok(MarkedPage { site: site(&url).to_owned(), kind: page_type, html, content: main_content.unwrap_or_default() })
    })
}

/// The last two parts of a host's name: pages of one site share them, and so do some sites of one country, to no harm.
fn site(url: &str) -> &str {
    let host = url.split("//").nth(1).unwrap_or(url).split('/').next().unwrap_or_default();
    let mut dots = host.rmatch_indices('.').map(|(at, _)| at + 1);
    &host[dots.nth(1).unwrap_or(0)..]
}

/// A page with its content.
#[derive(Clone, Debug)]
pub struct MarkedPage {
    /// Pages of one site are never on both sides of a fold.
    pub site: String,
    /// What kind of page it is, for the report.
    pub kind: String,
    /// The source.
    pub html: String,
    /// Its main content as plain text.
    pub content: String,
}

impl Bagged for Bag {
    fn logit(&self, weights: &[f32], bias: f32) -> f32 {
        let [names, words] = bag_scores(weights, self);
        bias + names + words
    }

    fn scale(&self) -> f32 {
        Bag::scale(self)
    }

    fn places(&self) -> impl Iterator<Item = usize> {
        self.names.iter().chain(&self.words).map(|&place| usize::from(place))
    }
}

/// A page made ready.
struct Page {
    kind: String,
    fold: usize,
    sections: Vec<Section>,
    words: Vec<Vec<String>>,
    bags: Vec<Bag>,
    targets: Vec<f32>,
    /// The blocks that training sees.
    kept: Vec<Kept>,
    reference: Vec<String>,
}

impl Page {
    fn new(page: MarkedPage) -> Page {
        let mut sections = Vec::new();
        read(&page.html, &mut |section| sections.push(section));
        let blocks = || sections.iter().flat_map(|section| &section.blocks);
        let words: Vec<Vec<String>> = blocks().map(|block| lower_words(&block.text)).collect();
        let bags =
            sections.iter().flat_map(|section| (0..section.blocks.len()).map(|index| bag(section, index))).collect();
        let targets = targets(&words, &page.content);
        let sizes: Vec<f32> = words.iter().map(|words| (words.len() as f32 + 1.0).powf(WORDS_POWER)).collect();
        let whole: f32 = sizes.iter().sum();
        let mut random = SplitMix64::new(words.len() as u64);
        let keep = |(block, size): (usize, &f32)| {
            let weight = (size / whole * PAGE_WEIGHT).min(BLOCK_WEIGHT);
            // Of a page of many blocks, the more likely the more a block counts; then it counts for those left out.
            let chance = (size / whole * KEPT_BLOCKS).min(1.0);
            (random.unit() < chance).then(|| Kept { block, weight: weight / chance })
        };
        let kept = sizes.iter().enumerate().filter_map(keep).collect();
        let fold = page.site.bytes().fold(7_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let reference = lower_words(&page.content);
        let fold = (fold >> 20) as usize % FOLDS;
        Page { kind: page.kind, fold, sections, words, bags, targets, kept, reference }
    }

    /// Word F1 of the blocks whose probability reaches the threshold.
    fn f1(&self, content: &[f32], threshold: f32) -> f64 {
        let chosen = self.words.iter().zip(content).filter(|(_, content)| **content >= threshold);
        word_f1(chosen.flat_map(|(words, _)| words).map(String::as_str), &self.reference)
    }
}

/// A block counts as much as so many of its words, and all blocks of a page together as much as those of any other.
const WORDS_POWER: f32 = 0.7;
const PAGE_WEIGHT: f32 = 40.0;
const BLOCK_WEIGHT: f32 = 6.0;

/// Most that a block counts when names and words are weighed.
const MOST_WEIGHT: f32 = 4.0;

/// Blocks of a page that training sees, about so many at most.
const KEPT_BLOCKS: f32 = 130.0;

/// A block that training sees.
struct Kept {
    block: usize,
    weight: f32,
}

/// What came of a training.
#[derive(Debug)]
pub struct ContentTraining {
    /// The model of all pages.
    pub model: ContentModel,
    /// Word F1 on sites that each fold's model did not see, all pages first.
    pub held_out: Vec<HeldOut>,
}

/// Word F1 of one kind of page.
#[derive(Clone, Debug, Serialize)]
pub struct HeldOut {
    /// The kind; `all` for every page.
    pub kind: String,
    /// Pages of it.
    pub pages: usize,
    /// Mean over the pages, with the threshold that follows from each page's own blocks.
    pub f1: f64,
    /// The same with each of [`THRESHOLDS`] for all pages.
    pub f1_at: Vec<f64>,
}

/// Thresholds of the report.
pub const THRESHOLDS: [f32; 7] = [0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6];

/// Trains on all pages, and judges by folds of sites. `tell` hears what is being done.
///
/// # Errors
/// [`ForestError`] never, unless there is a bug.
pub fn train_content(
    pages: Vec<MarkedPage>,
    settings: TreeSettings,
    tell: &mut dyn FnMut(&str),
) -> Result<ContentTraining, ForestError> {
    let pages: Vec<Page> = pages.into_iter().map(Page::new).collect();
    tell("pages read");
    let fit = |left_out: Option<usize>| {
        let used = pages.iter().filter(|page| Some(page.fold) != left_out);
        let rows: Vec<(&Bag, f32, f32)> = used
            .flat_map(|page| page.kept.iter().map(move |kept| (page, kept)))
            .map(|(page, kept)| (&page.bags[kept.block], page.targets[kept.block], kept.weight.min(MOST_WEIGHT)))
            .collect();
        linear::fit(&rows, BagSettings { buckets: BUCKETS, epochs: 4, rate: 0.12, decay: 2e-4, seed: settings.seed })
    };
    let folds: Vec<Vec<f32>> = (0..FOLDS).map(|fold| fit(Some(fold))).collect();
    tell("weights of names and words by folds");
    let rows: Vec<Vec<Vec<f32>>> = pages.iter().map(|page| facts_of(page, &folds[page.fold])).collect();
    let (forest, judged) = grow(&pages, &rows, settings, tell);
    let held_out = report(&pages, &judged);
    let model = ContentModel::new(fit(None), forest)?;
    Ok(ContentTraining { model, held_out })
}

/// Grows trees from all pages, and judges each page by trees that did not see its site.
fn grow(
    pages: &[Page],
    rows: &[Vec<Vec<f32>>],
    settings: TreeSettings,
    tell: &mut dyn FnMut(&str),
) -> (Forest, Vec<Vec<f32>>) {
    let kept = || pages.iter().zip(rows).flat_map(|(page, rows)| page.kept.iter().map(move |kept| (page, rows, kept)));
    let binned = Binned::new(&kept().map(|(_, rows, kept)| rows[kept.block].as_slice()).collect::<Vec<_>>());
    let targets: Vec<f32> = kept().map(|(page, _, kept)| page.targets[kept.block]).collect();
    let weights: Vec<f32> = kept().map(|(_, _, kept)| kept.weight).collect();
    let folds: Vec<usize> = kept().map(|(page, _, _)| page.fold).collect();
    let grow = |left_out: Option<usize>| {
        let used: Vec<u32> =
            (0..folds.len()).filter(|&row| Some(folds[row]) != left_out).map(|row| row as u32).collect();
        boost(&binned, &used, &targets, &weights, &[], settings)
    };
    let mut judged: Vec<Vec<f32>> = vec![Vec::new(); pages.len()];
    for fold in 0..FOLDS {
        let forest = grow(Some(fold));
        for page in (0..pages.len()).filter(|&page| pages[page].fold == fold) {
            judged[page] = rows[page].iter().map(|row| forest.probability(row)).collect();
        }
        tell(&format!("trees without fold {}", fold + 1));
    }
    (grow(None), judged)
}

fn facts_of(page: &Page, weights: &[f32]) -> Vec<Vec<f32>> {
    let mut rows = Vec::with_capacity(page.bags.len());
    let mut bags = page.bags.iter();
    for section in &page.sections {
        let scores: Vec<[f32; 2]> =
            bags.by_ref().take(section.blocks.len()).map(|bag| bag_scores(weights, bag)).collect();
        facts(section, &scores, &mut |row| rows.push(row.to_vec()));
    }
    rows
}

fn report(pages: &[Page], judged: &[Vec<f32>]) -> Vec<HeldOut> {
    let mut kinds: Vec<&str> = pages.iter().map(|page| page.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let of = |kind: Option<&str>| {
        let used: Vec<usize> =
            (0..pages.len()).filter(|&page| kind.is_none_or(|kind| pages[page].kind == kind)).collect();
        let mean = |threshold: &dyn Fn(usize) -> f32| {
            let sum: f64 = used.iter().map(|&page| pages[page].f1(&judged[page], threshold(page))).sum();
            sum / used.len().max(1) as f64
        };
        let f1_at = THRESHOLDS.iter().map(|&threshold| mean(&|_| threshold)).collect();
        let of_page = |page: usize| {
            let words = pages[page].words.iter().map(|words| words.len() as u32);
            threshold(judged[page].iter().copied().zip(words))
        };
        HeldOut { kind: kind.unwrap_or("all").to_owned(), pages: used.len(), f1: mean(&of_page), f1_at }
    };
    std::iter::once(of(None)).chain(kinds.into_iter().map(|kind| of(Some(kind)))).collect()
}
