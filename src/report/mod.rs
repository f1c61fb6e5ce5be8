//! Output rows and human-readable tables.

mod bench;
pub mod csv;
mod eval_table;
pub mod jsonl;
mod number;
mod pretty;
mod row;

pub use bench::{BenchReport, BenchRun, Spread, TimeShare};
pub use eval_table::{EvalTable, NoiseTable};
pub use pretty::PageStyle;
pub use row::{ParagraphRow, RecordRow, Verdict, VerdictOptions};
