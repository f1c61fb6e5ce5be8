//! Fields of the input record in the rows of its paragraphs.

use super::jsonl::push_string;
use super::reasons::REASON_FIELDS;
use crate::corpus::Record;
use crate::query::ROW_FIELDS;

/// Longest fields of a record that are repeated in each of its rows, 64 KiB: a record may have thousands of paragraphs.
pub const KEPT_LIMIT_BYTES: usize = 64 * 1024;

/// Which fields of a record its paragraph rows have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keep {
    /// All but that of the text.
    AllBut(String),
    /// Those of these names, in this order.
    Named(Vec<String>),
}

/// The fields are longer than can be repeated in each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// Names of paragraph rows beside those that a row is asked for by, which fields of records do not get either.
const OTHER_FIELDS: [&str; 2] = ["record", "scores"];

impl Keep {
    /// The fields as they stand behind those of a JSON row: `, "name": value` for each. `explained` is whether the row has the
    /// fields of an explanation too.
    ///
    /// # Errors
    /// [`TooLong`] above [`KEPT_LIMIT_BYTES`].
    pub fn json(&self, object: &Record<'_>, explained: bool) -> Result<Vec<u8>, TooLong> {
        let mut out = Vec::new();
        let line = object.line();
        match self {
            Keep::AllBut(text) => {
                for field in object.fields().iter().filter(|field| field.key != text.as_str()) {
                    push_field(&mut out, object, &field.key, &line[field.value_span.clone()], explained);
                    if out.len() > KEPT_LIMIT_BYTES {
                        return Err(TooLong);
                    }
                }
            }
            Keep::Named(names) => {
                for name in names {
                    if let Some(value) = object.value_at(name) {
                        push_field(&mut out, object, name, value, explained);
                    }
                }
            }
        }
        if out.len() > KEPT_LIMIT_BYTES { Err(TooLong) } else { Ok(out) }
    }

    /// The values of named fields in their order, for columns: a string as it is, all else as its JSON, nothing for what is
    /// absent or null.
    ///
    /// # Errors
    /// [`TooLong`] above [`KEPT_LIMIT_BYTES`].
    pub fn columns(&self, object: &Record<'_>) -> Result<Vec<String>, TooLong> {
        let values: Vec<String> = self.names().iter().map(|name| column(object, name)).collect();
        let length: usize = values.iter().map(String::len).sum();
        if length > KEPT_LIMIT_BYTES { Err(TooLong) } else { Ok(values) }
    }

    /// The names that were given; none where all are kept.
    pub fn names(&self) -> &[String] {
        match self {
            Keep::AllBut(_) => &[],
            Keep::Named(names) => names,
        }
    }
}

/// The name that a record's field has beside the fields of a row.
pub fn kept_name(name: &str, explained: bool, taken: impl Fn(&str) -> bool) -> String {
    let mut name = name.to_owned();
    let of_row = |field: &str| ROW_FIELDS.contains(&field) || OTHER_FIELDS.contains(&field);
    if of_row(&name) || explained && REASON_FIELDS.contains(&name.as_str()) {
        name.insert_str(0, "input_");
        while taken(&name) {
            name.insert_str(0, "input_");
        }
    }
    name
}

fn push_field(out: &mut Vec<u8>, object: &Record<'_>, name: &str, value: &str, explained: bool) {
    out.extend_from_slice(b", ");
    push_string(out, &kept_name(name, explained, |taken| object.value(taken).is_some()));
    out.extend_from_slice(b": ");
    out.extend_from_slice(value.as_bytes());
}

fn column(object: &Record<'_>, name: &str) -> String {
    match (object.text(name), object.value_at(name)) {
        (Ok(text), _) => text.into_owned(),
        (Err(_), Some("null") | None) => String::new(),
        (Err(_), Some(value)) => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_values_and_give_way_to_those_of_the_row() {
        let record =
            Record::parse(r#"{"id": 1e400, "text": "x", "label": "ham", "input_label": 2, "meta": {"site": "a"}}"#)
                .unwrap();
        let json = |keep: Keep| String::from_utf8(keep.json(&record, false).unwrap()).unwrap();
        assert_eq!(
            json(Keep::AllBut("text".to_owned())),
            r#", "id": 1e400, "input_input_label": "ham", "input_label": 2, "meta": {"site": "a"}"#
        );
        let named = Keep::Named(["meta.site", "absent", "meta"].map(str::to_owned).to_vec());
        assert_eq!(json(named.clone()), r#", "meta.site": "a", "meta": {"site": "a"}"#);
        let words = Record::parse(r#"{"words": 1}"#).unwrap();
        let kept = |explained| Keep::AllBut("text".to_owned()).json(&words, explained).unwrap();
        assert_eq!(kept(false), br#", "words": 1"#);
        assert_eq!(kept(true), br#", "input_words": 1"#);
        assert_eq!(named.columns(&record).unwrap(), ["a", "", r#"{"site": "a"}"#]);
    }

    #[test]
    fn long_fields_are_not_repeated() {
        let line = format!(r#"{{"a": "{}"}}"#, "x".repeat(KEPT_LIMIT_BYTES + 1));
        let record = Record::parse(&line).unwrap();
        assert_eq!(Keep::AllBut("text".to_owned()).json(&record, false), Err(TooLong));
        assert_eq!(Keep::Named(vec!["a".to_owned()]).columns(&record), Err(TooLong));
        assert_eq!(Keep::Named(vec!["b".to_owned()]).json(&record, false), Ok(Vec::new()));
    }
}
