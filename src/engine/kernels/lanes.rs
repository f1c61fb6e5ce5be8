//! Aligned storage for vectors of sixteen lanes.

/// Lanes of the virtual vector that all kernels are written for.
pub const LANES: usize = 16;

/// Sixteen f32 on a cache line of their own. Buffers are slices of these, so loads never straddle two lines and
/// no kernel has a tail: widths are padded with zeros to a multiple of [`LANES`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(64))]
pub struct Lanes(pub [f32; LANES]);

impl Lanes {
    /// All lanes zero.
    pub const ZERO: Lanes = Lanes([0.0; LANES]);
}

/// Sixteen columns × four consecutive `k` of int8 weights, `[column][k]`: the operand of one `vpdpbusd`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct WeightGroup(pub [i8; 64]);

impl WeightGroup {
    /// All weights zero.
    pub const ZERO: WeightGroup = WeightGroup([0; 64]);
}

/// The same memory as single floats.
pub fn flatten(lanes: &[Lanes]) -> &[f32] {
    // SAFETY: `Lanes` is `repr(C)` around `[f32; 16]` with size 64 and no padding, so the slice is
    // `16 * len` initialised floats with a stricter alignment than needed.
    unsafe { std::slice::from_raw_parts(lanes.as_ptr().cast(), lanes.len() * LANES) }
}

/// The same memory as single floats, writable.
pub fn flatten_mut(lanes: &mut [Lanes]) -> &mut [f32] {
    // SAFETY: as in `flatten`; the exclusive borrow of `lanes` passes on to the result.
    unsafe { std::slice::from_raw_parts_mut(lanes.as_mut_ptr().cast(), lanes.len() * LANES) }
}

/// Grows a buffer to at least `length`; what it held beyond stays, so a steady state allocates nothing.
pub fn grow<T: Copy>(buffer: &mut Vec<T>, length: usize, value: T) {
    if buffer.len() < length {
        buffer.resize(length, value);
    }
}

/// Vectors needed for `width` values, the last one padded.
pub const fn blocks_needed(width: usize) -> usize {
    width.div_ceil(LANES)
}

/// Position of a vector in panels of `panel` column vectors (the last may be narrower): vector `block` of `blocks`, step `k` of
/// `depth`.
#[inline(always)]
pub fn panel_index(panel: usize, blocks: usize, depth: usize, block: usize, k: usize) -> usize {
    let first = block - block % panel;
    let width = panel.min(blocks - first);
    first * depth + k * width + block - first
}
