//! What the targets share: bytes are read as sources in several ways, and the ways are compared.

use copydesk::internals::{Probe, SHOWN_BROKEN};

/// Most pieces of a source: readers look at its beginning with each one again, which would take most of the time.
const MOST_PIECES: usize = 128;

/// A hash of what was read (FNV-1a), so that long results are not held.
fn step(hash: u64, text: &str) -> u64 {
    text.bytes().chain([0xff]).fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// Reads `source` whole and then in up to [`MOST_PIECES`] pieces of one size; as from a pipe if it is UTF-8.
///
/// # Panics
/// If a reader breaks a promise, or what it gives depends on the pieces.
pub fn read(name: &str, records: bool, encoding: &str, source: &[u8]) {
    let piece = source.len().div_ceil(MOST_PIECES).max(1);
    let live = !source.contains(&0) && std::str::from_utf8(source).is_ok();
    let whole = Probe { name, records, encoding, piece: source.len(), live: false };
    let pieces = Probe { piece, live, ..whole };
    let hash = |probe: Probe<'_>| {
        let mut hash = 0xcbf2_9ce4_8422_2325;
        probe.read(source, &mut |item| hash = step(hash, item));
        hash
    };
    if hash(whole) != hash(pieces) {
        let (one, other) = (items(whole, source), items(pieces, source));
        let first = one.iter().zip(&other).position(|(one, other)| one != other).unwrap_or(one.len().min(other.len()));
        panic!("{pieces:?}: item {first} is\n{:?}\nand in pieces\n{:?}", one.get(first), other.get(first));
    }
}

/// Reads as [`read`] does, in a format whose reader writes the objects itself: they must be JSON.
///
/// # Panics
/// As [`read`], and if a record is no JSON.
pub fn read_objects(name: &str, source: &[u8]) {
    read(name, true, "", source);
    Probe { name, records: true, encoding: "", piece: source.len(), live: false }.read(source, &mut |item| {
        assert!(!item.starts_with(SHOWN_BROKEN), "{item}");
    });
}

fn items(probe: Probe<'_>, source: &[u8]) -> Vec<String> {
    let mut items = Vec::new();
    probe.read(source, &mut |item| items.push(item.to_owned()));
    items
}
