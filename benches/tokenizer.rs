//! Tokenisation of the sample pages under `data/`, megabytes of text per second, beside the `tokenizers` crate, and the
//! time to load a vocabulary.
//!
//! `cargo bench --bench tokenizer`

use copydesk::advanced::Tokenizer;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::path::{Path, PathBuf};

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The lines of every sample page.
fn lines() -> Vec<String> {
    let folder = in_repository("data/pages");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    files.sort();
    files
        .iter()
        .flat_map(|path| String::from_utf8_lossy(&read(path)).lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// The reference as it is fastest for this purpose: no truncation, no padding, no offsets.
fn reference(json: &[u8]) -> tokenizers::Tokenizer {
    let mut reference = tokenizers::Tokenizer::from_bytes(json).expect("the embedded model's tokenizer");
    reference.with_truncation(None).expect("no truncation fits any model");
    reference.with_padding(None);
    reference.set_encode_special_tokens(true);
    reference
}

fn encode(criterion: &mut Criterion) {
    let json = read(&in_repository("models/base/tokenizer.json"));
    let ours = Tokenizer::from_bytes(&json).expect("the embedded model's tokenizer");
    let reference = reference(&json);
    let lines = lines();
    // The same words without a byte of ASCII but spaces, as Cyrillic texts are.
    let cyrillic: Vec<String> = lines
        .iter()
        .map(|line| {
            let shifted = |c: char| char::from_u32(c as u32 - u32::from('a') + 0x430).unwrap_or(c);
            line.chars().map(|c| if c.is_ascii_lowercase() { shifted(c) } else { c }).collect()
        })
        .collect();
    for (name, lines) in [("pages", &lines), ("cyrillic", &cyrillic)] {
        let mut group = criterion.benchmark_group(format!("encode/{name}"));
        group.throughput(Throughput::BytesDecimal(lines.iter().map(|line| line.len() as u64).sum()));
        let mut ids = Vec::new();
        group.bench_function("copydesk", |bencher| {
            bencher.iter(|| {
                ids.clear();
                lines.iter().for_each(|line| ours.encode_into(black_box(line), &mut ids));
                ids.len()
            });
        });
        group.sample_size(20);
        group.bench_function("tokenizers", |bencher| {
            bencher.iter(|| {
                let encode =
                    |line: &String| reference.encode_fast(black_box(line.as_str()), false).expect("plain text").len();
                lines.iter().map(encode).sum::<usize>()
            });
        });
        group.finish();
    }
}

fn load(criterion: &mut Criterion) {
    let json = read(&in_repository("models/base/tokenizer.json"));
    let mut group = criterion.benchmark_group("load");
    group.sample_size(20);
    group.bench_function("copydesk", |bencher| {
        bencher.iter(|| Tokenizer::from_bytes(black_box(&json)).expect("the embedded model's tokenizer"));
    });
    group.bench_function("tokenizers", |bencher| bencher.iter(|| reference(black_box(&json))));
    group.finish();
}

criterion_group!(benches, encode, load);
criterion_main!(benches);
