//! What blogs export, as records: one JSON object for each comment, with the same names of fields whatever the system.
//!
//! `id`, `text`, `html` where the text holds tags, `author`, `author_url`, `author_email`, `page_title`, `permalink`, `date`,
//! `ip`, `status`, `kind`, `parent`. A field that the source does not have is absent. Values stand as they are in the source; `status` and
//! `kind` are in words.

mod object;
mod pages;
mod sql_comments;
mod sql_row;
mod sql_scan;
#[cfg(feature = "sqlite")]
mod sqlite_comments;
mod xml_comments;
mod xml_fields;
mod xml_scan;
mod yaml_comments;
mod yaml_value;

pub(super) use self::sql_comments::SqlComments;
#[cfg(feature = "sqlite")]
pub(super) use self::sqlite_comments::SqliteComments;
pub(super) use self::xml_comments::{XmlComments, XmlExport};
pub(super) use self::yaml_comments::YamlComments;
pub(super) use self::yaml_value::is_comment_in_json;
