//! Two models' logits as one: the weights under which their sum gives the best probabilities.

#[cfg(test)]
use super::EvalError;
#[cfg(test)]
use super::temperature::{check, check_rows};
use crate::label::LabelId;

/// Pull of both weights towards 0, in nats per squared unit. It decides where the rows do not: between two models that say
/// the same, and where every row is judged right and the likelihood alone would ask for infinite weights.
const RIDGE: f64 = 1e-4;

/// A row for which two models gave logits: the first one's, the second one's, and the gold label.
pub(super) type TwoJudged<'a> = ([&'a [f32]; 2], LabelId);

/// The weights `[first, second]` at which the mean negative log-likelihood of the gold labels under
/// [`Scores::from_mixture`](crate::Scores::from_mixture) is least, but for a slight pull towards 0. They calibrate too: a
/// temperature is a weight's inverse. No weight is below 0.
///
/// `first` and `second` are `[rows, labels]`, `gold` `[rows]`. The likelihood is convex in the weights, so Newton steps,
/// halved until they improve, find its one minimum.
///
/// # Errors
///
/// [`EvalError::NoRows`], [`EvalError::LengthMismatch`], [`EvalError::RowWidth`], [`EvalError::LogitNotFinite`].
///
/// # Panics
///
/// If a gold label is beyond the logits.
#[cfg(test)]
pub fn fit_mixture<R: AsRef<[f32]>>(first: &[R], second: &[R], gold: &[LabelId]) -> Result<[f32; 2], EvalError> {
    check(first, gold)?;
    check(second, gold)?;
    check_rows(second.iter().map(AsRef::as_ref), first[0].as_ref().len())?;
    let rows = first.iter().zip(second).zip(gold);
    let rows: Vec<TwoJudged<'_>> =
        rows.map(|((first, second), &gold)| ([first.as_ref(), second.as_ref()], gold)).collect();
    Ok(fit(&rows, Pull { towards: [0.0; 2], strength: RIDGE }))
}

/// What draws the weights, where the rows do not.
#[derive(Clone, Copy)]
pub(super) struct Pull {
    /// The weights that hold without rows.
    pub towards: [f64; 2],
    /// In nats per row and squared unit.
    pub strength: f64,
}

impl Pull {
    /// The pull of weights known before, which count for so many rows that have logits of variance 1.
    pub fn of_prior(towards: [f32; 2], prior_rows: f64, rows: usize) -> Pull {
        Pull { towards: towards.map(f64::from), strength: RIDGE + prior_rows / rows.max(1) as f64 }
    }
}

/// The weights for rows that have been checked, at least one. No weight is below 0: a model's logits may be left aside,
/// but not turned round.
pub(super) fn fit(rows: &[TwoJudged<'_>], pull: Pull) -> [f32; 2] {
    let (both, _) = descend(rows, pull, [true; 2]);
    if both.iter().all(|weight| *weight >= 0.0) {
        return both.map(|weight| weight as f32);
    }
    // The loss is convex, so the best pair without a negative weight has a 0 in it.
    let one = |free: [bool; 2]| {
        let (weights, loss) = descend(rows, pull, free);
        match weights.iter().all(|weight| *weight >= 0.0) {
            true => (weights, loss),
            false => ([0.0; 2], Local::at(rows, [0.0; 2], pull).loss),
        }
    };
    let (first, second) = (one([true, false]), one([false, true]));
    if second.1 < first.1 { second.0 } else { first.0 }.map(|weight| weight as f32)
}

/// The best weights and their loss, with those that are not free at 0.
fn descend(rows: &[TwoJudged<'_>], pull: Pull, free: [bool; 2]) -> ([f64; 2], f64) {
    const MOST_STEPS: usize = 100;
    const MOST_HALVINGS: i32 = 40;
    let mut weights = free.map(|free| if free { 0.5 } else { 0.0 });
    let mut here = Local::at(rows, weights, pull);
    for _ in 0..MOST_STEPS {
        let step = here.newton_step(free);
        let improved = (0..MOST_HALVINGS).find_map(|halvings| {
            let scale = 0.5_f64.powi(halvings);
            let next = [weights[0] - scale * step[0], weights[1] - scale * step[1]];
            let there = Local::at(rows, next, pull);
            (there.loss < here.loss).then_some((next, there))
        });
        // Where no step improves, what is left is rounding.
        let Some((next, there)) = improved else { break };
        let moved = (next[0] - weights[0]).abs().max((next[1] - weights[1]).abs());
        (weights, here) = (next, there);
        if moved < 1e-9 {
            break;
        }
    }
    (weights, here.loss)
}

/// The loss around a pair of weights.
struct Local {
    loss: f64,
    gradient: [f64; 2],
    /// Second derivatives by the first weight twice, by both, by the second twice.
    curvature: [f64; 3],
}

impl Local {
    fn at(rows: &[TwoJudged<'_>], weights: [f64; 2], pull: Pull) -> Local {
        let mut sum = Local { loss: 0.0, gradient: [0.0; 2], curvature: [0.0; 3] };
        let mut masses = Vec::new();
        for ([first, second], gold) in rows {
            let (first, second) = (|label: usize| f64::from(first[label]), |label: usize| f64::from(second[label]));
            let logit = |label: usize| weights[0] * first(label) + weights[1] * second(label);
            let labels = rows[0].0[0].len();
            let max = (0..labels).map(logit).fold(f64::NEG_INFINITY, f64::max);
            masses.clear();
            masses.extend((0..labels).map(|label| (logit(label) - max).exp()));
            let total: f64 = masses.iter().sum();
            let mean = |of: &dyn Fn(usize) -> f64| -> f64 {
                masses.iter().enumerate().map(|(label, mass)| mass * of(label)).sum::<f64>() / total
            };
            let gold = gold.index();
            let means = [mean(&first), mean(&second)];
            sum.loss += max + total.ln() - logit(gold);
            sum.gradient[0] += means[0] - first(gold);
            sum.gradient[1] += means[1] - second(gold);
            let apart = |label: usize| [first(label) - means[0], second(label) - means[1]];
            sum.curvature[0] += mean(&|label| apart(label)[0] * apart(label)[0]);
            sum.curvature[1] += mean(&|label| apart(label)[0] * apart(label)[1]);
            sum.curvature[2] += mean(&|label| apart(label)[1] * apart(label)[1]);
        }
        let count = rows.len() as f64;
        let apart = [0, 1].map(|index| weights[index] - pull.towards[index]);
        let pulled = 0.5 * pull.strength * (apart[0] * apart[0] + apart[1] * apart[1]);
        let own = |index: usize| if index == 1 { 0.0 } else { pull.strength };
        Local {
            loss: sum.loss / count + pulled,
            gradient: [0, 1].map(|index| sum.gradient[index] / count + pull.strength * apart[index]),
            curvature: [0, 1, 2].map(|index| sum.curvature[index] / count + own(index)),
        }
    }

    /// The gradient times the inverse of the curvature, which the pull makes positive definite.
    fn newton_step(&self, free: [bool; 2]) -> [f64; 2] {
        let [a, b, c] = self.curvature;
        let determinant = a * c - b * b;
        let [x, y] = self.gradient;
        match free {
            [true, false] => return [x / a, 0.0],
            [false, true] => return [0.0, y / c],
            _ => {}
        }
        [(c * x - b * y) / determinant, (a * y - b * x) / determinant]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::metrics::negative_log_likelihood;
    use crate::eval::temperature::fit_temperature;
    use crate::label::built_in::{OPINION, OTHER, REPORTING};
    use crate::label::{LabelSet, Scores};
    use proptest::prelude::*;

    const SURE: [f32; 5] = [4.0, 0.0, 0.0, 0.0, 0.0];
    const NOTHING: [f32; 5] = [0.0; 5];

    fn gold(right: usize, wrong: usize) -> Vec<LabelId> {
        [vec![REPORTING; right], vec![OPINION; wrong]].concat()
    }

    #[test]
    fn a_model_that_says_nothing_gets_no_weight_and_the_other_its_temperature() {
        let gold = gold(70, 30);
        let (says, silent) = (vec![SURE; 100], vec![NOTHING; 100]);
        let temperature = fit_temperature(&says, &gold).unwrap();
        let [first, second] = fit_mixture(&says, &silent, &gold).unwrap();
        assert!((first - 1.0 / temperature).abs() < 1e-3 && second.abs() < 1e-6, "{first} {second}");
        let [first, second] = fit_mixture(&silent, &says, &gold).unwrap();
        assert!((second - 1.0 / temperature).abs() < 1e-3 && first.abs() < 1e-6, "{first} {second}");
    }

    #[test]
    fn two_equal_models_share_the_weight() {
        let says = vec![SURE; 100];
        let [first, second] = fit_mixture(&says, &says, &gold(70, 30)).unwrap();
        let temperature = fit_temperature(&says, &gold(70, 30)).unwrap();
        assert!((first - second).abs() < 1e-4 && (first + second - 1.0 / temperature).abs() < 1e-3);
    }

    #[test]
    fn rows_that_are_all_right_give_finite_weights() {
        let [first, second] = fit_mixture(&[SURE; 20], &[NOTHING; 20], &gold(20, 0)).unwrap();
        assert!((1.0..20.0).contains(&first) && second.abs() < 1e-6, "{first} {second}");
    }

    #[test]
    fn a_model_that_is_wrong_is_left_aside_and_not_turned_round() {
        // The second model says the opposite of what is right, so the best free weight for it would be negative.
        let (says, lies) = ([2.0, 0.0, 0.0, 0.0, 0.0], [0.0, 3.0, 3.0, 3.0, 3.0]);
        let [first, second] = fit_mixture(&[says; 100], &[lies; 100], &gold(90, 10)).unwrap();
        assert!(first > 0.5 && second == 0.0, "{first} {second}");
        assert_eq!(fit_mixture(&[lies; 100], &[lies; 100], &gold(100, 0)).unwrap(), [0.0; 2]);
    }

    #[test]
    fn few_rows_move_the_weights_little_and_many_move_them_all_the_way() {
        let weights = |rows: usize| {
            let rows: Vec<TwoJudged<'_>> = vec![([&SURE[..], &NOTHING[..]], REPORTING); rows];
            fit(&rows, Pull::of_prior([0.5, 0.5], 5.0, rows.len()))
        };
        let (few, many) = (weights(10), weights(10_000));
        assert!(few[0] > 0.5 && few[0] < 1.1 && many[0] > 2.0, "{few:?} {many:?}");
        assert!((few[1] - 0.5).abs() < 1e-3, "{few:?}");
    }

    #[test]
    fn unusable_input_is_refused() {
        assert_eq!(fit_mixture::<[f32; 5]>(&[], &[], &[]), Err(EvalError::NoRows));
        let lengths = fit_mixture(&[SURE; 2], &[SURE], &[OTHER; 2]);
        assert!(matches!(lengths, Err(EvalError::LengthMismatch { expected: 1, got: 2 })));
        let infinite = [f32::INFINITY; 5];
        assert!(matches!(fit_mixture(&[SURE], &[infinite], &[OTHER]), Err(EvalError::LogitNotFinite { row: 0, .. })));
    }

    proptest! {
        /// No weights nearby are better than the fitted ones.
        #[test]
        fn the_fit_is_a_minimum(
            rows in prop::collection::vec(
                (prop::array::uniform5(-6.0_f32..6.0), prop::array::uniform5(-6.0_f32..6.0), 0_usize..5),
                1..60,
            ),
        ) {
            let rows: Vec<TwoJudged<'_>> =
                rows.iter().map(|(first, second, gold)| ([&first[..], &second[..]], LabelId::at(*gold))).collect();
            let labels = LabelSet::copydesk();
            let pull = Pull { towards: [0.0; 2], strength: RIDGE };
            let fitted = fit(&rows, pull);
            prop_assert!(fitted.iter().all(|weight| *weight >= 0.0));
            let loss = |weights: [f32; 2]| -> f64 {
                let likelihood = rows.iter().map(|&(logits, gold)| {
                    negative_log_likelihood(&Scores::from_mixture(&labels, logits, weights), gold)
                });
                let pulled: f64 = weights.iter().map(|&weight| f64::from(weight).powi(2)).sum();
                likelihood.sum::<f64>() / rows.len() as f64 + 0.5 * RIDGE * pulled
            };
            let best = loss(fitted);
            for (x, y) in [(0.05, 0.0), (-0.05, 0.0), (0.0, 0.05), (0.0, -0.05), (0.03, 0.03), (0.03, -0.03)] {
                let there = [fitted[0] + x, fitted[1] + y];
                prop_assert!(there.iter().any(|weight| *weight < 0.0) || loss(there) >= best - 1e-5);
            }
        }
    }
}
