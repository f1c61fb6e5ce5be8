//! Files of comments in YAML, and in JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|source: &[u8]| {
    copydesk_fuzz::read_objects("in.yml", source);
    copydesk_fuzz::read("in.json", true, "", source);
});
