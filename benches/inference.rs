//! Inference with the embedded model on one thread: paragraphs per second over length and on real mixed lengths, with
//! and without tokenisation. The texts are the project's own pages under `data/`.
//!
//! `cargo bench --bench inference`

use copydesk::model::Classifier;
use copydesk::text;
use copydesk::tokenizer::Tokenizer;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::path::Path;

/// Every paragraph of the sample pages, in the order of the files' names.
fn paragraphs() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/pages");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    files.sort();
    files
        .iter()
        .flat_map(|path| {
            let page = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            text::split(&page).into_iter().map(|paragraph| paragraph.text.into_owned()).collect::<Vec<_>>()
        })
        .collect()
}

fn tokenizer() -> Tokenizer {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/base/tokenizer.json");
    Tokenizer::from_file(&path).expect("the embedded model's tokenizer")
}

/// A text of exactly `tokens` WordPiece tokens, made of the sample pages' words.
fn text_of(tokens: usize, paragraphs: &[String], tokenizer: &Tokenizer) -> String {
    let mut text = String::new();
    for word in paragraphs.iter().flat_map(|paragraph| paragraph.split_whitespace()).cycle() {
        let longer = format!("{text} {word}");
        match tokenizer.encode(&longer).len() {
            len if len < tokens => text = longer,
            len if len == tokens => return longer,
            _ => {}
        }
    }
    unreachable!("the words repeat for ever")
}

fn by_length(criterion: &mut Criterion) {
    let classifier = Classifier::embedded().expect("the embedded model");
    let (paragraphs, tokenizer) = (paragraphs(), tokenizer());
    let mut group = criterion.benchmark_group("classify/tokens");
    group.sample_size(10);
    for tokens in [14, 30, 62, 126, 254] {
        let text = text_of(tokens, &paragraphs, &tokenizer);
        let batch = vec![text.as_str(); 512usize.div_ceil(tokens)];
        let mut session = classifier.session();
        group.throughput(Throughput::Elements((batch.len() * (tokens + 2)) as u64));
        group.bench_function(BenchmarkId::from_parameter(tokens + 2), |bencher| {
            bencher.iter(|| session.classify(&batch).expect("a classification"));
        });
    }
    group.finish();
}

fn mixed(criterion: &mut Criterion) {
    let classifier = Classifier::embedded().expect("the embedded model");
    let paragraphs = paragraphs();
    let texts: Vec<&str> = paragraphs.iter().map(String::as_str).collect();
    let mut session = classifier.session();
    let mut group = criterion.benchmark_group("pages");
    group.sample_size(10).throughput(Throughput::Elements(texts.len() as u64));
    group.bench_function("classify", |bencher| {
        bencher.iter(|| session.classify(&texts).expect("a classification"));
    });
    let tokenizer = tokenizer();
    group.bench_function("tokenise", |bencher| {
        bencher.iter(|| texts.iter().map(|text| tokenizer.encode(text).len()).sum::<usize>());
    });
    group.finish();
}

criterion_group!(benches, by_length, mixed);
criterion_main!(benches);
