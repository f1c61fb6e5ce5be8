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
