//! Web archives: their pages as paragraphs and as records.
#![no_main]

libfuzzer_sys::fuzz_target!(|source: &[u8]| {
    copydesk_fuzz::read_objects("in.warc", source);
    copydesk_fuzz::read("in.warc", false, "", source);
});
