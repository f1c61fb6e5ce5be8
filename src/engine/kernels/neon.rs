//! NEON: four registers per virtual vector. Two flavours differ in the int8 dot product alone: `sdot` where the CPU has
//! the dot product extension, else widening products.
//!
//! Both multiply signed by signed bytes, which activations of seven bits are as well.

use super::lanes::{LANES, Lanes, WeightGroup};
use super::simd::{Kernel, Simd};
use core::arch::aarch64::*;

/// Proof that the CPU has NEON.
#[derive(Clone, Copy, Debug)]
pub struct Neon(());

/// Proof that the CPU has NEON and the dot product extension.
#[derive(Clone, Copy, Debug)]
pub struct NeonDot(());

impl Neon {
    /// The token, where the CPU has the instructions.
    pub fn new() -> Option<Neon> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Neon(()))
    }
}

impl NeonDot {
    /// The token, where the CPU has the instructions.
    pub fn new() -> Option<NeonDot> {
        (Neon::new().is_some() && std::arch::is_aarch64_feature_detected!("dotprod")).then_some(NeonDot(()))
    }
}

#[target_feature(enable = "neon")]
fn run_with_neon<K: Kernel>(s: Neon, kernel: K) -> K::Output {
    kernel.run(s)
}

#[target_feature(enable = "neon,dotprod")]
fn run_with_dot<K: Kernel>(s: NeonDot, kernel: K) -> K::Output {
    kernel.run(s)
}

/// One expression for each of the four registers.
macro_rules! quarters {
    (|$index:ident| $value:expr) => {{
        // SAFETY: the token that the caller holds proves the features; pointers come from references to sixteen lanes.
        unsafe {
            [
                {
                    let $index = 0;
                    $value
                },
                {
                    let $index = 1;
                    $value
                },
                {
                    let $index = 2;
                    $value
                },
                {
                    let $index = 3;
                    $value
                },
            ]
        }
    }};
}

/// The low bytes of four registers of i32, by truncation.
#[inline]
#[target_feature(enable = "neon")]
fn low_bytes(a: [int32x4_t; 4]) -> int8x16_t {
    let low = vcombine_s16(vmovn_s32(a[0]), vmovn_s32(a[1]));
    let high = vcombine_s16(vmovn_s32(a[2]), vmovn_s32(a[3]));
    vcombine_s8(vmovn_s16(low), vmovn_s16(high))
}

/// Lane `i` with `i + 8`, then `+ 4`, `+ 2`, `+ 1`.
macro_rules! halving {
    ($value:ident, $op:ident, $op_pair:ident) => {{
        // SAFETY: the token that the caller holds proves the features.
        unsafe {
            let value = $op($op($value[0], $value[2]), $op($value[1], $value[3]));
            let pair = $op_pair(vget_low_f32(value), vget_high_f32(value));
            vget_lane_f32::<0>($op_pair(pair, vdup_lane_f32::<1>(pair)))
        }
    }};
}

// SAFETY, for every block below: `self` exists only where `Neon::new` or `NeonDot::new` found the features that the
// intrinsics need, and pointers come from references to the full width that is read or written.

/// Everything but the dot product.
macro_rules! common {
    ($run:ident) => {
        type F32 = [float32x4_t; 4];
        type I32 = [int32x4_t; 4];
        type Weights = [int8x16_t; 4];
        type Activation = int8x16_t;

        const PANEL: usize = 1;
        const ROWS_F32: usize = 6;
        const ROWS_I8: usize = 6;
        const WIDE: bool = false;

        #[inline(always)]
        fn vectorize<K: Kernel>(self, kernel: K) -> K::Output {
            // SAFETY: `self` proves the features.
            unsafe { $run(self, kernel) }
        }

        // There is no stable prefetch intrinsic for this architecture.
        #[inline(always)]
        fn prefetch(self, _: *const u8) {}

        #[inline(always)]
        fn splat(self, value: f32) -> Self::F32 {
            quarters!(|_i| vdupq_n_f32(value))
        }

        #[inline(always)]
        fn load(self, from: &Lanes) -> Self::F32 {
            quarters!(|i| vld1q_f32(from.0.as_ptr().add(4 * i)))
        }

        #[inline(always)]
        fn store(self, value: Self::F32, to: &mut Lanes) {
            quarters!(|i| vst1q_f32(to.0.as_mut_ptr().add(4 * i), value[i]));
        }

        #[inline(always)]
        fn load_unaligned(self, from: &[f32; LANES]) -> Self::F32 {
            quarters!(|i| vld1q_f32(from.as_ptr().add(4 * i)))
        }

        #[inline(always)]
        fn load_i8(self, from: &[i8; LANES]) -> Self::F32 {
            // SAFETY: `self` proves the features; the reference covers 16 bytes.
            unsafe {
                let bytes = vld1q_s8(from.as_ptr());
                let (low, high) = (vmovl_s8(vget_low_s8(bytes)), vmovl_s8(vget_high_s8(bytes)));
                [
                    vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))),
                    vcvtq_f32_s32(vmovl_s16(vget_high_s16(low))),
                    vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))),
                    vcvtq_f32_s32(vmovl_s16(vget_high_s16(high))),
                ]
            }
        }

        #[inline(always)]
        fn add(self, a: Self::F32, b: Self::F32) -> Self::F32 {
            quarters!(|i| vaddq_f32(a[i], b[i]))
        }

        #[inline(always)]
        fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32 {
            quarters!(|i| vsubq_f32(a[i], b[i]))
        }

        #[inline(always)]
        fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32 {
            quarters!(|i| vmulq_f32(a[i], b[i]))
        }

        #[inline(always)]
        fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
            quarters!(|i| vfmaq_f32(c[i], a[i], b[i]))
        }

        #[inline(always)]
        fn max(self, a: Self::F32, b: Self::F32) -> Self::F32 {
            quarters!(|i| vmaxq_f32(a[i], b[i]))
        }

        #[inline(always)]
        fn min(self, a: Self::F32, b: Self::F32) -> Self::F32 {
            quarters!(|i| vminq_f32(a[i], b[i]))
        }

        #[inline(always)]
        fn abs(self, a: Self::F32) -> Self::F32 {
            quarters!(|i| vabsq_f32(a[i]))
        }

        #[inline(always)]
        fn shift_exponent(self, value: Self::F32, shifter: Self::F32) -> Self::F32 {
            quarters!(|i| {
                let shift = vshlq_n_s32::<23>(vreinterpretq_s32_f32(shifter[i]));
                vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(value[i]), shift))
            })
        }

        #[inline(always)]
        fn keep_first(self, value: Self::F32, count: usize, fill: f32) -> Self::F32 {
            const LANE: [u32; 4] = [0, 1, 2, 3];
            let count = count.min(LANES) as u32;
            quarters!(|i| {
                let lane = vaddq_u32(vld1q_u32(LANE.as_ptr()), vdupq_n_u32(4 * i as u32));
                vbslq_f32(vcltq_u32(lane, vdupq_n_u32(count)), value[i], vdupq_n_f32(fill))
            })
        }

        #[inline(always)]
        fn sum(self, value: Self::F32) -> f32 {
            halving!(value, vaddq_f32, vadd_f32)
        }

        #[inline(always)]
        fn max_lane(self, value: Self::F32) -> f32 {
            halving!(value, vmaxq_f32, vmax_f32)
        }

        #[inline(always)]
        fn min_lane(self, value: Self::F32) -> f32 {
            halving!(value, vminq_f32, vmin_f32)
        }

        #[inline(always)]
        fn splat_i32(self, value: i32) -> Self::I32 {
            quarters!(|_i| vdupq_n_s32(value))
        }

        #[inline(always)]
        fn load_i32(self, from: &[i32; LANES]) -> Self::I32 {
            quarters!(|i| vld1q_s32(from.as_ptr().add(4 * i)))
        }

        #[inline(always)]
        fn add_i32(self, a: Self::I32, b: Self::I32) -> Self::I32 {
            quarters!(|i| vaddq_s32(a[i], b[i]))
        }

        #[inline(always)]
        fn sum_i32(self, a: Self::I32) -> i32 {
            // SAFETY: `self` proves the features.
            unsafe { vaddvq_s32(vaddq_s32(vaddq_s32(a[0], a[1]), vaddq_s32(a[2], a[3]))) }
        }

        #[inline(always)]
        fn to_f32(self, a: Self::I32) -> Self::F32 {
            quarters!(|i| vcvtq_f32_s32(a[i]))
        }

        #[inline(always)]
        fn to_i32(self, a: Self::F32) -> Self::I32 {
            quarters!(|i| vcvtnq_s32_f32(a[i]))
        }

        #[inline(always)]
        fn store_u8(self, a: Self::I32, to: &mut [u8; LANES]) {
            // SAFETY: `self` proves the features; the reference covers 16 bytes.
            unsafe { vst1q_u8(to.as_mut_ptr(), vreinterpretq_u8_s8(low_bytes(a))) }
        }

        #[inline(always)]
        fn store_i8(self, a: Self::I32, to: &mut [i8; LANES]) {
            // SAFETY: `self` proves the features; the reference covers 16 bytes.
            unsafe { vst1q_s8(to.as_mut_ptr(), low_bytes(a)) }
        }

        #[inline(always)]
        fn store_i32(self, a: Self::I32, to: &mut [i32; LANES]) {
            quarters!(|i| vst1q_s32(to.as_mut_ptr().add(4 * i), a[i]));
        }

        #[inline(always)]
        fn interleave(self, rows: [Self::I32; 4], to: &mut WeightGroup) {
            // SAFETY: `self` proves the features; `vst4q_s8` writes the 64 bytes of the group.
            unsafe {
                let rows = int8x16x4_t(low_bytes(rows[0]), low_bytes(rows[1]), low_bytes(rows[2]), low_bytes(rows[3]));
                vst4q_s8(to.0.as_mut_ptr(), rows);
            }
        }

        #[inline(always)]
        fn load_weights(self, from: &WeightGroup) -> Self::Weights {
            quarters!(|i| vld1q_s8(from.0.as_ptr().add(16 * i)))
        }

        #[inline(always)]
        fn load_activation(self, from: [u8; 4]) -> int8x16_t {
            // SAFETY: `self` proves the features.
            unsafe { vreinterpretq_s8_u32(vdupq_n_u32(u32::from_le_bytes(from))) }
        }
    };
}

impl Simd for NeonDot {
    common!(run_with_dot);

    #[inline(always)]
    fn dot(self, sum: Self::I32, activation: int8x16_t, weights: Self::Weights) -> Self::I32 {
        let mut sum = sum;
        for (sum, weights) in sum.iter_mut().zip(weights) {
            // The intrinsic `vdotq_s32` is not stable yet.
            // SAFETY: `self` proves the dot product extension; the instruction touches registers alone.
            unsafe {
                core::arch::asm!(
                    "sdot {sum:v}.4s, {weights:v}.16b, {activation:v}.16b",
                    sum = inout(vreg) *sum,
                    weights = in(vreg) weights,
                    activation = in(vreg) activation,
                    options(pure, nomem, nostack, preserves_flags),
                );
            }
        }
        sum
    }
}

impl Simd for Neon {
    common!(run_with_neon);

    #[inline(always)]
    fn dot(self, sum: Self::I32, activation: int8x16_t, weights: Self::Weights) -> Self::I32 {
        quarters!(|i| {
            // |products| <= 127 · 127 fit i16; their sums in pairs are made in i32.
            let low = vmull_s8(vget_low_s8(weights[i]), vget_low_s8(activation));
            let high = vmull_s8(vget_high_s8(weights[i]), vget_high_s8(activation));
            vaddq_s32(sum[i], vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)))
        })
    }
}
