//! Labels the paragraphs of a text file, or of a text of its own: `cargo run --release --example label_text [FILE]`.

use copydesk::Copydesk;
use std::error::Error;

const TEXT: &str = "\
Harbour bridge to close for repairs

The bridge over the old harbour will be closed from Monday until the end of May, the port authority said on Thursday.

Three months for one bridge is a joke. They had the whole winter to do it and chose to sit on their hands.";

fn main() -> Result<(), Box<dyn Error>> {
    let text = match std::env::args_os().nth(1) {
        Some(path) => std::fs::read_to_string(path)?,
        None => TEXT.to_owned(),
    };
    let desk = Copydesk::builder().model("auto").threads(2).build()?;
    for paragraph in desk.label(&text)? {
        let first_line = paragraph.text.lines().next().unwrap_or_default();
        println!("{:>12} {:.3} {:>5?} {first_line}", paragraph.label, paragraph.confidence, paragraph.span);
    }
    Ok(())
}
