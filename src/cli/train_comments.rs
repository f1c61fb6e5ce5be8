//! `copydesk train-comments`: what tells spam from genuine comments by all that is known of them.

use super::args::TrainCommentsArgs;
use super::error::CliError;
use super::job::Tally;
use super::tell;
use super::train::{read_rows, training_settings, write_trained};
use crate::eval::SpamPoint;
use crate::train::{LeftOut, TreeSettings, read_comments, train_comments};
use serde::Serialize;

/// `training.json`.
#[derive(Serialize)]
struct Training<'a> {
    settings: TreeSettings,
    comments: usize,
    /// On sites left out, all of them first.
    left_out: &'a [LeftOut],
}

/// Carries out the arguments.
pub(super) fn run(args: TrainCommentsArgs) -> Result<Tally, CliError> {
    let settings = training_settings(args.settings.as_slice(), TreeSettings::default())?;
    settings.check()?;
    let mut tally = Tally::default();
    let mut files = Vec::new();
    for path in &args.data {
        files.push(read_rows(std::slice::from_ref(path), read_comments, &mut tally)?);
    }
    let comments = files.iter().map(Vec::len).sum();
    tally.rows += comments as u64;
    let trained = train_comments(files, settings, &mut |done| tell(format_args!("{done}")));
    tell(format_args!(
        "spam caught on sites left out where at most 0.1, 0.5 and 1% of the genuine comments are lost: text alone, everything"
    ));
    for LeftOut { site, text, whole, .. } in &trained.left_out {
        let Some(SpamPoint { lost, caught, .. }) = whole.first() else { continue };
        let list = |points: &[SpamPoint]| {
            let share =
                |point: &SpamPoint| point.caught.value.map_or("    -".to_owned(), |value| format!("{value:.3}"));
            points.iter().map(share).collect::<Vec<_>>().join(" ")
        };
        tell(format_args!("{site:18} {:6} genuine {:6} spam  {}  {}", lost.of, caught.of, list(text), list(whole)));
    }
    let training = Training { settings, comments, left_out: &trained.left_out };
    write_trained(&args.out, &trained.model.to_bytes(), &training)?;
    Ok(tally)
}
