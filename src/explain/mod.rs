//! Which words drove a label.
//!
//! A word is left out of a paragraph and it is read again in its place on its page: what the label's score loses is the word's weight.
//! Of a paragraph of more than a few words not every word is left out. Each is first read by itself, which costs two or three labels
//! for all of them together, and those that most speak for the label by themselves are left out.

#![forbid(unsafe_code)]

mod deletion;
mod search;
mod words;

pub(crate) use self::deletion::{WAYS, deletion_test};

use self::search::{Fall, candidates, is_short, ranked};
use self::words::Words;
use crate::label::{Label, LabelId, Scores};
use crate::model::{Answer, ModelError, ModelSession, PageText, Version};
use std::ops::Range;

/// Paragraphs whose versions are read together, about so many: enough to put versions of like length together.
const BLOCK_TEXTS: usize = 32;

/// Bytes of text from which fewer paragraphs are worked on together.
const BLOCK_BYTES: usize = 64 * 1024;

/// Single words that are read together at most.
const TOGETHER: usize = 2048;

/// The least that is written of a weight: six decimals, as of a probability.
const LEAST_WEIGHT: f32 = 5e-7;

/// Stands for a probability that is rounded to nothing.
const LEAST_PROBABILITY: f64 = 1e-12;

/// A word that a label rests on.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WordWeight {
    /// UTF-8 byte offsets in the paragraph's text.
    pub span: Range<usize>,
    /// What the label's score loses without the word, above 0.
    pub weight: f32,
}

/// A neighbour that a label rests on.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NeighbourWeight {
    /// How far from the paragraph it stands: -1 is the one before it, 1 the one after it.
    pub distance: isize,
    /// What the label's score loses without the neighbour, above 0.
    pub weight: f32,
}

/// Why a text has its label.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// The label.
    pub label: Label,
    /// Its probability by the model, 0 to 1, whatever language the text is in.
    pub score: f32,
    /// Words that the score falls without, the heaviest first. No word is here that the score rises without.
    ///
    /// Of a text of more than fourteen words only those were left out that speak most for the label by themselves.
    pub words: Vec<WordWeight>,
    /// Neighbours on the page that the score falls without, the heaviest first; none where the text was read alone.
    pub neighbours: Vec<NeighbourWeight>,
    /// The models that answered: of a cascade its small one, and its large one where that was asked.
    pub models: Vec<String>,
}

/// What is asked of an explanation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    /// The label that is explained; `None` for the most probable.
    pub label: Option<LabelId>,
    /// A label that is left out, the others scaled to sum to 1.
    pub left_out: Option<LabelId>,
    /// How many words are wanted at most.
    pub words: usize,
    /// How many neighbours are wanted at most.
    pub neighbours: usize,
}

/// A page's paragraphs as they are written and as they are read.
#[derive(Clone, Copy)]
pub(crate) struct WrittenPage<'a> {
    /// What the model reads.
    pub texts: &'a [PageText<'a>],
    /// What each was made of.
    pub written: &'a [&'a str],
    /// Whether an explanation of it is wanted.
    pub wanted: &'a [bool],
}

/// Explains the labels of paragraphs of pages, page after page in their order: of those that are wanted. No explanation depends on
/// another page, nor on what else is wanted.
///
/// Where the model fails on a page, each paragraph of it is explained by itself, as it was labelled.
pub(crate) fn explain(
    session: &mut ModelSession<'_>,
    pages: &[WrittenPage<'_>],
    question: Question,
) -> Vec<Result<Explanation, ModelError>> {
    let mut all = Vec::new();
    let mut rest = pages;
    while !rest.is_empty() {
        let mut texts = 0;
        let fitting = rest.iter().take_while(|page| {
            texts += page.texts.len();
            texts <= BLOCK_TEXTS
        });
        let (block, others) = rest.split_at(fitting.count().max(1));
        rest = others;
        if !block.iter().any(|page| page.wanted.contains(&true)) {
            continue;
        }
        match (explain_block(session, block, question), block) {
            (Ok(explanations), _) => all.extend(explanations.into_iter().map(Ok)),
            (Err(error), [page]) if page.texts.len() == 1 => all.extend(page.wanted[0].then_some(Err(error))),
            (Err(_), [page]) => {
                let alone: Vec<WrittenPage<'_>> = page.paragraphs().collect();
                all.extend(alone.chunks(1).flat_map(|page| explain(session, page, question)));
            }
            (Err(_), pages) => all.extend(pages.chunks(1).flat_map(|page| explain(session, page, question))),
        }
    }
    all
}

impl<'a> WrittenPage<'a> {
    /// Each paragraph as a page.
    fn paragraphs(self) -> impl Iterator<Item = WrittenPage<'a>> {
        let alone = self.texts.chunks(1).zip(self.written.chunks(1)).zip(self.wanted.chunks(1));
        alone.map(|((texts, written), wanted)| WrittenPage { texts, written, wanted })
    }
}

/// A paragraph that is being explained.
struct Subject<'a> {
    page: usize,
    paragraph: usize,
    text: &'a PageText<'a>,
    words: Words<'a>,
    label: LabelId,
    /// The scores that the paragraph has.
    before: Scores,
    models: Vec<String>,
    /// Words with what the label loses without each, the heaviest first.
    weights: Vec<(usize, Fall)>,
    neighbours: Vec<NeighbourWeight>,
}

fn explain_block(
    session: &mut ModelSession<'_>,
    pages: &[WrittenPage<'_>],
    question: Question,
) -> Result<Vec<Explanation>, ModelError> {
    let read: Vec<&[PageText<'_>]> = pages.iter().map(|page| page.texts).collect();
    let (vectors, mut subjects) = read_block(session, pages, question)?;
    let mut rest = subjects.as_mut_slice();
    while !rest.is_empty() {
        let mut bytes = 0;
        let fitting = rest.iter().take(BLOCK_TEXTS).take_while(|subject| {
            bytes += subject.text.text().len();
            bytes <= BLOCK_BYTES
        });
        let (together, others) = rest.split_at_mut(fitting.count().max(1));
        rest = others;
        weigh_words(session, &read, &vectors, together, question)?;
        if let (Some(reach), true) = (session.page_reach(), question.neighbours > 0) {
            weigh_neighbours(session, &read, &vectors, together, question, reach)?;
        }
    }
    Ok(subjects.into_iter().map(|subject| subject.explanation(question)).collect())
}

/// Reads pages as they are: what versions of their paragraphs need of them, and the paragraphs that are to be explained.
fn read_block<'a>(
    session: &mut ModelSession<'_>,
    pages: &[WrittenPage<'a>],
    question: Question,
) -> Result<(Vec<f32>, Vec<Subject<'a>>), ModelError> {
    let read: Vec<&[PageText<'_>]> = pages.iter().map(|page| page.texts).collect();
    let mut vectors = Vec::new();
    let answers = session.answer_pages(&read, &mut vectors)?;
    let mut answers = answers.into_iter();
    let mut subjects = Vec::new();
    for (page, of_page) in pages.iter().enumerate() {
        let paragraphs = of_page.texts.iter().zip(of_page.written).zip(of_page.wanted);
        for (paragraph, (((text, written), wanted), answer)) in paragraphs.zip(answers.by_ref()).enumerate() {
            if !wanted {
                continue;
            }
            let words = Words::new(written, text);
            let before = question.scores(&answer);
            let label = question.label.unwrap_or(before.best().0);
            let (models, weights, neighbours) = (session.answered(&answer), Vec::new(), Vec::new());
            subjects.push(Subject { page, paragraph, text, words, label, before, models, weights, neighbours });
        }
    }
    Ok((vectors, subjects))
}

/// Leaves words out of some paragraphs.
fn weigh_words(
    session: &mut ModelSession<'_>,
    pages: &[&[PageText<'_>]],
    vectors: &[f32],
    subjects: &mut [Subject<'_>],
    question: Question,
) -> Result<(), ModelError> {
    let chosen = choose_words(session, subjects)?;
    let mut versions = Vec::new();
    for (subject, words) in subjects.iter().zip(&chosen) {
        let Subject { page, paragraph, .. } = *subject;
        let without = |&word: &usize| subject.words.without([word]);
        versions.extend(words.iter().map(without).map(|text| Version { page, paragraph, text, without: Vec::new() }));
    }
    let mut answers = session.answer_versions(pages, vectors, &versions)?.into_iter();
    for (subject, words) in subjects.iter_mut().zip(chosen) {
        let falls = answers.by_ref().take(words.len()).map(|answer| subject.fall(&question.scores(&answer)));
        let falls: Vec<(usize, Fall)> = words.into_iter().zip(falls).collect();
        let order = ranked(falls.iter().map(|(_, fall)| fall.log_odds).enumerate());
        subject.weights = order.into_iter().map(|place| falls[place]).collect();
    }
    Ok(())
}

/// The words of each paragraph that are to be left out.
fn choose_words(session: &mut ModelSession<'_>, subjects: &[Subject<'_>]) -> Result<Vec<Vec<usize>>, ModelError> {
    let longer = subjects.iter().filter(|subject| !is_short(subject.words.spans().len()));
    let alone: Vec<PageText<'_>> =
        longer.flat_map(|subject| (0..subject.words.spans().len()).map(|word| subject.words.alone(word))).collect();
    let mut readings = Vec::with_capacity(alone.len());
    for part in alone.chunks(TOGETHER) {
        // A cascade's small network will do: what it chooses is left out before both.
        let pages: Vec<&[PageText<'_>]> = part.chunks(1).collect();
        readings.extend(session.read_pages(&pages, &mut Vec::new())?);
    }
    let mut readings = readings.into_iter();
    let chosen = subjects.iter().map(|subject| {
        let words = subject.words.spans().len();
        if is_short(words) {
            return (0..words).collect();
        }
        let speaks = readings.by_ref().take(words).map(|reading| log_odds(&reading.prediction.scores, subject.label));
        candidates(&speaks.collect::<Vec<f32>>())
    });
    Ok(chosen.collect())
}

/// Leaves out each neighbour in reach.
fn weigh_neighbours(
    session: &mut ModelSession<'_>,
    pages: &[&[PageText<'_>]],
    vectors: &[f32],
    subjects: &mut [Subject<'_>],
    question: Question,
    reach: usize,
) -> Result<(), ModelError> {
    let versions: Vec<Version<'_>> = subjects
        .iter()
        .filter(|subject| pages[subject.page].len() > 1)
        .map(|subject| {
            let Subject { page, paragraph, .. } = *subject;
            let near = paragraph.saturating_sub(reach)..(paragraph + reach + 1).min(pages[page].len());
            let without = near.filter(|&other| other != paragraph).collect();
            Version { page, paragraph, text: subject.text.clone(), without }
        })
        .collect();
    let mut answers = session.answer_versions(pages, vectors, &versions)?.into_iter();
    let on_pages = subjects.iter_mut().filter(|subject| pages[subject.page].len() > 1);
    for (subject, version) in on_pages.zip(&versions) {
        for (&other, answer) in version.without.iter().zip(answers.by_ref()) {
            let distance = other as isize - subject.paragraph as isize;
            let weight = subject.fall(&question.scores(&answer)).score;
            subject.neighbours.push(NeighbourWeight { distance, weight });
        }
    }
    Ok(())
}

impl Question {
    /// The scores of an answer.
    fn scores(&self, answer: &Answer) -> Scores {
        match self.left_out {
            Some(label) => answer.prediction.scores.without(label),
            None => answer.prediction.scores.clone(),
        }
    }
}

impl Subject<'_> {
    /// What the label loses where the paragraph has other scores.
    fn fall(&self, scores: &Scores) -> Fall {
        Fall {
            score: self.before.get(self.label) - scores.get(self.label),
            log_odds: log_odds(&self.before, self.label) - log_odds(scores, self.label),
        }
    }

    fn explanation(self, question: Question) -> Explanation {
        let shows = |weight: f32| weight >= LEAST_WEIGHT;
        let spans = self.words.spans();
        let words = self.weights.into_iter().filter(|(_, fall)| shows(fall.score)).take(question.words);
        let words = words.map(|(word, fall)| WordWeight { span: spans[word].clone(), weight: fall.score }).collect();
        let mut neighbours = self.neighbours;
        neighbours.retain(|neighbour| shows(neighbour.weight));
        neighbours.sort_by(|left, right| right.weight.total_cmp(&left.weight));
        neighbours.truncate(question.neighbours);
        let (label, score) = (self.before.labels().label(self.label), self.before.get(self.label));
        Explanation { label, score, words, neighbours, models: self.models }
    }
}

/// The logarithm of the odds of a label. The others are summed up, for near 1 a probability says little of the rest.
fn log_odds(scores: &Scores, label: LabelId) -> f32 {
    let others: f64 = scores.values().iter().map(|&score| f64::from(score)).sum::<f64>() - f64::from(scores.get(label));
    (f64::from(scores.get(label)).max(LEAST_PROBABILITY) / others.max(LEAST_PROBABILITY)).ln() as f32
}
