//! What storing a model in 8-bit integers saved and cost.

use serde::Serialize;
use std::fmt;

/// Shown as two lines, or as one without labelled rows. As JSON an object with these fields.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct QuantizedReport {
    /// Bytes of the weights as they were.
    pub bytes_before: u64,
    /// Bytes of the weights as they are stored now.
    pub bytes_after: u64,
    /// Labelled rows that both were measured with.
    pub rows: Option<u64>,
    /// Macro-F1 before and after.
    pub macro_f1: Option<[f64; 2]>,
}

impl fmt::Display for QuantizedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        let (before, after) = (megabytes(self.bytes_before), megabytes(self.bytes_after));
        writeln!(f, "weights: {before:.2} MB before, {after:.2} MB in 8-bit integers")?;
        match (self.rows, self.macro_f1) {
            (Some(rows), Some([before, after])) => {
                writeln!(f, "macro-F1 of {rows} rows: {before:.4} before, {after:.4} in 8-bit integers")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_told_where_there_are_some() {
        let report = QuantizedReport { bytes_before: 4_000_000, bytes_after: 1_010_000, rows: None, macro_f1: None };
        assert_eq!(report.to_string(), "weights: 4.00 MB before, 1.01 MB in 8-bit integers\n");
        let measured = QuantizedReport { rows: Some(7), macro_f1: Some([0.5, 0.25]), ..report };
        assert!(measured.to_string().ends_with("macro-F1 of 7 rows: 0.5000 before, 0.2500 in 8-bit integers\n"));
    }
}
