//! The texts in many languages: those that are not English or cannot be read are marked, and English ones are not.

use copydesk::text::{Doubt, language, model_text};
use serde_json::Value;

#[test]
fn texts_of_other_languages_are_marked() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/languages.jsonl");
    let file = std::fs::read_to_string(path).expect("data/languages.jsonl can be read");
    let (mut marked, mut others, mut english, mut right_code) = (0, 0, 0, 0);
    for line in file.lines() {
        let row: Value = serde_json::from_str(line).expect("a line is an object");
        let (text, lang) = (row["text"].as_str().expect("a text"), row["lang"].as_str().expect("a language"));
        let told = language(&model_text(text), text);
        if lang == "en" {
            english += 1;
            assert_eq!(told.doubt, None, "{text}");
        } else {
            others += 1;
            marked += usize::from(told.doubt.is_some());
            let expected =
                if lang == "unreadable" { told.doubt == Some(Doubt::NotReadable) } else { told.code == Some(lang) };
            right_code += usize::from(expected);
        }
    }
    assert!(others >= 200 && english >= 50, "{others} others, {english} English");
    assert!(100 * marked >= 95 * others, "{marked} of {others} marked");
    assert!(100 * right_code >= 90 * others, "{right_code} of {others} with the right language");
}
