//! The exceptions of `copydesk._errors`, as this half raises them.

use arrow_schema::ArrowError;
use copydesk::{LabelError, ModelError as OpenError};
use pyo3::import_exception;
use pyo3::prelude::*;
use std::fmt::Display;

import_exception!(copydesk._errors, ColumnError);
import_exception!(copydesk._errors, InputError);
import_exception!(copydesk._errors, ModelError);
import_exception!(copydesk._errors, NotTextError);
import_exception!(copydesk._errors, OptionError);

/// A model that cannot be used.
pub fn model(error: &OpenError) -> PyErr {
    ModelError::new_err(error.to_string())
}

/// A model that cannot be opened under its name.
pub fn opening(name: &str, error: &OpenError) -> PyErr {
    ModelError::new_err(format!("model {name}: {error}"))
}

/// A text that got no label, with its number where there are several.
pub fn label(position: Option<usize>, error: &LabelError) -> PyErr {
    let message = match position {
        Some(position) => format!("text {position}: {error}"),
        None => error.to_string(),
    };
    match error {
        LabelError::Model(_) => ModelError::new_err(message),
        _ => InputError::new_err(message),
    }
}

/// What a consumer of a stream is told.
pub fn arrow(error: impl Display) -> ArrowError {
    ArrowError::ComputeError(error.to_string())
}

/// What arrow-pyarrow says of a batch that cannot be taken. It raises pyarrow's own exceptions, which must not be looked at where
/// pyarrow is not installed.
pub fn imported(py: Python<'_>, error: PyErr) -> PyErr {
    match py.import("pyarrow") {
        Ok(_) => ColumnError::new_err(format!("cannot be read as a batch of Arrow's: {}", error.value(py))),
        Err(_) => {
            ColumnError::new_err("cannot be read as a batch of Arrow's; with pyarrow installed, its message says why")
        }
    }
}
