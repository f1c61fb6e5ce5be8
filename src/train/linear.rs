//! Weights of hashed bags: logistic regression, for one table after the other.

use crate::random::SplitMix64;

/// What leads into a table of weights.
pub(super) trait Bagged {
    /// What the weights say of it, added to a bias.
    fn logit(&self, weights: &[f32], bias: f32) -> f32;

    /// What each weight counts.
    fn scale(&self) -> f32;

    /// Its places in the table.
    fn places(&self) -> impl Iterator<Item = usize>;
}

/// How weights are fitted.
#[derive(Clone, Copy, Debug)]
pub(super) struct BagSettings {
    /// Places in the table.
    pub buckets: usize,
    /// Passes over the rows.
    pub epochs: usize,
    pub rate: f32,
    pub decay: f32,
    /// Seed of the rows' order.
    pub seed: u64,
}

/// The weights of all buckets, by AdaGrad (Duchi, Hazan and Singer, 2011). Rows are a bag, its target from 0 to 1, and its weight.
pub(super) fn fit<B: Bagged>(rows: &[(&B, f32, f32)], settings: BagSettings) -> Vec<f32> {
    let BagSettings { buckets, epochs, rate, decay, seed } = settings;
    let mut weights = vec![0.0_f32; buckets];
    let mut squares = vec![1e-2_f32; buckets];
    let mut bias = 0.0;
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut random = SplitMix64::new(seed);
    for _ in 0..epochs {
        random.shuffle(&mut order);
        for &row in &order {
            let (bag, target, weight) = rows[row];
            let p = 1.0 / (1.0 + (-bag.logit(&weights, bias)).exp());
            let gradient = (p - target) * weight;
            bias -= 0.01 * gradient;
            let scale = bag.scale();
            for place in bag.places() {
                let gradient = gradient * scale + decay * weights[place];
                squares[place] += gradient * gradient;
                weights[place] -= rate * gradient / squares[place].sqrt();
            }
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pair([usize; 2]);

    impl Bagged for Pair {
        fn logit(&self, weights: &[f32], bias: f32) -> f32 {
            bias + self.0.iter().map(|&place| weights[place]).sum::<f32>()
        }

        fn scale(&self) -> f32 {
            1.0
        }

        fn places(&self) -> impl Iterator<Item = usize> {
            self.0.into_iter()
        }
    }

    #[test]
    fn what_goes_with_a_target_gets_its_sign() {
        let bags = [Pair([0, 2]), Pair([1, 2])];
        let rows: Vec<(&Pair, f32, f32)> = (0..200).map(|row| (&bags[row % 2], (row % 2) as f32, 1.0)).collect();
        let weights = fit(&rows, BagSettings { buckets: 4, epochs: 3, rate: 0.1, decay: 1e-4, seed: 1 });
        assert!(weights[0] < -0.3 && weights[1] > 0.3 && weights[2].abs() < 0.3 && weights[3] == 0.0, "{weights:?}");
    }
}
