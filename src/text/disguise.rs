//! Words that are written so that a reader sees them and a filter does not: backwards, upside down, letter by letter.

use std::borrow::Cow;

/// Overrides the direction: what follows is shown from right to left.
const OVERRIDE: char = '\u{202e}';

/// Letters of the scripts that are written from right to left.
fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
}

/// Turns around what a direction override shows backwards, up to where its effect ends. Letters that run from right to left
/// anyway are left in their order.
pub(super) fn without_overrides(text: &str) -> Cow<'_, str> {
    if !text.contains(OVERRIDE) {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split(OVERRIDE);
    let mut plain = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let ends = |c: char| matches!(c, '\u{202c}' | '\u{2069}' | '\n' | '\r' | '\u{2028}' | '\u{2029}');
        let (shown, rest) = part.split_at(part.find(ends).unwrap_or(part.len()));
        if shown.contains(is_right_to_left) {
            plain.push_str(shown);
        } else {
            plain.extend(shown.chars().rev().map(mirrored));
        }
        plain.push_str(rest);
    }
    Cow::Owned(plain)
}

/// Brackets are mirrored where a text runs from right to left.
fn mirrored(c: char) -> char {
    match c {
        '(' => ')',
        ')' => '(',
        '[' => ']',
        ']' => '[',
        '<' => '>',
        '>' => '<',
        '{' => '}',
        '}' => '{',
        c => c,
    }
}

/// Characters that look like others upside down. Both kinds are listed in the order of the plain ones.
const TURNED: &str = "ɐɔǝɟƃɓɥᴉıɾʞlןɯɹʇʌʍʎ∀ƆƎℲ⅁פſ⅂Ԁ⊥Λ⅄¡¿";
const UPRIGHT: &str = "acefgghiijkllmrtvwyACEFGGJLPTVY!?";

/// Those that hardly occur but in texts upside down; phonetic script has some of the others.
const TELLING: &str = "ǝɟƃᴉʞʇʎ∀ƎℲ⅁⅂⅄";

/// Characters that mean themselves or each other upside down.
fn upright(c: char) -> Option<char> {
    let turned = TURNED.chars().zip(UPRIGHT.chars()).find_map(|(turned, upright)| (turned == c).then_some(upright));
    turned.or(match c {
        'b' => Some('q'),
        'd' => Some('p'),
        'n' => Some('u'),
        'p' => Some('d'),
        'q' => Some('b'),
        'u' => Some('n'),
        'W' => Some('M'),
        'M' => Some('W'),
        '6' => Some('9'),
        '9' => Some('6'),
        '˙' => Some('.'),
        '\'' => Some(','),
        ',' => Some('\''),
        '(' | ')' | '[' | ']' => Some(mirrored(c)),
        'o' | 's' | 'x' | 'z' | 'H' | 'I' | 'N' | 'O' | 'S' | 'X' | 'Z' | '0' | '1' | '8' | '-' | ' ' | '.' | '%' => {
            Some(c)
        }
        _ => None,
    })
}

/// Turns upside-down runs of words upright: at least three letters of a run are turned ones, one of them telling, and the
/// turned ones are a quarter or more.
pub(super) fn turned_upright(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.contains(|c: char| !c.is_ascii() && TELLING.contains(c)) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut run: Vec<&str> = Vec::new();
    let has_turned = |word: &str| word.contains(|c: char| !c.is_ascii() && c != '˙');
    let mut flush = |run: &mut Vec<&str>| {
        // Words that could as well be upright belong to the run only between others.
        let end = run.iter().rposition(|word| has_turned(word)).map_or(0, |last| last + 1);
        let start = run.iter().position(|word| has_turned(word)).unwrap_or(0);
        let (before, words, after) = (&run[..start], run[start..end].concat(), &run[end.max(start)..]);
        let turned = words.chars().filter(|&c| TURNED.contains(c) && c != 'l').count();
        let letters = words.chars().filter(|c| c.is_alphabetic()).count();
        plain.extend(before.iter().copied());
        if turned >= 3 && 4 * turned >= letters && words.contains(|c| TELLING.contains(c)) {
            let blank = words.len() - words.trim_end().len();
            plain.extend(words.trim_end().chars().rev().filter_map(upright));
            plain.push_str(&words[words.len() - blank..]);
        } else {
            plain.push_str(&words);
        }
        plain.extend(after.iter().copied());
        run.clear();
    };
    for word in text.split_inclusive(' ') {
        if word.chars().all(|c| upright(c).is_some()) {
            run.push(word);
        } else {
            flush(&mut run);
            run.push(word);
            flush(&mut run);
        }
    }
    flush(&mut run);
    Cow::Owned(plain)
}

/// Letters in a row that stand alone, from which on they are one word.
pub(super) const SPACED_LETTERS: usize = 4;

/// Whether a character may stand between the letters of a spaced word.
fn is_spacer(c: char) -> bool {
    matches!(c, ' ' | '.' | '-' | '_' | '*' | '|' | '~' | '·' | '•')
}

/// Letters of alphabets with words: of Latin, Greek and Cyrillic.
fn is_letter(c: char) -> bool {
    c.is_alphabetic() && c < '\u{530}'
}

/// Whether a text has so many single letters in a row, with anything between them.
fn may_be_spaced(text: &str) -> bool {
    let (mut before, mut letter) = (' ', ' ');
    // Single letters so far, and characters since the last of them.
    let (mut run, mut since) = (0, 0);
    text.chars().chain([' ']).any(|c| {
        since += 1;
        if letter.is_alphabetic() && !before.is_alphanumeric() && !c.is_alphanumeric() {
            run = if since == 2 { run + 1 } else { 1 };
            since = 0;
        }
        (before, letter) = (letter, c);
        run >= SPACED_LETTERS
    })
}

/// Writes `p l a y` and `p.l.a.y` as `play`: four or more single letters with the same sign between them. A single space ends
/// no word, two do. `a` and `I` at the edge of letters with spaces may be words, and stay apart where words are beside them.
/// Capitals with a point behind each are an abbreviation.
pub(super) fn without_spacing(text: &str) -> Cow<'_, str> {
    if !may_be_spaced(text) {
        return Cow::Borrowed(text);
    }
    let characters: Vec<char> = text.chars().collect();
    let alone = |at: usize| is_letter(characters[at]) && characters.get(at + 1).is_none_or(|c| !c.is_alphanumeric());
    let mut plain = String::new();
    let mut written = 0;
    let mut at = 0;
    while at < characters.len() {
        let begins = alone(at) && (at == 0 || !characters[at - 1].is_alphanumeric());
        let Some(&spacer) = characters.get(at + 1).filter(|&&c| begins && is_spacer(c)) else {
            at += 1;
            continue;
        };
        let mut last = at;
        while last + 2 < characters.len() && characters[last + 1] == spacer && alone(last + 2) {
            last += 2;
        }
        let next = last + 1;
        let (mut first, mut letters) = (at, (last - at) / 2 + 1);
        let is_word = |at: usize| matches!(characters[at], 'a' | 'I');
        let beside = |at: Option<usize>| at.is_some_and(|at| characters.get(at).is_some_and(|c| c.is_alphanumeric()));
        if spacer == ' ' && letters > SPACED_LETTERS && is_word(first) && beside(first.checked_sub(2)) {
            (first, letters) = (first + 2, letters - 1);
        }
        if spacer == ' ' && letters > SPACED_LETTERS && is_word(last) && beside(Some(last + 2)) {
            (last, letters) = (last - 2, letters - 1);
        }
        let is_abbreviation = || {
            spacer == '.'
                && characters.get(last + 1) == Some(&'.')
                && characters[first..last].iter().step_by(2).all(|c| c.is_uppercase())
        };
        if letters >= SPACED_LETTERS && !is_abbreviation() {
            plain.extend(&characters[written..first]);
            plain.extend(characters[first..=last].iter().step_by(2));
            written = last + 1;
        }
        at = next;
    }
    if written == 0 {
        return Cow::Borrowed(text);
    }
    plain.extend(&characters[written..]);
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_read_as_they_are_shown() {
        assert_eq!(without_overrides("go \u{202e}(won) yalp\u{202c} here"), "go play (now)\u{202c} here");
        assert_eq!(without_overrides("\u{202e}yalp\nnext"), "play\nnext");
        assert_eq!(without_overrides("\u{202e}שלום"), "שלום");
        assert!(matches!(without_overrides("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn upside_down_text_is_turned() {
        assert_eq!(TURNED.chars().count(), UPRIGHT.chars().count());
        assert_eq!(turned_upright("uʍop ǝpᴉsdn ʎɐld"), "play upside down");
        assert_eq!(turned_upright("so ʎɐld puɐ ʇǝq now"), "so bet and play now");
        for kept in ["the word /ɡɹiːn/ and /ʌp/", "ʇ", "naïve ǝ", "Πλάτων"] {
            assert_eq!(turned_upright(kept), kept);
        }
    }

    #[test]
    fn spaced_letters_become_words() {
        assert_eq!(without_spacing("p l a y  n o w and w i n"), "play  n o w and w i n");
        assert_eq!(without_spacing("c.a.s.i.n.o b-o-n-u-s"), "casino bonus");
        assert_eq!(without_spacing("this is a p l a y a day"), "this is a play a day");
        assert_eq!(without_spacing("I s a y"), "Isay");
        for kept in [
            "U.S.A. today",
            "the N.A.A.C.P. and the U.S.S.R.",
            "J. R. R. T. Writer",
            "a b c",
            "w-w-what",
            "1 2 3 4 5",
            "中 文 中 文 中",
        ] {
            assert_eq!(without_spacing(kept), kept);
        }
    }
}
