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
mod tests {
    use super::*;
    use crate::compress::member;
    use std::io::{BufReader, Cursor};

    const KINDS: [Compression; 4] = [Compression::Gzip, Compression::Zstd, Compression::Bzip2, Compression::Xz];

    /// What comes of compressed data whose source and whose reader take so many bytes at once, and the error behind it.
    fn read_by(kind: Compression, compressed: &[u8], size: usize) -> (Vec<u8>, Option<String>) {
        let source = BufReader::with_capacity(size, Cursor::new(compressed.to_vec()));
        let mut reader = reader(kind, source);
        let (mut data, mut buffer) = (Vec::new(), vec![0; size]);
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return (data, None),
                Ok(length) => data.extend_from_slice(&buffer[..length]),
                Err(error) => {
                    assert_eq!(reader.read(&mut buffer).unwrap(), 0, "an error is told once");
                    return (data, Some(error.to_string()));
                }
            }
        }
    }

    fn read(kind: Compression, compressed: &[u8]) -> (Vec<u8>, Option<String>) {
        read_by(kind, compressed, 1 << 16)
    }

    fn text(lines: u64) -> Vec<u8> {
        (0..lines).flat_map(|line| format!("Line {line} of {}, {}.\n", line * 7, line * line).into_bytes()).collect()
    }

    fn joined(kind: Compression, parts: &[&[u8]]) -> Vec<u8> {
        parts.iter().flat_map(|part| member(kind, part).unwrap()).collect()
    }

    #[test]
    fn members_one_after_another_are_read_whatever_the_pieces() {
        let (long, short) = (text(20_000), text(3));
        for kind in KINDS {
            let compressed = joined(kind, &[&long, b"", &short, b"", b""]);
            let expected = [&long[..], &short].concat();
            for size in [1, 2, 3, 7, 4096, 1 << 20] {
                assert_eq!(read_by(kind, &compressed, size), (expected.clone(), None), "{kind} {size}");
            }
            assert_eq!(read(kind, &joined(kind, &[b""])), (Vec::new(), None), "{kind}");
            assert_eq!(read(kind, b""), (Vec::new(), None), "{kind}");
        }
    }

    #[test]
    fn the_same_bytes_are_compressed_to_the_same() {
        for kind in KINDS {
            assert_eq!(member(kind, &text(5000)).unwrap(), member(kind, &text(5000)).unwrap(), "{kind}");
            assert!(member(kind, &text(5000)).unwrap().len() < text(5000).len() / 2, "{kind}");
        }
    }

    #[test]
    fn what_was_read_before_a_sudden_end_stays() {
        let (first, second) = (text(40), text(30));
        for kind in KINDS {
            let (whole, compressed) = (member(kind, &first).unwrap(), joined(kind, &[&first, &second]));
            let expected = [&first[..], &second].concat();
            for length in 1..compressed.len() {
                let (data, error) = read(kind, &compressed[..length]);
                assert!(expected.starts_with(&data), "{kind} {length}");
                assert!(length < whole.len() || data.starts_with(&first), "{kind} {length}");
                let message = (length != whole.len()).then(|| format!("the {kind} data end in the middle"));
                assert_eq!(error, message, "{kind} {length}");
            }
        }
    }

    /// Of many blocks all come that are whole, also of zstd, whose decoder holds a window of them back.
    #[test]
    fn a_long_member_is_read_up_to_its_sudden_end() {
        let long = text(100_000);
        for kind in KINDS {
            let compressed = member(kind, &long).unwrap();
            let (data, error) = read(kind, &compressed[..compressed.len() * 9 / 10]);
            assert!(long.starts_with(&data) && data.len() > long.len() / 3, "{kind} {}", data.len());
            assert!(error.unwrap().contains("end in the middle"), "{kind}");
        }
    }

    #[test]
    fn damage_is_told_and_never_passes_for_data() {
        let (first, second) = (text(40), text(30));
        for kind in KINDS {
            let (whole, compressed) = (member(kind, &first).unwrap(), joined(kind, &[&first, &second]));
            let expected = [&first[..], &second].concat();
            let mut told = 0;
            for place in 0..compressed.len() {
                let mut damaged = compressed.clone();
                damaged[place] ^= 0x55;
                let (data, error) = read(kind, &damaged);
                assert!(place < whole.len() || data.starts_with(&first), "{kind} {place}");
                match error {
                    // A byte that says nothing of the data, such as the time in the header of gzip.
                    None => assert_eq!(data, expected, "{kind} {place}"),
                    Some(error) => {
                        let known = ["are damaged: ", "end in the middle", "stands something else", "need "];
                        assert!(known.iter().any(|part| error.contains(part)), "{kind} {place}: {error}");
                        told += 1;
                    }
                }
            }
            assert!(told > compressed.len() * 8 / 10, "{kind} {told}");
        }
    }

    /// zlib calls this "invalid distance too far back" if it comes byte by byte, and "repeated call with bad state" if not.
    #[test]
    fn damage_is_told_in_the_same_words_whatever_the_pieces() {
        let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x0b\x27\x48\x55\xc8\xcd\xcc\xc9\x51\x48\xce\xc9\x2f\x4e\x4d\xd1\xe3\xe2\xf2\x2c\x51\
            \x28\x4f\x2c\x56\xc8\xcf\x01\x72\0\x68\x3c\x54\xf2\x1e\0\0\0";
        let whole = read(Compression::Gzip, gzip);
        assert_eq!(whole.1.as_deref(), Some("the gzip data are damaged: invalid code"));
        for size in [1, 2, 7, 20] {
            assert_eq!(read_by(Compression::Gzip, gzip, size), whole, "{size}");
        }
    }

    #[test]
    fn only_zeros_may_stand_behind_the_last_member() {
        for kind in KINDS {
            let member = member(kind, b"words\n").unwrap();
            let with = |behind: &[u8]| read(kind, &[&member[..], behind].concat());
            assert_eq!(with(&[0; 512]), (b"words\n".to_vec(), None), "{kind}");
            assert_eq!(with(&[&[0; 4][..], &member].concat()), (b"words\nwords\n".to_vec(), None), "{kind}");
            let (data, error) = with(b"\nmore");
            assert_eq!(data, b"words\n", "{kind}");
            assert_eq!(error.unwrap(), format!("behind the {kind} data stands something else"));
        }
    }

    #[test]
    fn frames_of_zstd_that_hold_no_data_are_skipped() {
        let skippable = b"\x5a\x2a\x4d\x18\x03\0\0\0abc";
        let frame = member(Compression::Zstd, b"words\n").unwrap();
        let compressed = [&skippable[..], &frame, skippable, &frame, skippable].concat();
        assert_eq!(read(Compression::Zstd, &compressed), (b"words\nwords\n".to_vec(), None));
        let (data, error) = read(Compression::Zstd, &[&frame[..], &skippable[..10]].concat());
        assert_eq!((&data[..], error.as_deref()), (&b"words\n"[..], Some("the zstd data end in the middle")));
    }

    #[test]
    fn what_would_take_too_much_memory_is_refused() {
        // A frame with a window of 2 GiB, and a stream with a dictionary of 1 GiB.
        let window = b"\x28\xb5\x2f\xfd\0\xa8\x01\0\0";
        let message = read(Compression::Zstd, window).1.unwrap();
        assert!(message.contains("need 2048 MiB of memory") && message.contains("the 128 MiB allowed"), "{message}");
        let mut stream = member(Compression::Xz, b"words\n").unwrap();
        // The header of the block: its size, flags, filter, the size of the properties, and the dictionary.
        assert_eq!(stream[12..16], [2, 0, 0x21, 1]);
        stream[16] = 36;
        let mut checksum = flate2::Crc::new();
        checksum.update(&stream[12..20]);
        stream[20..24].copy_from_slice(&checksum.sum().to_le_bytes());
        let message = read(Compression::Xz, &stream).1.unwrap();
        assert!(message.contains("of memory") && message.contains("the 256 MiB allowed"), "{message}");
    }

    /// Fifty million zero bytes from some ten thousand, or fewer.
    #[test]
    fn a_bomb_is_read_piece_by_piece() {
        let zeros = vec![0; 50_000_000];
        for kind in KINDS {
            let compressed = match kind {
                // Slow to make.
                Compression::Xz => member(kind, &zeros[..zeros.len() / 50]).unwrap().repeat(50),
                kind => member(kind, &zeros).unwrap(),
            };
            assert!(compressed.len() < 100_000, "{kind} {}", compressed.len());
            let mut reader = reader(kind, Cursor::new(compressed));
            let (mut buffer, mut total) = (vec![0; 1 << 16], 0);
            loop {
                match reader.read(&mut buffer).unwrap() {
                    0 => break,
                    length => total += length,
                }
            }
            assert_eq!(total, zeros.len(), "{kind}");
        }
    }

    #[test]
    fn an_error_of_the_source_is_told_as_it_is() {
        struct Failing(Cursor<Vec<u8>>);
        impl Read for Failing {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                match self.0.read(buffer)? {
                    0 => Err(io::Error::other("the disk is gone")),
                    length => Ok(length),
                }
            }
        }
        for kind in KINDS {
            let compressed = member(kind, &text(100)).unwrap();
            let half = Cursor::new(compressed[..compressed.len() / 2].to_vec());
            let error = reader(kind, BufReader::new(Failing(half))).read_to_end(&mut Vec::new()).unwrap_err();
            assert_eq!(error.to_string(), "the disk is gone", "{kind}");
        }
    }
}
