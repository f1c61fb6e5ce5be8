//! Every instruction set against the scalar reference, and the reference against f64.

use super::gemm_f32::{GemmF32, Layout, PackedF32, StoreF32};
use super::gemm_i8::{GROUP, GemmI8, HIGHEST, MIDDLE, PackedI8, StoreI32, fit_pairs, fits_pairs};
use super::isa::{Dispatched, InstructionSet, dispatch};
use super::lanes::{LANES, Lanes, WeightGroup, flatten};
use super::rows::{FinishRows, Norm, Quantised, RowScale};
use super::{Kernel, Simd, math};
use crate::random::SplitMix64;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Numbers without a pattern that repeats within a test.
fn noise(index: usize) -> u64 {
    SplitMix64::new(index as u64).next_u64()
}

fn float(index: usize) -> f32 {
    (noise(index) % 20_001) as f32 / 10_000.0 - 1.0
}

/// A function over vectors, applied to a slice.
trait Map: Copy {
    fn map<S: Simd>(self, s: S, x: S::F32) -> S::F32;
}

struct Apply<'a, M>(M, &'a mut [Lanes]);

impl<M: Map> Kernel for Apply<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for lanes in self.1 {
            s.store(self.0.map(s, s.load(lanes)), lanes);
        }
    }
}

impl<M: Map> Dispatched for Apply<'_, M> {
    type Output = ();

    fn run<S: Simd>(self, s: S) {
        s.vectorize(self);
    }
}

macro_rules! map {
    ($name:ident, $function:path) => {
        #[derive(Clone, Copy)]
        struct $name;

        impl Map for $name {
            #[inline(always)]
            fn map<S: Simd>(self, s: S, x: S::F32) -> S::F32 {
                $function(s, x)
            }
        }
    };
}
map!(Exp2, math::exp2);
map!(Exp2Short, math::exp2_short);
map!(Gelu, math::gelu);
map!(GeluShort, math::gelu_short);

/// Values of a function on every instruction set, which must agree bit by bit, on `from..=to` in `steps` steps.
fn values<M: Map>(map: M, from: f32, to: f32, steps: usize) -> Vec<(f32, f32)> {
    let grid: Vec<f32> = (0..=steps).map(|step| from + (to - from) * (step as f32 / steps as f32)).collect();
    let input: Vec<Lanes> = grid
        .chunks(LANES)
        .map(|chunk| Lanes(std::array::from_fn(|lane| chunk.get(lane).copied().unwrap_or_default())))
        .collect();
    let run = |isa: InstructionSet| {
        let mut lanes = input.clone();
        dispatch(isa.token().unwrap(), Apply(map, &mut lanes));
        lanes
    };
    let expected = run(InstructionSet::Scalar);
    for isa in InstructionSet::available() {
        assert!(run(isa) == expected, "{isa}");
    }
    grid.into_iter().zip(flatten(&expected).iter().copied()).collect()
}

/// `Φ(x) x` by the continued fraction of erfc beyond 3 and the series within: f64 precision everywhere.
fn exact_gelu(x: f64) -> f64 {
    let z = x.abs() / std::f64::consts::SQRT_2;
    let tail = if z < 2.5 {
        let (mut term, mut sum) = (z, z);
        for n in 1..120 {
            term *= -z * z / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        0.5 - sum / std::f64::consts::PI.sqrt()
    } else {
        let mut fraction = 0.0;
        for n in (1..=120).rev() {
            fraction = f64::from(n) / 2.0 / (z + fraction);
        }
        0.5 * (-z * z).exp() / std::f64::consts::PI.sqrt() / (z + fraction)
    };
    if x > 0.0 { x * (1.0 - tail) } else { x * tail }
}

#[test]
fn exp2_keeps_its_bounds() {
    let worst = |values: Vec<(f32, f32)>| {
        let relative = |(x, y): (f32, f32)| (f64::from(y) / f64::from(x).exp2() - 1.0).abs();
        values.into_iter().map(relative).fold(0.0, f64::max)
    };
    assert!(worst(values(Exp2, -125.0, 0.0, 200_000)) < 3e-7);
    assert!(worst(values(Exp2Short, -125.0, 0.0, 200_000)) < 8e-5);
    assert!(values(Exp2, -1e9, -127.0, 100).iter().all(|&(_, y)| (0.0..=2.4e-38).contains(&y)));
    assert_eq!(values(Exp2, 0.0, 0.0, 1)[0].1, 1.000_000_1);
}

#[test]
fn gelu_keeps_its_bounds() {
    let worst = |values: Vec<(f32, f32)>| {
        values.into_iter().map(|(x, y)| (f64::from(y) - exact_gelu(f64::from(x))).abs()).fold(0.0, f64::max)
    };
    assert!(worst(values(Gelu, -16.0, 16.0, 200_000)) < 2e-6);
    assert!(worst(values(GeluShort, -16.0, 16.0, 200_000)) < 6e-4);
    for (x, y) in values(Gelu, 16.0, 1e6, 1000) {
        assert!((f64::from(y) - exact_gelu(f64::from(x))).abs() < 1.5e-7 * f64::from(x));
    }
    assert_eq!(values(Gelu, 0.0, 0.0, 1)[0].1, 0.0);
}

struct KeepF32<'a>(&'a mut Vec<Lanes>, usize);

impl StoreF32 for KeepF32<'_> {
    #[inline(always)]
    fn store<S: Simd>(&mut self, s: S, row: usize, block: usize, sum: S::F32) {
        s.store(sum, &mut self.0[row * self.1 + block]);
    }
}

struct KeepI32<'a>(&'a mut Vec<[i32; LANES]>, usize);

impl StoreI32 for KeepI32<'_> {
    #[inline(always)]
    fn store<S: Simd>(&mut self, s: S, row: usize, block: usize, sum: S::I32) {
        s.store_i32(sum, &mut self.0[row * self.1 + block]);
    }
}

struct RunF32<'a, 'b>(GemmF32<'a>, KeepF32<'b>);

impl Kernel for RunF32<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        self.0.run(s, &mut self.1);
    }
}

struct RunI8<'a, 'b>(GemmI8<'a>, KeepI32<'b>);

impl Kernel for RunI8<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        self.0.run(s, &mut self.1);
    }
}

/// A product with packed weights and with weights in rows; both must be sums in the order of `k`.
struct CheckF32 {
    rows: usize,
    depth: usize,
    blocks: usize,
}

impl Dispatched for CheckF32 {
    type Output = ();

    fn run<S: Simd>(self, s: S) {
        let CheckF32 { rows, depth, blocks } = self;
        let columns = blocks * LANES;
        let left: Vec<f32> = (0..rows * depth).map(float).collect();
        let right: Vec<f32> = (0..depth * columns).map(|index| float(index + 1_000_000)).collect();
        let mut packed = PackedF32::zero(columns, depth);
        for column in 0..columns {
            let row: Vec<f32> = (0..depth).map(|k| right[k * columns + column]).collect();
            packed.set_column(S::PANEL, column, &row, 0.0);
        }
        let lines: Vec<Lanes> = right.as_chunks().0.iter().map(|&lanes| Lanes(lanes)).collect();
        let in_rows =
            GemmF32 { right: &lines, layout: Layout::Rows { stride: blocks }, ..packed.product(&left, depth, rows) };
        for gemm in [packed.product(&left, depth, rows), in_rows] {
            let mut got = vec![Lanes::ZERO; rows * blocks];
            s.vectorize(RunF32(gemm, KeepF32(&mut got, blocks)));
            for (index, &got) in flatten(&got).iter().enumerate() {
                let (row, column) = (index / columns, index % columns);
                let term = |sum: f32, k: usize| left[row * depth + k].mul_add(right[k * columns + column], sum);
                assert_eq!(got, (0..depth).fold(0.0, term), "{rows} {depth} {blocks}");
            }
        }
    }
}

/// The largest magnitudes that occur, zeros, and noise.
struct CheckI8 {
    rows: usize,
    groups: usize,
    blocks: usize,
    activation: fn(usize) -> u8,
    weight: fn(usize) -> i8,
}

impl Dispatched for CheckI8 {
    type Output = ();

    fn run<S: Simd>(self, s: S) {
        let CheckI8 { rows, groups, blocks, activation, weight } = self;
        let (columns, depth) = (blocks * LANES, groups * GROUP);
        let activations: Vec<u8> = (0..rows * depth).map(activation).collect();
        let mut packed = PackedI8::zero(columns, depth);
        let weights: Vec<Vec<i8>> = (0..columns).map(|c| (0..depth).map(|k| weight(c * depth + k)).collect()).collect();
        for (column, row) in weights.iter().enumerate() {
            packed.set_column(S::PANEL, column, row, 1.0, 0.0);
        }
        let mut got = vec![[0; LANES]; rows * blocks];
        s.vectorize(RunI8(packed.product(activations.as_chunks().0, rows), KeepI32(&mut got, blocks)));
        for (index, &got) in got.as_flattened().iter().enumerate() {
            let (row, column) = (index / columns, index % columns);
            let term = |k: usize| (i32::from(activations[row * depth + k]) - MIDDLE) * i32::from(weights[column][k]);
            assert_eq!(got, (0..depth).map(term).sum::<i32>(), "{rows} {groups} {blocks}");
        }
    }
}

#[test]
fn f32_products_are_sums_in_order() {
    for isa in InstructionSet::available() {
        for (rows, depth, blocks) in [(1, 1, 1), (5, 7, 2), (6, 16, 3), (7, 33, 4), (13, 20, 5), (1, 64, 9), (0, 4, 1)]
        {
            dispatch(isa.token().unwrap(), CheckF32 { rows, depth, blocks });
        }
    }
}

/// Products whose sizes come out small where multiplications wrap.
struct CheckWrapping;

impl Dispatched for CheckWrapping {
    type Output = ();

    fn run<S: Simd>(self, s: S) {
        let half = 1 << (usize::BITS - 1);
        let (left, right) = ([1.0; 64], [Lanes::ZERO; 8]);
        let f32 = GemmF32 {
            left: &left,
            stride: 4,
            rows: 2,
            depth: 4,
            right: &right,
            layout: Layout::Rows { stride: 1 },
            blocks: 1,
        };
        let (activations, weights, start) = ([[0; GROUP]; 64], [WeightGroup::ZERO; 8], [[0; LANES]; 2]);
        let i8 = GemmI8 {
            activations: &activations,
            stride: 1,
            rows: 2,
            groups: 1,
            weights: &weights,
            start: &start,
            pairs: false,
        };
        let f32_panics = |name: &str, gemm: GemmF32<'_>| {
            let mut to = vec![Lanes::ZERO; 16];
            let run = AssertUnwindSafe(|| s.vectorize(RunF32(gemm, KeepF32(&mut to, 1))));
            assert!(catch_unwind(run).is_err(), "{name}");
        };
        f32_panics("left stride", GemmF32 { rows: 3, stride: half, ..f32 });
        f32_panics("left depth", GemmF32 { stride: 1, depth: usize::MAX, ..f32 });
        f32_panics("right stride", GemmF32 { depth: 3, layout: Layout::Rows { stride: half }, ..f32 });
        f32_panics("right panels", GemmF32 { rows: 1, depth: 4, blocks: half / 2, layout: Layout::Panels, ..f32 });
        let i8_panics = |name: &str, gemm: GemmI8<'_>| {
            let mut to = vec![[0; LANES]; 16];
            let run = AssertUnwindSafe(|| s.vectorize(RunI8(gemm, KeepI32(&mut to, 2))));
            assert!(catch_unwind(run).is_err(), "{name}");
        };
        i8_panics("activation stride", GemmI8 { rows: 3, stride: half, ..i8 });
        i8_panics("weights", GemmI8 { rows: 1, groups: half, ..i8 });
    }
}

#[test]
fn sizes_that_would_wrap_are_refused() {
    for isa in InstructionSet::available() {
        dispatch(isa.token().unwrap(), CheckWrapping);
    }
}

/// Rows, groups and vectors of columns; the last fill tile registers, exactly or not.
const SHAPES_I8: [(usize, usize, usize); 12] = [
    (1, 1, 1),
    (5, 3, 2),
    (6, 4, 3),
    (7, 9, 4),
    (13, 5, 6),
    (2, 384, 1),
    (15, 16, 2),
    (16, 16, 1),
    (17, 16, 3),
    (33, 32, 5),
    (48, 16, 4),
    (64, 48, 6),
];

#[test]
fn int8_products_are_exact() {
    let activations: [fn(usize) -> u8; 4] =
        [|i| noise(i) as u8 & HIGHEST, |_| HIGHEST, |_| 0, |i| if i % 3 == 0 { HIGHEST } else { 0 }];
    let weights: [fn(usize) -> i8; 7] = [
        |i| (noise(i + 77) % 255) as i8 | 1,
        |_| 127,
        |_| -127,
        |i| if i % 2 == 0 { 127 } else { -127 },
        // These fit pairs, two of them with nothing to spare.
        |i| [127, 2, -127, -2][i % 4],
        |i| if i % 3 == 0 { -64 } else { 64 },
        |i| ((noise(i + 78) % 129) as i16 - 64) as i8,
    ];
    for isa in InstructionSet::available() {
        for activation in activations {
            for weight in weights {
                for (rows, groups, blocks) in SHAPES_I8 {
                    let check = CheckI8 { rows, groups, blocks, activation, weight };
                    dispatch(isa.token().unwrap(), check);
                }
            }
        }
    }
}

#[test]
fn columns_are_made_to_fit_pairs_by_the_finest_step_that_does() {
    for seed in 0..200 {
        let largest = 1 + noise(seed) % 127;
        let weight = |k: usize| (noise(1000 * seed + k) % (2 * largest + 1)) as i64 - largest as i64;
        let column: Vec<i8> = (0..3 + seed % 40).map(|k| weight(k) as i8).collect();
        let mut fitted = column.clone();
        let coarser = fit_pairs(&mut fitted);
        assert!(fits_pairs(&fitted), "{column:?}");
        assert_eq!(fits_pairs(&column), coarser == 1.0, "{column:?}");
        for (&weight, &fitted) in column.iter().zip(&fitted) {
            assert!((f32::from(weight) - f32::from(fitted) * coarser).abs() <= 0.5001 * coarser, "{column:?}");
        }
    }
    let mut largest = [127; 16];
    assert_eq!((fit_pairs(&mut largest), largest), (508.0 / 256.0, [64; 16]));
    let mut lone = [127, 127, 127, 127, 2, 2, 2, 2];
    assert_eq!((fit_pairs(&mut lone), lone), (1.0, [127, 127, 127, 127, 2, 2, 2, 2]));
}

struct Finish<'a>(FinishRows<'a>);

impl Dispatched for Finish<'_> {
    type Output = ();

    fn run<S: Simd>(self, s: S) {
        s.vectorize(self.0);
    }
}

#[test]
fn layer_norm_and_quantisation_follow_f64() {
    for width in [1usize, 5, 16, 17, 48, 312] {
        let blocks = width.div_ceil(LANES);
        let padded = |value: &dyn Fn(usize) -> f32| -> Vec<Lanes> {
            let lane = |index: usize| if index < width { value(index) } else { 0.0 };
            (0..blocks).map(|b| Lanes(std::array::from_fn(|l| lane(b * LANES + l)))).collect()
        };
        let norm = Norm {
            weight: padded(&|i| 1.0 + 0.2 * float(i)),
            bias: padded(&|i| 0.3 * float(i + 500)),
            width,
            epsilon: 1e-6,
        };
        let input = padded(&|i| 4.0 * float(i + 900) + 2.0);
        let run = |isa: InstructionSet| {
            let (mut rows, mut values) = (input.clone(), vec![[9; LANES]; blocks]);
            let mut scales = [RowScale::default()];
            let quantised = Some(Quantised { values: &mut values, scales: &mut scales });
            let rows_ref = FinishRows { rows: &mut rows, blocks, norm: Some(&norm), quantised };
            dispatch(isa.token().unwrap(), Finish(rows_ref));
            (rows, values, scales[0])
        };
        let (rows, steps, scale) = run(InstructionSet::Scalar);
        for isa in InstructionSet::available() {
            assert!(run(isa) == (rows.clone(), steps.clone(), scale), "{isa} {width}");
        }
        let x: Vec<f64> = flatten(&input)[..width].iter().map(|&x| f64::from(x)).collect();
        let mean = x.iter().sum::<f64>() / width as f64;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width as f64;
        for (index, (&got, &step)) in flatten(&rows).iter().zip(steps.as_flattened()).enumerate() {
            if index >= width {
                assert_eq!(got, 0.0, "padding stays zero");
                continue;
            }
            let normal = (x[index] - mean) / (variance + 1e-6).sqrt();
            let weight = f64::from(flatten(&norm.weight)[index]);
            let expected = normal * weight + f64::from(flatten(&norm.bias)[index]);
            assert!((f64::from(got) - expected).abs() < 1e-5, "{width}: {got} {expected}");
            let back = (f32::from(step) - MIDDLE as f32 - scale.offset) * scale.scale;
            assert!((back - got).abs() <= 0.501 * scale.scale, "{width}: {back} {got}");
        }
    }
}

#[test]
fn rows_of_zeros_quantise_to_zeros() {
    for isa in InstructionSet::available() {
        let (mut rows, mut values) = (vec![Lanes::ZERO; 3], vec![[9; LANES]; 3]);
        let mut scales = [RowScale { scale: 5.0, offset: 5.0 }];
        let quantised = Some(Quantised { values: &mut values, scales: &mut scales });
        dispatch(isa.token().unwrap(), Finish(FinishRows { rows: &mut rows, blocks: 3, norm: None, quantised }));
        assert_eq!((values, scales[0]), (vec![[0; LANES]; 3], RowScale { scale: 0.0, offset: 0.0 }));
    }
}

/// Small operations that the larger tests reach only with ordinary values.
struct CheckLanes;

impl Kernel for CheckLanes {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let lanes = Lanes(std::array::from_fn(|lane| float(lane + 3) * 100.0));
        let mut out = Lanes::ZERO;
        for count in 0..=LANES + 1 {
            s.store(s.keep_first(s.load(&lanes), count, -7.5), &mut out);
            let expected = std::array::from_fn(|lane| if lane < count { lanes.0[lane] } else { -7.5 });
            assert_eq!(out.0, expected);
        }
        assert_eq!(s.max_lane(s.load(&lanes)), lanes.0.iter().copied().fold(f32::MIN, f32::max));
        assert_eq!(s.min_lane(s.load(&lanes)), lanes.0.iter().copied().fold(f32::MAX, f32::min));
        let halves = Lanes(std::array::from_fn(|lane| lane as f32 - 7.5));
        let mut rounded = [0; LANES];
        s.store_i32(s.to_i32(s.load(&halves)), &mut rounded);
        assert_eq!(rounded, halves.0.map(|value| value.round_ties_even() as i32));
        assert_eq!(s.sum_i32(s.load_i32(&rounded)), rounded.iter().sum::<i32>());
        let steps: [[i32; LANES]; 4] =
            std::array::from_fn(|row| std::array::from_fn(|lane| (noise(row * LANES + lane) % 255) as i32 - 127));
        let mut group = WeightGroup::ZERO;
        s.interleave(steps.map(|row| s.load_i32(&row)), &mut group);
        assert_eq!(group.0, std::array::from_fn(|index| steps[index % 4][index / 4] as i8));
        let mut bytes = [0i8; LANES];
        s.store_i8(s.load_i32(&steps[0]), &mut bytes);
        assert_eq!(bytes, steps[0].map(|value| value as i8));
        s.store(s.load_i8(&bytes), &mut out);
        assert_eq!(out.0, bytes.map(f32::from));
        let mut unsigned = [0u8; LANES];
        let shifted = s.add_i32(s.load_i32(&steps[0]), s.splat_i32(128));
        s.store_u8(shifted, &mut unsigned);
        assert_eq!(unsigned, steps[0].map(|value| (value + 128) as u8));
    }
}

impl Dispatched for CheckLanes {
    type Output = ();

    fn run<S: Simd>(self, s: S) {
        s.vectorize(self);
    }
}

#[test]
fn lane_operations_follow_their_definitions() {
    for isa in InstructionSet::available() {
        dispatch(isa.token().unwrap(), CheckLanes);
    }
}

/// Every source file of the library with its path from `src/`.
fn sources() -> Vec<(String, String)> {
    fn collect(folder: &Path, root: &Path, into: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, root, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                into.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    files
}

#[test]
fn unsafe_code_stands_in_the_kernels_alone() {
    // The command runs one function before the runtime starts, which Rust calls unsafe by its attribute alone.
    let allowed =
        |name: &str| name.starts_with("engine/kernels/") || name == "train/kernels/matmul.rs" || name == "main.rs";
    let uses = |line: &&str| {
        let code = line.split("//").next().unwrap_or_default();
        !code.contains('"') && code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe")
    };
    let allows = |text: &str| text.contains(concat!("allow(", "unsafe_code)"));
    let mut kernels = 0;
    for (name, text) in sources() {
        if allowed(&name) {
            kernels += text.lines().filter(uses).count();
        } else {
            assert_eq!(text.lines().find(uses), None, "{name}");
            assert!(!allows(&text), "{name}");
        }
    }
    assert!(kernels > 0, "the search finds no unsafe code at all");
}
