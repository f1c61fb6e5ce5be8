//! Training of what tells spam from genuine comments by all that is known of them.
//!
//! Rows are comments with their sites' decisions and with what a text model that never saw the site says of them. Weights of words
//! and of names are fitted first ([`linear`]), then trees over facts in which their scores count ([`boost()`]). The scores that
//! the trees learn from come from weights that never saw the site, as they will later be. Sources of facts are hidden at random,
//! because which of them there are depends on the blog system and must not tell the answer.

mod rows;

use super::boost::{Binned, TreeSettings, boost};
use super::linear::{self, BagSettings, Bagged};
use crate::comment::{
    Bag, CommentModel, Facts, Heard, MASKED, NAME_BUCKETS, WORD_BUCKETS, bag_scale, facts, probability, weigh,
};
use crate::eval::{LOSS_BUDGETS, OddsRow, SpamPoint, fit_odds, spam_operating_points};
use crate::forest::Forest;
use crate::random::SplitMix64;
pub use rows::{CommentRow, read_comments};
use serde::Serialize;
use std::collections::BTreeMap;

/// Parts of the sites for the weights of words and names.
const FOLDS: u64 = 6;

/// Copies of a row, the first with everything that is known.
const COPIES: usize = 4;

/// How often a source of facts is hidden in a copy.
const HIDDEN: f32 = 0.4;

/// Rows from which a site is left out by itself; smaller ones are left out together.
const OWN_GROUP: usize = 100;

/// Most that a comment counts when words and names are weighed.
const MOST_WEIGHT: f32 = 4.0;

/// What came of a training.
#[derive(Debug)]
pub struct CommentTraining {
    /// The model of all sites.
    pub model: CommentModel,
    /// Spam caught on sites left out, all sites first.
    pub left_out: Vec<LeftOut>,
}

/// What models that never saw a site say of it.
#[derive(Clone, Debug, Serialize)]
pub struct LeftOut {
    /// The site; `all` for all of them under one threshold, `first` for those of the first file, whose text model will be used.
    pub site: String,
    /// With the text model's score alone.
    pub text: Vec<SpamPoint>,
    /// With everything that is known.
    pub whole: Vec<SpamPoint>,
    /// Genuine comments lost and spam caught at the model's three thresholds, which are chosen on all sites together.
    pub at_thresholds: Vec<[usize; 2]>,
}

/// Trains on all sites, and judges each by models that did not see it. `files` are the rows that were scored by one text model
/// each; the first one's model is that which will be used. `tell` hears what is being done.
pub fn train_comments(
    files: Vec<Vec<CommentRow>>,
    settings: TreeSettings,
    tell: &mut dyn FnMut(&str),
) -> CommentTraining {
    let mut rows = Rows::new(files);
    tell("comments read");
    rows.weigh_words(settings.seed);
    tell("weights of words and names by folds");
    let copies = rows.copies(settings.seed);
    let binned = Binned::new(&copies.values.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let grow = |left_out: Option<usize>| rows.grow(&copies, &binned, left_out, settings);
    let mut sums = vec![0.0; rows.rows.len()];
    for group in 0..rows.groups.len() {
        let forest = grow(Some(group));
        for row in (0..rows.rows.len()).filter(|&row| rows.group[row] == group) {
            sums[row] = forest.sum(&rows.facts[row].values);
        }
        tell(&format!("trees without {}", rows.groups[group]));
    }
    let weighted = sums.iter().enumerate().map(|(row, &sum)| (sum, rows.rows[row].spam, rows.weights[row]));
    let score_scale = scale(weighted);
    let scores: Vec<f32> = sums.iter().map(|sum| probability(score_scale[0] * sum + score_scale[1])).collect();
    let left_out = rows.report(&scores);
    let points = &left_out[0].whole;
    let mut thresholds = [1.0; LOSS_BUDGETS.len()];
    for (threshold, point) in thresholds.iter_mut().zip(points) {
        *threshold = point.threshold.min(1.0);
    }
    let seed = settings.seed;
    let [words, names] = rows.weights_without(None, seed);
    let model = CommentModel { words, names, forest: grow(None), text_scale: rows.text_scale, score_scale, thresholds };
    CommentTraining { model, left_out }
}

impl Bagged for Bag {
    fn logit(&self, weights: &[f32], bias: f32) -> f32 {
        bias + weigh(weights, self)
    }

    fn scale(&self) -> f32 {
        bag_scale(self)
    }

    fn places(&self) -> impl Iterator<Item = usize> {
        self.iter().map(|&place| place as usize)
    }
}

/// Slope and offset that make scores the log-odds of spam; rows are a score, whether it is spam, and a weight.
fn scale(rows: impl Iterator<Item = (f32, bool, f32)>) -> [f32; 2] {
    let rows: Vec<OddsRow> = rows.map(|(score, spam, weight)| (score.into(), spam, weight.into())).collect();
    fit_odds(&rows, [1e-2, 0.0]).map(|value| value as f32)
}

/// Rows made ready.
struct Rows {
    rows: Vec<CommentRow>,
    heard: Vec<Heard>,
    facts: Vec<Facts>,
    /// 1 over the square root of the rows of its site and class, 1 on average.
    weights: Vec<f32>,
    /// Groups of sites that are left out together, and each row's.
    groups: Vec<String>,
    group: Vec<usize>,
    text_scale: [f32; 2],
    /// Rows of the first file.
    first: usize,
}

/// Copies of rows with sources of facts hidden.
struct Copies {
    row: Vec<usize>,
    values: Vec<Vec<f32>>,
}

impl Rows {
    fn new(files: Vec<Vec<CommentRow>>) -> Rows {
        let mut counts: BTreeMap<(String, bool), usize> = BTreeMap::new();
        let mut sites: BTreeMap<String, usize> = BTreeMap::new();
        for row in files.iter().flatten() {
            *counts.entry((row.site.clone(), row.spam)).or_default() += 1;
            *sites.entry(row.site.clone()).or_default() += 1;
        }
        let weight = |row: &CommentRow| 1.0 / (counts[&(row.site.clone(), row.spam)] as f32).sqrt();
        let mut heard = Vec::new();
        let mut text_scale = None;
        for file in &files {
            let scale = scale(file.iter().map(|row| (row.heard.text, row.spam, weight(row))));
            text_scale.get_or_insert(scale);
            heard.extend(file.iter().map(|row| Heard { text: scale[0] * row.heard.text + scale[1], ..row.heard }));
        }
        let first = files.first().map_or(0, Vec::len);
        let rows: Vec<CommentRow> = files.into_iter().flatten().collect();
        let mut weights: Vec<f32> = rows.iter().map(weight).collect();
        let mean = weights.iter().sum::<f32>() / weights.len().max(1) as f32;
        weights.iter_mut().for_each(|weight| *weight /= mean);
        let name = |site: &str| if sites[site] >= OWN_GROUP { site.to_owned() } else { "smaller sites".to_owned() };
        let mut groups: Vec<String> = sites.keys().map(|site| name(site)).collect();
        groups.sort_unstable();
        groups.dedup();
        let group = rows
            .iter()
            .map(|row| groups.iter().position(|group| *group == name(&row.site)).expect("each has one; this is a bug"))
            .collect();
        Rows {
            rows,
            heard,
            facts: Vec::new(),
            weights,
            groups,
            group,
            text_scale: text_scale.unwrap_or([1.0, 0.0]),
            first,
        }
    }

    /// Weights of words and of names from rows that are not in a fold.
    fn weights_without(&self, fold: Option<u64>, seed: u64) -> [Vec<f32>; 2] {
        let used = || (0..self.rows.len()).filter(move |&row| Some(self.fold(row)) != fold);
        let row_of =
            |row: usize, bag| (bag, f32::from(u8::from(self.rows[row].spam)), self.weights[row].min(MOST_WEIGHT));
        let words: Vec<(&Bag, f32, f32)> = used().map(|row| row_of(row, &self.rows[row].words)).collect();
        let names: Vec<(&Bag, f32, f32)> = used()
            .filter(|&row| !self.rows[row].name.is_empty())
            .map(|row| row_of(row, &self.rows[row].name))
            .collect();
        let settings = |buckets| BagSettings { buckets, epochs: 5, rate: 0.1, decay: 3e-4, seed };
        [linear::fit(&words, settings(WORD_BUCKETS)), linear::fit(&names, settings(NAME_BUCKETS))]
    }

    fn fold(&self, row: usize) -> u64 {
        self.group[row] as u64 % FOLDS
    }

    fn weigh_words(&mut self, seed: u64) {
        for fold in 0..FOLDS {
            let [words, names] = self.weights_without(Some(fold), seed);
            for row in (0..self.rows.len()).filter(|&row| self.fold(row) == fold).collect::<Vec<_>>() {
                self.heard[row].words = weigh(&words, &self.rows[row].words);
                self.heard[row].name = weigh(&names, &self.rows[row].name);
            }
        }
        self.facts = self.rows.iter().zip(&self.heard).map(|(row, heard)| facts(&row.comment, heard)).collect();
    }

    fn copies(&self, seed: u64) -> Copies {
        let mut random = SplitMix64::new(seed);
        let mut copies = Copies { row: Vec::new(), values: Vec::new() };
        for (row, known) in self.facts.iter().enumerate() {
            for copy in 0..COPIES {
                let mut values = known.values.clone();
                for source in MASKED {
                    if copy > 0 && random.unit() < HIDDEN {
                        known.hide(source, &mut values);
                    }
                }
                copies.row.push(row);
                copies.values.push(values);
            }
        }
        copies
    }

    fn grow(&self, copies: &Copies, binned: &Binned, left_out: Option<usize>, settings: TreeSettings) -> Forest {
        let used: Vec<u32> = (0..copies.row.len())
            .filter(|&copy| Some(self.group[copies.row[copy]]) != left_out)
            .map(|copy| copy as u32)
            .collect();
        let targets: Vec<f32> = copies.row.iter().map(|&row| f32::from(u8::from(self.rows[row].spam))).collect();
        let weights: Vec<f32> = copies.row.iter().map(|&row| self.weights[row] / COPIES as f32).collect();
        // What the text model and the words say of spam can only speak for spam.
        let rising = ["text model", "words"];
        let names = self.facts.first().map_or(&[][..], |facts| &facts.names);
        let rising: Vec<usize> = (0..names.len()).filter(|&fact| rising.contains(&names[fact].0)).collect();
        boost(binned, &used, &targets, &weights, &rising, settings)
    }

    fn report(&self, scores: &[f32]) -> Vec<LeftOut> {
        let of = |site: &str, thresholds: &[f32]| {
            let used: Vec<usize> = match site {
                "all" => (0..self.rows.len()).collect(),
                "first" => (0..self.first).collect(),
                site => (0..self.rows.len()).filter(|&row| self.rows[row].site == site).collect(),
            };
            let points = |score: &dyn Fn(usize) -> f32| {
                let pick = |spam: bool| -> Vec<f32> {
                    used.iter().filter(|&&row| self.rows[row].spam == spam).map(|&row| score(row)).collect()
                };
                spam_operating_points(&pick(false), &pick(true), &LOSS_BUDGETS).unwrap_or_default()
            };
            let count = |spam: bool, threshold: f32| {
                used.iter().filter(|&&row| self.rows[row].spam == spam && scores[row] >= threshold).count()
            };
            LeftOut {
                site: site.to_owned(),
                text: points(&|row| probability(self.heard[row].text)),
                whole: points(&|row| scores[row]),
                at_thresholds: thresholds
                    .iter()
                    .map(|&threshold| [count(false, threshold), count(true, threshold)])
                    .collect(),
            }
        };
        let thresholds: Vec<f32> = of("all", &[]).whole.iter().map(|point| point.threshold).collect();
        let mut sites: Vec<&str> = self.rows.iter().map(|row| row.site.as_str()).collect();
        sites.sort_unstable();
        sites.dedup();
        ["all", "first"].into_iter().chain(sites).map(|site| of(site, &thresholds)).collect()
    }
}
