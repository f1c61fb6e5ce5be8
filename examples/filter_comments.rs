//! Tells spam from genuine comments by all that is known of them: `cargo run --release --example filter_comments`.

use copydesk::{Comment, CommentFilter, Copydesk};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let comments = [
        Comment::new("I crossed that bridge every day for ten years and never once saw anybody oil it."),
        Comment::new("HUGE casino bonus!!! Visit luckyharbour.example now, no deposit, win 900 a day"),
        Comment {
            author: Some("Ines".to_owned()),
            page_title: Some("The footpath by the weir".to_owned()),
            ..Comment::new("Does anybody know whether the footpath stays open?")
        },
        Comment {
            author: Some("Cheap Watches Online".to_owned()),
            author_url: Some("https://replica.example/shop".to_owned()),
            ..Comment::new("Great post! I will be back.")
        },
    ];
    let filter = CommentFilter::new(Copydesk::builder().model("auto"))?;
    for (comment, judgement) in comments.iter().zip(filter.judge(&comments)) {
        let judgement = judgement?;
        let verdict = if judgement.spam { "spam" } else { "genuine" };
        println!("{verdict:>8} {:.4} {} ({})", judgement.score, comment.text, judgement.reason);
    }
    Ok(())
}
