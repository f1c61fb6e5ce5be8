//! The embedded models: what they are, what they cost, and how good they were on development rows.

use super::printable::{TABLE_COLUMNS, lines_of, printable, sentence};
use crate::engine::EncoderConfig;
use crate::eval::Estimate;
use crate::model::{Asked, Cascade, Checkpoint, Development, Digest, ModelFiles};
use serde::Serialize;
use std::fmt::{self, Write};

/// Tokens of the paragraph for which operations are counted, with `[CLS]` and `[SEP]`: about the mean on web pages.
pub const COUNTED_TOKENS: usize = 82;

/// A model as `copydesk models` lists it. As JSON it is an object with these fields; `network` is `null` for a cascade,
/// `cascade` for all others, and `development` where the model was packed without rows:
///
/// ```json
/// {"name": "base", "default": true,
///  "network": {"layers": 6, "hidden": 384, "intermediate": 1536, "vocab": 30522, "digest": "0123456789abcdef"},
///  "cascade": null, "parameters": 22900000, "bytes": 24600000,
///  "operations_per_token": {"full": 21990000.0, "computed": 18370000.0},
///  "development": {"rows": 2615, "macro_f1": {"value": 0.872, "low": 0.851, "high": 0.889},
///                  "macro_f1_on_page": {"value": 0.883, "low": 0.863, "high": 0.9}}}
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelEntry {
    /// What `--model` takes.
    pub name: String,
    /// Whether it is taken where no model is named.
    pub default: bool,
    /// Sizes of a network.
    pub network: Option<NetworkSizes>,
    /// What a cascade is made of.
    pub cascade: Option<CascadeParts>,
    /// Numbers that were trained; of a cascade, in both networks.
    pub parameters: u64,
    /// Size of the model's files; of a cascade, with those of both networks.
    pub bytes: u64,
    /// What a token of a paragraph of [`COUNTED_TOKENS`] costs. Of a cascade as on the development rows; `null` where they
    /// are not known.
    pub operations_per_token: Option<Operations>,
    /// How good it was.
    pub development: Option<Development>,
}

/// Sizes of an encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NetworkSizes {
    /// Layers.
    pub layers: usize,
    /// Width.
    pub hidden: usize,
    /// Width of the feed-forward part.
    pub intermediate: usize,
    /// Entries of the vocabulary.
    pub vocab: usize,
    /// What tells the model from others.
    pub digest: Digest,
}

/// The parts of a cascade.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CascadeParts {
    /// Name of the network that reads every paragraph.
    pub small: String,
    /// Name of the network that is asked about the rest.
    pub large: String,
    /// The small network's answer is taken from this confidence on.
    pub threshold: f32,
}

/// Operations per token; a multiply-add counts as two.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Operations {
    /// Of the full encoder, as throughput is counted.
    pub full: f64,
    /// Without what no result depends on; see [`EncoderConfig::computed_multiply_adds`].
    pub computed: f64,
}

impl Operations {
    fn of(config: &EncoderConfig) -> Operations {
        let per_token = |multiply_adds: u64| 2.0 * multiply_adds as f64 / COUNTED_TOKENS as f64;
        Operations {
            full: per_token(config.multiply_adds(COUNTED_TOKENS)),
            computed: per_token(config.computed_multiply_adds(COUNTED_TOKENS)),
        }
    }
}

impl ModelEntry {
    /// The entry of a network from what its files say.
    pub fn of_network(files: ModelFiles<'_>, checkpoint: &Checkpoint, digest: Digest, default: bool) -> ModelEntry {
        let EncoderConfig { layers, hidden, intermediate, vocab, .. } = checkpoint.config;
        let parts = [files.config, files.tokenizer, files.weights, files.settings.unwrap_or_default()];
        ModelEntry {
            name: files.name.to_owned(),
            default,
            network: Some(NetworkSizes { layers, hidden, intermediate, vocab, digest }),
            cascade: None,
            parameters: checkpoint.parameters(),
            bytes: parts.iter().map(|part| part.len() as u64).sum(),
            operations_per_token: Some(Operations::of(&checkpoint.config)),
            development: Development::of(&checkpoint.settings.data),
        }
    }

    /// The entry of a cascade whose file has `bytes` bytes, beside those of its two networks.
    pub fn of_cascade(
        cascade: &Cascade,
        bytes: u64,
        small: &ModelEntry,
        large: &ModelEntry,
        default: bool,
    ) -> ModelEntry {
        let settings = cascade.settings();
        let development = Development::of(&settings.data);
        let operations = |asked: Asked| {
            let (small, large) = (small.operations_per_token?, large.operations_per_token?);
            Some(Operations {
                full: small.full + asked.tokens * large.full,
                computed: small.computed + asked.tokens * large.computed,
            })
        };
        ModelEntry {
            name: cascade.name().to_owned(),
            default,
            network: None,
            cascade: Some(CascadeParts {
                small: small.name.clone(),
                large: large.name.clone(),
                threshold: settings.threshold,
            }),
            parameters: small.parameters + large.parameters,
            bytes: bytes + small.bytes + large.bytes,
            operations_per_token: development.and_then(|figures| figures.asked).and_then(operations),
            development,
        }
    }
}

/// Shows entries as a table, at most 80 columns wide.
#[derive(Clone, Copy, Debug)]
pub struct ModelsTable<'a>(pub &'a [ModelEntry]);

impl fmt::Display for ModelsTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let macro_f1 = "macro-F1 [95%]";
        writeln!(
            f,
            "{:<7}{:>11}{:>6}{:>14}{:>21}{:>21}",
            "", "parameters", "size", "M operations", macro_f1, macro_f1
        )?;
        writeln!(f, "{:<7}{:>11}{:>6}{:>14}{:>21}{:>21}", "model", "M", "MB", "per token", "alone", "on its page")?;
        for entry in self.0 {
            let operations = match entry.operations_per_token {
                Some(Operations { full, computed }) => format!("{:.1} ({:.1})", full / 1e6, computed / 1e6),
                None => "-".to_owned(),
            };
            let estimate =
                |of: fn(&Development) -> Estimate| entry.development.as_ref().map(of).map_or_else(dash, show);
            writeln!(
                f,
                "{:<7}{:>11.1}{:>6.1}{:>14}{:>21}{:>21}",
                printable(&entry.name),
                entry.parameters as f64 / 1e6,
                entry.bytes as f64 / 1e6,
                operations,
                estimate(|development| development.macro_f1),
                estimate(|development| development.macro_f1_on_page),
            )?;
        }
        writeln!(f)?;
        for entry in self.0 {
            let mut line = format!("{:<7}", printable(&entry.name));
            if let Some(NetworkSizes { layers, hidden, intermediate, vocab, digest }) = entry.network {
                write!(line, "{layers} layers of {hidden} × {intermediate}, vocabulary of {vocab}, digest {digest}")?;
            }
            if let Some(CascadeParts { small, large, threshold }) = &entry.cascade {
                let (small, large) = (printable(small), printable(large));
                write!(line, "{small} if its confidence is at least {threshold:.3}, else with {large}")?;
            }
            if let Some(Asked { rows, tokens }) = entry.development.and_then(|development| development.asked) {
                write!(line, " ({:.1}% of rows, {:.1}% of tokens)", rows * 100.0, tokens * 100.0)?;
            }
            if entry.default {
                line += "; the default";
            }
            writeln!(f, "{}", textwrap::fill(&line, lines_of(TABLE_COLUMNS).subsequent_indent("       ")))?;
        }
        let note = format!(
            "Operations of the full encoder in a paragraph of {COUNTED_TOKENS} tokens; in brackets those computed."
        );
        writeln!(f, "\n{}", sentence(&note))
    }
}

fn dash() -> String {
    "-".to_owned()
}

fn show(Estimate { value, low, high }: Estimate) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!("{value:.3} [{low:.3}, {high:.3}]"),
        _ => format!("{value:.3}"),
    }
}
