//! The store as its users see it: verdicts, decisions, threads, crashes.

use super::testing::{Fixture, LONG, comment, judgement};
use super::*;
use crate::comment::Comment;
use crate::random::SplitMix64;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const NOW: i64 = 1_700_000_000;

fn about(id: i64, spam: bool) -> Feedback {
    Feedback { subject: Subject::Verdict(id), spam, source: "blog".to_owned(), time: NOW }
}

#[test]
fn verdicts_come_back_newest_first_and_are_decided_by_id() {
    let fixture = Fixture::new();
    let first = comment(LONG, "Ann", "post.example", "https://ann.example");
    let id = fixture.store.remember(&first, &judgement(true, 0.97), "blog", NOW).unwrap().unwrap();
    let second = Comment { html: Some("<b>Only markup</b>".to_owned()), ..Comment::new("") };
    fixture.store.remember(&second, &judgement(false, 0.25), "blog", NOW + 1).unwrap();
    let verdicts = fixture.store.verdicts("blog", 10).unwrap();
    assert_eq!(verdicts.len(), 2);
    assert_eq!((verdicts[0].text.as_str(), verdicts[0].feedback), ("<b>Only markup</b>", None));
    assert_eq!(
        verdicts[1],
        Verdict {
            id,
            time: NOW,
            source: "blog".to_owned(),
            author: Some("Ann".to_owned()),
            text: LONG.to_owned(),
            spam: true,
            spam_score: 0.97,
            reason: "what it says".to_owned(),
            feedback: None,
        }
    );
    fixture.store.record(&about(id, false)).unwrap();
    assert_eq!(fixture.store.verdicts("blog", 10).unwrap()[1].feedback, Some(false));
    assert_eq!(fixture.evidence(&first).unwrap().reason, "you marked the same text as not spam");
    assert_eq!(fixture.store.verdicts("blog", 1).unwrap().len(), 1);
    // Others neither see nor decide it.
    assert_eq!(fixture.store.verdicts("other", 10).unwrap(), []);
    let other = Feedback { source: "other".to_owned(), ..about(id, true) };
    assert!(matches!(fixture.store.record(&other), Err(FeedbackError::UnknownVerdict { .. })));
    assert!(serde_json::to_string(&verdicts[1]).unwrap().starts_with(&format!(r#"{{"id":"{id}","time""#)));
    // A later verdict on the same text shows what was said of it.
    fixture.store.remember(&first, &judgement(false, 0.1), "blog", NOW + 2).unwrap();
    assert_eq!(fixture.store.verdicts("blog", 1).unwrap()[0].feedback, Some(false));
}

#[test]
fn a_decision_by_id_knows_the_whole_text() {
    let fixture = Fixture::new();
    let long = Comment::new(format!("{LONG}. ").repeat(40));
    let id = fixture.store.remember(&long, &judgement(true, 0.9), "blog", NOW).unwrap().unwrap();
    assert_eq!(fixture.store.verdicts("blog", 1).unwrap()[0].text.chars().count(), 2_000);
    fixture.store.record(&about(id, false)).unwrap();
    assert_eq!(fixture.evidence(&long).unwrap().reason, "you marked the same text as not spam");
}

#[test]
fn only_the_newest_verdicts_are_kept_and_ids_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let open = || FeedbackStore::open(&path).unwrap().keep(100);
    let store = open();
    let mut ids = Vec::new();
    for number in 0..500 {
        let comment = Comment::new(format!("Comment {number}"));
        ids.push(store.remember(&comment, &judgement(false, 0.1), "blog", NOW).unwrap().unwrap());
    }
    let verdicts = store.verdicts("blog", 1_000).unwrap();
    assert_eq!(verdicts.len(), 100);
    assert_eq!((verdicts[0].id, verdicts[99].id), (ids[499], ids[400]));
    assert!(matches!(store.record(&about(ids[0], true)), Err(FeedbackError::UnknownVerdict { id }) if id == ids[0]));
    drop(store);
    let id = open().remember(&Comment::new("Later"), &judgement(false, 0.1), "blog", NOW).unwrap().unwrap();
    assert!(id > ids[499]);
}

#[test]
fn no_text_is_stored_where_none_is_to_be_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = FeedbackStore::open(&path).unwrap().keep(0);
    assert_eq!(store.remember(&Comment::new(LONG), &judgement(true, 0.9), "blog", NOW).unwrap(), None);
    assert_eq!(store.verdicts("blog", 10).unwrap(), []);
    assert_eq!(store.counts(10).unwrap()[0].spam, 1);
    drop(store);
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(9).any(|window| window == b"boathouse"));
}

#[test]
fn days_are_counted_once_for_each_change_of_mind() {
    let fixture = Fixture::new();
    for (number, spam) in [true, true, false].into_iter().enumerate() {
        let comment = Comment::new(format!("Comment {number}"));
        fixture.store.remember(&comment, &judgement(spam, 0.5), "blog", NOW + 86_400 * (number as i64 / 2)).unwrap();
    }
    for spam in [true, true, false] {
        fixture.decide(&Comment::new(LONG), spam);
    }
    let day = |day: &str, genuine, spam, marked_spam, marked_genuine| DayCounts {
        day: day.to_owned(),
        genuine,
        spam,
        marked_spam,
        marked_genuine,
    };
    let counts = fixture.store.counts(10).unwrap();
    assert_eq!(counts, [day("2023-11-14", 0, 2, 1, 1), day("2023-11-15", 1, 0, 0, 0)]);
    assert_eq!(fixture.store.counts(1).unwrap(), counts[1..]);
}

#[test]
fn comments_without_text_are_refused() {
    let fixture = Fixture::new();
    let blank = Feedback { subject: Subject::Comment(Comment::new(" ")), ..about(0, true) };
    assert!(matches!(fixture.store.record(&blank), Err(FeedbackError::NoText)));
    assert_eq!(fixture.evidence(&Comment::new(" ")), None);
    assert_eq!(fixture.store.remember(&Comment::new(" "), &judgement(false, 0.5), "blog", NOW).unwrap(), None);
    assert_eq!(fixture.store.export(&mut Vec::new()).unwrap(), 0);
}

#[test]
fn threads_share_a_store() {
    let fixture = Fixture::new();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let fixture = &fixture;
            scope.spawn(move || {
                for number in 0..50 {
                    let comment = Comment::new(format!("Thread {thread} says {number}"));
                    fixture.store.remember(&comment, &judgement(false, 0.5), "blog", NOW).unwrap();
                    if number % 5 == 0 {
                        fixture.decide(&comment, true);
                    }
                    fixture.evidence(&comment);
                }
            });
        }
    });
    assert_eq!(fixture.store.verdicts("blog", 1_000).unwrap().len(), 200);
    assert_eq!(fixture.store.export(&mut Vec::new()).unwrap(), 40);
}

#[test]
fn another_process_reads_and_writes_the_same_store() {
    let fixture = Fixture::new();
    let other = FeedbackStore::open(fixture.store.path()).unwrap();
    fixture.decide(&Comment::new(LONG), true);
    assert!(other.evidence(&Comment::new(LONG)).unwrap().is_some());
    drop(other);
    fixture.decide(&Comment::new("Still open"), true);
}

/// Where the child of the next test writes.
const CHILD: &str = "COPYDESK_FEEDBACK_CHILD";

/// Not a test of its own: the child that is killed. It says of every decision that it was acknowledged.
#[test]
fn child_that_is_killed() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let store = FeedbackStore::open(Path::new(&path)).unwrap();
    let mut out = std::io::stdout().lock();
    for number in 0.. {
        let text = format!("Decision {number} of child {}", std::process::id());
        let comment = Comment::new(text.as_str());
        store.remember(&comment, &judgement(false, 0.5), "blog", NOW).unwrap();
        let feedback = Feedback { subject: Subject::Comment(comment), ..about(0, number % 2 == 0) };
        store.record(&feedback).unwrap();
        writeln!(out, "acknowledged {} {text}.", feedback.spam).unwrap();
    }
}

/// `COPYDESK_KILLS` sets how often; 10 times where it is not set.
#[test]
fn no_acknowledged_decision_is_lost_when_the_process_is_killed() {
    let kills: u64 = std::env::var("COPYDESK_KILLS").map_or(10, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut random = SplitMix64::new(22);
    let mut acknowledged = Vec::new();
    for _ in 0..kills {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "feedback::tests::child_that_is_killed", "--nocapture", "--test-threads=1"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reader = std::thread::spawn(move || {
            lines
                .map_while(Result::ok)
                .filter_map(|line| line.split_once("acknowledged ").map(|(_, decision)| decision.to_owned()))
                .collect::<Vec<_>>()
        });
        // It takes some milliseconds to start; some are killed before their first word, most amid a write.
        std::thread::sleep(Duration::from_micros(random.next_u64() % 150_000));
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(reader.join().unwrap());
    }
    let store = FeedbackStore::open(&path).unwrap();
    for decision in &acknowledged {
        // The last line can be cut off: it lacks its full stop.
        let Some((spam, text)) = decision.strip_suffix('.').and_then(|line| line.split_once(' ')) else { continue };
        let found = store.evidence(&Comment::new(text)).unwrap();
        let expected =
            if spam == "true" { "you marked the same text as spam" } else { "you marked the same text as not spam" };
        assert_eq!(found.map(|found| found.reason).as_deref(), Some(expected), "{decision}");
    }
    assert!(acknowledged.len() > kills as usize, "only {} acknowledged", acknowledged.len());
    println!("{} decisions acknowledged before {kills} kills, none lost", acknowledged.len());
}
