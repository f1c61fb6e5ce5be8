//! Formats of outputs, by name.

use crate::compress::Compression;
use std::path::{Path, PathBuf};

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowFormat {
    /// A JSON object a line.
    Jsonl,
    /// Comma-separated values with a header.
    Csv,
    /// A Parquet table.
    Parquet,
    /// An Arrow table with a footer, also known as Feather, version 2.
    Arrow,
    /// An Arrow table to be read from the first byte to the last.
    ArrowStream,
}

/// A format of rows and what the bytes are compressed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutputFormat {
    pub rows: RowFormat,
    pub compression: Option<Compression>,
}

impl OutputFormat {
    /// The format that a name promises: its last extension may be that of a compression, the one before it, or the last, that of
    /// the rows. `None` where it promises none; such rows are JSON Lines.
    pub fn of_name(path: &Path) -> (Option<RowFormat>, Option<Compression>) {
        let compression = Compression::from_extension(path);
        let inner = match compression {
            Some(_) => path.with_extension(""),
            None => path.to_owned(),
        };
        (RowFormat::of_name(&inner), compression)
    }
}

impl RowFormat {
    /// Whether rows stand one after another, and not in columns.
    pub fn is_lines(self) -> bool {
        matches!(self, RowFormat::Jsonl | RowFormat::Csv)
    }

    /// The usual end of names.
    pub fn extension(self) -> &'static str {
        match self {
            RowFormat::Jsonl => "jsonl",
            RowFormat::Csv => "csv",
            RowFormat::Parquet => "parquet",
            RowFormat::Arrow => "arrow",
            RowFormat::ArrowStream => "arrows",
        }
    }

    fn of_name(path: &Path) -> Option<RowFormat> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "jsonl" | "ndjson" | "json" => Some(RowFormat::Jsonl),
            "csv" => Some(RowFormat::Csv),
            "parquet" | "pq" => Some(RowFormat::Parquet),
            "arrow" | "feather" | "ipc" => Some(RowFormat::Arrow),
            "arrows" => Some(RowFormat::ArrowStream),
            _ => None,
        }
    }
}

/// The path with more behind its name, which need not be UTF-8.
pub(crate) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

/// Puts words between a name and its extensions, those of the rows and of the compression: `rows-part.jsonl.gz`.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut stem_end = name.len();
    if Compression::from_extension(path).is_some() {
        stem_end = name.rfind('.').unwrap_or(stem_end);
    }
    if let Some(dot) = name[..stem_end].rfind('.').filter(|&dot| dot > 0) {
        stem_end = dot;
    }
    path.with_file_name(format!("{}{suffix}{}", &name[..stem_end], &name[stem_end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_promise_rows_and_compression() {
        let of = |name: &str| OutputFormat::of_name(Path::new(name));
        assert_eq!(of("rows.csv"), (Some(RowFormat::Csv), None));
        assert_eq!(of("rows.JSONL.gz"), (Some(RowFormat::Jsonl), Some(Compression::Gzip)));
        assert_eq!(of("rows.zst"), (None, Some(Compression::Zstd)));
        assert_eq!(of("rows"), (None, None));
    }

    #[test]
    fn a_suffix_stands_before_the_extensions() {
        let with = |name: &str| with_suffix(Path::new(name), "-1").to_string_lossy().into_owned();
        assert_eq!(with("a/rows.jsonl.gz"), "a/rows-1.jsonl.gz");
        assert_eq!(with("rows.csv"), "rows-1.csv");
        assert_eq!(with("rows"), "rows-1");
        assert_eq!(with("a.b/rows"), "a.b/rows-1");
        assert_eq!(with("v1.2.jsonl"), "v1.2-1.jsonl");
    }
}
