//! Kernels: everything the forward pass spends its time in, written once over a vector of sixteen lanes ([`Simd`])
//! and compiled for each instruction set.
//!
//! Sixteen lanes are one AVX-512 register, two of AVX2, four of NEON, or an array. Because every instruction set
//! works on the same sixteen lanes, with fused multiply-adds, the same order of operations and the same tree for
//! horizontal sums, all of them give the same bits; the tests hold them to it.
//!
//! The trainer's loops are kernels too ([`Kernel`]), compiled by the same means, and products check their sizes in one place
//! ([`bounds`]). Beside the trainer's product this folder is the only place in the crate with `unsafe` code.

#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
pub mod amx;
pub mod attention_f32;
pub mod attention_first;
pub mod attention_i8;
#[cfg(target_arch = "x86_64")]
pub mod avx2;
#[cfg(target_arch = "x86_64")]
pub mod avx512;
pub mod bounds;
pub mod distance;
pub mod gemm_f32;
pub mod gemm_i8;
pub mod isa;
pub mod lanes;
pub mod linear;
pub mod math;
#[cfg(target_arch = "aarch64")]
pub mod neon;
pub mod rows;
pub mod scalar;
pub mod simd;
#[cfg(test)]
mod tests;

pub use distance::DistanceBias;
pub use isa::{InstructionSet, dispatch};
pub use lanes::{LANES, Lanes, flatten, flatten_mut, grow};
pub use simd::{Kernel, Simd};
