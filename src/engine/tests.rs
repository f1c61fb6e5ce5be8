//! The encoder against a plain f64 implementation, across instruction sets, and across batches.

mod reference;

use super::kernels::InstructionSet;
use super::*;
use crate::random::SplitMix64;

/// Random vectors and matrices.
struct Random(SplitMix64);

impl Random {
    /// Roughly normal.
    fn normal(&mut self, deviation: f32) -> f32 {
        let sum: f32 = (0..4).map(|_| self.0.unit() - 0.5).sum();
        sum * 1.73 * deviation
    }

    fn vector(&mut self, length: usize, mean: f32, deviation: f32) -> Vec<f32> {
        (0..length).map(|_| mean + self.normal(deviation)).collect()
    }

    fn matrix(&mut self, rows: usize, cols: usize, deviation: f32) -> Matrix {
        Matrix::F32 { rows, cols, data: self.vector(rows * cols, 0.0, deviation) }
    }

    fn linear(&mut self, rows: usize, cols: usize) -> Linear {
        let weight = self.matrix(rows, cols, 1.0 / (cols as f32).sqrt());
        Linear { weight, bias: self.vector(rows, 0.0, 0.1) }
    }

    fn norm(&mut self, width: usize) -> LayerNorm {
        LayerNorm { weight: self.vector(width, 1.0, 0.1), bias: self.vector(width, 0.0, 0.1) }
    }
}

fn config(layers: usize, hidden: usize, heads: usize, intermediate: usize) -> EncoderConfig {
    EncoderConfig {
        layers,
        hidden,
        heads,
        intermediate,
        vocab: 50,
        max_positions: 40,
        type_vocab: 2,
        layer_norm_eps: 1e-12,
        tokens_per_state: 1,
    }
}

fn weights(config: &EncoderConfig, seed: u64) -> EncoderWeights {
    let mut random = Random(SplitMix64::new(seed));
    let (hidden, intermediate) = (config.hidden, config.intermediate);
    EncoderWeights {
        word: random.matrix(config.vocab, hidden, 0.5),
        position: random.matrix(config.max_positions, hidden, 0.3),
        token_type: random.matrix(config.type_vocab, hidden, 0.1),
        norm: random.norm(hidden),
        distances: None,
        layers: (0..config.layers)
            .map(|_| LayerWeights {
                query: random.linear(hidden, hidden),
                key: random.linear(hidden, hidden),
                value: random.linear(hidden, hidden),
                attention_output: random.linear(hidden, hidden),
                attention_norm: random.norm(hidden),
                intermediate: random.linear(intermediate, hidden),
                output: random.linear(hidden, intermediate),
                output_norm: random.norm(hidden),
            })
            .collect(),
    }
}

/// Ids and bounds of sequences of the given lengths.
fn batch(config: &EncoderConfig, lengths: &[usize], seed: u64) -> (Vec<u32>, Vec<u32>) {
    let mut random = SplitMix64::new(seed);
    let ids = (0..lengths.iter().sum()).map(|_| (random.next_u64() % config.vocab as u64) as u32).collect();
    let mut bounds = vec![0];
    for &length in lengths {
        bounds.push(bounds[bounds.len() - 1] + length as u32);
    }
    (ids, bounds)
}

const SHAPES: [(usize, usize, usize, usize); 6] =
    [(2, 64, 4, 128), (1, 32, 2, 72), (2, 312, 12, 600), (1, 24, 3, 40), (2, 96, 1, 100), (1, 80, 4, 336)];
const LENGTHS: [usize; 6] = [5, 1, 17, 40, 16, 2];

/// A model of each shape, and two whose tokens share hidden states.
fn configs() -> Vec<EncoderConfig> {
    let mut configs: Vec<EncoderConfig> = SHAPES
        .into_iter()
        .map(|(layers, hidden, heads, intermediate)| config(layers, hidden, heads, intermediate))
        .collect();
    configs.push(EncoderConfig { tokens_per_state: 2, ..config(2, 128, 4, 256) });
    configs.push(EncoderConfig { tokens_per_state: 3, ..config(2, 24, 3, 40) });
    configs
}

/// Those models with random weights, and two whose attention knows distances.
fn models() -> Vec<(EncoderConfig, EncoderWeights)> {
    let mut models: Vec<_> = configs()
        .into_iter()
        .enumerate()
        .map(|(index, config)| (config.clone(), weights(&config, index as u64)))
        .collect();
    for (config, buckets) in [(config(2, 64, 4, 128), 32), (config(2, 24, 3, 40), 8)] {
        let distances = Random(SplitMix64::new(11)).matrix(buckets, config.heads, 1.0);
        let weights = EncoderWeights { distances: Some(distances), ..weights(&config, 10) };
        models.push((config, weights));
    }
    models
}

/// Where the hidden states of the sequences begin, and the end of the last.
fn state_starts(config: &EncoderConfig, bounds: &[u32]) -> Vec<usize> {
    let mut starts = vec![0];
    for pair in bounds.windows(2) {
        starts.push(starts[starts.len() - 1] + config.states((pair[1] - pair[0]) as usize));
    }
    starts
}

fn encode(encoder: &Encoder, ids: &[u32], bounds: &[u32]) -> Vec<f32> {
    let mut out = vec![0.0; (bounds.len() - 1) * encoder.config().hidden];
    encoder.encode(ids, bounds, &mut encoder.workspace(), &mut out).unwrap();
    out
}

fn encode_tokens(encoder: &Encoder, ids: &[u32], bounds: &[u32]) -> Vec<f32> {
    let states = state_starts(encoder.config(), bounds)[bounds.len() - 1];
    let mut out = vec![0.0; states * encoder.config().hidden];
    encoder.encode_tokens(ids, bounds, &mut encoder.workspace(), &mut out).unwrap();
    out
}

fn cosine(a: &[f32], b: &[f64]) -> f64 {
    let dot: f64 = a.iter().zip(b).map(|(&a, b)| f64::from(a) * b).sum();
    let norm: f64 = a.iter().map(|&a| f64::from(a).powi(2)).sum::<f64>() * b.iter().map(|b| b * b).sum::<f64>();
    dot / norm.sqrt()
}

#[test]
fn agrees_with_a_plain_implementation() {
    for (config, weights) in models() {
        let hidden = config.hidden;
        let (ids, bounds) = batch(&config, &LENGTHS, 7);
        let expected: Vec<Vec<f64>> = bounds
            .windows(2)
            .flat_map(|b| reference::encode(&config, &weights, &ids[b[0] as usize..b[1] as usize]))
            .collect();
        for isa in InstructionSet::available() {
            let f32 = Encoder::with_isa(config.clone(), weights.clone(), Precision::F32, isa).unwrap();
            let got = encode_tokens(&f32, &ids, &bounds);
            for (got, expected) in got.iter().zip(expected.iter().flatten()) {
                assert!((f64::from(*got) - expected).abs() < 5e-5, "{isa} {config:?}: {got} {expected}");
            }
            let int8 = Encoder::with_isa(config.clone(), weights.clone(), Precision::Int8, isa).unwrap();
            let got = encode_tokens(&int8, &ids, &bounds);
            for (got, expected) in got.chunks_exact(hidden).zip(&expected) {
                assert!(cosine(got, expected) > 0.999, "{isa} {config:?}: {}", cosine(got, expected));
            }
        }
    }
}

#[test]
fn instruction_sets_agree_bit_by_bit() {
    for precision in [Precision::F32, Precision::Int8] {
        for (config, weights) in models() {
            let (ids, bounds) = batch(&config, &LENGTHS, 3);
            let run = |isa| {
                let encoder = Encoder::with_isa(config.clone(), weights.clone(), precision, isa).unwrap();
                (encode_tokens(&encoder, &ids, &bounds), encode(&encoder, &ids, &bounds))
            };
            let expected = run(InstructionSet::Scalar);
            for isa in InstructionSet::available() {
                assert_eq!(run(isa), expected, "{isa} {precision} {config:?}");
            }
        }
    }
}

#[test]
fn a_row_does_not_depend_on_its_batch() {
    let config = config(2, 96, 6, 200);
    let weights = weights(&config, 1);
    for precision in [Precision::F32, Precision::Int8] {
        let encoder = Encoder::new(config.clone(), weights.clone(), precision).unwrap();
        let mut workspace = encoder.workspace();
        let lengths: Vec<usize> = (0..60).map(|index| 1 + (index * 17) % 40).collect();
        let (ids, bounds) = batch(&config, &lengths, 5);
        let together = encode(&encoder, &ids, &bounds);
        for (sequence, expected) in together.chunks_exact(config.hidden).enumerate() {
            let ids = &ids[bounds[sequence] as usize..bounds[sequence + 1] as usize];
            let mut alone = vec![0.0; config.hidden];
            encoder.encode(ids, &[0, ids.len() as u32], &mut workspace, &mut alone).unwrap();
            assert_eq!(alone, expected, "{precision} sequence {sequence}");
        }
    }
}

#[test]
fn a_first_token_is_the_same_with_and_without_the_others() {
    for (config, weights) in models() {
        let hidden = config.hidden;
        // More sequences than go through the last layer's attention at a time.
        let lengths: Vec<usize> = (0..30).map(|index| 1 + (index * 17) % 40).collect();
        let (ids, bounds) = batch(&config, &lengths, 8);
        for precision in [Precision::F32, Precision::Int8] {
            let encoder = Encoder::new(config.clone(), weights.clone(), precision).unwrap();
            let all = encode_tokens(&encoder, &ids, &bounds);
            let first = encode(&encoder, &ids, &bounds);
            for (start, got) in state_starts(&config, &bounds).into_iter().zip(first.chunks_exact(hidden)) {
                let expected = &all[start * hidden..][..hidden];
                match precision {
                    Precision::F32 => {
                        let far = got.iter().zip(expected).find(|(a, b)| (*a - *b).abs() > 2e-5);
                        assert_eq!(far, None, "{config:?}");
                    }
                    Precision::Int8 => {
                        let expected: Vec<f64> = expected.iter().map(|&value| value.into()).collect();
                        assert!(cosine(got, &expected) > 0.999, "{config:?}: {}", cosine(got, &expected));
                    }
                }
            }
        }
    }
}

#[test]
fn int8_weights_are_taken_as_they_are() {
    let config = config(1, 48, 3, 64);
    let exact = weights(&config, 9);
    let quantise = |matrix: &Matrix| {
        let (rows, cols) = (matrix.rows(), matrix.cols());
        let mut data = vec![0; rows * cols];
        let scales = (0..rows).map(|row| matrix.quantise_row(row, &mut data[row * cols..(row + 1) * cols])).collect();
        Matrix::I8 { rows, cols, data, scales }
    };
    let mut stored = exact.clone();
    stored.word = quantise(&exact.word);
    for layer in &mut stored.layers {
        let LayerWeights { query, key, value, attention_output, intermediate, output, .. } = layer;
        for linear in [query, key, value, attention_output, intermediate, output] {
            linear.weight = quantise(&linear.weight);
        }
    }
    let (ids, bounds) = batch(&config, &[7, 20], 2);
    let f32 = encode_tokens(&Encoder::new(config.clone(), stored.clone(), Precision::F32).unwrap(), &ids, &bounds);
    let expected: Vec<Vec<f64>> = bounds
        .windows(2)
        .flat_map(|b| reference::encode(&config, &stored, &ids[b[0] as usize..b[1] as usize]))
        .collect();
    for (got, expected) in f32.iter().zip(expected.iter().flatten()) {
        assert!((f64::from(*got) - expected).abs() < 2e-5);
    }
    let mut rounded_at_load = exact;
    rounded_at_load.word = stored.word.clone();
    let int8 = |weights| encode(&Encoder::new(config.clone(), weights, Precision::Int8).unwrap(), &ids, &bounds);
    assert_eq!(int8(stored), int8(rounded_at_load));
}

#[test]
fn refuses_what_does_not_fit() {
    let good = config(1, 32, 2, 64);
    let fitting = weights(&good, 0);
    let build = |config: EncoderConfig, weights: EncoderWeights| Encoder::new(config, weights, Precision::Int8).err();
    assert_eq!(
        build(EncoderConfig { heads: 5, ..good.clone() }, fitting.clone()),
        Some(EngineError::Config { rule: "heads must divide hidden", got: 5 })
    );
    let mut short = fitting.clone();
    short.layers[0].output.bias.pop();
    let shape = EngineError::Shape { name: "layers.0.output.bias".to_owned(), expected: vec![32], got: vec![31] };
    assert_eq!(build(good.clone(), short), Some(shape));
    let mut wrong = fitting.clone();
    wrong.word = Matrix::I8 { rows: 50, cols: 32, data: vec![0; 50 * 32], scales: vec![0.0; 49] };
    assert!(matches!(build(good.clone(), wrong), Some(EngineError::Shape { name, .. }) if name == "word"));
    let distances = |rows, cols| Some(Matrix::F32 { rows, cols, data: vec![0.0; rows * cols] });
    let odd = EncoderWeights { distances: distances(5, 2), ..fitting.clone() };
    let rule = "buckets of distances must be even, at least 4";
    assert_eq!(build(good.clone(), odd), Some(EngineError::Config { rule, got: 5 }));
    let wide = EncoderWeights { distances: distances(8, 3), ..fitting.clone() };
    assert!(matches!(build(good.clone(), wide), Some(EngineError::Shape { name, .. }) if name == "distances"));
    let mut infinite = fitting.clone();
    infinite.norm.weight[3] = f32::NAN;
    assert_eq!(build(good.clone(), infinite), Some(EngineError::NotFinite { name: "norm.weight".to_owned() }));

    let encoder = Encoder::new(good, fitting, Precision::F32).unwrap();
    let run = |ids: &[u32], bounds: &[u32], length: usize| {
        encoder.encode(ids, bounds, &mut encoder.workspace(), &mut vec![0.0; length]).err()
    };
    assert_eq!(run(&[], &[0], 0), None);
    assert!(matches!(run(&[], &[], 0), Some(EngineError::SequenceBounds { index: 0, .. })));
    assert!(matches!(run(&[1], &[1, 1], 32), Some(EngineError::SequenceBounds { index: 0, .. })));
    assert!(matches!(run(&[1, 2], &[0, 1], 32), Some(EngineError::SequenceBounds { index: 1, .. })));
    assert!(matches!(run(&[1, 2, 3], &[0, 2, 1, 3], 96), Some(EngineError::SequenceBounds { index: 2, .. })));
    assert_eq!(run(&[1], &[0, 0, 1], 64), Some(EngineError::SequenceLength { sequence: 0, max: 40, got: 0 }));
    assert_eq!(run(&[1; 41], &[0, 41], 32), Some(EngineError::SequenceLength { sequence: 0, max: 40, got: 41 }));
    assert_eq!(run(&[1, 50], &[0, 2], 32), Some(EngineError::TokenId { position: 1, vocab: 50, got: 50 }));
    assert_eq!(run(&[1], &[0, 1], 31), Some(EngineError::OutputLength { expected: 32, got: 31 }));
}

#[test]
fn reads_the_names_of_a_hugging_face_config() {
    let text = r#"{"architectures": ["BertModel"], "num_hidden_layers": 6, "hidden_size": 384, "num_attention_heads": 12,
        "intermediate_size": 1536, "vocab_size": 30522, "max_position_embeddings": 512, "type_vocab_size": 2,
        "layer_norm_eps": 1e-12}"#;
    let config: EncoderConfig = serde_json::from_str(text).unwrap();
    assert_eq!((config.layers, config.heads, config.layer_norm_eps), (6, 12, 1e-12));
    // 6 layers of 4 · 384² + 2 · 384 · 1536.
    assert_eq!(config.linear_multiply_adds_per_state(), 10_616_832);
    assert_eq!(config.multiply_adds(100), 100 * 10_616_832 + 2 * 6 * 384 * 100 * 100);
}
