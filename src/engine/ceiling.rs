//! What the machine can do at most: the instruction set's own multiply-add in registers, without memory. Throughput
//! figures are given as a fraction of it.

use super::config::EncoderConfig;
use super::encoder::Precision;
#[cfg(target_arch = "x86_64")]
use super::kernels::amx::{self, Sums, Tiles};
use super::kernels::gemm_i8::GROUP;
use super::kernels::isa::{Dispatched, InstructionSet, dispatch};
use super::kernels::lanes::{LANES, Lanes, WeightGroup};
use super::kernels::{Kernel, Simd};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Virtual vectors of accumulators that do not wait for each other, where each is one of 32 registers: enough to hide
/// any multiply-add's latency.
const MANY: usize = 20;
/// The same where a virtual vector takes two of 16 registers, or four of 32.
const FEW: usize = 6;
/// Passes over the accumulators between two looks at the clock.
const PASSES: usize = 5_000;

/// `WEIGHTS` differ from each other: where a dot product takes several instructions, the same products must not serve
/// several sums.
struct Int8Loop<const N: usize, const WEIGHTS: usize>;
struct F32Loop<const N: usize>;

impl<const N: usize, const WEIGHTS: usize> Kernel for Int8Loop<N, WEIGHTS> {
    type Output = i32;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> i32 {
        let mut weights = [s.load_weights(&black_box(WeightGroup([1; 64]))); WEIGHTS];
        for weights in &mut weights[1..] {
            *weights = s.load_weights(&black_box(WeightGroup([1; 64])));
        }
        let mut sums = [s.splat_i32(black_box(0)); N];
        for _ in 0..PASSES {
            // Unknown in every pass, or products would be taken out of the loop.
            let activations = [[1, 2, 3, 4], [4, 3, 2, 1]].map(|four| s.load_activation(black_box(four)));
            for (index, sum) in sums.iter_mut().enumerate() {
                let pair = [weights[index % WEIGHTS], weights[(index + 1) % WEIGHTS]];
                *sum = match S::PAIRS {
                    true => s.dot_pair(*sum, activations, pair),
                    false => s.dot(*sum, activations[0], pair[0]),
                };
            }
        }
        let mut total = sums[0];
        for &sum in &sums[1..] {
            total = s.add_i32(total, sum);
        }
        s.sum_i32(total)
    }
}

impl<const N: usize> Kernel for F32Loop<N> {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f32 {
        let a = s.load(&black_box(Lanes([0.5; LANES])));
        let b = s.load(&black_box(Lanes([0.25; LANES])));
        let mut sums = [s.splat(black_box(0.0)); N];
        for _ in 0..PASSES {
            for sum in &mut sums {
                *sum = s.mul_add(a, b, *sum);
            }
        }
        let mut total = sums[0];
        for &sum in &sums[1..] {
            total = s.add(total, sum);
        }
        s.sum(total)
    }
}

struct Loop(Precision);

impl Dispatched for Loop {
    type Output = Done;

    fn run<S: Simd>(self, s: S) -> Done {
        #[cfg(target_arch = "x86_64")]
        if self.0 == Precision::Int8
            && s.has_tiles()
            && let Some(tiles) = Tiles::new(2 * amx::ROWS)
        {
            let mut sums = Sums::ZERO;
            tiles.multiply_in_registers(black_box([1, 2, 3, 4]), PASSES, &mut sums);
            let multiply_adds = PASSES * 4 * amx::ROWS * LANES * amx::GROUPS * GROUP;
            let sum = sums.0.as_flattened().as_flattened().iter().map(|&sum| f64::from(sum)).sum();
            return Done { multiply_adds, sum: black_box(sum) };
        }
        let accumulators = if S::WIDE { MANY } else { FEW };
        let group = if S::PAIRS { 2 * GROUP } else { GROUP };
        let (depth, sum) = match (self.0, S::WIDE) {
            (Precision::Int8, true) => (group, s.vectorize(Int8Loop::<MANY, 1>).into()),
            (Precision::Int8, false) => (group, s.vectorize(Int8Loop::<FEW, FEW>).into()),
            (Precision::F32, true) => (1, s.vectorize(F32Loop::<MANY>).into()),
            (Precision::F32, false) => (1, s.vectorize(F32Loop::<FEW>).into()),
        };
        Done { multiply_adds: PASSES * accumulators * LANES * depth, sum: black_box(sum) }
    }
}

/// What one call of a loop did.
struct Done {
    multiply_adds: usize,
    /// Sum over all accumulators, which tells how many multiply-adds there really were.
    #[cfg_attr(not(test), allow(dead_code))]
    sum: f64,
}

/// Operations per second (a multiply-add counts as two) that one thread reaches in registers, or `None` where this CPU lacks the
/// instruction set. Takes about `duration`; the best stretch counts, so that a busy machine disturbs little.
///
/// The loops are those of a plain instruction benchmark: independent accumulators, nothing loaded or stored.
pub fn operations_per_second(isa: InstructionSet, precision: Precision, duration: Duration) -> Option<f64> {
    let token = isa.token()?;
    let (begin, mut best) = (Instant::now(), 0.0f64);
    while best == 0.0 || begin.elapsed() < duration {
        let start = Instant::now();
        let done = dispatch(token, Loop(precision));
        best = best.max(2.0 * done.multiply_adds as f64 / start.elapsed().as_secs_f64());
    }
    Some(best)
}

/// Operations (a multiply-add counts as two) that the full model needs for sequences of these lengths, without any
/// saving: what throughput is counted in, so that work not done counts as speed.
pub fn model_operations(config: &EncoderConfig, lengths: impl IntoIterator<Item = usize>) -> u64 {
    lengths.into_iter().map(|tokens| 2 * config.multiply_adds(tokens)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Multiply-adds by a loop's own count, and by its sum.
    struct Count(Precision);

    impl Dispatched for Count {
        type Output = (f64, f64);

        fn run<S: Simd>(self, s: S) -> (f64, f64) {
            // The mean of what a multiply-add adds: activations 1 to 4 with weights of 1, or 0.5 · 0.25.
            let each = match self.0 {
                Precision::Int8 => 2.5,
                Precision::F32 => 0.125,
            };
            let done = Loop(self.0).run(s);
            (done.multiply_adds as f64, done.sum / each)
        }
    }

    #[test]
    fn the_operations_that_a_ceiling_counts_were_carried_out() {
        for isa in InstructionSet::ALL {
            for precision in [Precision::F32, Precision::Int8] {
                let Some(token) = isa.token() else {
                    assert_eq!(operations_per_second(isa, precision, Duration::ZERO), None);
                    continue;
                };
                let (counted, done) = dispatch(token, Count(precision));
                assert_eq!(counted, done, "{isa} {precision}");
                // One call takes less than a minute on any machine, and no CPU reaches a hundred thousand per cycle.
                let rate = operations_per_second(isa, precision, Duration::ZERO).unwrap();
                assert!((2.0 * counted / 60.0..1e15).contains(&rate), "{isa} {precision}: {rate}");
            }
        }
    }

    #[test]
    fn operations_add_up_over_sequences() {
        let config: EncoderConfig = serde_json::from_str(
            r#"{"num_hidden_layers": 1, "hidden_size": 2, "num_attention_heads": 1, "intermediate_size": 3,
                "vocab_size": 1, "max_position_embeddings": 9, "type_vocab_size": 1, "layer_norm_eps": 0.0}"#,
        )
        .unwrap();
        // Per token 4 · 2² + 2 · 2 · 3 = 28 multiply-adds, attention 2 · 2 · tokens².
        assert_eq!(model_operations(&config, [1, 3]), 2 * (28 + 4) + 2 * (84 + 36));
        assert_eq!(model_operations(&config, []), 0);
    }
}
