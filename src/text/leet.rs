//! Digits and signs that stand for letters: `v1agra`, `m@rket`, `7h3`.
//!
//! A word is read with letters in their place where that is the plainer reading: where a sign stands between letters, and
//! every three letters in a row of the result are common in English. Where two words of a text are such, its other words
//! need less: the signs may stand anywhere, and rarer letters may meet.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

/// Frequent words of three letters or more, which are recognised with signs at their edges too.
static FREQUENT: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "the and that for you this with have are was not but from your can they has will more all about his one what out \
     their would who like there just when people new been said which how time get some also had than now other its her \
     our were them here make only any these most into very she even over because good after many first then want way see \
     work well those great back him need think use where site best such help while made free thanks year say before take \
     last still same going through find look too off life since against love better news money both long another does \
     something never online without today few give home please keep next between different read always looking case \
     already must little trying easy click cash casino viagra loan loans credit offer"
        .split_whitespace()
        .collect()
});

/// Which letter follows two others, counted over the words of 29,000 English paragraphs. A line has two letters, a blank, the
/// letters that follow them in more than 20 of a million cases, a blank, and those of 4 to 20; `.` is the edge of a word.
static TRIGRAMS: LazyLock<Box<[[u32; 2]; 27 * 27]>> = LazyLock::new(|| {
    let mut table = Box::new([[0; 2]; 27 * 27]);
    for line in include_str!("trigrams.txt").lines() {
        let mut columns = line.split(' ');
        let pair = columns.next().expect("a line has a first column; this is a bug").as_bytes();
        let [common, rare] = [(); 2]
            .map(|()| columns.next().unwrap_or("").bytes().fold(0u32, |mask, letter| mask | 1 << symbol(letter)));
        table[27 * symbol(pair[0]) + symbol(pair[1])] = [common, common | rare];
    }
    table
});

/// Number of a small letter, from 1; 0 for the edge of a word.
fn symbol(letter: u8) -> usize {
    if letter == b'.' { 0 } else { usize::from(letter - b'a') + 1 }
}

/// Whether every three letters in a row of a word in small letters are common, or at least not rare.
fn is_plausible(word: &str, rare_too: bool) -> bool {
    let (mut first, mut second) = (0, 0);
    word.bytes().chain([b'.']).all(|letter| {
        let third = symbol(letter);
        let known = TRIGRAMS[27 * first + second][usize::from(rare_too)] >> third & 1 == 1;
        (first, second) = (second, third);
        known
    })
}

/// The letter that a sign stands for; `one` for a 1.
fn letter(sign: u8, one: u8) -> Option<u8> {
    match sign {
        b'0' => Some(b'o'),
        b'1' => Some(one),
        b'3' => Some(b'e'),
        b'4' | b'@' => Some(b'a'),
        b'5' | b'$' => Some(b's'),
        b'7' => Some(b't'),
        b'!' => Some(b'i'),
        _ => None,
    }
}

/// Whether a text may have such words at all: a letter beside a sign.
fn may_have_leet(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(2).any(|pair| {
        let is_sign = |byte| letter(byte, b'i').is_some() && byte != b'!';
        is_sign(pair[0]) && pair[1].is_ascii_alphabetic() || is_sign(pair[1]) && pair[0].is_ascii_alphabetic()
    }) || bytes
        .windows(3)
        .any(|three| three[1] == b'!' && three[0].is_ascii_alphabetic() && three[2].is_ascii_alphabetic())
}

/// Writes letters for digits and signs that stand for them.
pub(super) fn without_leet(text: &str) -> Cow<'_, str> {
    if !may_have_leet(text) {
        return Cow::Borrowed(text);
    }
    let (plain, words) = read(text, false);
    match words {
        0 => Cow::Borrowed(text),
        1 => Cow::Owned(plain),
        _ => Cow::Owned(read(text, true).0),
    }
}

/// The text with letters in place of signs, and the number of words that changed.
fn read(text: &str, freely: bool) -> (String, usize) {
    let mut plain = String::with_capacity(text.len());
    let mut words = 0;
    for token in text.split_inclusive(' ') {
        if is_address(token) {
            plain.push_str(token);
            continue;
        }
        let mut rest = token;
        while let Some(start) = rest.find(is_word_sign) {
            plain.push_str(&rest[..start]);
            let length = rest[start..].find(|c| !is_word_sign(c)).unwrap_or(rest.len() - start);
            let word = &rest[start..start + length];
            match read_word(word, freely, plain.ends_with('\'')) {
                Some(word) => {
                    plain.push_str(&word);
                    words += 1;
                }
                None => plain.push_str(word),
            }
            rest = &rest[start + length..];
        }
        plain.push_str(rest);
    }
    (plain, words)
}

fn is_word_sign(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '@' | '$' | '!')
}

/// Whether a word is an address on the web or of mail, or the name of a file: `@` or letters with a point between them.
fn is_address(token: &str) -> bool {
    let token = token.trim_end_matches(|c: char| !c.is_alphanumeric());
    let has_inner_point = || {
        token
            .as_bytes()
            .windows(3)
            .any(|three| three[1] == b'.' && three[0].is_ascii_alphanumeric() && three[2].is_ascii_lowercase())
    };
    token.contains('/') || token.contains('\\') || token.contains('_') || has_inner_point()
}

/// The word that `written` stands for, in small letters, with the exclamation marks around it; `None` where it stands for itself.
fn read_word(written: &str, freely: bool, after_apostrophe: bool) -> Option<String> {
    let signs = written.trim_end_matches('!');
    let end = &written[signs.len()..];
    let core = if freely { signs } else { signs.trim_start_matches('!') };
    let begin = &signs[..signs.len() - core.len()];
    let bytes = core.as_bytes();
    let letters = bytes.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    if freely && after_apostrophe {
        // What is left of `n't`, `'s`, `'re` and `'ve`.
        let tail = match core {
            "7" => "t",
            "5" | "$" => "s",
            "r3" => "re",
            "v3" => "ve",
            _ => return None,
        };
        return Some(format!("{tail}{end}"));
    }
    if bytes.len() < 3 || letters == 0 || letters == bytes.len() || is_amount(core) {
        return None;
    }
    let readings: Vec<String> = [b'i', b'l']
        .into_iter()
        .filter_map(|one| bytes.iter().map(|&byte| plain_letter(byte, one)).collect())
        .map(|word: Vec<char>| word.into_iter().collect())
        .take(if core.contains('1') { 2 } else { 1 })
        .collect();
    let inner = core.trim_matches(|c: char| !c.is_ascii_alphabetic());
    let is_plain = |word: &&String| match freely {
        true => is_plausible(word, true),
        false => is_sure(core, inner, letters) && is_plausible(word, false),
    };
    let frequent = |word: &&String| !core.contains('!') && FREQUENT.contains(word.as_str());
    let word = readings.iter().find(frequent).or_else(|| readings.iter().find(is_plain))?;
    Some(format!("{begin}{word}{end}"))
}

/// The small letter that a byte is or stands for.
fn plain_letter(byte: u8, one: u8) -> Option<char> {
    let letter = if byte.is_ascii_alphabetic() { Some(byte.to_ascii_lowercase()) } else { letter(byte, one) };
    letter.map(char::from)
}

/// Whether a word shows by its form that signs stand for letters in it. `inner` is the word from its first letter to its last.
fn is_sure(core: &str, inner: &str, letters: usize) -> bool {
    let inner = inner.as_bytes();
    let is_sign = |byte: &u8| !byte.is_ascii_alphabetic();
    let two_signs = inner.windows(2).any(|pair| is_sign(&pair[0]) && is_sign(&pair[1]));
    // `wow!Great`, `TED@London`: a new word begins.
    let joins = inner.windows(3).any(|three| {
        matches!(three[1], b'!' | b'@') && three[2].is_ascii_uppercase() && !three[0].is_ascii_uppercase()
            || three[1] == b'@' && three[2].is_ascii_uppercase()
    });
    let parts_words = inner.contains(&b'!') && {
        let mut parts = std::str::from_utf8(inner).unwrap_or("").split('!');
        parts.all(|part| FREQUENT.contains(part.to_ascii_lowercase().as_str()) || part.len() > 4)
    };
    inner.iter().any(is_sign)
        && letters >= if two_signs { 4 } else { 2 }
        && !core.starts_with('@')
        && !joins
        && !parts_words
}

/// Whether a word is a number with a unit or an ending: `4th`, `10am`, `100mg`.
fn is_amount(core: &str) -> bool {
    const UNITS: [&str; 30] = [
        "s", "k", "m", "b", "x", "h", "d", "g", "p", "am", "pm", "hr", "hrs", "ft", "in", "kg", "mg", "ml", "mm", "cm",
        "km", "lb", "oz", "min", "mb", "gb", "mph", "fps", "bn", "ish",
    ];
    let unit = core.trim_start_matches(|c: char| c.is_ascii_digit() || c == '$');
    let number = &core[..core.len() - unit.len()];
    let ordinal = match unit.to_ascii_lowercase().as_str() {
        "st" => number.ends_with('1'),
        "nd" => number.ends_with('2'),
        "rd" => number.ends_with('3'),
        "th" => true,
        unit => UNITS.contains(&unit),
    };
    !number.is_empty() && ordinal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_between_letters_are_letters() {
        for (text, plain) in [
            ("Buy v1agra at our c4sin0!", "Buy viagra at our casino!"),
            ("7he b!tco1n m@rket, tr4ding", "the bitcoin market, trading"),
            ("th3 pr0fit", "the profit"),
            ("cl1ck for l0ans", "click for loans"),
        ] {
            assert_eq!(without_leet(text), plain);
        }
    }

    #[test]
    fn a_text_of_such_words_is_read_freely() {
        assert_eq!(
            without_leet("y0u d1dn'7 g3t 7h3 r3$ults of 5cale, d!d y0u"),
            "you didn't get the results of scale, did you"
        );
    }

    #[test]
    fn names_amounts_and_addresses_stay() {
        for text in [
            "mp3 mp3s ps4 3d b2b h2o i18n a11y w3c r2d2 x86 sha256",
            "the 1st, 4th and 50s at 10am for $5k or 100mg",
            "iPhone5 html5 Windows7 web3 A350 RAV4 COVID19 i7-3770k gr8 m8",
            "ben@example.org @ben_k http://a4b.example/v1a wow!Great 5 o'clock A$3",
            "information!Perfect TED@London PATH=$PATH US$5 f(x1, x3)",
        ] {
            assert_eq!(without_leet(text), text);
        }
    }
}
