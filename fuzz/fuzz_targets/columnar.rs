//! Parquet files, Arrow files and Arrow streams.
#![no_main]

use std::panic;

libfuzzer_sys::fuzz_target!(
    init: {
        // The reader catches panics of the libraries below it, so one alone must not end the process.
        panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    },
    |source: &[u8]| copydesk_fuzz::read_objects("", source)
);
