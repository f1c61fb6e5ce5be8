//! A quoted piece and own words: the label is that of what most of the words do.

use super::pool::{Pools, generator};
use super::source::Region;
use super::target::{COMMENT_SPAM, OPINION, QUOTATION, REPORTING, mostly};
use super::words::{count, one_line};
use super::{ComposedRow, Part, Settings, names};
use crate::random::SplitMix64;

/// Most that the smaller part may have of all words: between this and its counterpart the guideline would have to count
/// closely.
const SMALLER_SHARE: f64 = 0.4;

/// Ways to mark what is quoted.
const FORMS: usize = 13;

/// The quoted text in one of the forms, and whether own words may follow in the same line.
fn quoted(text: &str, form: usize, random: &mut SplitMix64) -> (String, bool) {
    let text = one_line(text);
    // Marks inside marks would close them.
    let plain = text.replace(['"', '“', '”'], "'");
    let name = names::name(random);
    match form {
        0 => (format!("> {}", lines(&text, random).join("\n> ")), false),
        1 => (format!("> {text}"), false),
        2 => (format!("> {text}"), true),
        3 => (format!("&gt; {text}"), false),
        4 => (format!("&gt; {text}"), true),
        5 => (format!("[quote]{text}[/quote]"), true),
        6 => (format!("[quote={name}]{text}[/quote]"), true),
        7 => (format!("{name} wrote: \"{plain}\""), true),
        8 => (format!("{name} said: “{plain}”"), true),
        9 => (format!("<blockquote>{text}</blockquote>"), true),
        10 => (format!("\"{plain}\" -"), true),
        11 => (format!("“{plain}”"), true),
        _ => (format!("@{name}: \"{plain}\""), true),
    }
}

/// The text in lines of at most 60 to 75 characters where words allow.
fn lines(text: &str, random: &mut SplitMix64) -> Vec<String> {
    textwrap::wrap(text, textwrap::Options::new(60 + random.below(16)).break_words(false))
        .into_iter()
        .map(|line| line.into_owned())
        .collect()
}

/// The quoted text and the own words, in one of the orders.
fn arranged(quote: &str, own: &str, form: usize, random: &mut SplitMix64) -> String {
    let (quote, same_line) = quoted(quote, form, random);
    let apart = match random.below(3) {
        0 if same_line => " ",
        1 if same_line => "\n",
        1 if form != 0 => "\n",
        _ => "\n\n",
    };
    let own = if same_line { one_line(own) } else { own.to_owned() };
    match (random.below(10), own.split_once(". ")) {
        (0..=1, _) => format!("{own}\n\n{}", quote.trim_end_matches(" -")),
        (2, Some((before, after))) => format!("{before}.\n\n{}\n\n{after}", quote.trim_end_matches(" -")),
        _ if form == 2 || form == 4 => format!("{quote} {own}"),
        _ if form == 10 => format!("{quote} {own}"),
        _ => format!("{quote}{apart}{own}"),
    }
}

/// Quote and answer: two thirds with a longer answer, whose label counts, and a third with a longer quotation.
pub(super) fn compose(pools: &Pools<'_>, settings: &Settings) -> Vec<ComposedRow> {
    (0..settings.quotes)
        .filter_map(|number| {
            let mut random = generator(settings, "quote_answer", number);
            // Every form as often with every label.
            let (kind, form) = (number % 9, (number / 9) % FORMS);
            (0..20).find_map(|_| attempt(pools, kind, form, &mut random))
        })
        .collect()
}

fn attempt(pools: &Pools<'_>, kind: usize, form: usize, random: &mut SplitMix64) -> Option<ComposedRow> {
    let label = match kind {
        0..=2 => QUOTATION,
        3..=5 => OPINION,
        6..=7 => [OPINION, COMMENT_SPAM][random.below(2)],
        _ => REPORTING,
    };
    let quotable = &pools.by_label[[REPORTING, OPINION, QUOTATION][random.below(3)]];
    let (quote, own) = match label {
        QUOTATION => (35..=120, 3..=12),
        _ => (5..=25, 25..=120),
    };
    let (_, quote) = quotable.passage(quote, random)?;
    let answers = match label {
        OPINION | QUOTATION if random.below(4) > 0 => &pools.comments,
        QUOTATION => &pools.by_label[OPINION],
        _ => &pools.by_label[label],
    };
    let (_, own) = answers.passage(own, random)?;
    let (quoted, owned) = (count(quote) as f64, count(own) as f64);
    if quoted.min(owned) / (quoted + owned) > SMALLER_SHARE {
        return None;
    }
    let text = arranged(quote, own, form, random);
    // Of reporting nothing says that it stands in a comment.
    let region = (label != REPORTING).then_some(Region::Comment);
    Some(ComposedRow::mixed(text, mostly(label, 0.95), region, Part::QuoteAnswer))
}

#[cfg(test)]
mod tests {
    use super::super::target::best;
    use super::super::tests::{rows, settings};
    use super::*;

    #[test]
    fn the_label_is_that_of_most_of_the_words() {
        let rows = rows();
        let pools = Pools::new(&rows, &[], &[]);
        let composed = compose(&pools, &Settings { quotes: 1800, ..settings() });
        assert!(composed.len() > 1700, "{}", composed.len());
        // In the test's rows each word has its label's letter.
        for row in &composed {
            let text = row.text.to_lowercase();
            let of =
                |letter: char| text.split_whitespace().filter(|word| word.contains(&format!("{letter}word"))).count();
            let counts = ['r', 'o', 's', 'q'].map(of);
            let total: usize = counts.iter().sum();
            if best(&row.target) == COMMENT_SPAM {
                assert!(counts[2] * 5 >= total * 3, "{}", row.text);
            }
            if best(&row.target) == QUOTATION {
                assert!(counts[2] == 0 && total >= 38, "{}", row.text);
            }
        }
        let labels: Vec<usize> =
            (0..5).map(|label| composed.iter().filter(|row| best(&row.target) == label).count()).collect();
        assert!(labels[..4].iter().all(|&count| count > 150) && labels[4] == 0, "{labels:?}");
    }

    #[test]
    fn every_form_is_told_apart_and_none_lost() {
        let mut random = SplitMix64::new(2);
        let forms: Vec<String> = (0..FORMS).map(|form| quoted("It is \"so\".", form, &mut random).0).collect();
        assert!(forms.iter().all(|form| form.contains("It is")));
        assert!(forms[7].contains("'so'") && forms[5].contains("\"so\""));
        assert_eq!(forms[0], "> It is \"so\".");
    }
}
