//! Bytes as one compressed member.

use super::Compression;
use lzma_rust2::{XzOptions, XzWriter};
use std::io::{self, Write};

/// Level of gzip at which more time hardly makes the data smaller.
const GZIP_LEVEL: u32 = 6;

/// Level of xz that `xz` itself uses.
const XZ_LEVEL: u32 = 6;

/// The number in a gzip header that tells no operating system.
const NO_SYSTEM: u8 = 255;

/// Compresses `bytes` into a complete member, which stands for itself: members one after another are one file.
///
/// The same bytes give the same member, whatever the time and the machine.
///
/// # Errors
///
/// None in practice: the member is written into memory.
#[cfg_attr(not(test), allow(dead_code, reason = "outputs are to be compressed"))]
pub(crate) fn member(kind: Compression, bytes: &[u8]) -> io::Result<Vec<u8>> {
    match kind {
        Compression::Gzip => {
            let header = flate2::GzBuilder::new().mtime(0).operating_system(NO_SYSTEM);
            let mut encoder = header.write(Vec::new(), flate2::Compression::new(GZIP_LEVEL));
            encoder.write_all(bytes)?;
            encoder.finish()
        }
        Compression::Zstd => Ok(ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)),
        Compression::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
            encoder.write_all(bytes)?;
            encoder.finish()
        }
        Compression::Xz => {
            let mut options = XzOptions::with_preset(XZ_LEVEL);
            // A dictionary longer than the data only costs memory, here and where they are read.
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).max(lzma_rust2::DICT_SIZE_MIN);
            let dictionary = &mut options.lzma_options.dict_size;
            *dictionary = (*dictionary).min(length.checked_next_power_of_two().unwrap_or(u32::MAX));
            let mut encoder = XzWriter::new(Vec::new(), options)?;
            encoder.write_all(bytes)?;
            encoder.finish()
        }
    }
}
