//! Letters that pass for plain Latin ones.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Latin letters with the letters that are taken for them in common fonts: what the Unicode Consortium's
/// `confusables.txt` has of scripts that people write disguised words in (Greek, Cyrillic, Coptic, Armenian, Cherokee,
/// Lisu, Canadian syllabics, rare Latin letters), and a few more Cyrillic and Greek letters that stand for one.
const LOOKALIKES: [(char, &str); 51] = [
    ('A', "ΑАᎪᗅꓮ"),
    ('B', "ΒВᏴᗷⲂꓐꞴ"),
    ('C', "СϹᏟⲤꓚ"),
    ('D', "Ꭰᗞᗪꓓ"),
    ('E', "ΕЕᎬꓰ"),
    ('F', "Ϝᖴꓝ"),
    ('G', "ԌᏀᏳꓖ"),
    ('H', "ΗНᎻᕼⲎꓧ"),
    ('I', "ΙІӀⲒꓲ"),
    ('J', "ͿЈᎫᒍꓙ"),
    ('K', "ΚКᏦⲔꓗ"),
    ('L', "ᏞᒪⳐꓡ"),
    ('M', "ΜϺМᎷᗰⲘꓟ"),
    ('N', "ΝⲚꓠ"),
    ('O', "ΟОՕⲞꓳ"),
    ('P', "ΡРᏢᑭⲢꓑᎮ"),
    ('Q', "Ԛ"),
    ('R', "ƦᎡᏒᖇꓣ"),
    ('S', "ЅՏᏕᏚꓢ"),
    ('T', "ΤТᎢⲦꓔ"),
    ('U', "Սᑌꓴ"),
    ('V', "ѴᏙᐯꓦ"),
    ('W', "ԜᎳᏔꓪ"),
    ('X', "ΧХⲬꓫ"),
    ('Y', "ΥУҮᎩᎽⲨꓬ"),
    ('Z', "ΖᏃⲌꓜ"),
    ('a', "ɑαа"),
    ('b', "ЬᏏᑲ"),
    ('c', "сϲᴄⲥꮯ"),
    ('d', "ԁᏧᑯ"),
    ('e', "еҽєε"),
    ('f', "ƒꞙ"),
    ('g', "ɡց"),
    ('h', "һհᏂ"),
    ('i', "ıɩιіᎥⲓꭵ"),
    ('j', "ȷϳјյ"),
    ('k', "кκ"),
    ('l', "ӏון"),
    ('m', "м"),
    ('n', "ոռпη"),
    ('o', "οσоօⲟ"),
    ('p', "ρϸрⲣ"),
    ('q', "ԛգ"),
    ('r', "гⲅꮁ"),
    ('s', "ѕꮪ"),
    ('t', "тτ"),
    ('u', "υս"),
    ('v', "νѵꮩ"),
    ('w', "ԝωшꮃ"),
    ('x', "хχ"),
    ('y', "γуүყⲩ"),
];

/// Small capitals, from A to Z; where Unicode has none, a space.
const SMALL_CAPITALS: &str = "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡ ʏᴢ";

/// Alphabets of letters in circles, squares, brackets that the compatibility forms of Unicode leave as they are or make
/// longer: first character, what it stands for.
const FRAMED: [(char, char); 5] = [('🅐', 'A'), ('🅰', 'A'), ('🄐', 'A'), ('⒜', 'a'), ('\u{1f1e6}', 'A')];

/// Whether a character is a regional letter, two of which make a flag.
fn is_regional(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

/// The plain letter for small capitals and framed letters.
fn unframed(c: char) -> Option<char> {
    static SMALL: LazyLock<HashMap<char, char>> =
        LazyLock::new(|| SMALL_CAPITALS.chars().zip('a'..='z').filter(|(from, _)| *from != ' ').collect());
    FRAMED
        .iter()
        .find_map(|&(first, letter)| {
            let offset = u32::from(c).checked_sub(u32::from(first)).filter(|&offset| offset < 26)?;
            char::from_u32(u32::from(letter) + offset)
        })
        .or_else(|| SMALL.get(&c).copied())
}

/// Writes letters in frames and small capitals as plain letters. Two regional letters side by side are a flag and stay.
pub(super) fn without_frames(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(|c| !c.is_ascii() && unframed(c).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let regional = rest.chars().take_while(|&c| is_regional(c)).count();
        let flags = if regional.is_multiple_of(2) { regional } else { 0 };
        let kept: usize = rest.chars().take(flags).map(char::len_utf8).sum();
        plain.push_str(&rest[..kept]);
        rest = &rest[kept..];
        if flags == 0 {
            plain.push(unframed(c).unwrap_or(c));
            rest = &rest[c.len_utf8()..];
        }
    }
    Cow::Owned(plain)
}

/// Writes look-alikes as Latin letters in every word that has at least one Latin letter. Words of one script, Greek and
/// Russian among them, stay as they are.
pub(super) fn latin_lookalikes(text: &str) -> Cow<'_, str> {
    static LATIN: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
        LOOKALIKES.iter().flat_map(|(letter, lookalikes)| lookalikes.chars().map(|c| (c, *letter))).collect()
    });
    if text.is_ascii() || !text.chars().any(|c| !c.is_ascii() && LATIN.contains_key(&c)) {
        return Cow::Borrowed(text);
    }
    let mut result = String::with_capacity(text.len());
    for word in text.split_inclusive(|c: char| !c.is_alphanumeric()) {
        if word.contains(|c: char| c.is_ascii_alphabetic()) {
            result.extend(word.chars().map(|c| LATIN.get(&c).copied().unwrap_or(c)));
        } else {
            result.push_str(word);
        }
    }
    Cow::Owned(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_mixed_words_change() {
        assert_eq!(latin_lookalikes("сhеар саsіno, Москва и ΑΘΗΝΑ"), "cheap casino, Москва и ΑΘΗΝΑ");
        assert_eq!(latin_lookalikes("ᏢlᎪy рᏞаy ᏣᎳᎩ"), "PlAy pLay ᏣᎳᎩ");
        assert!(matches!(latin_lookalikes("naïve"), Cow::Borrowed(_)));
    }

    #[test]
    fn no_letter_stands_in_the_table_twice() {
        let mut all: Vec<char> = LOOKALIKES.iter().flat_map(|(_, lookalikes)| lookalikes.chars()).collect();
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(all.iter().all(|c| !c.is_ascii() && c.is_alphabetic()));
    }

    #[test]
    fn frames_and_small_capitals_go_and_flags_stay() {
        assert_eq!(without_frames("🅟🅛🅐🅨 🅿🅻🅰🆈 ᴘʟᴀʏ ⒫⒧🄐🄨 now"), "PLAY PLAY play plAY now");
        assert_eq!(without_frames("🇩🇪 🇵 🇱 🇦 🇾"), "🇩🇪 P L A Y");
        assert!(matches!(without_frames("nothing — here"), Cow::Borrowed(_)));
    }
}
