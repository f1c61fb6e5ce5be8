//! What tuning a filter found, as a table for a terminal.

use super::printable::printable;
use crate::eval::Proportion;
use std::fmt;

/// Figures of thresholds on labelled comments.
#[derive(Clone, Debug)]
pub struct TuneTable {
    /// Labelled comments that are genuine.
    pub genuine: usize,
    /// Labelled comments that are spam.
    pub spam: usize,
    /// A line for each threshold.
    pub lines: Vec<TuneLine>,
    /// Genuine comments called spam at the last threshold, by reason.
    pub lost: Vec<TuneError>,
    /// Spam called genuine at the last threshold, by reason.
    pub passed: Vec<TuneError>,
}

/// A threshold and what comes of it.
#[derive(Clone, Debug)]
pub struct TuneLine {
    /// What it is called.
    pub name: String,
    /// Spam from here on.
    pub threshold: f32,
    /// Genuine comments called spam.
    pub lost: Proportion,
    /// Spam called spam.
    pub caught: Proportion,
}

/// Comments that were judged wrongly for one reason.
#[derive(Clone, Debug)]
pub struct TuneError {
    /// What was said of them.
    pub reason: String,
    /// How many there are.
    pub rows: u64,
    /// Names of a few.
    pub examples: Vec<String>,
}

impl TuneLine {
    /// Counts scores of genuine comments and of spam from a threshold on.
    pub fn count(name: String, threshold: f32, genuine: &[f32], spam: &[f32]) -> TuneLine {
        let share = |scores: &[f32]| {
            let above = scores.iter().filter(|&&score| score >= threshold).count();
            Proportion::new(above as u64, scores.len() as u64)
        };
        TuneLine { name, threshold, lost: share(genuine), caught: share(spam) }
    }
}

impl fmt::Display for TuneTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Labelled comments: {} genuine, {} spam\n", self.genuine, self.spam)?;
        writeln!(f, "{:<20}{:>10}  {:<24}{:<24}", "threshold", "spam from", "genuine lost", "spam caught")?;
        for line in &self.lines {
            let (lost, caught) = (share(line.lost), share(line.caught));
            let text = format!("{:<20}{:>10.6}  {lost:<24}{caught:<24}", line.name, line.threshold);
            writeln!(f, "{}", text.trim_end())?;
        }
        errors(f, "Genuine comments lost at the chosen threshold, by reason", &self.lost)?;
        errors(f, "Spam that passes at the chosen threshold, by reason", &self.passed)
    }
}

/// A share with its 95% interval.
fn share(proportion: Proportion) -> String {
    match (proportion.value, proportion.low, proportion.high) {
        (Some(value), Some(low), Some(high)) => {
            let [value, low, high] = [value, low, high].map(|share| share * 100.0);
            format!("{}: {value:.2}% [{low:.2}, {high:.2}]", proportion.rows)
        }
        _ => "none to count".to_owned(),
    }
}

fn errors(f: &mut fmt::Formatter<'_>, title: &str, errors: &[TuneError]) -> fmt::Result {
    if errors.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{title}")?;
    errors.iter().try_for_each(|error| {
        let examples = printable(&error.examples.join(", "));
        writeln!(f, "{:>6}  {}: {examples}", error.rows, printable(&error.reason))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_stand_below_each_other_and_errors_have_examples() {
        let line = |name: &str, threshold| TuneLine::count(name.to_owned(), threshold, &[0.1, 0.9], &[0.8, 0.95, 0.2]);
        let lost = vec![TuneError { reason: "a\u{1b}link".to_owned(), rows: 1, examples: vec!["c-7".to_owned()] }];
        let lines = vec![line("as shipped", 0.856), line("0.1% lost at most", 1.0)];
        let table = TuneTable { genuine: 2, spam: 3, lines, lost, passed: Vec::new() }.to_string();
        assert!(table.starts_with("Labelled comments: 2 genuine, 3 spam\n"), "{table}");
        assert!(table.contains("as shipped            0.856000  1: 50.00% ["), "{table}");
        assert!(table.contains("1: 33.33% [") && table.contains("0: 0.00% [0.00, "), "{table}");
        assert!(table.contains(": c-7\n") && !table.contains('\u{1b}') && !table.contains("passes"), "{table}");
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    }
}
