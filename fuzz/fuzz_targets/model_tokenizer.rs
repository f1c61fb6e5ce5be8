//! `tokenizer.json`, and texts encoded with it.
#![no_main]

use copydesk::advanced::Tokenizer;

const TEXTS: [&str; 4] = ["", "The council voted, late!", "  [CLS] </s> <s>\u{200d}\u{1f600}", "ﬁne ½ \u{3000}أغلق"];

libfuzzer_sys::fuzz_target!(|json: &[u8]| {
    if let Ok(tokenizer) = Tokenizer::from_bytes(json) {
        for text in TEXTS {
            let ids = tokenizer.encode(text);
            assert!(ids.iter().all(|&id| (id as usize) < tokenizer.vocab_size()), "{ids:?}");
        }
    }
});
