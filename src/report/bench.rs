//! What `copydesk bench` measured, as a JSON object and as a table.

use crate::model::{Answer, Model, ModelError};
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// One pass over all texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BenchRun {
    /// Wall time of tokenisation.
    pub tokenising: Duration,
    /// Wall time of the encoder with its head.
    pub encoding: Duration,
}

/// Figures of several passes over the same texts. As JSON it is an object with these fields:
///
/// ```json
/// {"model": "base", "precision": "int8", "instruction_set": "avx512-vnni", "threads": 2, "paragraphs": 1000,
///  "tokens": 81000, "tokens_per_paragraph": 81.0, "repeats": 5,
///  "paragraphs_per_second": {"median": 400.0, "min": 390.0, "max": 410.0, "spread": 0.05},
///  "tokens_per_second": {"median": 32400.0, "min": 31590.0, "max": 33210.0, "spread": 0.05},
///  "time_share": {"tokenising": 0.03, "encoding": 0.97},
///  "encoder_operations_per_second": {"median": 7.4e11, "min": 7.2e11, "max": 7.6e11, "spread": 0.05},
///  "int8_ceiling_operations_per_second": 1.4e12, "int8_ceiling_fraction": 0.53}
/// ```
///
/// Tokens are those that the encoder reads: `[CLS]`, `[SEP]` and what windows of long texts share included. Operations
/// are those of the full model ([`model_operations`](crate::engine::ceiling::model_operations)), divided by the time of
/// encoding alone. Of a cascade both networks' tokens and operations count, and `asked_large` is there; what the large
/// network tokenises anew counts as encoding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BenchReport {
    /// The model's name.
    pub model: String,
    /// Arithmetic of its encoder: `f32` or `int8`.
    pub precision: &'static str,
    /// What its kernels run on.
    pub instruction_set: &'static str,
    /// Working threads.
    pub threads: usize,
    /// Texts.
    pub paragraphs: usize,
    /// Share of the texts that a cascade's large network read; absent for other models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_large: Option<f64>,
    /// Tokens that the encoder read in one pass.
    pub tokens: usize,
    /// Their mean.
    pub tokens_per_paragraph: f64,
    /// Passes that were measured.
    pub repeats: usize,
    /// Tokenisation included.
    pub paragraphs_per_second: Spread,
    /// Tokenisation included.
    pub tokens_per_second: Spread,
    /// Which part of the time each step took.
    pub time_share: TimeShare,
    /// Operations of the full model per second of encoding.
    pub encoder_operations_per_second: Spread,
    /// What all threads together can do at most.
    pub int8_ceiling_operations_per_second: f64,
    /// The median of `encoder_operations_per_second` as a part of the ceiling.
    pub int8_ceiling_fraction: f64,
}

/// A figure that was measured several times.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The middle one, or the mean of the two in the middle.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// `(max - min) / median`.
    pub spread: f64,
}

/// Parts of the time, which add up to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TimeShare {
    /// Text to token ids.
    pub tokenising: f64,
    /// Token ids to scores.
    pub encoding: f64,
}

impl BenchReport {
    /// Figures of `runs`, each of which gave `answers`.
    ///
    /// # Errors
    /// As [`Model::work`].
    ///
    /// # Panics
    /// Without runs or answers.
    pub fn new(
        model: &Model,
        threads: usize,
        int8_ceiling: f64,
        answers: &[Answer],
        runs: &[BenchRun],
    ) -> Result<BenchReport, ModelError> {
        let encoder = model.first().encoder();
        let (tokens, operations) = model.work(answers)?;
        let (paragraphs, operations) = (answers.len(), operations as f64);
        let asked = answers.iter().filter(|answer| answer.large_tokens.is_some()).count();
        let asked_large = matches!(model, Model::Cascade(_)).then(|| asked as f64 / paragraphs as f64);
        let total = |run: &BenchRun| (run.tokenising + run.encoding).as_secs_f64();
        let per_second =
            |amount: f64, seconds: &dyn Fn(&BenchRun) -> f64| Spread::of(runs.iter().map(|run| amount / seconds(run)));
        let encoder_operations_per_second = per_second(operations, &|run| run.encoding.as_secs_f64());
        let all: f64 = runs.iter().map(total).sum();
        let encoding = runs.iter().map(|run| run.encoding.as_secs_f64()).sum::<f64>() / all;
        Ok(BenchReport {
            model: model.name().to_owned(),
            precision: encoder.precision().as_str(),
            instruction_set: encoder.isa().as_str(),
            threads,
            paragraphs,
            asked_large,
            tokens,
            tokens_per_paragraph: tokens as f64 / paragraphs as f64,
            repeats: runs.len(),
            paragraphs_per_second: per_second(paragraphs as f64, &total),
            tokens_per_second: per_second(tokens as f64, &total),
            time_share: TimeShare { tokenising: 1.0 - encoding, encoding },
            encoder_operations_per_second,
            int8_ceiling_operations_per_second: int8_ceiling,
            int8_ceiling_fraction: encoder_operations_per_second.median / int8_ceiling,
        })
    }
}

impl Spread {
    /// The spread of some figures.
    ///
    /// # Panics
    /// Without figures.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Spread {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (sorted[0], sorted[sorted.len() - 1]);
        let median = (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2.0;
        Spread { median, min, max, spread: (max - min) / median }
    }
}

impl fmt::Display for BenchReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let threads = if self.threads == 1 { "thread" } else { "threads" };
        writeln!(
            f,
            "model {}, {} on {}, {} {threads}; {} paragraphs, {} tokens ({:.1} each), {} repeats\n",
            self.model,
            self.precision,
            self.instruction_set,
            self.threads,
            self.paragraphs,
            self.tokens,
            self.tokens_per_paragraph,
            self.repeats,
        )?;
        writeln!(f, "{:<34}{:>10}{:>10}{:>10}{:>9}", "", "median", "min", "max", "spread")?;
        let row = |f: &mut fmt::Formatter<'_>, name: &str, figures: &Spread, scale: f64, decimals: usize| {
            let Spread { median, min, max, spread } = *figures;
            write!(f, "{name:<34}")?;
            for value in [median, min, max] {
                write!(f, "{:>10.decimals$}", value / scale)?;
            }
            writeln!(f, "{:>8.1}%", spread * 100.0)
        };
        row(f, "paragraphs per second", &self.paragraphs_per_second, 1.0, 1)?;
        row(f, "tokens per second", &self.tokens_per_second, 1.0, 0)?;
        row(f, "encoder, G operations per second", &self.encoder_operations_per_second, 1e9, 1)?;
        writeln!(
            f,
            "\nint8 ceiling of the machine {:.1} G operations per second, of which {:.1}%",
            self.int8_ceiling_operations_per_second / 1e9,
            self.int8_ceiling_fraction * 100.0
        )?;
        if let Some(share) = self.asked_large {
            writeln!(f, "{:.1}% of the paragraphs were read by the large network too", share * 100.0)?;
        }
        let TimeShare { tokenising, encoding } = self.time_share;
        writeln!(f, "time: {:.1}% tokenising, {:.1}% encoding", tokenising * 100.0, encoding * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ceiling::model_operations;
    use crate::model::Prediction;
    use std::path::Path;

    #[test]
    fn the_median_is_in_the_middle() {
        let odd = Spread::of([3.0, 1.0, 2.0]);
        assert_eq!(odd, Spread { median: 2.0, min: 1.0, max: 3.0, spread: 1.0 });
        assert_eq!(Spread::of([4.0, 1.0]).median, 2.5);
        assert_eq!(Spread::of([7.0]), Spread { median: 7.0, min: 7.0, max: 7.0, spread: 0.0 });
    }

    #[test]
    fn figures_count_windows_and_special_tokens() {
        let model = Model::open(Path::new("base")).unwrap();
        let prediction = model.session().classify(&["The council voted."]).unwrap().remove(0);
        let tokens = prediction.tokens;
        let long = Prediction { tokens: 300, windows: 2, ..prediction.clone() };
        let answers = [prediction, long].map(|prediction| Answer { prediction, large_tokens: None });
        let ms = Duration::from_millis;
        let runs =
            [BenchRun { tokenising: ms(100), encoding: ms(900) }, BenchRun { tokenising: ms(0), encoding: ms(500) }];
        let report = BenchReport::new(&model, 2, 1e12, &answers, &runs).unwrap();
        // Two windows of 254 tokens of text, each between [CLS] and [SEP].
        assert_eq!(report.tokens, tokens + 2 + 2 * 256);
        assert_eq!((report.paragraphs_per_second.min, report.paragraphs_per_second.max), (2.0, 4.0));
        assert!((report.time_share.tokenising - 0.1 / 1.5).abs() < 1e-12);
        let operations = model_operations(model.first().encoder().config(), [tokens + 2, 256, 256]) as f64;
        assert!((report.encoder_operations_per_second.max - operations / 0.5).abs() < 1.0);
        let table = report.to_string();
        assert!(table.contains("paragraphs per second") && table.lines().all(|line| line.chars().count() <= 100));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!((&json["threads"], &json["repeats"]), (&2.into(), &2.into()));
    }
}
