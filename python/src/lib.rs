//! The native half of the Python package `copydesk`; what users see of it is in `package/copydesk`.
//!
//! Python objects are turned into Rust's here, work is done without the interpreter's lock, and answers are turned into the
//! named tuples of `copydesk._types`. No unsafe code is written here: it is in pyo3 and arrow-pyarrow.

mod answers;
mod columns;
mod command;
mod desk;
mod errors;
mod pages;
mod stream;
mod table;
mod texts;
mod work;

use pyo3::prelude::*;

#[pymodule]
mod _copydesk {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::command::run_command;
    #[pymodule_export]
    use super::desk::{Desk, split};
    #[pymodule_export]
    use super::stream::ArrowStream;
    #[pymodule_export]
    use super::table::ArrowBatch;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
