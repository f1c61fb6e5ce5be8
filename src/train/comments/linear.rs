//! Weights of words: logistic regression over hashed bags.

use crate::comment::{Bag, scale, weigh};
use crate::random::SplitMix64;

/// Passes over the rows.
const EPOCHS: usize = 5;

const RATE: f32 = 0.1;
const DECAY: f32 = 3e-4;

/// A comment: its bag, whether it is spam, and its weight, 1 on average.
pub(super) type BagRow<'a> = (&'a Bag, bool, f32);

/// The weights of all buckets, by AdaGrad (Duchi, Hazan and Singer, 2011).
pub(super) fn fit(rows: &[BagRow<'_>], buckets: usize, seed: u64) -> Vec<f32> {
    let mut weights = vec![0.0_f32; buckets];
    let mut squares = vec![1e-2_f32; buckets];
    let mut bias = 0.0;
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut random = SplitMix64::new(seed);
    for _ in 0..EPOCHS {
        random.shuffle(&mut order);
        for &row in &order {
            let (bag, spam, weight) = rows[row];
            let p = 1.0 / (1.0 + (-(bias + weigh(&weights, bag))).exp());
            let gradient = (p - f32::from(u8::from(spam))) * weight.min(4.0);
            bias -= 0.01 * gradient;
            let scale = scale(bag);
            for &place in bag {
                let place = place as usize;
                let gradient = gradient * scale + DECAY * weights[place];
                squares[place] += gradient * gradient;
                weights[place] -= RATE * gradient / squares[place].sqrt();
            }
        }
    }
    weights
}
