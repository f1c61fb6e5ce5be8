//! Portable implementation and the reference for all others: plain arrays, one lane after the other.

use super::lanes::{LANES, Lanes, WeightGroup};
use super::simd::{Kernel, Simd};
use std::array::from_fn;

/// Sixteen lanes in arrays; runs on every CPU.
#[derive(Clone, Copy, Debug)]
pub struct Scalar;

fn reduce(value: [f32; LANES], combine: impl Fn(f32, f32) -> f32 + Copy) -> f32 {
    let mut value = value;
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            value[lane] = combine(value[lane], value[lane + width]);
        }
        width /= 2;
    }
    value[0]
}

impl Simd for Scalar {
    type F32 = [f32; LANES];
    type I32 = [i32; LANES];
    type Weights = [i8; 64];
    type Activation = [u8; 4];

    const PANEL: usize = 1;
    const ROWS_F32: usize = 2;
    const ROWS_I8: usize = 2;
    const WIDE: bool = false;

    fn vectorize<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    fn prefetch(self, _: *const u8) {}

    fn splat(self, value: f32) -> Self::F32 {
        [value; LANES]
    }

    fn load(self, from: &Lanes) -> Self::F32 {
        from.0
    }

    fn store(self, value: Self::F32, to: &mut Lanes) {
        to.0 = value;
    }

    fn load_unaligned(self, from: &[f32; LANES]) -> Self::F32 {
        *from
    }

    fn load_i8(self, from: &[i8; LANES]) -> Self::F32 {
        from.map(f32::from)
    }

    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        from_fn(|lane| a[lane] + b[lane])
    }

    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        from_fn(|lane| a[lane] - b[lane])
    }

    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        from_fn(|lane| a[lane] * b[lane])
    }

    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        from_fn(|lane| a[lane].mul_add(b[lane], c[lane]))
    }

    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        from_fn(|lane| if a[lane] > b[lane] { a[lane] } else { b[lane] })
    }

    fn min(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        from_fn(|lane| if a[lane] < b[lane] { a[lane] } else { b[lane] })
    }

    fn abs(self, a: Self::F32) -> Self::F32 {
        a.map(f32::abs)
    }

    fn shift_exponent(self, value: Self::F32, shifter: Self::F32) -> Self::F32 {
        from_fn(|lane| f32::from_bits(value[lane].to_bits().wrapping_add(shifter[lane].to_bits() << 23)))
    }

    fn keep_first(self, value: Self::F32, count: usize, fill: f32) -> Self::F32 {
        from_fn(|lane| if lane < count { value[lane] } else { fill })
    }

    fn sum(self, value: Self::F32) -> f32 {
        reduce(value, |a, b| a + b)
    }

    fn max_lane(self, value: Self::F32) -> f32 {
        reduce(value, |a, b| if a > b { a } else { b })
    }

    fn min_lane(self, value: Self::F32) -> f32 {
        reduce(value, |a, b| if a < b { a } else { b })
    }

    fn splat_i32(self, value: i32) -> Self::I32 {
        [value; LANES]
    }

    fn load_i32(self, from: &[i32; LANES]) -> Self::I32 {
        *from
    }

    fn add_i32(self, a: Self::I32, b: Self::I32) -> Self::I32 {
        from_fn(|lane| a[lane].wrapping_add(b[lane]))
    }

    fn sum_i32(self, a: Self::I32) -> i32 {
        a.into_iter().fold(0, i32::wrapping_add)
    }

    fn to_f32(self, a: Self::I32) -> Self::F32 {
        a.map(|value| value as f32)
    }

    fn to_i32(self, a: Self::F32) -> Self::I32 {
        a.map(|value| value.round_ties_even() as i32)
    }

    fn store_u8(self, a: Self::I32, to: &mut [u8; LANES]) {
        *to = a.map(|value| value as u8);
    }

    fn store_i8(self, a: Self::I32, to: &mut [i8; LANES]) {
        *to = a.map(|value| value as i8);
    }

    fn store_i32(self, a: Self::I32, to: &mut [i32; LANES]) {
        *to = a;
    }

    fn interleave(self, rows: [Self::I32; 4], to: &mut WeightGroup) {
        to.0 = from_fn(|index| rows[index % 4][index / 4] as i8);
    }

    fn load_weights(self, from: &WeightGroup) -> Self::Weights {
        from.0
    }

    fn load_activation(self, from: [u8; 4]) -> Self::Activation {
        from
    }

    fn dot(self, sum: Self::I32, activation: Self::Activation, weights: Self::Weights) -> Self::I32 {
        from_fn(|column| {
            (0..4).fold(sum[column], |sum, k| sum + i32::from(activation[k]) * i32::from(weights[column * 4 + k]))
        })
    }
}
