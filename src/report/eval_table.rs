//! An evaluation as plain-text tables for a terminal, at most 80 columns wide.

use super::printable::{fitting, sentence};
use crate::eval::{
    Calibration, ClassMetrics, CoveragePoint, DeletionFigures, Estimate, Evaluation, FieldAccuracy, GenuineRows,
    Metrics, NoiseFigures, Proportion, Resampling, SourceMetrics, SpamOperatingPoints,
};
use crate::label::{Label, LabelId, LabelSet};
use console::measure_text_width;
use std::fmt;

/// Columns given to the name of a source; longer names are cut and end in `…`.
const SOURCE_COLUMNS: usize = 17;

/// Columns given to a value of a field, which is cut before the last two.
const VALUE_COLUMNS: usize = 32;

/// Columns given to the name of a label, which is cut before the last two.
const LABEL_COLUMNS: usize = 14;

/// Columns of a predicted label in the confusion matrix.
const ACROSS_COLUMNS: usize = 13;

/// The most labels whose confusion matrix fits the width.
const MOST_ACROSS: usize = 5;

/// Pairs of labels that are shown where the matrix does not fit.
const MOST_PAIRS: usize = 20;

/// Columns of a figure with its interval: `0.862 [0.845–0.878]`.
const ESTIMATE_COLUMNS: usize = 19;

/// Shows an [`Evaluation`] as tables: headline, labels, confusion matrix, sources, calibration, coverage, spam filter.
///
/// Figures come with their 95% interval in brackets; `-` stands for a figure that is undefined.
#[derive(Clone, Copy, Debug)]
pub struct EvalTable<'a>(pub &'a Evaluation);

impl fmt::Display for EvalTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let evaluation = self.0;
        headline(f, evaluation)?;
        classes(f, "By label, all rows", &evaluation.all.classes)?;
        if let Some(sure) = &evaluation.sure {
            classes(f, "By label, rows whose annotator was sure", &sure.classes)?;
        }
        confusion(f, &evaluation.labels, &evaluation.all)?;
        sources(f, &evaluation.sources, units_name(evaluation))?;
        calibration(f, &evaluation.all.calibration)?;
        coverage(f, &evaluation.coverage)?;
        evaluation.spam.iter().try_for_each(|points| spam(f, points))
    }
}

/// Shows what noisy copies of a data set cost; nothing where there are none.
#[derive(Clone, Copy, Debug)]
pub struct NoiseTable<'a> {
    /// The figures of each kind of noise.
    pub figures: &'a [NoiseFigures],
    /// The label for spam, if there is one.
    pub spam_label: Option<&'a Label>,
}

impl fmt::Display for NoiseTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.figures.is_empty() {
            return Ok(());
        }
        let of_spam = match self.spam_label {
            Some(label) => format!("F1 of {}, ", fitting(label.as_str(), LABEL_COLUMNS)),
            None => String::new(),
        };
        let title = format!("Noisy copies: macro-F1, what is lost of it, {of_spam}rows whose label changes");
        writeln!(f, "\n{}", sentence(&title))?;
        writeln!(f, "{:<20}{:>10}{:>10}{:>10}{:>10}", "noise", "macro-F1", "drop", "spam F1", "changed")?;
        self.figures.iter().try_for_each(|figures| {
            let NoiseFigures { noise, macro_f1, drop, comment_spam_f1, changed_rows } = figures;
            let spam_f1 = comment_spam_f1.map_or_else(undefined, |f1| format!("{f1:.3}"));
            writeln!(f, "{noise:<20}{macro_f1:>10.3}{drop:>10.3}{spam_f1:>10}{changed_rows:>10}")
        })
    }
}

/// Shows the deletion test; nothing where there was none.
#[derive(Clone, Copy, Debug)]
pub struct DeletionTable<'a>(pub &'a [DeletionFigures]);

impl fmt::Display for DeletionTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const WIDTH: usize = ESTIMATE_COLUMNS + 3;
        let Some(first) = self.0.first() else { return Ok(()) };
        let title = format!(
            "Three words deleted, {} rows with more than three: how often the label changes, and how many times as often as \
             with random words",
            first.rows
        );
        writeln!(f, "\n{}", sentence(&title))?;
        writeln!(f, "{:<22}{:>WIDTH$}{:>WIDTH$}", "the three words", "label changes", "times random")?;
        self.0.iter().try_for_each(|DeletionFigures { words, changed, ratio, .. }| {
            let ratio = ratio.map_or_else(undefined, ratio_of);
            writeln!(f, "{words:<22}{:>WIDTH$}{ratio:>WIDTH$}", estimate(*changed))
        })
    }
}

/// A ratio with its interval, two decimals.
fn ratio_of(ratio: Estimate) -> String {
    match (ratio.low, ratio.high) {
        (Some(low), Some(high)) => format!("{:.2} [{low:.2}–{high:.2}]", ratio.value),
        _ => format!("{:.2}", ratio.value),
    }
}

/// Shows the accuracy for each value of a field.
#[derive(Clone, Copy, Debug)]
pub struct FieldTable<'a>(pub &'a FieldAccuracy);

impl fmt::Display for FieldTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const WIDTH: usize = ESTIMATE_COLUMNS + 3;
        let FieldAccuracy { field, groups } = self.0;
        let field = fitting(field, VALUE_COLUMNS);
        writeln!(f, "\n{}", sentence(&format!("By {field}")))?;
        writeln!(f, "{:<VALUE_COLUMNS$}{:>6}{:>10}{:>WIDTH$}", "value", "rows", "units", "accuracy")?;
        groups.iter().try_for_each(|group| {
            let absent = || format!("(no {field})");
            let value = in_column(&group.value.clone().unwrap_or_else(absent), VALUE_COLUMNS);
            writeln!(f, "{value}{:>6}{:>10}{:>WIDTH$}", group.rows, group.units, estimate(group.accuracy))
        })
    }
}

fn units_name(evaluation: &Evaluation) -> &'static str {
    match evaluation.bootstrap.resampling {
        Resampling::Documents => "documents",
        Resampling::Rows => "rows",
    }
}

fn headline(f: &mut fmt::Formatter<'_>, evaluation: &Evaluation) -> fmt::Result {
    let bootstrap = &evaluation.bootstrap;
    writeln!(
        f,
        "95% intervals in brackets: bootstrap over {}, {} resamples, seed {}\n",
        units_name(evaluation),
        bootstrap.resamples,
        bootstrap.seed
    )?;
    let sets = [Some(&evaluation.all), evaluation.sure.as_ref()];
    let line = |f: &mut fmt::Formatter<'_>, name: &str, cell: &dyn Fn(&Metrics) -> String| {
        write!(f, "{name:<32}")?;
        for metrics in sets.into_iter().flatten() {
            write!(f, "{:>width$}", cell(metrics), width = ESTIMATE_COLUMNS + 3)?;
        }
        writeln!(f)
    };
    write!(f, "{:<32}{:>width$}", "", "all rows", width = ESTIMATE_COLUMNS + 3)?;
    if evaluation.sure.is_some() {
        write!(f, "{:>width$}", "annotator sure", width = ESTIMATE_COLUMNS + 3)?;
    }
    writeln!(f)?;
    line(f, "rows", &|metrics| metrics.rows.to_string())?;
    if bootstrap.resampling == Resampling::Documents {
        line(f, "documents", &|metrics| metrics.units.to_string())?;
    }
    line(f, "accuracy", &|metrics| estimate(metrics.accuracy))?;
    line(f, "macro-F1", &|metrics| estimate(metrics.macro_f1))?;
    line(f, "labels in the macro-F1", &|metrics| metrics.macro_f1_labels.len().to_string())?;
    line(f, "expected calibration error", &|metrics| format!("{:.3}", metrics.calibration.expected_calibration_error))?;
    line(f, "Brier score (0 to 2)", &|metrics| estimate(metrics.brier_score))?;
    line(f, "negative log-likelihood", &|metrics| estimate(metrics.negative_log_likelihood))
}

fn classes(f: &mut fmt::Formatter<'_>, title: &str, classes: &[ClassMetrics]) -> fmt::Result {
    const WIDTH: usize = ESTIMATE_COLUMNS + 1;
    writeln!(f, "\n{title}")?;
    writeln!(f, "{:<14}{:>6}{:>WIDTH$}{:>WIDTH$}{:>WIDTH$}", "label", "rows", "precision", "recall", "F1")?;
    for class in classes {
        write!(f, "{}{:>6}", down(&class.label), class.support)?;
        for figure in [class.precision, class.recall, class.f1] {
            write!(f, "{:>WIDTH$}", figure.map_or_else(undefined, estimate))?;
        }
        writeln!(f)?;
    }
    Ok(())
}

/// A label's name, to the left of its column.
fn down(label: &Label) -> String {
    in_column(label.as_str(), LABEL_COLUMNS)
}

/// The name of a predicted label, to the right of its column.
fn across(label: &Label) -> String {
    let name = fitting(label.as_str(), ACROSS_COLUMNS - 1);
    " ".repeat(ACROSS_COLUMNS.saturating_sub(measure_text_width(&name))) + &name
}

/// A name filled with spaces to so many columns, or cut before the last two.
fn in_column(name: &str, columns: usize) -> String {
    let name = fitting(name, columns - 2);
    let space = " ".repeat(columns.saturating_sub(measure_text_width(&name)));
    name + &space
}

fn confusion(f: &mut fmt::Formatter<'_>, labels: &LabelSet, metrics: &Metrics) -> fmt::Result {
    if labels.len() > MOST_ACROSS {
        return confused_pairs(f, labels, metrics);
    }
    writeln!(f, "\nConfusion matrix, rows: gold label down, predicted label across")?;
    write!(f, "{:<14}", "")?;
    for predicted in labels {
        write!(f, "{}", across(predicted))?;
    }
    writeln!(f)?;
    for (gold, label) in labels.ids().zip(labels) {
        write!(f, "{}", down(label))?;
        for predicted in labels.ids() {
            write!(f, "{:>ACROSS_COLUMNS$}", metrics.confusion.get(gold, predicted))?;
        }
        writeln!(f)?;
    }
    Ok(())
}

/// The pairs of labels that are most often confused, in place of a matrix that is too wide.
fn confused_pairs(f: &mut fmt::Formatter<'_>, labels: &LabelSet, metrics: &Metrics) -> fmt::Result {
    let counts = metrics.confusion.as_array().indexed_iter();
    let mut pairs: Vec<(LabelId, LabelId, u64)> = counts
        .filter(|((gold, predicted), rows)| gold != predicted && **rows > 0)
        .map(|((gold, predicted), &rows)| (LabelId::at(gold), LabelId::at(predicted), rows))
        .collect();
    pairs.sort_by_key(|&(_, _, rows)| std::cmp::Reverse(rows));
    writeln!(f, "\nLabels most often confused")?;
    writeln!(f, "{:<LABEL_COLUMNS$}{:>ACROSS_COLUMNS$}{:>8}", "gold", "predicted", "rows")?;
    for &(gold, predicted, rows) in pairs.iter().take(MOST_PAIRS) {
        let (gold, predicted) = (down(&labels.label(gold)), across(&labels.label(predicted)));
        writeln!(f, "{gold}{predicted}{rows:>8}")?;
    }
    Ok(())
}

fn sources(f: &mut fmt::Formatter<'_>, sources: &[SourceMetrics], units_name: &str) -> fmt::Result {
    const WIDTH: usize = ESTIMATE_COLUMNS + 1;
    if let [SourceMetrics { source: None, .. }] = sources {
        return Ok(());
    }
    writeln!(f, "\nBy source (macro-F1 over the labels that the source has)")?;
    writeln!(
        f,
        "{:<SOURCE_COLUMNS$}{:>6}{:>10}{:>WIDTH$}{:>WIDTH$}{:>7}",
        "source", "rows", units_name, "accuracy", "macro-F1", "labels"
    )?;
    for source in sources {
        let name = source.source.as_deref().unwrap_or("(no source)");
        let name = in_column(name, SOURCE_COLUMNS);
        let labels = source.support.iter().filter(|&&rows| rows > 0).count();
        writeln!(
            f,
            "{name}{:>6}{:>10}{:>WIDTH$}{:>WIDTH$}{labels:>7}",
            source.rows,
            source.units,
            estimate(source.accuracy),
            estimate(source.macro_f1),
        )?;
    }
    Ok(())
}

fn calibration(f: &mut fmt::Formatter<'_>, calibration: &Calibration) -> fmt::Result {
    writeln!(f, "\nCalibration, all rows: bins of the highest probability that hold rows")?;
    writeln!(f, "{:<16}{:>8}{:>12}{:>12}{:>12}", "probability", "rows", "mean", "accuracy", "difference")?;
    for bin in &calibration.bins {
        if let (Some(mean), Some(accuracy)) = (bin.mean_confidence, bin.accuracy) {
            let range = format!("{:.3} to {:.3}", bin.lower, bin.upper);
            writeln!(f, "{range:<16}{:>8}{mean:>12.3}{accuracy:>12.3}{:>+12.3}", bin.rows, accuracy - mean)?;
        }
    }
    Ok(())
}

fn coverage(f: &mut fmt::Formatter<'_>, points: &[CoveragePoint]) -> fmt::Result {
    writeln!(f, "\nWithout a label for the least certain rows")?;
    writeln!(f, "{:<16}{:>8}{:>12}{:>12}{:>12}", "labelled", "rows", "probability", "accuracy", "macro-F1")?;
    for point in points {
        let share = format!("{:.1}%", point.coverage * 100.0);
        writeln!(
            f,
            "{share:<16}{:>8}{:>12.4}{:>12.3}{:>12.3}",
            point.rows, point.threshold, point.accuracy, point.macro_f1
        )?;
    }
    Ok(())
}

fn spam(f: &mut fmt::Formatter<'_>, spam: &SpamOperatingPoints) -> fmt::Result {
    let genuine = match spam.genuine_rows {
        GenuineRows::NotSpam => "every row that is no spam",
        GenuineRows::Opinion => "opinion rows",
    };
    let sources = match spam.sources.len() {
        0 => String::new(),
        1 => " of 1 source".to_owned(),
        count => format!(" of {count} sources"),
    };
    let (genuine_rows, spam_rows) = (spam.genuine, spam.spam);
    let title = format!("Spam filter; genuine: {genuine}{sources} ({genuine_rows}), spam: {spam_rows}");
    writeln!(f, "\n{}", sentence(&title))?;
    if spam.points.is_empty() {
        return writeln!(f, "no genuine rows, no operating points");
    }
    writeln!(f, "{:<11}{:>10}{:>30}{:>29}", "may be lost", "threshold", "genuine rows lost", "spam caught")?;
    for point in &spam.points {
        let budget = format!("{}%", round_percent(point.budget));
        writeln!(
            f,
            "{budget:<11}{:>10.6}{:>30}{:>29}",
            point.threshold,
            proportion(point.lost, 4),
            proportion(point.caught, 3)
        )?;
    }
    Ok(())
}

fn undefined() -> String {
    "-".to_owned()
}

fn estimate(estimate: Estimate) -> String {
    match (estimate.low, estimate.high) {
        (Some(low), Some(high)) => format!("{:.3} [{low:.3}–{high:.3}]", estimate.value),
        // As wide as a full interval, so that the figures stay below each other.
        _ => format!("{:.3} {:13}", estimate.value, ""),
    }
}

fn proportion(share: Proportion, digits: usize) -> String {
    match (share.value, share.low, share.high) {
        (Some(value), Some(low), Some(high)) => {
            format!("{}: {value:.digits$} [{low:.digits$}–{high:.digits$}]", share.rows)
        }
        _ => undefined(),
    }
}

/// A share as a percentage without the digits that binary fractions add: 0.001 is 0.1, not 0.10000000000000001.
fn round_percent(share: f64) -> f64 {
    (share * 100.0 * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::{BootstrapOptions, EvalOptions, JudgedRow, accuracy_by, evaluate};
    use crate::label::Scores;
    use crate::label::built_in::{COMMENT_SPAM, scores};

    fn rows(count: usize) -> Vec<JudgedRow> {
        (0..count)
            .map(|index| {
                let gold = LabelId::at(index % 5);
                let predicted = if index % 7 == 0 { (index + 1) % 5 } else { index % 5 };
                let mut values = [0.0625; 5];
                values[predicted] = 0.75;
                JudgedRow {
                    gold,
                    scores: scores(values),
                    confidence: Some(1 + (index % 3) as u8),
                    source: Some(
                        if index % 2 == 0 { "a site whose name does not end\nin time" } else { "blog" }.into(),
                    ),
                    doc: Some((index / 3).to_string()),
                }
            })
            .collect()
    }

    fn table(rows: &[JudgedRow], resamples: u32) -> String {
        let bootstrap = BootstrapOptions { resamples, ..Default::default() };
        let options = EvalOptions {
            bootstrap,
            spam_label: Some(COMMENT_SPAM),
            comment_sources: vec!["blog".into()],
            ..Default::default()
        };
        EvalTable(&evaluate(rows, &options).unwrap()).to_string()
    }

    #[test]
    fn every_part_is_there_and_fits_a_terminal() {
        let table = table(&rows(3000), 100);
        for part in [
            "bootstrap over documents, 100 resamples, seed 1",
            "annotator sure",
            "By label, rows whose annotator was sure",
            "Confusion matrix",
            "By source",
            "Calibration",
            "least certain rows",
            "genuine: every row that is no spam (2400), spam: 600",
            "genuine: opinion rows of 1 source (300), spam: 300",
        ] {
            assert!(table.contains(part), "{part} is missing in\n{table}");
        }
        for line in table.lines() {
            assert!(line.chars().count() <= 80, "{line}");
            assert!(!line.chars().any(char::is_control), "{line:?}");
        }
        assert!(table.contains("a site whose n…"), "{table}");
    }

    #[test]
    fn a_field_has_a_line_for_each_value() {
        let rows = rows(30);
        let values: Vec<Option<&str>> = (0..30).map(|index| (index < 20).then_some("a value of\tmany words")).collect();
        let by = accuracy_by("kind", &values, &rows, &BootstrapOptions::default());
        let table = FieldTable(&by).to_string();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[..2], ["", "By kind"]);
        assert_eq!(lines[2].split_whitespace().collect::<Vec<_>>(), ["value", "rows", "units", "accuracy"]);
        // Wrong are 0, 7 and 14 of the first twenty rows, and 21 and 28 of the others.
        assert!(lines[3].starts_with("a value of many words ") && lines[3].contains(" 20 "), "{table}");
        assert!(lines[3].contains(" 0.850 ["), "{table}");
        assert!(lines[4].starts_with("(no kind) ") && lines[4].contains(" 0.800 ["), "{table}");
        assert_eq!(lines.len(), 5);
        assert!(lines[2..].iter().all(|line| measure_text_width(line) == 70), "{table}");
    }

    #[test]
    fn columns_stand_below_each_other() {
        let table = table(&rows(300), 100);
        let block: Vec<&str> =
            table.lines().skip_while(|line| !line.starts_with("By source")).skip(1).take(3).collect();
        let widths: Vec<usize> = block.iter().map(|line| line.chars().count()).collect();
        assert_eq!(widths, [widths[0]; 3]);
        let confusion: Vec<&str> = table.lines().skip_while(|line| !line.starts_with("Confusion")).skip(2).collect();
        // Of 60 reporting rows 35, 70 … 280 and 0, nine in all, are taken for opinion.
        assert_eq!(confusion[0].split_whitespace().collect::<Vec<_>>(), ["reporting", "51", "9", "0", "0", "0"]);
    }

    #[test]
    fn what_is_undefined_is_a_dash() {
        let row = JudgedRow {
            gold: COMMENT_SPAM,
            scores: scores([0.0, 0.0, 1.0, 0.0, 0.0]),
            confidence: None,
            source: None,
            doc: None,
        };
        let table = table(&[row], 0);
        let quotation = table.lines().find(|line| line.starts_with("quotation")).unwrap();
        assert_eq!(quotation.split_whitespace().collect::<Vec<_>>(), ["quotation", "0", "-", "-", "-"]);
        assert!(table.contains("no genuine rows, no operating points"));
        assert!(!table.contains("By source") && !table.contains("annotator sure") && !table.contains("NaN"));
    }

    #[test]
    fn figures_and_shares_are_written_with_their_intervals() {
        let full = Estimate { value: 0.8617, low: Some(0.8451), high: Some(0.8779) };
        assert_eq!(estimate(full), "0.862 [0.845–0.878]");
        let alone = estimate(Estimate { low: None, high: None, ..full });
        assert_eq!((alone.trim_end(), alone.len()), ("0.862", ESTIMATE_COLUMNS));
        assert_eq!(proportion(Proportion::new(8, 10), 3), "8: 0.800 [0.490–0.943]");
        assert_eq!([0.001, 0.005, 0.07].map(|share| round_percent(share).to_string()), ["0.1", "0.5", "7"]);
    }

    #[test]
    fn many_labels_and_long_names_fit_the_width() {
        let labels = LabelSet::new((0..37).map(|number| format!("a label with a long name {number}"))).unwrap();
        let rows: Vec<JudgedRow> = (0..370)
            .map(|index| {
                let mut values = vec![0.01; 37];
                values[if index % 10 == 0 { 36 } else { index % 37 }] += 0.63;
                let (gold, scores) = (LabelId::at(index % 37), Scores::new(&labels, values));
                JudgedRow { gold, scores, confidence: None, source: None, doc: None }
            })
            .collect();
        let table = EvalTable(&evaluate(&rows, &EvalOptions::default()).unwrap()).to_string();
        assert!(table.contains("Labels most often confused") && !table.contains("Confusion matrix"), "{table}");
        assert!(!table.contains("Spam filter"), "{table}");
        assert!(table.lines().all(|line| measure_text_width(line) <= 80), "{table}");
        assert_eq!(table.lines().filter(|line| line.starts_with("a label wit…")).count(), 37 + MOST_PAIRS);
    }
}
