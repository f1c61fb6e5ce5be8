//! `model.safetensors` beside the other files of a tiny model.
#![no_main]

const CONFIG: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/architectures/modernbert/config.json"));
const TOKENIZER: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/architectures/modernbert/tokenizer.json"));

libfuzzer_sys::fuzz_target!(|weights: &[u8]| {
    let _ = copydesk::internals::try_model(CONFIG, TOKENIZER, weights);
});
