//! Single f32 layers on the encoder's kernels, for the small networks around the encoder.

use super::InstructionSet;
use super::kernels::gemm_f32::PackedF32;
use super::kernels::isa::{Dispatched, Token};
use super::kernels::lanes::{LANES, Lanes, blocks_needed, flatten};
use super::kernels::linear::{Finish, LinearF32};
use super::kernels::{Simd, dispatch};

/// A linear layer `x · weightᵀ + bias` in f32, packed for one instruction set.
#[derive(Debug)]
pub(crate) struct Dense {
    packed: PackedF32,
    outputs: usize,
    token: Token,
}

struct Pack<'a> {
    weight: &'a [f32],
    bias: &'a [f32],
}

impl Dispatched for Pack<'_> {
    type Output = PackedF32;

    fn run<S: Simd>(self, _: S) -> PackedF32 {
        let inputs = self.weight.len() / self.bias.len();
        let mut packed = PackedF32::zero(blocks_needed(self.bias.len()) * LANES, inputs);
        for (column, (row, &bias)) in self.weight.chunks_exact(inputs).zip(self.bias).enumerate() {
            packed.set_column(S::PANEL, column, row, bias);
        }
        packed
    }
}

impl Dispatched for LinearF32<'_> {
    type Output = ();

    fn run<S: Simd>(self, s: S) {
        LinearF32::run(self, s);
    }
}

impl Dense {
    /// Packs `weight`, `[outputs, inputs]`, and `bias`, `[outputs]`, for an instruction set; portable code where the CPU
    /// lacks it.
    ///
    /// # Panics
    /// Where there is no output or no input, or `weight` is not `outputs` rows.
    pub fn new(weight: &[f32], bias: &[f32], instruction_set: InstructionSet) -> Dense {
        assert!(!bias.is_empty() && !weight.is_empty() && weight.len().is_multiple_of(bias.len()), "shape of a layer");
        let portable = || InstructionSet::Scalar.token().expect("portable code runs everywhere; this is a bug");
        let token = instruction_set.token().unwrap_or_else(portable);
        Dense { packed: dispatch(token, Pack { weight, bias }), outputs: bias.len(), token }
    }

    /// `[rows, inputs]` to `[rows, outputs]`. A row's result does not depend on the others, and is the same bits on every
    /// instruction set.
    ///
    /// # Panics
    /// Where `x` is not whole rows.
    pub fn forward(&self, x: &[f32]) -> Vec<f32> {
        let (inputs, blocks) = (self.packed.depth, self.packed.bias.len());
        assert!(x.len().is_multiple_of(inputs), "rows of {inputs} values, got {} values", x.len());
        let rows = x.len() / inputs;
        let mut out = vec![Lanes::ZERO; rows * blocks];
        let layer = LinearF32 { weights: &self.packed, input: x, rows, finish: Finish::Store(&mut out) };
        dispatch(self.token, layer);
        let padded = flatten(&out);
        padded.chunks_exact(blocks * LANES).flat_map(|row| &row[..self.outputs]).copied().collect()
    }
}

/// A dot product that adds in the same order on every machine: eight lanes, then the lanes from first to last.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_lanes, a_rest) = a.as_chunks::<8>();
    let (b_lanes, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0f32; 8];
    for (x, y) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let rest = a_rest.iter().zip(b_rest).map(|(x, y)| x * y);
    sums.into_iter().chain(rest).fold(0.0, |sum, value| sum + value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instruction_set_multiplies_odd_shapes_as_written() {
        for (rows, inputs, outputs) in [(1, 1, 1), (3, 7, 5), (17, 392, 128), (5, 40, 33)] {
            let values =
                |count: usize, step: f32| -> Vec<f32> { (0..count).map(|i| (i as f32 * step).sin()).collect() };
            let (x, weight, bias) = (values(rows * inputs, 0.7), values(outputs * inputs, 1.3), values(outputs, 2.1));
            let reference = Dense::new(&weight, &bias, InstructionSet::Scalar).forward(&x);
            for (index, &got) in reference.iter().enumerate() {
                let (row, column) = (index / outputs, index % outputs);
                let pairs = x[row * inputs..][..inputs].iter().zip(&weight[column * inputs..][..inputs]);
                let sum = pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>() + f64::from(bias[column]);
                assert!((f64::from(got) - sum).abs() < 1e-4, "[{rows}, {inputs}] to {outputs}: {got} for {sum}");
            }
            for instruction_set in InstructionSet::available() {
                assert_eq!(Dense::new(&weight, &bias, instruction_set).forward(&x), reference, "{instruction_set}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "rows of 3 values")]
    fn a_part_of_a_row_is_refused() {
        Dense::new(&[1.0; 6], &[0.0; 2], InstructionSet::Scalar).forward(&[0.0; 4]);
    }
}
