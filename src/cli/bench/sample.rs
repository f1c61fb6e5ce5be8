//! Texts to measure with where the user gives none.

use super::Texts;
use crate::cli::error::CliError;
use crate::cli::job::Tally;
use crate::cli::output::{Output, Target};
use crate::text::split;

/// The sample pages of this repository.
const PAGES: [&str; 13] = [
    include_str!("../../../data/pages/allotment-newsletter.txt"),
    include_str!("../../../data/pages/bus-lanes-op-ed.txt"),
    include_str!("../../../data/pages/cup-tie-report.txt"),
    include_str!("../../../data/pages/eel-explainer.txt"),
    include_str!("../../../data/pages/ferry-terminal-news.txt"),
    include_str!("../../../data/pages/merger-announcement.txt"),
    include_str!("../../../data/pages/novel-and-film-reviews.txt"),
    include_str!("../../../data/pages/organ-cover-video-comments.txt"),
    include_str!("../../../data/pages/restoring-a-lathe-forum.txt"),
    include_str!("../../../data/pages/sensor-hub-how-to.txt"),
    include_str!("../../../data/pages/statutes-and-speeches.txt"),
    include_str!("../../../data/pages/tariff-comment-thread.txt"),
    include_str!("../../../data/pages/valley-walk-diary.txt"),
];

/// Texts in the sample.
const TEXTS: usize = 1000;

/// Words of a paragraph at some quantiles, so that tokens come out as they do on real web pages, whose paragraphs have 20, 39,
/// 64, 107 and 222 tokens at 5, 25, 50, 75 and 95 in a hundred. The sample pages' own paragraphs are shorter.
const WORDS_AT: [(f64, f64); 7] =
    [(0.0, 3.0), (0.05, 14.0), (0.25, 29.0), (0.5, 49.0), (0.75, 83.0), (0.95, 175.0), (1.0, 260.0)];

/// A thousand texts made of the sample pages' words in their order, with the lengths of real pages' paragraphs in a mixed
/// but fixed order. The same in every run.
pub fn sample_texts() -> Vec<String> {
    let paragraphs: Vec<_> = PAGES.iter().flat_map(|page| split(page)).map(|paragraph| paragraph.text).collect();
    let mut words = paragraphs.iter().flat_map(|text| text.split(' ')).cycle();
    (0..TEXTS)
        .map(|index| {
            // Multiples of the golden ratio visit all quantiles evenly, in an order without a pattern.
            let quantile = (index as f64 * 0.618_033_988_749_894_9).fract();
            let count = words_at(quantile);
            words.by_ref().take(count).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

/// Words of a paragraph at a quantile, between two of the table on a logarithmic scale.
fn words_at(quantile: f64) -> usize {
    let upper = WORDS_AT.iter().position(|&(at, _)| at > quantile).unwrap_or(WORDS_AT.len() - 1);
    let ((low, few), (high, many)) = (WORDS_AT[upper - 1], WORDS_AT[upper]);
    (few * (many / few).powf((quantile - low) / (high - low))).round() as usize
}

/// Writes texts as JSON Lines.
pub(super) fn print(texts: &Texts) -> Result<Tally, CliError> {
    let mut lines = Vec::new();
    let mut tally = Tally { failed: texts.failed, ..Tally::default() };
    for text in &texts.list {
        let line = serde_json::json!({"text": text});
        lines.extend_from_slice(line.to_string().as_bytes());
        lines.push(b'\n');
        tally.count(None);
    }
    let mut output = Output::open(&Target::StandardOutput)?;
    output.write(&lines)?;
    output.finish()?;
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_the_table() {
        let texts = sample_texts();
        assert_eq!(texts.len(), TEXTS);
        let mut words: Vec<usize> = texts.iter().map(|text| text.split(' ').count()).collect();
        assert!(!words.is_sorted());
        words.sort_unstable();
        for (quantile, expected) in &WORDS_AT[1..6] {
            let got = words[(quantile * TEXTS as f64) as usize] as f64;
            assert!((got / expected - 1.0).abs() < 0.05, "{quantile}: {got}, expected {expected}");
        }
    }
}
