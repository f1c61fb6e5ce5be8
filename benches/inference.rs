//! The encoder alone: tokens per second over sequence length and on the mixed lengths of real pages, on one thread and on
//! all, in int8 and in f32. Paragraphs per second are tokens per second divided by the length; the mean length of the mixture
//! is printed first.
//!
//! `cargo bench --bench inference`

use copydesk::advanced::Precision;
use copydesk::internals::Encoder;
use copydesk::internals::MICRO_BATCH_TOKENS;
use copydesk::internals::sample_texts;
use copydesk::internals::{Checkpoint, Classifier};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Sequences packed for one call of the encoder.
struct Batch {
    ids: Vec<u32>,
    cu_seqlens: Vec<u32>,
}

impl Batch {
    /// The time does not depend on which words they are, only on how many and how far apart in the table.
    fn new(lengths: &[usize]) -> Batch {
        let total: usize = lengths.iter().sum();
        let ids = (0..total).map(|index| 1000 + (index * 7919 % 28_000) as u32).collect();
        let mut cu_seqlens = vec![0];
        cu_seqlens.extend(lengths.iter().scan(0, |end, &length| {
            *end += length as u32;
            Some(*end)
        }));
        Batch { ids, cu_seqlens }
    }

    /// Consecutive sequences together while they fit into a micro-batch.
    fn split(lengths: &[usize]) -> Vec<Batch> {
        let mut batches = Vec::new();
        let mut rest = lengths;
        while !rest.is_empty() {
            let mut tokens = 0;
            let fit = rest.iter().take_while(|&&length| {
                tokens += length;
                tokens <= MICRO_BATCH_TOKENS
            });
            let (batch, others) = rest.split_at(fit.count().max(1));
            batches.push(Batch::new(batch));
            rest = others;
        }
        batches
    }
}

/// Lengths of real pages' paragraphs in tokens, between `[CLS]` and `[SEP]`; English has about 1.25 tokens per word.
fn mixed_lengths() -> Vec<usize> {
    let words = sample_texts().into_iter().take(200).map(|text| text.split(' ').count());
    words.map(|words| (words * 5 / 4 + 2).min(256)).collect()
}

/// Every thread encodes all batches, with nothing shared but the weights.
fn encode(encoder: &Encoder, batches: &[Batch], threads: usize) {
    let run = || {
        let mut workspace = encoder.workspace();
        let mut out = Vec::new();
        for Batch { ids, cu_seqlens } in batches {
            out.resize((cu_seqlens.len() - 1) * encoder.config().hidden, 0.0);
            encoder.encode(ids, cu_seqlens, &mut workspace, &mut out).expect("a batch of the encoder's sizes");
        }
    };
    std::thread::scope(|scope| {
        (1..threads).for_each(|_| drop(scope.spawn(run)));
        run();
    });
}

fn encoder(criterion: &mut Criterion) {
    let mixed = mixed_lengths();
    let total: usize = mixed.iter().sum();
    println!("mixed: {} paragraphs of {:.1} tokens in the mean", mixed.len(), total as f64 / mixed.len() as f64);
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let mut thread_counts = vec![1, cores];
    thread_counts.dedup();
    for precision in [Precision::Int8, Precision::F32] {
        let checkpoint = Checkpoint::embedded().expect("the embedded model");
        let classifier = Classifier::from_checkpoint(checkpoint, precision).expect("the embedded model");
        let encoder = classifier.encoder().bert().expect("the embedded model has BERT's layers");
        for &threads in &thread_counts {
            let mut group = criterion.benchmark_group(format!("encoder/{precision}/{threads} threads"));
            group.sample_size(10);
            for length in [16, 32, 64, 128, 256, 512] {
                let batches = [Batch::new(&vec![length; MICRO_BATCH_TOKENS / length])];
                group.throughput(Throughput::Elements((threads * batches[0].ids.len()) as u64));
                group.bench_function(BenchmarkId::from_parameter(length), |bencher| {
                    bencher.iter(|| encode(encoder, &batches, threads));
                });
            }
            let batches = Batch::split(&mixed);
            group.throughput(Throughput::Elements((threads * total) as u64));
            group.bench_function("mixed", |bencher| bencher.iter(|| encode(encoder, &batches, threads)));
            group.finish();
        }
    }
}

criterion_group!(benches, encoder);
criterion_main!(benches);
