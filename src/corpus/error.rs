//! What can be wrong with an input.

use super::archive_error::ArchiveError;
use super::foreign::ForeignFormat;
use super::sniff::InputFormat;
use crate::label::UnknownLabel;
use crate::page::UnknownRegion;
use std::fmt;
use std::sync::Arc;

/// Why a source, a record or a line cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The file cannot be opened or read, or a folder cannot be listed.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] std::io::Error),
    /// The input is of a kind that this build does not read.
    #[error("needs the feature {feature}: cargo install --path . --features {feature}")]
    NeedsFeature {
        /// Name of the feature.
        feature: &'static str,
    },
    /// The path is neither a file nor a folder.
    #[error("is neither a file nor a folder")]
    NotAFile,
    /// The folder lies inside itself by way of a link.
    #[error("leads back to a folder that it lies in")]
    LinkLoop,
    /// The file, found in a folder, is one that will be written.
    #[error("is also an output, so it is not read")]
    AlsoWritten,
    /// The source is recognisably neither text nor JSON.
    #[error("{0}")]
    ForeignFormat(ForeignFormat),
    /// The source begins with what no text has.
    #[error("is not text: byte {offset} is zero")]
    NotText {
        /// Byte offset from the start of the source.
        offset: usize,
    },
    /// A line of text holds a byte that no text has.
    #[error("is not text: byte {byte} of the line is zero")]
    ZeroByte {
        /// First zero byte, from 1.
        byte: usize,
    },
    /// A line is neither UTF-8 nor, with a few stray bytes, windows-1252.
    #[error("invalid UTF-8 at byte {byte} of the line; if it is in another encoding, name it with --encoding")]
    InvalidUtf8 {
        /// First offending byte, from 1.
        byte: usize,
    },
    /// A line is longer than can be held in memory.
    #[error("line longer than {limit_bytes} bytes")]
    LineTooLong {
        /// Greatest length, 16 MiB.
        limit_bytes: usize,
    },
    /// A record is longer than can be held in memory.
    #[error("record longer than {limit_bytes} bytes")]
    RecordTooLong {
        /// Greatest length, 16 MiB.
        limit_bytes: usize,
    },
    /// The row with the names of a table's columns is longer than can be repeated with each record.
    #[error("the row of column names is longer than {limit_bytes} bytes, so the table is not read")]
    HeaderTooLong {
        /// Greatest length, 64 KiB.
        limit_bytes: usize,
    },
    /// A row of a table has more fields than there are columns.
    #[error("expected {expected} fields, got {got}")]
    FieldCount {
        /// How many columns there are.
        expected: usize,
        /// How many fields the row has.
        got: usize,
    },
    /// A quotation mark begins a field of a table, and the field does not end with one.
    #[error("a quotation mark opens a field here and none closes it; reading goes on at the next line")]
    UnclosedQuote,
    /// An e-mail cannot be taken apart.
    #[error("cannot be read as an e-mail: {0}")]
    InvalidMail(String),
    /// An e-mail has no part with a text, or the text is blank.
    #[error("the e-mail has no text besides attachments")]
    NoMailText,
    /// A comment of an export cannot be taken apart.
    #[error("a comment of the {export} export cannot be read: {reason}")]
    BrokenComment {
        /// Whose export it is.
        export: &'static str,
        /// What is wrong with the comment.
        reason: String,
    },
    /// An export has no end: it was cut off.
    #[error(
        "the {export} export ends before its last tag or statement; what comes after this may be lost, so export it again"
    )]
    CutExport {
        /// Whose export it is.
        export: &'static str,
    },
    /// The source is of a format in which blogs keep comments, and holds none that are known.
    #[error("holds no comments that are known: expected {expected}")]
    NoComments {
        /// What would have been read.
        expected: &'static str,
    },
    /// An HTML page is longer than can be held in memory.
    #[error("page longer than {limit_bytes} bytes")]
    PageTooLong {
        /// Greatest length, 16 MiB.
        limit_bytes: usize,
    },
    /// The source is no HTML page, where one is asked for.
    #[error("is no HTML page, so it has no main content to be found")]
    NotHtml,
    /// The source is said to be JSON, and is recognisably something else that can be read.
    #[error("is {}, not JSON; read it with --input-format {}", .got.name(), .got.option())]
    NotJson {
        /// What it is.
        got: InputFormat,
    },
    /// An array of records has no end: the source may be cut off.
    #[error("the array of records is not closed; what comes after its last record may be lost")]
    UnclosedArray,
    /// The source is said to be of a format, and begins as no such source does.
    #[error("does not begin as {expected} does")]
    OtherFormat {
        /// Name of the format.
        expected: &'static str,
    },
    /// Rows of a table in columns are damaged.
    #[error("{} of the {format} table cannot be read from here on: {reason}", row_count(*.rows))]
    BrokenRows {
        /// Name of the table's format.
        format: &'static str,
        /// How many they are; `None` where nobody can tell.
        rows: Option<u64>,
        /// What is wrong with them.
        reason: String,
    },
    /// The line is no JSON.
    #[error("invalid JSON: {0}")]
    InvalidJson(String),
    /// The line is JSON, but no object.
    #[error("expected a JSON object, got {got}")]
    NotAnObject {
        /// Kind of the value.
        got: &'static str,
    },
    /// The record lacks a field.
    #[error("no field `{field}`")]
    MissingField {
        /// Name of the field.
        field: String,
    },
    /// A field that must hold a text holds something else.
    #[error("field `{field}` must be a string, got {got}")]
    FieldNotString {
        /// Name of the field.
        field: String,
        /// Kind of the value.
        got: &'static str,
    },
    /// A field that must name a region of the page names none.
    #[error("field `{field}`: {error}")]
    UnknownRegion {
        /// Name of the field.
        field: String,
        /// What it holds.
        error: UnknownRegion,
    },
    /// The source holds no labelled rows, where such are asked for.
    #[error("has no field `label`; copydesk label makes such rows")]
    NotLabelled,
    /// The fields that its rows are to keep are too long to be repeated in each of them.
    #[error("its fields are longer than 65536 bytes together, so its rows do without them (--keep-fields)")]
    KeptTooLong,
    /// Attributes are asked for, and the source has no records that could have some.
    #[error("has no records with ids, so there are no attributes of it; without --attributes it is labelled")]
    NoRecords,
    /// A record has a field that the table which is written has no column for.
    #[error("the table that is written has no column `{field}`: filter this source by itself, or write FILE.jsonl")]
    NoColumn {
        /// Name of the field.
        field: String,
    },
    /// A comment that is to be labelled says neither spam nor genuine.
    #[error("no label: expected `spam` (true or false), `gold`, `label` or `status`")]
    NoSpamLabel,
    /// A record of a web archive cannot be used.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// There is nothing in the text that could be labelled.
    #[error("the text is blank")]
    BlankText,
    /// The gold label is none of the model's.
    #[error(transparent)]
    UnknownLabel(#[from] UnknownLabel),
}

impl InputError {
    /// The error in words, with what to do about `source` where it is of a format that is not read.
    pub(crate) fn explanation(&self, source: &str) -> String {
        match self {
            InputError::ForeignFormat(format) => format.advice_for(source),
            error => error.to_string(),
        }
    }

    /// A short name of the broken rule, the same for all errors of one kind.
    pub fn kind(&self) -> &'static str {
        match self {
            InputError::Unreadable(_) => "unreadable",
            InputError::NeedsFeature { .. } => "needs_feature",
            InputError::NotAFile => "not_a_file",
            InputError::LinkLoop => "link_loop",
            InputError::AlsoWritten => "also_written",
            InputError::ForeignFormat(_) => "foreign_format",
            InputError::NotText { .. } => "not_text",
            InputError::ZeroByte { .. } => "zero_byte",
            InputError::InvalidUtf8 { .. } => "invalid_utf8",
            InputError::LineTooLong { .. } => "line_too_long",
            InputError::RecordTooLong { .. } => "record_too_long",
            InputError::HeaderTooLong { .. } => "header_too_long",
            InputError::FieldCount { .. } => "field_count",
            InputError::UnclosedQuote => "unclosed_quote",
            InputError::InvalidMail(_) => "invalid_mail",
            InputError::NoMailText => "no_mail_text",
            InputError::BrokenComment { .. } => "broken_comment",
            InputError::CutExport { .. } => "cut_export",
            InputError::NoComments { .. } => "no_comments",
            InputError::PageTooLong { .. } => "page_too_long",
            InputError::NotHtml => "not_html",
            InputError::NotJson { .. } => "not_json",
            InputError::UnclosedArray => "unclosed_array",
            InputError::OtherFormat { .. } => "other_format",
            InputError::BrokenRows { .. } => "broken_rows",
            InputError::InvalidJson(_) => "invalid_json",
            InputError::NotAnObject { .. } => "not_an_object",
            InputError::MissingField { .. } => "missing_field",
            InputError::FieldNotString { .. } => "field_not_string",
            InputError::UnknownRegion { .. } => "unknown_region",
            InputError::NotLabelled => "not_labelled",
            InputError::KeptTooLong => "kept_too_long",
            InputError::NoRecords => "no_records",
            InputError::NoColumn { .. } => "no_column",
            InputError::NoSpamLabel => "no_spam_label",
            InputError::Archive(error) => error.kind(),
            InputError::BlankText => "blank_text",
            InputError::UnknownLabel(_) => "unknown_label",
        }
    }
}

fn row_count(rows: Option<u64>) -> String {
    match rows {
        None => "some rows".to_owned(),
        Some(1) => "a row".to_owned(),
        Some(rows) => format!("{rows} rows"),
    }
}

/// An input that was set aside, and where it stands.
#[derive(Debug)]
pub struct Failure {
    /// Name of the source, as given on the command line.
    pub source: Arc<str>,
    /// Line in the source, from 1; `None` if the whole source is meant.
    pub line: Option<u64>,
    /// Number of the record in the source, from 1, where the line does not tell it: in an array, or beside others on the line.
    pub record: Option<u64>,
    /// What is wrong.
    pub error: InputError,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, &self.source, self.line, self.record)?;
        write!(f, ": {}", self.error.explanation(&self.source))
    }
}

/// Writes where something stands: `rows.jsonl:7: record 2`.
pub(crate) fn write_place(
    f: &mut fmt::Formatter<'_>,
    source: &str,
    line: Option<u64>,
    record: Option<u64>,
) -> fmt::Result {
    f.write_str(source)?;
    if let Some(line) = line {
        write!(f, ":{line}")?;
    }
    if let Some(record) = record {
        write!(f, ": record {record}")?;
    }
    Ok(())
}

/// What of a source is not UTF-8 and was read all the same. Nothing is lost, but a guess was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Name of the source.
    pub source: Arc<str>,
    /// How much of it.
    pub part: DecodedPart,
}

/// How much of a source was decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodedPart {
    /// Single lines, which were read as windows-1252.
    Lines {
        /// The first of them, from 1.
        first: u64,
        /// How many there are.
        count: u64,
    },
    /// All of it.
    Whole {
        /// Name of the encoding that its first bytes tell.
        encoding: &'static str,
    },
}

impl fmt::Display for Decoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = &self.source;
        match self.part {
            DecodedPart::Lines { first, .. } => write!(f, "{source}:{first}: not UTF-8, read as windows-1252")?,
            DecodedPart::Whole { encoding } => write!(f, "{source}: not UTF-8, read as {encoding}")?,
        }
        f.write_str(" (--encoding names another)")
    }
}
