//! A narrower copy of a model: hidden states are replaced by their coordinates on fewer axes.

use super::TrainError;
use super::parameters::to_f32;
use crate::engine::{Encoder, EncoderConfig, EncoderWeights, LayerNorm, LayerWeights, Linear, Matrix, Precision};
use crate::model::{Checkpoint, Head};
use crate::text::model_text;
use crate::tokenizer::Tokenizer;

/// Texts whose hidden states decide which axes are kept.
const SAMPLE: usize = 1000;
/// Tokens of each of them, with `[CLS]` and `[SEP]`.
const SAMPLE_TOKENS: usize = 64;
/// Steps of subspace iteration. The axes that are kept differ from those left by more than rounding after some dozens.
const STEPS: usize = 60;

/// Orthonormal axes on which hidden states are told, `[kept, width]`.
#[derive(Debug)]
struct Axes {
    width: usize,
    kept: usize,
    rows: Vec<f32>,
}

impl Axes {
    /// The axes that keep most of the hidden states of a sample of texts: of the tokens after the embeddings and after every layer
    /// but the last, of the first token after the last, and of the vocabulary, each with the same weight.
    fn of<'a>(model: &Checkpoint, texts: impl Iterator<Item = &'a str>, kept: usize) -> Result<Axes, TrainError> {
        let width = model.config.hidden;
        let mut moments = vec![0.0; width * width];
        let (ids, cu_seqlens) = sample(model, texts)?;
        for layers in 1..=model.config.layers {
            let (encoder, last) = (first_layers(model, layers)?, layers == model.config.layers);
            let sequences = cu_seqlens.windows(2);
            let count = match last {
                true => sequences.len(),
                false => sequences.map(|pair| model.config.states((pair[1] - pair[0]) as usize)).sum(),
            };
            let mut states = vec![0.0; count * width];
            let mut workspace = encoder.workspace();
            let encoded = match last {
                true => encoder.encode(&ids, &cu_seqlens, &mut workspace, &mut states),
                false => encoder.encode_tokens(&ids, &cu_seqlens, &mut workspace, &mut states),
            };
            encoded.map_err(crate::model::ModelError::from)?;
            add_moments(&mut moments, &states, width);
        }
        let mut words = to_f32(&model.weights.word);
        words
            .chunks_exact_mut(width)
            .for_each(|word| normalise(word, &model.weights.norm, model.config.layer_norm_eps));
        add_moments(&mut moments, &words, width);
        let used: Vec<f32> = ids.iter().flat_map(|&id| &words[id as usize * width..][..width]).copied().collect();
        add_moments(&mut moments, &used, width);
        Ok(Axes { width, kept, rows: spread(largest(&moments, width, kept), width, kept) })
    }

    /// The coordinates of a hidden state.
    fn coordinates(&self, state: &[f32]) -> Vec<f32> {
        self.rows.chunks_exact(self.width).map(|axis| dot(axis, state)).collect()
    }

    /// Rows of hidden states to rows of coordinates; for a linear layer, its inputs.
    fn matrix(&self, matrix: &Matrix) -> Matrix {
        let data = to_f32(matrix).chunks_exact(self.width).flat_map(|row| self.coordinates(row)).collect();
        Matrix::F32 { rows: matrix.rows(), cols: self.kept, data }
    }

    /// A linear layer from hidden states, of which the given outputs are kept.
    fn of_states(&self, linear: &Linear, outputs: &[usize]) -> Linear {
        let weight = to_f32(&linear.weight);
        let data =
            outputs.iter().flat_map(|&row| self.coordinates(&weight[row * self.width..][..self.width])).collect();
        let bias = outputs.iter().map(|&row| linear.bias[row]).collect();
        Linear { weight: Matrix::F32 { rows: outputs.len(), cols: self.kept, data }, bias }
    }

    /// A linear layer to hidden states, of which the given inputs are kept.
    fn to_states(&self, linear: &Linear, inputs: &[usize]) -> Linear {
        let (weight, cols) = (to_f32(&linear.weight), linear.weight.cols());
        let mut data = vec![0.0; self.kept * inputs.len()];
        let columns = inputs.iter().map(|&input| {
            let column: Vec<f32> = weight.iter().skip(input).step_by(cols).copied().collect();
            self.coordinates(&column)
        });
        for (index, column) in columns.enumerate() {
            for (row, value) in column.into_iter().enumerate() {
                data[row * inputs.len() + index] = value;
            }
        }
        let weight = Matrix::F32 { rows: self.kept, cols: inputs.len(), data };
        Linear { weight, bias: self.coordinates(&linear.bias) }
    }

    /// A LayerNorm of coordinates has one scale for all: it makes the coordinates of a state about as large as they were.
    fn norm(&self, norm: &LayerNorm) -> LayerNorm {
        let scale = (dot(&norm.weight, &norm.weight) / self.kept as f32).sqrt();
        LayerNorm { weight: vec![scale; self.kept], bias: self.coordinates(&norm.bias) }
    }
}

/// The model with hidden states of `hidden` values instead of more: every matrix is told on the axes that keep most of the states of
/// a sample of `texts`, and every layer keeps the heads with the largest weights. Its page network is left out, for it would read
/// other vectors.
///
/// What it says is only near to what the model says, for LayerNorm does not commute with a change of axes: it is a start for
/// training.
///
/// # Errors
/// [`TrainError::InvalidSetting`] for a width that is not some of the model's heads.
pub(super) fn narrowed<'a>(
    model: &Checkpoint,
    texts: impl Iterator<Item = &'a str>,
    hidden: usize,
) -> Result<Checkpoint, TrainError> {
    let config = &model.config;
    let head_width = config.hidden / config.heads;
    if hidden == 0 || hidden > config.hidden || !hidden.is_multiple_of(head_width) {
        let expected = "a multiple of the teacher's head width, at most the teacher's";
        return Err(TrainError::InvalidSetting { name: "hidden", expected });
    }
    let axes = Axes::of(model, texts, hidden)?;
    let heads = hidden / head_width;
    let weights = &model.weights;
    let layers = weights.layers.iter().map(|layer| narrow_layer(&axes, layer, head_width, heads)).collect();
    let head = model.head.as_ref().filter(|head| head.pooler.is_none());
    Ok(Checkpoint {
        config: EncoderConfig { hidden, heads, ..config.clone() },
        weights: EncoderWeights {
            word: axes.matrix(&weights.word),
            position: axes.matrix(&weights.position),
            token_type: axes.matrix(&weights.token_type),
            norm: axes.norm(&weights.norm),
            distances: None,
            layers,
        },
        head: head.map(|head| Head { weight: axes.matrix(&head.weight), ..head.clone() }),
        page: None,
        tokenizer: model.tokenizer.clone(),
        settings: model.settings.clone(),
    })
}

fn narrow_layer(axes: &Axes, layer: &LayerWeights, head_width: usize, heads: usize) -> LayerWeights {
    let (value, output) = (to_f32(&layer.value.weight), to_f32(&layer.attention_output.weight));
    let of_head = |head: usize| head * head_width..(head + 1) * head_width;
    let strength = |head: usize| -> f32 {
        let value = &value[head * head_width * axes.width..][..head_width * axes.width];
        let output: f32 =
            output.chunks_exact(axes.width).map(|row| dot(&row[of_head(head)], &row[of_head(head)])).sum();
        dot(value, value) * output
    };
    let strengths: Vec<f32> = (0..axes.width / head_width).map(strength).collect();
    let mut order: Vec<usize> = (0..strengths.len()).collect();
    order.sort_by(|&a, &b| strengths[b].total_cmp(&strengths[a]).then(a.cmp(&b)));
    order.truncate(heads);
    order.sort_unstable();
    let kept: Vec<usize> = order.into_iter().flat_map(of_head).collect();
    let neurons: Vec<usize> = (0..layer.intermediate.bias.len()).collect();
    LayerWeights {
        query: axes.of_states(&layer.query, &kept),
        key: axes.of_states(&layer.key, &kept),
        value: axes.of_states(&layer.value, &kept),
        attention_output: axes.to_states(&layer.attention_output, &kept),
        attention_norm: axes.norm(&layer.attention_norm),
        intermediate: axes.of_states(&layer.intermediate, &neurons),
        output: axes.to_states(&layer.output, &neurons),
        output_norm: axes.norm(&layer.output_norm),
    }
}

/// Every n-th text so that there are [`SAMPLE`] of them, tokenised and packed.
fn sample<'a>(model: &Checkpoint, texts: impl Iterator<Item = &'a str>) -> Result<(Vec<u32>, Vec<u32>), TrainError> {
    let tokenizer = Tokenizer::from_bytes(&model.tokenizer)?;
    let texts: Vec<&str> = texts.collect();
    let most = SAMPLE_TOKENS.min(model.config.max_positions) - 2;
    let (mut ids, mut cu_seqlens) = (Vec::new(), vec![0]);
    for text in texts.iter().step_by(texts.len().div_ceil(SAMPLE).max(1)) {
        ids.push(tokenizer.cls());
        ids.extend(tokenizer.encode(&model_text(text)).into_iter().take(most));
        ids.push(tokenizer.sep());
        cu_seqlens.push(ids.len() as u32);
    }
    Ok((ids, cu_seqlens))
}

fn first_layers(model: &Checkpoint, layers: usize) -> Result<Encoder, TrainError> {
    let config = EncoderConfig { layers, ..model.config.clone() };
    let mut weights = model.weights.clone();
    weights.layers.truncate(layers);
    Ok(Encoder::new(config, weights, Precision::F32).map_err(crate::model::ModelError::from)?)
}

fn normalise(state: &mut [f32], norm: &LayerNorm, epsilon: f32) {
    let mean = state.iter().sum::<f32>() / state.len() as f32;
    let variance = state.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>() / state.len() as f32;
    let scale = 1.0 / (variance + epsilon).sqrt();
    for ((value, weight), bias) in state.iter_mut().zip(&norm.weight).zip(&norm.bias) {
        *value = (*value - mean) * scale * weight + bias;
    }
}

/// Adds the states' second moments `[width, width]`, scaled so that their trace is 1.
fn add_moments(moments: &mut [f32], states: &[f32], width: usize) {
    let trace = dot(states, states);
    if trace <= 0.0 {
        return;
    }
    let mut sum = vec![0.0; width * width];
    for state in states.chunks_exact(width) {
        for (row, &value) in sum.chunks_exact_mut(width).zip(state) {
            row.iter_mut().zip(state).for_each(|(sum, other)| *sum += value * other);
        }
    }
    moments.iter_mut().zip(sum).for_each(|(moment, sum)| *moment += sum / trace);
}

/// Orthonormal rows `[kept, width]` that span what is largest in symmetric moments, by subspace iteration.
fn largest(moments: &[f32], width: usize, kept: usize) -> Vec<f32> {
    let mut rows = cosines(width)[..kept * width].to_vec();
    for _ in 0..STEPS {
        let mut next: Vec<f32> = rows
            .chunks_exact(width)
            .flat_map(|row| moments.chunks_exact(width).map(|moment| dot(moment, row)))
            .collect();
        // Twice: what rounding leaves of the earlier rows after the first pass would grow with every step.
        orthonormalise(&mut next, width);
        orthonormalise(&mut next, width);
        rows = next;
    }
    rows
}

fn orthonormalise(rows: &mut [f32], width: usize) {
    for index in 0..rows.len() / width {
        let (before, rest) = rows.split_at_mut(index * width);
        let row = &mut rest[..width];
        for other in before.chunks_exact(width) {
            let share = dot(other, row);
            row.iter_mut().zip(other).for_each(|(value, other)| *value -= share * other);
        }
        let length = dot(row, row).sqrt().max(f32::MIN_POSITIVE);
        row.iter_mut().for_each(|value| *value /= length);
    }
}

/// The same span by axes that share the large directions evenly. Coordinates on the axes themselves would differ so much in size
/// that 8 bits for a row of them would say little of most.
fn spread(rows: Vec<f32>, width: usize, kept: usize) -> Vec<f32> {
    let mut mixed = vec![0.0; rows.len()];
    for (to, shares) in mixed.chunks_exact_mut(width).zip(cosines(kept).chunks_exact(kept)) {
        for (row, share) in rows.chunks_exact(width).zip(shares) {
            to.iter_mut().zip(row).for_each(|(to, value)| *to += share * value);
        }
    }
    mixed
}

/// The orthonormal cosines of the fourth kind, `[size, size]`. None of its rows is constant, which LayerNorm would take away.
fn cosines(size: usize) -> Vec<f32> {
    let angle = std::f64::consts::PI / size as f64;
    let scale = (2.0 / size as f64).sqrt();
    let entry = |row: usize, column: usize| scale * (angle * (row as f64 + 0.5) * (column as f64 + 0.5)).cos();
    (0..size * size).map(|index| entry(index / size, index % size) as f32).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<16>();
    let (b, b_rest) = b.as_chunks::<16>();
    let mut sums = [0.0; 16];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Classifier, fixture};

    fn logits(model: &Checkpoint, text: &str) -> Vec<f32> {
        let model = Checkpoint { page: None, ..model.clone() };
        let classifier = Classifier::from_checkpoint(model, Precision::F32).unwrap();
        classifier.session().logits(&[text]).unwrap().remove(0)
    }

    #[test]
    fn axes_are_orthonormal_and_keep_what_is_large() {
        let (width, kept) = (24, 5);
        let directions = cosines(width);
        // States along seven directions, the last two a tenth as long.
        let states: Vec<f32> = (0..700)
            .flat_map(|state| {
                let (direction, length) = (state % 7, if state % 7 < kept { 1.0 } else { 0.1 });
                directions[(direction + 9) * width..][..width].iter().map(move |value| value * length)
            })
            .collect();
        let mut moments = vec![0.0; width * width];
        add_moments(&mut moments, &states, width);
        let axes = Axes { width, kept, rows: spread(largest(&moments, width, kept), width, kept) };
        for (i, a) in axes.rows.chunks_exact(width).enumerate() {
            for (j, b) in axes.rows.chunks_exact(width).enumerate() {
                assert!((dot(a, b) - f32::from(u8::from(i == j))).abs() < 1e-4, "axes {i} and {j}: {}", dot(a, b));
            }
        }
        for (state, expected) in [(0, 1.0), (4, 1.0), (5, 0.0), (6, 0.0)] {
            let coordinates = axes.coordinates(&directions[(state + 9) * width..][..width]);
            assert!((dot(&coordinates, &coordinates) - expected).abs() < 1e-3, "state {state}: {coordinates:?}");
        }
    }

    #[test]
    fn on_all_axes_linear_layers_say_the_same() {
        let model = fixture::checkpoint(41);
        let hidden = model.config.hidden;
        let axes = Axes { width: hidden, kept: hidden, rows: cosines(hidden) };
        let all: Vec<usize> = (0..hidden).collect();
        let apply = |linear: &Linear, x: &[f32]| -> Vec<f32> {
            let weight = to_f32(&linear.weight);
            weight.chunks_exact(x.len()).zip(&linear.bias).map(|(row, bias)| dot(row, x) + bias).collect()
        };
        let layer = &model.weights.layers[0];
        let state: Vec<f32> = (0..hidden).map(|i| (i as f32 * 0.7).sin()).collect();
        let (query, narrow) = (apply(&layer.query, &state), axes.of_states(&layer.query, &all));
        for (got, expected) in apply(&narrow, &axes.coordinates(&state)).iter().zip(&query) {
            assert!((got - expected).abs() < 1e-4, "{got} for {expected}");
        }
        let output = axes.coordinates(&apply(&layer.attention_output, &state));
        for (got, expected) in apply(&axes.to_states(&layer.attention_output, &all), &state).iter().zip(&output) {
            assert!((got - expected).abs() < 1e-4, "{got} for {expected}");
        }
    }

    #[test]
    fn a_narrow_model_runs_and_keeps_whole_heads() {
        let model = fixture::checkpoint(42);
        let head_width = model.config.hidden / model.config.heads;
        let texts = ["the council voted", "they won the plan", "the plan"];
        let narrow = narrowed(&model, texts.into_iter(), head_width).unwrap();
        assert_eq!((narrow.config.hidden, narrow.config.heads), (head_width, 1));
        assert_ne!(logits(&narrow, "the plan"), logits(&narrow, "they won"));
        for hidden in [0, head_width - 1, 2 * model.config.hidden] {
            let refused = narrowed(&model, texts.into_iter(), hidden).unwrap_err();
            assert!(matches!(refused, TrainError::InvalidSetting { name: "hidden", .. }), "{hidden}: {refused}");
        }
    }
}
