//! Texts of Python as Rust's.

use crate::errors::{InputError, NotTextError};
use pyo3::exceptions::PyUnicodeEncodeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// One text; `place` names it in messages.
///
/// # Errors
/// `NotTextError` for another type, `InputError` for half a surrogate pair, which no UTF-8 text has.
pub fn text(object: &Bound<'_, PyAny>, place: impl FnOnce() -> String) -> PyResult<String> {
    let Ok(string) = object.cast::<PyString>() else {
        let kind = object.get_type().name().map_or_else(|_| "another type".to_owned(), |name| name.to_string());
        let advice = if object.is_instance_of::<PyBytes>() { "; decode it first: .decode()" } else { "" };
        return Err(NotTextError::new_err(format!("{}: expected str, got {kind}{advice}", place())));
    };
    match string.to_cow() {
        Ok(text) => Ok(text.into_owned()),
        Err(error) if error.is_instance_of::<PyUnicodeEncodeError>(object.py()) => {
            let start: Option<usize> = error.value(object.py()).getattr("start").and_then(|start| start.extract()).ok();
            let position = start.map_or_else(String::new, |start| format!(" {start}"));
            Err(InputError::new_err(format!(
                "{}: character{position} is half of a surrogate pair, which is no text; \
                 replace it: .encode(\"utf-8\", \"replace\").decode()",
                place()
            )))
        }
        Err(error) => Err(error),
    }
}

/// The texts of a list, or of anything that gives texts one after another.
///
/// # Errors
/// Those of [`text`]; `NotTextError` for a single text, and for what gives nothing.
pub fn texts(object: &Bound<'_, PyAny>, what: &str) -> PyResult<Vec<String>> {
    if object.is_instance_of::<PyString>() || object.is_instance_of::<PyBytes>() {
        return Err(NotTextError::new_err(format!("expected a list of {what}, got one; put it in brackets")));
    }
    let Ok(items) = object.try_iter() else {
        let kind = object.get_type().name()?;
        return Err(NotTextError::new_err(format!("expected a list of {what}, got {kind}")));
    };
    items.enumerate().map(|(index, item)| text(&item?, || format!("text {index}"))).collect()
}
