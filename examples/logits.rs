//! What lies below the labels: logits and vectors of the paragraphs of a page. `cargo run --release --example logits`.

use copydesk::advanced::{Model, PageText};
use std::error::Error;

const PAGE: [&str; 3] =
    ["Opening hours", "The museum opens at ten and closes at six.", "The new wing is the ugliest thing in the county."];

fn main() -> Result<(), Box<dyn Error>> {
    let model = Model::open("base")?;
    let texts = PAGE.map(PageText::new);
    let mut vectors = Vec::new();
    let readings = model.session().read_pages(&[&texts], &mut vectors)?;
    let hidden = vectors.len() / PAGE.len();
    for ((text, reading), vector) in PAGE.iter().zip(&readings).zip(vectors.chunks_exact(hidden)) {
        let norm = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
        println!("{text}\n  logits {:.2?}\n  vector of {hidden} numbers, length {norm:.2}", reading.logits);
    }
    Ok(())
}
