//! Compressed data as what they hold.

use super::zstd_frame::ZstdFrames;
use super::{Begins, Compression, CompressionError};
use flate2::FlushDecompress;
use lzma_rust2::{Action, XzStream};
use std::io::{self, BufRead, Read};

/// Greatest dictionary of xz data, 256 MiB: four times that of the highest level.
const DICTIONARY_LIMIT_MIB: u64 = 256;

/// What the decoder of xz adds to its dictionary, in KiB.
const XZ_OVERHEAD_KIB: u32 = 64;

/// Base-2 logarithm of the window of gzip data.
const GZIP_WINDOW_BITS: u8 = 15;

/// What the members in `source` hold, one after another. Zero bytes between and behind them are left out.
///
/// Memory is bounded by the format's window: 32 KiB, 128 MiB for zstd, 4 MB for bzip2, 256 MiB for xz. A read gives what is there, but that
/// the end of a zstd frame, as long as its window, comes with the last block.
///
/// # Errors
///
/// Data that end early or are damaged give all that was decoded before, then one [`CompressionError`]. So does anything else
/// that stands behind the members.
pub(crate) fn reader(kind: Compression, source: impl BufRead + Send + 'static) -> Box<dyn Read + Send> {
    let source = Source { head: Vec::new(), inner: source, ended: false, failed: None };
    Box::new(Reader { kind, source, decoder: Decoder::new(kind), place: Place::BeforeMembers, fault: None })
}

struct Reader<R> {
    kind: Compression,
    source: Source<R>,
    decoder: Decoder,
    place: Place,
    /// What is told once all was given out that was decoded before.
    fault: Option<io::Error>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    BeforeMembers,
    InMember,
    BehindMember,
    End,
}

enum Decoder {
    Gzip(flate2::Decompress),
    Zstd(Box<ZstdFrames>),
    Bzip2(bzip2::Decompress),
    Xz(Box<XzStream>),
}

/// What became of some bytes.
struct Step {
    used: usize,
    written: usize,
    /// Whether the member ends, or what is wrong with it.
    outcome: Result<bool, CompressionError>,
}

impl<R: BufRead + Send> Read for Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some(fault) = self.fault.take() {
                self.place = Place::End;
                return Err(fault);
            }
            match self.place {
                Place::End => return Ok(0),
                Place::InMember => {
                    let length = self.read_member(buffer);
                    if length > 0 {
                        return Ok(length);
                    }
                }
                Place::BeforeMembers | Place::BehindMember => match self.find_member() {
                    Ok(true) => self.place = Place::InMember,
                    Ok(false) => self.place = Place::End,
                    Err(error) => self.fault = Some(error),
                },
            }
        }
    }
}

impl<R: BufRead + Send> Reader<R> {
    /// Whether another member begins.
    fn find_member(&mut self) -> io::Result<bool> {
        if self.place == Place::BehindMember {
            self.source.skip_zeros()?;
        }
        let mut head = Vec::new();
        let begins = loop {
            let begins = self.kind.begins(&head);
            if begins != Begins::Perhaps {
                break begins;
            }
            match self.source.fill()?.first() {
                Some(&byte) => head.push(byte),
                None => break begins,
            }
            self.source.consume(1);
        };
        let kind = self.kind;
        match begins {
            Begins::Yes => {
                self.source.head = head;
                Ok(true)
            }
            Begins::Perhaps if head.is_empty() => Ok(false),
            Begins::Perhaps => Err(CompressionError::Truncated { kind }.into()),
            Begins::No if self.place == Place::BehindMember => Err(CompressionError::TrailingBytes { kind }.into()),
            Begins::No => Err(damaged(kind, "they begin as no such data do").into()),
        }
    }

    /// Bytes of the member that is open. None where it ends or has a fault, which is noted.
    fn read_member(&mut self, buffer: &mut [u8]) -> usize {
        loop {
            if let Decoder::Zstd(frames) = &mut self.decoder {
                return match frames.read(&mut self.source, buffer) {
                    Ok(0) => self.end_member(),
                    Ok(length) => length,
                    Err(error) => {
                        self.fault = Some(self.source.explain(error, self.kind));
                        0
                    }
                };
            }
            let input = match self.source.fill() {
                Ok(input) => input,
                Err(error) => {
                    self.fault = Some(error);
                    return 0;
                }
            };
            let (step, at_end) = (self.decoder.step(input, buffer), input.is_empty());
            self.source.consume(step.used);
            match step.outcome {
                Ok(true) => {
                    self.end_member();
                }
                Err(error) => self.fault = Some(error.into()),
                Ok(false) if step.used > 0 || step.written > 0 => {}
                Ok(false) if at_end => self.fault = Some(CompressionError::Truncated { kind: self.kind }.into()),
                Ok(false) => self.fault = Some(damaged(self.kind, "they do not go on").into()),
            }
            if step.written > 0 || self.fault.is_some() || self.place != Place::InMember {
                return step.written;
            }
        }
    }

    fn end_member(&mut self) -> usize {
        self.place = Place::BehindMember;
        self.decoder.restart();
        0
    }
}

impl Decoder {
    fn new(kind: Compression) -> Decoder {
        match kind {
            Compression::Gzip => Decoder::Gzip(flate2::Decompress::new_gzip(GZIP_WINDOW_BITS)),
            Compression::Zstd => Decoder::Zstd(Box::new(ZstdFrames::new())),
            Compression::Bzip2 => Decoder::Bzip2(bzip2::Decompress::new(false)),
            Compression::Xz => {
                let limit_kib = (DICTIONARY_LIMIT_MIB << 10) as u32 + XZ_OVERHEAD_KIB;
                Decoder::Xz(Box::new(XzStream::new_mem_limit(false, limit_kib)))
            }
        }
    }

    /// Makes ready for another member.
    fn restart(&mut self) {
        match self {
            Decoder::Gzip(stream) => stream.reset(true),
            Decoder::Zstd(_) => {}
            Decoder::Bzip2(_) => *self = Decoder::new(Compression::Bzip2),
            Decoder::Xz(_) => *self = Decoder::new(Compression::Xz),
        }
    }

    /// Decodes what it can.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        match self {
            Decoder::Gzip(stream) => {
                let before = (stream.total_in(), stream.total_out());
                let status = stream.decompress(input, output, FlushDecompress::None);
                Step {
                    used: (stream.total_in() - before.0) as usize,
                    written: (stream.total_out() - before.1) as usize,
                    outcome: match status {
                        Ok(status) => Ok(status == flate2::Status::StreamEnd),
                        Err(error) => Err(damaged(Compression::Gzip, gzip_reason(error.message()))),
                    },
                }
            }
            Decoder::Bzip2(stream) => {
                let before = (stream.total_in(), stream.total_out());
                let status = stream.decompress(input, output);
                Step {
                    used: (stream.total_in() - before.0) as usize,
                    written: (stream.total_out() - before.1) as usize,
                    outcome: match status {
                        Ok(status) => Ok(status == bzip2::Status::StreamEnd),
                        Err(error) => Err(damaged(Compression::Bzip2, error)),
                    },
                }
            }
            Decoder::Xz(stream) => {
                let before = (stream.total_in(), stream.total_out());
                let status = stream.process(input, output, Action::Run);
                Step {
                    used: (stream.total_in() - before.0) as usize,
                    written: (stream.total_out() - before.1) as usize,
                    outcome: match status {
                        Ok(result) => Ok(result.status == lzma_rust2::Status::StreamEnd),
                        Err(error) if error.kind() == io::ErrorKind::OutOfMemory => {
                            Err(CompressionError::TooMuchMemory {
                                kind: Compression::Xz,
                                expected_mib: u64::from(stream.memory_usage().unwrap_or(0)).div_ceil(1 << 10),
                                limit_mib: DICTIONARY_LIMIT_MIB,
                            })
                        }
                        Err(error) => Err(damaged(Compression::Xz, error)),
                    },
                }
            }
            Decoder::Zstd(_) => Step { used: 0, written: 0, outcome: Ok(false) },
        }
    }
}

/// What zlib says is wrong. Of a wrong code it says one thing or another, depending on how many bytes are at hand.
fn gzip_reason(message: Option<&str>) -> &str {
    let of_codes = ["invalid distance code", "invalid distance too", "invalid literal/length code", "repeated call"];
    match message {
        Some(message) if !of_codes.iter().any(|begins| message.starts_with(begins)) => message,
        _ => "invalid code",
    }
}

fn damaged(kind: Compression, reason: impl ToString) -> CompressionError {
    CompressionError::Damaged { kind, reason: reason.to_string() }
}

/// The bytes of a source, with those in front that were looked at.
struct Source<R> {
    head: Vec<u8>,
    inner: R,
    ended: bool,
    /// Why the source itself could not be read.
    failed: Option<io::Error>,
}

impl<R: BufRead> Source<R> {
    /// The bytes at hand; none at the end.
    fn fill(&mut self) -> io::Result<&[u8]> {
        if !self.head.is_empty() {
            return Ok(&self.head);
        }
        while !self.ended {
            match self.inner.fill_buf() {
                Ok([]) => self.ended = true,
                // At hand, so that it is not read anew; a loop cannot give out what it borrows.
                Ok(_) => return self.inner.fill_buf(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(&[])
    }

    fn consume(&mut self, length: usize) {
        if self.head.is_empty() {
            self.inner.consume(length);
        } else {
            self.head.drain(..length);
        }
    }

    fn skip_zeros(&mut self) -> io::Result<()> {
        loop {
            let bytes = self.fill()?;
            let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
            let all = zeros == bytes.len();
            self.consume(zeros);
            if zeros == 0 || !all {
                return Ok(());
            }
        }
    }

    /// The reason behind an error of a decoder that reads by itself: that of the source, or that it ended.
    fn explain(&mut self, error: io::Error, kind: Compression) -> io::Error {
        match self.failed.take() {
            Some(failed) => failed,
            None if self.ended => CompressionError::Truncated { kind }.into(),
            None => error,
        }
    }
}

impl<R: BufRead> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = match self.fill() {
            Ok(mut bytes) => bytes.read(buffer)?,
            Err(error) => {
                let told = io::Error::new(error.kind(), error.to_string());
                self.failed = Some(error);
                return Err(told);
            }
        };
        self.consume(length);
        Ok(length)
    }
}

#[cfg(test)]
mod tests;
