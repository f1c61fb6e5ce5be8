//! Copies of a text that say the same but look different, for measuring how far a label depends on looks, and for
//! training against it.

use super::SplitMix64;

/// One way to make a text look different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Noise {
    /// Straight quotation marks become curly ones, and curly ones straight.
    Quotes,
    /// Everything in lower case.
    LowerCase,
    /// Hyphens, dashes, dots and spaces as another typesetter would put them: `--`, `…`, `ﬁ`, doubled and no-break
    /// spaces.
    Typography,
    /// Quotation marks, ampersands, dashes and accented letters as HTML entities.
    HtmlEntities,
    /// A list number in front.
    ListNumber,
    /// One to three emoji, inside or at the end.
    Emoji,
    /// Half of the letters that have a Cyrillic look-alike are written with it; in spam alone, where it is measured.
    Homoglyphs,
    /// Digits and signs for letters in every third word; in spam alone, where it is measured.
    Leet,
    /// The same in all that is no spam: people write `gr8` and `i7-3770k` too.
    LeetGenuine,
    /// Zero-width spaces and joiners inside words.
    ZeroWidth,
    /// Nothing after the first sentence.
    FirstSentence,
}

impl Noise {
    /// Every kind, in the order of reports.
    pub const ALL: [Noise; 11] = [
        Noise::Quotes,
        Noise::LowerCase,
        Noise::Typography,
        Noise::HtmlEntities,
        Noise::ListNumber,
        Noise::Emoji,
        Noise::Homoglyphs,
        Noise::Leet,
        Noise::LeetGenuine,
        Noise::ZeroWidth,
        Noise::FirstSentence,
    ];

    /// The name in reports, such as `zero_width`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Noise::Quotes => "quotes",
            Noise::LowerCase => "lower_case",
            Noise::Typography => "typography",
            Noise::HtmlEntities => "html_entities",
            Noise::ListNumber => "list_number",
            Noise::Emoji => "emoji",
            Noise::Homoglyphs => "homoglyphs",
            Noise::Leet => "leet",
            Noise::LeetGenuine => "leet_genuine",
            Noise::ZeroWidth => "zero_width",
            Noise::FirstSentence => "first_sentence",
        }
    }

    /// Whether a report changes the rows whose gold label is the one for spam, or the others.
    pub fn concerns(self, spam: bool) -> bool {
        match self {
            Noise::Homoglyphs | Noise::Leet => spam,
            Noise::LeetGenuine => !spam,
            _ => true,
        }
    }

    /// The copy of a text. Follows from `random`'s state alone.
    pub fn apply(self, text: &str, random: &mut SplitMix64) -> String {
        match self {
            Noise::Quotes => swap_quotes(text),
            Noise::LowerCase => text.to_lowercase(),
            Noise::Typography => typography(text, random),
            Noise::HtmlEntities => entities(text),
            Noise::ListNumber => format!("{}. {text}", 1 + random.below(40)),
            Noise::Emoji => emoji(text, random),
            Noise::Homoglyphs => text.chars().map(|c| if random.below(2) == 0 { homoglyph(c) } else { c }).collect(),
            Noise::Leet | Noise::LeetGenuine => leet(text, random),
            Noise::ZeroWidth => zero_width(text, random),
            Noise::FirstSentence => first_sentence(text).to_owned(),
        }
    }
}

fn swap_quotes(text: &str) -> String {
    let mut before = ' ';
    text.chars()
        .map(|c| {
            let opens = before.is_whitespace() || matches!(before, '(' | '[' | '—' | '-');
            before = c;
            match c {
                '"' if opens => '“',
                '"' => '”',
                '\'' if opens => '‘',
                '\'' => '’',
                '“' | '”' => '"',
                '‘' | '’' => '\'',
                c => c,
            }
        })
        .collect()
}

fn typography(text: &str, random: &mut SplitMix64) -> String {
    let mut noisy = text.replace("...", "…").replace('—', "--").replace("fi", "ﬁ").replace("fl", "ﬂ");
    if !text.contains('—') {
        noisy = noisy.replace(" - ", " – ");
    }
    noisy
        .split(' ')
        .map(|word| format!("{word}{}", ["  ", "\u{a0}", " ", " "][random.below(4)]))
        .collect::<String>()
        .trim_end()
        .to_owned()
}

fn entities(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '—' => out.push_str("&mdash;"),
            '’' => out.push_str("&rsquo;"),
            '“' => out.push_str("&ldquo;"),
            '”' => out.push_str("&rdquo;"),
            c if c.is_ascii() => out.push(c),
            c => out.push_str(&format!("&#{};", u32::from(c))),
        }
    }
    out
}

fn emoji(text: &str, random: &mut SplitMix64) -> String {
    const PICTURES: [&str; 8] = ["😀", "👍🏽", "🔥", "❤\u{fe0f}", "🎉", "👩\u{200d}💻", "🇩🇪", "✅"];
    let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    for _ in 0..=random.below(3) {
        let picture = PICTURES[random.below(PICTURES.len())];
        match random.below(2) {
            0 => words.push(picture.to_owned()),
            _ => {
                let place = random.below(words.len());
                words[place].push_str(picture);
            }
        }
    }
    words.join(" ")
}

fn homoglyph(c: char) -> char {
    match c {
        'a' => 'а',
        'c' => 'с',
        'e' => 'е',
        'i' => 'і',
        'o' => 'о',
        'p' => 'р',
        's' => 'ѕ',
        'x' => 'х',
        'y' => 'у',
        'A' => 'А',
        'C' => 'С',
        'E' => 'Е',
        'O' => 'О',
        'P' => 'Р',
        c => c,
    }
}

fn leet(text: &str, random: &mut SplitMix64) -> String {
    let words = text.split_inclusive(' ').map(|word| {
        if word.len() < 4 || word.contains("://") || random.below(3) > 0 {
            return word.to_owned();
        }
        word.chars()
            .map(|c| {
                let sign = match c {
                    'a' | 'A' => ['4', '@'][random.below(2)],
                    'e' | 'E' => '3',
                    'i' | 'I' => ['1', '!'][random.below(2)],
                    'o' | 'O' => '0',
                    's' | 'S' => ['5', '$'][random.below(2)],
                    't' | 'T' => '7',
                    c => c,
                };
                if random.below(2) == 0 { sign } else { c }
            })
            .collect()
    });
    words.collect()
}

fn zero_width(text: &str, random: &mut SplitMix64) -> String {
    let mut out = String::new();
    for c in text.chars() {
        out.push(c);
        if c.is_alphabetic() && random.below(4) == 0 {
            out.push(['\u{200b}', '\u{200c}', '\u{200d}', '\u{feff}'][random.below(4)]);
        }
    }
    out
}

/// The text up to the first sentence end after four words, with what closes the sentence.
fn first_sentence(text: &str) -> &str {
    let mut words = 0;
    let mut characters = text.char_indices().peekable();
    while let Some((_, c)) = characters.next() {
        words += usize::from(c == ' ');
        if !matches!(c, '.' | '!' | '?') || words < 3 {
            continue;
        }
        while characters.next_if(|(_, c)| matches!(c, '"' | '\'' | '”' | '’' | ')' | '.' | '!' | '?')).is_some() {}
        if let Some(&(end, ' ')) = characters.peek() {
            let rest = text[end..].trim_start();
            if rest.starts_with(|c: char| c.is_uppercase() || !c.is_alphanumeric()) {
                return &text[..end];
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::model_text;

    const TEXT: &str = "\"We offer loans at 3 percent,\" the office said. Is it a café - or a bank? I don't know.";

    #[test]
    fn every_kind_changes_the_text_and_follows_from_the_seed() {
        for noise in Noise::ALL {
            let apply = |seed| noise.apply(TEXT, &mut SplitMix64::new(seed));
            assert!((0..8).any(|seed| apply(seed) != TEXT), "{noise:?}");
            assert_eq!(apply(5), apply(5), "{noise:?}");
        }
    }

    #[test]
    fn leet_concerns_every_row_once() {
        for spam in [true, false] {
            assert_ne!(Noise::Leet.concerns(spam), Noise::LeetGenuine.concerns(spam), "{spam}");
        }
    }

    #[test]
    fn what_the_model_text_levels_leaves_no_trace() {
        for noise in [Noise::Quotes, Noise::HtmlEntities, Noise::ListNumber, Noise::Homoglyphs, Noise::ZeroWidth] {
            let copy = noise.apply(TEXT, &mut SplitMix64::new(7));
            assert_eq!(model_text(&copy), model_text(TEXT), "{noise:?}");
        }
    }

    #[test]
    fn the_first_sentence_ends_with_its_marks() {
        assert_eq!(first_sentence(TEXT), "\"We offer loans at 3 percent,\" the office said.");
        assert_eq!(first_sentence("They said \"we go now.\" Then they went."), "They said \"we go now.\"");
        assert_eq!(first_sentence("Dr. No met the U.S. envoy today"), "Dr. No met the U.S. envoy today");
    }
}
