//! The encoder's matrix products, per shape and instruction set. Throughput is in multiply-adds per second; the machine's ceiling is
//! printed first, in the same unit.

use copydesk::advanced::{InstructionSet, Precision};
use copydesk::internals::{
    Dispatched, Finish, LANES, Lanes, LinearF32, LinearI8, PackedF32, PackedI8, RowScale, Simd, dispatch, flatten,
    operations_per_second,
};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::time::Duration;

/// Rows, inputs, outputs, and whether GELU follows.
const SHAPES: [(usize, usize, usize, bool); 4] =
    [(192, 384, 384, false), (192, 384, 768, false), (96, 384, 1536, true), (96, 1536, 384, false)];

fn finish(gelu: bool, to: &mut [Lanes]) -> Finish<'_> {
    if gelu { Finish::Gelu(to) } else { Finish::Store(to) }
}

struct Shape<'a, 'b> {
    group: &'a mut BenchmarkGroup<'b, WallTime>,
    id: BenchmarkId,
    precision: Precision,
    shape: (usize, usize, usize, bool),
}

impl Dispatched for Shape<'_, '_> {
    type Output = ();

    fn run<S: Simd>(self, s: S) {
        let (rows, inputs, outputs, gelu) = self.shape;
        let mut to = vec![Lanes::ZERO; rows * outputs / LANES];
        match self.precision {
            Precision::Int8 => {
                let mut weights = PackedI8::zero(outputs, inputs);
                for column in 0..outputs {
                    let row: Vec<i8> = (0..inputs).map(|k| ((k * 7 + column * 13) % 255) as u8 as i8).collect();
                    weights.set_column(S::PANEL, column, &row, 1e-4, 0.1);
                }
                let input: Vec<[u8; 4]> = (0..rows * inputs / 4).map(|index| [(index % 256) as u8; 4]).collect();
                let scales = vec![RowScale { scale: 1e-2, offset: 3.0 }; rows];
                self.group.bench_function(self.id, |bencher| {
                    bencher.iter(|| {
                        let finish = finish(gelu, &mut to);
                        LinearI8 { weights: &weights, input: &input, scales: &scales, rows, finish }.run(s);
                    });
                });
            }
            Precision::F32 => {
                let mut weights = PackedF32::zero(outputs, inputs);
                for column in 0..outputs {
                    let row: Vec<f32> = (0..inputs).map(|k| ((k * 7 + column * 13) % 255) as f32 * 1e-3).collect();
                    weights.set_column(S::PANEL, column, &row, 0.1);
                }
                let input = vec![Lanes([0.5; LANES]); rows * inputs / LANES];
                self.group.bench_function(self.id, |bencher| {
                    bencher.iter(|| {
                        LinearF32 { weights: &weights, input: flatten(&input), rows, finish: finish(gelu, &mut to) }
                            .run(s)
                    });
                });
            }
        }
    }
}

fn kernels(criterion: &mut Criterion) {
    for isa in InstructionSet::available().filter(|&isa| isa != InstructionSet::Scalar) {
        for precision in [Precision::Int8, Precision::F32] {
            let (Some(token), Some(ceiling)) =
                (isa.token(), operations_per_second(isa, precision, Duration::from_millis(200)))
            else {
                continue;
            };
            println!("{isa} {precision}: ceiling {:.1} G multiply-adds/s", ceiling / 2e9);
            let mut group = criterion.benchmark_group(format!("linear/{isa}/{precision}"));
            group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1)).sample_size(20);
            for shape in SHAPES {
                let (rows, inputs, outputs, gelu) = shape;
                group.throughput(Throughput::Elements((rows * inputs * outputs) as u64));
                let id = BenchmarkId::from_parameter(format!(
                    "{rows}x{inputs}x{outputs}{}",
                    if gelu { "+gelu" } else { "" }
                ));
                dispatch(token, Shape { group: &mut group, id, precision, shape });
            }
            group.finish();
        }
    }
}

criterion_group!(benches, kernels);
criterion_main!(benches);
