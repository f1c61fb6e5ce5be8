//! HTML pages, named as such and recognised.
#![no_main]

libfuzzer_sys::fuzz_target!(|source: &[u8]| {
    copydesk_fuzz::read("in.html", false, "", source);
    copydesk_fuzz::read("", false, "", source);
});
