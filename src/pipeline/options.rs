//! How an input is read into rows.

use crate::corpus::{InputFormat, ReadOptions, Unit};
use crate::text::Paragraphs;
use encoding_rs::Encoding;

/// How an input is read into rows; see [`Copydesk::rows`](super::Copydesk::rows).
///
/// ```
/// use copydesk::{RowOptions, Unit};
/// let options = RowOptions::default().unit(Unit::Record).text_field("body").page_field("url");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowOptions {
    pub(crate) format: Option<InputFormat>,
    pub(crate) unit: Unit,
    pub(crate) paragraphs: Paragraphs,
    pub(crate) encoding: Option<&'static Encoding>,
    pub(crate) text_field: String,
    pub(crate) page_field: Option<String>,
}

impl Default for RowOptions {
    /// Paragraphs of whatever the input is; the text of a JSON object stands in `text`.
    fn default() -> RowOptions {
        RowOptions {
            format: None,
            unit: Unit::Paragraph,
            paragraphs: Paragraphs::default(),
            encoding: None,
            text_field: "text".to_owned(),
            page_field: None,
        }
    }
}

impl RowOptions {
    /// The format of the input; told by name and content if this is not called.
    pub fn format(mut self, format: InputFormat) -> RowOptions {
        self.format = Some(format);
        self
    }

    /// What gets a row: each paragraph, or each record.
    pub fn unit(mut self, unit: Unit) -> RowOptions {
        self.unit = unit;
        self
    }

    /// How texts are cut into paragraphs; Markdown has rules of its own.
    pub fn paragraphs(mut self, paragraphs: Paragraphs) -> RowOptions {
        self.paragraphs = paragraphs;
        self
    }

    /// The field of a JSON object that holds its text. A dot leads into an object: `data.text`.
    pub fn text_field(mut self, name: impl Into<String>) -> RowOptions {
        self.text_field = name.into();
        self
    }

    /// The field that names a record's page: neighbouring records with the same value are read together.
    pub fn page_field(mut self, name: impl Into<String>) -> RowOptions {
        self.page_field = Some(name.into());
        self
    }

    /// For the reader of sources.
    pub(crate) fn read(&self) -> ReadOptions {
        let RowOptions { format, unit, paragraphs, encoding, .. } = *self;
        ReadOptions { format, unit, paragraphs, encoding }
    }
}
