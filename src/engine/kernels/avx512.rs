//! AVX-512 with VNNI: one register per virtual vector, `vpdpbusd` on 512 bits.

use super::lanes::{LANES, Lanes, WeightGroup};
use super::simd::{Kernel, Simd};
use core::arch::x86_64::*;

/// Proof that the CPU has AVX-512 F, BW, DQ, VL and VNNI.
#[derive(Clone, Copy, Debug)]
pub struct Avx512 {
    /// Whether it has AMX, which multiplies large int8 matrices then.
    tiles: bool,
}

impl Avx512 {
    /// The token, where the CPU has the instructions.
    pub fn new() -> Option<Avx512> {
        (is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vnni")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma"))
        .then_some(Avx512 { tiles: false })
    }

    /// The token of a CPU that has AMX too.
    pub fn with_tiles() -> Option<Avx512> {
        Avx512::new().filter(|_| super::amx::is_available()).map(|_| Avx512 { tiles: true })
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")]
fn run_with_features<K: Kernel>(s: Avx512, kernel: K) -> K::Output {
    kernel.run(s)
}

// SAFETY, for every block below: `self` exists only where `Avx512::new` found the features that the intrinsic needs,
// and pointers come from references to the full width that is read or written.
impl Simd for Avx512 {
    type F32 = __m512;
    type I32 = __m512i;
    type Weights = __m512i;
    type Activation = __m512i;

    const PANEL: usize = 4;
    const ROWS_F32: usize = 6;
    const ROWS_I8: usize = 6;
    const WIDE: bool = true;

    #[inline(always)]
    fn has_tiles(self) -> bool {
        self.tiles
    }

    #[inline(always)]
    fn vectorize<K: Kernel>(self, kernel: K) -> K::Output {
        // SAFETY: `self` proves the features.
        unsafe { run_with_features(self, kernel) }
    }

    #[inline(always)]
    fn prefetch(self, at: *const u8) {
        // SAFETY: a prefetch never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    fn load(self, from: &Lanes) -> __m512 {
        // SAFETY: `self` proves the features; `Lanes` is 64 aligned bytes.
        unsafe { _mm512_load_ps(from.0.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, value: __m512, to: &mut Lanes) {
        // SAFETY: `self` proves the features; `Lanes` is 64 aligned bytes.
        unsafe { _mm512_store_ps(to.0.as_mut_ptr(), value) }
    }

    #[inline(always)]
    fn load_unaligned(self, from: &[f32; LANES]) -> __m512 {
        // SAFETY: `self` proves the features; the reference covers 64 bytes.
        unsafe { _mm512_loadu_ps(from.as_ptr()) }
    }

    #[inline(always)]
    fn load_i8(self, from: &[i8; LANES]) -> __m512 {
        // SAFETY: `self` proves the features; the reference covers 16 bytes.
        unsafe { _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(from.as_ptr().cast()))) }
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_sub_ps(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_max_ps(a, b) }
    }

    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_min_ps(a, b) }
    }

    #[inline(always)]
    fn abs(self, a: __m512) -> __m512 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_abs_ps(a) }
    }

    #[inline(always)]
    fn shift_exponent(self, value: __m512, shifter: __m512) -> __m512 {
        // SAFETY: `self` proves the features.
        unsafe {
            let shift = _mm512_slli_epi32::<23>(_mm512_castps_si512(shifter));
            _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(value), shift))
        }
    }

    #[inline(always)]
    fn keep_first(self, value: __m512, count: usize, fill: f32) -> __m512 {
        let mask = if count >= LANES { u16::MAX } else { (1u16 << count) - 1 };
        // SAFETY: `self` proves the features.
        unsafe { _mm512_mask_blend_ps(mask, _mm512_set1_ps(fill), value) }
    }

    #[inline(always)]
    fn sum(self, value: __m512) -> f32 {
        // SAFETY: `self` proves the features.
        unsafe {
            let low = _mm512_castps512_ps256(value);
            let high = _mm512_extractf32x8_ps::<1>(value);
            super::avx2::sum8(_mm256_add_ps(low, high))
        }
    }

    #[inline(always)]
    fn max_lane(self, value: __m512) -> f32 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_reduce_max_ps(value) }
    }

    #[inline(always)]
    fn min_lane(self, value: __m512) -> f32 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_reduce_min_ps(value) }
    }

    #[inline(always)]
    fn splat_i32(self, value: i32) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_set1_epi32(value) }
    }

    #[inline(always)]
    fn load_i32(self, from: &[i32; LANES]) -> __m512i {
        // SAFETY: `self` proves the features; the reference covers 64 bytes.
        unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
    }

    #[inline(always)]
    fn add_i32(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_add_epi32(a, b) }
    }

    #[inline(always)]
    fn sum_i32(self, a: __m512i) -> i32 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_reduce_add_epi32(a) }
    }

    #[inline(always)]
    fn to_f32(self, a: __m512i) -> __m512 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_cvtepi32_ps(a) }
    }

    #[inline(always)]
    fn to_i32(self, a: __m512) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_cvtps_epi32(a) }
    }

    #[inline(always)]
    fn store_u8(self, a: __m512i, to: &mut [u8; LANES]) {
        // SAFETY: `self` proves the features; the reference covers 16 bytes.
        unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(a)) }
    }

    #[inline(always)]
    fn store_i8(self, a: __m512i, to: &mut [i8; LANES]) {
        // SAFETY: `self` proves the features; the reference covers 16 bytes.
        unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(a)) }
    }

    #[inline(always)]
    fn store_i32(self, a: __m512i, to: &mut [i32; LANES]) {
        // SAFETY: `self` proves the features; the reference covers 64 bytes.
        unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), a) }
    }

    #[inline(always)]
    fn interleave(self, rows: [__m512i; 4], to: &mut WeightGroup) {
        // SAFETY: `self` proves the features; `WeightGroup` is 64 aligned bytes.
        unsafe {
            let byte = _mm512_set1_epi32(0xff);
            let second = _mm512_slli_epi32::<8>(_mm512_and_si512(rows[1], byte));
            let third = _mm512_slli_epi32::<16>(_mm512_and_si512(rows[2], byte));
            let low = _mm512_or_si512(_mm512_and_si512(rows[0], byte), second);
            let high = _mm512_or_si512(third, _mm512_slli_epi32::<24>(rows[3]));
            _mm512_store_si512(to.0.as_mut_ptr().cast(), _mm512_or_si512(low, high));
        }
    }

    #[inline(always)]
    fn load_weights(self, from: &WeightGroup) -> __m512i {
        // SAFETY: `self` proves the features; `WeightGroup` is 64 aligned bytes.
        unsafe { _mm512_load_si512(from.0.as_ptr().cast()) }
    }

    #[inline(always)]
    fn load_activation(self, from: [u8; 4]) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_set1_epi32(i32::from_le_bytes(from)) }
    }

    #[inline(always)]
    fn dot(self, sum: __m512i, activation: __m512i, weights: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_dpbusd_epi32(sum, activation, weights) }
    }
}
