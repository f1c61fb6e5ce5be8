//! Frames of zstd data.

use super::{Compression, CompressionError};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::{self, Read};

/// Greatest window of a frame, 128 MiB: what `zstd` itself allows unless told otherwise.
const WINDOW_LIMIT_MIB: u64 = 128;

/// The last block of a frame, empty, with a checksum behind it.
const LAST_BLOCK: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

/// Decodes frames, one at a time. A frame's last bytes, as many as its window has, come when all of it was read.
pub(super) struct ZstdFrames {
    decoder: FrameDecoder,
    place: Place,
}

enum Place {
    BeforeFrame,
    InFrame,
    /// What was decoded before the fault is still to be given out.
    BeforeFault(io::Error),
}

impl ZstdFrames {
    pub fn new() -> ZstdFrames {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW_LIMIT_MIB << 20);
        ZstdFrames { decoder, place: Place::BeforeFrame }
    }

    /// Decodes bytes of the frame that is open or begins; none at its end.
    ///
    /// # Errors
    ///
    /// Of the source, or a fault in the data, once all was given out that was decoded before it.
    pub fn read(&mut self, source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
        if let Place::BeforeFrame = self.place
            && !self.open(source)?
        {
            return Ok(0);
        }
        loop {
            let length = self.decoder.read(buffer)?;
            if length > 0 {
                return Ok(length);
            }
            if let Place::BeforeFault(error) = std::mem::replace(&mut self.place, Place::InFrame) {
                return Err(error);
            }
            if self.decoder.is_finished() {
                self.place = Place::BeforeFrame;
                let told = self.decoder.get_checksum_from_data();
                return if told.is_none() || told == self.decoder.get_calculated_checksum() {
                    Ok(0)
                } else {
                    Err(damaged("the checksum differs").into())
                };
            }
            if let Err(error) = self.decoder.decode_blocks(&mut *source, BlockDecodingStrategy::UptoBlocks(1)) {
                self.place = Place::BeforeFault(fault(error));
                // The decoder keeps a window of data for blocks to come until it is told that none will.
                let end = self.decoder.decode_blocks(&LAST_BLOCK[..], BlockDecodingStrategy::UptoBlocks(1));
                end.map_err(fault)?;
            }
        }
    }

    /// Reads the header of a frame; false for a frame that is to be skipped, and was.
    fn open(&mut self, source: &mut impl Read) -> io::Result<bool> {
        match self.decoder.init(&mut *source) {
            Ok(()) => {
                self.place = Place::InFrame;
                Ok(true)
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                let skipped = io::copy(&mut source.take(u64::from(length)), &mut io::sink())?;
                if skipped < u64::from(length) {
                    return Err(CompressionError::Truncated { kind: Compression::Zstd }.into());
                }
                Ok(false)
            }
            Err(error) => Err(fault(error)),
        }
    }
}

fn fault(error: FrameDecoderError) -> io::Error {
    match error {
        FrameDecoderError::WindowSizeTooBig { requested, .. } => CompressionError::TooMuchMemory {
            kind: Compression::Zstd,
            expected_mib: requested.div_ceil(1 << 20),
            limit_mib: WINDOW_LIMIT_MIB,
        },
        FrameDecoderError::DictNotProvided { dict_id } => CompressionError::DictionaryNeeded { id: dict_id },
        error => damaged(error),
    }
    .into()
}

fn damaged(reason: impl ToString) -> CompressionError {
    CompressionError::Damaged { kind: Compression::Zstd, reason: reason.to_string() }
}
