//! The trainer against independent implementations, and against itself after an interruption.

use super::examples::Example;
use super::network::Network;
use super::*;
use crate::engine::{EncoderConfig, EncoderWeights, LayerNorm, Linear, Matrix};
use crate::label::built_in::{COMMENT_SPAM, OPINION, OTHER, REPORTING};
use crate::label::{LabelId, LabelSet};
use crate::model::fixture;
use crate::model::page::Place;
use crate::model::{Checkpoint, PageConfig, PageWeights, Settings, Storage};
use crate::page::Region;
use crate::text::FACT_COUNT;
use candle_core::{D, Device, Tensor, Var};

/// What `tests/reference/bert_reference.py` prints.
const REFERENCE_LOGITS: [[f64; 5]; 3] = [
    [-0.739267, 1.555546, -1.809563, 1.908821, -1.779696],
    [-0.614799, 1.458675, -1.756257, 1.907868, -1.831252],
    [-0.631591, 1.498469, -1.812495, 1.971278, -1.891382],
];

fn settings() -> TrainSettings {
    TrainSettings { dropout_256ths: 0, batch_size: 4, max_tokens: 24, page: None, ..TrainSettings::default() }
}

fn example(ids: &[u32], label: LabelId, weight: f32) -> Example {
    let mut target = vec![0.02; 5];
    target[label.index()] = 0.92;
    let (ids, run) = (ids.to_vec(), ids.len());
    let place = Place { facts: [0.5; FACT_COUNT], region: None };
    Example { ids, label, target, weight, place, run, in_thread: false, vector: None }
}

fn batch() -> Vec<Example> {
    vec![
        example(&[2, 7, 8, 9, 3], REPORTING, 1.0),
        example(&[2, 3], OTHER, 0.5),
        example(&[2, 15, 16, 17, 15, 16, 6, 8, 8, 3], COMMENT_SPAM, 2.0),
        example(&[2, 12, 13, 3], OPINION, 0.8),
    ]
}

fn head(checkpoint: &Checkpoint) -> Vec<f32> {
    let head = checkpoint.head.as_ref().unwrap();
    [parameters::to_f32(&head.weight), head.bias.clone()].concat()
}

fn network(checkpoint: &Checkpoint, settings: &TrainSettings) -> Network {
    Network::new(checkpoint.config.clone(), &checkpoint.weights, 5, Some(head(checkpoint)), settings).unwrap()
}

/// The same classifier from candle's own operations, one sequence at a time, padding nowhere, sharing no code with the
/// trainer. `parameters` are the flat vector, the word embedding and the head as variables.
struct Reference<'a> {
    config: &'a EncoderConfig,
    layout: parameters::Layout,
    dense: Var,
    word: Var,
    head_weight: Var,
    head_bias: Var,
}

impl Reference<'_> {
    fn part(&self, range: &std::ops::Range<usize>, shape: &[usize]) -> Tensor {
        self.dense.as_tensor().narrow(0, range.start, range.len()).unwrap().reshape(shape).unwrap()
    }

    fn linear(&self, x: &Tensor, slot: &parameters::LinearSlot) -> Tensor {
        let width = slot.bias.len();
        let weight = self.part(&slot.weight, &[width, slot.weight.len() / width]);
        x.matmul(&weight.t().unwrap()).unwrap().broadcast_add(&self.part(&slot.bias, &[width])).unwrap()
    }

    fn norm(&self, x: &Tensor, slot: &parameters::NormSlot) -> Tensor {
        let width = slot.weight.len();
        let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1).unwrap()).unwrap();
        let variance = centred.sqr().unwrap().mean_keepdim(D::Minus1).unwrap();
        let deviation = (variance + f64::from(self.config.layer_norm_eps)).unwrap().sqrt().unwrap();
        let scaled = centred.broadcast_div(&deviation).unwrap();
        scaled
            .broadcast_mul(&self.part(&slot.weight, &[width]))
            .unwrap()
            .broadcast_add(&self.part(&slot.bias, &[width]))
            .unwrap()
    }

    fn logits(&self, ids: &[u32]) -> Tensor {
        let EncoderConfig { hidden, heads, .. } = *self.config;
        let width = hidden / heads;
        let rows = Tensor::from_slice(ids, ids.len(), &Device::Cpu).unwrap();
        let positions = self.part(&(0..self.layout.position.len()), &[self.config.max_positions, hidden]);
        let states = self.config.states(ids.len());
        // 1 where a token belongs to a state.
        let mut belongs = vec![0.0f32; states * ids.len()];
        (0..ids.len()).for_each(|token| belongs[self.config.state_of(token) * ids.len() + token] = 1.0);
        let belongs = Tensor::from_vec(belongs, (states, ids.len()), &Device::Cpu).unwrap();
        let words = belongs.matmul(&self.word.as_tensor().index_select(&rows, 0).unwrap()).unwrap();
        let mut x = (words + positions.narrow(0, 0, states).unwrap()).unwrap();
        x = self.norm(&x, &self.layout.norm);
        for slots in &self.layout.layers {
            let query = self.linear(&x, &slots.query);
            let key_value = self.linear(&x, &slots.key_value);
            let mut contexts = Vec::new();
            for head in 0..heads {
                let q = query.narrow(1, head * width, width).unwrap();
                let k = key_value.narrow(1, head * width, width).unwrap().contiguous().unwrap();
                let v = key_value.narrow(1, hidden + head * width, width).unwrap().contiguous().unwrap();
                let scores =
                    (q.contiguous().unwrap().matmul(&k.t().unwrap()).unwrap() / (width as f64).sqrt()).unwrap();
                let exp = scores.exp().unwrap();
                let p = exp.broadcast_div(&exp.sum_keepdim(D::Minus1).unwrap()).unwrap();
                contexts.push(p.matmul(&v).unwrap());
            }
            let context = Tensor::cat(&contexts, 1).unwrap();
            x = self.norm(&(self.linear(&context, &slots.attention_output) + x).unwrap(), &slots.attention_norm);
            let wide = self.linear(&x, &slots.intermediate).gelu_erf().unwrap();
            x = self.norm(&(self.linear(&wide, &slots.output) + x).unwrap(), &slots.output_norm);
        }
        let cls = x.narrow(0, 0, 1).unwrap();
        cls.matmul(&self.head_weight.as_tensor().t().unwrap())
            .unwrap()
            .broadcast_add(self.head_bias.as_tensor())
            .unwrap()
    }
}

fn assert_close(name: &str, got: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(got.len(), expected.len(), "{name}");
    let scale = expected.iter().fold(0.0f32, |max, value| max.max(value.abs()));
    assert!(scale > 0.0, "{name}: the reference is zero everywhere");
    for (index, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert!((got - expected).abs() <= tolerance * scale, "{name}[{index}]: got {got}, expected {expected}");
    }
}

#[test]
fn gradients_match_candles_own_differentiation() {
    for tokens_per_state in [1, 2, 3] {
        gradients_match(tokens_per_state);
    }
}

fn gradients_match(tokens_per_state: usize) {
    let mut checkpoint = fixture::checkpoint(11);
    checkpoint.config.tokens_per_state = tokens_per_state;
    let settings = settings();
    let network = network(&checkpoint, &settings);
    let batch = batch();
    let shards: Vec<Vec<&Example>> = vec![batch[..2].iter().collect(), batch[2..].iter().collect()];
    let ours = network.gradient(&shards, &settings).unwrap();

    let config = &checkpoint.config;
    let hidden = config.hidden;
    let tensor = |values: &[f32], shape: (usize, usize)| Var::from_slice(values, shape, &Device::Cpu).unwrap();
    let weights = head(&checkpoint);
    let reference = Reference {
        config,
        layout: parameters::Layout::new(config),
        dense: Var::from_vec(network.dense_values().unwrap(), network.layout.len, &Device::Cpu).unwrap(),
        word: tensor(&network.word, (config.vocab, hidden)),
        head_weight: tensor(&weights[..5 * hidden], (5, hidden)),
        head_bias: Var::from_slice(&weights[5 * hidden..], 5, &Device::Cpu).unwrap(),
    };
    let total: f32 = batch.iter().map(|example| example.weight).sum();
    let mut loss = Tensor::zeros((), candle_core::DType::F32, &Device::Cpu).unwrap();
    for example in &batch {
        let logits = reference.logits(&example.ids);
        let log_sum = logits.exp().unwrap().sum_keepdim(D::Minus1).unwrap().log().unwrap();
        let log_probabilities = logits.broadcast_sub(&log_sum).unwrap();
        let target: Vec<f32> = example.target.iter().map(|value| value * example.weight / total).collect();
        let target = Tensor::from_slice(&target, (1, 5), &Device::Cpu).unwrap();
        loss = (loss - (target * log_probabilities).unwrap().sum_all().unwrap()).unwrap();
    }
    let theirs = loss.backward().unwrap();
    let values = |var: &Var| theirs.get(var).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert!((ours.loss - f64::from(loss.to_scalar::<f32>().unwrap())).abs() < 1e-5);
    assert_close("dense", &ours.dense_values().unwrap(), &values(&reference.dense), 2e-5);
    assert_close("head", &ours.head, &[values(&reference.head_weight), values(&reference.head_bias)].concat(), 2e-5);
    let mut word = vec![0.0; config.vocab * hidden];
    for (&id, row) in ours.word_ids.iter().zip(ours.word.chunks(hidden)) {
        word[id as usize * hidden..][..hidden].copy_from_slice(row);
    }
    assert_close("word", &word, &values(&reference.word), 2e-5);
}

#[test]
fn dropout_is_differentiated_with_its_own_masks() {
    // The loss of a fixed step is a fixed function: its slope along the gradient must be the gradient's square norm.
    let checkpoint = fixture::checkpoint(12);
    let batch = batch();
    let shards: Vec<Vec<&Example>> = vec![batch[..2].iter().collect(), batch[2..].iter().collect()];
    for r_drop in [0.0, 20.0] {
        let settings = TrainSettings { dropout_256ths: 51, r_drop, ..settings() };
        let network = network(&checkpoint, &settings);
        let gradient = network.gradient(&shards, &settings).unwrap().dense_values().unwrap();
        let square: f64 = gradient.iter().map(|g| f64::from(*g) * f64::from(*g)).sum();
        let start = network.dense_values().unwrap();
        let loss_at = |step: f32| {
            let moved: Vec<f32> = start.iter().zip(&gradient).map(|(p, g)| p + step * g).collect();
            network.dense.set(&Tensor::from_vec(moved, start.len(), &Device::Cpu).unwrap()).unwrap();
            network.gradient(&shards, &settings).unwrap().loss
        };
        let step = (0.004 / square.sqrt()) as f32;
        let slope = (loss_at(step) - loss_at(-step)) / (2.0 * f64::from(step));
        assert!((slope / square - 1.0).abs() < 0.02, "slope {slope}, square norm {square}");
        assert!((loss_at(0.0) - loss_at(0.0)).abs() == 0.0);
    }
}

/// Rows of two pages and one alone, and a network over pages that says something.
fn pages() -> (TrainSettings, Network, Vec<Example>) {
    let page = PageConfig { width: 16, heads: 2, intermediate: 24, layers: 2, reach: 1, distances: 1, regions: true };
    let settings = TrainSettings { page: Some(page), ..settings() };
    let mut network = network(&fixture::checkpoint(14), &settings);
    for (index, value) in network.page.iter_mut().enumerate() {
        *value += 0.3 * (index as f32 * 0.77).sin();
    }
    let mut examples = [batch(), batch()].concat();
    for (index, (example, run)) in examples.iter_mut().zip([0, 0, 0, 1, 2, 2, 2, 2]).enumerate() {
        example.run = run;
        example.place.facts = std::array::from_fn(|fact| ((index * 3 + fact) as f32).cos());
        // The row that stands alone is read alone, for nobody says where it stands.
        example.place.region =
            [None, Some(Region::Article), Some(Region::Comment), None, Some(Region::Furniture)][index % 5];
    }
    (settings, network, examples)
}

#[test]
fn the_page_network_trains_what_the_model_computes() {
    let (settings, network, examples) = pages();
    let settings = TrainSettings { page_share: 0.25, ..settings };
    let all: Vec<&Example> = examples.iter().collect();
    let logits = network.logits(&all).unwrap();
    let on_page = logits.on_page.unwrap();
    assert_eq!(on_page[3], logits.alone[3]);
    assert!((0..8).filter(|&row| row != 3).all(|row| on_page[row] != logits.alone[row]));
    let total: f32 = examples.iter().map(|example| example.weight).sum();
    let loss: f64 = [(&logits.alone, 0.75), (&on_page, 0.25)]
        .into_iter()
        .flat_map(|(rows, share)| rows.iter().zip(&examples).map(move |(row, example)| (row, example, share)))
        .map(|(row, example, share)| {
            let scores = crate::label::Scores::from_logits(&LabelSet::copydesk(), row);
            let log = scores.values().iter().zip(&example.target).map(|(p, t)| f64::from(*t) * f64::from(*p).ln());
            -log.sum::<f64>() * f64::from(example.weight / total) * share
        })
        .sum();
    let whole = network.gradient(std::slice::from_ref(&all), &settings).unwrap();
    assert!((whole.loss - loss).abs() < 1e-5, "{} and {loss}", whole.loss);
    // In a thread the page's share comes on top.
    let threaded: Vec<Example> =
        examples.iter().map(|example| Example { in_thread: true, ..example.clone() }).collect();
    let alone_only = TrainSettings { page_share: 0.0, ..settings.clone() };
    let loss_of =
        |rows: &[Example], settings: &TrainSettings| network.gradient(&[rows.iter().collect()], settings).unwrap().loss;
    let extra = loss_of(&threaded, &settings) - loss_of(&examples, &settings);
    assert!((extra - 0.25 * loss_of(&examples, &alone_only)).abs() < 1e-5, "{extra}");
    let shards = [all[..4].to_vec(), all[4..].to_vec()];
    let dealt = network.gradient(&shards, &settings).unwrap();
    assert_close("page gradient of two shards", &dealt.page, &whole.page, 2e-5);
}

#[test]
fn the_page_network_is_differentiated() {
    let (plain, mut network, examples) = pages();
    let shards = vec![examples.iter().collect::<Vec<&Example>>()];
    for settings in [plain.clone(), TrainSettings { dropout_256ths: 51, r_drop: 20.0, ..plain }] {
        let gradient = network.gradient(&shards, &settings).unwrap().page;
        let square: f64 = gradient.iter().map(|g| f64::from(*g) * f64::from(*g)).sum();
        let start = network.page.clone();
        let mut loss_at = |step: f32| {
            network.page = start.iter().zip(&gradient).map(|(p, g)| p + step * g).collect();
            network.gradient(&shards, &settings).unwrap().loss
        };
        let step = 1e-2;
        let slope = (loss_at(step) - loss_at(-step)) / (2.0 * f64::from(step));
        assert!((slope / square - 1.0).abs() < 0.02, "slope {slope}, square norm {square}");
        network.page = start;
    }
}

#[test]
fn vectors_are_drawn_towards_the_teachers() {
    let settings = TrainSettings { vector_weight: 3.0, ..settings() };
    let mut network = network(&fixture::checkpoint(15), &settings);
    let mut examples = batch();
    let plain = network.gradient(&[examples.iter().collect()], &settings).unwrap().loss;
    let goal = vec![0.25; network.config.hidden];
    examples[2].vector = Some(goal.clone());
    let difference = |network: &Network| -> f64 {
        let (vectors, _) = network.vectors(&[&examples[2]]).unwrap();
        vectors.iter().zip(&goal).map(|(v, g)| f64::from(v - g).powi(2)).sum::<f64>() / goal.len() as f64
    };
    let before = difference(&network);
    let total: f32 = examples.iter().map(|example| example.weight).sum();
    let shards = [examples.iter().collect::<Vec<&Example>>()];
    let loss = network.gradient(&shards, &settings).unwrap().loss;
    let expected = plain + 3.0 * before * f64::from(examples[2].weight / total);
    assert!((loss - expected).abs() < 1e-4, "{loss} and {expected}");
    for _ in 0..20 {
        let gradient = network.gradient(&shards, &settings).unwrap();
        network.update(&gradient, 1e-3, &settings).unwrap();
    }
    assert!(difference(&network) < 0.8 * before, "{} after {before}", difference(&network));
}

#[test]
fn logits_match_candle_transformers() {
    use candle_transformers::models::bert::{BertModel, Config};

    let checkpoint = fixture::checkpoint(13);
    let folder = tempfile::tempdir().unwrap();
    checkpoint.save(folder.path(), Storage::F32).unwrap();
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let config: Config = serde_json::from_slice(&read("config.json")).unwrap();
    let builder = candle_nn::VarBuilder::from_buffered_safetensors(
        read("model.safetensors"),
        candle_core::DType::F32,
        &Device::Cpu,
    )
    .unwrap();
    let model = BertModel::load(builder.clone(), &config).unwrap();
    let classifier = candle_nn::linear(checkpoint.config.hidden, 5, builder.pp("classifier")).unwrap();

    let batch = batch();
    let logits = network(&checkpoint, &settings()).logits(&batch.iter().collect::<Vec<_>>()).unwrap();
    for (example, logits) in batch.iter().zip(logits.alone) {
        let ids = Tensor::from_slice(&example.ids, (1, example.ids.len()), &Device::Cpu).unwrap();
        let hidden = model.forward(&ids, &ids.zeros_like().unwrap(), None).unwrap();
        let first = hidden.get(0).unwrap().narrow(0, 0, 1).unwrap();
        let expected =
            candle_nn::Module::forward(&classifier, &first).unwrap().get(0).unwrap().to_vec1::<f32>().unwrap();
        for (got, expected) in logits.iter().zip(&expected) {
            assert!((got - expected).abs() < 1e-4, "{logits:?}, expected {expected:?}");
        }
    }
}

/// Weights by formula, so that another program can have the same ones: value `i` of tensor `t` is
/// `scale · sin(1 + t + 0.7·i)`, plus 1 for the scale of a normalisation.
fn formula_checkpoint() -> Checkpoint {
    let mut tensor = 0.0f64;
    let mut values = |len: usize, scale: f64, around: f64| -> Vec<f32> {
        tensor += 1.0;
        (0..len).map(|i| (around + scale * (tensor + 0.7 * i as f64).sin()) as f32).collect()
    };
    let (hidden, wide, vocab, positions) = (32, 64, 22, 24);
    let word = Matrix::F32 { rows: vocab, cols: hidden, data: values(vocab * hidden, 0.5, 0.0) };
    let position = Matrix::F32 { rows: positions, cols: hidden, data: values(positions * hidden, 0.2, 0.0) };
    let token_type = Matrix::F32 { rows: 2, cols: hidden, data: values(2 * hidden, 0.1, 0.0) };
    let norm = LayerNorm { weight: values(hidden, 0.1, 1.0), bias: values(hidden, 0.1, 0.0) };
    let layers = (0..2)
        .map(|_| {
            let mut linear = |rows: usize, cols: usize| Linear {
                weight: Matrix::F32 { rows, cols, data: values(rows * cols, 0.3, 0.0) },
                bias: values(rows, 0.1, 0.0),
            };
            let query = linear(hidden, hidden);
            let key = linear(hidden, hidden);
            let value = linear(hidden, hidden);
            let attention_output = linear(hidden, hidden);
            let intermediate = linear(wide, hidden);
            let output = linear(hidden, wide);
            let mut norm = || LayerNorm { weight: values(hidden, 0.1, 1.0), bias: values(hidden, 0.1, 0.0) };
            crate::engine::LayerWeights {
                query,
                key,
                value,
                attention_output,
                intermediate,
                output,
                attention_norm: norm(),
                output_norm: norm(),
            }
        })
        .collect();
    let head = crate::model::Head {
        pooler: None,
        labels: LabelSet::copydesk(),
        weight: Matrix::F32 { rows: 5, cols: hidden, data: values(5 * hidden, 0.5, 0.0) },
        bias: values(5, 0.1, 0.0),
    };
    let weights = EncoderWeights { word, position, token_type, norm, distances: None, layers };
    Checkpoint { weights, head: Some(head), ..fixture::checkpoint(0) }
}

#[test]
fn logits_match_reference_figures() {
    let checkpoint = formula_checkpoint();
    let network = network(&checkpoint, &settings());
    let examples = [
        example(&[2, 7, 8, 9, 10, 11, 3], REPORTING, 1.0),
        example(&[2, 3], OTHER, 1.0),
        example(&[2, 21, 0, 13, 5, 5, 19, 4, 1, 16, 3], OPINION, 1.0),
    ];
    let logits = network.logits(&examples.iter().collect::<Vec<_>>()).unwrap().alone;
    for (row, expected) in logits.iter().zip(REFERENCE_LOGITS) {
        for (got, expected) in row.iter().zip(expected) {
            assert!((f64::from(*got) - expected).abs() < 1e-4, "got {row:?}, expected {expected:?}");
        }
    }
}

fn rows() -> Vec<LabelledRow> {
    let texts = [
        ("The council voted on the plan.", "reporting"),
        ("I think they voted on cheap plans.", "opinion"),
        ("buy cheap cheap cheap plans", "comment_spam"),
        ("they voted", "reporting"),
        ("the plan the plan", "other"),
        ("i think the council voted", "quotation"),
    ];
    (0..18)
        .map(|i| {
            let (text, label) = texts[i % texts.len()];
            LabelledRow { confidence: Some(3), ..LabelledRow::new(text, label) }
        })
        .collect()
}

fn target(folder: &std::path::Path, checkpoint_every: usize) -> TrainTarget<'_> {
    let settings = Settings { name: "tiny".into(), window_tokens: 24, window_overlap: 2, ..Settings::default() };
    TrainTarget { folder, checkpoint_every, storage: Storage::F32, settings }
}

fn run_in(folder: &std::path::Path, settings: &TrainSettings, progress: &mut dyn FnMut(Progress)) -> TrainReport {
    let data = TrainData {
        labels: LabelSet::copydesk(),
        weak: rows()[..9].to_vec(),
        annotated: rows(),
        dev: rows()[..6].to_vec(),
    };
    let target = target(folder, 4);
    train(&fixture::checkpoint(3), data, settings, &target, progress).unwrap()
}

#[test]
fn an_interrupted_run_goes_on_to_the_same_weights() {
    let settings = TrainSettings { epochs: 3, dropout_256ths: 26, average_decay: 0.5, ..settings() };
    let whole = tempfile::tempdir().unwrap();
    let report = run_in(whole.path(), &settings, &mut |_| {});
    assert_eq!(report.epochs.len(), 4);
    assert!(report.epochs[3].loss < report.epochs[1].loss, "{report:?}");

    let cut = tempfile::tempdir().unwrap();
    let stopped = std::panic::catch_unwind(|| {
        run_in(cut.path(), &settings, &mut |progress| {
            if let Progress::Step { step: 10, .. } = progress {
                panic!("cut off")
            }
        })
    });
    assert!(stopped.is_err());
    let mut resumed_at = None;
    let resumed = run_in(cut.path(), &settings, &mut |progress| {
        if let Progress::Resumed(step) = progress {
            resumed_at = Some(step);
        }
    });
    assert_eq!(resumed_at, Some(8));
    let losses =
        |report: &TrainReport| report.epochs.iter().map(|e| (e.steps, e.loss, e.dev_macro_f1)).collect::<Vec<_>>();
    assert_eq!(losses(&resumed), losses(&report));
    let weights = |folder: &tempfile::TempDir| std::fs::read(folder.path().join("model.safetensors")).unwrap();
    assert!(weights(&whole) == weights(&cut), "the resumed run saved other weights");
}

#[test]
fn vectors_of_another_length_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut weak = rows();
    weak[4].vector = Some(vec![0.5; 16]);
    let data = TrainData { labels: LabelSet::copydesk(), weak, annotated: Vec::new(), dev: rows() };
    let settings = TrainSettings { weak_epochs: 1, ..settings() };
    let result = train(&fixture::checkpoint(3), data, &settings, &target(folder.path(), 0), &mut |_| {});
    assert!(matches!(result, Err(TrainError::VectorLength { expected: 32, got: 16 })), "{result:?}");
}

#[test]
fn a_trained_page_network_is_gone_on_from() {
    let (settings, network, _) = pages();
    let weights = PageWeights { config: settings.page.unwrap(), values: network.page.clone() };
    let base = Checkpoint { page: Some(weights.clone()), ..fixture::checkpoint(14) };
    let folder = tempfile::tempdir().unwrap();
    let data = TrainData { labels: LabelSet::copydesk(), weak: Vec::new(), annotated: rows(), dev: rows() };
    let target = target(folder.path(), 0);
    // No row has a neighbour, so nothing but weight decay moves the network.
    let settings = TrainSettings { epochs: 1, weight_decay: 0.0, average_decay: 0.0, ..settings };
    train(&base, data, &settings, &target, &mut |_| {}).unwrap();
    assert_eq!(Checkpoint::load(folder.path()).unwrap().page, Some(weights));
}

#[test]
fn a_stage_without_rows_is_no_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let data = TrainData { labels: LabelSet::copydesk(), weak: Vec::new(), annotated: rows(), dev: rows() };
    let target = target(folder.path(), 0);
    let settings = TrainSettings { epochs: 2, ..settings() };
    let report = train(&fixture::checkpoint(3), data, &settings, &target, &mut |_| {}).unwrap();
    assert_eq!(report.epochs.iter().map(|epoch| epoch.stage.as_str()).collect::<Vec<_>>(), ["annotated"; 2]);
}

#[test]
fn a_finished_run_is_not_trained_again_unless_something_changed() {
    let folder = tempfile::tempdir().unwrap();
    let same = TrainSettings { epochs: 1, ..settings() };
    let run = |settings: &TrainSettings, name: &str, annotated: Vec<LabelledRow>| {
        let data = TrainData { labels: LabelSet::copydesk(), weak: Vec::new(), annotated, dev: rows() };
        let mut target = target(folder.path(), 0);
        target.settings.name = name.to_owned();
        let (mut steps, mut told) = (0, String::new());
        let report = train(&fixture::checkpoint(3), data, settings, &target, &mut |progress| match progress {
            Progress::Step { .. } => steps += 1,
            Progress::Finished => told = "finished".to_owned(),
            Progress::Replaces(what) => told = what,
            _ => {}
        });
        (report.unwrap(), steps > 0, told)
    };
    let (report, trained, told) = run(&same, "a", rows());
    assert!(trained && told.is_empty(), "{told}");
    let (again, trained, told) = run(&same, "a", rows());
    assert_eq!((again, trained, told.as_str()), (report, false, "finished"));
    let (_, trained, told) = run(&TrainSettings { seed: 9, epochs: 2, ..same.clone() }, "a", rows());
    // A new seed gives another order of rows, not other rows, but noise and threads are drawn from it.
    assert!(trained && told.starts_with("epochs, seed"), "{told}");
    let (_, trained, told) = run(&TrainSettings { seed: 9, epochs: 2, ..same.clone() }, "a", rows().split_off(1));
    assert_eq!((trained, told.as_str()), (true, "the base or the rows"));
    let (_, trained, told) = run(&TrainSettings { seed: 9, epochs: 2, ..same }, "b", rows().split_off(1));
    assert_eq!((trained, told.as_str()), (true, "the model's name, base, roles or sources left out"));
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let same = TrainSettings { epochs: 1, ..settings() };
    run_in(folder.path(), &same, &mut |_| {});
    let target = target(folder.path(), 4);
    // As `run_in` has them.
    let weak = || rows()[..9].to_vec();
    let dev = || rows()[..6].to_vec();
    let go_on = |base: u64, settings: &TrainSettings, annotated: Vec<LabelledRow>, dev: Vec<LabelledRow>| {
        let data = TrainData { labels: LabelSet::copydesk(), weak: weak(), annotated, dev };
        train(&fixture::checkpoint(base), data, settings, &target, &mut |_| {})
    };
    for result in [
        go_on(3, &TrainSettings { seed: 9, ..same.clone() }, rows(), dev()),
        go_on(4, &same, rows(), dev()),
        go_on(3, &same, rows().split_off(1), dev()),
        go_on(3, &same, rows(), dev().split_off(1)),
    ] {
        assert!(matches!(result, Err(TrainError::ForeignCheckpoint { .. })), "{result:?}");
    }
    assert!(go_on(3, &same, rows(), dev()).is_ok());
}

#[test]
fn a_run_without_a_step_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = TrainData { labels: LabelSet::copydesk(), weak: Vec::new(), annotated: rows(), dev: rows() };
    let none = TrainSettings { weak_epochs: 1, epochs: 0, ..settings() };
    let result = train(&fixture::checkpoint(3), data, &none, &target(folder.path(), 4), &mut |_| {});
    assert!(matches!(result, Err(TrainError::NothingToTrain)), "{result:?}");
    assert!(!folder.path().join("training.json").exists());
}

#[test]
fn settings_out_of_their_range_are_named() {
    let page = |page| TrainSettings { page: Some(page), ..settings() };
    let wrong = [
        ("page.heads", page(PageConfig { heads: 0, ..PageConfig::default() })),
        ("page.reach", page(PageConfig { reach: 0, ..PageConfig::default() })),
        ("confidence_weights", TrainSettings { confidence_weights: [0.0; 3], ..settings() }),
        ("weak_learning_rate", TrainSettings { weak_learning_rate: f32::NAN, ..settings() }),
        ("weight_decay", TrainSettings { weight_decay: -0.1, ..settings() }),
        ("class_weight_exponent", TrainSettings { class_weight_exponent: f32::INFINITY, ..settings() }),
    ];
    for (expected, settings) in wrong {
        let Err(TrainError::InvalidSetting { name, .. }) = settings.check() else {
            panic!("{expected} is let through")
        };
        assert_eq!(name, expected);
    }
}

/// Rows of three labels that are none of the built-in ones.
fn own_rows() -> Vec<LabelledRow> {
    let texts = [("the council voted on the plan", "news"), ("buy cheap plans", "ad"), ("i think they voted", "forum")];
    (0..18).map(|i| LabelledRow::new(texts[i % 3].0, texts[i % 3].1)).collect()
}

fn train_own(folder: &std::path::Path, labels: &LabelSet, settings: &TrainSettings) -> Result<TrainReport, TrainError> {
    let base = Checkpoint { head: None, ..fixture::checkpoint(3) };
    let data = TrainData { labels: labels.clone(), weak: Vec::new(), annotated: own_rows(), dev: own_rows() };
    let mut target = target(folder, 4);
    target.settings.spam_label = Some("ad".to_owned());
    train(&base, data, settings, &target, &mut |_| {})
}

#[test]
fn any_labels_are_learnt_and_told_by_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let labels = labels_of(&own_rows()).unwrap();
    assert_eq!(labels, LabelSet::new(["ad", "forum", "news"]).unwrap());
    let page =
        Some(PageConfig { width: 8, heads: 2, intermediate: 8, layers: 1, reach: 2, distances: 2, regions: true });
    let settings = TrainSettings { epochs: 30, learning_rate: 3e-3, average_decay: 0.0, page, ..settings() };
    let report = train_own(folder.path(), &labels, &settings).unwrap();
    assert_eq!(report.epochs[report.best_epoch].dev_macro_f1, 1.0);
    assert_eq!(report.settings.source_label_share, Some(vec![0.5; 3]));
    let model = crate::model::Classifier::from_dir(folder.path()).unwrap();
    assert_eq!((model.labels(), model.roles().spam), (&labels, labels.id("ad")));
    let texts: Vec<String> = own_rows()[..3].iter().map(|row| row.text.clone()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let answers = model.session().classify(&texts).unwrap();
    let names: Vec<String> = answers.iter().map(|answer| answer.scores.best_label().0.to_string()).collect();
    assert_eq!(names, ["news", "ad", "forum"]);
}

#[test]
fn a_run_is_not_gone_on_with_under_other_labels() {
    let folder = tempfile::tempdir().unwrap();
    let labels = LabelSet::new(["ad", "forum", "news"]).unwrap();
    let settings = TrainSettings { epochs: 1, ..settings() };
    train_own(folder.path(), &labels, &settings).unwrap();
    let more = LabelSet::new(["ad", "forum", "news", "other"]).unwrap();
    let refused = train_own(folder.path(), &more, &settings);
    // The head has another size too; what the message says is what a person can mend.
    assert!(
        matches!(&refused, Err(TrainError::ForeignCheckpoint { reason, .. }) if reason.contains("labels")),
        "{refused:?}"
    );
}

#[test]
fn rows_and_heads_of_other_labels_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = |labels: LabelSet, annotated: Vec<LabelledRow>, base: &Checkpoint| {
        let data = TrainData { labels, weak: Vec::new(), annotated, dev: own_rows() };
        train(base, data, &settings(), &target(folder.path(), 0), &mut |_| {})
    };
    let (bare, headed) = (Checkpoint { head: None, ..fixture::checkpoint(3) }, fixture::checkpoint(3));
    let own = LabelSet::new(["ad", "forum", "news"]).unwrap();
    assert!(matches!(run(own.clone(), rows(), &bare), Err(TrainError::UnknownLabel(_))));
    let unlabelled = vec![LabelledRow { label: None, ..LabelledRow::new("x", "ad") }];
    assert!(matches!(run(own.clone(), unlabelled, &bare), Err(TrainError::NoLabel { .. })));
    assert!(matches!(run(own, own_rows(), &headed), Err(TrainError::OtherLabels { .. })));
}
