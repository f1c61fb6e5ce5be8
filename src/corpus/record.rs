//! A JSON object on one line, read without losing how it was written.

use super::error::InputError;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::ops::Range;

/// A field of the object: where its name and its value stand in the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The decoded name.
    pub key: Cow<'a, str>,
    /// Bytes of the name in the line, quotation marks included.
    pub key_span: Range<usize>,
    /// Bytes of the value in the line.
    pub value_span: Range<usize>,
}

/// A JSON object and the places of its fields.
///
/// The line itself stays the record's only form, so that numbers beyond every number type, escapes, spaces and
/// repeated keys come out as they came in.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    line: &'a str,
    fields: Vec<Field<'a>>,
    close: usize,
}

impl<'a> Record<'a> {
    /// Reads one line that holds a JSON object and nothing else but white space.
    ///
    /// As Python writes them, `NaN`, `Infinity` and `-Infinity` count as numbers.
    ///
    /// # Errors
    ///
    /// [`InputError::InvalidJson`] and [`InputError::NotAnObject`].
    pub fn parse(line: &'a str) -> Result<Record<'a>, InputError> {
        validate(line)?;
        let line = line.trim_matches(is_json_space);
        if !line.starts_with('{') {
            return Err(InputError::NotAnObject { got: kind_of(line) });
        }
        let mut scanner = Scanner { bytes: line.as_bytes(), position: 1 };
        let mut fields = Vec::new();
        loop {
            scanner.skip_space();
            match scanner.peek() {
                b'}' => break,
                b',' => scanner.position += 1,
                _ => fields.push(scanner.field(line)),
            }
        }
        Ok(Record { line, fields, close: scanner.position })
    }

    /// The line, without white space around the object.
    pub fn line(&self) -> &'a str {
        self.line
    }

    /// The fields in the order written, repeated ones included.
    pub fn fields(&self) -> &[Field<'a>] {
        &self.fields
    }

    /// Byte offset of the closing brace in [`line`](Record::line).
    pub fn close(&self) -> usize {
        self.close
    }

    /// A field's value as it is written. Of repeated fields the last counts, as in most readers of JSON.
    pub fn value(&self, key: &str) -> Option<&'a str> {
        let field = self.fields.iter().rev().find(|field| field.key == key)?;
        Some(&self.line[field.value_span.clone()])
    }

    /// The value that a field's name or a path leads to. A name that the object has wins; else the part before a dot names an
    /// object that the rest leads into: `data.text`.
    pub fn value_at(&self, path: &str) -> Option<&'a str> {
        self.value(path).or_else(|| {
            path.match_indices('.').find_map(|(dot, _)| {
                let inner = self.value(&path[..dot]).filter(|value| value.starts_with('{'))?;
                Record::parse(inner).ok()?.value_at(&path[dot + 1..])
            })
        })
    }

    /// The text of a value as [`Record::value`] gives it; `None` for what is no string.
    pub fn string(value: &str) -> Option<Cow<'_, str>> {
        value.starts_with('"').then(|| decode(value))
    }

    /// The text in a field; a dot leads into an object. An escaped half of a surrogate pair that stands alone, as a text that was cut by its length in
    /// UTF-16 has it at its end, becomes U+FFFD.
    ///
    /// # Errors
    ///
    /// [`InputError::MissingField`] and [`InputError::FieldNotString`].
    pub fn text(&self, field: &str) -> Result<Cow<'a, str>, InputError> {
        let value = self.value_at(field).ok_or_else(|| InputError::MissingField { field: field.to_owned() })?;
        Record::string(value).ok_or_else(|| InputError::FieldNotString { field: field.to_owned(), got: kind_of(value) })
    }

    /// A field that names something: a string as it is, a number as it is written, `None` for all else. A dot leads into an
    /// object.
    pub fn name(&self, field: &str) -> Option<Cow<'a, str>> {
        let value = self.value_at(field)?;
        match kind_of(value) {
            "a string" => Some(decode(value)),
            "a number" => Some(Cow::Borrowed(value)),
            _ => None,
        }
    }
}

fn is_json_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// The message of a JSON error with the column alone: the line is always the first.
fn without_line(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.split_once(" at line ") {
        Some((words, _)) => format!("{words} at column {}", error.column()),
        None => message,
    }
}

/// The kind of a valid JSON value, by its first byte.
pub(super) fn kind_of(value: &str) -> &'static str {
    match value.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// Refuses what is no JSON.
fn validate(line: &str) -> Result<(), InputError> {
    let check = |line: &str| serde_json::from_str::<IgnoredAny>(line).map(|_| ());
    let checked = match check(line) {
        Err(_) if line.contains("NaN") || line.contains("Infinity") => check(&with_finite_numbers(line)),
        checked => checked,
    };
    checked.map_err(|error| InputError::InvalidJson(without_line(&error)))
}

/// A line of the same length with numbers in place of those that JSON does not have, outside of strings.
fn with_finite_numbers(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while !rest.is_empty() {
        let length = match rest.as_bytes()[0] {
            b'"' => {
                let end = Scanner { bytes: rest.as_bytes(), position: 0 }.string_if_closed();
                plain.push_str(&rest[..end]);
                end
            }
            b'N' if rest.starts_with("NaN") => {
                plain.push_str("0  ");
                3
            }
            b'I' if rest.starts_with("Infinity") => {
                plain.push_str("0       ");
                8
            }
            _ => {
                let end = rest.char_indices().nth(1).map_or(rest.len(), |(end, _)| end);
                plain.push_str(&rest[..end]);
                end
            }
        };
        rest = &rest[length..];
    }
    plain
}

/// Decodes a valid JSON string with its quotation marks.
pub(crate) fn decode(quoted: &str) -> Cow<'_, str> {
    if !quoted.contains('\\') {
        return Cow::Borrowed(&quoted[1..quoted.len() - 1]);
    }
    let decoded = serde_json::from_str(quoted).or_else(|_| serde_json::from_str(&with_whole_characters(quoted)));
    Cow::Owned(decoded.expect("a string of valid JSON has only such escapes; this is a bug"))
}

/// A JSON string in which escaped halves of surrogate pairs that stand alone are escapes of U+FFFD.
fn with_whole_characters(quoted: &str) -> String {
    let unit = |text: &str| {
        let digits = text.strip_prefix("\\u").and_then(|rest| rest.get(..4))?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut whole = String::with_capacity(quoted.len());
    let mut rest = quoted;
    while let Some(escape) = rest.find('\\') {
        whole.push_str(&rest[..escape]);
        rest = &rest[escape..];
        let length = match unit(rest) {
            Some(0xd800..=0xdbff) if matches!(unit(&rest[6..]), Some(0xdc00..=0xdfff)) => 12,
            Some(0xd800..=0xdfff) => {
                whole.push_str("\\ufffd");
                rest = &rest[6..];
                continue;
            }
            // The backslash and what it escapes, which is one ASCII character.
            _ => 2,
        };
        whole.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    whole + rest
}

/// Walks over one object that is known to be valid JSON.
struct Scanner<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> u8 {
        self.bytes[self.position]
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\r' | b'\n') {
            self.position += 1;
        }
    }

    fn field<'a>(&mut self, line: &'a str) -> Field<'a> {
        let key_span = self.string();
        self.skip_space();
        self.position += 1; // the colon
        self.skip_space();
        let value_span = self.value();
        let key = decode(&line[key_span.clone()]);
        Field { key, key_span, value_span }
    }

    fn string(&mut self) -> Range<usize> {
        let start = self.position;
        self.position += 1;
        while self.peek() != b'"' {
            self.position += if self.peek() == b'\\' { 2 } else { 1 };
        }
        self.position += 1;
        start..self.position
    }

    /// Offset behind the string at hand, or of the end where it is not closed.
    fn string_if_closed(&self) -> usize {
        let mut position = self.position + 1;
        while let Some(&byte) = self.bytes.get(position) {
            match byte {
                b'"' => return position + 1,
                b'\\' => position += 2,
                _ => position += 1,
            }
        }
        self.bytes.len()
    }

    fn value(&mut self) -> Range<usize> {
        let start = self.position;
        let mut depth = 0usize;
        loop {
            match self.peek() {
                b'"' => {
                    self.string();
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.position += 1;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.position += 1;
                }
                b',' | b'}' if depth == 0 => break,
                _ => self.position += 1,
            }
        }
        let value = self.bytes[start..self.position].trim_ascii_end();
        start..start + value.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_dot_leads_into_an_object_unless_a_name_has_it() {
        let line = r#"{"data": {"text": "inner", "n": 7, "a.b": {"c": "deep"}}, "data.n": "plain", "text": "outer"}"#;
        let record = Record::parse(line).unwrap();
        assert_eq!(record.text("data.text").unwrap(), "inner");
        assert_eq!(record.text("data.n").unwrap(), "plain");
        assert_eq!(record.text("data.a.b.c").unwrap(), "deep");
        assert_eq!(record.name("data.n").as_deref(), Some("plain"));
        for missing in ["data.", ".text", "text.data", "data.text.x", "data..text", "."] {
            let error = record.text(missing).unwrap_err();
            assert!(matches!(&error, InputError::MissingField { field } if field == missing), "{missing}: {error}");
        }
        let error = record.text("data.a.b").unwrap_err();
        assert_eq!(error.to_string(), "field `data.a.b` must be a string, got an object");
    }

    #[test]
    fn fields_stand_where_they_say() {
        let line = r#" { "a" : [1, {"b": "}\""}], "text":"x\u00e9" ,"n": 1e400 , "a":null } "#;
        let record = Record::parse(line).unwrap();
        let written: Vec<_> = record
            .fields()
            .iter()
            .map(|field| (field.key.as_ref(), &record.line()[field.value_span.clone()]))
            .collect();
        assert_eq!(written, [("a", r#"[1, {"b": "}\""}]"#), ("text", r#""x\u00e9""#), ("n", "1e400"), ("a", "null")]);
        assert_eq!(record.text("text").unwrap(), "xé");
        assert_eq!(record.value("a"), Some("null"));
        assert_eq!(&record.line()[record.close()..], "}");
        assert_eq!(record.name("n").as_deref(), Some("1e400"));
        assert!(Record::parse("{}").unwrap().fields().is_empty());
    }

    #[test]
    fn errors_name_the_broken_rule() {
        let error = |line: &str| match Record::parse(line).and_then(|record| record.text("text").map(|_| ())) {
            Ok(()) => String::new(),
            Err(error) => error.to_string(),
        };
        assert_eq!(error(r#"{"text": "a""#), "invalid JSON: EOF while parsing an object at column 12");
        assert_eq!(error("[1]"), "expected a JSON object, got an array");
        assert_eq!(error("{}"), "no field `text`");
        assert_eq!(error(r#"{"text": 5}"#), "field `text` must be a string, got a number");
        assert!(error("{} {}").starts_with("invalid JSON: trailing characters"));
    }

    #[test]
    fn numbers_that_python_writes_are_taken() {
        let line = r#"{"a": NaN, "b": [-Infinity, Infinity], "text": "NaN \"Infinity\" é", "n": NaN}"#;
        let record = Record::parse(line).unwrap();
        assert_eq!((record.line(), record.value("a"), record.value("n")), (line, Some("NaN"), Some("NaN")));
        assert_eq!(record.value("b"), Some("[-Infinity, Infinity]"));
        assert_eq!(record.text("text").unwrap(), "NaN \"Infinity\" é");
        for line in [r#"{"a": NaNs}"#, r#"{NaN: 1}"#, r#"{"a": Inf}"#, r#"{"a": "NaN}"#] {
            assert!(Record::parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_is_a_replacement_character() {
        let text =
            |text: &str| Record::parse(&format!(r#"{{"text": "{text}"}}"#)).unwrap().text("text").unwrap().into_owned();
        assert_eq!(text(r"cut \ud83d"), "cut \u{fffd}");
        assert_eq!(text(r"\ude00\ud83d\ude00\ud83d\u0041\\ud83d"), "\u{fffd}😀\u{fffd}A\\ud83d");
        let record = Record::parse(r#"{"\ud83d": 1, "id": "\ude00"}"#).unwrap();
        assert_eq!((record.value("\u{fffd}"), record.name("id").as_deref()), (Some("1"), Some("\u{fffd}")));
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(3, 24, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                proptest::collection::vec((any::<String>(), inner), 0..4)
                    .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_object_is_taken_apart_as_serde_json_does(
            fields in proptest::collection::vec((any::<String>(), json()), 0..6), pretty: bool
        ) {
            let object: serde_json::Map<_, _> = fields.into_iter().collect();
            let line = if pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) }.unwrap();
            let record = Record::parse(&line).unwrap();
            prop_assert_eq!(record.fields().len(), object.len());
            for (field, (key, value)) in record.fields().iter().zip(&object) {
                prop_assert_eq!(field.key.as_ref(), key);
                let written = &record.line()[field.value_span.clone()];
                prop_assert_eq!(&serde_json::from_str::<serde_json::Value>(written).unwrap(), value);
            }
        }

        #[test]
        fn no_line_panics(line in "[{}\\[\\]\",:\\\\ a0u]{0,24}") {
            let _ = Record::parse(&line).map(|record| record.fields().len());
        }
    }
}
