//! The encoder as its definition reads, in f64 on `ndarray`'s products: slow, plain, and with no line of the engine in it.

use super::super::{EncoderConfig, EncoderWeights, LayerNorm, Linear, Matrix};
use ndarray::{Array1, Array2, ArrayView1, Axis, s};

fn matrix(matrix: &Matrix) -> Array2<f64> {
    let shape = (matrix.rows(), matrix.cols());
    match matrix {
        Matrix::F32 { data, .. } => Array2::from_shape_fn(shape, |(row, col)| f64::from(data[row * shape.1 + col])),
        Matrix::I8 { data, scales, .. } => {
            Array2::from_shape_fn(shape, |(row, col)| f64::from(data[row * shape.1 + col]) * f64::from(scales[row]))
        }
    }
}

fn vector(values: &[f32]) -> Array1<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// `input · weightᵀ + bias` of `[tokens, in]`.
fn linear(layer: &Linear, input: &Array2<f64>) -> Array2<f64> {
    input.dot(&matrix(&layer.weight).t()) + vector(&layer.bias)
}

fn norm(layer: &LayerNorm, epsilon: f32, input: &Array2<f64>) -> Array2<f64> {
    let normal = |row: ArrayView1<'_, f64>| {
        let mean = row.mean().expect("a row is not empty");
        (&row - mean) / (row.var(0.0) + f64::from(epsilon)).sqrt()
    };
    let mut output = input.clone();
    for (mut to, row) in output.outer_iter_mut().zip(input.outer_iter()) {
        to.assign(&normal(row));
    }
    output * vector(&layer.weight) + vector(&layer.bias)
}

/// erf by its Maclaurin series, which converges for every argument that occurs here.
fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    sum * 2.0 / std::f64::consts::PI.sqrt()
}

/// MPNet's bucket of a key `distance` tokens after its query.
fn bucket(distance: i64, buckets: usize) -> usize {
    let (half, exact) = (buckets / 2, buckets / 4);
    let far = distance.unsigned_abs() as f64;
    let shared = exact as f64 + (far / exact as f64).log(128.0 / exact as f64) * (half - exact) as f64;
    let within = if far < exact as f64 { far as usize } else { (shared as usize).min(half - 1) };
    if distance > 0 { half + within } else { within }
}

fn attention(
    config: &EncoderConfig,
    distances: Option<&Matrix>,
    q: &Array2<f64>,
    k: &Array2<f64>,
    v: &Array2<f64>,
) -> Array2<f64> {
    let width = config.hidden / config.heads;
    let mut output = Array2::zeros(q.dim());
    for head in 0..config.heads {
        let columns = s![.., head * width..(head + 1) * width];
        let mut scores = q.slice(columns).dot(&k.slice(columns).t()) / (width as f64).sqrt();
        if let Some(table) = distances {
            let biases = matrix(table);
            for ((query, key), score) in scores.indexed_iter_mut() {
                *score += biases[[bucket(key as i64 - query as i64, table.rows()), head]];
            }
        }
        let exponentials = scores.mapv(f64::exp);
        let sums = exponentials.sum_axis(Axis(1)).insert_axis(Axis(1));
        output.slice_mut(columns).assign(&(exponentials / sums).dot(&v.slice(columns)));
    }
    output
}

/// The last layer's vectors of one sequence, `[states, hidden]`.
pub fn encode(config: &EncoderConfig, weights: &EncoderWeights, ids: &[u32]) -> Vec<Vec<f64>> {
    let epsilon = config.layer_norm_eps;
    let ids: Vec<usize> = ids.iter().map(|&id| id as usize).collect();
    let words = matrix(&weights.word);
    let of_state = |ids: &[usize]| words.select(Axis(0), ids).sum_axis(Axis(0));
    // The first token, then the others by as many as share a state.
    let mut states = vec![of_state(&ids[..1])];
    states.extend(ids[1..].chunks(config.tokens_per_state).map(of_state));
    let views: Vec<_> = states.iter().map(|state| state.view()).collect();
    let embedded = ndarray::stack(Axis(0), &views).expect("states are equally wide")
        + matrix(&weights.position).slice(s![..states.len(), ..])
        + matrix(&weights.token_type).row(0);
    let mut x = norm(&weights.norm, epsilon, &embedded);
    for layer in &weights.layers {
        let (q, k, v) = (linear(&layer.query, &x), linear(&layer.key, &x), linear(&layer.value, &x));
        let attended = linear(&layer.attention_output, &attention(config, weights.distances.as_ref(), &q, &k, &v));
        x = norm(&layer.attention_norm, epsilon, &(attended + x));
        let gelu = |value: f64| value * 0.5 * (1.0 + erf(value / std::f64::consts::SQRT_2));
        let middle = linear(&layer.intermediate, &x).mapv(gelu);
        x = norm(&layer.output_norm, epsilon, &(linear(&layer.output, &middle) + x));
    }
    x.outer_iter().map(|row| row.to_vec()).collect()
}
