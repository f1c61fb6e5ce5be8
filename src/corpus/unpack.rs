//! Compressed sources as what they hold.

use super::feed::BLOCK_BYTES;
use crate::compress::{self, Compression};
use std::io::{self, BufRead, BufReader, Cursor, Read};

/// Layers of compression that are taken off; what is packed more often was packed to harm.
const LAYERS: usize = 2;

/// Reads `source`, decompressed where its first bytes say that it is compressed. Nothing is read before the first read.
///
/// An error in the compressed data comes once, behind all that was decompressed before it.
pub(super) fn unpacked(source: impl Read + Send + 'static) -> impl Read + Send {
    Unpacked::Unread(Box::new(source))
}

enum Unpacked {
    Unread(Box<dyn Read + Send>),
    Read(Box<dyn Read + Send>),
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Unpacked::Unread(source) = self {
            let source = std::mem::replace(source, Box::new(io::empty()));
            *self = Unpacked::Read(unpack(Box::new(BufReader::with_capacity(BLOCK_BYTES, source)), LAYERS)?);
        }
        match self {
            Unpacked::Unread(source) | Unpacked::Read(source) => source.read(buffer),
        }
    }
}

/// Takes off as many as `layers` layers.
fn unpack(mut source: Box<dyn BufRead + Send>, layers: usize) -> io::Result<Box<dyn Read + Send>> {
    let mut head = Vec::new();
    let kind = loop {
        if let Some(kind) = Compression::from_magic(&head, false) {
            break kind;
        }
        let byte = match source.fill_buf() {
            Ok(bytes) => bytes.first().copied(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // What was read before it comes first.
            Err(error) => return Ok(Box::new(Cursor::new(head).chain(Fault(Some(error))))),
        };
        match byte {
            Some(byte) => head.push(byte),
            // Not asked again: at a terminal that would wait for more.
            None => return Ok(Box::new(Cursor::new(head))),
        }
        source.consume(1);
    };
    let whole = Cursor::new(head).chain(source);
    match kind {
        None => Ok(Box::new(whole)),
        Some(kind) if layers == 0 => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("it is compressed more than twice, at last with {kind}; decompress it first"),
        )),
        Some(kind) => {
            unpack(Box::new(BufReader::with_capacity(BLOCK_BYTES, compress::reader(kind, whole))), layers - 1)
        }
    }
}

/// An error in the place of data.
struct Fault(Option<io::Error>);

impl Read for Fault {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::member;

    const KINDS: [Compression; 4] = [Compression::Gzip, Compression::Zstd, Compression::Bzip2, Compression::Xz];

    fn read(source: &[u8]) -> (String, Option<String>) {
        let mut data = Vec::new();
        let error = unpacked(Cursor::new(source.to_vec())).read_to_end(&mut data).err();
        (String::from_utf8(data).unwrap(), error.map(|error| error.to_string()))
    }

    #[test]
    fn two_layers_are_taken_off_and_no_more() {
        for inner in KINDS {
            let once = member(inner, b"Some words.\n").unwrap();
            assert_eq!(read(&once), ("Some words.\n".to_owned(), None));
            for outer in KINDS {
                let twice = member(outer, &once).unwrap();
                assert_eq!(read(&twice), ("Some words.\n".to_owned(), None), "{inner} in {outer}");
            }
            let deep = member(Compression::Gzip, &member(Compression::Gzip, &once).unwrap()).unwrap();
            assert!(read(&deep).1.unwrap().contains("more than twice"));
        }
    }

    #[test]
    fn what_is_not_compressed_stays_as_it_is() {
        for text in ["", "B", "BZh9", "Words.\n", "PP\n"] {
            assert_eq!(read(text.as_bytes()), (text.to_owned(), None));
        }
        let empty = member(Compression::Zstd, b"").unwrap();
        assert_eq!(read(&empty), (String::new(), None));
    }

    /// Also where what is held is too short to tell what it is.
    #[test]
    fn data_before_a_fault_come_first() {
        for kind in KINDS {
            for text in ["B", "Some words.\n"] {
                let whole = member(kind, text.as_bytes()).unwrap();
                let (data, error) = read(&[&whole[..], &whole[..5]].concat());
                assert_eq!(data, text, "{kind}");
                assert_eq!(error.unwrap(), format!("the {kind} data end in the middle"));
            }
        }
    }
}
