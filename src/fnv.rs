//! FNV-1a of 64 bits (Fowler, Noll and Vo): numbers that files are told apart by and stored models rest on, so it stays the same
//! for ever.

#![forbid(unsafe_code)]

/// The state before the first step.
pub(crate) const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// A step; the words are bytes in the algorithm as published.
pub(crate) fn fnv_step(state: u64, word: u64) -> u64 {
    (state ^ word).wrapping_mul(PRIME)
}

/// Steps over all bytes of a text.
pub(crate) fn fnv_bytes(state: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(state, |state, &byte| fnv_step(state, byte.into()))
}

/// The state before the first step of one of several hashes, told apart by a seed.
pub(crate) fn fnv_seeded(seed: u64) -> u64 {
    FNV_OFFSET ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A state stirred once more, so that its lowest bits depend on all of it; 48 bits.
pub(crate) fn fnv_stirred(state: u64) -> u64 {
    (state ^ (state >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93) >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_hashes_come_out() {
        let hash = |text: &str| fnv_bytes(FNV_OFFSET, text.as_bytes());
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash("foobar"), 0x8594_4171_f739_67e8);
    }
}
