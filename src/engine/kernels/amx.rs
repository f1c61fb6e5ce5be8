//! The tile registers of AMX: int8 products of 16 × 64 by 64 × 16 bytes by one instruction, `tdpbusd`.
//!
//! A tile is eight times sixteen rows of 64 bytes at most. Sixteen [`WeightGroup`]s one below the other are a tile as they stand, so
//! weights are packed as for AVX-512, which computes all else. Sums are exact, so nothing depends on which of the two was used.
//! Intel's manual (Software Developer's Manual, volume 1, chapter 18) has the instructions; intrinsics are not stable yet.

use super::lanes::{LANES, WeightGroup};
use std::arch::asm;
use std::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
use std::sync::OnceLock;

/// Rows of a tile.
pub const ROWS: usize = 16;
/// Groups of four bytes in a tile's row.
pub const GROUPS: usize = 16;
/// Bytes of a tile's row.
const ROW_BYTES: usize = 64;

/// The sums of two by two tiles: of the first rows and the first columns, the first rows and the second columns, then the second rows.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Sums(pub [[[i32; LANES]; ROWS]; 4]);

impl Sums {
    /// All zero.
    pub const ZERO: Sums = Sums([[[0; LANES]; ROWS]; 4]);
}

/// Proof that this thread's tiles are configured; they are given back when it goes.
#[derive(Debug)]
pub struct Tiles {
    /// A proof for one thread.
    _not_send: std::marker::PhantomData<*const ()>,
}

/// What `ldtilecfg` reads.
#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

/// Whether the CPU has the instructions and the operating system lets this process use them.
pub fn is_available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| has_instructions() && is_permitted())
}

fn has_instructions() -> bool {
    const TILES_AND_INT8: u32 = 1 << 24 | 1 << 25;
    const OPERATING_SYSTEM_SAVES: u32 = 1 << 27;
    __cpuid(0).eax >= 7
        && __cpuid(1).ecx & OPERATING_SYSTEM_SAVES != 0
        && __cpuid_count(7, 0).edx & TILES_AND_INT8 == TILES_AND_INT8
}

#[target_feature(enable = "xsave")]
fn saved_state() -> u64 {
    // SAFETY: the caller checked that the operating system uses XSAVE, so that register 0 can be read.
    unsafe { _xgetbv(0) }
}

/// Linux keeps tiles of a process that asked for them, and refuses where a signal stack is too small for them.
#[cfg(target_os = "linux")]
fn is_permitted() -> bool {
    const TILE_STATE: u64 = 1 << 17 | 1 << 18;
    const ARCH_PRCTL: i64 = 158;
    const REQUEST_PERMISSION: i64 = 0x1023;
    const TILE_DATA: i64 = 18;
    // SAFETY: `has_instructions` found XSAVE in use.
    if unsafe { saved_state() } & TILE_STATE != TILE_STATE {
        return false;
    }
    let answer: i64;
    // SAFETY: the system call changes nothing but what this process may use; it touches the registers named here alone.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => answer,
            in("rdi") REQUEST_PERMISSION,
            in("rsi") TILE_DATA,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    answer == 0
}

#[cfg(not(target_os = "linux"))]
fn is_permitted() -> bool {
    false
}

impl Tiles {
    /// Configures the tiles for `rows` rows of activations, 1 to 32; `None` where they are not available.
    pub fn new(rows: usize) -> Option<Tiles> {
        if !is_available() {
            return None;
        }
        let tiles = Tiles { _not_send: std::marker::PhantomData };
        tiles.configure(rows);
        Some(tiles)
    }

    /// Configures them for another number of rows.
    pub fn configure(&self, rows: usize) {
        debug_assert!((1..=2 * ROWS).contains(&rows), "{rows}");
        let (first, second) = (rows.min(ROWS) as u8, rows.saturating_sub(ROWS).max(1) as u8);
        let mut configuration =
            Configuration { palette: 1, start_row: 0, reserved: [0; 14], row_bytes: [0; 16], rows: [0; 16] };
        configuration.row_bytes[..8].fill(ROW_BYTES as u16);
        // Sums in tiles 0 to 3, activations in 4 and 5, weights in 6 and 7.
        configuration.rows[..8].copy_from_slice(&[first, first, second, second, first, second, 16, 16]);
        // SAFETY: `new` found the instructions and the permission, and the configuration is a valid one of 64 bytes.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const configuration, options(nostack, readonly, preserves_flags)) }
    }

    /// The products of two times up to sixteen rows with two times sixteen columns, `16 * steps` groups deep.
    ///
    /// # Safety
    /// From each of `activations` as many rows as are configured can be read, `16 * steps` groups each, `stride` groups apart (one
    /// row from the second where none is left for it); from each of `weights` `16 * steps` groups, `width` apart.
    #[inline(always)]
    pub unsafe fn multiply(
        &self,
        activations: [*const [u8; 4]; 2],
        stride: usize,
        weights: [*const WeightGroup; 2],
        width: usize,
        steps: usize,
        sums: &mut Sums,
    ) {
        // SAFETY: `self` proves configured tiles; what is read the caller promises, and `sums` has room for four tiles.
        unsafe {
            asm!(
                "tilezero tmm0",
                "tilezero tmm1",
                "tilezero tmm2",
                "tilezero tmm3",
                "2:",
                "tileloadd tmm6, [{b0} + {b_stride}]",
                "tileloadd tmm4, [{a0} + {a_stride}]",
                "tileloadd tmm7, [{b1} + {b_stride}]",
                "tdpbusd tmm0, tmm4, tmm6",
                "tileloadd tmm5, [{a1} + {a_stride}]",
                "tdpbusd tmm1, tmm4, tmm7",
                "tdpbusd tmm2, tmm5, tmm6",
                "tdpbusd tmm3, tmm5, tmm7",
                "add {a0}, 64",
                "add {a1}, 64",
                "add {b0}, {b_step}",
                "add {b1}, {b_step}",
                "dec {steps}",
                "jnz 2b",
                "mov {a_stride}, 64",
                "tilestored [{sums} + {a_stride}], tmm0",
                "tilestored [{sums} + {a_stride} + 1024], tmm1",
                "tilestored [{sums} + {a_stride} + 2048], tmm2",
                "tilestored [{sums} + {a_stride} + 3072], tmm3",
                a0 = inout(reg) activations[0] => _,
                a1 = inout(reg) activations[1] => _,
                a_stride = inout(reg) 4 * stride => _,
                b0 = inout(reg) weights[0] => _,
                b1 = inout(reg) weights[1] => _,
                b_stride = in(reg) 64 * width,
                b_step = in(reg) 64 * width * GROUPS,
                steps = inout(reg) steps => _,
                sums = in(reg) sums.0.as_mut_ptr(),
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }
    }

    /// Multiplies tiles of rows `activation` with weights of 1, four products in each of `passes`, with nothing loaded in between.
    pub fn multiply_in_registers(&self, activation: [u8; 4], passes: usize, sums: &mut Sums) {
        let (rows, weights) = ([activation; GROUPS], WeightGroup([1; 64]));
        // SAFETY: `self` proves configured tiles, whose rows all lie on one another here; `sums` has room for four tiles.
        unsafe {
            asm!(
                "tilezero tmm0",
                "tilezero tmm1",
                "tilezero tmm2",
                "tilezero tmm3",
                "tileloadd tmm4, [{rows} + {stride}]",
                "tileloadd tmm5, [{rows} + {stride}]",
                "tileloadd tmm6, [{weights} + {stride}]",
                "tileloadd tmm7, [{weights} + {stride}]",
                "2:",
                "tdpbusd tmm0, tmm4, tmm6",
                "tdpbusd tmm1, tmm4, tmm7",
                "tdpbusd tmm2, tmm5, tmm6",
                "tdpbusd tmm3, tmm5, tmm7",
                "dec {passes}",
                "jnz 2b",
                "mov {stride}, 64",
                "tilestored [{sums} + {stride}], tmm0",
                "tilestored [{sums} + {stride} + 1024], tmm1",
                "tilestored [{sums} + {stride} + 2048], tmm2",
                "tilestored [{sums} + {stride} + 3072], tmm3",
                rows = in(reg) rows.as_ptr(),
                weights = in(reg) weights.0.as_ptr(),
                stride = inout(reg) 0_usize => _,
                passes = inout(reg) passes => _,
                sums = in(reg) sums.0.as_mut_ptr(),
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }
    }
}

impl Drop for Tiles {
    fn drop(&mut self) {
        // SAFETY: a `Tiles` exists only where the instructions do.
        unsafe { asm!("tilerelease", options(nostack, nomem, preserves_flags)) }
    }
}
