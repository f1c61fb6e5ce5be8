//! Bytes of a source as UTF-8, read so that it is known when they pause.

use super::sources::Origin;
use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::fs::File;
use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

/// Bytes that are read at once.
const BLOCK_BYTES: usize = 64 * 1024;

/// Blocks of a live source that may wait for their reader.
const WAITING_BLOCKS: usize = 4;

/// What came of asking for more bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum More {
    /// Some came.
    Bytes,
    /// None came in the time given.
    Pause,
    /// None will come.
    End,
}

/// A source's bytes, in UTF-8 where its encoding is told by the user or by a byte order mark.
pub(super) struct Feed {
    bytes: Bytes,
    encoding: Option<&'static Encoding>,
    /// Bytes read to see a byte order mark; `None` once it is decided.
    head: Option<Vec<u8>>,
    decoder: Option<Decoder>,
    ended: bool,
}

enum Bytes {
    Direct(Box<dyn Read + Send>),
    /// What a thread reads from a pipe or a terminal.
    Live(Receiver<io::Result<Vec<u8>>>),
}

impl Feed {
    /// Opens a source. `encoding` is what the user says of it.
    pub fn open(origin: &Origin, encoding: Option<&'static Encoding>) -> io::Result<Feed> {
        let bytes = match origin {
            Origin::StandardInput if standard_input_is_a_file() => Bytes::Direct(Box::new(io::stdin())),
            Origin::StandardInput => Bytes::live(io::stdin()),
            Origin::Reader(reader) => Bytes::live(reader.take().unwrap_or_else(|| Box::new(io::empty()))),
            Origin::File(path) => {
                let file = File::open(path)?;
                if file.metadata()?.is_file() { Bytes::Direct(Box::new(file)) } else { Bytes::live(file) }
            }
        };
        Ok(Feed::new(bytes, encoding))
    }

    fn new(bytes: Bytes, encoding: Option<&'static Encoding>) -> Feed {
        Feed { bytes, encoding, head: Some(Vec::new()), decoder: None, ended: false }
    }

    #[cfg(test)]
    pub fn of(reader: impl Read + Send + 'static) -> Feed {
        Feed::new(Bytes::Direct(Box::new(reader)), None)
    }

    /// Appends bytes to `buffer`. With `patience`, a live source is waited for no longer than that.
    pub fn read_into(&mut self, buffer: &mut Vec<u8>, patience: Option<Duration>) -> io::Result<More> {
        loop {
            if self.ended {
                return Ok(More::End);
            }
            let mut block = Vec::new();
            match self.bytes.read_into(&mut block, patience)? {
                More::Pause => return Ok(More::Pause),
                More::End => self.ended = true,
                More::Bytes => {}
            }
            if let Some(mut head) = self.head.take() {
                head.append(&mut block);
                block = head;
                match self.begin(&mut block) {
                    true => {}
                    false => {
                        self.head = Some(block);
                        continue;
                    }
                }
            }
            let before = buffer.len();
            match &mut self.decoder {
                None => buffer.append(&mut block),
                Some(decoder) => decode(decoder, &block, buffer, self.ended),
            }
            if buffer.len() > before {
                return Ok(More::Bytes);
            }
        }
    }

    /// Decodes what is read from here on, unless the encoding was told before, by a mark or by the user. Says whether it does.
    fn decode_from_here(&mut self, encoding: &'static Encoding) -> bool {
        let begins = self.decoder.is_none() && self.encoding.is_none() && self.head.is_none();
        if begins {
            self.decoder = Some(encoding.new_decoder_without_bom_handling());
        }
        begins
    }

    /// Chooses the decoder by a byte order mark, else by what the user said; false where more bytes are needed for that.
    ///
    /// The mark of UTF-8 stays: it is blank, and offsets count it.
    fn begin(&mut self, head: &mut Vec<u8>) -> bool {
        let marks: [(&[u8], &'static Encoding); 2] = [(b"\xff\xfe", UTF_16LE), (b"\xfe\xff", UTF_16BE)];
        // UTF-32 begins like UTF-16 and goes on with what no text has; it is left to be refused.
        let utf_32: &[u8] = b"\xff\xfe\0\0";
        let undecided = |mark: &[u8]| head.len() < mark.len() && mark.starts_with(head);
        if !self.ended && (undecided(utf_32) || undecided(marks[1].0)) {
            return false;
        }
        let marked = marks.iter().find(|(mark, _)| head.starts_with(mark) && !head.starts_with(utf_32));
        let encoding = match marked {
            Some((mark, encoding)) => {
                head.drain(..mark.len());
                Some(*encoding)
            }
            None => self.encoding.filter(|encoding| *encoding != UTF_8),
        };
        self.decoder = encoding.map(Encoding::new_decoder_without_bom_handling);
        true
    }
}

/// Appends decoded bytes; what cannot be decoded becomes U+FFFD.
fn decode(decoder: &mut Decoder, bytes: &[u8], buffer: &mut Vec<u8>, last: bool) {
    let room = decoder.max_utf8_buffer_length(bytes.len()).expect("a block has few bytes; this is a bug");
    let start = buffer.len();
    buffer.resize(start + room, 0);
    let (_, _, written, _) = decoder.decode_to_utf8(bytes, &mut buffer[start..], last);
    buffer.truncate(start + written);
}

impl Bytes {
    /// Reads in a thread of its own; in place if there can be none.
    fn live(mut reader: impl Read + Send + 'static) -> Bytes {
        let (send, receive) = sync_channel(WAITING_BLOCKS);
        // Never joined: while it waits for input nobody can end it, and the process need not wait.
        let started = std::thread::Builder::new().name("input".to_owned()).spawn(move || {
            loop {
                let block = read_block(&mut reader);
                let last = !matches!(&block, Ok(block) if !block.is_empty());
                if send.send(block).is_err() || last {
                    break;
                }
            }
        });
        match started {
            Ok(_) => Bytes::Live(receive),
            Err(error) => Bytes::Direct(Box::new(Refused(Some(error)))),
        }
    }

    fn read_into(&mut self, buffer: &mut Vec<u8>, patience: Option<Duration>) -> io::Result<More> {
        let block = match self {
            Bytes::Direct(reader) => read_block(reader)?,
            Bytes::Live(receive) => {
                let received = match patience {
                    Some(patience) => receive.recv_timeout(patience),
                    None => receive.recv().map_err(|_| RecvTimeoutError::Disconnected),
                };
                match received {
                    Ok(block) => block?,
                    Err(RecvTimeoutError::Timeout) => return Ok(More::Pause),
                    Err(RecvTimeoutError::Disconnected) => return Ok(More::End),
                }
            }
        };
        if block.is_empty() {
            return Ok(More::End);
        }
        buffer.extend(block);
        Ok(More::Bytes)
    }
}

/// One read; empty at the end.
fn read_block(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        match reader.read(&mut block) {
            Ok(length) => {
                block.truncate(length);
                return Ok(block);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A source that cannot be read because no thread could be started for it.
struct Refused(Option<io::Error>);

impl Read for Refused {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

#[cfg(unix)]
fn standard_input_is_a_file() -> bool {
    use rustix::fs::FileType;
    let kind = rustix::fs::fstat(rustix::stdio::stdin()).map(|stat| FileType::from_raw_mode(stat.st_mode));
    matches!(kind, Ok(FileType::RegularFile))
}

#[cfg(not(unix))]
fn standard_input_is_a_file() -> bool {
    false
}

/// What was read of a feed and not yet used.
pub(super) struct Window {
    feed: Feed,
    buffer: Vec<u8>,
    position: usize,
    consumed: u64,
    ended: bool,
}

impl Window {
    pub fn new(feed: Feed) -> Window {
        Window { feed, buffer: Vec::new(), position: 0, consumed: 0, ended: false }
    }

    /// The bytes at hand.
    pub fn rest(&self) -> &[u8] {
        &self.buffer[self.position..]
    }

    /// Whether the bytes at hand are the last.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Bytes used so far.
    pub fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Goes on by `length` bytes, which must be at hand.
    pub fn consume(&mut self, length: usize) {
        self.position += length;
        self.consumed += length as u64;
    }

    /// Reads more bytes behind those at hand.
    pub fn fill(&mut self, patience: Option<Duration>) -> io::Result<More> {
        if self.position > 0 {
            self.buffer.drain(..self.position);
            self.position = 0;
        }
        let more = self.feed.read_into(&mut self.buffer, patience)?;
        self.ended = more == More::End;
        Ok(more)
    }

    /// Decodes all that is not yet used, for a source that names its encoding itself.
    pub fn decode(&mut self, encoding: &'static Encoding) {
        if encoding == UTF_8 || !self.feed.decode_from_here(encoding) {
            return;
        }
        let bytes = self.buffer.split_off(self.position);
        if let Some(decoder) = &mut self.feed.decoder {
            decode(decoder, &bytes, &mut self.buffer, self.ended);
        }
    }

    /// Leaves a byte order mark at the beginning aside.
    pub fn skip_mark(&mut self) -> io::Result<()> {
        let mark = "\u{feff}".as_bytes();
        while !self.ended && self.rest().len() < mark.len() && mark.starts_with(self.rest()) {
            self.fill(None)?;
        }
        if self.rest().starts_with(mark) {
            self.consume(mark.len());
        }
        Ok(())
    }
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for Window {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.rest().is_empty() && !self.ended {
            self.fill(None)?;
        }
        Ok(self.rest())
    }

    fn consume(&mut self, length: usize) {
        Window::consume(self, length);
    }
}

/// A reader that gives its pieces one by one, so that tests see what depends on how bytes come.
#[cfg(test)]
pub(super) struct Pieces(pub Vec<Vec<u8>>);

#[cfg(test)]
impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() {
            return Ok(0);
        }
        let piece = self.0.remove(0);
        buffer[..piece.len()].copy_from_slice(&piece);
        Ok(piece.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], size: usize, encoding: Option<&'static Encoding>) -> String {
        let pieces = Pieces(bytes.chunks(size).map(<[u8]>::to_vec).collect());
        let mut feed = Feed::new(Bytes::Direct(Box::new(pieces)), encoding);
        let mut all = Vec::new();
        while feed.read_into(&mut all, None).unwrap() != More::End {}
        String::from_utf8(all).unwrap()
    }

    #[test]
    fn marks_and_names_tell_the_encoding() {
        for size in [1, 2, 3, 100] {
            let utf_16 =
                |bytes: fn(u16) -> [u8; 2]| "\u{feff}Über 😀\n".encode_utf16().flat_map(bytes).collect::<Vec<_>>();
            assert_eq!(read(&utf_16(u16::to_le_bytes), size, None), "Über 😀\n");
            assert_eq!(read(&utf_16(u16::to_be_bytes), size, None), "Über 😀\n");
            assert_eq!(read("\u{feff}é".as_bytes(), size, None), "\u{feff}é");
            assert_eq!(read(b"\x93caf\xe9\x94", size, Some(encoding_rs::WINDOWS_1252)), "“café”");
            assert_eq!(read("é".as_bytes(), size, Some(UTF_8)), "é");
            assert_eq!(read(b"\xff\xfe", size, None), "");
            assert_eq!(read(b"", size, None), "");
        }
    }

    #[test]
    fn a_live_source_tells_its_pauses() {
        let (send, receive) = sync_channel(1);
        let mut feed = Feed::new(Bytes::Live(receive), None);
        let mut all = Vec::new();
        let patience = Some(Duration::from_millis(1));
        assert_eq!(feed.read_into(&mut all, patience).unwrap(), More::Pause);
        send.send(Ok(b"a".to_vec())).unwrap();
        assert_eq!(feed.read_into(&mut all, patience).unwrap(), More::Bytes);
        assert_eq!(feed.read_into(&mut all, patience).unwrap(), More::Pause);
        send.send(Ok(Vec::new())).unwrap();
        assert_eq!(feed.read_into(&mut all, patience).unwrap(), More::End);
        assert_eq!(all, b"a");
    }
}
