//! Texts that come several times among the inputs, with a few words changed: what one sender posts in many places.
//!
//! The inputs are read up to three times. First every text is sketched, and groups of near copies are counted, without a model. Then
//! the model judges a few comments of each group of three or more. Where most of those are spam by themselves, that is evidence
//! against every copy when the comments are filtered at last. So what is said of a comment depends on the inputs and their order
//! alone, not on threads or on how they are read; and what many people write by themselves is never spam for that alone.

use super::judge::Judge;
use crate::cli::error::CliError;
use crate::cli::progress::Progress;
use crate::cli::{signals, tell};
use crate::comment::{Evidence, Sketch};
use crate::corpus::{Choice, ChunkReader, Item, Position, Sources};
use crate::fnv::{FNV_OFFSET, fnv_bytes, fnv_step};
use crate::model::{Model, ModelSession};
use crate::pipeline::{CommentFields, Event, Fact, Input, Labeller, ParsedRecord, RowOptions, Worked, start};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Different texts that are remembered: some hundred bytes each.
const MOST_TEXTS: usize = 1_000_000;

/// Copies from which a text counts as coming several times.
const LEAST_COPIES: u32 = 3;

/// Comments of a group that the model judges.
const JUDGED: usize = 8;

/// Senders of a group that are told apart; all further ones count.
const SENDERS: usize = 64;

/// The evidence, in logarithms of odds: so much, and more the more copies there are, up to the most.
const EVIDENCE: f32 = 1.5;
const MOST_EVIDENCE: f32 = 5.0;

/// Groups of near copies.
#[derive(Debug, Default)]
pub(super) struct Copies {
    groups: Vec<Group>,
    /// The first group with a band.
    bands: HashMap<u64, u32>,
    most_texts: usize,
    /// Whether there were more.
    is_full: bool,
}

#[derive(Debug)]
struct Group {
    /// Of the first text.
    sketch: Sketch,
    /// Comments by other authors or on other pages; those of which nothing is known count each.
    copies: u32,
    senders: Vec<u64>,
    /// Numbers of the first comments, from 0.
    members: Vec<u64>,
    judged: u32,
    /// How many of those are spam by themselves.
    spam: u32,
}

impl Copies {
    fn new(most_texts: usize) -> Copies {
        Copies { most_texts, ..Copies::default() }
    }

    /// The group of a text; of several the one that is most like it.
    fn group(&self, sketch: &Sketch) -> Option<usize> {
        let mut best: Option<(f32, usize)> = None;
        for band in sketch.bands() {
            let Some(&group) = self.bands.get(&band) else { continue };
            let similarity = sketch.similarity(&self.groups[group as usize].sketch);
            if similarity >= Sketch::COPY && best.is_none_or(|(most, _)| similarity > most) {
                best = Some((similarity, group as usize));
            }
        }
        best.map(|(_, group)| group)
    }

    /// Takes a comment: its number among all, and what tells its sender and page from others, where anything is known.
    fn add(&mut self, sketch: Sketch, number: u64, sender: Option<u64>) {
        let group = match self.group(&sketch) {
            Some(group) => group,
            None if self.groups.len() >= self.most_texts => {
                self.is_full = true;
                return;
            }
            None => {
                let group = self.groups.len();
                for band in sketch.bands() {
                    self.bands.entry(band).or_insert(group as u32);
                }
                let (senders, members) = (Vec::new(), Vec::new());
                self.groups.push(Group { sketch, copies: 0, senders, members, judged: 0, spam: 0 });
                group
            }
        };
        let group = &mut self.groups[group];
        match sender {
            Some(sender) if group.senders.contains(&sender) => return,
            Some(sender) if group.senders.len() < SENDERS => group.senders.push(sender),
            _ => {}
        }
        group.copies += 1;
        if group.members.len() < JUDGED {
            group.members.push(number);
        }
    }

    /// Forgets what came less than three times, and gives the numbers of the comments that are to be judged.
    fn keep_repeated(&mut self) -> Vec<u64> {
        self.groups.retain(|group| group.copies >= LEAST_COPIES);
        self.bands.clear();
        for (number, group) in self.groups.iter().enumerate() {
            for band in group.sketch.bands() {
                self.bands.entry(band).or_insert(number as u32);
            }
        }
        let mut wanted: Vec<u64> = self.groups.iter().flat_map(|group| group.members.iter().copied()).collect();
        wanted.sort_unstable();
        wanted
    }

    fn judged(&mut self, sketch: &Sketch, is_spam: bool) {
        if let Some(group) = self.group(sketch) {
            self.groups[group].judged += 1;
            self.groups[group].spam += u32::from(is_spam);
        }
    }

    /// What the copies of a text say of it.
    pub fn evidence(&self, text: &str) -> Option<Evidence> {
        if self.groups.is_empty() {
            return None;
        }
        let group = &self.groups[self.group(&Sketch::of(text)?)?];
        let mostly_spam = group.spam * 2 > group.judged;
        mostly_spam.then(|| Evidence {
            log_odds: (EVIDENCE + (group.copies as f32).ln()).min(MOST_EVIDENCE),
            reason: format!("the same text {} times", group.copies),
        })
    }

    /// How many texts come several times.
    pub fn repeated(&self) -> usize {
        self.groups.len()
    }
}

/// The inputs, twice, for looking for copies.
pub(super) struct Search {
    pub first: Sources,
    pub second: Sources,
    pub inputs: Vec<PathBuf>,
    pub rows: RowOptions,
    pub threads: usize,
    pub quiet: bool,
}

impl Search {
    /// Looks for copies; `threshold` is the score from which a comment is spam by itself.
    pub fn run(self, model: &Arc<Model>, judge: &Judge, threshold: f32) -> Result<Copies, CliError> {
        let mut copies = Copies::new(MOST_TEXTS);
        let progress = Progress::start(&self.inputs, self.first.total_bytes(), !self.quiet, self.quiet);
        let mut number = 0;
        for chunk in ChunkReader::new(self.first, self.rows.read()) {
            stop_if_asked()?;
            for item in &chunk.items {
                if let Item::Record(line) = item
                    && let Ok(record) = ParsedRecord::parse_with(line, |object| judge.fields.body(object))
                    && let Some(sketch) = Sketch::of(&record.text)
                {
                    copies.add(sketch, number, sender(&judge.fields, &record));
                }
                number += u64::from(item.begins_document());
            }
            progress.advance(chunk.raw_bytes, number, "comments looked at for copies");
        }
        progress.finish();
        if copies.is_full && !self.quiet {
            tell(format_args!(
                "more than {MOST_TEXTS} different texts: copies of those that came later are not looked for"
            ));
        }
        let wanted = copies.keep_repeated();
        if wanted.is_empty() {
            return Ok(copies);
        }
        let input = Input {
            sources: self.second,
            options: self.rows.read(),
            page_field: None,
            choice: Choice::These(wanted),
            from: Position::default(),
            by_source: false,
        };
        let (labeller, judge) = (Labeller::new(&self.rows), judge.clone());
        let work = move |session: &mut ModelSession<'_>, chunk, worked: &mut Worked<Vec<(Sketch, bool)>>| {
            labeller.label(session, chunk, &mut |event| {
                if let Event::Labelled(labelled) = event
                    && let Some(sketch) = Sketch::of(labelled.text)
                {
                    worked.output.push((sketch, judge.alone(&labelled).0 >= threshold));
                }
            });
        };
        for worked in start(model, self.threads, input, work) {
            stop_if_asked()?;
            worked.output.iter().for_each(|(sketch, is_spam)| copies.judged(sketch, *is_spam));
        }
        Ok(copies)
    }
}

fn stop_if_asked() -> Result<(), CliError> {
    match signals::asked_to_stop() {
        Some(signal) => Err(CliError::Stopped { signal, hint: "" }),
        None => Ok(()),
    }
}

/// What tells a comment's author and page from others; `None` where nothing is known of them.
fn sender(fields: &CommentFields, record: &ParsedRecord<'_>) -> Option<u64> {
    let object = record.object.as_ref()?;
    let mut state = FNV_OFFSET;
    let mut is_known = false;
    for fact in [Fact::Author, Fact::Email, Fact::AuthorUrl, Fact::Ip, Fact::Permalink] {
        if let Some(value) = fields.string(fact, object) {
            is_known = true;
            state = fnv_bytes(state, value.to_lowercase().as_bytes());
        }
        // What stands between two facts is in neither.
        state = fnv_step(state, 256);
    }
    is_known.then_some(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str =
        "I was sceptical at first but the lender paid within the hour, so do yourself a favour and ask them";
    const REMARK: &str =
        "The bridge was closed twice last winter and nobody told the school bus about it, as usual here";

    fn copies(texts: &[(&str, Option<u64>)], most_texts: usize) -> Copies {
        let mut copies = Copies::new(most_texts);
        for (number, (text, sender)) in (0..).zip(texts) {
            if let Some(sketch) = Sketch::of(text) {
                copies.add(sketch, number, *sender);
            }
        }
        copies
    }

    #[test]
    fn copies_of_spam_speak_against_each_other_and_copies_of_else_do_not() {
        let changed = OFFER.replace("favour", "kindness");
        let texts = [(OFFER, None), (REMARK, None), (&changed, None), (REMARK, None), (OFFER, None), (REMARK, None)];
        let mut copies = copies(&texts, 10);
        assert_eq!(copies.keep_repeated(), [0, 1, 2, 3, 4, 5]);
        for (text, is_spam) in [(OFFER, true), (&changed, true), (OFFER, false), (REMARK, true), (REMARK, false)] {
            copies.judged(&Sketch::of(text).unwrap(), is_spam);
        }
        let evidence = copies.evidence(&changed).unwrap();
        assert_eq!(evidence.reason, "the same text 3 times");
        assert!(evidence.log_odds > 2.0 && evidence.log_odds < 3.0);
        assert_eq!(copies.evidence(REMARK), None);
        assert_eq!((copies.evidence("Thank you!"), copies.repeated()), (None, 2));
    }

    #[test]
    fn an_author_who_posts_twice_on_a_page_is_one_copy() {
        let mut copies = copies(&[(OFFER, Some(1)), (OFFER, Some(1)), (OFFER, Some(2)), (OFFER, Some(2))], 10);
        assert_eq!(copies.groups[0].copies, 2);
        assert!(copies.keep_repeated().is_empty());
        assert_eq!(copies.evidence(OFFER), None);
    }

    #[test]
    fn no_more_texts_are_remembered_than_fit() {
        let copies = copies(&[(OFFER, None), (REMARK, None), (OFFER, None)], 1);
        assert!(copies.is_full);
        assert_eq!((copies.groups.len(), copies.groups[0].copies), (1, 2));
    }
}
