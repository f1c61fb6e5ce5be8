//! Output rows and human-readable tables.

pub mod csv;
mod eval_table;
pub mod jsonl;
mod number;
mod pretty;
mod row;

pub use eval_table::{EvalTable, NoiseTable};
pub use pretty::PageStyle;
pub use row::{ParagraphRow, RecordRow, Verdict, VerdictOptions};
