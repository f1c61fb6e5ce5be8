//! The rivals written in Rust behind the line protocol of `copydesk bench --protocol`:
//! `rivals {rten-int8|candle-f32} --mode {1|2|2s} --models DIR --workload FILE`, with DIR as `build.py` wrote it.

use anyhow::{Context, Result, bail};
use candle_core::{DType, Device, Tensor};
use candle_nn::{Linear, Module, VarBuilder};
use candle_transformers::models::bert::BertModel;
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use serde::Deserialize;
use serde_json::json;
use std::collections::VecDeque;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokenizers::{Tokenizer, TruncationParams};

/// Tokens of a text with `[CLS]` and `[SEP]`; longer ones are cut, by every engine.
const LONGEST: usize = 256;

/// A padded batch: ids and mask `[rows, tokens]`.
struct Batch {
    rows: usize,
    tokens: usize,
    ids: Vec<u32>,
    mask: Vec<u32>,
}

trait Engine: Sync {
    /// Logits `[rows, 5]`.
    fn run(&self, stream: usize, batch: Batch) -> Result<Vec<f32>>;
}

struct Rten {
    model: rten::Model,
    inputs: [rten::NodeId; 2],
    output: rten::NodeId,
    pools: Vec<Arc<rten::ThreadPool>>,
}

impl Rten {
    fn load(path: &Path, streams: usize, threads: usize) -> Result<Rten> {
        let model = rten::ModelOptions::with_all_ops().prepack_weights(true).load_file(path)?;
        let inputs = [model.node_id("ids")?, model.node_id("mask")?];
        let output = model.node_id("logits")?;
        let pools = (0..streams).map(|_| Arc::new(rten::ThreadPool::with_num_threads(threads))).collect();
        Ok(Rten { model, inputs, output, pools })
    }
}

impl Engine for Rten {
    fn run(&self, stream: usize, batch: Batch) -> Result<Vec<f32>> {
        let tensor = |values: Vec<u32>| {
            NdTensor::from_data(
                [batch.rows, batch.tokens],
                values.into_iter().map(|value| value as i32).collect::<Vec<_>>(),
            )
        };
        let (ids, mask) = (tensor(batch.ids), tensor(batch.mask));
        let options = rten::RunOptions::default().with_thread_pool(Some(self.pools[stream].clone()));
        let inputs = vec![(self.inputs[0], ids.into()), (self.inputs[1], mask.into())];
        let [logits] = self.model.run_n(inputs, [self.output], Some(options))?;
        let logits: NdTensor<f32, 2> = logits.try_into()?;
        Ok(logits.to_vec())
    }
}

struct Candle {
    encoder: BertModel,
    head: Linear,
}

impl Candle {
    fn load(folder: &Path) -> Result<Candle> {
        let config = serde_json::from_str(&std::fs::read_to_string(folder.join("config.json"))?)?;
        let weights = std::fs::read(folder.join("model.safetensors"))?;
        let builder = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)?;
        let head = candle_nn::linear(384, 5, builder.pp("classifier"))?;
        Ok(Candle { encoder: BertModel::load(builder, &config)?, head })
    }
}

impl Engine for Candle {
    fn run(&self, _stream: usize, batch: Batch) -> Result<Vec<f32>> {
        let shape = (batch.rows, batch.tokens);
        let ids = Tensor::from_vec(batch.ids, shape, &Device::Cpu)?;
        let mask = Tensor::from_vec(batch.mask, shape, &Device::Cpu)?;
        let states = self.encoder.forward(&ids, &ids.zeros_like()?, Some(&mask))?;
        let first = states.narrow(1, 0, 1)?.squeeze(1)?.contiguous()?;
        Ok(self.head.forward(&first)?.flatten_all()?.to_vec1()?)
    }
}

#[derive(Deserialize)]
struct Request {
    batch: usize,
    order: String,
    text: u8,
    limit: Option<usize>,
    stride: Option<usize>,
    dump: Option<PathBuf>,
}

fn tokenise(tokenizer: &Tokenizer, texts: &[String]) -> Result<Vec<Vec<u32>>> {
    let encodings = tokenizer.encode_batch_fast(texts.to_vec(), true).map_err(anyhow::Error::msg)?;
    Ok(encodings.iter().map(|encoding| encoding.get_ids().to_vec()).collect())
}

fn pad(ids: &[Vec<u32>], batch: &[usize]) -> Batch {
    let tokens = batch.iter().map(|&index| ids[index].len()).max().unwrap_or(0);
    let mut padded = Batch { rows: batch.len(), tokens, ids: Vec::new(), mask: Vec::new() };
    for (row, &index) in batch.iter().enumerate() {
        padded.ids.extend_from_slice(&ids[index]);
        padded.ids.resize((row + 1) * tokens, 0);
        padded.mask.resize(row * tokens + ids[index].len(), 1);
        padded.mask.resize((row + 1) * tokens, 0);
    }
    padded
}

fn answer(
    engine: &dyn Engine,
    streams: usize,
    tokenizer: &Tokenizer,
    texts: &[String],
    known: &[Vec<u32>],
    request: &Request,
) -> Result<serde_json::Value> {
    let count = request.limit.filter(|&limit| limit > 0).unwrap_or(texts.len()).min(texts.len());
    let start = Instant::now();
    let fresh;
    let ids = match request.text {
        0 => &known[..count],
        _ => {
            fresh = tokenise(tokenizer, &texts[..count])?;
            &fresh
        }
    };
    let mut order: Vec<usize> = (0..count).collect();
    if request.order == "sorted" {
        order.sort_by_key(|&index| std::cmp::Reverse(ids[index].len()));
    }
    let batches = order.chunks(request.batch);
    let stride = request.stride.unwrap_or(1).max(1);
    let first = (stride / 2).min(batches.len().saturating_sub(1));
    let batches: VecDeque<&[usize]> = batches.skip(first).step_by(stride).collect();
    let encoded = Vec::from(batches.clone()).concat();
    let queue = Mutex::new(batches);
    let done = Mutex::new((vec![[0.0f32; 5]; count], 0));
    let stream = |number: usize| -> Result<()> {
        loop {
            let Some(batch) = queue.lock().expect("no stream panics").pop_front() else { return Ok(()) };
            let padded = pad(ids, batch);
            let tokens = padded.ids.len();
            let rows = engine.run(number, padded)?;
            let mut done = done.lock().expect("no stream panics");
            done.1 += tokens;
            for (&index, row) in batch.iter().zip(rows.as_chunks::<5>().0) {
                done.0[index] = *row;
            }
        }
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..streams).map(|number| scope.spawn(move || stream(number))).collect();
        stream(0)?;
        others.into_iter().try_for_each(|other| other.join().expect("no stream panics"))
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let (logits, padded) = done.into_inner().expect("no stream panics");
    if let Some(path) = &request.dump {
        std::fs::write(path, logits.iter().flatten().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())?;
    }
    let tokens: usize = encoded.iter().map(|&index| ids[index].len()).sum();
    Ok(json!({"secs": seconds, "n": encoded.len(), "tokens": tokens, "padded": padded}))
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, name, _, mode, _, models, _, workload] = arguments.as_slice() else {
        bail!("usage: rivals ENGINE --mode MODE --models DIR --workload FILE");
    };
    let (streams, threads) = match mode.as_str() {
        "1" => (1, 1),
        "2" => (1, 2),
        "2s" => (2, 1),
        _ => bail!("unknown mode {mode}"),
    };
    let models = Path::new(models);
    let engine: Box<dyn Engine> = match name.as_str() {
        "rten-int8" => Box::new(Rten::load(&models.join("plain_int8.onnx"), streams, threads)?),
        "candle-f32" => Box::new(Candle::load(&models.join("copydesk"))?),
        _ => bail!("unknown engine {name}"),
    };
    let mut tokenizer = Tokenizer::from_file(models.join("copydesk/tokenizer.json")).map_err(anyhow::Error::msg)?;
    let truncation = TruncationParams { max_length: LONGEST, ..TruncationParams::default() };
    tokenizer.with_padding(None).with_truncation(Some(truncation)).map_err(anyhow::Error::msg)?;
    let workload = std::fs::read_to_string(workload)?;
    let texts = workload
        .lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line)?;
            Ok(row["text"].as_str().context("a row without text")?.to_owned())
        })
        .collect::<Result<Vec<_>>>()?;
    let known = tokenise(&tokenizer, &texts)?;
    let say = |value: serde_json::Value| -> Result<()> {
        println!("{value}");
        Ok(std::io::stdout().flush()?)
    };
    say(json!({"ready": name}))?;
    for line in std::io::stdin().lock().lines() {
        let request = serde_json::from_str(&line?)?;
        say(answer(engine.as_ref(), streams, &tokenizer, &texts, &known, &request)?)?;
    }
    Ok(())
}
