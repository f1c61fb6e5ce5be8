//! `copydesk filter --tune`: which threshold loses how many genuine comments, measured on labelled ones.

use super::judge::{Cuts, Judge};
use super::plan::{TunePlan, review_from_below};
use super::profile::Profile;
use crate::cli::error::CliError;
use crate::cli::job::{self, Each, Summary, Tally};
use crate::cli::output::{Output, Target};
use crate::cli::tell;
use crate::corpus::{InputError, Record, Unit};
use crate::eval::{LOSS_BUDGETS, SpamPoint, check_enough, spam_operating_points};
use crate::label::{COMMENT_SPAM, LabelId};
use crate::model::ModelSession;
use crate::page::PageKey;
use crate::pipeline::{Event, Fact, Labelled, Part, Rejected, Worked};
use crate::report::{TuneError, TuneLine, TuneTable};
use std::collections::BTreeMap;

/// Reasons that are told of each kind of error, and examples of each.
const REASONS: usize = 5;
const EXAMPLES: usize = 3;

/// A labelled comment with what was said of it.
struct Tuned {
    is_spam: bool,
    score: f32,
    reason: String,
    /// Its name, and that of its page where it is known.
    doc: String,
    page: Option<String>,
}

/// Carries out the command.
pub(super) fn run(plan: TunePlan) -> Result<Tally, CliError> {
    let TunePlan { reading, judging, data, shipped, threshold, lose, profile } = plan;
    let quiet = reading.quiet;
    let judged = judging.judged.clone();
    let (model, judge) = judging.ready(shipped.spam)?;
    let labels = model.labels().clone();
    let spam_name = labels.name(judge.spam).to_owned();
    let labeller = reading.labeller();
    let work = move |session: &mut ModelSession<'_>, chunk, worked: &mut Worked<Vec<Tuned>>| {
        labeller.label(session, chunk, &mut |event| take(event, &judge, &spam_name, worked));
    };
    let mut rows = Vec::new();
    let mut each = Each(|tuned: Vec<Tuned>| {
        rows.extend(tuned);
        Ok(())
    });
    let done = job::run(reading, &model, true, work, &mut each)?;
    if rows.is_empty() && done.tally.failed > 0 {
        return Ok(done.tally);
    }
    let scores =
        |is_spam: bool| -> Vec<f32> { rows.iter().filter(|row| row.is_spam == is_spam).map(|row| row.score).collect() };
    let (genuine, spam) = (scores(false), scores(true));
    if genuine.is_empty() {
        return Err(CliError::NothingGenuine { data });
    }
    let failed = |error| CliError::Evaluation { data: data.clone(), error };
    let points = spam_operating_points(&genuine, &spam, &LOSS_BUDGETS).map_err(failed)?;
    let asked = spam_operating_points(&genuine, &spam, &[lose]).map_err(failed)?;
    let at = |lose: f64, point: Option<&SpamPoint>| {
        let measured = point.map_or(shipped.spam, |point| point.threshold);
        // So few say little of how rare the highest scores are.
        if is_promised(genuine.len(), lose) { measured } else { measured.max(shipped.spam) }
    };
    let chosen = threshold.unwrap_or_else(|| at(lose, asked.first()));
    let review = points.last().map(|point| at(point.budget, Some(point)));
    let cuts = Cuts { spam: chosen, review: Some(review_from_below(chosen, review)) };
    let line = |name: String, threshold| TuneLine::count(name, threshold, &genuine, &spam);
    let mut lines: Vec<TuneLine> =
        points.iter().map(|point| line(format!("{}% lost at most", point.budget * 100.0), point.threshold)).collect();
    lines.push(line("as shipped".to_owned(), shipped.spam));
    lines.push(line("chosen".to_owned(), chosen));
    let table = TuneTable {
        genuine: genuine.len(),
        spam: spam.len(),
        lines,
        lost: errors(rows.iter().filter(|row| !row.is_spam && row.score >= chosen)),
        passed: errors(rows.iter().filter(|row| row.is_spam && row.score < chosen)),
    };
    let mut output = Output::open(&Target::StandardOutput)?;
    output.write(table.to_string().as_bytes())?;
    output.finish()?;
    warn_of_few(&rows, threshold.map_or(Some(lose), |_| None));
    if let Some(path) = &profile {
        let lose = threshold.is_none().then_some(lose);
        let rows = (genuine.len() as u64, spam.len() as u64);
        Profile::new(judged, lose, cuts, rows, points).write(path)?;
        if !quiet {
            let name = path.display();
            tell(format_args!("{name}: spam from a score of {chosen}; copydesk filter --profile {name} uses it"));
        }
    }
    if !quiet {
        done.summarise(&Summary { unit: Unit::Record, labels: None, extra: String::new() });
    }
    Ok(done.tally)
}

/// Whether at least one of so many comments may be lost.
fn is_promised(genuine: usize, lose: f64) -> bool {
    genuine as f64 * lose + 1e-9 >= 1.0
}

/// Says where the labelled comments are too few.
fn warn_of_few(rows: &[Tuned], lose: Option<f64>) {
    let gold: Vec<LabelId> = rows.iter().map(|row| LabelId::at(usize::from(row.is_spam))).collect();
    let pages: Vec<Option<PageKey<&str>>> = rows.iter().map(|row| PageKey::new(None, row.page.as_deref())).collect();
    if let Err(error) = check_enough(&gold, &pages) {
        tell(format_args!("warning: {error}; the figures say little"));
    }
    let genuine = rows.iter().filter(|row| !row.is_spam).count();
    if let Some(lose) = lose.filter(|lose| *lose > 0.0 && !is_promised(genuine, *lose)) {
        // With none of n lost, three in n are still likely (the rule of three).
        let needed = (3.0 / lose).ceil();
        tell(format_args!(
            "warning: {genuine} genuine comments are too few to promise that {}% are lost at most, which takes {needed}; \
             the threshold is no lower than the shipped one",
            lose * 100.0
        ));
    }
}

fn take(event: Event<'_>, judge: &Judge, spam_name: &str, worked: &mut Worked<Vec<Tuned>>) {
    match event {
        Event::Document(_) => {}
        Event::Rejected { rejected, .. } => worked.reject(rejected),
        Event::Labelled(labelled) => {
            let Labelled { part, .. } = &labelled;
            let Part::Record { record, doc, .. } = part else {
                unreachable!("sources are read as records; this is a bug")
            };
            match record.object.as_ref().map_or(Gold::Missing, |object| gold(object, spam_name)) {
                Gold::Missing => worked.reject(Rejected::record(record.line, InputError::NoSpamLabel)),
                Gold::Unknown => worked.tally.left_out += 1,
                known @ (Gold::Spam | Gold::Genuine) => {
                    let (score, reason) = judge.judge(&labelled);
                    let page = record.object.as_ref().and_then(|object| judge.fields.string(Fact::Permalink, object));
                    worked.tally.rows += 1;
                    worked.output.push(Tuned {
                        is_spam: known == Gold::Spam,
                        score,
                        reason,
                        doc: doc.clone(),
                        page: page.map(|page| page.into_owned()),
                    });
                }
            }
        }
    }
}

/// What somebody said of a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gold {
    Spam,
    Genuine,
    /// It waits for an answer, or the answer is no help.
    Unknown,
    /// There is no field for it.
    Missing,
}

/// The first field of those that say it counts.
fn gold(object: &Record<'_>, spam_name: &str) -> Gold {
    let value = |field: &str| {
        let value = object.value_at(field)?;
        Some(Record::string(value).map_or_else(|| value.to_owned(), |text| text.trim().to_lowercase()))
    };
    if let Some(value) = value("spam") {
        return match value.as_str() {
            "true" | "1" | "yes" | "spam" => Gold::Spam,
            "false" | "0" | "no" | "ham" => Gold::Genuine,
            _ => Gold::Unknown,
        };
    }
    for field in ["gold", "label"] {
        if let Some(value) = value(field) {
            return match value.as_str() {
                "null" | "" => Gold::Unknown,
                name if name == "spam" || name == COMMENT_SPAM || name == spam_name.to_lowercase() => Gold::Spam,
                _ => Gold::Genuine,
            };
        }
    }
    for field in ["status", "comment_approved"] {
        if let Some(value) = value(field) {
            return match value.as_str() {
                "spam" => Gold::Spam,
                "approved" | "approve" | "1" | "published" => Gold::Genuine,
                // Waiting, or thrown away for whatever reason.
                _ => Gold::Unknown,
            };
        }
    }
    Gold::Missing
}

/// Wrong answers by the reason that was given for them, the most frequent first.
fn errors<'a>(rows: impl Iterator<Item = &'a Tuned>) -> Vec<TuneError> {
    let mut by_reason: BTreeMap<&str, TuneError> = BTreeMap::new();
    for row in rows {
        let error = by_reason.entry(&row.reason).or_insert_with(|| TuneError {
            reason: row.reason.clone(),
            rows: 0,
            examples: Vec::new(),
        });
        error.rows += 1;
        if error.examples.len() < EXAMPLES {
            error.examples.push(row.doc.clone());
        }
    }
    let mut errors: Vec<TuneError> = by_reason.into_values().collect();
    errors.sort_by_key(|error| std::cmp::Reverse(error.rows));
    errors.truncate(REASONS);
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_many_kinds_say_spam_or_genuine() {
        let gold = |line: &str| gold(&Record::parse(line).unwrap(), "Ad");
        for line in [
            r#"{"spam": true, "label": "opinion"}"#,
            r#"{"spam": "1"}"#,
            r#"{"gold": "spam"}"#,
            r#"{"label": "comment_spam"}"#,
            r#"{"label": "ad"}"#,
            r#"{"status": "spam"}"#,
            r#"{"comment_approved": "spam"}"#,
        ] {
            assert_eq!(gold(line), Gold::Spam, "{line}");
        }
        for line in
            [r#"{"spam": false}"#, r#"{"gold": "ham"}"#, r#"{"label": "opinion"}"#, r#"{"comment_approved": "1"}"#]
        {
            assert_eq!(gold(line), Gold::Genuine, "{line}");
        }
        for line in
            [r#"{"spam": null}"#, r#"{"gold": null}"#, r#"{"status": "pending"}"#, r#"{"comment_approved": "0"}"#]
        {
            assert_eq!(gold(line), Gold::Unknown, "{line}");
        }
        assert_eq!(gold(r#"{"text": "x"}"#), Gold::Missing);
    }

    #[test]
    fn errors_are_told_by_their_reasons() {
        let row = |reason: &str, doc: &str| Tuned {
            is_spam: true,
            score: 0.1,
            reason: reason.to_owned(),
            doc: doc.to_owned(),
            page: None,
        };
        let rows = [row("b", "1"), row("a", "2"), row("a", "3"), row("a", "4"), row("a", "5")];
        let errors = errors(rows.iter());
        assert_eq!((errors[0].reason.as_str(), errors[0].rows), ("a", 4));
        assert_eq!((&errors[0].examples[..], errors.len()), (&["2", "3", "4"].map(str::to_owned)[..], 2));
    }

    #[test]
    fn a_share_takes_enough_comments() {
        assert!(is_promised(200, 0.005) && !is_promised(199, 0.005));
    }
}
