//! Compressed data in and out: gzip, zstd, bzip2 and xz, each in pure Rust.
//!
//! All four formats are sequences of members that stand for themselves (gzip members, zstd frames, bzip2 and xz streams).
//! [`reader()`] gives what the members of a source hold, one after another, and [`member()`] makes one of them.

#![forbid(unsafe_code)]

mod error;
mod member;
mod reader;
mod zstd_frame;

pub(crate) use error::CompressionError;
pub(crate) use member::member;
pub(crate) use reader::reader;

use std::fmt;
use std::path::{Path, PathBuf};

/// A format of compressed data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    /// RFC 1952, one or several members.
    Gzip,
    /// RFC 8878, one or several frames.
    Zstd,
    /// One or several streams, each of blocks of up to 900 kB.
    Bzip2,
    /// One or several streams, with padding between them.
    Xz,
}

/// First bytes of members. Those of bzip2 differ in the size of the blocks, and by whether there is a block.
const MAGIC: [(&[u8], Compression); 3] =
    [(b"\x1f\x8b", Compression::Gzip), (b"\x28\xb5\x2f\xfd", Compression::Zstd), (b"\xfd7zXZ\0", Compression::Xz)];

/// What follows the size of the blocks of a bzip2 stream: the beginning of a block, or the end of the stream.
const BZIP2_MARKS: [&[u8]; 2] = [b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"];

/// Last three bytes of the number with which a skippable frame of zstd begins.
const SKIPPABLE: &[u8] = b"\x2a\x4d\x18";

impl Compression {
    /// By extension, whatever its case: `gz` and `gzip`, `zst` and `zstd`, `bz2`, `xz`.
    pub fn from_extension(path: &Path) -> Option<Compression> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "gz" | "gzip" => Some(Compression::Gzip),
            "zst" | "zstd" => Some(Compression::Zstd),
            "bz2" => Some(Compression::Bzip2),
            "xz" => Some(Compression::Xz),
            _ => None,
        }
    }

    /// The usual end of names.
    pub fn extension(self) -> &'static str {
        match self {
            Compression::Gzip => "gz",
            Compression::Zstd => "zst",
            Compression::Bzip2 => "bz2",
            Compression::Xz => "xz",
        }
    }

    /// The format that the first bytes tell: `Some(None)` for none of them, `None` where more bytes are needed to know.
    pub fn from_magic(head: &[u8], ended: bool) -> Option<Option<Compression>> {
        let found = |begins: &dyn Fn(Compression, &[u8]) -> Begins| {
            [Compression::Gzip, Compression::Zstd, Compression::Bzip2, Compression::Xz]
                .into_iter()
                .map(|kind| (kind, begins(kind, head)))
                .find(|(_, begins)| *begins != Begins::No)
        };
        match found(&Compression::begins) {
            Some((kind, Begins::Yes)) => Some(Some(kind)),
            Some((_, Begins::Perhaps)) if !ended => None,
            _ => Some(None),
        }
    }

    /// Whether a member begins with these bytes.
    fn begins(self, head: &[u8]) -> Begins {
        let with = |magic: &[u8]| Begins::with(head, magic);
        match self {
            Compression::Bzip2 => match head {
                [] | [b'B'] | [b'B', b'Z'] | [b'B', b'Z', b'h'] => Begins::Perhaps,
                [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..] => {
                    Begins::with(rest, BZIP2_MARKS[0]).or(Begins::with(rest, BZIP2_MARKS[1]))
                }
                _ => Begins::No,
            },
            Compression::Zstd if matches!(head, [0x50..=0x5f, ..]) => Begins::with(&head[1..], SKIPPABLE),
            kind => MAGIC.iter().find(|(_, of)| *of == kind).map_or(Begins::No, |(magic, _)| with(magic)),
        }
    }

    /// A path without the extensions of compressed data: `rows.jsonl` of `rows.jsonl.gz`.
    pub fn inner_name(path: &Path) -> PathBuf {
        let mut path = path.to_owned();
        while Compression::from_extension(&path).is_some() {
            path.set_extension("");
        }
        path
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
            Compression::Bzip2 => "bzip2",
            Compression::Xz => "xz",
        })
    }
}

/// Whether bytes begin in a certain way; `Perhaps` where they are too few to know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begins {
    Yes,
    Perhaps,
    No,
}

impl Begins {
    fn with(head: &[u8], magic: &[u8]) -> Begins {
        if head.starts_with(magic) {
            Begins::Yes
        } else if magic.starts_with(head) {
            Begins::Perhaps
        } else {
            Begins::No
        }
    }

    fn or(self, other: Begins) -> Begins {
        if self == Begins::No { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_tell_the_format_and_go() {
        assert_eq!(Compression::from_extension(Path::new("a.jsonl.GZ")), Some(Compression::Gzip));
        assert_eq!(Compression::from_extension(Path::new("a.tgz")), None);
        assert_eq!(Compression::inner_name(Path::new("b/a.jsonl.gz.zst")), Path::new("b/a.jsonl"));
        assert_eq!(Compression::inner_name(Path::new("b.xz/a.txt")), Path::new("b.xz/a.txt"));
    }

    #[test]
    fn first_bytes_tell_the_format_as_soon_as_they_can() {
        let cases: [(&[u8], Compression); 6] = [
            (b"\x1f\x8b", Compression::Gzip),
            (b"\x28\xb5\x2f\xfd", Compression::Zstd),
            (b"\x5e\x2a\x4d\x18", Compression::Zstd),
            (b"BZh91AY&SY", Compression::Bzip2),
            (b"BZh1\x17\x72\x45\x38\x50\x90", Compression::Bzip2),
            (b"\xfd7zXZ\0", Compression::Xz),
        ];
        for (magic, kind) in cases {
            for length in 0..magic.len() {
                assert_eq!(Compression::from_magic(&magic[..length], false), None, "{magic:?}");
                assert_eq!(Compression::from_magic(&magic[..length], true), Some(None), "{magic:?}");
            }
            assert_eq!(Compression::from_magic(magic, false), Some(Some(kind)));
        }
        for text in ["BZh words", "P", "{", "BZh9 "] {
            let decided = Compression::from_magic(text.as_bytes(), true);
            assert_eq!(decided, Some(None), "{text}");
        }
    }
}
