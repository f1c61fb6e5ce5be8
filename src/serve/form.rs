//! The bodies of forms, as blogs send them.

use crate::corpus::Encoding;
use std::borrow::Cow;

/// Fields that are read of one form.
const FIELDS: usize = 512;

/// The fields of a form, in their order.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Form {
    fields: Vec<(String, String)>,
}

/// Why a form could not be read.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum FormError {
    #[error("a form of more than {FIELDS} fields")]
    TooManyFields,
}

impl Form {
    /// Reads `name=value&…`. Bytes that are not UTF-8 are read in the encoding that the field `blog_charset` names, else as
    /// windows-1252, as browsers do. What is no valid `%` code stands for itself.
    pub fn parse(body: &[u8]) -> Result<Form, FormError> {
        let mut pairs = Vec::new();
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            if pairs.len() == FIELDS {
                return Err(FormError::TooManyFields);
            }
            let cut = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            pairs.push((decoded(&pair[..cut]), decoded(pair.get(cut + 1..).unwrap_or_default())));
        }
        let named = pairs.iter().find(|(name, _)| name == b"blog_charset").map(|(_, value)| value);
        let encoding = named.and_then(|label| Encoding::for_label(label)).filter(|encoding| encoding.name() != "UTF-8");
        let read = |bytes: Vec<u8>| match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let encoding = encoding.or_else(|| Encoding::for_label(b"windows-1252"));
                let decode = |encoding: &'static Encoding| encoding.decode_without_bom_handling(error.as_bytes()).0;
                encoding.map_or_else(|| String::from_utf8_lossy(error.as_bytes()), decode).into_owned()
            }
        };
        Ok(Form { fields: pairs.into_iter().map(|(name, value)| (read(name), read(value))).collect() })
    }

    /// The value of a field; `None` where it is missing or has nothing but blanks.
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
        value.filter(|value| !value.trim().is_empty())
    }

    /// The value of the first of several fields that is there.
    pub fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }
}

fn decoded(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |offset: usize| bytes.get(at + offset).and_then(|byte| char::from(*byte).to_digit(16));
        match (bytes[at], hex(1), hex(2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', _, _) => decoded.push(b' '),
            (byte, _, _) => decoded.push(byte),
        }
        at += 1;
    }
    decoded
}

/// At most `bytes` bytes of a text, cut between characters.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// What a header may hold of a text: ASCII without control characters, typographic marks as the plain ones, at most 200 characters.
pub(super) fn header_text(text: &str) -> String {
    let plain = |c: char| -> Cow<'static, str> {
        match c {
            '\u{2018}' | '\u{2019}' | '\u{201a}' => "'".into(),
            '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{ab}' | '\u{bb}' => "\"".into(),
            '\u{2010}'..='\u{2015}' => "-".into(),
            '\u{2026}' => "...".into(),
            ' '..='~' => c.to_string().into(),
            c if c.is_whitespace() || c.is_control() => " ".into(),
            _ => "?".into(),
        }
    };
    text.chars().take(200).map(plain).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded() {
        let form = Form::parse(b"a=1+2&b=%C3%A9%zz%4&c&=x&a=3&d=+").unwrap();
        assert_eq!(form.get("a"), Some("1 2"));
        assert_eq!(form.get("b"), Some("\u{e9}%zz%4"));
        assert_eq!((form.get("c"), form.get("d"), form.get("e")), (None, None, None));
        assert_eq!(form.first(&["key", "a"]), Some("1 2"));
    }

    #[test]
    fn other_encodings_are_read_as_they_are_named() {
        let form = Form::parse(b"t=%EF%F0&blog_charset=windows-1251").unwrap();
        assert_eq!(form.get("t"), Some("\u{43f}\u{440}"));
        assert_eq!(Form::parse(b"t=%E9&blog_charset=UTF-8").unwrap().get("t"), Some("\u{e9}"));
    }

    #[test]
    fn forms_have_so_many_fields() {
        assert!(Form::parse(&b"a=1&".repeat(FIELDS)).is_ok());
        assert_eq!(Form::parse(&b"a=1&".repeat(FIELDS + 1)), Err(FormError::TooManyFields));
    }

    #[test]
    fn headers_are_ascii() {
        assert_eq!(
            header_text("says \u{201c}caf\u{e9}\u{201d}\r\nSet-Cookie: x\u{2026}"),
            "says \"caf?\"  Set-Cookie: x..."
        );
    }
}
