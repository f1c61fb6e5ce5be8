//! An HTTP answer as archives keep it: status, headers, and the body without the wrappings that it came in.

use super::archive_error::ArchiveError;
use super::error::InputError;
use super::warc_header::{beginning, for_each_field, header_end};
use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};
use memchr::memchr;
use std::borrow::Cow;
use std::io::{self, Read};

/// An HTTP answer, its body as it was sent.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub status: u16,
    pub content_type: Option<String>,
    transfer: String,
    compression: String,
    body: &'a [u8],
}

impl Answer<'_> {
    /// Reads status and headers.
    ///
    /// # Errors
    /// [`ArchiveError::NotHttp`] where it does not begin with a status line.
    pub fn parse(bytes: &[u8]) -> Result<Answer<'_>, ArchiveError> {
        let end = memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1);
        let Some(status) = status(&bytes[..end]) else {
            return Err(ArchiveError::NotHttp { got: beginning(&bytes[..end]) });
        };
        // The blank line may stand directly behind the status.
        let length = header_end(bytes, end - 1).unwrap_or(bytes.len());
        let (fields, body) = (&bytes[end.min(length)..length], &bytes[length..]);
        let (mut content_type, mut transfer, mut compression) = (None, String::new(), String::new());
        for_each_field(fields, &mut |name, value| {
            if name.eq_ignore_ascii_case(b"Content-Type") {
                content_type.get_or_insert(value);
                return;
            }
            let list = if name.eq_ignore_ascii_case(b"Transfer-Encoding") {
                &mut transfer
            } else if name.eq_ignore_ascii_case(b"Content-Encoding") {
                &mut compression
            } else {
                return;
            };
            list.push(',');
            list.push_str(&value.to_ascii_lowercase());
        });
        Ok(Answer { status, content_type, transfer, compression, body })
    }

    /// The body without chunks and compression. What crawlers have already unwrapped, and left the headers of, stays as it is.
    /// Of a `truncated` body there is as much as could be unwrapped.
    ///
    /// # Errors
    /// Whatever is wrong with the wrappings, and [`InputError::RecordTooLong`] where the body is longer than `limit_bytes`.
    pub fn body(&self, truncated: bool, limit_bytes: usize) -> Result<Cow<'_, [u8]>, InputError> {
        let mut body = Cow::Borrowed(self.body);
        if names(&self.transfer).any(|name| name == "chunked") {
            match unchunk(self.body) {
                Ok(whole) => body = whole,
                Err(Broken { so_far, .. }) if truncated => body = Cow::Owned(so_far),
                Err(Broken { byte, .. }) => return Err(ArchiveError::BrokenChunks { byte }.into()),
            }
        }
        let wrapped = names(&self.compression).rev().chain(names(&self.transfer).rev());
        for name in wrapped {
            let decompressed = match name {
                "gzip" | "x-gzip" if body.starts_with(b"\x1f\x8b") => gunzip(&body, limit_bytes),
                "deflate" if is_zlib(&body) => inflate(ZlibDecoder::new(&*body), limit_bytes),
                "deflate" if std::str::from_utf8(&body).is_err() => inflate(DeflateDecoder::new(&*body), limit_bytes),
                "br" | "zstd" | "compress" | "x-compress" if std::str::from_utf8(&body).is_err() => {
                    return Err(ArchiveError::UnknownCompression { got: name.to_owned() }.into());
                }
                _ => continue,
            };
            let (bytes, error) = decompressed;
            if bytes.len() > limit_bytes {
                return Err(InputError::RecordTooLong { limit_bytes });
            }
            match error {
                Some(error) if !truncated => return Err(ArchiveError::BrokenCompression(error).into()),
                _ => body = Cow::Owned(bytes),
            }
        }
        Ok(body)
    }
}

/// The three digits of a status line such as `HTTP/1.1 200 OK`.
fn status(line: &[u8]) -> Option<u16> {
    let rest = line.strip_prefix(b"HTTP/")?;
    let code = rest[memchr(b' ', rest)?..].trim_ascii_start();
    let digits = code.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The names in a header's list, in the order in which the wrappings were put on.
fn names(list: &str) -> impl DoubleEndedIterator<Item = &str> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty())
}

/// Where chunks break, and what came before.
struct Broken {
    byte: usize,
    so_far: Vec<u8>,
}

/// A body without its chunks; as it is where it does not begin with one.
fn unchunk(body: &[u8]) -> Result<Cow<'_, [u8]>, Broken> {
    let mut whole = Vec::new();
    let mut at = 0;
    loop {
        let Some((size, start)) = chunk_size(body, at) else {
            // Many a server ends without the last, empty chunk.
            return match at {
                0 => Ok(Cow::Borrowed(body)),
                at if at == body.len() => Ok(Cow::Owned(whole)),
                at => Err(Broken { byte: at + 1, so_far: whole }),
            };
        };
        if size == 0 {
            return Ok(Cow::Owned(whole));
        }
        let Some(end) = start.checked_add(size).filter(|end| *end <= body.len()) else {
            whole.extend_from_slice(&body[start..]);
            return Err(Broken { byte: body.len() + 1, so_far: whole });
        };
        whole.extend_from_slice(&body[start..end]);
        at = end + body[end..].iter().take(2).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    }
}

/// Size of the chunk whose line begins at `at`, and where its bytes begin.
fn chunk_size(body: &[u8], at: usize) -> Option<(usize, usize)> {
    /// Digits and extensions; a longer line is none of a chunk.
    const LINE_BYTES: usize = 1024;
    let rest = &body[at..];
    let end = memchr(b'\n', &rest[..rest.len().min(LINE_BYTES)])?;
    let digits = rest[..end].split(|&byte| byte == b';').next()?.trim_ascii();
    let is_hex = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    let size = usize::from_str_radix(std::str::from_utf8(digits).ok().filter(|_| is_hex)?, 16).ok()?;
    Some((size, at + end + 1))
}

/// Whether bytes begin with a header of zlib: `deflate` should, and often does not.
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [first, second, ..] if first & 0x0f == 8 && u16::from_be_bytes([*first, *second]).is_multiple_of(31))
}

/// The members of a gzip file, one after another; what follows them counts for nothing.
fn gunzip(mut rest: &[u8], limit_bytes: usize) -> (Vec<u8>, Option<io::Error>) {
    let mut whole = Vec::new();
    while rest.starts_with(b"\x1f\x8b") {
        let (mut bytes, error) = inflate(GzDecoder::new(&mut rest), limit_bytes - whole.len());
        whole.append(&mut bytes);
        if error.is_some() || whole.len() > limit_bytes {
            return (whole, error);
        }
    }
    (whole, None)
}

/// What comes of a compressed body, one byte more than the limit at most, and what ended it too early.
fn inflate(reader: impl Read, limit_bytes: usize) -> (Vec<u8>, Option<io::Error>) {
    let mut bytes = Vec::new();
    let error = reader.take(limit_bytes as u64 + 1).read_to_end(&mut bytes).err();
    (bytes, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write;

    const LIMIT: usize = 1 << 20;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut writer = GzEncoder::new(Vec::new(), Compression::fast());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    fn body(headers: &str, body: &[u8], truncated: bool) -> Result<Vec<u8>, String> {
        let bytes = [format!("HTTP/1.1 200 OK\r\n{headers}\r\n").as_bytes(), body].concat();
        let answer = Answer::parse(&bytes).unwrap();
        answer.body(truncated, LIMIT).map(Cow::into_owned).map_err(|error| error.kind().to_owned())
    }

    #[test]
    fn status_and_type_are_read() {
        let answer = Answer::parse(b"HTTP/1.0 404 Not Found\nContent-type: a/b\n\nbody").unwrap();
        assert_eq!((answer.status, answer.content_type.as_deref(), answer.body), (404, Some("a/b"), &b"body"[..]));
        let answer = Answer::parse(b"HTTP/2 200\r\n\r\nbody").unwrap();
        assert_eq!((answer.status, answer.body), (200, &b"body"[..]));
        assert_eq!(Answer::parse(b"HTTP/1.1 200 OK\r\nA: b\r\n").unwrap().body, b"");
        for bad in [&b""[..], b"HTTP/", b"HTTP/1.1 OK\r\n\r\n", b"<html>"] {
            assert!(matches!(Answer::parse(bad), Err(ArchiveError::NotHttp { .. })));
        }
    }

    #[test]
    fn chunks_are_joined() {
        let chunked = "Transfer-Encoding: Chunked\r\n";
        let joined = |bytes: &[u8]| body(chunked, bytes, false);
        assert_eq!(joined(b"3\r\nabc\r\n0A;x=y\r\n0123456789\r\n0\r\nTrailer: a\r\n\r\n").unwrap(), b"abc0123456789");
        assert_eq!(joined(b"3\r\nabc\r\n").unwrap(), b"abc");
        assert_eq!(joined(b"<p>not in chunks any more").unwrap(), b"<p>not in chunks any more");
        assert_eq!(joined(b"3\r\nabc\r\nxyz\r\n"), Err("broken_chunks".to_owned()));
        assert_eq!(joined(b"5\r\nabc"), Err("broken_chunks".to_owned()));
        assert_eq!(body(chunked, b"5\r\nabc", true).unwrap(), b"abc");
        assert_eq!(joined(b"ffffffffffffffff\r\nabc"), Err("broken_chunks".to_owned()));
    }

    #[test]
    fn compressed_bodies_are_read_and_others_left() {
        let text = "<p>Words and words and words.</p>".repeat(9);
        let text = text.as_bytes();
        let encoded = |name: &str, bytes: &[u8]| body(&format!("Content-Encoding: {name}\r\n"), bytes, false);
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(text).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(text).unwrap();
        assert_eq!(encoded("gzip", &gzip(text)).unwrap(), text);
        assert_eq!(encoded("X-GZIP", &[gzip(b"a"), gzip(b"b"), b"junk".to_vec()].concat()).unwrap(), b"ab");
        assert_eq!(encoded("deflate", &zlib.finish().unwrap()).unwrap(), text);
        assert_eq!(encoded("deflate", &raw.finish().unwrap()).unwrap(), text);
        for name in ["gzip", "deflate", "br", "zstd", "identity", "utf-8"] {
            assert_eq!(encoded(name, text).unwrap(), text, "{name}");
        }
        assert_eq!(encoded("br", b"\x8b\x02\x80"), Err("unknown_compression".to_owned()));
        assert_eq!(encoded("gzip, gzip", &gzip(&gzip(text))).unwrap(), text);
    }

    #[test]
    fn broken_and_endless_bodies_are_refused() {
        let cut = &gzip(&[b'a'; 5000])[..20];
        assert_eq!(body("Content-Encoding: gzip\r\n", cut, false), Err("broken_compression".to_owned()));
        assert!(body("Content-Encoding: gzip\r\n", cut, true).is_ok());
        let bomb = gzip(&vec![b'a'; LIMIT + 1]);
        assert_eq!(body("Content-Encoding: gzip\r\n", &bomb, true), Err("record_too_long".to_owned()));
        assert_eq!(body("Content-Encoding: gzip\r\n", &gzip(&vec![b'a'; LIMIT]), false).unwrap().len(), LIMIT);
    }
}
