//! Held-out labelled rows, for commands that fit settings on them.

use super::error::CliError;
use super::job::Tally;
use super::tell;
use super::train::read_rows;
use crate::eval::{EvalOptions, JudgedRow, LOSS_BUDGETS, assign_folds, check_enough, evaluate, spam_operating_points};
use crate::label::{LabelId, LabelSet, OPINION, Scores};
use crate::model::{Classifier, Development, Model, ModelError, ModelSession, OperatingPoint, PageText, Reading};
use crate::page::{PageKey, Region};
use crate::train::{LabelledRow, TrainError, pages, read_labelled};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Folds of cross-fitted figures.
pub(super) const FOLDS: usize = 5;

/// Seed of the folds.
pub(super) const SEED: u64 = 1;

/// What a model says of the paragraphs of pages.
fn scores(session: &mut ModelSession<'_>, pages: &[&[PageText<'_>]]) -> Result<Vec<Scores>, ModelError> {
    Ok(session.classify_pages(pages)?.into_iter().map(|prediction| prediction.scores).collect())
}

/// Rows that no model was trained on.
pub(super) struct HeldOut {
    rows: Vec<LabelledRow>,
    /// The annotators' labels.
    gold: Vec<LabelId>,
    /// Neighbouring rows with the same source and doc.
    runs: Vec<Range<usize>>,
}

impl HeldOut {
    /// As [`HeldOut::any`]. Refuses rows that are too few to fit settings on, before any model reads them.
    pub fn read(path: &Path, labels: &LabelSet, tally: &mut Tally) -> Result<HeldOut, CliError> {
        let held_out = HeldOut::any(&[path.to_owned()], labels, tally)?;
        check_enough(&held_out.gold, &held_out.pages())
            .map_err(|error| CliError::Evaluation { data: path.to_owned(), error })?;
        let absent = labels.ids().filter(|label| !held_out.gold.contains(label));
        let absent: Vec<String> = absent.map(|label| labels.label(label).to_string()).collect();
        if !absent.is_empty() {
            tell(format_args!("{}: no row has the label {}", path.display(), absent.join(" or ")));
        }
        Ok(held_out)
    }

    /// Reads files of any number of rows and counts them; those with other labels are set aside.
    pub fn any(paths: &[PathBuf], labels: &LabelSet, tally: &mut Tally) -> Result<HeldOut, CliError> {
        let rows = read_rows(paths, |path| read_labelled(path, Some(labels)), tally)?;
        tally.rows += rows.len() as u64;
        Ok(HeldOut::new(rows, labels))
    }

    /// These rows, and behind them those of further files.
    pub fn and(&self, further: &[PathBuf], labels: &LabelSet, tally: &mut Tally) -> Result<HeldOut, CliError> {
        let further = HeldOut::any(further, labels, tally)?;
        Ok(HeldOut::new([self.rows.as_slice(), &further.rows].concat(), labels))
    }

    fn new(rows: Vec<LabelledRow>, labels: &LabelSet) -> HeldOut {
        let (gold, runs) = (gold(&rows, labels), pages(&rows));
        HeldOut { rows, gold, runs }
    }

    /// The annotators' labels.
    pub fn gold(&self) -> &[LabelId] {
        &self.gold
    }

    /// The page of each row.
    pub fn pages(&self) -> Vec<Option<PageKey<&str>>> {
        self.rows.iter().map(LabelledRow::page).collect()
    }

    /// Every row read alone.
    pub fn alone(&self, model: &Classifier) -> Result<Vec<Reading>, ModelError> {
        self.readings(model, (0..self.rows.len()).map(|row| row..row + 1))
    }

    /// Every row read beside the others of its page.
    pub fn on_page(&self, model: &Classifier) -> Result<Vec<Reading>, ModelError> {
        self.readings(model, self.runs.iter().cloned())
    }

    /// Every row read alone as what `copydesk filter` takes it for: a comment.
    pub fn as_comments(&self, model: &Classifier) -> Result<Vec<Reading>, ModelError> {
        let texts = self.comments();
        model.session().read_pages(&texts.chunks(1).collect::<Vec<_>>())
    }

    /// As [`HeldOut::as_comments`], what any model, a cascade too, says.
    pub fn comment_answers(&self, model: &Model) -> Result<Vec<Scores>, ModelError> {
        let texts = self.comments();
        scores(&mut model.session(), &texts.chunks(1).collect::<Vec<_>>())
    }

    fn comments(&self) -> Vec<PageText<'_>> {
        self.rows.iter().map(|row| PageText::new(&row.text).in_region(Region::Comment)).collect()
    }

    /// What any model, a cascade too, says of every row read alone and of every row on its page.
    pub fn answers(&self, model: &Model) -> Result<[Vec<Scores>; 2], ModelError> {
        let texts: Vec<PageText<'_>> = self.rows.iter().map(|row| PageText::new(&row.text)).collect();
        let pages: Vec<&[PageText<'_>]> = self.runs.iter().map(|page| &texts[page.clone()]).collect();
        let alone: Vec<&[PageText<'_>]> = texts.chunks(1).collect();
        let mut session = model.session();
        Ok([scores(&mut session, &alone)?, scores(&mut session, &pages)?])
    }

    fn readings(
        &self,
        model: &Classifier,
        pages: impl Iterator<Item = Range<usize>>,
    ) -> Result<Vec<Reading>, ModelError> {
        let texts: Vec<PageText<'_>> = self.rows.iter().map(|row| PageText::new(&row.text)).collect();
        let pages: Vec<&[PageText<'_>]> = pages.map(|page| &texts[page]).collect();
        model.session().read_pages(&pages)
    }

    /// The figures that are stored with a model, from its answers to the rows read alone and on their pages.
    pub fn figures(&self, alone: &[Scores], on_page: &[Scores]) -> Result<Development, CliError> {
        let macro_f1 = |scores: &[Scores]| {
            let rows: Vec<JudgedRow> = self
                .rows
                .iter()
                .zip(&self.gold)
                .zip(scores)
                .map(|((row, &gold), scores)| JudgedRow {
                    gold,
                    scores: scores.clone(),
                    confidence: None,
                    source: row.source.clone(),
                    doc: row.doc.clone(),
                })
                .collect();
            evaluate(&rows, &EvalOptions::default()).map(|evaluation| evaluation.all.macro_f1).map_err(TrainError::from)
        };
        Ok(Development {
            rows: self.rows.len() as u64,
            macro_f1: macro_f1(alone)?,
            macro_f1_on_page: macro_f1(on_page)?,
            asked: None,
        })
    }
}

/// The labels of rows that were read with a set of labels.
pub(super) fn gold(rows: &[LabelledRow], labels: &LabelSet) -> Vec<LabelId> {
    let id = |row: &LabelledRow| row.label.as_ref().and_then(|label| labels.id(label.as_str()));
    let gold = rows.iter().map(|row| id(row).expect("rows with other labels are set aside; this is a bug"));
    gold.collect()
}

/// What a threshold of the spam score is to be found for.
pub(super) struct SpamRows<'a> {
    pub labels: &'a LabelSet,
    pub spam_label: LabelId,
    /// The model's answers to the rows, each read alone.
    pub scores: &'a [Scores],
    pub held_out: &'a HeldOut,
    /// Share of genuine comments that the default threshold may lose.
    pub lose: f64,
}

/// Thresholds of the spam score.
pub(super) struct SpamThresholds {
    /// The default one.
    pub default: f32,
    /// For the shares that the rows, or the model, have one for, the smallest share first.
    pub points: Vec<OperatingPoint>,
}

/// Fewest rows of spam beside which a threshold is found.
const LEAST_SPAM: usize = 10;

impl SpamRows<'_> {
    /// Finds the thresholds for the usual shares of genuine comments lost and for `lose`, and tells what they cost and on how
    /// many rows they rest. Genuine are the rows labelled opinion, or all that are no spam where no label has that name.
    ///
    /// A share P needs 1 / P genuine rows: with fewer not one may be lost, and the threshold would hang on the single
    /// highest score. For such a share `stored` stays.
    pub fn thresholds(&self, stored: SpamThresholds) -> Result<SpamThresholds, CliError> {
        let opinion = self.labels.id(OPINION).filter(|&opinion| opinion != self.spam_label);
        let is_genuine = |label: LabelId| opinion.map_or(label != self.spam_label, |opinion| label == opinion);
        let gold = &self.held_out.gold;
        let score = |row: usize| self.scores[row].get(self.spam_label);
        let genuine: Vec<usize> = (0..gold.len()).filter(|&row| is_genuine(gold[row])).collect();
        let spam: Vec<usize> = (0..gold.len()).filter(|&row| gold[row] == self.spam_label).collect();
        let SpamThresholds { mut default, mut points } = stored;
        let mut budgets = LOSS_BUDGETS.to_vec();
        if !budgets.contains(&self.lose) {
            budgets.push(self.lose);
        }
        let folds = assign_folds(&self.held_out.pages(), FOLDS, SEED).map_err(TrainError::from)?;
        let part = |rows: &[usize], inside: Option<usize>, outside: Option<usize>| -> Vec<f32> {
            let wanted = |row: &&usize| {
                inside.is_none_or(|fold| folds[**row] == fold) && outside.is_none_or(|fold| folds[**row] != fold)
            };
            rows.iter().filter(wanted).map(|&row| score(row)).collect()
        };
        for lose in budgets {
            let needed = (1.0 / lose - 1e-9).ceil() as usize;
            if genuine.len() < needed || spam.len() < LEAST_SPAM {
                tell(format_args!(
                    "no new spam threshold for the share {lose}: it needs {needed} genuine comments and {LEAST_SPAM} of spam, \
                     the rows have {} and {}; the stored threshold stays",
                    genuine.len(),
                    spam.len()
                ));
                continue;
            }
            let points_of =
                |genuine: &[f32], spam: &[f32]| spam_operating_points(genuine, spam, &[lose]).map_err(TrainError::from);
            let Some(&point) = points_of(&part(&genuine, None, None), &part(&spam, None, None))?.first() else {
                continue;
            };
            // What the rule costs elsewhere: each fold under the threshold of the others.
            let mut lost = 0;
            for fold in 0..FOLDS {
                if let Some(others) = points_of(&part(&genuine, None, Some(fold)), &[])?.first() {
                    lost += part(&genuine, Some(fold), None).iter().filter(|&&score| score >= others.threshold).count();
                }
            }
            tell(format_args!(
                "spam threshold {:.6} for the share {lose}: loses {} of {} genuine comments ({lost} if cross-fitted), catches \
                 {} of {}",
                point.threshold, point.lost.rows, point.lost.of, point.caught.rows, point.caught.of
            ));
            // A threshold above 1 would call nothing spam: no threshold keeps the share then.
            if point.threshold > 1.0 {
                tell(format_args!("no threshold keeps the share {lose}; the stored one stays"));
                continue;
            }
            points.retain(|stored| stored.lose != lose);
            points.push(OperatingPoint { lose, threshold: point.threshold });
            if lose == self.lose {
                default = point.threshold;
            }
        }
        points.sort_by(|left, right| left.lose.total_cmp(&right.lose));
        Ok(SpamThresholds { default, points })
    }
}

/// A threshold under a new temperature: the one that calls the same texts spam, exactly so where two labels share the
/// probability.
pub(super) fn at_temperature(threshold: f32, before: f32, after: f32) -> f32 {
    if !(threshold > 0.0 && threshold < 1.0) || before == after {
        return threshold;
    }
    let logit = (f64::from(threshold) / (1.0 - f64::from(threshold))).ln() * f64::from(before) / f64::from(after);
    (1.0 / (1.0 + (-logit).exp())) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of opinion and then of spam, each alone, with the probability of spam that a model gives them.
    fn thresholds(opinions: usize, spam: usize, lose: f64) -> SpamThresholds {
        let labels = LabelSet::new(["opinion", "spam"]).unwrap();
        let row = |index: usize| LabelledRow::new("t", if index < opinions { "opinion" } else { "spam" });
        let rows: Vec<LabelledRow> = (0..opinions + spam).map(row).collect();
        let probability = |index: usize| match index < opinions {
            true => 0.5 * index as f32 / opinions as f32,
            false => 0.9,
        };
        let scores: Vec<Scores> =
            (0..rows.len()).map(|index| Scores::new(&labels, [1.0 - probability(index), probability(index)])).collect();
        let held_out = HeldOut::new(rows, &labels);
        let spam_label = labels.id("spam").unwrap();
        let stored = SpamThresholds { default: 0.7, points: vec![OperatingPoint { lose: 0.001, threshold: 0.8 }] };
        SpamRows { labels: &labels, spam_label, scores: &scores, held_out: &held_out, lose }.thresholds(stored).unwrap()
    }

    #[test]
    fn a_share_needs_enough_genuine_comments_and_some_spam() {
        let shares = |found: &SpamThresholds| found.points.iter().map(|point| point.lose).collect::<Vec<_>>();
        let few = thresholds(40, 20, 0.005);
        assert_eq!((few.default, few.points[0].threshold, shares(&few)), (0.7, 0.8, vec![0.001]));
        let some = thresholds(200, 20, 0.005);
        assert_eq!(shares(&some), [0.001, 0.005, 0.01]);
        assert!((some.default - 0.495).abs() < 0.001 && some.points[0].threshold == 0.8, "{}", some.default);
        assert_eq!(thresholds(200, 9, 0.005).default, 0.7);
        let many = thresholds(1000, 10, 0.02);
        assert_eq!(shares(&many), [0.001, 0.005, 0.01, 0.02]);
        assert!(many.points[0].threshold < 0.5);
    }

    #[test]
    fn a_kept_threshold_follows_the_temperature() {
        assert_eq!(at_temperature(0.9, 1.0, 1.0), 0.9);
        // A logit of ln 9 at temperature 1 is ln 3 at temperature 2.
        assert!((at_temperature(0.9, 1.0, 2.0) - 0.75).abs() < 1e-6);
        assert_eq!((at_temperature(0.0, 1.0, 2.0), at_temperature(1.0, 1.0, 2.0)), (0.0, 1.0));
    }
}
