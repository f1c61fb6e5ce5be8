//! exp and GELU as polynomials, with their error bounds. Coefficients are minimax fits (Remez exchange) found for
//! this crate; the tests measure the bounds against f64 on dense grids.

use super::simd::Simd;

/// `1.5 · 2^23`: adding it to `|x| < 2^22` rounds `x` to an integer, which then stands in the low mantissa bits.
pub const SHIFTER: f32 = 12_582_912.0;

/// 2^f on -1/2..1/2, relative error 2e-7 with rounding.
const EXP2: [f32; 6] = [1.000_000_1, 0.693_146_94, 0.240_221_2, 0.055_507_13, 0.009_675_541, 0.001_327_647_1];
/// 2^f on -1/2..1/2, relative error 7.5e-5.
const EXP2_SHORT: [f32; 4] = [0.999_928_06, 0.693_260_97, 0.242_611_13, 0.055_171_67];

/// Smallest exponent; one above the limit of normal numbers, because the polynomial may be below 1.
const EXP2_MIN: f32 = -125.0;

#[inline(always)]
fn horner<S: Simd>(s: S, coefficients: &[f32], x: S::F32) -> S::F32 {
    let (last, rest) = coefficients.split_last().expect("a polynomial has coefficients; this is a bug");
    let mut value = s.splat(*last);
    for &coefficient in rest.iter().rev() {
        value = s.mul_add(value, x, s.splat(coefficient));
    }
    value
}

#[inline(always)]
fn exp2_by<S: Simd>(s: S, coefficients: &[f32], x: S::F32) -> S::F32 {
    let x = s.max(x, s.splat(EXP2_MIN));
    let shifter = s.add(x, s.splat(SHIFTER));
    let integer = s.sub(shifter, s.splat(SHIFTER));
    s.shift_exponent(horner(s, coefficients, s.sub(x, integer)), shifter)
}

/// `2^x` for `x <= 0`, relative error below 3e-7; below -125 it stays at `2^-125`.
#[inline(always)]
pub fn exp2<S: Simd>(s: S, x: S::F32) -> S::F32 {
    exp2_by(s, &EXP2, x)
}

/// `2^x` for `x <= 0`, relative error below 8e-5: enough for a result that is rounded to eight bits.
#[inline(always)]
pub fn exp2_short<S: Simd>(s: S, x: S::F32) -> S::F32 {
    exp2_by(s, &EXP2_SHORT, x)
}

/// A fit of `(Φ(y) - 1/2) / y` over `-limit..limit`, Φ being the normal distribution function, as a polynomial in
/// `2 y² / limit² - 1`. That variable runs over -1..1, where the monomials are well conditioned in f32. The last
/// equation of the fit makes `Φ(-limit)` vanish, so that the clamped function stays flat beyond.
struct NormalDistribution<const N: usize> {
    limit: f32,
    coefficients: [f32; N],
}

const NORMAL: NormalDistribution<14> = NormalDistribution {
    limit: 5.5,
    coefficients: [
        0.128_551_95,
        -0.064_171_96,
        0.047_735_672,
        -0.038_805_287,
        0.032_112_576,
        -0.025_936_184,
        0.020_034_973,
        -0.015_396_462,
        0.011_412_509,
        -0.006_247_528_4,
        0.002_488_938_6,
        -0.002_559_944_3,
        0.002_586_916_3,
        -0.000_897_073_94,
    ],
};

const NORMAL_SHORT: NormalDistribution<6> = NormalDistribution {
    limit: 3.7,
    coefficients: [0.189_428_78, -0.087_752_73, 0.054_161_195, -0.035_554_502, 0.022_215_11, -0.007_362_718_7],
};

impl<const N: usize> NormalDistribution<N> {
    #[inline(always)]
    fn gelu<S: Simd>(&self, s: S, x: S::F32) -> S::F32 {
        let y = s.max(s.min(x, s.splat(self.limit)), s.splat(-self.limit));
        let scaled = s.mul(y, s.splat(2.0 / (self.limit * self.limit)));
        let variable = s.mul_add(y, scaled, s.splat(-1.0));
        let slope = horner(s, &self.coefficients, variable);
        s.mul(x, s.mul_add(y, slope, s.splat(0.5)))
    }
}

/// `x Φ(x)`, the GELU with the error function, absolute error below 2e-6 for `|x| <= 16`, and below 1.5e-7 · `|x|`
/// beyond.
#[inline(always)]
pub fn gelu<S: Simd>(s: S, x: S::F32) -> S::F32 {
    NORMAL.gelu(s, x)
}

/// `x Φ(x)` with an absolute error below 6e-4 for `|x| <= 16`: a tenth of a step, or less, of the eight bits that the result is
/// rounded to in the int8 encoder, wherever a row's values reach to 1.5.
#[inline(always)]
pub fn gelu_short<S: Simd>(s: S, x: S::F32) -> S::F32 {
    NORMAL_SHORT.gelu(s, x)
}
