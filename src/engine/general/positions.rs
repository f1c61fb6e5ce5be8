//! What attention knows of positions beyond the embedding.

use crate::engine::{Dense, distance};

/// How far apart two tokens stand, as a layer's attention sees it.
#[derive(Debug)]
pub enum Positions {
    /// Not at all: the embedding has the positions.
    Embedded,
    /// MPNet: a number for each head and bucket of distances is added to the score; `[BUCKETS, heads]`.
    Bias(Vec<f32>),
    /// DeBERTa: what is asked and what is offered meet vectors of distances.
    Disentangled(Disentangled),
    /// ModernBERT: queries and keys are turned by their positions, and may see near tokens alone.
    Rotary {
        /// Base of the turning rates.
        theta: f32,
        /// Tokens to either side that are seen; `None` for all.
        reach: Option<usize>,
    },
}

/// Vectors of distances, one row a bucket. The bucket of a distance is `span` plus its logarithmic step.
#[derive(Debug)]
pub struct Disentangled {
    /// For each head `[2 · span, width]`: what distances offer to a token's query; empty where they offer nothing.
    pub(crate) keys: Vec<Dense>,
    /// Likewise what distances ask of a token's key.
    pub(crate) queries: Vec<Dense>,
    /// Half of the buckets.
    pub span: usize,
    /// Half of the buckets if distances beyond half of it share buckets; `None` if each has its own.
    pub logarithmic: Option<usize>,
    /// Distances beyond share the last bucket.
    pub max_distance: usize,
}

/// Buckets of MPNet's distances; its code has no other number.
pub const BUCKETS: usize = 32;

/// The bucket of a distance, query minus key, in MPNet.
pub fn bias_bucket(distance: isize) -> usize {
    distance::bucket(-(distance as i64), BUCKETS)
}

impl Disentangled {
    /// Numbers that a score is made of: the tokens' own, and each of the two with distances.
    pub fn parts(&self) -> usize {
        1 + usize::from(!self.keys.is_empty()) + usize::from(!self.queries.is_empty())
    }

    /// The bucket of a distance, query minus key.
    pub fn bucket(&self, distance: isize) -> usize {
        let step = match self.logarithmic {
            Some(buckets) => logarithmic_step(distance, buckets, self.max_distance),
            None => distance,
        };
        let last = 2 * self.span as isize - 1;
        step.saturating_add(self.span as isize).clamp(0, last) as usize
    }
}

/// DeBERTa's logarithmic buckets: distances up to half of `buckets` have their own, those beyond share them by the logarithm.
fn logarithmic_step(distance: isize, buckets: usize, max_distance: usize) -> isize {
    let middle = buckets / 2;
    let far = distance.unsigned_abs();
    if far <= middle {
        return distance;
    }
    let middle_f = middle as f32;
    let ratio = (far as f32 / middle_f).ln() / ((max_distance as f32 - 1.0) / middle_f).ln();
    let step = (ratio * (middle_f - 1.0)).ceil() + middle_f;
    // Conversions saturate: sizes that make no sense give the last bucket.
    let step = step as isize;
    if distance < 0 { step.saturating_neg() } else { step }
}

/// Sines and cosines by which a head's vector of `width` values is turned at a position, one pair for two values.
pub fn turns(position: usize, width: usize, theta: f32) -> Vec<(f32, f32)> {
    let rate = |pair: usize| 1.0 / theta.powf((2 * pair) as f32 / width as f32);
    (0..width / 2).map(|pair| (position as f32 * rate(pair)).sin_cos()).collect()
}

/// Turns a head's vector: pairs of one value of the first half and one of the second.
pub fn rotate(vector: &mut [f32], turns: &[(f32, f32)]) {
    let (first, second) = vector.split_at_mut(turns.len());
    for ((a, b), (sin, cos)) in first.iter_mut().zip(second).zip(turns) {
        (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::InstructionSet;

    /// What PyTorch's `MPNetEncoder.relative_position_bucket` gives.
    #[test]
    fn buckets_of_mpnet_are_exact_up_to_eight_and_then_logarithmic() {
        let got = [0, 1, 7, 8, 16, 32, 64, 127, 128, 500].map(bias_bucket);
        assert_eq!(got, [0, 1, 7, 8, 10, 12, 14, 15, 15, 15]);
        assert_eq!([-1, -8, -500].map(bias_bucket), [17, 24, 31]);
    }

    #[test]
    fn buckets_of_deberta_stay_within_their_table_for_every_distance() {
        let with = |logarithmic, span, max_distance| Disentangled {
            keys: vec![Dense::new(&[0.0], &[0.0], InstructionSet::Scalar)],
            queries: Vec::new(),
            span,
            logarithmic,
            max_distance,
        };
        let near = with(None, 4, 4);
        assert_eq!([-9, -4, -1, 0, 1, 3, 9].map(|distance| near.bucket(distance)), [0, 0, 3, 4, 5, 7, 7]);
        assert_eq!(near.parts(), 2);
        // make_log_bucket_position of PyTorch with 8 buckets over 96 positions.
        let far = with(Some(8), 8, 96);
        assert_eq!([0, 3, 4, 5, 11, 12, 33, 95, 96].map(|d| far.bucket(d)), [8, 11, 12, 13, 13, 14, 14, 15, 15]);
        assert_eq!([-4, -5, -12, -95, -400].map(|d| far.bucket(d)), [4, 3, 2, 1, 0]);
        for odd in [with(Some(1), 1, 0), with(Some(2), 2, 1), with(Some(8), 8, 3)] {
            for distance in [isize::MIN, -700, -2, 0, 2, 700, isize::MAX] {
                assert!(odd.bucket(distance) < 2 * odd.span, "{odd:?} {distance}");
            }
        }
    }

    #[test]
    fn a_turn_keeps_lengths_and_the_first_position_is_no_turn() {
        let mut vector = [1.0, 2.0, 3.0, 4.0];
        rotate(&mut vector, &turns(0, 4, 10_000.0));
        assert_eq!(vector, [1.0, 2.0, 3.0, 4.0]);
        rotate(&mut vector, &turns(3, 4, 10_000.0));
        // Three radians for the first pair, 0.03 for the second.
        assert!((vector[0] - (3f32.cos() - 3.0 * 3f32.sin())).abs() < 1e-5, "{vector:?}");
        assert!((vector[3] - (4.0 * 0.03f32.cos() + 2.0 * 0.03f32.sin())).abs() < 1e-5, "{vector:?}");
        assert!((vector.iter().map(|x| x * x).sum::<f32>() - 30.0).abs() < 1e-4);
    }
}
