//! Markup, names, dates and salutations round texts of every label: what is inside decides.

use super::pool::{Pools, generator};
use super::target::mostly;
use super::words::{count, one_line, sentences};
use super::{ComposedRow, Part, Settings, names};
use crate::random::SplitMix64;

/// Words of the texts that are wrapped.
const WORDS: std::ops::RangeInclusive<usize> = 3..=150;

/// Number of ways to wrap.
pub(super) const WRAPPERS: usize = 32;

/// The text wrapped in one of the ways. What is drawn follows from `random` and not from the text.
fn wrapped(text: &str, wrapper: usize, heading: &str, random: &mut SplitMix64) -> String {
    let name = names::name(random);
    let date = names::date(random);
    let one_of = |list: &[&'static str], random: &mut SplitMix64| list[random.below(list.len())];
    let apart = one_of(&[" ", "\n", "\n\n"], random);
    match wrapper {
        0 => format!("<p>{text}</p>"),
        1 => {
            let class = one_of(&["comment", "comment-body", "post", "entry-content", "text", "msg"], random);
            format!("<div class=\"{class}\">{text}</div>")
        }
        2 => {
            let mark = one_of(&["<br />", "<br>", "<br/>\n", "<br /><br />"], random);
            format!("{}{mark}", sentences(text).join(mark))
        }
        3 => format!("[b]{text}[/b]"),
        4 => format!("<![CDATA[{text}]]>"),
        5 => format!("**{text}**"),
        6 => format!("_{text}_"),
        7 => format!("*{text}*"),
        8 => format!("{name}: {text}"),
        9 => format!("{name} wrote: {text}"),
        10 => format!("{name} says:{apart}{text}"),
        11 => format!("@{name} {text}"),
        12 => format!("Sir, — {text}"),
        13 => {
            format!("{}{apart}{text}", one_of(&["To the Editor:", "Letter to the editor:", "TO THE EDITOR:"], random))
        }
        14 => format!(
            "{}{apart}{text}",
            one_of(&["Dear Editor,", "Dear Sir,", "Dear Sir or Madam,", "Dear all,"], random)
        ),
        15 => format!("Editor: {text}"),
        16 => format!("Re: {text}"),
        17 => format!(
            "{} {heading}{} {text}",
            one_of(&["Re:", "RE:", "Regarding"], random),
            one_of(&[".", " —", ":"], random)
        ),
        18 => format!("{date} — {text}"),
        19 => format!("{}{apart}{text}", names::ago(random)),
        20 => format!("{} {heading}\n{text}", one_of(&["#", "##", "###"], random)),
        21 => format!("# {heading} {text}"),
        22 => format!("{text}{apart}{} {name}, {}", one_of(&["–", "—", "-"], random), names::town(random)),
        23 => format!("{name}, {date}:{apart}{text}"),
        24 => format!("<span>{text}</span>"),
        25 => sentences(text).iter().map(|sentence| format!("<p>{sentence}</p>")).collect(),
        26 => match text.char_indices().filter(|(_, c)| *c == ' ').nth(2) {
            Some((end, _)) => format!("**{}**{}", &text[..end], &text[end..]),
            None => format!("**{text}**"),
        },
        27 => format!("{} {text}", one_of(&["-", "*", "•", "–"], random)),
        28 => format!("[i]{text}[/i]"),
        29 => format!("&lt;p&gt;{text}&lt;/p&gt;"),
        30 => format!(
            "{text}{apart}{}",
            one_of(&["Sent from my phone", "Regards", "Best wishes", "Thanks", "Cheers"], random)
        ),
        _ => format!("{date} {name}{apart}{text}"),
    }
}

/// Every wrapper as often round every label, with the same names, dates and headings. One in six has a second one.
pub(super) fn compose(pools: &Pools<'_>, settings: &Settings) -> Vec<ComposedRow> {
    let rounds = settings.wrapped.div_ceil(5 * WRAPPERS);
    let mut composed = Vec::new();
    for number in 0..rounds * WRAPPERS {
        let mut random = generator(settings, "wrapper", number);
        let Some((_, heading)) = pools.headings.draw(&mut random) else { continue };
        let second = (random.below(6) == 0).then(|| random.below(WRAPPERS));
        let way = random.next_u64();
        let texts = pools.by_label.each_ref().map(|pool| {
            (0..30)
                .find_map(|_| pool.draw(&mut random).map(|drawn| drawn.1).filter(|text| WORDS.contains(&count(text))))
        });
        // All five labels or none.
        if texts.iter().any(Option::is_none) {
            continue;
        }
        for (label, text) in texts.into_iter().flatten().enumerate() {
            let mut way = SplitMix64::new(way);
            let mut text = one_line(text);
            for wrapper in [Some(number % WRAPPERS), second].into_iter().flatten() {
                text = wrapped(&text, wrapper, heading, &mut way);
            }
            composed.push(ComposedRow::mixed(text, mostly(label, 0.95), None, Part::Wrapper));
        }
    }
    composed
}

#[cfg(test)]
mod tests {
    use super::super::target::best;
    use super::super::tests::{rows, settings};
    use super::*;

    /// What the composed text has besides the words of the test's rows, with numbers and names that were drawn.
    fn shell(text: &str) -> String {
        let of_rows = |word: &str| word.contains("word") || ["https", "example", "x"].contains(&word);
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !of_rows(word) && !word.is_empty());
        words.take(4).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn no_wrapper_tells_the_label() {
        let rows = rows();
        let composed = compose(&Pools::new(&rows, &[], &[]), &Settings { wrapped: 4000, ..settings() });
        assert!(composed.len() >= 4000 && composed.len().is_multiple_of(5));
        let mut counts: std::collections::BTreeMap<String, [usize; 5]> = Default::default();
        for row in &composed {
            counts.entry(shell(&row.text)).or_default()[best(&row.target)] += 1;
        }
        // Pearson's statistic of shell against label over its degrees of freedom: about 1 where the two are independent.
        let expected = |count: &[usize; 5]| count.iter().sum::<usize>() as f64 / 5.0;
        let statistic: f64 = counts
            .values()
            .flat_map(|count| count.iter().map(|&got| (got as f64 - expected(count)).powi(2) / expected(count)))
            .sum();
        let freedom = 4.0 * (counts.len() as f64 - 1.0);
        assert!(counts.len() > WRAPPERS && statistic / freedom < 0.5, "{statistic} / {freedom}");
    }

    #[test]
    fn what_is_inside_stays() {
        for wrapper in 0..WRAPPERS {
            let text = wrapped("Rain is due. Take a coat.", wrapper, "The week", &mut SplitMix64::new(4));
            assert!(text.contains("Rain is due") && text.contains("Take a coat") || wrapper == 26, "{text}");
            assert_ne!(text, "Rain is due. Take a coat.");
        }
    }
}
