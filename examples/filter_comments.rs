//! Tells spam from genuine comments, one record each: `cargo run --release --example filter_comments`.

use copydesk::Copydesk;
use std::error::Error;

const COMMENTS: [&str; 4] = [
    "I crossed that bridge every day for ten years and never once saw anybody oil it.",
    "HUGE casino bonus!!! Visit luckyharbour.example now, no deposit, win 900 a day",
    "Does anybody know whether the footpath stays open?",
    "Great post! Check out my site for cheap watches and handbags http://replica.example/shop",
];

fn main() -> Result<(), Box<dyn Error>> {
    let desk = Copydesk::builder().model("auto").build()?;
    let spam = desk.spam_label().ok_or("the model has no label for spam")?;
    let threshold = desk.spam_threshold();
    for (comment, answer) in COMMENTS.iter().zip(desk.label_records(&COMMENTS)) {
        let score = answer?.scores.of(spam.as_str()).unwrap_or_default();
        let verdict = if score >= threshold { "spam" } else { "genuine" };
        println!("{verdict:>8} {score:.4} {comment}");
    }
    Ok(())
}
