//! Compressed data of every kind, with any format in them.
#![no_main]

libfuzzer_sys::fuzz_target!(|source: &[u8]| {
    copydesk_fuzz::read("", false, "", source);
    copydesk_fuzz::read("", true, "", source);
});
