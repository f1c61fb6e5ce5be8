//! Bytes of an object, read by a thread that waits for them.

use super::error::{RemoteError, words};
use super::network::{self, Task};
use super::{RemoteObject, error};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::{GetOptions, GetRange};
use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;
use std::time::Duration;

/// Bytes that are asked for at once: enough that the time to the first byte does not count.
const PIECE_BYTES: u64 = 4 << 20;

/// Pieces that are fetched while one is read.
const PIECES_AHEAD: usize = 2;

/// How often a broken connection is made again for one piece.
const ATTEMPTS: usize = 5;

/// How long is waited after a connection broke for the first time; each next time it is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 200 });

/// Reads an object in pieces; no more than [`PIECES_AHEAD`] and one are held.
pub(super) struct Pieces {
    object: RemoteObject,
    /// Where the next piece begins that is asked for.
    asked: u64,
    ahead: VecDeque<Task<Result<Bytes, RemoteError>>>,
    at_hand: Bytes,
}

impl Pieces {
    pub fn new(object: RemoteObject) -> Pieces {
        Pieces { object, asked: 0, ahead: VecDeque::new(), at_hand: Bytes::new() }
    }

    /// Asks for pieces. The first one comes alone: often only the beginning of a file is looked at.
    fn ask(&mut self) -> Result<(), RemoteError> {
        let wanted = if self.asked == 0 { 1 } else { PIECES_AHEAD + 1 };
        while self.ahead.len() < wanted && self.asked < self.object.size_bytes {
            let end = (self.asked + PIECE_BYTES).min(self.object.size_bytes);
            self.ahead.push_back(network::start(piece(self.object.clone(), self.asked..end))?);
            self.asked = end;
        }
        Ok(())
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at_hand.is_empty() {
            self.ask()?;
            if let Some(next) = self.ahead.pop_front() {
                let answer = next.wait().and_then(|piece| piece);
                // After an error there is no way to go on: what comes later must not pass for what is missing.
                self.at_hand = answer.inspect_err(|_| {
                    self.ahead.clear();
                    self.asked = self.object.size_bytes;
                })?;
            }
        }
        let length = self.at_hand.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.at_hand.split_to(length));
        Ok(length)
    }
}

/// One piece. Where the connection breaks, the rest is asked for again.
async fn piece(object: RemoteObject, range: Range<u64>) -> Result<Bytes, RemoteError> {
    let mut got = Vec::with_capacity((range.end - range.start) as usize);
    let mut attempts = 0;
    loop {
        let at = range.start + got.len() as u64;
        let reason = match append(&object, at..range.end, &mut got).await? {
            None => return Ok(got.into()),
            Some(reason) => reason,
        };
        pause(&mut attempts, range.start + got.len() as u64, reason).await?;
    }
}

/// Appends a range of bytes. Gives why it ended too early, if it did.
async fn append(object: &RemoteObject, range: Range<u64>, got: &mut Vec<u8>) -> Result<Option<String>, RemoteError> {
    let wanted = got.len() as u64 + (range.end - range.start);
    let options = GetOptions {
        range: Some(GetRange::Bounded(range)),
        // Weak tags never match, by the rules of HTTP.
        if_match: object.e_tag.clone().filter(|tag| !tag.starts_with("W/")),
        ..GetOptions::default()
    };
    let result = match object.store.get_opts(&object.location, options).await {
        Ok(result) => result,
        Err(error) if error::is_without_ranges(&error) => return Err(RemoteError::Changed),
        Err(error) => return Err(RemoteError::of(error, &object.name)),
    };
    if !object.is_same(&result.meta) {
        return Err(RemoteError::Changed);
    }
    let mut blocks = result.into_stream();
    while let Some(block) = blocks.next().await {
        match block {
            Ok(block) => got.extend_from_slice(&block[..block.len().min((wanted - got.len() as u64) as usize)]),
            Err(error) => return Ok(Some(words(&error))),
        }
    }
    Ok((wanted > got.len() as u64).then(|| "fewer bytes came than were asked for".to_owned()))
}

/// Waits before the next attempt, unless there were enough.
async fn pause(attempts: &mut usize, at: u64, reason: String) -> Result<(), RemoteError> {
    *attempts += 1;
    if *attempts > ATTEMPTS {
        return Err(RemoteError::Broken { at, attempts: ATTEMPTS, reason });
    }
    tokio::time::sleep(FIRST_WAIT * (1 << (*attempts - 1))).await;
    Ok(())
}

/// Reads an object of a server that gives no parts. Where the connection breaks, the object is asked for from its beginning, and what
/// was read is passed over.
pub(super) struct Whole {
    state: Option<WholeState>,
    at_hand: Bytes,
}

struct WholeState {
    object: RemoteObject,
    blocks: Option<BoxStream<'static, object_store::Result<Bytes>>>,
    /// Bytes that were given.
    given: u64,
    attempts: usize,
}

impl Whole {
    pub fn new(object: RemoteObject) -> Whole {
        let state = WholeState { object, blocks: None, given: 0, attempts: 0 };
        Whole { state: Some(state), at_hand: Bytes::new() }
    }
}

impl Read for Whole {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at_hand.is_empty() {
            let Some(mut state) = self.state.take() else { return Ok(0) };
            let (block, state) = network::wait(async move { (state.next().await, state) })?;
            match block? {
                None => return Ok(0),
                Some(block) => self.at_hand = block,
            }
            self.state = Some(state);
        }
        let length = self.at_hand.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.at_hand.split_to(length));
        Ok(length)
    }
}

impl WholeState {
    /// The next bytes; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, RemoteError> {
        loop {
            if self.given == self.object.size_bytes {
                return Ok(None);
            }
            let reason = match self.block().await? {
                Ok(block) => {
                    self.given += block.len() as u64;
                    return Ok(Some(block));
                }
                Err(reason) => reason,
            };
            self.blocks = None;
            pause(&mut self.attempts, self.given, reason).await?;
        }
    }

    /// Bytes that were not given before, or why the connection broke.
    async fn block(&mut self) -> Result<Result<Bytes, String>, RemoteError> {
        let (blocks, mut pass) = match &mut self.blocks {
            Some(blocks) => (blocks, 0),
            None => {
                let result = self.object.store.get_opts(&self.object.location, GetOptions::default()).await;
                let result = result.map_err(|error| RemoteError::of(error, &self.object.name))?;
                if !self.object.is_same(&result.meta) {
                    return Err(RemoteError::Changed);
                }
                (self.blocks.insert(result.into_stream()), self.given)
            }
        };
        loop {
            match blocks.next().await {
                Some(Ok(mut block)) => {
                    let passed = pass.min(block.len() as u64);
                    let fresh = block.split_off(passed as usize);
                    pass -= passed;
                    if !fresh.is_empty() {
                        return Ok(Ok(fresh));
                    }
                }
                Some(Err(error)) => return Ok(Err(words(&error))),
                None => return Ok(Err("fewer bytes came than were told".to_owned())),
            }
        }
    }
}
