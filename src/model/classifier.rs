//! Labels for texts.

use super::checkpoint;
use super::head::Output;
use super::page::PageNetwork;
use super::settings;
use super::windows::{combine, windows};
use super::{Checkpoint, EmbeddedModel, ModelError, ModelFiles, ModelSource, Pooling, Roles, Settings};
use crate::engine::{Encoder, Precision, Workspace};
use crate::label::{LabelSet, Scores};
use crate::text::FACT_COUNT;
use crate::tokenizer::Tokenizer;
use std::ops::Range;
use std::path::Path;

/// Tokens that go through the encoder at once. A layer's widest activations, 8 bits of 1,536 features per token,
/// then stay below a megabyte and with them in the second-level cache. No result depends on it.
pub const MICRO_BATCH_TOKENS: usize = 512;

/// A model ready to label texts. Shared between threads; each thread labels through a [`Session`] of its own.
#[derive(Debug)]
pub struct Classifier {
    settings: Settings,
    tokenizer: Tokenizer,
    encoder: Encoder,
    labels: LabelSet,
    roles: Roles,
    output: Output,
    page: Option<PageNetwork>,
    hidden: usize,
}

/// Texts that stand one after another on one page, with [`facts`](crate::text::facts) about each as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Page<'text> {
    /// The model's texts of the paragraphs, in reading order.
    pub texts: &'text [&'text str],
    /// Facts about each paragraph, as many as `texts`.
    pub facts: &'text [[f32; FACT_COUNT]],
}

/// What the model says about one text.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// A probability for every label.
    pub scores: Scores,
    /// WordPiece tokens of the text, `[CLS]` and `[SEP]` not counted.
    pub tokens: usize,
    /// Windows that the text was cut into; 1 unless it is longer than the model reads at once.
    pub windows: usize,
}

/// A paragraph as the model read it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// `[labels]`, before the temperature.
    ///
    /// For a text of several windows that is read alone it is the row that gives its combined probabilities under the
    /// model's temperature: `temperature · ln p`.
    pub logits: Vec<f32>,
    /// Whether it was read beside neighbours on its page; else it was read alone.
    pub on_page: bool,
    /// What the model says of it.
    pub prediction: Prediction,
}

impl Classifier {
    /// The model [`EmbeddedModel::Base`], which is compiled into the library, in 8-bit integers.
    ///
    /// Nothing is parsed before this is called, and every call builds the model anew: keep what it returns.
    ///
    /// # Errors
    /// Any [`ModelError`] that [`Classifier::from_dir`] has, if the embedded files are not a model.
    pub fn embedded() -> Result<Classifier, ModelError> {
        Classifier::embedded_named(EmbeddedModel::Base)
    }

    /// As [`Classifier::embedded`], any of the models that are compiled into the library.
    ///
    /// # Errors
    /// As [`Classifier::embedded`].
    pub fn embedded_named(model: EmbeddedModel) -> Result<Classifier, ModelError> {
        Classifier::from_files(model.files())
    }

    /// Reads a model's folder. Weights stored as 8-bit integers are computed with as such, others in single
    /// precision.
    ///
    /// # Errors
    /// Those of [`Checkpoint::load`], and [`ModelError::MissingHead`] for a base checkpoint.
    pub fn from_dir(dir: &Path) -> Result<Classifier, ModelError> {
        ModelSource::Folder(dir.to_owned()).classifier()
    }

    /// Builds a classifier that computes in the given precision.
    ///
    /// # Errors
    /// [`ModelError::MissingHead`] for a base checkpoint, and whatever else is wrong with its parts.
    pub fn from_checkpoint(checkpoint: Checkpoint, precision: Precision) -> Result<Classifier, ModelError> {
        let tokenizer = Tokenizer::from_bytes(&checkpoint.tokenizer)?;
        checkpoint::check_vocabulary(&tokenizer, &checkpoint.config)?;
        checkpoint.settings.validate(checkpoint.config.max_positions)?;
        Classifier::assemble(checkpoint, tokenizer, precision)
    }

    pub(super) fn from_files(files: ModelFiles<'_>) -> Result<Classifier, ModelError> {
        let (checkpoint, tokenizer) = checkpoint::read(files, true)?;
        let precision = checkpoint.stored_precision();
        Classifier::assemble(checkpoint, tokenizer, precision)
    }

    fn assemble(checkpoint: Checkpoint, tokenizer: Tokenizer, precision: Precision) -> Result<Classifier, ModelError> {
        let Checkpoint { config, weights, head, page, settings, .. } = checkpoint;
        let head = head.ok_or(ModelError::MissingHead)?;
        if head.pooler.is_some() != (settings.pooling == Pooling::Pooler) {
            let (expected, got) = match settings.pooling {
                Pooling::Cls => ("`pooler`, for the head has one", "cls"),
                Pooling::Pooler => ("`cls`, for the head has no pooler", "pooler"),
            };
            let (expected, got) = (expected.to_owned(), got.to_owned());
            return Err(ModelError::BadSetting { file: settings::FILE, field: "pooling", expected, got });
        }
        let hidden = config.hidden;
        let output = Output::new(&head, hidden)?;
        let labels = head.labels;
        let roles = settings.roles(&labels)?;
        let page = page.map(|weights| PageNetwork::new(weights, hidden, labels.len())).transpose()?;
        let encoder = Encoder::new(config, weights, precision)?;
        Ok(Classifier { settings, tokenizer, encoder, labels, roles, output, page, hidden })
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// Its labels, in the order of its outputs.
    pub fn labels(&self) -> &LabelSet {
        &self.labels
    }

    /// Which of its labels commands ask for by what they mean.
    pub fn roles(&self) -> Roles {
        self.roles
    }

    /// What the model's `copydesk.json` says.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The windows that a text of `tokens` tokens is cut into, `[CLS]` and `[SEP]` not counted; always at least one.
    pub fn windows(&self, tokens: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        windows(tokens, self.settings.window_tokens - 2, self.settings.window_overlap)
    }

    /// How texts become token ids.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The encoder: its sizes, its arithmetic and the instruction set that it runs on.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Probability of the spam label from which a comment is called spam.
    pub fn spam_threshold(&self) -> f32 {
        self.settings.spam_threshold
    }

    /// Buffers for one thread.
    pub fn session(&self) -> Session<'_> {
        Session { model: self, workspace: self.encoder.workspace(), batch: Batch::default() }
    }
}

/// One thread's use of a [`Classifier`]: the buffers that live from call to call.
pub struct Session<'model> {
    model: &'model Classifier,
    workspace: Workspace,
    batch: Batch,
}

/// A window of a text: which one, and which of its tokens.
struct Window {
    text: usize,
    tokens: Range<usize>,
}

/// Sequences packed for the encoder.
#[derive(Default)]
struct Batch {
    ids: Vec<u32>,
    cu_seqlens: Vec<u32>,
    vectors: Vec<f32>,
}

impl Session<'_> {
    /// Labels texts, in their order. What is said of a text does not depend on the others beside it.
    ///
    /// A text longer than the model reads at once is cut into windows that overlap, and the windows' probabilities
    /// are averaged, weighted by the tokens that each adds. An empty text is one window of no tokens.
    ///
    /// # Errors
    /// [`ModelError::NotFiniteOutput`] for weights that overflow; [`ModelError::Engine`] if the encoder refuses a
    /// text.
    pub fn classify(&mut self, texts: &[&str]) -> Result<Vec<Prediction>, ModelError> {
        let ids = self.tokenise(texts);
        self.classify_tokens(&ids)
    }

    /// Labels texts that were tokenised before, as [`Session::classify`] does: each is what
    /// [`Tokenizer::encode`](crate::tokenizer::Tokenizer::encode) gave, without `[CLS]` and `[SEP]`.
    ///
    /// # Errors
    /// [`ModelError::NotFiniteOutput`] for weights that overflow, [`ModelError::Engine`] for ids outside of the
    /// vocabulary.
    pub fn classify_tokens<T: AsRef<[u32]>>(&mut self, texts: &[T]) -> Result<Vec<Prediction>, ModelError> {
        Ok(self.read(texts, &mut Vec::new())?.into_iter().map(|reading| reading.prediction).collect())
    }

    /// Labels the paragraphs of pages, page after page in their order, each beside its neighbours.
    ///
    /// What is said of a paragraph depends on its page alone. A page of one paragraph, and every page where the model
    /// has no page network, is labelled as by [`Session::classify`].
    ///
    /// # Errors
    /// As [`Session::classify`].
    ///
    /// # Panics
    /// If a page has not as many facts as texts.
    pub fn classify_pages(&mut self, pages: &[Page<'_>]) -> Result<Vec<Prediction>, ModelError> {
        Ok(self.read_pages(pages)?.into_iter().map(|reading| reading.prediction).collect())
    }

    /// One row of logits per text, as in [`Reading::logits`].
    ///
    /// # Errors
    /// As [`Session::classify`].
    pub fn logits(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelError> {
        let ids = self.tokenise(texts);
        self.logits_of_tokens(&ids)
    }

    /// As [`Session::logits`], for texts that were tokenised before as for [`Session::classify_tokens`].
    ///
    /// # Errors
    /// As [`Session::classify_tokens`].
    pub fn logits_of_tokens<T: AsRef<[u32]>>(&mut self, texts: &[T]) -> Result<Vec<Vec<f32>>, ModelError> {
        Ok(self.read(texts, &mut Vec::new())?.into_iter().map(|reading| reading.logits).collect())
    }

    fn tokenise(&self, texts: &[&str]) -> Vec<Vec<u32>> {
        texts.iter().map(|text| self.model.tokenizer.encode(text)).collect()
    }

    /// As [`Session::classify_pages`], with the logits that the answers were made of.
    ///
    /// # Errors
    /// As [`Session::classify`].
    ///
    /// # Panics
    /// As [`Session::classify_pages`].
    pub fn read_pages(&mut self, pages: &[Page<'_>]) -> Result<Vec<Reading>, ModelError> {
        self.read_pages_with_vectors(pages, &mut Vec::new())
    }

    /// As [`Session::read_pages`]; `vectors` becomes what the encoder made of the paragraphs, `[paragraphs, hidden]`.
    ///
    /// # Errors
    /// As [`Session::classify`].
    ///
    /// # Panics
    /// As [`Session::classify_pages`].
    pub fn read_pages_with_vectors(
        &mut self,
        pages: &[Page<'_>],
        vectors: &mut Vec<f32>,
    ) -> Result<Vec<Reading>, ModelError> {
        let (model, hidden) = (self.model, self.model.hidden);
        let temperature = model.settings.page_temperature;
        let texts: Vec<&str> = pages.iter().flat_map(|page| page.texts).copied().collect();
        let mut readings = self.read(&self.tokenise(&texts), vectors)?;
        let Some(network) = &model.page else { return Ok(readings) };
        let mut from = 0;
        for page in pages {
            assert_eq!(page.texts.len(), page.facts.len(), "a page must have as many facts as texts");
            let range = from..from + page.texts.len();
            from = range.end;
            if range.len() < 2 {
                continue;
            }
            let corrections = network.corrections(&vectors[range.start * hidden..range.end * hidden], page.facts);
            for (index, correction) in range.zip(corrections.chunks_exact(model.labels.len())) {
                let reading = &mut readings[index];
                let logits = &mut reading.logits;
                logits.iter_mut().zip(correction).for_each(|(logit, value)| *logit += value);
                let scores = Scores::at_temperature(&model.labels, logits, temperature);
                // A tiny temperature makes scores of finite logits that are no numbers.
                if logits.iter().chain(scores.values()).any(|value| !value.is_finite()) {
                    return Err(ModelError::NotFiniteOutput { got: logits.clone() });
                }
                reading.prediction.scores = scores;
                reading.on_page = true;
            }
        }
        Ok(readings)
    }

    /// Reads each text alone.
    pub(super) fn read_texts(&mut self, texts: &[&str]) -> Result<Vec<Reading>, ModelError> {
        let ids = self.tokenise(texts);
        self.read_tokens(&ids)
    }

    /// Reads each tokenised text alone.
    pub(super) fn read_tokens<T: AsRef<[u32]>>(&mut self, ids: &[T]) -> Result<Vec<Reading>, ModelError> {
        self.read(ids, &mut Vec::new())
    }

    /// Reads each tokenised text alone; `vectors` becomes `[texts, hidden]`, for a text of several windows their mean weighted
    /// by the tokens that each adds.
    fn read<T: AsRef<[u32]>>(&mut self, ids: &[T], vectors: &mut Vec<f32>) -> Result<Vec<Reading>, ModelError> {
        let model = self.model;
        let (output, hidden) = (&model.output, model.hidden);
        let list: Vec<Window> = ids
            .iter()
            .enumerate()
            .flat_map(|(text, ids)| model.windows(ids.as_ref().len()).map(move |tokens| Window { text, tokens }))
            .collect();
        let window_vectors = self.window_vectors(ids, &list)?;
        vectors.clear();
        vectors.resize(ids.len() * hidden, 0.0);
        let mut rest = list.into_iter().zip(window_vectors.chunks_exact(hidden)).peekable();
        let mut readings = Vec::with_capacity(ids.len());
        for ((text, ids), vector) in ids.iter().enumerate().zip(vectors.chunks_exact_mut(hidden)) {
            let length = ids.as_ref().len();
            let mut rows = Vec::new();
            let mut covered = 0;
            while let Some((window, window_vector)) = rest.next_if(|(window, _)| window.text == text) {
                let alone = window.tokens == (0..length);
                let share = if alone { 1.0 } else { (window.tokens.end - covered) as f32 / length as f32 };
                covered = window.tokens.end;
                vector.iter_mut().zip(window_vector).for_each(|(sum, value)| *sum += share * value);
                rows.push((window.tokens, output.logits(window_vector)));
            }
            let windows = rows.len();
            let (logits, scores) = combine(&model.labels, rows.into_iter(), model.settings.temperature);
            if scores.values().iter().chain(&logits).any(|value| !value.is_finite()) {
                return Err(ModelError::NotFiniteOutput { got: logits });
            }
            let prediction = Prediction { scores, tokens: length, windows };
            readings.push(Reading { logits, on_page: false, prediction });
        }
        Ok(readings)
    }

    /// Vectors of each window `[windows, hidden]`, in the order of `list`.
    fn window_vectors<T: AsRef<[u32]>>(&mut self, ids: &[T], list: &[Window]) -> Result<Vec<f32>, ModelError> {
        let model = self.model;
        let hidden = model.hidden;
        let mut order: Vec<usize> = (0..list.len()).collect();
        order.sort_by_key(|&index| list[index].tokens.len());
        let mut all = vec![0.0; list.len() * hidden];
        let mut remaining = order.as_slice();
        while !remaining.is_empty() {
            let taken = self.batch.pack(&model.tokenizer, ids, list, remaining);
            let (batch, rest) = remaining.split_at(taken);
            remaining = rest;
            let Batch { ids, cu_seqlens, vectors } = &mut self.batch;
            vectors.clear();
            vectors.resize(taken * hidden, 0.0);
            model.encoder.encode(ids, cu_seqlens, &mut self.workspace, vectors)?;
            for (&index, vector) in batch.iter().zip(vectors.chunks_exact(hidden)) {
                all[index * hidden..][..hidden].copy_from_slice(vector);
            }
        }
        Ok(all)
    }
}

impl Batch {
    /// Packs windows from the front of `order` while they fit, at least one, and says how many.
    fn pack<T: AsRef<[u32]>>(&mut self, tokenizer: &Tokenizer, ids: &[T], list: &[Window], order: &[usize]) -> usize {
        self.ids.clear();
        self.cu_seqlens.clear();
        self.cu_seqlens.push(0);
        for (taken, &index) in order.iter().enumerate() {
            let window = &list[index];
            if taken > 0 && self.ids.len() + window.tokens.len() + 2 > MICRO_BATCH_TOKENS {
                return taken;
            }
            self.ids.push(tokenizer.cls());
            self.ids.extend_from_slice(&ids[window.text].as_ref()[window.tokens.clone()]);
            self.ids.push(tokenizer.sep());
            let end = u32::try_from(self.ids.len()).expect("a micro-batch is a few hundred tokens, this is a bug");
            self.cu_seqlens.push(end);
        }
        order.len()
    }
}

#[cfg(test)]
mod tests;
