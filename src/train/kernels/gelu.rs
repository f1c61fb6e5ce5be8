//! The exact (erf) GELU and its derivative in one pass.

use super::{exp_nonpositive, vectorized};
use crate::engine::kernels::{Kernel, Simd};

vectorized! {
    /// Writes GELU(x) to `activation` and replaces each x in `x` by the derivative GELU′(x).
    ///
    /// GELU(x) = x·Φ(x) and GELU′(x) = Φ(x) + x·φ(x). Φ comes from erf by formula 7.1.26 of Abramowitz and Stegun
    /// (absolute error ≤ 1.5e-7), whose exponential is φ up to a constant, so both values cost one exponential.
    pub fn gelu_with_derivative(x: &mut [f32], activation: &mut [f32]) {
        for (x, out) in x.iter_mut().zip(activation) {
            let value = *x;
            let z = value.abs() * std::f32::consts::FRAC_1_SQRT_2;
            let e = exp_nonpositive(-z * z);
            let t = 1.0 / (1.0 + 0.327_591_1 * z);
            let poly = ((((1.061_405_4 * t - 1.453_152_1) * t + 1.421_413_8) * t - 0.284_496_72) * t + 0.254_829_6) * t;
            // Upper tail 1 - Φ(|x|); the lower tail follows by symmetry.
            let tail = 0.5 * poly * e;
            let cdf = if value >= 0.0 { 1.0 - tail } else { tail };
            *out = value * cdf;
            // 1/√(2π)
            *x = cdf + value * 0.398_942_3 * e;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Φ by numerical integration of φ in f64 (Simpson's rule), independent of any erf formula.
    fn cdf(x: f64) -> f64 {
        let steps = 2000;
        let h = x / f64::from(steps);
        let phi = |t: f64| (-t * t / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let mut sum = phi(0.0) + phi(x);
        for i in 1..steps {
            sum += phi(f64::from(i) * h) * if i % 2 == 1 { 4.0 } else { 2.0 };
        }
        0.5 + sum * h / 3.0
    }

    #[test]
    fn value_and_derivative_match_the_definition() {
        let inputs: Vec<f32> = (-160..=160).map(|i| i as f32 / 20.0).collect();
        let mut derivative = inputs.clone();
        let mut activation = vec![0.0; inputs.len()];
        gelu_with_derivative(&mut derivative, &mut activation);
        for ((&x, &dx), &y) in inputs.iter().zip(&derivative).zip(&activation) {
            let x = f64::from(x);
            let phi = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
            assert!((f64::from(y) - x * cdf(x)).abs() < 2e-6, "gelu({x})");
            assert!((f64::from(dx) - (cdf(x) + x * phi)).abs() < 2e-6, "gelu'({x})");
        }
    }
}
