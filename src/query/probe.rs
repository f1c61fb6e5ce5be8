//! Any text tried as an expression: for fuzz tests.

use super::{Expression, Fields, Value};
use crate::label::LabelSet;

/// A row in which a field's value depends on its name, so that values of every kind are compared.
struct AnyRow;

impl Fields for AnyRow {
    fn value(&self, name: &str) -> Value<'_> {
        match name.len() % 4 {
            0 => Value::Null,
            1 => Value::count(name.len() as u64),
            2 => Value::text("a text"),
            _ => Value::Bool(true),
        }
    }
}

/// Parses an expression and asks it of a row: whether the row meets it, or the message that tells what is wrong with it.
///
/// # Panics
/// If the expression breaks a promise: a message that has no three lines, or carets that stand under nothing.
pub fn try_expression(text: &str) -> Result<bool, String> {
    let checked = Expression::parse(text).and_then(|expression| {
        expression.check_labels(&LabelSet::copydesk())?;
        Ok(expression)
    });
    match checked {
        Ok(expression) => {
            assert!(expression.input_fields().iter().all(|field| text.len() >= field.len()), "a field of nowhere");
            Ok(expression.matches(&AnyRow))
        }
        Err(error) => {
            let excerpt = error.excerpt();
            assert_eq!(excerpt.lines().count(), 2, "an excerpt has two lines: {excerpt:?}");
            assert!(excerpt.ends_with('^'), "an excerpt ends with carets: {excerpt:?}");
            Err(error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_holds_or_is_told() {
        assert_eq!(try_expression("tokens > 'a' or lang == 'a text' or file == null"), Ok(true));
        assert!(try_expression("label = 'spam'").unwrap_err().contains("=="));
    }
}
