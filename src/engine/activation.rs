//! Functions between layers, by the names that checkpoints use.

use serde::{Deserialize, Serialize};

/// What is applied to every value that a layer gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x · Φ(x)` with the normal distribution function itself.
    Gelu,
    /// The same with Φ approximated by tanh.
    GeluTanh,
    /// `max(x, 0)`.
    Relu,
    /// `x / (1 + e^-x)`.
    Silu,
    /// The hyperbolic tangent.
    Tanh,
}

impl Activation {
    /// The names that are known, for messages.
    pub const NAMES: &str = "gelu, gelu_new, relu, silu or tanh";

    /// The function that Hugging Face's `config.json` calls so.
    pub fn from_name(name: &str) -> Option<Activation> {
        Some(match name {
            "gelu" | "gelu_python" => Activation::Gelu,
            "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" | "gelu_accurate" => Activation::GeluTanh,
            "relu" => Activation::Relu,
            "silu" | "swish" => Activation::Silu,
            "tanh" => Activation::Tanh,
            _ => return None,
        })
    }

    /// The name that Hugging Face's `config.json` has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Activation::Gelu => "gelu",
            Activation::GeluTanh => "gelu_new",
            Activation::Relu => "relu",
            Activation::Silu => "silu",
            Activation::Tanh => "tanh",
        }
    }

    /// The function's value.
    pub fn of(self, x: f32) -> f32 {
        match self {
            Activation::Gelu => x * normal_distribution(x),
            Activation::GeluTanh => {
                // √(2/π)
                let inner = 0.797_884_6 * (x + 0.044_715 * x * x * x);
                0.5 * x * (1.0 + inner.tanh())
            }
            Activation::Relu => x.max(0.0),
            Activation::Silu => x / (1.0 + (-x).exp()),
            Activation::Tanh => x.tanh(),
        }
    }

    /// Replaces every value by the function's.
    pub fn apply(self, values: &mut [f32]) {
        values.iter_mut().for_each(|value| *value = self.of(*value));
    }
}

/// Φ from erf by formula 7.1.26 of Abramowitz and Stegun, absolute error below 2e-7.
fn normal_distribution(x: f32) -> f32 {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let poly = ((((1.061_405_4 * t - 1.453_152_1) * t + 1.421_413_8) * t - 0.284_496_72) * t + 0.254_829_6) * t;
    let tail = 0.5 * poly * (-z * z).exp();
    if x >= 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_have_the_values_of_tables_and_are_found_by_their_names() {
        // Φ(1) and Φ(2) from tables.
        assert!((Activation::Gelu.of(1.0) - 0.841_344_7).abs() < 1e-6);
        assert!((Activation::Gelu.of(-2.0) + 2.0 * 0.022_750_132).abs() < 1e-6);
        assert!((Activation::GeluTanh.of(1.0) - 0.841_192).abs() < 1e-5);
        assert!((Activation::Silu.of(1.0) - 0.731_058_6).abs() < 1e-6);
        assert_eq!((Activation::Relu.of(-3.0), Activation::Relu.of(3.0)), (0.0, 3.0));
        for x in [-60.0, 60.0] {
            assert!(Activation::Gelu.of(x).is_finite() && Activation::Silu.of(x).is_finite(), "{x}");
        }
        for activation in [Activation::Gelu, Activation::GeluTanh, Activation::Relu, Activation::Silu, Activation::Tanh]
        {
            assert_eq!(Activation::from_name(activation.name()), Some(activation));
        }
        assert_eq!(Activation::from_name("softmax"), None);
    }
}
