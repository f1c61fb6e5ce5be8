//! How an input is read into rows.

use super::comment_fields::CommentFields;
use crate::corpus::{InputError, InputFormat, ReadOptions, Record, Unit};
use crate::page::Region;
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
    pub(crate) regions: Regions,
    pub(crate) chars: bool,
    /// Where records say what is known of a comment; then the text is found there.
    pub(crate) comments: Option<CommentFields>,
}

/// Where the texts of an input stand on their pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Regions {
    /// Nobody says so.
    #[default]
    Unknown,
    /// All in one region.
    All(Region),
    /// A field of each record names it.
    Field(String),
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
            regions: Regions::Unknown,
            chars: false,
            comments: None,
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

    /// All texts stand in this region of their pages: a file of comments, say.
    pub fn region(mut self, region: Region) -> RowOptions {
        self.regions = Regions::All(region);
        self
    }

    /// The field that names a record's region: `article`, `comment` or `furniture`. A record without it, or with null, has none
    /// that is known.
    pub fn region_field(mut self, name: impl Into<String>) -> RowOptions {
        self.regions = Regions::Field(name.into());
        self
    }

    /// For the reader of sources.
    pub(crate) fn read(&self) -> ReadOptions {
        let RowOptions { format, unit, paragraphs, encoding, .. } = *self;
        ReadOptions { format, unit, paragraphs, encoding }
    }
}

impl Regions {
    /// The region of all texts, where they have one.
    pub fn of_all(&self) -> Option<Region> {
        match self {
            Regions::All(region) => Some(*region),
            Regions::Unknown | Regions::Field(_) => None,
        }
    }

    /// The region of a record, which may be an object.
    pub fn of(&self, object: Option<&Record<'_>>) -> Result<Option<Region>, InputError> {
        let Regions::Field(field) = self else { return Ok(self.of_all()) };
        let Some(object) = object.filter(|object| object.value(field).is_some_and(|value| value != "null")) else {
            return Ok(None);
        };
        let name = object.text(field)?;
        name.parse().map(Some).map_err(|error| InputError::UnknownRegion { field: field.clone(), error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_names_the_region_and_nothing_else() {
        let regions = Regions::Field("kind".to_owned());
        let of = |line: &str| regions.of(Some(&Record::parse(line).unwrap()));
        assert_eq!(of(r#"{"kind":"comment"}"#).unwrap(), Some(Region::Comment));
        assert_eq!(of(r#"{"kind":null}"#).unwrap(), None);
        assert_eq!(of("{}").unwrap(), None);
        assert_eq!(regions.of(None).unwrap(), None);
        let error = of(r#"{"kind":"body"}"#).unwrap_err().to_string();
        assert!(error.contains("field `kind`") && error.contains("got `body`"), "{error}");
        assert!(matches!(of(r#"{"kind":1}"#), Err(InputError::FieldNotString { .. })));
        assert_eq!(Regions::All(Region::Comment).of(None).unwrap(), Some(Region::Comment));
    }
}
