//! SentencePiece's compiled map of characters, checked before the crate that uses it trusts it.
//!
//! The map is a number of bytes, a double array of so many bytes that leads from characters to places, and the text that these places
//! are in, each replacement ending at a zero byte.

use std::collections::HashSet;

/// Longest replacement of a character, in bytes; the longest of Unicode's compatibility forms has 33.
const MOST_BYTES: usize = 64;

/// Bit of a unit behind which a value follows.
const HAS_LEAF: u32 = 1 << 8;

fn label(unit: u32) -> u32 {
    unit & ((1 << 31) | 0xff)
}

fn offset(unit: u32) -> usize {
    ((unit >> 10) as usize) << ((unit & (1 << 9)) >> 6)
}

/// Says what is wrong with a map in base 64, if anything is.
pub(super) fn check(base64: &str) -> Result<(), &'static str> {
    let bytes = decode(base64).ok_or("it is no base 64")?;
    let (length, rest) = bytes.split_first_chunk().ok_or("it has no length")?;
    let length = u32::from_le_bytes(*length) as usize / 4 * 4;
    let (array, text) = rest.split_at_checked(length).ok_or("it is shorter than it says")?;
    let text = std::str::from_utf8(text).map_err(|_| "its text is no UTF-8")?;
    let units: Vec<u32> = array.as_chunks().0.iter().map(|&unit| u32::from_le_bytes(unit)).collect();
    let first = *units.first().ok_or("it is empty")?;
    // Every place that some character leads to must be in the array, and every value in the text.
    let mut waiting = vec![offset(first)];
    let mut seen: HashSet<usize> = waiting.iter().copied().collect();
    while let Some(base) = waiting.pop() {
        for byte in 1..=255u32 {
            let at = base ^ byte as usize;
            let unit = *units.get(at).ok_or("it leads outside of itself")?;
            if label(unit) != byte {
                continue;
            }
            let next = at ^ offset(unit);
            if unit & HAS_LEAF != 0 {
                let value = units.get(next).ok_or("a value is outside of it")? & !(1 << 31);
                let rest = text.get(value as usize..).ok_or("a value is outside of its text")?;
                let end = rest.bytes().position(|byte| byte == 0).unwrap_or(rest.len());
                if end > MOST_BYTES {
                    return Err("a replacement is longer than 64 bytes");
                }
            }
            if seen.insert(next) {
                waiting.push(next);
            }
        }
    }
    Ok(())
}

/// The bytes of a text in base 64 with its padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.as_bytes();
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let padding = text.iter().rev().take_while(|&&sign| sign == b'=').count();
    if padding > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for four in text[..text.len() - padding].chunks(4) {
        let mut bits = 0u32;
        for &sign in four {
            let digit = match sign {
                b'A'..=b'Z' => sign - b'A',
                b'a'..=b'z' => sign - b'a' + 26,
                b'0'..=b'9' => sign - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(digit);
        }
        bits <<= 6 * (4 - four.len());
        bytes.extend_from_slice(&bits.to_be_bytes()[1..four.len()]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(bytes: &[u8]) -> String {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for three in bytes.chunks(3) {
            let bits = three.iter().fold(0u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - three.len()));
            (0..=three.len()).for_each(|digit| text.push(DIGITS[(bits >> (18 - 6 * digit) & 63) as usize] as char));
            text.extend(std::iter::repeat_n('=', 3 - three.len()));
        }
        text
    }

    /// A map from `a` to the replacement at `value`.
    fn map(value: u32, replacement: &str) -> Vec<u8> {
        let mut units = vec![0u32; 512];
        // The first unit leads to 256; behind `a` the value stands at 256 + 97 ^ 1.
        units[0] = 256 << 10;
        units[256 + 97] = 97 | HAS_LEAF | 1 << 10;
        units[(256 + 97) ^ 1] = value | 1 << 31;
        let mut bytes = 2048u32.to_le_bytes().to_vec();
        bytes.extend(units.into_iter().flat_map(u32::to_le_bytes));
        bytes.extend_from_slice(replacement.as_bytes());
        bytes
    }

    #[test]
    fn base_64_is_read_as_it_is_written() {
        for length in 0..20u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(77)).collect();
            assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
        for wrong in ["a", "ab!d", "====", "a===", "=aaa"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn maps_that_lead_astray_are_found() {
        let of = |value, text: &str| check(&encode(&map(value, text)));
        assert_eq!(of(0, "x\0yy\0"), Ok(()));
        assert_eq!(of(2, "x\0yy\0"), Ok(()));
        assert_eq!(of(900, "x\0"), Err("a value is outside of its text"));
        assert_eq!(of(1, "é\0"), Err("a value is outside of its text"));
        assert_eq!(of(0, &"long".repeat(40)), Err("a replacement is longer than 64 bytes"));
        let mut astray = map(0, "x\0");
        astray[4..8].copy_from_slice(&(300u32 << 10 | 1 << 9).to_le_bytes());
        assert_eq!(check(&encode(&astray)), Err("it leads outside of itself"));
        let mut cut = map(0, "x\0");
        cut.truncate(1000);
        assert_eq!(check(&encode(&cut)), Err("it is shorter than it says"));
        assert_eq!(check(""), Err("it has no length"));
        assert_eq!(check("AAAAAA=="), Err("it is empty"));
    }
}
