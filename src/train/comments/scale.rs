//! Slope and offset that turn scores into log-odds (Platt, 1999).

/// Fits both by Newton's method on weighted rows of a score and whether it is spam.
pub(super) fn fit(rows: &[(f32, bool, f32)]) -> [f32; 2] {
    let (mut slope, mut offset) = (1.0_f64, 0.0_f64);
    for _ in 0..50 {
        // A little is added to the curvature, and pulls the slope to 1: rows that part perfectly have no best slope.
        let (mut g, mut h) = ([1e-2 * (slope - 1.0), 0.0], [1e-2, 0.0, 1e-6]);
        for &(score, spam, weight) in rows {
            let (score, weight) = (f64::from(score), f64::from(weight));
            let p = 1.0 / (1.0 + (-(slope * score + offset)).exp());
            let (first, second) = ((p - f64::from(u8::from(spam))) * weight, (p * (1.0 - p)).max(1e-9) * weight);
            g = [g[0] + first * score, g[1] + first];
            h = [h[0] + second * score * score, h[1] + second * score, h[2] + second];
        }
        let determinant = h[0] * h[2] - h[1] * h[1];
        let step = [(h[2] * g[0] - h[1] * g[1]) / determinant, (h[0] * g[1] - h[1] * g[0]) / determinant];
        slope -= step[0].clamp(-1.0, 1.0);
        offset -= step[1].clamp(-1.0, 1.0);
    }
    [slope as f32, offset as f32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_odds_of_a_group_come_out() {
        // Of rows that score 1, three of four are spam; of those that score -1, one of four.
        let rows: Vec<(f32, bool, f32)> = (0..8000)
            .map(|row| if row % 2 == 0 { (1.0, row % 8 != 0, 1.0) } else { (-1.0, row % 8 == 1, 1.0) })
            .collect();
        let [slope, offset] = fit(&rows);
        assert!((slope - 3.0_f32.ln()).abs() < 0.01 && offset.abs() < 0.01, "{slope} {offset}");
    }

    #[test]
    fn rows_that_part_perfectly_have_a_finite_slope() {
        let rows = [(2.0, true, 1.0), (1.0, true, 1.0), (-1.0, false, 1.0)];
        assert!(fit(&rows).iter().all(|value| value.is_finite() && value.abs() < 60.0));
    }
}
