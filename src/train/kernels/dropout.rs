//! Dropout masks, one byte per element.

use super::vectorized;
use crate::engine::kernels::{Kernel, Simd};
use crate::random::SplitMix64;

/// Fills `mask` with 1 for "keep" and 0 for "drop", each byte independently dropped with a probability of
/// `drop_256ths / 256`.
///
/// A number of `random` decides for eight bytes, and nothing else does, so that a resumed run draws the same masks.
pub fn fill_dropout_mask(mask: &mut [u8], drop_256ths: u8, random: &mut SplitMix64) {
    for chunk in mask.chunks_mut(8) {
        for (keep, byte) in chunk.iter_mut().zip(random.next_u64().to_le_bytes()) {
            *keep = u8::from(byte >= drop_256ths);
        }
    }
}

vectorized! {
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
        let mut random = SplitMix64::new(7);
        fill_dropout_mask(&mut mask, 26, &mut random);
        let kept = mask.iter().map(|&keep| usize::from(keep)).sum::<usize>() as f64 / mask.len() as f64;
        assert!((kept - 230.0 / 256.0).abs() < 0.005, "kept {kept}");
        let mut again = vec![0; 1 << 16];
        fill_dropout_mask(&mut again, 26, &mut SplitMix64::new(7));
        assert_eq!(mask, again);
        fill_dropout_mask(&mut again, 26, &mut random);
        assert_ne!(mask, again);
    }
}
