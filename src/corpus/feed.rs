//! Bytes of a source as UTF-8, decompressed, read so that it is known when they pause.

use super::guess::{self, GUESS_BYTES, Look};
use super::sources::Origin;
use super::unpack::unpacked;
use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::fs::File;
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Bytes that are read at once.
pub(super) const BLOCK_BYTES: usize = 64 * 1024;

/// Blocks of a live source that may wait for their reader.
const WAITING_BLOCKS: usize = 4;

/// How long more bytes are waited for by which to guess an encoding: what is written in one go comes closer together.
const GUESS_PATIENCE: Duration = Duration::from_millis(50);

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

/// A source's bytes: decompressed, and in UTF-8 where its encoding is told by the user or by a byte order mark, or guessed.
pub(super) struct Feed {
    bytes: Bytes,
    encoding: Option<&'static Encoding>,
    /// The beginning of the source, until its encoding is decided.
    head: Option<Head>,
    decoder: Option<Decoder>,
    /// Bytes in front of those to be read.
    pending: Vec<u8>,
    /// What is told once all was given out that was read before.
    fault: Option<io::Error>,
    ended: bool,
    observer: Observer,
}

/// The first bytes of a source.
#[derive(Default)]
struct Head {
    bytes: Vec<u8>,
    /// Of so many, all ASCII, it is known what they are; they were given out.
    given: usize,
    /// Whether it is known that no byte order mark begins it.
    unmarked: bool,
}

enum Bytes {
    Direct(Box<dyn Read + Send>),
    /// What a thread reads from a pipe or a terminal.
    Live(Receiver<io::Result<Vec<u8>>>),
}

/// What can be seen of a feed from outside, while something else reads it.
#[derive(Clone, Debug, Default)]
pub(super) struct Observer {
    raw_bytes: Arc<AtomicU64>,
    guessed: Arc<OnceLock<&'static Encoding>>,
}

impl Observer {
    /// Bytes that were read of the source itself, before they were decompressed.
    pub fn raw_bytes(&self) -> u64 {
        self.raw_bytes.load(Ordering::Relaxed)
    }

    /// The encoding in which all of the source is read although neither it nor the user names one.
    pub fn guessed(&self) -> Option<&'static Encoding> {
        self.guessed.get().copied()
    }
}

impl Feed {
    /// Opens a source. `encoding` is what the user says of it.
    pub fn open(origin: &Origin, encoding: Option<&'static Encoding>) -> io::Result<Feed> {
        let observer = Observer::default();
        let bytes = match origin {
            Origin::StandardInput if standard_input_is_a_file() => Bytes::direct(io::stdin(), &observer),
            Origin::StandardInput => Bytes::live(io::stdin(), &observer),
            Origin::Reader(reader) => Bytes::live(reader.take().unwrap_or_else(|| Box::new(io::empty())), &observer),
            // Whoever opened it has its bytes.
            Origin::Peeked(_) => Bytes::direct(io::empty(), &observer),
            #[cfg(feature = "remote")]
            Origin::Remote(object) => Bytes::direct(object.open(), &observer),
            Origin::File(path) => {
                let file = File::open(path)?;
                if file.metadata()?.is_file() { Bytes::direct(file, &observer) } else { Bytes::live(file, &observer) }
            }
        };
        Ok(Feed::new(bytes, encoding, observer))
    }

    /// Opens some bytes of a file, which are UTF-8.
    ///
    /// # Errors
    /// What the system says.
    pub fn of_part(path: &Path, bytes: Range<u64>) -> io::Result<Feed> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(bytes.start))?;
        let observer = Observer::default();
        let reader = file.take(bytes.end - bytes.start);
        Ok(Feed::new(Bytes::direct(reader, &observer), Some(UTF_8), observer))
    }

    fn new(bytes: Bytes, encoding: Option<&'static Encoding>, observer: Observer) -> Feed {
        let head = Some(Head::default());
        Feed { bytes, encoding, head, decoder: None, pending: Vec::new(), fault: None, ended: false, observer }
    }

    /// What a reader gives that never pauses. `encoding` is what the user says of it.
    pub fn of_reader(reader: impl Read + Send + 'static, encoding: Option<&'static Encoding>) -> Feed {
        let observer = Observer::default();
        Feed::new(Bytes::direct(reader, &observer), encoding, observer)
    }

    /// Blocks that come as those of a pipe do, without a pause. `encoding` is what the user says of them.
    pub fn of_blocks(blocks: Vec<Vec<u8>>, encoding: Option<&'static Encoding>) -> Feed {
        let (send, receive) = sync_channel(blocks.len());
        for block in blocks.into_iter().filter(|block| !block.is_empty()) {
            send.send(Ok(block)).expect("there is room for all blocks, and the receiver is there; this is a bug");
        }
        Feed::new(Bytes::Live(receive), encoding, Observer::default())
    }

    #[cfg(test)]
    pub fn of(reader: impl Read + Send + 'static) -> Feed {
        Feed::of_reader(reader, None)
    }

    /// What can be seen of the feed while something else reads it.
    pub fn observer(&self) -> Observer {
        self.observer.clone()
    }

    /// Appends bytes to `buffer`. With `patience`, a live source is waited for no longer than that.
    pub fn read_into(&mut self, buffer: &mut Vec<u8>, patience: Option<Duration>) -> io::Result<More> {
        loop {
            if let Some(fault) = self.fault.take() {
                self.ended = true;
                return Err(fault);
            }
            if self.ended {
                return Ok(More::End);
            }
            let mut block = std::mem::take(&mut self.pending);
            match self.bytes.read_into(&mut block, patience) {
                Ok(More::Bytes) => {}
                Ok(More::Pause) => {
                    self.pending = block;
                    return Ok(More::Pause);
                }
                Ok(More::End) => self.ended = true,
                Err(error) => self.fault = Some(error),
            }
            if let Some(mut head) = self.head.take() {
                head.bytes.append(&mut block);
                block = match self.begin(&mut head) {
                    Begun::Decided => head.bytes.split_off(head.given),
                    Begun::Undecided(ready) => {
                        let block = head.bytes[head.given..ready].to_vec();
                        head.given = ready;
                        self.head = Some(head);
                        block
                    }
                };
            }
            let (before, last) = (buffer.len(), self.is_at_end());
            match &mut self.decoder {
                None => buffer.append(&mut block),
                Some(decoder) => decode(decoder, &block, buffer, last),
            }
            if buffer.len() > before {
                return Ok(More::Bytes);
            }
        }
    }

    /// Whether nothing more will come of the source.
    fn is_at_end(&self) -> bool {
        self.ended || self.fault.is_some()
    }

    /// Decodes what is read from here on, unless the encoding was told before, by a mark or by the user, or guessed. Says
    /// whether it does.
    fn decode_from_here(&mut self, encoding: &'static Encoding) -> bool {
        let begins = self.decoder.is_none() && self.encoding.is_none();
        if begins {
            self.decoder = Some(encoding.new_decoder_without_bom_handling());
            if let Some(mut head) = self.head.take() {
                self.pending = head.bytes.split_off(head.given);
            }
        }
        begins
    }

    /// Chooses the decoder by a byte order mark, else by what the user said, else by a guess.
    ///
    /// The mark of UTF-8 stays: it is blank, and offsets count it.
    fn begin(&mut self, head: &mut Head) -> Begun {
        if !head.unmarked {
            let marks: [(&[u8], &'static Encoding); 2] = [(b"\xff\xfe", UTF_16LE), (b"\xfe\xff", UTF_16BE)];
            // UTF-32 begins like UTF-16 and goes on with what no text has; it is left to be refused.
            let utf_32: &[u8] = b"\xff\xfe\0\0";
            let bytes = &head.bytes;
            let undecided = |mark: &[u8]| bytes.len() < mark.len() && mark.starts_with(bytes);
            if !self.is_at_end() && (undecided(utf_32) || undecided(marks[1].0)) {
                return Begun::Undecided(0);
            }
            let marked = marks.iter().find(|(mark, _)| bytes.starts_with(mark) && !bytes.starts_with(utf_32));
            if let Some((mark, encoding)) = marked {
                head.bytes.drain(..mark.len());
                self.decoder = Some(encoding.new_decoder_without_bom_handling());
                return Begun::Decided;
            }
            if let Some(encoding) = self.encoding {
                self.decoder = (encoding != UTF_8).then(|| encoding.new_decoder_without_bom_handling());
                return Begun::Decided;
            }
            head.unmarked = true;
        }
        self.guess(head)
    }

    /// Of a live source, what is plainly UTF-8 is given out at once; of a file its beginning is looked at as a whole.
    fn guess(&mut self, head: &mut Head) -> Begun {
        let live = matches!(self.bytes, Bytes::Live(_));
        let mut paused = false;
        while head.bytes.len() < GUESS_BYTES && !self.is_at_end() && !paused {
            if live {
                match guess::look(&head.bytes) {
                    Look::Ascii(ready) => return Begun::Undecided(ready),
                    Look::Utf8 => return Begun::Decided,
                    Look::Other => {}
                }
            }
            match self.bytes.read_into(&mut head.bytes, Some(GUESS_PATIENCE)) {
                Ok(More::Bytes) => {}
                Ok(More::Pause) => paused = true,
                Ok(More::End) => self.ended = true,
                Err(error) => self.fault = Some(error),
            }
        }
        let looked_at = &head.bytes[..head.bytes.len().min(GUESS_BYTES)];
        let whole = self.is_at_end() && looked_at.len() == head.bytes.len();
        if let Some(encoding) = guess::encoding(looked_at, whole) {
            self.decoder = Some(encoding.new_decoder_without_bom_handling());
            // Set once, since a source begins once.
            let _ = self.observer.guessed.set(encoding);
        }
        Begun::Decided
    }
}

/// What is known of a beginning.
enum Begun {
    /// How all of the source is to be read.
    Decided,
    /// Not yet that; but bytes up to here may be given out.
    Undecided(usize),
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
    fn direct(reader: impl Read + Send + 'static, observer: &Observer) -> Bytes {
        Bytes::Direct(Box::new(unpacked(Counted { reader, bytes: Arc::clone(&observer.raw_bytes) })))
    }

    /// Reads and decompresses in a thread of its own; in place if there can be none.
    fn live(reader: impl Read + Send + 'static, observer: &Observer) -> Bytes {
        let mut reader = unpacked(Counted { reader, bytes: Arc::clone(&observer.raw_bytes) });
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

/// Counts what is read.
struct Counted<R> {
    reader: R,
    bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.bytes.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
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
    /// What is told when more bytes are asked for.
    fault: Option<io::Error>,
}

impl Window {
    pub fn new(feed: Feed) -> Window {
        Window { feed, buffer: Vec::new(), position: 0, consumed: 0, ended: false, fault: None }
    }

    /// What can be seen of the source while something else reads the window.
    pub fn observer(&self) -> Observer {
        self.feed.observer()
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

    /// Whether the bytes at hand are the last that can be read, be it for an error behind them.
    pub fn is_whole(&self) -> bool {
        self.ended || self.fault.is_some()
    }

    /// Reads more bytes behind those at hand, to look at all of them. An error behind them is told by the next
    /// [`fill`](Window::fill).
    ///
    /// # Errors
    ///
    /// Where no bytes are at hand.
    pub fn look_further(&mut self) -> io::Result<()> {
        match self.fill(None) {
            Err(error) if !self.rest().is_empty() => self.fault = Some(error),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        Ok(())
    }

    /// Reads more bytes behind those at hand.
    pub fn fill(&mut self, patience: Option<Duration>) -> io::Result<More> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
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
        let (bytes, last) = (self.buffer.split_off(self.position), self.feed.is_at_end());
        if let Some(decoder) = &mut self.feed.decoder {
            decode(decoder, &bytes, &mut self.buffer, last);
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
mod tests;
