//! Comments on their way to the outputs.

use super::judge::{Cuts, Judge, Side};
use crate::cli::run::Routed;
use crate::corpus::{InputError, Record};
use crate::output::CountedRow;
use crate::pipeline::{Event, Labelled, Part, Rejected, Worked};
use crate::report::{FilteredRow, FilteredTable, NoColumn, Verdict, VerdictOptions, push_filtered};

/// What the manifest counts spam under.
pub(super) const SPAM_REASON: &str = "spam";

/// What the manifest counts comments under that are to be looked at.
const REVIEW_REASON: &str = "review";

/// How an output's rows look.
pub(super) enum Look {
    /// Objects as JSON, lines as they are.
    AsTheyCame,
    /// Everything as JSON.
    Json,
    /// Rows of a table.
    Table(FilteredTable),
}

/// Which output comments go to: their numbers, where there is one.
#[derive(Clone, Copy)]
pub(super) struct Route {
    pub ham: Option<usize>,
    pub review: Option<usize>,
    pub spam: Option<usize>,
}

/// Judges comments and writes each where it belongs.
pub(super) struct Separator {
    pub judge: Judge,
    pub cuts: Cuts,
    pub route: Route,
    pub looks: Vec<Look>,
    /// Whether rows have the text model's scores.
    pub with_scores: bool,
}

impl Separator {
    /// Takes what became of a record.
    pub fn take(&self, event: Event<'_>, worked: &mut Worked<Routed>) {
        match event {
            Event::Document(_) => {}
            Event::Rejected { rejected, object } => self.unjudged(rejected, object, worked),
            Event::Labelled(labelled) => self.judged(&labelled, worked),
        }
    }

    /// Whoever filters must not lose a comment that nothing was said against.
    fn unjudged(&self, rejected: Rejected, object: Option<&Record<'_>>, worked: &mut Worked<Routed>) {
        if let (Some(object), Some(output)) = (object, self.route.ham) {
            let reason = rejected.explanation();
            let row = FilteredRow {
                object: Some(object),
                text: "",
                spam: false,
                score: None,
                reason: &reason,
                lang: None,
                verdict: None,
            };
            // What is no row of the table stands among the errors.
            if self.push(output, &row, None, worked).is_ok() {
                worked.tally.unjudged += 1;
            }
        }
        worked.reject(rejected);
    }

    fn judged(&self, labelled: &Labelled<'_>, worked: &mut Worked<Routed>) {
        let Part::Record { record, .. } = labelled.part else {
            unreachable!("sources are read as records; this is a bug")
        };
        let (score, reason) = self.judge.judge(labelled);
        let side = self.cuts.side(score);
        // Spam in another language is spam on an English page too: the score is taken as it is, and `lang` tells the rest.
        let options = VerdictOptions { any_language: true, ..VerdictOptions::default() };
        let verdict = Verdict::new(&labelled.prediction, labelled.language, options);
        let output = match side {
            Side::Ham => self.route.ham,
            Side::Review => self.route.review,
            Side::Spam => self.route.spam,
        };
        if let Some(output) = output {
            let row = FilteredRow {
                object: record.object.as_ref(),
                text: labelled.text,
                spam: side == Side::Spam,
                score: Some(score),
                reason: &reason,
                lang: verdict.lang,
                verdict: self.with_scores.then_some(&verdict),
            };
            if let Err(NoColumn { field }) = self.push(output, &row, Some(&record.line.text), worked) {
                worked.reject(Rejected::record(record.line, InputError::NoColumn { field }));
                return;
            }
        }
        worked.tally.count(verdict.label_id());
        worked.tally.spam += u64::from(side == Side::Spam);
        worked.tally.review += u64::from(side == Side::Review);
        worked.output.counts.count(CountedRow {
            source: labelled.part.source(),
            label: verdict.label.as_ref().map(|label| label.as_str()),
            confidence: verdict.confidence,
            lang: verdict.lang,
            reason: match side {
                Side::Ham => None,
                Side::Review => Some(REVIEW_REASON),
                Side::Spam => Some(SPAM_REASON),
            },
            tokens: verdict.tokens,
            windows: verdict.windows,
        });
    }

    /// Writes a row; `line` is a record that is no object, as it came.
    fn push(
        &self,
        output: usize,
        row: &FilteredRow<'_>,
        line: Option<&str>,
        worked: &mut Worked<Routed>,
    ) -> Result<(), NoColumn> {
        let mut written = Ok(());
        worked.output.to(output).push(|out| match (&self.looks[output], row.object, line) {
            (Look::Table(table), ..) => written = table.push_row(out, row),
            (Look::AsTheyCame, None, Some(line)) => {
                out.extend_from_slice(line.as_bytes());
                out.push(b'\n');
            }
            (Look::AsTheyCame | Look::Json, ..) => push_filtered(out, row),
        });
        written
    }
}
