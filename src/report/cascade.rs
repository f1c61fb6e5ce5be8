//! The curve of a cascade as a table for a terminal, at most 80 columns wide.

use super::printable::sentence;
use crate::eval::{CascadeFigures, CascadeFit, CascadePoint};
use std::fmt;

/// Shows a [`CascadeFit`]: every second point of the curve, the one chosen, and the cross-fitted figures.
#[derive(Clone, Copy, Debug)]
pub struct CascadeTable<'a>(pub &'a CascadeFit);

impl fmt::Display for CascadeTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CascadeFit {
            large_macro_f1, wanted_macro_f1, chosen, curve, cross_fitted_alone, cross_fitted_on_page, ..
        } = self.0;
        let title = format!(
            "Large model's macro-F1: {:.4} alone, {:.4} on the page; wanted with the least work: {:.4}, {:.4}",
            large_macro_f1.alone, large_macro_f1.on_page, wanted_macro_f1.alone, wanted_macro_f1.on_page
        );
        writeln!(f, "{}\n", sentence(&title))?;
        writeln!(f, "{:>20}{:>30}{:>30}", "confidence", "read alone", "on its page")?;
        write!(f, "{:>20}", "at least")?;
        for _ in 0..2 {
            write!(f, "{:>7}{:>7}{:>9}{:>7}", "% rows", "tokens", "macro-F1", "ECE")?;
        }
        writeln!(f)?;
        for point in curve.iter().step_by(2) {
            row(f, "", Some(point), &point.alone, &point.on_page)?;
        }
        row(f, "chosen", Some(chosen), &chosen.alone, &chosen.on_page)?;
        row(f, "cross-fitted", None, cross_fitted_alone, cross_fitted_on_page)?;
        let [alone, on_page] = [chosen.choice.alone, chosen.choice.on_page];
        let note = format!(
            "Logits are {:.4} small + {:.4} large alone, {:.4} small + {:.4} large on a page.",
            alone[0], alone[1], on_page[0], on_page[1]
        );
        writeln!(f, "\n{}", sentence(&note))
    }
}

fn row(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    point: Option<&CascadePoint>,
    alone: &CascadeFigures,
    on_page: &CascadeFigures,
) -> fmt::Result {
    write!(f, "{name:<12}")?;
    match point {
        Some(point) => write!(f, "{:>8.4}", point.choice.threshold)?,
        None => write!(f, "{:>8}", "")?,
    }
    for CascadeFigures { rows_asked, tokens_asked, macro_f1, expected_calibration_error } in [alone, on_page] {
        let (rows, tokens) = (rows_asked * 100.0, tokens_asked * 100.0);
        write!(f, "{rows:>7.1}{tokens:>7.1}{macro_f1:>9.4}{expected_calibration_error:>7.4}")?;
    }
    writeln!(f)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::{BothReadings, CascadeChoice};

    #[test]
    fn the_table_has_the_choice_and_what_to_expect() {
        let figures = |rows_asked: f64| CascadeFigures {
            rows_asked,
            tokens_asked: rows_asked / 2.0,
            macro_f1: 0.8 + rows_asked / 10.0,
            expected_calibration_error: 0.0125,
        };
        let point = |share: f64| CascadePoint {
            choice: CascadeChoice { threshold: share as f32, alone: [0.25, 0.75], on_page: [0.5, 0.625] },
            alone: figures(share),
            on_page: figures(share / 2.0),
        };
        let fit = CascadeFit {
            rows: [600, 200],
            large_macro_f1: BothReadings { alone: 0.853, on_page: 0.86 },
            wanted_macro_f1: BothReadings { alone: 0.85, on_page: 0.857 },
            asks: Vec::new(),
            chosen: point(0.5),
            curve: [0.0, 0.5, 1.0].map(point).to_vec(),
            cross_fitted_alone: figures(0.45),
            cross_fitted_on_page: figures(0.4),
        };
        let table = CascadeTable(&fit).to_string();
        let line = |begin: &str| table.lines().find(|line| line.starts_with(begin)).unwrap().to_owned();
        let words = |begin: &str| line(begin).split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>();
        let chosen = ["0.5000", "50.0", "25.0", "0.8500", "0.0125", "25.0", "12.5", "0.8250", "0.0125"];
        assert_eq!(words("chosen"), chosen);
        assert_eq!(words("cross-fitted")[..3], ["45.0", "22.5", "0.8450"]);
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
        assert!(table.contains("0.2500 small + 0.7500 large alone"));
    }
}
