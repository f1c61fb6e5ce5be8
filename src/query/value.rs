//! What an expression compares, and where its values come from.

use std::borrow::Cow;

/// A value of a row or of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// There is none.
    Null,
    /// A number.
    Number(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// A truth value.
    Bool(bool),
}

impl<'a> Value<'a> {
    /// A text that stands elsewhere.
    pub fn text(text: &'a str) -> Value<'a> {
        Value::Text(Cow::Borrowed(text))
    }

    /// A whole number, exact up to 2^53.
    pub fn count(count: u64) -> Value<'static> {
        Value::Number(count as f64)
    }

    /// The same value without a copy of its text.
    pub fn borrowed(&self) -> Value<'_> {
        match self {
            Value::Null => Value::Null,
            Value::Number(number) => Value::Number(*number),
            Value::Text(text) => Value::text(text),
            Value::Bool(truth) => Value::Bool(*truth),
        }
    }
}

/// A row whose fields have names.
pub trait Fields {
    /// The value of a field; [`Value::Null`] where the row has none of that name. A dot leads into an object.
    fn value(&self, name: &str) -> Value<'_>;
}
