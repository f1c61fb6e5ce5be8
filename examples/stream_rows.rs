//! Labels a stream of any size row after row: `cargo run --release --example stream_rows < data/comments.jsonl`.

use copydesk::{Copydesk, RowOptions, Unit};
use std::error::Error;
use std::io::{IsTerminal, Read};

const RECORDS: &str = r#"{"id": 1, "text": "The ferry sank in 1958."}
{"id": 2, "words": "there is no field `text` here"}
{"id": 3, "text": "What a beautiful ship she was."}
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let desk = Copydesk::builder().model("fast").build()?;
    let input: Box<dyn Read + Send> = match std::io::stdin().is_terminal() {
        true => Box::new(RECORDS.as_bytes()),
        false => Box::new(std::io::stdin()),
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
