//! `config.json` beside the other files of tiny models.
#![no_main]

use copydesk::internals::try_model;

macro_rules! file {
    ($family:literal, $name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/architectures/", $family, "/", $name))
    };
}

libfuzzer_sys::fuzz_target!(|config: &[u8]| {
    let _ = try_model(config, file!("roberta", "tokenizer.json"), file!("roberta", "model.safetensors"));
    let _ = try_model(config, file!("deberta-v3", "tokenizer.json"), file!("deberta-v3", "model.safetensors"));
    let _ = try_model(config, file!("modernbert", "tokenizer.json"), file!("modernbert", "model.safetensors"));
});
