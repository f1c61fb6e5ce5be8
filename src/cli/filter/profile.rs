//! What tuning found for a site, in a file.

use super::judge::Cuts;
use crate::atomic;
use crate::cli::error::CliError;
use crate::eval::SpamPoint;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// Version of the file's format.
const FORMAT: u32 = 1;

/// What tells how comments are judged: thresholds hold for that alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Judged {
    /// Name of the text model.
    pub model: String,
    /// What tells it from others.
    pub model_digest: String,
    /// Whether the text alone decides.
    pub text_only: bool,
    /// The shipped thresholds, which change with whatever puts the text's scores together with the rest.
    pub shipped: Vec<f32>,
}

/// Thresholds for a site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile {
    format: u32,
    pub judged: Judged,
    /// Share of genuine comments that may be lost; `null` where a threshold was given.
    pub lose: Option<f64>,
    /// Spam from here on.
    pub threshold: f32,
    /// To be looked at from here on.
    pub review_from: f32,
    /// Labelled comments that it was measured on.
    pub genuine: u64,
    pub spam: u64,
    /// What they said at the usual shares.
    pub points: Vec<SpamPoint>,
}

impl Profile {
    /// A profile of thresholds that were measured on so many comments.
    pub fn new(judged: Judged, lose: Option<f64>, cuts: Cuts, rows: (u64, u64), points: Vec<SpamPoint>) -> Profile {
        let (genuine, spam) = rows;
        let review_from = cuts.review.unwrap_or(cuts.spam);
        Profile { format: FORMAT, judged, lose, threshold: cuts.spam, review_from, genuine, spam, points }
    }

    /// Reads a profile; one that was made for something else than `now` is refused.
    pub fn read(path: &Path, now: &Judged) -> Result<Profile, CliError> {
        let bytes = fs::read(path).map_err(|error| CliError::Unreadable { path: path.to_owned(), error })?;
        let bad = |reason: String| CliError::Profile { path: path.to_owned(), reason };
        let profile: Profile = serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
        if profile.format != FORMAT {
            return Err(bad(format!("expected format {FORMAT}, got {}", profile.format)));
        }
        let numbers = [profile.threshold, profile.review_from];
        // Above 1 nothing is spam: so it is where a genuine comment has the highest score.
        if let Some(got) = numbers.iter().find(|number| !(0.0..=1.0_f32.next_up()).contains(*number)) {
            return Err(bad(format!("expected thresholds from 0 to 1, got {got}")));
        }
        let Judged { model, model_digest, text_only, shipped } = &profile.judged;
        let another = |made: String, now: String| CliError::ProfileOfAnother { path: path.to_owned(), made, now };
        if (model_digest, shipped) != (&now.model_digest, &now.shipped) {
            return Err(another(format!("another model, then called {model}"), now.model.clone()));
        }
        if *text_only != now.text_only {
            let words = |text_only| if text_only { "the text alone" } else { "the whole comment" }.to_owned();
            return Err(another(words(*text_only), words(now.text_only)));
        }
        Ok(profile)
    }

    /// Stores the profile; the same comments give the same bytes.
    pub fn write(&self, path: &Path) -> Result<(), CliError> {
        let mut bytes =
            serde_json::to_vec_pretty(self).expect("names and numbers can be written as JSON; this is a bug");
        bytes.push(b'\n');
        atomic::write(path, &bytes).map_err(|error| CliError::unwritable(path, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_comes_back_and_holds_for_what_it_was_made_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("site.json");
        let judged = Judged {
            model: "auto".to_owned(),
            model_digest: "1f".to_owned(),
            text_only: false,
            shipped: vec![0.96, 0.856, 0.766],
        };
        let cuts = Cuts { spam: 0.9, review: Some(0.6) };
        let profile = Profile::new(judged.clone(), Some(0.005), cuts, (900, 80), Vec::new());
        profile.write(&path).unwrap();
        assert_eq!(Profile::read(&path, &judged).unwrap(), profile);
        let refused = |now: Judged| Profile::read(&path, &now).unwrap_err().to_string();
        assert!(refused(Judged { model_digest: "20".to_owned(), ..judged.clone() }).contains("another model"));
        assert!(refused(Judged { shipped: vec![0.5], ..judged.clone() }).contains("another model"));
        assert!(refused(Judged { text_only: true, ..judged.clone() }).contains("the whole comment"));
        Profile { threshold: 7.0, ..profile }.write(&path).unwrap();
        assert!(refused(judged.clone()).contains("from 0 to 1, got 7"));
        fs::write(&path, "{}").unwrap();
        assert!(refused(judged).contains("no profile"));
    }
}
