//! Mailboxes and messages, named as such and recognised.
#![no_main]

libfuzzer_sys::fuzz_target!(|source: &[u8]| {
    copydesk_fuzz::read_objects("in.mbox", source);
    copydesk_fuzz::read("", true, "", source);
});
