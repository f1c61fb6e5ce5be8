//! How probabilities are written.

/// Writes a probability with at most six decimals, without trailing zeros, and always with a decimal point.
///
/// Six decimals keep apart what f32 can near 1, where a spam filter's thresholds lie, and hide the last bits, in which
/// instruction sets differ.
pub(super) fn push_probability(out: &mut Vec<u8>, probability: f32) {
    let digits = format!("{probability:.6}");
    let digits = digits.trim_end_matches('0');
    out.extend_from_slice(digits.as_bytes());
    if digits.ends_with('.') {
        out.push(b'0');
    }
}

/// A probability as it is written, with at most six decimals: `0.9` for the `f32` that is nearest to it.
pub(super) fn as_written(probability: f32) -> f64 {
    (f64::from(probability) * 1e6).round_ties_even() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_short_and_stay_fractions() {
        let written = |probability| {
            let mut out = Vec::new();
            push_probability(&mut out, probability);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(0.97), "0.97");
        assert_eq!(written(1.0), "1.0");
        assert_eq!(written(0.0), "0.0");
        assert_eq!(written(1e-9), "0.0");
        assert_eq!(written(1.0 / 3.0), "0.333333");
        assert_eq!(written(0.999_999_9), "1.0");
    }
    #[test]
    fn a_number_is_the_one_that_is_written() {
        for probability in [0.9, 0.1, 1.0 / 3.0, 0.999_999_9, 1e-9, 0.007_812_5, 0.023_437_5, 0.5, 0.0, 1.0] {
            let mut out = Vec::new();
            push_probability(&mut out, probability);
            assert_eq!(String::from_utf8(out).unwrap().parse(), Ok(as_written(probability)), "{probability}");
        }
    }
}
