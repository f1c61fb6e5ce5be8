//! Running text and Markdown, and lines as records.
#![no_main]

libfuzzer_sys::fuzz_target!(|source: &[u8]| {
    copydesk_fuzz::read("in.txt", false, "", source);
    copydesk_fuzz::read("in.md", false, "", source);
    copydesk_fuzz::read("in.txt", true, "", source);
});
