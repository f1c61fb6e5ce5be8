//! Output rows and human-readable tables.

mod eval_table;

pub use eval_table::EvalTable;
