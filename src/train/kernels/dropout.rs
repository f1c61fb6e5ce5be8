//! Dropout masks, one byte per element.

use super::multiversion;

/// Fills `mask` with 1 for "keep" and 0 for "drop", each byte independently dropped with a probability of
/// `drop_256ths / 256`, and returns the state for the next call.
///
/// The bytes are those of SplitMix64 (Steele, Lea, Flood 2014): eight decisions a step, and a stream that depends on
/// nothing but the seed, so that a resumed run draws the same masks.
pub fn fill_dropout_mask(mask: &mut [u8], drop_256ths: u8, mut state: u64) -> u64 {
    for chunk in mask.chunks_mut(8) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        for (keep, byte) in chunk.iter_mut().zip(z.to_le_bytes()) {
            *keep = u8::from(byte >= drop_256ths);
        }
    }
    state
}

multiversion! {
    /// Multiplies every value by its mask byte and by `scale`, the reciprocal of the share that is kept.
    ///
    /// The backward pass is the same call on the gradient.
    pub fn apply_dropout(values: &mut [f32], mask: &[u8], scale: f32) {
        for (value, &keep) in values.iter_mut().zip(mask) {
            *value *= f32::from(keep) * scale;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_repeat_with_the_seed_and_drop_the_stated_share() {
        let mut mask = vec![0; 1 << 16];
        let next = fill_dropout_mask(&mut mask, 26, 7);
        let kept = mask.iter().map(|&keep| usize::from(keep)).sum::<usize>() as f64 / mask.len() as f64;
        assert!((kept - 230.0 / 256.0).abs() < 0.005, "kept {kept}");
        let mut again = vec![0; 1 << 16];
        assert_eq!(fill_dropout_mask(&mut again, 26, 7), next);
        assert_eq!(mask, again);
    }
}
