//! Weights of names and words: logistic regression over hashed bags.

use crate::html::{BUCKETS, Bag, bag_scores};
use crate::random::SplitMix64;

/// Passes over the rows.
const EPOCHS: usize = 4;

const RATE: f32 = 0.12;
const DECAY: f32 = 2e-4;

/// A block: its bag, its target and its weight.
pub(crate) type BagRow<'a> = (&'a Bag, f32, f32);

/// The weights of all buckets, by AdaGrad (Duchi, Hazan and Singer, 2011).
pub(crate) fn fit(rows: &[BagRow<'_>], seed: u64) -> Vec<f32> {
    let mut weights = vec![0.0_f32; BUCKETS];
    let mut squares = vec![1e-2_f32; BUCKETS];
    let mut bias = 0.0;
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut random = SplitMix64::new(seed);
    for _ in 0..EPOCHS {
        random.shuffle(&mut order);
        for &row in &order {
            let (bag, target, weight) = rows[row];
            let [names, words] = bag_scores(&weights, bag);
            let p = 1.0 / (1.0 + (-(bias + names + words)).exp());
            let gradient = (p - target) * weight;
            bias -= 0.01 * gradient;
            let scale = bag.scale();
            for &place in bag.names.iter().chain(&bag.words) {
                let place = usize::from(place);
                let gradient = gradient * scale + DECAY * weights[place];
                squares[place] += gradient * gradient;
                weights[place] -= RATE * gradient / squares[place].sqrt();
            }
        }
    }
    weights
}
