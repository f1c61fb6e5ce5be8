//! A store in a folder that goes away, and texts for tests.

use super::{Feedback, FeedbackStore, Subject};
use crate::comment::{Comment, Evidence, Judgement};
use tempfile::TempDir;

pub(super) const LONG: &str = "We repainted the old boathouse last summer, and three of the neighbours came along with ladders and \
                               brushes, so it was done within a week and cost next to nothing";

/// The same in other words here and there.
pub(super) const LONG_CHANGED: &str = "We repainted the old boathouse last autumn, and three of the neighbours came along with \
                                       ladders and brushes, so it was done within a week and cost next to nothing at all";

pub(super) struct Fixture {
    pub store: FeedbackStore,
    _folder: TempDir,
}

impl Fixture {
    pub fn new() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let store = FeedbackStore::open(&folder.path().join("store.db")).unwrap();
        Fixture { store, _folder: folder }
    }

    pub fn decide(&self, comment: &Comment, spam: bool) {
        self.decide_as("owner", comment, spam);
    }

    pub fn decide_as(&self, source: &str, comment: &Comment, spam: bool) {
        let subject = Subject::Comment(comment.clone());
        self.store.record(&Feedback { subject, spam, source: source.to_owned(), time: 1_700_000_000 }).unwrap();
    }

    pub fn evidence(&self, comment: &Comment) -> Option<Evidence> {
        self.store.evidence(comment).unwrap()
    }
}

/// A comment with its fields; empty ones are missing.
pub(super) fn comment(text: &str, author: &str, domain: &str, url: &str) -> Comment {
    let field = |value: &str| (!value.is_empty()).then(|| value.to_owned());
    Comment { author: field(author), email_domain: field(domain), author_url: field(url), ..Comment::new(text) }
}

pub(super) fn judgement(spam: bool, score: f32) -> Judgement {
    Judgement { spam, score, reason: "what it says".to_owned(), text_score: score, lang: Some("en") }
}
