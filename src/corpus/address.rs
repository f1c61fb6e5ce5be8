//! Names of inputs that are no paths: `s3://bucket/key`, `gs://bucket/key`, `https://host/path`.

use std::path::Path;

/// What stands before `://`, in lower case, and how such a store is spoken to.
const SCHEMES: [(&str, Protocol); 4] =
    [("s3", Protocol::S3), ("gs", Protocol::Google), ("https", Protocol::Http), ("http", Protocol::Http)];

/// How a store is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Amazon's, which most others speak as well.
    S3,
    /// Google's.
    Google,
    /// Plain HTTP, with TLS or without: one object a name.
    Http,
}

/// The protocol of a name, and what follows `://` in it; `None` for a path.
pub(super) fn parse(name: &str) -> Option<(Protocol, &str)> {
    let (scheme, rest) = name.split_once("://")?;
    let known = SCHEMES.iter().find(|(known, _)| scheme.eq_ignore_ascii_case(known));
    known.map(|(_, protocol)| (*protocol, rest))
}

/// Whether an input is named by an address, not by a path.
pub fn is_remote(input: &Path) -> bool {
    input.to_str().is_some_and(|name| parse(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_paths() {
        assert_eq!(parse("s3://bucket/a/b"), Some((Protocol::S3, "bucket/a/b")));
        assert_eq!(parse("HTTPS://host/x?y"), Some((Protocol::Http, "host/x?y")));
        for path in ["s3:/bucket", "file:///x", "data/s3://x", "://x", "-", "./gs:/x"] {
            assert!(!is_remote(Path::new(path)), "{path}");
        }
    }
}
