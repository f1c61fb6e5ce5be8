//! AVX2 with FMA: two registers per virtual vector. Two flavours differ in the int8 dot product alone: `vpdpbusd` on
//! 256 bits where the CPU has AVX-VNNI, else `vpmaddubsw`, whose sums of two products fit i16 as activations have seven bits. Where
//! four do as well, two of its results are added before they are widened.

use super::gemm_i8::GROUP;
use super::lanes::{LANES, Lanes, WeightGroup};
use super::simd::{Kernel, Simd};
use core::arch::asm;
use core::arch::x86_64::*;

/// Proof that the CPU has AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

/// Proof that the CPU has AVX2, FMA and AVX-VNNI.
#[derive(Clone, Copy, Debug)]
pub struct AvxVnni(());

impl Avx2 {
    /// The token, where the CPU has the instructions.
    pub fn new() -> Option<Avx2> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Avx2(()))
    }
}

impl AvxVnni {
    /// The token, where the CPU has the instructions.
    pub fn new() -> Option<AvxVnni> {
        (Avx2::new().is_some() && is_x86_feature_detected!("avxvnni")).then_some(AvxVnni(()))
    }
}

#[target_feature(enable = "avx2,fma")]
fn run_with_avx2<K: Kernel>(s: Avx2, kernel: K) -> K::Output {
    kernel.run(s)
}

#[target_feature(enable = "avx2,fma,avxvnni")]
fn run_with_avx_vnni<K: Kernel>(s: AvxVnni, kernel: K) -> K::Output {
    kernel.run(s)
}

/// Combines the eight lanes by halving.
macro_rules! halving {
    ($name:ident, $op:ident, $op_single:ident) => {
        #[inline]
        #[target_feature(enable = "avx2")]
        pub(super) fn $name(value: __m256) -> f32 {
            let value = $op(_mm256_castps256_ps128(value), _mm256_extractf128_ps::<1>(value));
            let value = $op(value, _mm_movehl_ps(value, value));
            _mm_cvtss_f32($op_single(value, _mm_movehdup_ps(value)))
        }
    };
}
halving!(sum8, _mm_add_ps, _mm_add_ss);
halving!(max8, _mm_max_ps, _mm_max_ss);
halving!(min8, _mm_min_ps, _mm_min_ss);

/// Gathers the low byte of sixteen i32.
#[inline]
#[target_feature(enable = "avx2")]
fn low_bytes(a: [__m256i; 2]) -> __m128i {
    let byte = _mm256_setr_epi8(
        0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1,
        -1, -1, -1,
    );
    let [low, high] = a.map(|half| _mm256_shuffle_epi8(half, byte));
    let low = _mm_unpacklo_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256::<1>(low));
    let high = _mm_unpacklo_epi32(_mm256_castsi256_si128(high), _mm256_extracti128_si256::<1>(high));
    _mm_unpacklo_epi64(low, high)
}

/// [`Simd::dot_pairs`] by hand: eight of the sixteen registers hold sums, and the compiler needs one more than are left, so that it keeps
/// a sum in memory. Here the second group's weights are read where they are used.
///
/// # Safety
/// From each of `rows` twice as many groups can be read as there are pairs.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn dot_pairs(
    sums: [[__m256i; 2]; 4],
    rows: [*const [u8; GROUP]; 4],
    pairs: &[[WeightGroup; 2]],
) -> [[__m256i; 2]; 4] {
    macro_rules! row {
        ($row:literal, $low:literal, $high:literal) => {
            concat!(
                "vpbroadcastd {x}, dword ptr [{",
                $row,
                "} + {at}]\n",
                "vpbroadcastd {y}, dword ptr [{",
                $row,
                "} + {at} + 4]\n",
                "vpmaddubsw {z}, {x}, {w0}\n",
                "vpmaddubsw {u}, {y}, ymmword ptr [{w} + 64]\n",
                "vpmaddubsw {x}, {x}, {w1}\n",
                "vpmaddubsw {y}, {y}, ymmword ptr [{w} + 96]\n",
                "vpaddw {z}, {z}, {u}\n",
                "vpaddw {x}, {x}, {y}\n",
                "vpmaddwd {z}, {z}, {one}\n",
                "vpmaddwd {x}, {x}, {one}\n",
                "vpaddd {",
                $low,
                "}, {",
                $low,
                "}, {z}\n",
                "vpaddd {",
                $high,
                "}, {",
                $high,
                "}, {x}",
            )
        };
    }
    let [[mut a0, mut a1], [mut b0, mut b1], [mut c0, mut c1], [mut d0, mut d1]] = sums;
    if !pairs.is_empty() {
        // SAFETY: `pairs` has 128 aligned bytes for each pass, and from the rows eight are read in each,
        // which the caller promises.
        unsafe {
            asm!(
                "2:",
                "vmovdqa {w0}, ymmword ptr [{w}]",
                "vmovdqa {w1}, ymmword ptr [{w} + 32]",
                row!("a", "a0", "a1"),
                row!("b", "b0", "b1"),
                row!("c", "c0", "c1"),
                row!("d", "d0", "d1"),
                "add {w}, 128",
                "add {at}, 8",
                "cmp {w}, {end}",
                "jne 2b",
                a = in(reg) rows[0],
                b = in(reg) rows[1],
                c = in(reg) rows[2],
                d = in(reg) rows[3],
                at = inout(reg) 0usize => _,
                w = inout(reg) pairs.as_ptr() => _,
                end = in(reg) pairs.as_ptr_range().end,
                one = in(ymm_reg) _mm256_set1_epi16(1),
                w0 = out(ymm_reg) _,
                w1 = out(ymm_reg) _,
                x = out(ymm_reg) _,
                y = out(ymm_reg) _,
                z = out(ymm_reg) _,
                u = out(ymm_reg) _,
                a0 = inout(ymm_reg) a0,
                a1 = inout(ymm_reg) a1,
                b0 = inout(ymm_reg) b0,
                b1 = inout(ymm_reg) b1,
                c0 = inout(ymm_reg) c0,
                c1 = inout(ymm_reg) c1,
                d0 = inout(ymm_reg) d0,
                d1 = inout(ymm_reg) d1,
                options(nostack, readonly),
            );
        }
    }
    [[a0, a1], [b0, b1], [c0, c1], [d0, d1]]
}

// SAFETY, for every block below: `self` exists only where `Avx2::new` or `AvxVnni::new` found the features that the
// intrinsics need, and pointers come from references to the full width that is read or written.

/// Everything but the dot product.
macro_rules! common {
    ($run:ident) => {
        type F32 = [__m256; 2];
        type I32 = [__m256i; 2];
        type Weights = [__m256i; 2];
        type Activation = __m256i;

        const PANEL: usize = 1;
        const ROWS_F32: usize = 6;
        const WIDE: bool = false;

        #[inline(always)]
        fn vectorize<K: Kernel>(self, kernel: K) -> K::Output {
            // SAFETY: `self` proves the features.
            unsafe { $run(self, kernel) }
        }

        #[inline(always)]
        fn prefetch(self, at: *const u8) {
            // SAFETY: a prefetch never faults.
            unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) }
        }

        #[inline(always)]
        fn splat(self, value: f32) -> Self::F32 {
            // SAFETY: `self` proves the features.
            unsafe { [_mm256_set1_ps(value); 2] }
        }

        #[inline(always)]
        fn load(self, from: &Lanes) -> Self::F32 {
            // SAFETY: `self` proves the features; `Lanes` is 64 aligned bytes.
            unsafe { [_mm256_load_ps(from.0.as_ptr()), _mm256_load_ps(from.0.as_ptr().add(8))] }
        }

        #[inline(always)]
        fn store(self, value: Self::F32, to: &mut Lanes) {
            // SAFETY: `self` proves the features; `Lanes` is 64 aligned bytes.
            unsafe {
                _mm256_store_ps(to.0.as_mut_ptr(), value[0]);
                _mm256_store_ps(to.0.as_mut_ptr().add(8), value[1]);
            }
        }

        #[inline(always)]
        fn load_unaligned(self, from: &[f32; LANES]) -> Self::F32 {
            // SAFETY: `self` proves the features; the reference covers 64 bytes.
            unsafe { [_mm256_loadu_ps(from.as_ptr()), _mm256_loadu_ps(from.as_ptr().add(8))] }
        }

        #[inline(always)]
        fn load_i8(self, from: &[i8; LANES]) -> Self::F32 {
            // SAFETY: `self` proves the features; the reference covers 16 bytes.
            unsafe {
                let bytes = _mm_loadu_si128(from.as_ptr().cast());
                [
                    _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)),
                    _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_unpackhi_epi64(bytes, bytes))),
                ]
            }
        }

        #[inline(always)]
        fn add(self, a: Self::F32, b: Self::F32) -> Self::F32 {
            // SAFETY: `self` proves the features.
            unsafe { [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])] }
        }

        #[inline(always)]
        fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32 {
            // SAFETY: `self` proves the features.
            unsafe { [_mm256_sub_ps(a[0], b[0]), _mm256_sub_ps(a[1], b[1])] }
        }

        #[inline(always)]
        fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32 {
            // SAFETY: `self` proves the features.
            unsafe { [_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])] }
        }

        #[inline(always)]
        fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
            // SAFETY: `self` proves the features.
            unsafe { [_mm256_fmadd_ps(a[0], b[0], c[0]), _mm256_fmadd_ps(a[1], b[1], c[1])] }
        }

        #[inline(always)]
        fn max(self, a: Self::F32, b: Self::F32) -> Self::F32 {
            // SAFETY: `self` proves the features.
            unsafe { [_mm256_max_ps(a[0], b[0]), _mm256_max_ps(a[1], b[1])] }
        }

        #[inline(always)]
        fn min(self, a: Self::F32, b: Self::F32) -> Self::F32 {
            // SAFETY: `self` proves the features.
            unsafe { [_mm256_min_ps(a[0], b[0]), _mm256_min_ps(a[1], b[1])] }
        }

        #[inline(always)]
        fn abs(self, a: Self::F32) -> Self::F32 {
            // SAFETY: `self` proves the features.
            unsafe {
                let sign = _mm256_set1_ps(-0.0);
                [_mm256_andnot_ps(sign, a[0]), _mm256_andnot_ps(sign, a[1])]
            }
        }

        #[inline(always)]
        fn shift_exponent(self, value: Self::F32, shifter: Self::F32) -> Self::F32 {
            // SAFETY: `self` proves the features.
            unsafe {
                let shift = |value, shifter| {
                    let shift = _mm256_slli_epi32::<23>(_mm256_castps_si256(shifter));
                    _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(value), shift))
                };
                [shift(value[0], shifter[0]), shift(value[1], shifter[1])]
            }
        }

        #[inline(always)]
        fn keep_first(self, value: Self::F32, count: usize, fill: f32) -> Self::F32 {
            // SAFETY: `self` proves the features.
            unsafe {
                let count = _mm256_set1_epi32(count.min(LANES) as i32);
                let fill = _mm256_set1_ps(fill);
                let keep = |value, first| {
                    let lane = _mm256_add_epi32(_mm256_set1_epi32(first), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
                    _mm256_blendv_ps(fill, value, _mm256_castsi256_ps(_mm256_cmpgt_epi32(count, lane)))
                };
                [keep(value[0], 0), keep(value[1], 8)]
            }
        }

        #[inline(always)]
        fn sum(self, value: Self::F32) -> f32 {
            // SAFETY: `self` proves the features.
            unsafe { sum8(_mm256_add_ps(value[0], value[1])) }
        }

        #[inline(always)]
        fn max_lane(self, value: Self::F32) -> f32 {
            // SAFETY: `self` proves the features.
            unsafe { max8(_mm256_max_ps(value[0], value[1])) }
        }

        #[inline(always)]
        fn min_lane(self, value: Self::F32) -> f32 {
            // SAFETY: `self` proves the features.
            unsafe { min8(_mm256_min_ps(value[0], value[1])) }
        }

        #[inline(always)]
        fn splat_i32(self, value: i32) -> Self::I32 {
            // SAFETY: `self` proves the features.
            unsafe { [_mm256_set1_epi32(value); 2] }
        }

        #[inline(always)]
        fn load_i32(self, from: &[i32; LANES]) -> Self::I32 {
            // SAFETY: `self` proves the features; the reference covers 64 bytes.
            unsafe { [_mm256_loadu_si256(from.as_ptr().cast()), _mm256_loadu_si256(from.as_ptr().add(8).cast())] }
        }

        #[inline(always)]
        fn add_i32(self, a: Self::I32, b: Self::I32) -> Self::I32 {
            // SAFETY: `self` proves the features.
            unsafe { [_mm256_add_epi32(a[0], b[0]), _mm256_add_epi32(a[1], b[1])] }
        }

        #[inline(always)]
        fn sum_i32(self, a: Self::I32) -> i32 {
            let mut lanes = [0i32; 8];
            // SAFETY: `self` proves the features; `lanes` is 32 bytes.
            unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), _mm256_add_epi32(a[0], a[1])) }
            lanes.into_iter().fold(0, i32::wrapping_add)
        }

        #[inline(always)]
        fn to_f32(self, a: Self::I32) -> Self::F32 {
            // SAFETY: `self` proves the features.
            unsafe { [_mm256_cvtepi32_ps(a[0]), _mm256_cvtepi32_ps(a[1])] }
        }

        #[inline(always)]
        fn to_i32(self, a: Self::F32) -> Self::I32 {
            // SAFETY: `self` proves the features.
            unsafe { [_mm256_cvtps_epi32(a[0]), _mm256_cvtps_epi32(a[1])] }
        }

        #[inline(always)]
        fn store_u8(self, a: Self::I32, to: &mut [u8; LANES]) {
            // SAFETY: `self` proves the features; the reference covers 16 bytes.
            unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), low_bytes(a)) }
        }

        #[inline(always)]
        fn store_i8(self, a: Self::I32, to: &mut [i8; LANES]) {
            // SAFETY: `self` proves the features; the reference covers 16 bytes.
            unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), low_bytes(a)) }
        }

        #[inline(always)]
        fn store_i32(self, a: Self::I32, to: &mut [i32; LANES]) {
            // SAFETY: `self` proves the features; the reference covers 64 bytes.
            unsafe {
                _mm256_storeu_si256(to.as_mut_ptr().cast(), a[0]);
                _mm256_storeu_si256(to.as_mut_ptr().add(8).cast(), a[1]);
            }
        }

        #[inline(always)]
        fn interleave(self, rows: [Self::I32; 4], to: &mut WeightGroup) {
            for half in 0..2 {
                // SAFETY: `self` proves the features; `WeightGroup` is 64 aligned bytes, two halves of 32.
                unsafe {
                    let byte = _mm256_set1_epi32(0xff);
                    let second = _mm256_slli_epi32::<8>(_mm256_and_si256(rows[1][half], byte));
                    let third = _mm256_slli_epi32::<16>(_mm256_and_si256(rows[2][half], byte));
                    let low = _mm256_or_si256(_mm256_and_si256(rows[0][half], byte), second);
                    let high = _mm256_or_si256(third, _mm256_slli_epi32::<24>(rows[3][half]));
                    _mm256_store_si256(to.0.as_mut_ptr().add(32 * half).cast(), _mm256_or_si256(low, high));
                }
            }
        }

        #[inline(always)]
        fn load_weights(self, from: &WeightGroup) -> Self::Weights {
            // SAFETY: `self` proves the features; `WeightGroup` is 64 aligned bytes.
            unsafe { [_mm256_load_si256(from.0.as_ptr().cast()), _mm256_load_si256(from.0.as_ptr().add(32).cast())] }
        }

        #[inline(always)]
        fn load_activation(self, from: [u8; 4]) -> __m256i {
            // SAFETY: `self` proves the features.
            unsafe { _mm256_set1_epi32(i32::from_le_bytes(from)) }
        }
    };
}

impl Simd for AvxVnni {
    common!(run_with_avx_vnni);

    const ROWS_I8: usize = 6;

    #[inline(always)]
    fn dot(self, sum: Self::I32, activation: __m256i, weights: Self::Weights) -> Self::I32 {
        // SAFETY: `self` proves the features.
        unsafe {
            [
                _mm256_dpbusd_avx_epi32(sum[0], activation, weights[0]),
                _mm256_dpbusd_avx_epi32(sum[1], activation, weights[1]),
            ]
        }
    }
}

impl Simd for Avx2 {
    common!(run_with_avx2);

    const ROWS_I8: usize = 4;
    const PAIRS: bool = true;

    #[inline(always)]
    fn dot(self, sum: Self::I32, activation: __m256i, weights: Self::Weights) -> Self::I32 {
        // SAFETY: `self` proves the features.
        unsafe {
            let half = |sum, weights| {
                // At most 2 · 127 · 127 in magnitude, so nothing saturates.
                let pairs = _mm256_maddubs_epi16(activation, weights);
                _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
            };
            [half(sum[0], weights[0]), half(sum[1], weights[1])]
        }
    }

    #[inline(always)]
    fn dot_pair(self, sum: Self::I32, activations: [__m256i; 2], weights: [Self::Weights; 2]) -> Self::I32 {
        // SAFETY: `self` proves the features.
        unsafe {
            let half = |sum, first, second| {
                // Four products together fit 16 bits with weights that fit pairs.
                let pairs = _mm256_add_epi16(
                    _mm256_maddubs_epi16(activations[0], first),
                    _mm256_maddubs_epi16(activations[1], second),
                );
                _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
            };
            [half(sum[0], weights[0][0], weights[1][0]), half(sum[1], weights[0][1], weights[1][1])]
        }
    }

    #[inline(always)]
    unsafe fn dot_pairs(
        self,
        sums: [Self::I32; 4],
        rows: [*const [u8; GROUP]; 4],
        pairs: &[[WeightGroup; 2]],
    ) -> [Self::I32; 4] {
        // SAFETY: `self` proves the features; of the rows the caller promises the same.
        unsafe { dot_pairs(sums, rows, pairs) }
    }
}
