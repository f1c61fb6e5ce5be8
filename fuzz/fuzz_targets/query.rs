//! Expressions that choose rows.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Err(message) = copydesk::internals::try_expression(text) {
        assert!(message.lines().count() >= 3, "{message:?}");
    }
});
