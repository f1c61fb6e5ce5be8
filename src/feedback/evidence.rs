//! What earlier decisions say of a new comment.

use super::FeedbackError;
use super::traces::Traces;
use crate::comment::{Evidence, Sketch};
use rusqlite::{Connection, params};

/// What the owner's word on the same text weighs, in log-odds. No score that a model gives outweighs it: a comment that was marked
/// "not spam" passes when it comes again, whatever the model says.
const SAME: f32 = 20.0;

/// What it weighs for a short text of another author or with another link: many people write the same five words.
const SAME_WORDS: f32 = 1.5;

/// What a near copy weighs, times its similarity. It takes back a score of 0.99 and not one of 0.9999.
const NEAR: f32 = 8.0;

/// The share of its weight that "not spam" keeps for a copy with a link that the decided one did not have: copies of genuine comments
/// with a link of their own are a common trick.
const NEW_LINK: f32 = 0.1;

/// Added to both counts of an author or a host: one decision makes odds of 2 to 1, ten make 11 to 1.
const SMOOTHING: f32 = 1.0;

/// The most that an author or a link weighs: 20 to 1. Names can be taken by others and sites change hands.
const TALLY_LIMIT: f32 = 3.0;

/// Decisions on the same words, or in one band, that are looked at, the newest first: bounds the time of an answer.
const LOOKED_AT: i64 = 64;

/// Kinds of names that decisions are counted of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Tally {
    Author = 1,
    Host = 2,
}

/// Decisions on one name.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Counts {
    spam: u32,
    genuine: u32,
}

/// What one decision says of a copy of its comment.
struct Vote {
    spam: bool,
    /// 0 to 1: how alike the texts are, and less for one with a link of its own.
    weight: f32,
}

/// What is known of a comment; `None` where nothing is.
pub(super) fn find(connection: &Connection, traces: &Traces) -> Result<Option<Evidence>, FeedbackError> {
    // The same decision stands behind a copy, its author and its links. So what agrees does not add up, and only what
    // contradicts is set against each other.
    if let Some(evidence) = same(connection, traces)? {
        return Ok(Some(evidence));
    }
    let mut found: Option<Evidence> = None;
    let parts = [near(connection, traces)?, links(connection, traces)?, author(connection, traces)?];
    for part in parts.into_iter().flatten() {
        found = Some(match found {
            None => part,
            Some(found) => join(found, part),
        });
    }
    Ok(found.filter(|evidence| evidence.log_odds != 0.0))
}

/// The stronger of two that agree, the sum of two that do not, with the reason of the stronger.
fn join(first: Evidence, second: Evidence) -> Evidence {
    let (strong, weak) = if second.log_odds.abs() > first.log_odds.abs() { (second, first) } else { (first, second) };
    if strong.log_odds.signum() == weak.log_odds.signum() {
        return strong;
    }
    Evidence { log_odds: strong.log_odds + weak.log_odds, reason: strong.reason }
}

/// Decisions on the same words.
fn same(connection: &Connection, traces: &Traces) -> Result<Option<Evidence>, FeedbackError> {
    let mut statement = connection
        .prepare_cached("SELECT spam, subject, hosts FROM feedback WHERE words = ?1 ORDER BY id DESC LIMIT ?2")?;
    let mut rows = statement.query(params![traces.words, LOOKED_AT])?;
    let (mut subject, mut words) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let spam: bool = row.get(0)?;
        let same_subject = row.get_ref(1)?.as_blob().is_ok_and(|blob| blob == traces.subject);
        let hosts: String = row.get(2)?;
        let vote = Vote { spam, weight: trust(traces, spam, &hosts) };
        if same_subject { &mut subject } else { &mut words }.push(vote);
    }
    let what = |spam: bool| format!("you marked the same text as {}", name(spam));
    Ok(match (vote(&subject), vote(&words)) {
        (Some(share), _) => evidence(SAME * share, what),
        (None, Some(share)) => evidence(SAME_WORDS * share, what),
        (None, None) => None,
    })
}

/// Decisions on near copies.
fn near(connection: &Connection, traces: &Traces) -> Result<Option<Evidence>, FeedbackError> {
    let Some(sketch) = traces.sketch else { return Ok(None) };
    let mut ids: Vec<i64> = Vec::new();
    let mut statement =
        connection.prepare_cached("SELECT feedback FROM bands WHERE band = ?1 ORDER BY feedback DESC LIMIT ?2")?;
    for band in sketch.bands() {
        for id in statement.query_map(params![band as i64, LOOKED_AT], |row| row.get(0))? {
            ids.push(id?);
        }
    }
    ids.sort_unstable();
    ids.dedup();
    let mut statement = connection.prepare_cached("SELECT spam, sketch, hosts FROM feedback WHERE id = ?1")?;
    let mut votes = Vec::new();
    for id in ids {
        let mut rows = statement.query([id])?;
        // A decision that was taken back since the bands were read is not there.
        let Some(row) = rows.next()? else { continue };
        let Some(other) = row.get_ref(1)?.as_blob().ok().and_then(Sketch::from_bytes) else { continue };
        let similarity = sketch.similarity(&other);
        if similarity >= Sketch::COPY {
            let spam: bool = row.get(0)?;
            let hosts: String = row.get(2)?;
            votes.push(Vote { spam, weight: trust(traces, spam, &hosts) * similarity });
        }
    }
    let Some(share) = vote(&votes) else { return Ok(None) };
    Ok(evidence(NEAR * share, |spam| format!("you marked a very similar comment as {}", name(spam))))
}

/// Decisions on comments with the same links. A comment is as good as its worst link: a genuine address beside one's own is cheap.
fn links(connection: &Connection, traces: &Traces) -> Result<Option<Evidence>, FeedbackError> {
    let mut worst: Option<(f32, &str, Counts)> = None;
    for host in &traces.hosts {
        let counts = tally(connection, Tally::Host, host)?;
        let weight = weight(counts);
        if worst.is_none_or(|(known, ..)| weight > known) {
            worst = Some((weight, host, counts));
        }
    }
    let Some((weight, host, counts)) = worst else { return Ok(None) };
    Ok(evidence(weight, |spam| marked(counts, spam, &format!("with a link to {host}"))))
}

/// Decisions on comments of the same author.
fn author(connection: &Connection, traces: &Traces) -> Result<Option<Evidence>, FeedbackError> {
    let Some(author) = &traces.author else { return Ok(None) };
    let counts = tally(connection, Tally::Author, author)?;
    Ok(evidence(weight(counts), |spam| marked(counts, spam, "by this author")))
}

/// The share of its weight that a decision keeps for another comment than the one that it was made on.
fn trust(traces: &Traces, spam: bool, hosts: &str) -> f32 {
    let hosts: Vec<&str> = hosts.split_whitespace().collect();
    if !spam && traces.links_beyond(&hosts) { NEW_LINK } else { 1.0 }
}

/// What decisions say together, -1 to 1: 0 where they are of two minds; `None` without any.
fn vote(votes: &[Vote]) -> Option<f32> {
    let heaviest = votes.iter().map(|vote| vote.weight).fold(0.0, f32::max);
    let total: f32 = votes.iter().map(|vote| vote.weight).sum();
    let sum: f32 = votes.iter().map(|vote| if vote.spam { vote.weight } else { -vote.weight }).sum();
    // Twenty that agree weigh what the heaviest of them does.
    (total > 0.0).then(|| sum / total * heaviest.min(1.0))
}

fn weight(counts: Counts) -> f32 {
    let odds = (counts.spam as f32 + SMOOTHING) / (counts.genuine as f32 + SMOOTHING);
    odds.ln().clamp(-TALLY_LIMIT, TALLY_LIMIT)
}

fn tally(connection: &Connection, kind: Tally, name: &str) -> Result<Counts, FeedbackError> {
    let mut statement = connection.prepare_cached("SELECT spam, genuine FROM tallies WHERE kind = ?1 AND name = ?2")?;
    let mut rows = statement.query(params![kind as i64, name])?;
    match rows.next()? {
        Some(row) => Ok(Counts { spam: row.get(0)?, genuine: row.get(1)? }),
        None => Ok(Counts::default()),
    }
}

fn evidence(log_odds: f32, reason: impl Fn(bool) -> String) -> Option<Evidence> {
    (log_odds != 0.0).then(|| Evidence { log_odds, reason: reason(log_odds > 0.0) })
}

fn name(spam: bool) -> &'static str {
    if spam { "spam" } else { "not spam" }
}

fn marked(counts: Counts, spam: bool, which: &str) -> String {
    let of = if spam { counts.spam } else { counts.genuine };
    match counts.spam + counts.genuine {
        1 => format!("you marked another comment {which} as {}", name(spam)),
        all => format!("you marked {of} of {all} comments {which} as {}", name(spam)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Fixture, LONG, LONG_CHANGED, comment};
    use super::*;
    use crate::comment::Comment;

    #[test]
    fn the_same_text_is_decided() {
        let fixture = Fixture::new();
        fixture.decide(&Comment::new(LONG), true);
        let found = fixture.evidence(&Comment::new(format!("<b>{}</b>", LONG.to_uppercase()))).unwrap();
        assert_eq!(found, Evidence { log_odds: SAME, reason: "you marked the same text as spam".to_owned() });
        assert_eq!(fixture.evidence(&Comment::new("A text that nobody has ever decided on before, here")), None);
    }

    #[test]
    fn the_newest_word_of_one_owner_wins_and_two_owners_can_disagree() {
        let fixture = Fixture::new();
        fixture.decide(&Comment::new(LONG), true);
        fixture.decide(&Comment::new(LONG), false);
        assert_eq!(fixture.evidence(&Comment::new(LONG)).unwrap().log_odds, -SAME);
        fixture.decide_as("elsewhere", &Comment::new(LONG), true);
        assert_eq!(fixture.evidence(&Comment::new(LONG)), None);
        fixture.decide_as("a third", &Comment::new(LONG), true);
        assert!((fixture.evidence(&Comment::new(LONG)).unwrap().log_odds - SAME / 3.0).abs() < 1e-3);
    }

    #[test]
    fn near_copies_weigh_by_their_similarity() {
        let fixture = Fixture::new();
        fixture.decide(&Comment::new(LONG), false);
        let found = fixture.evidence(&Comment::new(LONG_CHANGED)).unwrap();
        assert!(found.log_odds < -NEAR * Sketch::COPY + 1e-3 && found.log_odds > -NEAR, "{found:?}");
        assert_eq!(found.reason, "you marked a very similar comment as not spam");
        assert_eq!(fixture.evidence(&Comment::new("What a fine morning it was when we walked along the river")), None);
    }

    #[test]
    fn a_copy_of_a_genuine_comment_with_a_link_of_its_own_gains_little() {
        let fixture = Fixture::new();
        fixture.decide(&Comment::new(LONG), false);
        let linked = Comment { author_url: Some("https://casino.example".to_owned()), ..Comment::new(LONG) };
        assert!((fixture.evidence(&linked).unwrap().log_odds + SAME * NEW_LINK).abs() < 1e-3);
        fixture.decide(&linked, true);
        assert_eq!(fixture.evidence(&linked).unwrap().log_odds, SAME);
    }

    #[test]
    fn short_texts_of_others_weigh_little() {
        let fixture = Fixture::new();
        let spammer = comment("Great post!", "Ann Loans", "mail.example", "https://loans.example");
        fixture.decide(&spammer, true);
        assert_eq!(fixture.evidence(&spammer).unwrap().log_odds, SAME);
        let reader = comment("Great post!", "Bob", "post.example", "");
        assert_eq!(fixture.evidence(&reader).unwrap().log_odds, SAME_WORDS);
        // What is said of the one leaves the other's word alone.
        fixture.decide(&reader, false);
        assert_eq!(fixture.evidence(&spammer).unwrap().log_odds, SAME);
        assert_eq!(fixture.evidence(&reader).unwrap().log_odds, -SAME);
        // A few words more are no copy: short texts have none.
        assert_eq!(fixture.evidence(&Comment::new("Great post, Ann!")), None);
    }

    #[test]
    fn links_and_authors_gain_weight_with_the_number_of_decisions() {
        let fixture = Fixture::new();
        let from = |number: usize| {
            comment(&format!("Offer {number}"), &format!("Seller {number}"), "mail.example", "https://shop.example/x")
        };
        let mut weights = Vec::new();
        for number in 0..40 {
            fixture.decide(&from(number), true);
            weights.push(fixture.evidence(&from(1000 + number)).unwrap().log_odds);
        }
        assert!((weights[0] - 2f32.ln()).abs() < 1e-3 && weights[9] > 2.0);
        assert!(weights.is_sorted() && weights[39] == TALLY_LIMIT);
        let reason = fixture.evidence(&from(1000)).unwrap().reason;
        assert_eq!(reason, "you marked 40 of 40 comments with a link to shop.example as spam");
    }

    #[test]
    fn an_author_is_known_by_name_and_domain_together() {
        let fixture = Fixture::new();
        for text in ["First of all, hello", "A second thought", "And a third"] {
            fixture.decide(&comment(text, "Jo Miller", "post.example", ""), false);
        }
        let found = fixture.evidence(&comment("Something else", "jo miller", "post.example", "")).unwrap();
        assert!((found.log_odds + 4f32.ln()).abs() < 1e-3);
        assert_eq!(found.reason, "you marked 3 of 3 comments by this author as not spam");
        assert_eq!(fixture.evidence(&comment("Something else", "Jo Miller", "gmail.com", "")), None);
        assert_eq!(fixture.evidence(&comment("Something else", "Al", "post.example", "")), None);
    }

    #[test]
    fn the_worst_link_counts_and_the_well_known_do_not() {
        let fixture = Fixture::new();
        for number in 0..12 {
            fixture.decide(&comment(&format!("Note {number}"), "", "", "https://club.example"), false);
            fixture.decide(&Comment::new(format!("Clip {number} https://youtube.com/watch")), true);
        }
        assert!(fixture.evidence(&Comment::new("See https://club.example/news")).unwrap().log_odds < -2.0);
        assert_eq!(fixture.evidence(&Comment::new("See https://club.example/news or https://pills.example")), None);
        assert_eq!(fixture.evidence(&Comment::new("Look https://youtube.com/other")), None);
    }

    #[test]
    fn a_decision_that_changes_takes_its_counts_with_it() {
        let fixture = Fixture::new();
        let first = comment("One offer", "Seller", "mail.example", "https://shop.example");
        for _ in 0..5 {
            fixture.decide(&first, true);
        }
        let other = comment("Another", "Someone", "", "https://shop.example");
        assert!((fixture.evidence(&other).unwrap().log_odds - 2f32.ln()).abs() < 1e-3);
        fixture.decide(&first, false);
        assert!((fixture.evidence(&other).unwrap().log_odds + 2f32.ln()).abs() < 1e-3);
        let reason = fixture.evidence(&other).unwrap().reason;
        assert_eq!(reason, "you marked another comment with a link to shop.example as not spam");
    }

    #[test]
    fn what_contradicts_is_set_against_each_other() {
        let of = |log_odds: f32, reason: &str| Evidence { log_odds, reason: reason.to_owned() };
        assert_eq!(join(of(2.0, "a"), of(0.5, "b")), of(2.0, "a"));
        assert_eq!(join(of(1.0, "a"), of(-3.0, "b")), of(-2.0, "b"));
    }
}
