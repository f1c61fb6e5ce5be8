//! What the hub calls a content is made of the content, so that whatever came can be held to it.

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// A checksum that grows with a content.
#[derive(Clone)]
pub(super) enum Checksum {
    /// Of a large file: 64 digits.
    Sha256(Sha256),
    /// Of a file that git holds: the name of git's blob, 40 digits.
    Git(Sha1),
}

impl Checksum {
    /// The checksum that a name is, before the first byte. Git's begins with the length; `None` where that is not known or the name is
    /// none of the two, as with servers that are not quite hubs.
    pub fn named(etag: &str, size: Option<u64>) -> Option<Checksum> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        match (etag.len(), size) {
            _ if !etag.bytes().all(is_digit) => None,
            (64, _) => Some(Checksum::Sha256(Sha256::new())),
            (40, Some(size)) => Some(Checksum::Git(Sha1::new_with_prefix(format!("blob {size}\0")))),
            _ => None,
        }
    }

    /// What people call it.
    pub fn kind(&self) -> &'static str {
        match self {
            Checksum::Sha256(_) => "SHA-256",
            Checksum::Git(_) => "git's SHA-1",
        }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Checksum::Sha256(hash) => hash.update(bytes),
            Checksum::Git(hash) => hash.update(bytes),
        }
    }

    /// Its digits so far.
    pub fn digits(&self) -> String {
        match self {
            Checksum::Sha256(hash) => hex(&hash.clone().finalize()),
            Checksum::Git(hash) => hex(&hash.clone().finalize()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_git_and_sha256sum_give() {
        let of = |len: usize, size: Option<u64>, bytes: &[u8]| {
            let mut checksum = Checksum::named(&"0".repeat(len), size)?;
            bytes.chunks(2).for_each(|piece| checksum.update(piece));
            Some(checksum.digits())
        };
        // `printf 'hello\n' | git hash-object --stdin`, `printf 'hello\n' | sha256sum`.
        assert_eq!(of(40, Some(6), b"hello\n").as_deref(), Some("ce013625030ba8dba906f756967f9e9ca394464a"));
        let sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
        assert_eq!(of(64, None, b"hello\n").as_deref(), Some(sha256));
        assert_eq!(of(40, None, b""), None);
        assert_eq!(of(32, Some(0), b""), None);
        assert!(Checksum::named(&"G".repeat(64), None).is_none());
    }
}
