//! Dumps of WordPress's tables, named as such and recognised.
#![no_main]

libfuzzer_sys::fuzz_target!(|source: &[u8]| {
    copydesk_fuzz::read_objects("in.sql", source);
    copydesk_fuzz::read_objects("", &[b"-- MySQL dump \n", source].concat());
});
