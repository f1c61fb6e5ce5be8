//! Attention that knows how far apart two tokens are, as MPNet's does.
//!
//! MPNet adds a number to every score, by head and by the distance from query to key. Near distances have a bucket each, far ones
//! share buckets that grow with the distance, those beyond 128 the last: the scheme of T5 (Raffel et al. 2020,
//! <https://arxiv.org/abs/1910.10683>, section 2.1), which MPNet took over.

use super::weights::Matrix;

/// Distance from which all share a bucket; MPNet's own.
const FARTHEST: f64 = 128.0;

/// The bucket of a key `distance` tokens after its query, of `buckets`: the first half for keys at or before it.
pub(super) fn bucket(distance: i64, buckets: usize) -> usize {
    let half = buckets / 2;
    let first = if distance > 0 { half } else { 0 };
    let far = distance.unsigned_abs() as usize;
    let exact = half / 2;
    if far < exact {
        return first + far;
    }
    let share = (far as f64 / exact as f64).ln() / (FARTHEST / exact as f64).ln();
    first + half.saturating_sub(1).min(exact + (share * (half - exact) as f64) as usize)
}

/// Biases by distance, `[heads, 2 * reach + 1]` as logarithms to base 2, of the table `[buckets, heads]` that a checkpoint has.
pub(super) fn biases(table: &Matrix, reach: usize) -> Vec<f32> {
    let (buckets, heads) = (table.rows(), table.cols());
    let width = 2 * reach + 1;
    let mut row = vec![0.0; heads];
    let mut biases = vec![0.0; heads * width];
    for index in 0..width {
        table.copy_row(bucket(index as i64 - reach as i64, buckets), &mut row);
        for (head, bias) in row.iter().enumerate() {
            biases[head * width + index] = bias * std::f32::consts::LOG2_E;
        }
    }
    biases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_distances_have_a_bucket_each_and_far_ones_share() {
        let buckets = |distances: &[i64]| distances.iter().map(|&far| bucket(far, 32)).collect::<Vec<_>>();
        // As `MPNetEncoder.relative_position_bucket` gives them.
        assert_eq!(
            buckets(&[0, -1, -7, -8, -11, -12, -16, -64, -127, -128, -600]),
            [0, 1, 7, 8, 8, 9, 10, 14, 15, 15, 15]
        );
        assert_eq!(buckets(&[1, 7, 8, 20, 31, 32, 91, 600]), [17, 23, 24, 26, 27, 28, 31, 31]);
    }

    #[test]
    fn a_heads_row_runs_from_the_farthest_key_before_to_the_farthest_after() {
        let table = Matrix::F32 { rows: 4, cols: 2, data: vec![0.0, 10.0, 1.0, 11.0, 2.0, 12.0, 3.0, 13.0] };
        let natural: Vec<f32> =
            biases(&table, 2).iter().map(|bias| (bias / std::f32::consts::LOG2_E).round()).collect();
        // Of four buckets one half is for keys at or before the query, and in it only distance 0 stands alone.
        assert_eq!(natural, [1.0, 1.0, 0.0, 3.0, 3.0, 11.0, 11.0, 10.0, 13.0, 13.0]);
    }
}
