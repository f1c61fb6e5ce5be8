//! A straight line over log-odds that makes them those of other rows (Platt, 1999).

/// A row: the log-odds that it was given, what is true of it, and its weight.
pub type OddsRow = (f64, bool, f64);

/// Slope and offset with the least weighted loss, by Newton's method: the loss is convex. `drawn` is how strongly the slope is drawn to 1 and
/// the offset to 0, as the curvature of their loss; rows that part perfectly have no best slope without it.
pub fn fit_odds(rows: &[OddsRow], drawn: [f64; 2]) -> [f64; 2] {
    let objective = |slope: f64, offset: f64| {
        let loss: f64 = rows.iter().map(|&(odds, truth, weight)| weight * log_loss(slope * odds + offset, truth)).sum();
        loss + drawn[0] / 2.0 * (slope - 1.0).powi(2) + drawn[1] / 2.0 * offset.powi(2)
    };
    let (mut slope, mut offset) = (1.0, 0.0);
    for _ in 0..100 {
        let (mut by_slope, mut by_offset) = (drawn[0] * (slope - 1.0), drawn[1] * offset);
        // So little that it only keeps the curvature of no rows above 0.
        let (mut ss, mut so, mut oo) = (drawn[0] + 1e-9, 0.0, drawn[1] + 1e-9);
        for &(odds, truth, weight) in rows {
            let p = 1.0 / (1.0 + (-(slope * odds + offset)).exp());
            let error = weight * (p - f64::from(truth));
            by_slope += error * odds;
            by_offset += error;
            let curvature = weight * p * (1.0 - p);
            ss += curvature * odds * odds;
            so += curvature * odds;
            oo += curvature;
        }
        let determinant = ss * oo - so * so;
        let step = [(oo * by_slope - so * by_offset) / determinant, (ss * by_offset - so * by_slope) / determinant];
        let here = objective(slope, offset);
        let mut size = 1.0;
        while size > 1e-6 && objective(slope - size * step[0], offset - size * step[1]) > here {
            size /= 2.0;
        }
        slope -= size * step[0];
        offset -= size * step[1];
        if (size * step[0]).abs().max((size * step[1]).abs()) < 1e-9 {
            break;
        }
    }
    [slope, offset]
}

/// The logarithmic loss of log-odds: -ln of the probability of what is true.
pub fn log_loss(odds: f64, truth: bool) -> f64 {
    let signed = if truth { -odds } else { odds };
    // ln(1 + e^x) without overflow.
    signed.max(0.0) + (-signed.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_odds_of_a_group_come_out() {
        // Of rows that score 1, three of four are spam; of those that score -1, one of four.
        let rows: Vec<OddsRow> = (0..8000)
            .map(|row| if row % 2 == 0 { (1.0, row % 8 != 0, 1.0) } else { (-1.0, row % 8 == 1, 1.0) })
            .collect();
        let [slope, offset] = fit_odds(&rows, [1e-2, 0.0]);
        assert!((slope - 3.0_f64.ln()).abs() < 0.01 && offset.abs() < 0.01, "{slope} {offset}");
    }

    #[test]
    fn rows_that_part_perfectly_have_a_finite_slope() {
        let rows = [(2.0, true, 1.0), (1.0, true, 1.0), (-1.0, false, 1.0)];
        assert!(fit_odds(&rows, [1e-2, 0.0]).iter().all(|value| value.is_finite() && value.abs() < 60.0));
    }
}
