//! `copydesk train-content`: what tells the main content of HTML pages from the rest.

use super::args::TrainContentArgs;
use super::error::CliError;
use super::job::Tally;
use super::tell;
use super::train::{read_rows, training_settings, write_trained};
use crate::train::{HeldOut, THRESHOLDS, TreeSettings, read_marked, train_content};
use serde::Serialize;

/// `training.json`.
#[derive(Serialize)]
struct Training<'a> {
    settings: TreeSettings,
    pages: usize,
    thresholds: [f32; THRESHOLDS.len()],
    /// Word F1 on sites left out, at each threshold.
    held_out: &'a [HeldOut],
}

/// Carries out the arguments.
pub(super) fn run(args: TrainContentArgs) -> Result<Tally, CliError> {
    let settings = training_settings(args.settings.as_slice(), TreeSettings::default())?;
    settings.check()?;
    let mut tally = Tally::default();
    let pages = read_rows(&args.data, read_marked, &mut tally)?;
    tally.rows += pages.len() as u64;
    let count = pages.len();
    let trained = train_content(pages, settings, &mut |done| tell(format_args!("{done}")))
        .expect("what was just grown fits together; this is a bug");
    tell(format_args!("word F1 on sites left out, with a threshold of each page's own, and at {THRESHOLDS:?}"));
    for HeldOut { kind, pages, f1, f1_at } in &trained.held_out {
        let f1_at: Vec<String> = f1_at.iter().map(|f1| format!("{f1:.4}")).collect();
        tell(format_args!("{kind:14} {pages:5} pages  {f1:.4}  {}", f1_at.join("  ")));
    }
    let training = Training { settings, pages: count, thresholds: THRESHOLDS, held_out: &trained.held_out };
    write_trained(&args.out, &trained.model.to_bytes(), &training)?;
    Ok(tally)
}
