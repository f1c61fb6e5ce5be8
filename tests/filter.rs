//! `copydesk filter` on comments with what is known of them, on the built binary.

mod common;

use common::{arg, rows, run, run_with, stderr, stdout};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const GENUINE: [&str; 4] = [
    "My grandmother worked in that laundry and always said the steam made her hair curl. Thank you for the photographs.",
    "I do not agree. The bus stop was moved because of the school, not because of the shop.",
    "The old timetable had a train at six past the hour. I miss it, and so does my neighbour.",
    "Was it not the winter of 1963 when the pond froze? My father skated to work.",
];

const SPAM: [&str; 3] = [
    "HUGE casino bonus!!! 300 free spins, no deposit, play now at http://spins-palace.example and win 900 a day",
    "Buy cheap viagra and cialis online without prescription, best price, fast shipping http://pills.example/buy",
    "Earn 5000 dollars a week from home with our crypto bot! Contact us on WhatsApp now http://coin-bot.example",
];

/// Comments as objects, spam after the genuine ones.
fn comments(text: &str) -> Vec<Value> {
    let all = GENUINE.iter().chain(&SPAM);
    all.enumerate().map(|(id, comment)| json!({"id": id, text: comment, "author": "Ada"})).collect()
}

fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

fn read(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn spam_of(rows: &[Value]) -> Vec<bool> {
    rows.iter().map(|row| row["spam"].as_bool().unwrap()).collect()
}

#[test]
fn clear_comments_are_told_apart_under_the_names_of_exports() {
    let clear: Vec<bool> = (0..GENUINE.len() + SPAM.len()).map(|number| number >= GENUINE.len()).collect();
    for field in ["text", "comment_content", "message", "html"] {
        let output = run_with(&["filter", "-q", "--mark", "-"], lines(&comments(field)).as_bytes());
        let marked = rows(&output, 0);
        assert_eq!(spam_of(&marked), clear, "{field}: {marked:?}");
        for (row, came) in marked.iter().zip(comments(field)) {
            let score = row["spam_score"].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&score) && row["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
            assert_eq!((&row["id"], &row[field], row.get("label")), (&came["id"], &came[field], None));
        }
    }
}

#[test]
fn a_field_that_is_named_is_read_alone() {
    let line = json!({"text": GENUINE[0], "note": {"said": SPAM[0]}}).to_string();
    let marked = |arguments: &[&str]| {
        spam_of(&rows(&run_with(&[&["filter", "-q", "--mark", "-"], arguments].concat(), line.as_bytes()), 0))
    };
    assert_eq!(marked(&[]), [false]);
    assert_eq!(marked(&["--map", "text=note.said,author=nick"]), [true]);
    assert_eq!(marked(&["--text-field", "note.said"]), [true]);
    for wrong in ["colour=red", "text", "text=a,text=b"] {
        let refused = run_with(&["filter", "--map", wrong], line.as_bytes());
        assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0), "{wrong}");
    }
}

#[test]
fn fields_with_our_names_are_renamed_and_lines_become_objects_where_all_are_marked() {
    let line = json!({"text": GENUINE[0], "spam": 1, "spam_score": 2, "reason": 3}).to_string();
    let row = &rows(&run_with(&["filter", "-q"], line.as_bytes()), 0)[0];
    assert_eq!((&row["input_spam"], &row["input_spam_score"], &row["input_reason"]), (&json!(1), &json!(2), &json!(3)));
    assert_eq!(row["spam"], false);
    let marked = rows(&run_with(&["filter", "-q", "--mark", "-"], b"Well, I think so too.\n"), 0);
    assert_eq!((&marked[0]["text"], &marked[0]["spam"]), (&json!("Well, I think so too."), &json!(false)));
}

#[test]
fn every_comment_has_one_side_and_the_band_is_below_the_threshold() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("in.jsonl"), lines(&comments("text"))).unwrap();
    let (ham, spam, review) = (path("ham.jsonl"), path("spam.jsonl"), path("review.jsonl"));
    let sides = ["--ham", arg(&ham), "--spam", arg(&spam), "--review", arg(&review)];
    let input = path("in.jsonl");
    let filter = |more: &[&str]| run(&[&["filter"], &sides[..], more, &[arg(&input)]].concat());
    // From 0 on all that is no spam is to be looked at.
    let output = filter(&["--review-from", "0"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!((read(&ham).len(), read(&review).len(), read(&spam).len()), (0, GENUINE.len(), SPAM.len()));
    assert!(stderr(&output).contains("genuine 0, spam 3, to look at 4"), "{}", stderr(&output));
    assert_eq!(filter(&["--exit-code"]).status.code(), Some(3));
    let (judged, above) = (read(&ham).len() + read(&review).len(), read(&spam).len());
    assert_eq!((judged, above), (GENUINE.len(), SPAM.len()));
    let refused = filter(&["--threshold", "0.4", "--review-from", "0.5"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("below the threshold 0.4"), "{}", stderr(&refused));
}

#[test]
fn a_table_stays_a_table() {
    let table = format!("id,author,body,reason\n1,Ada,\"{}\",why\n2,Bo,\"{}\",\n", GENUINE[1], SPAM[0]);
    let marked = stdout(&run_with(&["filter", "-q", "--mark", "-"], table.as_bytes()));
    let lines: Vec<&str> = marked.lines().collect();
    assert_eq!(lines[0], "id,author,body,input_reason,spam,spam_score,reason,lang");
    assert!(lines[1].starts_with("1,Ada,\"I do not agree.") && lines[1].contains(",why,false,0."), "{marked}");
    assert!(lines[2].starts_with("2,Bo,") && lines[2].contains(",,true,"), "{marked}");
}

#[test]
fn copies_of_spam_name_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.jsonl");
    let copy = |author: &str| json!({"text": SPAM[0], "author": author});
    let mut all: Vec<Value> = ["Ann", "Ben", "Cy"].map(copy).to_vec();
    all.push(json!({"text": GENUINE[0], "author": "Dora"}));
    fs::write(&input, lines(&all)).unwrap();
    let reasons = |more: &[&str]| -> Vec<bool> {
        let marked = rows(&run(&[&["filter", "-q", "--mark", "-"], more, &[arg(&input)]].concat()), 0);
        marked.iter().map(|row| row["reason"] == "the same text 3 times").collect()
    };
    assert_eq!(reasons(&[]), [true, true, true, false]);
    assert_eq!(reasons(&["--no-campaigns"]), [false; 4]);
}

#[test]
fn tuning_shows_a_table_warns_of_few_and_its_profile_holds_for_its_model() {
    let folder = tempfile::tempdir().unwrap();
    let (data, profile) = (folder.path().join("labelled.jsonl"), folder.path().join("site.json"));
    let mut labelled = comments("text");
    for (number, row) in labelled.iter_mut().enumerate() {
        match number % 3 {
            0 => row["spam"] = json!(number >= GENUINE.len()),
            1 => row["gold"] = json!(if number >= GENUINE.len() { "spam" } else { "ham" }),
            _ => row["label"] = json!(if number >= GENUINE.len() { "comment_spam" } else { "opinion" }),
        }
    }
    fs::write(&data, lines(&labelled)).unwrap();
    let tune = ["filter", "--model", "fast", "--tune", arg(&data), "--profile", arg(&profile)];
    let tuned = run(&tune);
    assert_eq!(tuned.status.code(), Some(0), "{}", stderr(&tuned));
    let table = stdout(&tuned);
    assert!(table.starts_with("Labelled comments: 4 genuine, 3 spam\n"), "{table}");
    for part in ["0.1% lost at most", "0.5% lost at most", "1% lost at most", "as shipped", "chosen"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    assert!(stderr(&tuned).contains("warning: 4 genuine comments are too few"), "{}", stderr(&tuned));
    let first = fs::read(&profile).unwrap();
    assert_eq!(run(&tune).status.code(), Some(0));
    assert_eq!(fs::read(&profile).unwrap(), first);

    let input = lines(&comments("text"));
    let with = |arguments: &[&str]| {
        run_with(&[&["filter", "--mark", "-", "--profile", arg(&profile)], arguments].concat(), input.as_bytes())
    };
    let used = with(&["--model", "fast"]);
    assert_eq!(rows(&used, 0).len(), 7);
    let stored: Value = serde_json::from_slice(&first).unwrap();
    assert!(stderr(&used).contains(&format!("(threshold {})", stored["threshold"])), "{}", stderr(&used));
    for (arguments, message) in [
        (&["--model", "base"][..], "another model"),
        (&["--model", "fast", "--text-only"], "another model"),
        (&["--model", "fast", "--threshold", "0.5"], "--profile has its own threshold"),
    ] {
        let refused = with(arguments);
        assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0), "{arguments:?}");
        assert!(stderr(&refused).contains(message), "{arguments:?}: {}", stderr(&refused));
    }
}

#[test]
fn labelled_comments_without_a_label_are_set_aside_and_without_a_genuine_one_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("labelled.jsonl");
    let spam = json!({"text": SPAM[0], "spam": true});
    fs::write(&data, lines(std::slice::from_ref(&spam))).unwrap();
    let refused = run(&["filter", "--model", "fast", "--tune", arg(&data)]);
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0));
    assert!(stderr(&refused).contains("no labelled comment is genuine"), "{}", stderr(&refused));
    let rest = [spam, json!({"text": GENUINE[0], "spam": false}), json!({"text": GENUINE[1]})];
    fs::write(&data, lines(&rest)).unwrap();
    let tuned = run(&["filter", "--model", "fast", "--tune", arg(&data)]);
    assert_eq!(tuned.status.code(), Some(1));
    assert!(stderr(&tuned).contains(":3: no label: expected `spam`"), "{}", stderr(&tuned));
    assert!(stdout(&tuned).starts_with("Labelled comments: 1 genuine, 1 spam\n"), "{}", stdout(&tuned));
}
