//! Labels an input of any size row after row: `cargo run --release --example stream_rows [FILE]`, `-` for standard input.

use copydesk::{Copydesk, RowOptions, Unit};
use std::error::Error;
use std::io::Read;

const RECORDS: &str = r#"{"id": 1, "text": "The ferry sank in 1958."}
{"id": 2, "words": "there is no field `text` here"}
{"id": 3, "text": "What a beautiful ship she was."}
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let desk = Copydesk::builder().model("fast").build()?;
    let input: Box<dyn Read + Send> = match std::env::args().nth(1).as_deref() {
        Some("-") => Box::new(std::io::stdin()),
        Some(path) => Box::new(std::fs::File::open(path)?),
        None => Box::new(RECORDS.as_bytes()),
    };
    let mut failed = 0;
    for row in desk.rows(input, &RowOptions::default().unit(Unit::Record)) {
        match row {
            Ok(row) => println!("{:>12} {:.3} {}", row.label, row.confidence, row.document),
            Err(rejected) => {
                eprintln!("{rejected}");
                failed += 1;
            }
        }
    }
    eprintln!("{failed} set aside");
    Ok(())
}
