//! Output rows and human-readable tables.

#![forbid(unsafe_code)]

mod bench;
#[cfg(feature = "train")]
mod cascade;
#[cfg(feature = "columnar")]
pub mod columnar;
pub mod csv;
mod dolma;
mod eval_table;
mod fields;
mod filtered;
mod head;
pub mod jsonl;
mod kept;
mod labelled;
mod model_card;
mod models;
mod number;
mod pretty;
mod printable;
mod quantized;
mod reasons;
mod row;
mod stats;
mod tune_table;

pub use bench::{BenchReport, BenchRun, Cost};
#[cfg(feature = "train")]
pub use cascade::CascadeTable;
pub use dolma::Attributes;
pub use eval_table::{DeletionTable, EvalTable, FieldTable, NoiseTable};
pub use fields::RowFields;
pub use filtered::{FilteredRow, FilteredTable, NoColumn, push_json as push_filtered};
pub use head::{HeadLine, Reservoir};
pub use kept::{Keep, TooLong};
pub use labelled::LabelledRow;
pub use model_card::ModelCard;
pub use models::{ModelEntry, ModelsTable};
pub use pretty::PageStyle;
pub(crate) use printable::printable;
pub use quantized::QuantizedReport;
pub use reasons::Reasons;
pub use row::{ParagraphRow, RecordRow, RowSource, Verdict, VerdictOptions};
pub use stats::{Stats, StatsOptions, StatsTable};
pub use tune_table::{TuneError, TuneLine, TuneTable};
