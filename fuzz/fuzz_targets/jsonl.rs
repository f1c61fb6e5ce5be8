//! JSON objects, named as such and recognised.
#![no_main]

libfuzzer_sys::fuzz_target!(|source: &[u8]| {
    copydesk_fuzz::read("in.jsonl", true, "", source);
    copydesk_fuzz::read("", true, "", source);
});
