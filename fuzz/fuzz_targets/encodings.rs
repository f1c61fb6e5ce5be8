//! Text in an encoding that is guessed or that the user names: the first byte chooses which.
#![no_main]

const ENCODINGS: [&str; 8] = ["", "", "utf-16le", "utf-16be", "windows-1252", "shift_jis", "iso-2022-jp", "gb18030"];

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((first, source)) = data.split_first() else { return };
    let encoding = ENCODINGS[usize::from(*first) % ENCODINGS.len()];
    copydesk_fuzz::read("in.txt", false, encoding, source);
    copydesk_fuzz::read("", true, encoding, source);
});
